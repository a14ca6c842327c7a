/* prctl(2), personality(2): what a process may set about itself. */
#include "kernel/linux/settings.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/task.h"
#include "kernel/mem/user.h"
#include "lib/string.h"

#define TIMER_SLACK_DEFAULT 50000
#define TSC_ENABLED 1	   /* PR_TSC_ENABLE */
#define MCE_KILL_DEFAULT 2 /* PR_MCE_KILL_DEFAULT */
#define SECUREBITS_MAX 0xff

static long int_out(unsigned long user, int value)
{
	void *at = (void *)user;

	return user_range_is_valid(at, sizeof(value)) ? user_write(at, &value, sizeof(value)) : -EFAULT;
}

static long name_set(const char *user)
{
	struct task *task = task_current();
	char name[COMM_MAX];
	unsigned long flags;
	ssize_t len;

	if (!user_range_is_valid(user, 1))
		return -EFAULT;
	memset(name, 0, sizeof(name));
	len = user_read_string(name, user, sizeof(name));
	if (len == -EFAULT)
		return -EFAULT;
	name[COMM_MAX - 1] = '\0'; /* a longer one is cut */
	flags = spin_lock_irqsave(&task->process->lock);
	memcpy(task->comm, name, sizeof(name));
	spin_unlock_irqrestore(&task->process->lock, flags);
	strlcpy(task->thread->name, name, sizeof(task->thread->name));
	return 0;
}

static long name_get(char *user)
{
	const struct task *task = task_current();

	return user_range_is_valid(user, COMM_MAX) ? user_write(user, task->comm, COMM_MAX) : -EFAULT;
}

static long bounding_change(unsigned long cap, bool drop)
{
	struct process *process = process_current();
	struct process_caps *caps = &process->settings.caps;

	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	if (!drop)
		return (long)(caps->bounding >> cap & 1);
	if (!process_is_capable(process, CAP_SETPCAP))
		return -EPERM;
	__atomic_fetch_and(&caps->bounding, ~(1ul << cap), __ATOMIC_RELAXED);
	return 0;
}

static long ambient_change(unsigned long what, unsigned long cap)
{
	struct process_caps *caps = &process_current()->settings.caps;

	if (what == PR_CAP_AMBIENT_CLEAR_ALL && cap == 0) {
		caps->ambient = 0;
		return 0;
	}
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	switch (what) {
	case PR_CAP_AMBIENT_IS_SET:
		return (long)(caps->ambient >> cap & 1);
	case PR_CAP_AMBIENT_RAISE:
		if (!(caps->permitted & caps->inheritable & 1ul << cap))
			return -EPERM;
		__atomic_fetch_or(&caps->ambient, 1ul << cap, __ATOMIC_RELAXED);
		return 0;
	case PR_CAP_AMBIENT_LOWER:
		__atomic_fetch_and(&caps->ambient, ~(1ul << cap), __ATOMIC_RELAXED);
		return 0;
	default:
		return -EINVAL;
	}
}

/* Those about capabilities. -ENOSYS: none of them. */
static long prctl_caps(int option, unsigned long arg2, unsigned long arg3)
{
	struct process *process = process_current();
	struct process_settings *s = &process->settings;

	switch (option) {
	case PR_GET_KEEPCAPS:
		return s->keep_caps;
	case PR_SET_KEEPCAPS:
		if (arg2 > 1)
			return -EINVAL;
		s->keep_caps = arg2;
		return 0;
	case PR_CAPBSET_READ:
		return bounding_change(arg2, false);
	case PR_CAPBSET_DROP:
		return bounding_change(arg2, true);
	case PR_CAP_AMBIENT:
		return ambient_change(arg2, arg3);
	case PR_GET_SECUREBITS:
		return s->securebits;
	case PR_SET_SECUREBITS:
		if (!process_is_capable(process, CAP_SETPCAP) || arg2 > SECUREBITS_MAX)
			return -EPERM;
		s->securebits = (unsigned)arg2;
		return 0;
	default:
		return -ENOSYS;
	}
}

/* Those that set a flag of the process, and those that ask for it; the arguments after it must be 0. */
static long prctl_flags(int option, unsigned long arg2, bool rest)
{
	struct process *process = process_current();
	struct process_settings *s = &process->settings;

	switch (option) {
	case PR_GET_DUMPABLE:
		return process->dumpable;
	case PR_SET_DUMPABLE:
		if (arg2 > 1)
			return -EINVAL;
		process->dumpable = arg2;
		return 0;
	case PR_SET_NO_NEW_PRIVS:
		if (arg2 != 1 || rest)
			return -EINVAL;
		process->no_new_privs = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return arg2 || rest ? -EINVAL : process->no_new_privs;
	case PR_SET_THP_DISABLE:
		if (rest)
			return -EINVAL;
		s->thp_disable = arg2;
		return 0;
	case PR_GET_THP_DISABLE:
		return arg2 || rest ? -EINVAL : s->thp_disable;
	case PR_SET_CHILD_SUBREAPER:
		s->child_subreaper = arg2;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return int_out(arg2, s->child_subreaper);
	case PR_SET_IO_FLUSHER:
		if (!process_is_capable(process, CAP_SYS_RESOURCE))
			return -EPERM;
		if (arg2 > 1 || rest)
			return -EINVAL;
		s->io_flusher = arg2;
		return 0;
	case PR_GET_IO_FLUSHER:
		if (!process_is_capable(process, CAP_SYS_RESOURCE))
			return -EPERM;
		return arg2 || rest ? -EINVAL : s->io_flusher;
	default:
		return -ENOSYS;
	}
}

/* Those about the calling thread, and what the machine does for it. */
static long prctl_thread(int option, unsigned long arg2, unsigned long arg3)
{
	struct task *task = task_current();
	struct process_settings *s = &task->process->settings;

	switch (option) {
	case PR_SET_NAME:
		return name_set((const char *)arg2);
	case PR_GET_NAME:
		return name_get((char *)arg2);
	case PR_SET_PDEATHSIG:
		if (arg2 > SIGNAL_MAX)
			return -EINVAL;
		s->death_signal = (int)arg2;
		return 0;
	case PR_GET_PDEATHSIG:
		return int_out(arg2, s->death_signal);
	case PR_SET_TIMERSLACK:
		task->settings.timer_slack = arg2 && (long)arg2 > 0 ? arg2 : TIMER_SLACK_DEFAULT;
		return 0;
	case PR_GET_TIMERSLACK:
		return (long)task->settings.timer_slack;
	case PR_GET_TID_ADDRESS:
		if (!user_range_is_valid((void *)arg2, sizeof(void *)))
			return -EFAULT;
		return user_write((void *)arg2, &task->clear_child_tid, sizeof(task->clear_child_tid));
	case PR_GET_TSC:
		return int_out(arg2, TSC_ENABLED);
	case PR_SET_TSC:
		return arg2 == TSC_ENABLED ? 0 : -EINVAL;
	case PR_GET_TIMING: /* PR_TIMING_STATISTICAL */
		return 0;
	case PR_SET_TIMING:
		return arg2 ? -EINVAL : 0;
	case PR_MCE_KILL:
		return arg2 <= 1 && arg3 <= 2 ? 0 : -EINVAL;
	case PR_MCE_KILL_GET:
		return MCE_KILL_DEFAULT;
	default:
		return -ENOSYS;
	}
}

long sys_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5)
{
	long result = prctl_thread(option, arg2, arg3);

	if (result == -ENOSYS)
		result = prctl_flags(option, arg2, arg3 || arg4 || arg5);
	if (result == -ENOSYS)
		result = prctl_caps(option, arg2, arg3);
	if (result != -ENOSYS)
		return result;
	switch (option) {
	case PR_GET_SECCOMP:	      /* none */
	case PR_SET_VMA:	      /* a name for /proc/PID/maps */
	case PR_SET_PTRACER:	      /* nobody traces */
	case PR_GET_SPECULATION_CTRL: /* PR_SPEC_NOT_AFFECTED: there is nobody else in this address space */
		return 0;
	case PR_SET_MM:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

long sys_personality(unsigned persona)
{
	struct process_settings *s = &process_current()->settings;
	unsigned old = s->personality;

	if (persona != UINT32_MAX)
		s->personality = persona;
	return old;
}
