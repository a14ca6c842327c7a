/*
 * Wait queues, mutexes. Waiters are woken in the order in which they came.
 *
 *	wait_event(&queue, condition);                      sleeps until the condition is true
 *	wait_event_timeout(&queue, condition, deadline)     0, or -ETIMEDOUT at the monotonic deadline
 *	wait_event_interruptible(&queue, condition)         0, or -ERESTARTSYS when a signal came first
 *
 * The condition is evaluated by the sleeper after it has put itself on the queue, so a wake between the two is not lost;
 * whoever makes the condition true calls wait_wake after that. Any context may wake; only threads may wait.
 */
#ifndef KERNEL_CORE_WAIT_H
#define KERNEL_CORE_WAIT_H

#include "kernel/core/thread.h"
#include "lib/errno.h"

struct waiter {
	struct list link;
	struct thread *thread;
	bool queued; /* atomic; cleared last by whoever takes it off the queue */
};

#define WAIT_QUEUE_INIT(name)                                                                                          \
	{                                                                                                              \
		SPINLOCK_INIT("wait_queue"), LIST_INIT((name).waiters)                                                 \
	}
void wait_queue_init(struct wait_queue *queue);

/*
 * What the macros are made of. A waiter begins with queued = false, is the calling thread's own, and ends with wait_finish.
 * wait_prepare: on the queue, state BLOCKED. wait_finish: off the queue, state RUNNABLE.
 */
void wait_prepare(struct wait_queue *queue, struct waiter *waiter);
void wait_remove(struct wait_queue *queue, struct waiter *waiter);
static inline void wait_finish(struct wait_queue *queue, struct waiter *waiter)
{
	thread_current()->state = THREAD_RUNNABLE;
	/* False: never on the queue, or the waker is through with the waiter and the thread. */
	if (unlikely(__atomic_load_n(&waiter->queued, __ATOMIC_ACQUIRE)))
		wait_remove(queue, waiter);
}

/* Blocks until woken, or the deadline (UINT64_MAX: none). 0 or -ETIMEDOUT. After prepare; may return 0 for no reason. */
int wait_block_until(uint64_t deadline);
static inline int wait_block(uint64_t deadline)
{
	if (deadline != UINT64_MAX)
		return wait_block_until(deadline);
	sched_block();
	return 0;
}

/*
 * Wakes up to N waiters (UINT_MAX: all); returns how many. Touches QUEUE until it returns: what a waiter may free once it
 * is awake needs the queue's lock taken once more before it is freed (thread_join does).
 */
unsigned wait_wake(struct wait_queue *queue, unsigned n);
/* The same, for a caller that holds queue->lock. */
unsigned wait_wake_locked(struct wait_queue *queue, unsigned n);

static inline bool thread_is_interrupted(void)
{
	return unlikely(READ_ONCE(thread_current()->work) & THREAD_WORK_SIGNAL);
}

/*
 * The same, but a signal ends the wait: -ERESTARTSYS then. A condition that is true counts before the signal. Timed calls that
 * Linux does not restart make -EINTR of it.
 */
#define wait_event_interruptible_timeout(queue, condition, deadline)                                                   \
	({                                                                                                             \
		int interrupted_ = 0;                                                                                  \
		int timed_ = wait_event_timeout(                                                                       \
			queue, (condition) || (thread_is_interrupted() && (interrupted_ = -ERESTARTSYS)), deadline);   \
		interrupted_ ? interrupted_ : timed_;                                                                  \
	})
#define wait_event_interruptible(queue, condition) wait_event_interruptible_timeout(queue, condition, UINT64_MAX)

#define wait_event_timeout(queue, condition, deadline)                                                                 \
	({                                                                                                             \
		struct waiter waiter_;                                                                                 \
		bool prepared_ = false;                                                                                \
		int wait_result_ = 0;                                                                                  \
		waiter_.queued = false;                                                                                \
		for (;;) {                                                                                             \
			if (condition) {                                                                               \
				wait_result_ = 0;                                                                      \
				break;                                                                                 \
			}                                                                                              \
			if (wait_result_)                                                                              \
				break;                                                                                 \
			if (prepared_)                                                                                 \
				wait_result_ = wait_block(deadline);                                                   \
			else                                                                                           \
				wait_prepare(queue, &waiter_);                                                         \
			prepared_ = !prepared_;                                                                        \
		}                                                                                                      \
		wait_finish(queue, &waiter_);                                                                          \
		wait_result_;                                                                                          \
	})
#define wait_event(queue, condition) ((void)wait_event_timeout(queue, condition, UINT64_MAX))

/*
 * Sleeping lock, owned by a thread, not recursive. Threads only. A thread that finds it free takes it, waiters or not; a
 * waiter that was overtaken so once is given it by the next unlock. Whoever frees a mutex knows that no unlock still runs.
 */
struct mutex {
	uintptr_t owner;	 /* atomic; struct thread *, and bits of mutex.c */
	struct wait_queue queue; /* its lock covers the bits of owner */
#ifdef DRUPE_DEBUG
	const char *name;
	unsigned short class;
#endif
};
void mutex_init(struct mutex *mutex, const char *name);
void mutex_lock(struct mutex *mutex);
bool mutex_try_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

#endif
