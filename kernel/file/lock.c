/*
 * Advisory locks: see lock.h. The locks of a vnode are a list, in which those of one owner and kind never overlap.
 * A bucket, chosen by the vnode's address, has the lock of the lists of all its vnodes, and those who wait for any
 * of them: they look again when one of these locks goes.
 *
 * Lock order: bucket->lock, waits_lock; wakes happen outside of both.
 */
#include "kernel/file/lock.h"

#include "kernel/mem/slab.h"

#define NR_BUCKETS 64
#define DEADLOCK_DEPTH 16 /* processes that wait for each other in a row; longer rows are not looked through */

struct file_lock {
	struct list link; /* vnode->locks */
	struct lock_range range;
};

static struct bucket {
	struct spinlock lock; /* covers the lists of locks, generation */
	bool is_initialised;
	unsigned generation; /* counts changes that somebody may have waited for */
	struct wait_queue waiters;
} buckets[NR_BUCKETS];

/* Who waits with POSIX locks for whom: for the search for deadlocks. */
struct lock_wait {
	struct list link;
	const void *owner, *blocker;
};
static struct spinlock waits_lock = SPINLOCK_INIT("lock_waits"); /* covers waits */
static struct list waits = LIST_INIT(waits);

static struct file_lock *lock_of(struct list *link)
{
	return list_entry(link, struct file_lock, link);
}

/* Locks the bucket of VNODE; makes the list of its locks. */
static struct bucket *bucket_lock(struct vnode *vnode)
{
	struct bucket *bucket = &buckets[(uintptr_t)vnode / 64 * 0x9e3779b1u >> 16 & (NR_BUCKETS - 1)];

	spin_lock(&bucket->lock);
	if (unlikely(!bucket->is_initialised)) {
		wait_queue_init(&bucket->waiters);
		bucket->is_initialised = true;
	}
	if (unlikely(!vnode->locks.next))
		list_init(&vnode->locks);
	return bucket;
}

static void bucket_unlock_and_wake(struct bucket *bucket)
{
	WRITE_ONCE(bucket->generation, bucket->generation + 1);
	spin_unlock(&bucket->lock);
	wait_wake(&bucket->waiters, UINT32_MAX);
}

static bool is_same_owner(const struct lock_range *a, const struct lock_range *b)
{
	return a->owner == b->owner && a->kind == b->kind;
}

static bool conflict(const struct lock_range *held, const struct lock_range *wanted)
{
	return !is_same_owner(held, wanted) && (held->kind == LOCK_KIND_FLOCK) == (wanted->kind == LOCK_KIND_FLOCK) &&
	       held->start <= wanted->end && wanted->start <= held->end &&
	       (held->type == F_WRLCK || wanted->type == F_WRLCK);
}

static struct file_lock *conflict_find(struct vnode *vnode, const struct lock_range *wanted)
{
	struct list *link;

	if (wanted->type == F_UNLCK)
		return NULL;
	list_for_each(link, &vnode->locks)
		if (conflict(&lock_of(link)->range, wanted))
			return lock_of(link);
	return NULL;
}

static void lock_remove(struct file_lock *lock)
{
	list_remove(&lock->link);
	kfree(lock);
}

/*
 * Makes [NEW->start, NEW->end] of NEW->owner what NEW says: its other locks there are cut, those of the same type
 * joined. SPARE: two locks to be used; what is left of them is the caller's.
 */
static void range_apply(struct vnode *vnode, const struct lock_range *new, struct file_lock *spare[2])
{
	struct lock_range range = *new;
	struct list *link, *next;

	list_for_each_safe(link, next, &vnode->locks) {
		struct file_lock *lock = lock_of(link);
		struct lock_range *held = &lock->range;
		bool joins = held->type == range.type;

		if (!is_same_owner(held, &range) || held->start - joins > range.end ||
		    (held->end < INT64_MAX ? held->end + joins : INT64_MAX) < range.start)
			continue;
		if (joins) {
			range.start = MIN(range.start, held->start);
			range.end = MAX(range.end, held->end);
			lock_remove(lock);
			continue;
		}
		if (held->start < range.start && held->end > range.end) {
			/* At most once: what an owner holds does not overlap. NOLINTNEXTLINE(clang-analyzer-core.*) */
			spare[1]->range = *held;
			spare[1]->range.start = range.end + 1;
			list_push_front(&vnode->locks, &spare[1]->link);
			spare[1] = NULL;
		}
		if (held->start < range.start)
			held->end = range.start - 1;
		else if (held->end > range.end)
			held->start = range.end + 1;
		else
			lock_remove(lock);
	}
	if (range.type != F_UNLCK) {
		spare[0]->range = range;
		list_push_back(&vnode->locks, &spare[0]->link);
		spare[0] = NULL;
	}
}

/* ---- Waiting ---------------------------------------------------------------------------------------------------- */

/* Whom OWNER waits for, NULL: nobody. waits_lock held. */
static const void *blocker_of(const void *owner)
{
	struct list *link;

	list_for_each(link, &waits)
		if (list_entry(link, struct lock_wait, link)->owner == owner)
			return list_entry(link, struct lock_wait, link)->blocker;
	return NULL;
}

/* Notes that WAIT->owner waits for WAIT->blocker, unless that one, or whom it waits for, waits for WAIT->owner: -EDEADLK. */
static int wait_begin(struct lock_wait *wait)
{
	const void *blocker = wait->blocker;
	int error = 0;

	spin_lock(&waits_lock);
	for (unsigned i = 0; blocker && i < DEADLOCK_DEPTH && !error; i++) {
		blocker = blocker_of(blocker);
		if (blocker == wait->owner)
			error = -EDEADLK;
	}
	if (!error)
		list_push_back(&waits, &wait->link);
	spin_unlock(&waits_lock);
	return error;
}

static void wait_end(struct lock_wait *wait)
{
	spin_lock(&waits_lock);
	list_remove(&wait->link);
	spin_unlock(&waits_lock);
}

/* Gives up the bucket's lock and waits until something has changed. */
static int bucket_wait(struct bucket *bucket, const struct lock_range *wanted, const struct lock_range *held)
{
	bool posix = wanted->kind == LOCK_KIND_POSIX && held->kind == LOCK_KIND_POSIX;
	struct lock_wait wait = { .owner = wanted->owner, .blocker = held->owner };
	unsigned seen = bucket->generation;
	int error = posix ? wait_begin(&wait) : 0;

	spin_unlock(&bucket->lock);
	if (error)
		return error;
	error = wait_event_interruptible(&bucket->waiters, READ_ONCE(bucket->generation) != seen);
	if (posix)
		wait_end(&wait);
	return error;
}

/* ---- What others call ------------------------------------------------------------------------------------------- */

static int lock_set_with(struct vnode *vnode, const struct lock_range *range, bool wait, struct file_lock *spare[2])
{
	struct lock_range none = *range;

	none.type = F_UNLCK;
	for (;;) {
		struct bucket *bucket = bucket_lock(vnode);
		struct file_lock *blocker = conflict_find(vnode, range);
		int error = -EAGAIN;

		if (!blocker) {
			range_apply(vnode, range, spare);
			bucket_unlock_and_wake(bucket);
			return 0;
		}
		if (range->kind == LOCK_KIND_FLOCK) {
			/* Gives up what it has first: flock(2), "Converting a lock is not guaranteed to be atomic". */
			range_apply(vnode, &none, spare);
			WRITE_ONCE(bucket->generation, bucket->generation + 1);
			wait_wake(&bucket->waiters, UINT32_MAX);
		}
		if (wait)
			error = bucket_wait(bucket, range, &blocker->range);
		else
			spin_unlock(&bucket->lock);
		if (error)
			return error;
	}
}

int lock_set(struct vnode *vnode, const struct lock_range *range, bool wait)
{
	struct file_lock *spare[2] = { kmalloc(sizeof(**spare)), kmalloc(sizeof(**spare)) };
	int error = spare[0] && spare[1] ? lock_set_with(vnode, range, wait, spare) : -ENOMEM;

	kfree(spare[0]);
	kfree(spare[1]);
	return error;
}

void lock_test(struct vnode *vnode, struct lock_range *range)
{
	struct bucket *bucket = bucket_lock(vnode);
	struct file_lock *blocker = conflict_find(vnode, range);

	if (blocker)
		*range = blocker->range;
	else
		range->type = F_UNLCK;
	spin_unlock(&bucket->lock);
}

void locks_drop(struct vnode *vnode, const void *owner)
{
	struct bucket *bucket = bucket_lock(vnode);
	struct list *link, *next;
	bool any = false;

	list_for_each_safe(link, next, &vnode->locks) {
		if (lock_of(link)->range.owner == owner) {
			lock_remove(lock_of(link));
			any = true;
		}
	}
	if (any)
		bucket_unlock_and_wake(bucket);
	else
		spin_unlock(&bucket->lock);
}
