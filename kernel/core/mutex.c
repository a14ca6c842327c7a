/*
 * Mutexes. The owner word is the owning thread, 0 when it is free, and two bits that change only under queue.lock; a
 * thread that takes or gives up the mutex without that lock does it by compare-and-exchange, so it sees the bits.
 *
 * A waiter stays on the queue until it owns the mutex. An unlock wakes the first waiter but leaves the mutex free for
 * whoever comes, because to hand it to a thread that does not run yet would make everybody wait for its switch. If the
 * first waiter then finds it taken again it sets HANDOFF, and the next unlock makes it the owner.
 */
#include "kernel/core/panic.h"
#include "kernel/core/wait.h"

#define WAITERS 1ul
#define HANDOFF 2ul
#define BITS (WAITERS | HANDOFF)

void mutex_init(struct mutex *mutex, const char *name)
{
	*mutex = (struct mutex){ 0 };
	wait_queue_init(&mutex->queue);
	lock_check_mutex_init(mutex, name);
}

static bool owner_change(struct mutex *mutex, uintptr_t from, uintptr_t to)
{
	return __atomic_compare_exchange_n(&mutex->owner, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static uintptr_t owner_read(const struct mutex *mutex)
{
	return __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED);
}

bool mutex_try_lock(struct mutex *mutex)
{
	uintptr_t self = (uintptr_t)thread_current(), owner;

	do {
		owner = owner_read(mutex);
		if (owner & ~BITS)
			return false;
	} while (!owner_change(mutex, owner, self | owner));
	lock_check_mutex_acquired(mutex);
	return true;
}

/* queue.lock held. True when the mutex is ours; WAITER is then off the queue. */
static bool take_queued(struct mutex *mutex, struct waiter *waiter, uintptr_t self)
{
	bool first = mutex->queue.waiters.next == &waiter->link;
	uintptr_t owner = owner_read(mutex), holder = owner & ~BITS, rest;

	if (holder && holder != self)
		return false;
	/* WAITER's own HANDOFF has done its work; the bits of those behind it stay. */
	rest = first ? 0 : owner & HANDOFF;
	if (waiter->link.next != waiter->link.prev)
		rest |= WAITERS;
	if (!owner_change(mutex, owner, self | rest))
		return false;
	list_remove(&waiter->link);
	return true;
}

/* queue.lock held. Asks who unlocks to come for us; false when the word changed meanwhile. */
static bool ask(struct mutex *mutex, const struct waiter *waiter, bool overtaken)
{
	bool handoff = overtaken && mutex->queue.waiters.next == &waiter->link;
	uintptr_t owner = owner_read(mutex);

	if (!(owner & ~BITS))
		return false;
	return owner_change(mutex, owner, owner | WAITERS | (handoff ? HANDOFF : 0));
}

__attribute__((noinline)) static void lock_slow(struct mutex *mutex, uintptr_t self)
{
	struct waiter waiter = { .thread = (struct thread *)self };
	unsigned long flags = spin_lock_irqsave(&mutex->queue.lock);
	bool overtaken = false;

	list_push_back(&mutex->queue.waiters, &waiter.link);
	while (!take_queued(mutex, &waiter, self)) {
		if (!ask(mutex, &waiter, overtaken))
			continue;
		waiter.thread->state = THREAD_BLOCKED;
		spin_unlock_irqrestore(&mutex->queue.lock, flags);
		sched_block();
		overtaken = true;
		flags = spin_lock_irqsave(&mutex->queue.lock);
	}
	spin_unlock_irqrestore(&mutex->queue.lock, flags);
}

void mutex_lock(struct mutex *mutex)
{
	uintptr_t self = (uintptr_t)thread_current();

	lock_check_may_sleep("mutex_lock");
	lock_check_mutex_acquire(mutex);
	if (unlikely(!owner_change(mutex, 0, self)))
		lock_slow(mutex, self);
	lock_check_mutex_acquired(mutex);
}

__attribute__((noinline)) static void unlock_slow(struct mutex *mutex, uintptr_t self)
{
	unsigned long flags = spin_lock_irqsave(&mutex->queue.lock);
	struct waiter *first = list_entry(mutex->queue.waiters.next, struct waiter, link);
	uintptr_t owner = owner_read(mutex);

	BUG_ON((owner & ~BITS) != self || !(owner & WAITERS));
	if (owner & HANDOFF)
		__atomic_store_n(&mutex->owner, (uintptr_t)first->thread | (owner & BITS), __ATOMIC_RELEASE);
	else
		__atomic_store_n(&mutex->owner, owner & BITS, __ATOMIC_RELEASE);
	sched_wake(first->thread);
	spin_unlock_irqrestore(&mutex->queue.lock, flags);
}

void mutex_unlock(struct mutex *mutex)
{
	uintptr_t self = (uintptr_t)thread_current();

	lock_check_mutex_release(mutex);
	if (unlikely(!owner_change(mutex, self, 0)))
		unlock_slow(mutex, self);
}
