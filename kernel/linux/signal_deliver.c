/*
 * Delivery: a task on its way out to the application does what its signals ask for. Handlers are entered by frames on
 * the application's stack, one on top of the other when several signals are there; the one that was taken last runs
 * first.
 */
#include "kernel/arch/arch.h"
#include "kernel/core/log.h"
#include "kernel/linux/report.h"
#include "kernel/linux/rseq.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/signal_frame.h"
#include "kernel/linux/sigstack.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/task.h"

/*
 * ---- Default actions --------------------------------------------------------------------------------------------
 */

static void fatal(struct trapframe *frame, struct task *task, const struct signal_info *info, bool core)
{
	struct process *process = task->process;

	/* The first of several threads tells of it. */
	if (!READ_ONCE(process->exiting)) {
		if (core)
			signal_report(frame, info);
		else
			log_warn("%s[%d]: ended by %s (%d)", task->comm, task->tid, signal_name((unsigned)info->signo),
				 info->signo);
	}
	process_kill(process, info->signo);
}

static void stop(struct process *process)
{
	struct process_signals *signals = &process->signals;
	unsigned long flags = spin_lock_irqsave(&signals->lock);
	struct list *pos;

	signals->stopped = true;
	spin_lock_noirq(&process->lock);
	list_for_each(pos, &process->tasks)
		thread_work_set(list_entry(pos, struct task, link)->thread, THREAD_WORK_SIGNAL);
	spin_unlock_noirq(&process->lock);
	spin_unlock_irqrestore(&signals->lock, flags);
}

static void default_act(struct trapframe *frame, struct task *task, const struct signal_info *info)
{
	switch (signal_default_of((unsigned)info->signo)) {
	case DEFAULT_IGNORE:
		break;
	case DEFAULT_STOP:
		stop(task->process);
		break;
	case DEFAULT_TERMINATE:
		fatal(frame, task, info, false);
		break;
	case DEFAULT_CORE:
		fatal(frame, task, info, true);
		break;
	}
}

/*
 * ---- Handlers ---------------------------------------------------------------------------------------------------
 */

/* Takes the next signal that is not blocked, with its action. */
static bool take(struct task *task, struct signal_info *info, struct signal_action *action)
{
	struct process_signals *signals = &task->process->signals;
	unsigned long flags = spin_lock_irqsave(&signals->lock);
	unsigned signo = signal_dequeue_locked(task, ~task->signals.blocked, info);

	if (signo) {
		struct signal_action *slot = &signals->actions[signo - 1];

		*action = *slot;
		if (slot->handler > SIG_IGN && (slot->flags & SA_RESETHAND))
			slot->handler = SIG_DFL;
	}
	spin_unlock_irqrestore(&signals->lock, flags);
	if (signo)
		signal_taken(task->process, info);
	return signo != 0;
}

/* The next signal that has a handler; what comes before it is dealt with. */
static bool next_handled(struct trapframe *frame, struct task *task, struct signal_info *info,
			 struct signal_action *action)
{
	struct process *process = task->process;

	for (;;) {
		if (READ_ONCE(process->exiting))
			task_exit(process->exit_status);
		if (unlikely(READ_ONCE(process->signals.stopped))) {
			wait_event(&process->signals.waiters,
				   !READ_ONCE(process->signals.stopped) || READ_ONCE(process->exiting));
			continue;
		}
		if (!take(task, info, action))
			return false;
		if (action->handler > SIG_IGN)
			return true;
		if (action->handler == SIG_DFL)
			default_act(frame, task, info);
	}
}

/*
 * ACTION: of the first handler that will run, NULL: none does. Once per system call, since FRAME then is none any
 * more.
 */
static void syscall_end(struct trapframe *frame, struct task *task, const struct signal_action *action)
{
	long error = -(long)frame->ax;
	unsigned nr = (unsigned)frame->error;

	if (frame->vector != TRAP_SYSCALL)
		return;
	if (error == ERESTARTNOINTR || (error == ERESTARTSYS && (!action || (action->flags & SA_RESTART))) ||
	    (error == ERESTARTNOHAND && !action))
		signal_frame_restart(frame, nr);
	else if (error == ERESTART_RESTARTBLOCK && !action)
		signal_frame_restart(frame, NR_restart_syscall);
	else if (error == ERESTARTSYS || error == ERESTARTNOHAND || error == ERESTART_RESTARTBLOCK)
		frame->ax = (uint64_t)-EINTR;
	if (error == ERESTART_RESTARTBLOCK && action)
		task->signals.restart.fn = NULL;
}

static void setup_stack(struct signal_setup *setup, struct task_signals *own, uintptr_t sp, bool onstack)
{
	bool inside = sigstack_is_on(own, sp);

	sigstack_get(own, sp, &setup->stack);
	setup->stack.flags &= ~SS_ONSTACK;
	if (inside || (onstack && own->altstack_len))
		setup->stack_limit = own->altstack;
	if (!inside && onstack && own->altstack_len)
		setup->stack_top = own->altstack + own->altstack_len;
}

/* As signal_mask_set, but what is due for this task is looked at next anyway. */
static void mask_set_quietly(struct task *task, uint64_t mask)
{
	struct process_signals *signals = &task->process->signals;
	unsigned long flags = spin_lock_irqsave(&signals->lock);
	uint64_t more = mask & ~task->signals.blocked;

	task->signals.blocked = mask & ~SIGNALS_UNBLOCKABLE;
	if (unlikely(signals->pending.set & more))
		signal_retarget_locked(task->process, more);
	spin_unlock_irqrestore(&signals->lock, flags);
}

static void handler_enter(struct trapframe *frame, struct task *task, const struct signal_info *info,
			  const struct signal_action *action)
{
	struct task_signals *own = &task->signals;
	struct signal_setup setup = { .handler = action->handler, .info = info, .trap = &own->trap };
	uint64_t blocked = own->blocked | action->mask;

	setup.restorer = action->restorer;
	setup.mask = own->has_saved_mask ? own->saved_mask : own->blocked;
	setup_stack(&setup, own, frame->sp, action->flags & SA_ONSTACK);
	/* x86-64 has no other way back than the restorer that the C library gives. */
	if (!(action->flags & SA_RESTORER) || signal_frame_push(frame, &setup)) {
		if (info->signo == SIGSEGV)
			signal_action_set(SIGSEGV, &(struct signal_action){ .handler = SIG_DFL }, NULL);
		signal_force_segv();
		return;
	}
	own->has_saved_mask = false;
	if (own->altstack_flags & SS_AUTODISARM)
		sigstack_clear(own);
	if (!(action->flags & SA_NODEFER))
		blocked |= SIGNAL_BIT(info->signo);
	mask_set_quietly(task, blocked);
}

void signal_deliver(struct trapframe *frame)
{
	struct task *task = task_current();
	struct signal_action action;
	struct signal_info info;

	__atomic_fetch_and(&task->thread->work, ~(unsigned)THREAD_WORK_SIGNAL, __ATOMIC_SEQ_CST);
	while (next_handled(frame, task, &info, &action)) {
		syscall_end(frame, task, &action);
		rseq_signal(frame);
		handler_enter(frame, task, &info, &action);
	}
	syscall_end(frame, task, NULL);
	signal_mask_restore();
}
