#include "kernel/core/wait.h"

#include "kernel/core/clock.h"
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
	unsigned long flags = spin_lock_irqsave(&queue->lock);

	current->state = THREAD_BLOCKED;
	if (!waiter->queued) {
		waiter->thread = current;
		waiter->queued = true;
		list_push_back(&queue->waiters, &waiter->link);
	}
	spin_unlock_irqrestore(&queue->lock, flags);
}

void wait_finish(struct wait_queue *queue, struct waiter *waiter)
{
	unsigned long flags;

	thread_current()->state = THREAD_RUNNABLE;
	/* False: never on the queue, or the waker is through with the waiter and the thread. */
	if (!__atomic_load_n(&waiter->queued, __ATOMIC_ACQUIRE))
		return;
	flags = spin_lock_irqsave(&queue->lock);
	if (waiter->queued)
		list_remove(&waiter->link);
	spin_unlock_irqrestore(&queue->lock, flags);
}

unsigned wait_wake_locked(struct wait_queue *queue, unsigned n)
{
	unsigned woken = 0;

	while (woken < n && !list_is_empty(&queue->waiters)) {
		struct waiter *waiter = list_entry(queue->waiters.next, struct waiter, link);

		list_remove(&waiter->link);
		sched_wake(waiter->thread);
		/* From here on the waiter may be gone, and with it the thread. */
		__atomic_store_n(&waiter->queued, false, __ATOMIC_RELEASE);
		woken++;
	}
	return woken;
}

unsigned wait_wake(struct wait_queue *queue, unsigned n)
{
	unsigned long flags = spin_lock_irqsave(&queue->lock);
	unsigned woken = wait_wake_locked(queue, n);

	spin_unlock_irqrestore(&queue->lock, flags);
	return woken;
}

static void wait_timer_fire(struct timer *timer)
{
	struct wait_timer *wait = container_of(timer, struct wait_timer, timer);

	__atomic_store_n(&wait->fired, true, __ATOMIC_RELEASE);
	sched_wake(wait->thread);
}

static int wait_block_until(uint64_t deadline)
{
	struct wait_timer wait = { .thread = thread_current() };

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

int wait_block(uint64_t deadline)
{
	if (deadline != UINT64_MAX)
		return wait_block_until(deadline);
	sched_block();
	return 0;
}
