/* Waiting for signals: sigtimedwait(2), and what sigsuspend(2), pause(2), nanosleep(2) sleep with. */
#include "kernel/core/clock.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/task.h"

/*
 * The thread was told that there may be a signal. Another thread may have taken it since, or its action may have
 * become to ignore it: then there is nothing to end a wait for.
 */
static bool interruption_is_real(struct task *task)
{
	struct process *process = task->process;
	unsigned long flags;
	bool real;

	__atomic_fetch_and(&task->thread->work, ~(unsigned)THREAD_WORK_SIGNAL, __ATOMIC_SEQ_CST);
	flags = spin_lock_irqsave(&process->signals.lock);
	real = READ_ONCE(process->exiting) || process->signals.stopped || signal_is_due_locked(task);
	spin_unlock_irqrestore(&process->signals.lock, flags);
	if (real)
		thread_work_set(task->thread, THREAD_WORK_SIGNAL);
	return real;
}

/*
 * Who wakes sets what READY looks at, or the thread's work, and then looks at the thread's state; we do it the other
 * way round. One sees the other.
 */
int signal_sleep_unless(bool (*ready)(const void *arg), const void *arg, uint64_t deadline)
{
	struct thread *thread = thread_current();

	while (thread_is_interrupted())
		if (interruption_is_real(thread->task))
			return -ERESTARTSYS;
	__atomic_store_n(&thread->state, THREAD_BLOCKED, __ATOMIC_SEQ_CST);
	if (thread_is_interrupted() || ready(arg)) {
		thread->state = THREAD_RUNNABLE;
		return 0;
	}
	return wait_block(deadline);
}

static bool never(const void *arg)
{
	(void)arg;
	return false;
}

int signal_sleep(uint64_t deadline)
{
	int err;

	do
		err = signal_sleep_unless(never, NULL, deadline);
	while (!err);
	return err;
}

int signal_wait(uint64_t wanted, uint64_t deadline, struct signal_info *info)
{
	struct task *task = task_current();
	struct process_signals *signals = &task->process->signals;
	unsigned long flags = spin_lock_irqsave(&signals->lock);
	uint64_t blocked = task->signals.blocked;
	unsigned signo;
	int err = -ETIMEDOUT;

	wanted &= ~SIGNALS_UNBLOCKABLE;
	signo = signal_dequeue_locked(task, wanted, info);
	if (!signo && deadline > clock_monotonic()) {
		/* Whoever sends one of them finds that we take it, and wakes us. */
		task->signals.waited = wanted;
		task->signals.blocked &= ~wanted;
		spin_unlock_irqrestore(&signals->lock, flags);
		err = signal_sleep(deadline);
		flags = spin_lock_irqsave(&signals->lock);
		task->signals.waited = 0;
		task->signals.blocked = blocked;
		signo = signal_dequeue_locked(task, wanted, info);
	}
	spin_unlock_irqrestore(&signals->lock, flags);
	if (signo) {
		signal_taken(task->process, info);
		return 0;
	}
	return err == -ETIMEDOUT ? -EAGAIN : -EINTR;
}
