/* Pending signals, masks, actions: signal.h. */
#include "kernel/linux/signal.h"

#include "kernel/linux/task.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"

/* Those that an instruction raises are taken first, so that their handler sees the registers of that instruction. */
#define FAULTS                                                                                                         \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGFPE) |    \
	 SIGNAL_BIT(SIGSYS))

void signal_pending_init(struct signal_pending *pending)
{
	pending->set = 0;
	list_init(&pending->queue);
}

void signal_process_init(struct process_signals *signals)
{
	memset(signals, 0, sizeof(*signals));
	spin_init(&signals->lock, "signals");
	signal_pending_init(&signals->pending);
	wait_queue_init(&signals->waiters);
	poll_source_init(&signals->source);
}

void signal_task_init(struct task *task, const struct task *parent)
{
	memset(&task->signals, 0, sizeof(task->signals));
	signal_pending_init(&task->signals.pending);
	if (parent)
		task->signals.blocked = parent->signals.blocked;
}

/*
 * ---- Queues -----------------------------------------------------------------------------------------------------
 */

/* Takes ENTRY off its queue. Embedded ones stay counted: their timer has paid for them. */
static void entry_free_locked(struct process_signals *signals, struct signal_queue_entry *entry)
{
	list_remove(&entry->link);
	if (entry->embedded)
		return;
	signals->nr_queued--;
	kfree(entry);
}

static void pending_flush_locked(struct process_signals *signals, struct signal_pending *pending, uint64_t set)
{
	struct list *pos, *next;

	if (!(pending->set & set))
		return;
	pending->set &= ~set;
	list_for_each_safe(pos, next, &pending->queue) {
		struct signal_queue_entry *entry = list_entry(pos, struct signal_queue_entry, link);

		if (set & SIGNAL_BIT(entry->info.signo))
			entry_free_locked(signals, entry);
	}
}

void signal_flush_locked(struct process *process, uint64_t set)
{
	struct process_signals *signals = &process->signals;
	struct list *pos;

	pending_flush_locked(signals, &signals->pending, set);
	spin_lock_noirq(&process->lock);
	list_for_each(pos, &process->tasks)
		pending_flush_locked(signals, &list_entry(pos, struct task, link)->signals.pending, set);
	spin_unlock_noirq(&process->lock);
}

void signal_task_free(struct task *task)
{
	struct process_signals *signals = &task->process->signals;
	unsigned long flags = spin_lock_irqsave(&signals->lock);

	pending_flush_locked(signals, &task->signals.pending, UINT64_MAX);
	if (signals->next_target == task)
		signals->next_target = NULL;
	/* It may have been told of what it can no longer take. */
	signal_retarget_locked(task->process, ~task->signals.blocked);
	spin_unlock_irqrestore(&signals->lock, flags);
}

void signal_process_free(struct process *process)
{
	struct process_signals *signals = &process->signals;
	unsigned long flags = spin_lock_irqsave(&signals->lock);

	pending_flush_locked(signals, &signals->pending, UINT64_MAX);
	spin_unlock_irqrestore(&signals->lock, flags);
}

void signal_entry_cancel(struct process *process, struct signal_queue_entry *entry)
{
	struct process_signals *signals = &process->signals;
	unsigned long flags = spin_lock_irqsave(&signals->lock);
	struct list *pos;

	/*
	 * The bit stays: without an entry it means a signal of which no more is known. So it goes with the last
	 * entry.
	 */
	if (!list_is_empty(&entry->link)) {
		struct signal_pending *pending = entry->pending;
		uint64_t bit = SIGNAL_BIT(entry->info.signo);

		list_remove(&entry->link);
		pending->set &= ~bit;
		list_for_each(pos, &pending->queue)
			pending->set |= bit & SIGNAL_BIT(list_entry(pos, struct signal_queue_entry, link)->info.signo);
	}
	spin_unlock_irqrestore(&signals->lock, flags);
}

static unsigned signal_choose(uint64_t set)
{
	if (set & FAULTS)
		set &= FAULTS;
	return (unsigned)__builtin_ctzl(set) + 1;
}

/* Moves what is queued for SIGNO into INFO; false: the bit was all there was. *MORE: another one is queued. */
static bool entry_take_locked(struct process_signals *signals, struct signal_pending *pending, unsigned signo,
			      struct signal_info *info, bool *more)
{
	struct signal_queue_entry *found = NULL;
	struct list *pos;

	*more = false;
	list_for_each(pos, &pending->queue) {
		struct signal_queue_entry *entry = list_entry(pos, struct signal_queue_entry, link);

		if (entry->info.signo != (int)signo)
			continue;
		if (found) {
			*more = true;
			break;
		}
		found = entry;
	}
	if (!found)
		return false;
	*info = found->info;
	entry_free_locked(signals, found);
	return true;
}

static unsigned pending_take_locked(struct process_signals *signals, struct signal_pending *pending, uint64_t allowed,
				    struct signal_info *info)
{
	uint64_t set = pending->set & allowed;
	unsigned signo;
	bool more;

	if (!set)
		return 0;
	signo = signal_choose(set);
	/* Memory was short when it was sent: it comes as one from nobody. */
	if (!entry_take_locked(signals, pending, signo, info, &more))
		*info = (struct signal_info){ .signo = (int)signo, .code = SI_USER };
	if (!more)
		pending->set &= ~SIGNAL_BIT(signo);
	return signo;
}

unsigned signal_dequeue_locked(struct task *task, uint64_t allowed, struct signal_info *info)
{
	struct process_signals *signals = &task->process->signals;
	unsigned signo = pending_take_locked(signals, &task->signals.pending, allowed, info);

	return signo ? signo : pending_take_locked(signals, &signals->pending, allowed, info);
}

bool signal_is_due_locked(const struct task *task)
{
	return (task->signals.pending.set | task->process->signals.pending.set) & ~task->signals.blocked;
}

uint64_t signal_pending_set(void)
{
	const struct task *task = task_current();

	return __atomic_load_n(&task->signals.pending.set, __ATOMIC_RELAXED) |
	       __atomic_load_n(&task->process->signals.pending.set, __ATOMIC_RELAXED);
}

bool signal_take(uint64_t wanted, struct signal_info *info)
{
	struct task *task = task_current();
	struct process_signals *signals = &task->process->signals;
	unsigned long flags = spin_lock_irqsave(&signals->lock);
	unsigned signo = signal_dequeue_locked(task, wanted & ~SIGNALS_UNBLOCKABLE, info);

	spin_unlock_irqrestore(&signals->lock, flags);
	if (signo)
		signal_taken(task->process, info);
	return signo != 0;
}

/*
 * ---- Masks ------------------------------------------------------------------------------------------------------
 */

static void blocked_set(struct task *task, uint64_t mask)
{
	struct process_signals *signals = &task->process->signals;
	unsigned long flags = spin_lock_irqsave(&signals->lock);
	uint64_t more = mask & ~task->signals.blocked;

	task->signals.blocked = mask & ~SIGNALS_UNBLOCKABLE;
	if (unlikely(signal_is_due_locked(task)))
		thread_work_set(task->thread, THREAD_WORK_SIGNAL);
	if (unlikely(signals->pending.set & more))
		signal_retarget_locked(task->process, more);
	spin_unlock_irqrestore(&signals->lock, flags);
}

void signal_mask_set(uint64_t mask)
{
	blocked_set(task_current(), mask);
}

void signal_mask_set_until_handler(uint64_t mask)
{
	struct task *task = task_current();

	if (!task->signals.has_saved_mask)
		task->signals.saved_mask = task->signals.blocked;
	task->signals.has_saved_mask = true;
	blocked_set(task, mask);
}

void signal_mask_restore(void)
{
	struct task *task = task_current();

	if (!task->signals.has_saved_mask)
		return;
	task->signals.has_saved_mask = false;
	blocked_set(task, task->signals.saved_mask);
}

/*
 * ---- Actions ----------------------------------------------------------------------------------------------------
 */

enum signal_default signal_default_of(unsigned signo)
{
	static const uint64_t ignore =
		SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH);
	static const uint64_t stop =
		SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU);
	static const uint64_t core =
		FAULTS | SIGNAL_BIT(SIGQUIT) | SIGNAL_BIT(SIGABRT) | SIGNAL_BIT(SIGXCPU) | SIGNAL_BIT(SIGXFSZ);

	if (ignore & SIGNAL_BIT(signo))
		return DEFAULT_IGNORE;
	if (stop & SIGNAL_BIT(signo))
		return DEFAULT_STOP;
	return core & SIGNAL_BIT(signo) ? DEFAULT_CORE : DEFAULT_TERMINATE;
}

void signal_action_set(unsigned signo, const struct signal_action *action, struct signal_action *old)
{
	struct process *process = process_current();
	struct process_signals *signals = &process->signals;
	unsigned long flags = spin_lock_irqsave(&signals->lock);
	struct signal_action *slot = &signals->actions[signo - 1];

	if (old)
		*old = *slot;
	if (action) {
		*slot = *action;
		slot->mask &= ~SIGNALS_UNBLOCKABLE;
		/*
		 * sigaction(2), POSIX: what is pending of a signal that becomes ignored is dropped, blocked or not.
		 */
		if (slot->handler == SIG_IGN ||
		    (slot->handler == SIG_DFL && signal_default_of(signo) == DEFAULT_IGNORE))
			signal_flush_locked(process, SIGNAL_BIT(signo));
	}
	spin_unlock_irqrestore(&signals->lock, flags);
}
