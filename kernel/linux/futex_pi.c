/*
 * Futexes that the kernel hands over: the word holds the owner's thread id, and FUTEX_WAITERS while somebody waits in
 * the kernel; a thread that finds it free takes it without asking (futex(2), "Priority-inheritance futexes"). The
 * scheduler is fair and knows no priorities that could be inherited, so what remains is who owns the lock.
 *
 * The mutex of the word's bucket covers changes of the word by the kernel, together with the queue of its waiters: a
 * PI waiter, or one that may be requeued to a PI futex, is put on and taken off the queue with the mutex of its
 * (target's) bucket held. The word itself is touched with no spinlock held.
 */
#include "kernel/linux/abi_thread.h"
#include "kernel/linux/futex.h"
#include "kernel/linux/task.h"
#include "kernel/mem/user.h"

static bool owner_exists(uint32_t tid)
{
	struct process *process = process_current();
	unsigned long flags = spin_lock_irqsave(&process->lock);
	bool exists = task_find(process, (int)tid);

	spin_unlock_irqrestore(&process->lock, flags);
	return exists;
}

/* The first that waits for KEY as a PI futex. It stays there while the mutex is held. */
static struct futex_waiter *first_waiter(struct futex_bucket *bucket, const struct futex_key *key, bool *more)
{
	struct futex_waiter *first = NULL;
	struct list *pos;

	*more = false;
	spin_lock(&bucket->lock);
	list_for_each(pos, &bucket->waiters) {
		struct futex_waiter *waiter = list_entry(pos, struct futex_waiter, link);

		if (!waiter->pi || !futex_key_is_equal(&waiter->key, key))
			continue;
		*more = first;
		if (first)
			break;
		first = waiter;
	}
	spin_unlock(&bucket->lock);
	return first;
}

static void hand_over(struct futex_bucket *bucket, struct futex_waiter *waiter)
{
	spin_lock(&bucket->lock);
	futex_wake_locked(bucket, waiter, FUTEX_OWNS);
	spin_unlock(&bucket->lock);
}

/*
 * Tries to take WORD for TID; mutex held. WAITERS: others wait already. 0: taken; -EAGAIN: somebody else has it, and
 * FUTEX_WAITERS is set now if MARK; -EDEADLK: TID has it; -ESRCH: who has it does not exist.
 */
static int word_take(uint32_t *word, uint32_t tid, bool waiters, bool mark)
{
	uint32_t seen, old, value;

	if (user_load32(word, &seen))
		return -EFAULT;
	do {
		bool is_free = !(seen & FUTEX_TID_MASK);

		old = seen;
		if ((old & FUTEX_TID_MASK) == tid)
			return -EDEADLK;
		if (!is_free && !owner_exists(old & FUTEX_TID_MASK))
			return -ESRCH;
		if (!is_free && (!mark || (old & FUTEX_WAITERS)))
			return -EAGAIN;
		value = is_free ? tid | (old & FUTEX_OWNER_DIED) | (waiters ? FUTEX_WAITERS : 0) : old | FUTEX_WAITERS;
		if (user_cmpxchg32(word, old, value, &seen))
			return -EFAULT;
	} while (seen != old);
	return old & FUTEX_TID_MASK ? -EAGAIN : 0;
}

int futex_lock_pi(uint32_t *word, bool shared, bool try_only, uint64_t deadline)
{
	int tid = task_current()->tid, err;
	struct futex_bucket *bucket;
	struct futex_waiter waiter;
	struct futex_key key;
	bool more;

	err = futex_key_get(word, shared, &key);
	if (!err)
		err = futex_table_ensure();
	if (err)
		return err;
	bucket = futex_bucket_of(&key);
	mutex_lock(&bucket->pi);
	err = word_take(word, (uint32_t)tid, first_waiter(bucket, &key, &more), !try_only);
	if (err == -EAGAIN && !try_only) {
		futex_waiter_init(&waiter, &key, FUTEX_BITSET_MATCH_ANY);
		waiter.pi = true;
		waiter.tid = tid;
		futex_enqueue(&waiter);
		mutex_unlock(&bucket->pi);
		err = futex_block(&waiter, deadline);
		mutex_lock(&bucket->pi);
		if (futex_dequeue(&waiter) == FUTEX_OWNS)
			err = 0;
	}
	mutex_unlock(&bucket->pi);
	return err == -ERESTARTSYS ? -ERESTARTNOINTR : err;
}

/* WORD, whose owner is TID, becomes the next waiter's, or free. MARK: bits that the word has besides. Mutex held. */
static int word_give_up(struct futex_bucket *bucket, const struct futex_key *key, uint32_t *word, uint32_t tid,
			uint32_t mark)
{
	bool more;
	struct futex_waiter *next = first_waiter(bucket, key, &more);
	uint32_t value = mark, old, seen;

	if (next)
		value |= (uint32_t)next->tid | (more ? FUTEX_WAITERS : 0);
	if (user_load32(word, &seen))
		return -EFAULT;
	do {
		old = seen;
		if ((old & FUTEX_TID_MASK) != tid)
			return -EPERM;
		if (user_cmpxchg32(word, old, value, &seen))
			return -EFAULT;
	} while (seen != old);
	if (next)
		hand_over(bucket, next);
	return 0;
}

static int give_up(uint32_t *word, bool shared, uint32_t tid, uint32_t mark)
{
	struct futex_bucket *bucket;
	struct futex_key key;
	int err = futex_key_get(word, shared, &key);

	if (!err)
		err = futex_table_ensure();
	if (err)
		return err;
	bucket = futex_bucket_of(&key);
	mutex_lock(&bucket->pi);
	err = word_give_up(bucket, &key, word, tid, mark);
	mutex_unlock(&bucket->pi);
	return err;
}

int futex_unlock_pi(uint32_t *word, bool shared)
{
	return give_up(word, shared, (uint32_t)task_current()->tid, 0);
}

void futex_owner_died_pi(uint32_t *word, int tid)
{
	(void)give_up(word, true, (uint32_t)tid, FUTEX_OWNER_DIED);
}

/*
 * ---- Requeueing to a PI futex: condition variables ---------------------------------------------------------------
 */

int futex_wait_requeue_pi(uint32_t *word, uint32_t *word2, bool shared, uint32_t value, uint32_t bitset,
			  uint64_t deadline)
{
	struct futex_bucket *target;
	struct futex_waiter waiter;
	struct futex_key key, key2;
	uint32_t seen;
	int err;

	if (!bitset || word == word2)
		return -EINVAL;
	err = futex_key_get_two(word, word2, shared, &key, &key2);
	if (!err)
		err = futex_table_ensure();
	if (err)
		return err;
	target = futex_bucket_of(&key2);
	futex_waiter_init(&waiter, &key, bitset);
	waiter.tid = task_current()->tid;
	waiter.target = key2;
	waiter.has_target = true;
	mutex_lock(&target->pi);
	futex_enqueue(&waiter);
	mutex_unlock(&target->pi);
	if (user_load32(word, &seen))
		err = -EFAULT;
	else
		err = seen == value ? futex_block(&waiter, deadline) : -EAGAIN;
	mutex_lock(&target->pi);
	if (futex_dequeue(&waiter) == FUTEX_OWNS)
		err = 0;
	else if (err == -ERESTARTSYS)
		err = waiter.pi ? -EAGAIN : -ERESTARTNOINTR;
	mutex_unlock(&target->pi);
	return err;
}

/* The next that waits for KEY, from POS on. NULL: there is none. Locked. */
static struct futex_waiter *next_of(struct futex_bucket *bucket, struct list *pos, const struct futex_key *key)
{
	for (; pos != &bucket->waiters; pos = pos->next) {
		struct futex_waiter *waiter = list_entry(pos, struct futex_waiter, link);

		if (futex_key_is_equal(&waiter->key, key))
			return waiter;
	}
	return NULL;
}

/* All of those that wait for FROM_KEY want to go to TO_KEY: the first N do. How many; -EINVAL. */
static long move_all(struct futex_bucket *from, struct futex_bucket *to, const struct futex_key *from_key,
		     const struct futex_key *to_key, int n)
{
	struct futex_waiter *waiter;
	struct list *pos = from->waiters.next;
	long done = 0;

	while (done < n && (waiter = next_of(from, pos, from_key))) {
		pos = waiter->link.next;
		if (!waiter->has_target || !futex_key_is_equal(&waiter->target, to_key))
			return -EINVAL;
		waiter->pi = true;
		futex_move_locked(from, to, waiter, to_key);
		done++;
	}
	return done;
}

static struct futex_waiter *first_locked(struct futex_bucket *bucket, const struct futex_key *key)
{
	struct futex_waiter *first;

	spin_lock(&bucket->lock);
	first = next_of(bucket, bucket->waiters.next, key);
	spin_unlock(&bucket->lock);
	return first;
}

/* TO's mutex is held, so nobody who waits to be moved there goes away. */
static long requeue_pi(uint32_t *word2, struct futex_bucket *from, struct futex_bucket *to,
		       const struct futex_key *from_key, const struct futex_key *to_key, int n)
{
	struct futex_waiter *first = first_locked(from, from_key);
	long done = 0, moved;
	int err;

	if (!first)
		return 0;
	if (!first->has_target || !futex_key_is_equal(&first->target, to_key))
		return -EINVAL;
	/* Whether more of them follow is not known yet: the mark that they do only costs the owner a call. */
	err = word_take(word2, (uint32_t)first->tid, true, true);
	if (err && err != -EAGAIN)
		return err;
	if (!err) {
		hand_over(from, first);
		done = 1;
	}
	futex_lock_two(from, to);
	moved = move_all(from, to, from_key, to_key, n + (done ? 0 : 1));
	futex_unlock_two(from, to);
	return moved < 0 ? moved : done + moved;
}

long futex_requeue_pi(uint32_t *word, uint32_t *word2, bool shared, int n_requeue, uint32_t value)
{
	struct futex_bucket *from, *to;
	struct futex_key key, key2;
	uint32_t seen;
	long done;
	int err;

	if (n_requeue < 0 || word == word2)
		return -EINVAL;
	err = futex_key_get_two(word, word2, shared, &key, &key2);
	if (!err)
		err = futex_table_ensure();
	if (err)
		return err;
	from = futex_bucket_of(&key);
	to = futex_bucket_of(&key2);
	mutex_lock(&to->pi);
	if (user_load32(word, &seen))
		done = -EFAULT;
	else
		done = seen == value ? requeue_pi(word2, from, to, &key, &key2, n_requeue) : -EAGAIN;
	mutex_unlock(&to->pi);
	return done;
}
