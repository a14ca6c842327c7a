/* Futex operations on more than one word: moving waiters from one to another, WAKE_OP, futex_waitv(2). */
#include "kernel/linux/abi_thread.h"
#include "kernel/linux/futex.h"
#include "kernel/linux/signal.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/user.h"

struct keys {
	struct futex_key first, second;
};

static long requeue_locked(struct futex_bucket *from, struct futex_bucket *to, const struct keys *keys, int n_wake,
			   int n_requeue)
{
	struct list *pos, *next;
	long done = 0;

	list_for_each_safe(pos, next, &from->waiters) {
		struct futex_waiter *waiter = list_entry(pos, struct futex_waiter, link);

		if (done - n_wake >= n_requeue)
			break;
		if (!futex_key_is_equal(&waiter->key, &keys->first))
			continue;
		if (waiter->pi || waiter->has_target)
			return -EINVAL;
		if (done++ < n_wake)
			futex_wake_locked(from, waiter, FUTEX_WOKEN);
		else
			futex_move_locked(from, to, waiter, &keys->second);
	}
	return done;
}

long futex_requeue(uint32_t *word, uint32_t *word2, bool shared, int n_wake, int n_requeue, const uint32_t *compare)
{
	struct futex_bucket *from, *to;
	struct keys keys;
	uint32_t seen;
	long done;
	int err;

	if (n_wake < 0 || n_requeue < 0)
		return -EINVAL;
	err = futex_key_get_two(word, word2, shared, &keys.first, &keys.second);
	if (err)
		return err;
	if (compare) {
		if (user_load32(word, &seen))
			return -EFAULT;
		if (seen != *compare)
			return -EAGAIN;
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	from = futex_bucket_of(&keys.first);
	if (!from)
		return 0;
	to = futex_bucket_of(&keys.second);
	futex_lock_two(from, to);
	done = requeue_locked(from, to, &keys, n_wake, n_requeue);
	futex_unlock_two(from, to);
	return done;
}

/*
 * ---- WAKE_OP ----------------------------------------------------------------------------------------------------
 */

/* A number of 12 bits with its sign. */
static int32_t number12(uint32_t bits)
{
	return (int32_t)(bits << 20) >> 20;
}

static int op_apply(uint32_t op, uint32_t old, uint32_t *out)
{
	uint32_t arg = (uint32_t)number12(op >> 12);

	if (op >> 28 & FUTEX_OP_OPARG_SHIFT)
		arg = 1u << (arg & 31);
	switch (op >> 28 & 7) {
	case FUTEX_OP_SET:
		*out = arg;
		return 0;
	case FUTEX_OP_ADD:
		*out = old + arg;
		return 0;
	case FUTEX_OP_OR:
		*out = old | arg;
		return 0;
	case FUTEX_OP_ANDN:
		*out = old & ~arg;
		return 0;
	case FUTEX_OP_XOR:
		*out = old ^ arg;
		return 0;
	default:
		return -ENOSYS;
	}
}

/* Whether the old value was as OP asks; -ENOSYS. */
static int op_compare(uint32_t op, uint32_t word)
{
	int32_t old = (int32_t)word, arg = number12(op);

	switch (op >> 24 & 15) {
	case FUTEX_OP_CMP_EQ:
		return old == arg;
	case FUTEX_OP_CMP_NE:
		return old != arg;
	case FUTEX_OP_CMP_LT:
		return old < arg;
	case FUTEX_OP_CMP_GE:
		return old >= arg;
	case FUTEX_OP_CMP_LE:
		return old <= arg;
	case FUTEX_OP_CMP_GT:
		return old > arg;
	default:
		return -ENOSYS;
	}
}

/* *OLD is what WORD held before. */
static int op_do(uint32_t *word, uint32_t op, uint32_t *old)
{
	uint32_t seen, value;
	int err;

	if (user_load32(word, &seen))
		return -EFAULT;
	do {
		*old = seen;
		err = op_apply(op, *old, &value);
		if (err)
			return err;
		if (user_cmpxchg32(word, *old, value, &seen))
			return -EFAULT;
	} while (seen != *old);
	return 0;
}

long futex_wake_op(uint32_t *word, uint32_t *word2, bool shared, int n, int n2, uint32_t op)
{
	struct keys keys;
	uint32_t old;
	long woken, more;
	int err, meets;

	err = futex_key_get_two(word, word2, shared, &keys.first, &keys.second);
	if (err)
		return err;
	err = op_do(word2, op, &old);
	if (err)
		return err;
	meets = op_compare(op, old);
	if (meets < 0)
		return meets;
	woken = futex_wake(word, shared, n, FUTEX_BITSET_MATCH_ANY);
	if (woken < 0 || !meets)
		return woken;
	more = futex_wake(word2, shared, n2, FUTEX_BITSET_MATCH_ANY);
	return more < 0 ? more : woken + more;
}

/*
 * ---- Several words ----------------------------------------------------------------------------------------------
 */

struct many {
	unsigned n;
	struct futex_waiter waiters[];
};

static bool any_is_woken(const void *arg)
{
	const struct many *many = arg;

	for (unsigned i = 0; i < many->n; i++)
		if (__atomic_load_n(&many->waiters[i].state, __ATOMIC_ACQUIRE) != FUTEX_WAITS)
			return true;
	return false;
}

/* Enqueues one waiter and looks at its word. */
static int many_add(struct many *many, const struct linux_futex_waitv *what)
{
	uint32_t *word = (uint32_t *)what->uaddr, seen;
	struct futex_key key;
	int err = futex_key_get(word, !(what->flags & FUTEX_PRIVATE_FLAG), &key);

	if (err)
		return err;
	futex_waiter_init(&many->waiters[many->n], &key, FUTEX_BITSET_MATCH_ANY);
	futex_enqueue(&many->waiters[many->n++]);
	if (user_load32(word, &seen))
		return -EFAULT;
	return seen == (uint32_t)what->val ? 0 : -EAGAIN;
}

/* Takes all out again. The last one that was woken, -1: none was. */
static int many_remove(struct many *many)
{
	int woken = -1;

	for (unsigned i = 0; i < many->n; i++)
		if (futex_dequeue(&many->waiters[i]) != FUTEX_WAITS)
			woken = (int)i;
	return woken;
}

int futex_wait_many(const struct linux_futex_waitv *words, unsigned n, uint64_t deadline)
{
	struct many *many = kmalloc(sizeof(*many) + n * sizeof(many->waiters[0]));
	int err = futex_table_ensure(), woken;

	if (!many)
		return -ENOMEM;
	many->n = 0;
	for (unsigned i = 0; i < n && !err; i++)
		err = many_add(many, &words[i]);
	while (!err && !any_is_woken(many))
		err = signal_sleep_unless(any_is_woken, many, deadline);
	woken = many_remove(many);
	kfree(many);
	return woken >= 0 ? woken : err;
}
