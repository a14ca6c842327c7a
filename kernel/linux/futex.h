/*
 * Futexes, futex(2): threads wait on a word of the application's memory, and others wake those that wait on it.
 *
 *	futex.c          keys, the table of waiters, wait and wake
 *	futex_requeue.c  moving waiters, WAKE_OP, waiting on several words
 *	futex_pi.c       locks that the kernel hands over (LOCK_PI and its kin)
 *	futex_exit.c     robust lists, and what a thread's end wakes
 *	sys_futex.c      the system calls
 *
 * A waiter first puts itself into the table and then looks at the word; whoever changes the word looks into the table
 * after that. So neither misses the other, and the word is never read under a spinlock: it may have to be paged in.
 * Who finds itself taken out of the table when it looks was woken.
 *
 * Locks: a bucket's lock covers its list and its waiters' fields. Two are taken in the order of their addresses. Not
 * taken by interrupt handlers. A bucket's mutex for PI futexes is taken before any of them.
 */
#ifndef KERNEL_LINUX_FUTEX_H
#define KERNEL_LINUX_FUTEX_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/core/wait.h"
#include "kernel/mem/user.h"
#include "lib/list.h"

struct linux_futex_waitv;
struct task;

/*
 * What a word is known by: SPACE and its address for memory that is this address space's alone; NULL and its physical
 * address for memory that may be mapped at several addresses.
 */
struct futex_key {
	const void *space;
	uintptr_t at;
};

static inline bool futex_key_is_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->at == b->at && a->space == b->space;
}

struct futex_bucket {
	struct spinlock lock;
	unsigned nr_waiters; /* atomic; read without the lock by who wakes */
	struct list waiters; /* struct futex_waiter.link, in the order in which they came */
	struct mutex pi;     /* see futex_pi.c */
} __attribute__((aligned(64)));

enum futex_state {
	FUTEX_WAITS,
	FUTEX_WOKEN,
	FUTEX_OWNS, /* was handed the PI futex that it was waiting for, or was requeued to */
};

/* On the stack of the thread that waits. */
struct futex_waiter {
	struct list link;
	struct futex_bucket *bucket; /* atomic; cleared last by who takes it out of the table */
	struct futex_key key;
	uint32_t bitset;
	unsigned state;		 /* enum futex_state; atomic */
	struct thread *thread;	 /* whom to wake */
	int tid;		 /* of a PI waiter: what the word becomes */
	bool pi;		 /* waits for a PI futex */
	struct futex_key target; /* WAIT_REQUEUE_PI: the only one that it may be moved to */
	bool has_target;
};

/* Of memory that was not said to be private. 0, -EFAULT. May sleep. */
int futex_key_get_shared(uint32_t *word, struct futex_key *key);
/* 0; -EINVAL: not aligned; -EFAULT. May sleep when shared. */
static inline int futex_key_get(uint32_t *word, bool shared, struct futex_key *key)
{
	if (unlikely(!IS_ALIGNED((uintptr_t)word, sizeof(*word))))
		return -EINVAL;
	if (unlikely(!user_range_is_valid(word, sizeof(*word))))
		return -EFAULT;
	if (unlikely(shared))
		return futex_key_get_shared(word, key);
	*key = (struct futex_key){ thread_current()->vmspace, (uintptr_t)word };
	return 0;
}
/* The same for the two words of an operation. */
static inline int futex_key_get_two(uint32_t *word, uint32_t *word2, bool shared, struct futex_key *key,
				    struct futex_key *key2)
{
	int err = futex_key_get(word, shared, key);

	return err ? err : futex_key_get(word2, shared, key2);
}

/*
 * Waits until woken on WORD, if it holds VALUE. DEADLINE: monotonic, UINT64_MAX: none. 0; -EAGAIN: another value;
 * -ETIMEDOUT; -ERESTARTSYS: a signal; -EINVAL, -EFAULT, -ENOMEM.
 */
int futex_wait(uint32_t *word, bool shared, uint32_t value, uint32_t bitset, uint64_t deadline);
/* Wakes up to N of those whose bitset meets BITSET. How many; -EINVAL, -EFAULT. */
long futex_wake(uint32_t *word, bool shared, int n, uint32_t bitset);
/*
 * Wakes N_WAKE, moves up to N_REQUEUE others to WORD2. COMPARE not NULL: -EAGAIN when WORD does not hold it. How many
 * of both.
 */
long futex_requeue(uint32_t *word, uint32_t *word2, bool shared, int n_wake, int n_requeue, const uint32_t *compare);
/*
 * Changes WORD2 as OP says, wakes N on WORD, and N2 on WORD2 if it was as OP says. How many; -ENOSYS: no such
 * operation.
 */
long futex_wake_op(uint32_t *word, uint32_t *word2, bool shared, int n, int n2, uint32_t op);
/* Waits on N words at once, N at most FUTEX_WAITV_MAX. The index of one that was woken; else as futex_wait. */
int futex_wait_many(const struct linux_futex_waitv *words, unsigned n, uint64_t deadline);

/* PI. The deadline is monotonic. -EDEADLK, -EPERM, -ESRCH, -EAGAIN, -ETIMEDOUT ... as futex(2) has them. */
int futex_lock_pi(uint32_t *word, bool shared, bool try_only, uint64_t deadline);
int futex_unlock_pi(uint32_t *word, bool shared);
int futex_wait_requeue_pi(uint32_t *word, uint32_t *word2, bool shared, uint32_t value, uint32_t bitset,
			  uint64_t deadline);
long futex_requeue_pi(uint32_t *word, uint32_t *word2, bool shared, int n_requeue, uint32_t value);
/* The owner of WORD died: gives it to the next waiter, or leaves it free, marked FUTEX_OWNER_DIED. */
void futex_owner_died_pi(uint32_t *word, int tid);

/*
 * The calling task ends: its robust futexes are given up, clear_child_tid is cleared and woken. By task_exit, while
 * the task can still touch the application's memory.
 */
void futex_task_exit(struct task *task);

/*
 * ---- Inside of the futex code -------------------------------------------------------------------------------------
 */

/* NULL while nobody has ever waited. */
struct futex_bucket *futex_bucket_of(const struct futex_key *key);
/* Makes the table if there is none. 0, -ENOMEM. */
int futex_table_ensure(void);
void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b);
void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b);

/* Zeroes WAITER but for what is given; the thread is the calling one. */
void futex_waiter_init(struct futex_waiter *waiter, const struct futex_key *key, uint32_t bitset);
void futex_enqueue(struct futex_waiter *waiter);
/*
 * Takes it out if it is still in, and in any case waits until who woke it is through with it. Its state after that.
 */
enum futex_state futex_dequeue(struct futex_waiter *waiter);
/* Sleeps until WAITER's state changes. 0, -ETIMEDOUT, -ERESTARTSYS. */
int futex_block(struct futex_waiter *waiter, uint64_t deadline);
/* BUCKET locked: takes WAITER out and wakes it with STATE. It may be gone when this returns. */
void futex_wake_locked(struct futex_bucket *bucket, struct futex_waiter *waiter, enum futex_state state);
void futex_move_locked(struct futex_bucket *from, struct futex_bucket *to, struct futex_waiter *waiter,
		       const struct futex_key *key);

#endif
