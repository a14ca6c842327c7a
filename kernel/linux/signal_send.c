/* Sending signals: from system calls, faults, and interrupt handlers (timers). */
#include "kernel/linux/signal.h"

#include "kernel/core/thread.h"
#include "kernel/linux/abi_process.h"
#include "kernel/linux/task.h"
#include "kernel/mem/slab.h"

#define STOPS (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))

/* Stop signals and SIGCONT take each other back, whatever is done about them (POSIX, 2.4.1). */
static void stop_and_continue_locked(struct process *process, unsigned signo)
{
	if (SIGNAL_BIT(signo) & STOPS) {
		signal_flush_locked(process, SIGNAL_BIT(SIGCONT));
	} else if (signo == SIGCONT) {
		signal_flush_locked(process, STOPS);
		process->signals.stopped = false;
		wait_wake(&process->signals.waiters, UINT32_MAX);
	}
}

static struct task *task_of(struct list *link)
{
	return list_entry(link, struct task, link);
}

static struct task *first_task_locked(struct process *process)
{
	return list_is_empty(&process->tasks) ? NULL : task_of(process->tasks.next);
}

/*
 * Who blocks a signal may change its mind about ignoring it before it unblocks it, and who waits for it wants it. For a
 * process its first thread speaks, as on Linux.
 */
static bool is_held_back_locked(struct process *process, const struct task *task, unsigned signo)
{
	bool held;

	spin_lock_noirq(&process->lock);
	if (!task)
		task = first_task_locked(process);
	held = task && ((task->signals.blocked | task->signals.waited) & SIGNAL_BIT(signo));
	spin_unlock_noirq(&process->lock);
	return held;
}

static bool is_ignored_locked(struct process *process, const struct task *task, unsigned signo)
{
	uintptr_t handler = process->signals.actions[signo - 1].handler;

	if (likely(handler > SIG_IGN) || (handler == SIG_DFL && signal_default_of(signo) != DEFAULT_IGNORE))
		return false;
	return !is_held_back_locked(process, task, signo);
}

static bool wants(const struct task *task, unsigned signo)
{
	return !(task->signals.blocked & SIGNAL_BIT(signo));
}

/*
 * Who takes a signal for the whole PROCESS: the first thread if it does not block it, else the next one that does
 * not.
 */
static struct task *target_choose_locked(struct process *process, unsigned signo)
{
	struct task *first = first_task_locked(process), *task, *begin;

	if (!first || wants(first, signo))
		return first;
	task = process->signals.next_target;
	if (!task || list_is_empty(&task->link)) /* it is about to end, and off the list */
		task = first;
	begin = task;
	do {
		struct list *next = task->link.next;

		task = next == &process->tasks ? first : task_of(next);
		if (wants(task, signo)) {
			process->signals.next_target = task;
			return task;
		}
	} while (task != begin);
	return NULL;
}

/* Tells a thread that there is something, if one of them does not block it. */
static void kick_locked(struct process *process, struct task *task, unsigned signo)
{
	spin_lock_noirq(&process->lock);
	if (!task)
		task = target_choose_locked(process, signo);
	else if (!wants(task, signo))
		task = NULL;
	if (task)
		thread_work_set(task->thread, THREAD_WORK_SIGNAL);
	spin_unlock_noirq(&process->lock);
}

void signal_retarget_locked(struct process *process, uint64_t set)
{
	for (set &= process->signals.pending.set; set; set &= set - 1)
		kick_locked(process, NULL, (unsigned)__builtin_ctzl(set) + 1);
}

static void queue_locked(struct process *process, struct task *task, unsigned signo, struct signal_queue_entry *entry)
{
	struct signal_pending *pending = task ? &task->signals.pending : &process->signals.pending;

	if (entry) {
		entry->pending = pending;
		list_push_back(&pending->queue, &entry->link);
	}
	__atomic_store_n(&pending->set, pending->set | SIGNAL_BIT(signo), __ATOMIC_RELAXED);
	poll_notify(&process->signals.source, EV_IN);
	kick_locked(process, task, signo);
}

static struct signal_queue_entry *entry_alloc_locked(struct process *process, const struct signal_info *info)
{
	struct signal_queue_entry *entry;
	/* What the kernel itself has to say of a standard signal gets through. */
	bool limited = info->signo >= SIGNAL_RT_MIN || info->code < 0;

	if (limited && process->signals.nr_queued >= process->rlimits[RLIMIT_SIGPENDING].cur)
		return NULL;
	entry = kmalloc(sizeof(*entry));
	if (!entry)
		return NULL;
	*entry = (struct signal_queue_entry){ .info = *info };
	process->signals.nr_queued++;
	return entry;
}

static int send_locked(struct process *process, struct task *task, const struct signal_info *info)
{
	unsigned signo = (unsigned)info->signo;
	const struct signal_pending *pending = task ? &task->signals.pending : &process->signals.pending;
	struct signal_queue_entry *entry;

	stop_and_continue_locked(process, signo);
	if (signo == SIGKILL) {
		process->signals.stopped = false;
		wait_wake(&process->signals.waiters, UINT32_MAX);
		process_kill(process, SIGKILL);
		return 0;
	}
	if (is_ignored_locked(process, task, signo))
		return 0;
	if (signo < SIGNAL_RT_MIN && (pending->set & SIGNAL_BIT(signo)))
		return 0;
	entry = entry_alloc_locked(process, info);
	if (!entry && signo >= SIGNAL_RT_MIN && info->code != SI_USER)
		return -EAGAIN;
	queue_locked(process, task, signo, entry);
	return 0;
}

static int send(struct process *process, struct task *task, const struct signal_info *info)
{
	unsigned long flags = spin_lock_irqsave(&process->signals.lock);
	int err = send_locked(process, task, info);

	spin_unlock_irqrestore(&process->signals.lock, flags);
	return err;
}

int signal_send_task(struct task *task, const struct signal_info *info)
{
	return send(task->process, task, info);
}

int signal_send_process(struct process *process, const struct signal_info *info)
{
	return send(process, NULL, info);
}

int signal_send_tid(struct process *process, int tid, const struct signal_info *info, bool shared)
{
	struct task *task = task_current();
	unsigned long flags = spin_lock_irqsave(&process->signals.lock);
	int err = -ESRCH;

	if (task->process != process || task->tid != tid) {
		spin_lock_noirq(&process->lock);
		task = task_find(process, tid);
		spin_unlock_noirq(&process->lock);
	}
	if (task)
		err = info->signo ? send_locked(process, shared ? NULL : task, info) : 0;
	spin_unlock_irqrestore(&process->signals.lock, flags);
	return err;
}

static enum signal_sent send_entry_locked(struct process *process, struct task *task, struct signal_queue_entry *entry)
{
	unsigned signo = (unsigned)entry->info.signo;
	const struct signal_pending *pending = task ? &task->signals.pending : &process->signals.pending;

	if (signo == SIGKILL) {
		process_kill(process, SIGKILL);
		return SIGNAL_QUEUED;
	}
	if (!list_is_empty(&entry->link))
		return SIGNAL_QUEUED;
	stop_and_continue_locked(process, signo);
	if (is_ignored_locked(process, task, signo))
		return SIGNAL_IGNORED;
	if (!entry->merge || !(pending->set & SIGNAL_BIT(signo)))
		queue_locked(process, task, signo, entry);
	return SIGNAL_QUEUED;
}

enum signal_sent signal_send_entry(struct process *process, int tid, struct signal_queue_entry *entry)
{
	unsigned long flags = spin_lock_irqsave(&process->signals.lock);
	enum signal_sent sent = SIGNAL_IGNORED;
	struct task *task = NULL;

	if (tid) {
		spin_lock_noirq(&process->lock);
		task = task_find(process, tid);
		spin_unlock_noirq(&process->lock);
	}
	if (task || !tid)
		sent = send_entry_locked(process, task, entry);
	spin_unlock_irqrestore(&process->signals.lock, flags);
	return sent;
}

void signal_force_trap(const struct signal_info *info, const struct signal_trap *trap)
{
	struct task *task = task_current();
	struct process_signals *signals = &task->process->signals;
	struct signal_action *action = &signals->actions[info->signo - 1];
	uint64_t bit = SIGNAL_BIT(info->signo);
	unsigned long flags;

	if (trap)
		task->signals.trap = *trap;
	flags = spin_lock_irqsave(&signals->lock);
	if (action->handler == SIG_IGN || (task->signals.blocked & bit))
		*action = (struct signal_action){ .handler = SIG_DFL };
	task->signals.blocked &= ~bit;
	send_locked(task->process, task, info);
	thread_work_set(task->thread, THREAD_WORK_SIGNAL);
	spin_unlock_irqrestore(&signals->lock, flags);
}

void signal_force(const struct signal_info *info)
{
	signal_force_trap(info, NULL);
}

void signal_force_segv(void)
{
	struct signal_info info = { .signo = SIGSEGV, .code = SI_KERNEL };

	signal_force(&info);
}
