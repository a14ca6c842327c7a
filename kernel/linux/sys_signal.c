/*
 * System calls on signals: sigaction(2), sigprocmask(2), sigaltstack(2), kill(2), tgkill(2), sigqueue(3),
 * sigsuspend(2) ...
 */
#include "kernel/core/clock.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/signal_frame.h"
#include "kernel/linux/sigstack.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/task.h"
#include "kernel/linux/timespec.h"
#include "kernel/linux/user_copy.h"

/* Others are cleared, so that a program can find out which ones there are (sigaction(2), "Dynamically probing"). */
#define ACTION_FLAGS                                                                                                   \
	((unsigned long)SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |              \
	 SA_RESETHAND | SA_RESTORER | SA_EXPOSE_TAGBITS)

/*
 * ---- Actions, masks, stacks -------------------------------------------------------------------------------------
 */

long sys_rt_sigaction(int sig, const struct linux_sigaction *act, struct linux_sigaction *oldact, size_t sigsetsize)
{
	struct signal_action action = { 0 }, old;
	struct linux_sigaction in, out;

	if (sigsetsize != SIGSET_SIZE)
		return -EINVAL;
	if (act && copy_in(&in, act, sizeof(in)))
		return -EFAULT;
	if (!signal_is_valid(sig) || (act && (SIGNAL_BIT(sig) & SIGNALS_UNBLOCKABLE)))
		return -EINVAL;
	if (act)
		action = (struct signal_action){ in.handler, in.flags & ACTION_FLAGS, in.restorer, in.mask };
	signal_action_set((unsigned)sig, act ? &action : NULL, &old);
	out = (struct linux_sigaction){ old.handler, old.flags, old.restorer, old.mask };
	return oldact ? copy_out(oldact, &out, sizeof(out)) : 0;
}

long sys_rt_sigprocmask(int how, const uint64_t *set, uint64_t *oldset, size_t sigsetsize)
{
	uint64_t old = task_current()->signals.blocked, mask;

	if (sigsetsize != SIGSET_SIZE)
		return -EINVAL;
	if (set) {
		if (copy_in(&mask, set, sizeof(mask)))
			return -EFAULT;
		if (how == SIG_BLOCK)
			mask |= old;
		else if (how == SIG_UNBLOCK)
			mask = old & ~mask;
		else if (how != SIG_SETMASK)
			return -EINVAL;
		signal_mask_set(mask);
	}
	return oldset ? copy_out(oldset, &old, sizeof(old)) : 0;
}

long sys_rt_sigpending(uint64_t *set, size_t sigsetsize)
{
	uint64_t pending = signal_pending_set() & task_current()->signals.blocked;

	if (sigsetsize > SIGSET_SIZE)
		return -EINVAL;
	return copy_out(set, &pending, sigsetsize);
}

long sys_sigaltstack(const struct linux_stack *stack, struct linux_stack *old_stack)
{
	struct task_signals *own = &task_current()->signals;
	uintptr_t sp = task_frame()->sp;
	struct linux_stack in, old;
	int err = 0;

	sigstack_get(own, sp, &old);
	if (stack && copy_in(&in, stack, sizeof(in)))
		return -EFAULT;
	if (stack)
		err = sigstack_set(own, sp, &in);
	if (!err && old_stack)
		err = copy_out(old_stack, &old, sizeof(old));
	return err;
}

long sys_rt_sigreturn(void)
{
	struct task_signals *own = &task_current()->signals;
	struct trapframe *frame = task_frame();
	struct linux_stack stack;
	uint64_t mask;

	if (signal_frame_pop(frame, &mask, &stack)) {
		signal_force_segv();
		return 0;
	}
	signal_mask_set(mask);
	(void)sigstack_set(own, frame->sp, &stack);
	return (long)frame->ax;
}

/*
 * ---- Waiting ----------------------------------------------------------------------------------------------------
 */

long sys_rt_sigsuspend(const uint64_t *set, size_t sigsetsize)
{
	uint64_t mask;

	if (sigsetsize != SIGSET_SIZE)
		return -EINVAL;
	if (copy_in(&mask, set, sizeof(mask)))
		return -EFAULT;
	signal_mask_set_until_handler(mask);
	(void)signal_sleep(UINT64_MAX);
	return -ERESTARTNOHAND;
}

long sys_pause(void)
{
	(void)signal_sleep(UINT64_MAX);
	return -ERESTARTNOHAND;
}

long sys_rt_sigtimedwait(const uint64_t *set, struct linux_siginfo *info, const struct linux_timespec *timeout,
			 size_t sigsetsize)
{
	uint64_t wanted, ns, deadline = UINT64_MAX;
	struct linux_siginfo out;
	struct signal_info taken;
	int err;

	if (sigsetsize != SIGSET_SIZE)
		return -EINVAL;
	if (copy_in(&wanted, set, sizeof(wanted)))
		return -EFAULT;
	if (timeout) {
		err = timespec_read(timeout, &ns);
		if (err)
			return err;
		deadline = ns ? time_add(clock_monotonic(), ns) : 0;
	}
	err = signal_wait(wanted, deadline, &taken);
	if (err)
		return err;
	signal_info_encode(&taken, &out);
	return info && copy_out(info, &out, sizeof(out)) ? -EFAULT : taken.signo;
}

long sys_restart_syscall(void)
{
	struct task_restart *restart = &task_current()->signals.restart;

	return restart->fn ? restart->fn(restart) : -EINTR;
}

/*
 * ---- Sending ----------------------------------------------------------------------------------------------------
 */

static void info_of_sender(struct signal_info *info, int sig, int code)
{
	const struct process *process = process_current();

	*info = (struct signal_info){ .signo = sig, .code = code };
	info->pid = process->pid;
	info->uid = process->fs.cred.uid;
}

/* PID as kill(2) has it. */
static long send_to(int pid, const struct signal_info *info)
{
	struct process *process = process_current();

	if (pid == -1) /* all but the caller */
		return -ESRCH;
	if (pid < -1 && (pid == INT32_MIN || process->pgid != -pid))
		return -ESRCH;
	if (pid > 0 && process->pid != pid)
		return signal_send_tid(process, pid, info, true);
	return info->signo ? signal_send_process(process, info) : 0;
}

long sys_kill(int pid, int sig)
{
	struct signal_info info;

	if (sig && !signal_is_valid(sig))
		return -EINVAL;
	info_of_sender(&info, sig, SI_USER);
	return send_to(pid, &info);
}

/* TGID 0: of whatever process. */
static long send_to_thread(int tgid, int tid, const struct signal_info *info)
{
	struct process *process = process_current();

	if (tgid && process->pid != tgid)
		return -ESRCH;
	return signal_send_tid(process, tid, info, false);
}

long sys_tgkill(int tgid, int tid, int sig)
{
	struct signal_info info;

	if (tgid <= 0 || tid <= 0 || (sig && !signal_is_valid(sig)))
		return -EINVAL;
	info_of_sender(&info, sig, SI_TKILL);
	return send_to_thread(tgid, tid, &info);
}

long sys_tkill(int tid, int sig)
{
	struct signal_info info;

	if (tid <= 0 || (sig && !signal_is_valid(sig)))
		return -EINVAL;
	info_of_sender(&info, sig, SI_TKILL);
	return send_to_thread(0, tid, &info);
}

/* Nobody may pretend to be the kernel, or another kill(2), but to itself. */
static int info_from_user(const struct linux_siginfo *user, int sig, bool own, struct signal_info *info)
{
	struct linux_siginfo in;

	if (copy_in(&in, user, sizeof(in)))
		return -EFAULT;
	in.signo = sig;
	if ((in.code >= 0 || in.code == SI_TKILL) && !own)
		return -EPERM;
	signal_info_decode(&in, info);
	return sig && !signal_is_valid(sig) ? -EINVAL : 0;
}

long sys_rt_sigqueueinfo(int pid, int sig, const struct linux_siginfo *info)
{
	struct signal_info queued;
	int err = info_from_user(info, sig, pid == process_current()->pid, &queued);

	if (err)
		return err;
	if (pid <= 0)
		return -ESRCH;
	return send_to(pid, &queued);
}

long sys_rt_tgsigqueueinfo(int tgid, int tid, int sig, const struct linux_siginfo *info)
{
	struct signal_info queued;
	int err = info_from_user(info, sig, tgid == process_current()->pid, &queued);

	if (err)
		return err;
	return tgid <= 0 || tid <= 0 ? -EINVAL : send_to_thread(tgid, tid, &queued);
}
