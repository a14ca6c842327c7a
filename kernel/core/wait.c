#include "kernel/core/wait.h"

#include "kernel/core/clock.h"
#include "kernel/core/sched.h"
#include "lib/errno.h"

struct wait_timer {
	struct timer timer;
	struct thread *thread;
	bool fired; /* atomic */
};

void wait_queue_init(struct wait_queue *queue)
{
	spin_init(&queue->lock, "wait_queue");
	list_init(&queue->waiters);
}

void wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	struct thread *current = thread_current();

	lock_check_may_sleep("wait_prepare");
	arch_irq_disable();
	spin_lock_noirq(&queue->lock);
	current->state = THREAD_BLOCKED;
	if (!waiter->queued) {
		waiter->thread = current;
		waiter->queued = true;
		list_push_back(&queue->waiters, &waiter->link);
	}
	spin_unlock_noirq(&queue->lock);
	arch_irq_enable();
}

void wait_remove(struct wait_queue *queue, struct waiter *waiter)
{
	unsigned long flags = spin_lock_irqsave(&queue->lock);

	if (waiter->queued)
		list_remove(&waiter->link);
	waiter->queued = false;
	spin_unlock_irqrestore(&queue->lock, flags);
}

/* The lock is held: a waiter that still reads queued as true waits for it, one that reads false is through with us. */
static inline void wake_first(struct wait_queue *queue)
{
	struct waiter *waiter = list_entry(queue->waiters.next, struct waiter, link);

	queue->waiters.next = waiter->link.next;
	waiter->link.next->prev = &queue->waiters;
	sched_wake_noirq(waiter->thread);
	/* From here on the waiter may be gone, and with it the thread. */
	__atomic_store_n(&waiter->queued, false, __ATOMIC_RELEASE);
}

unsigned wait_wake_locked(struct wait_queue *queue, unsigned n)
{
	unsigned woken;

	for (woken = 0; woken < n && !list_is_empty(&queue->waiters); woken++)
		wake_first(queue);
	return woken;
}

static __attribute__((noinline)) unsigned wake_many(struct wait_queue *queue, unsigned n)
{
	unsigned long flags = spin_lock_irqsave(&queue->lock);
	unsigned woken = wait_wake_locked(queue, n);

	spin_unlock_irqrestore(&queue->lock, flags);
	return woken;
}

unsigned wait_wake(struct wait_queue *queue, unsigned n)
{
	unsigned long flags;
	bool any;

	if (unlikely(n != 1))
		return wake_many(queue, n);
	flags = arch_irq_save();
	spin_lock_noirq(&queue->lock);
	any = !list_is_empty(&queue->waiters);
	if (likely(any))
		wake_first(queue);
	spin_unlock_noirq(&queue->lock);
	sched_irq_restore(flags);
	return any;
}

static void wait_timer_fire(struct timer *timer)
{
	struct wait_timer *wait = container_of(timer, struct wait_timer, timer);

	__atomic_store_n(&wait->fired, true, __ATOMIC_RELEASE);
	sched_wake(wait->thread);
}

int wait_block_until(uint64_t deadline)
{
	struct wait_timer wait = { .thread = thread_current() };

	lock_check_may_sleep("wait_block_until");
	if (clock_monotonic() >= deadline) {
		wait.thread->state = THREAD_RUNNABLE;
		return -ETIMEDOUT;
	}
	timer_init(&wait.timer, wait_timer_fire);
	timer_set(&wait.timer, deadline);
	sched_block();
	if (!timer_cancel(&wait.timer))
		timer_cancel_sync(&wait.timer);
	return __atomic_load_n(&wait.fired, __ATOMIC_ACQUIRE) ? -ETIMEDOUT : 0;
}
