/* The table of futex waiters: futex.h. */
#include "kernel/linux/futex.h"

#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/core/wait.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/task.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/user.h"
#include "kernel/mem/vmspace.h"

#define BUCKETS_PER_CPU 256 /* Linux's figure too */
#define BUCKETS_MIN 64

/* Made by the first waiter, never freed. */
static struct futex_bucket *table; /* atomic */
static unsigned table_shift;	   /* 64 - log2(buckets) */

/*
 * ---- Keys -------------------------------------------------------------------------------------------------------
 */

/*
 * Memory that no other address can show needs no look at page tables: the address is the key, also for those who did
 * not say that it is private.
 */
int futex_key_get_shared(uint32_t *word, struct futex_key *key)
{
	struct vmspace *vm = thread_current()->vmspace;
	uintptr_t at = (uintptr_t)word;
	uint32_t value;
	paddr_t pa;
	int found;

	do {
		if (user_load32(word, &value))
			return -EFAULT;
		found = vm_shared_at(vm, at, &pa);
	} while (found == -EAGAIN);
	*key = found ? (struct futex_key){ NULL, pa } : (struct futex_key){ vm, at };
	return 0;
}

/*
 * ---- The table --------------------------------------------------------------------------------------------------
 */

/* By value here and below: keys that stay in registers are what makes a wake short that wakes nobody. */
static inline struct futex_bucket *bucket_of(struct futex_key key)
{
	struct futex_bucket *buckets = __atomic_load_n(&table, __ATOMIC_ACQUIRE);

	if (unlikely(!buckets))
		return NULL;
	/* 2^64 over the golden ratio (Knuth, TAOCP 6.4). */
	return &buckets[(key.at ^ (uintptr_t)key.space >> 6) * 0x9e3779b97f4a7c15ul >> table_shift];
}

struct futex_bucket *futex_bucket_of(const struct futex_key *key)
{
	return bucket_of(*key);
}

static __attribute__((noinline, cold)) int table_make(void)
{
	static struct spinlock lock = SPINLOCK_INIT("futex_table");
	struct futex_bucket *buckets;
	unsigned n = BUCKETS_MIN;

	/* One CPU's share is enough for one CPU: the table costs memory, also where two threads are all there are. */
	while (n < BUCKETS_PER_CPU * (nr_cpus - 1) && n < 8192)
		n *= 2;
	buckets = kzalloc(n * sizeof(*buckets));
	if (!buckets)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		spin_init(&buckets[i].lock, "futex");
		list_init(&buckets[i].waiters);
		mutex_init(&buckets[i].pi, "futex_pi");
	}
	spin_lock(&lock);
	if (!table) {
		table_shift = 64 - (unsigned)__builtin_ctz(n);
		__atomic_store_n(&table, buckets, __ATOMIC_RELEASE);
		buckets = NULL;
	}
	spin_unlock(&lock);
	kfree(buckets);
	return 0;
}

int futex_table_ensure(void)
{
	return likely(__atomic_load_n(&table, __ATOMIC_ACQUIRE)) ? 0 : table_make();
}

void futex_lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_lock(a < b ? &a->lock : &b->lock);
	if (a != b)
		spin_lock(a < b ? &b->lock : &a->lock);
}

void futex_unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	if (a != b)
		spin_unlock(&b->lock);
	spin_unlock(&a->lock);
}

/*
 * ---- Waiters ----------------------------------------------------------------------------------------------------
 */

void futex_waiter_init(struct futex_waiter *waiter, const struct futex_key *key, uint32_t bitset)
{
	waiter->bucket = NULL;
	waiter->key = *key;
	waiter->bitset = bitset;
	waiter->state = FUTEX_WAITS;
	waiter->thread = thread_current();
	waiter->pi = waiter->has_target = false;
}

static inline void enqueue(struct futex_waiter *waiter, struct futex_key key)
{
	struct futex_bucket *bucket = bucket_of(key);

	spin_lock(&bucket->lock);
	waiter->bucket = bucket;
	/* With its full barrier: the word is read after this can be seen. */
	__atomic_fetch_add(&bucket->nr_waiters, 1, __ATOMIC_SEQ_CST);
	list_push_back(&bucket->waiters, &waiter->link);
	spin_unlock(&bucket->lock);
}

void futex_enqueue(struct futex_waiter *waiter)
{
	enqueue(waiter, waiter->key);
}

static inline void take_out_locked(struct futex_bucket *bucket, struct futex_waiter *waiter)
{
	waiter->link.prev->next = waiter->link.next;
	waiter->link.next->prev = waiter->link.prev;
	__atomic_fetch_sub(&bucket->nr_waiters, 1, __ATOMIC_RELAXED);
}

enum futex_state futex_dequeue(struct futex_waiter *waiter)
{
	struct futex_bucket *bucket;

	while ((bucket = __atomic_load_n(&waiter->bucket, __ATOMIC_ACQUIRE))) {
		spin_lock(&bucket->lock);
		if (waiter->bucket == bucket) {
			take_out_locked(bucket, waiter);
			waiter->bucket = NULL;
		}
		spin_unlock(&bucket->lock);
	}
	return (enum futex_state)waiter->state;
}

static bool is_woken(const void *arg)
{
	const struct futex_waiter *waiter = arg;

	return __atomic_load_n(&waiter->state, __ATOMIC_ACQUIRE) != FUTEX_WAITS;
}

int futex_block(struct futex_waiter *waiter, uint64_t deadline)
{
	int err = 0;

	while (!is_woken(waiter) && !err)
		err = signal_sleep_unless(is_woken, waiter, deadline);
	return err;
}

void futex_wake_locked(struct futex_bucket *bucket, struct futex_waiter *waiter, enum futex_state state)
{
	take_out_locked(bucket, waiter);
	__atomic_store_n(&waiter->state, (unsigned)state, __ATOMIC_SEQ_CST);
	sched_wake(waiter->thread);
	/* Its thread waits for this before it goes on. */
	__atomic_store_n(&waiter->bucket, NULL, __ATOMIC_RELEASE);
}

void futex_move_locked(struct futex_bucket *from, struct futex_bucket *to, struct futex_waiter *waiter,
		       const struct futex_key *key)
{
	waiter->key = *key;
	if (from == to)
		return;
	take_out_locked(from, waiter);
	list_push_back(&to->waiters, &waiter->link);
	__atomic_fetch_add(&to->nr_waiters, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&waiter->bucket, to, __ATOMIC_RELEASE);
}

/*
 * ---- Wait and wake ----------------------------------------------------------------------------------------------
 */

int futex_wait(uint32_t *word, bool shared, uint32_t value, uint32_t bitset, uint64_t deadline)
{
	struct futex_waiter waiter;
	struct futex_key key;
	uint32_t seen;
	int err;

	if (!bitset)
		return -EINVAL;
	err = futex_key_get(word, shared, &key);
	if (err)
		return err;
	err = futex_table_ensure();
	if (err)
		return err;
	futex_waiter_init(&waiter, &key, bitset);
	enqueue(&waiter, key);
	if (unlikely(user_load32(word, &seen)))
		err = -EFAULT;
	else if (seen != value)
		err = -EAGAIN;
	else
		err = futex_block(&waiter, deadline);
	if (likely(!__atomic_load_n(&waiter.bucket, __ATOMIC_ACQUIRE)))
		return 0;
	return futex_dequeue(&waiter) == FUTEX_WAITS ? err : 0;
}

static __attribute__((noinline)) long wake_in(struct futex_bucket *bucket, struct futex_key key, int n, uint32_t bitset)
{
	struct list *pos, *next;
	long woken = 0;

	spin_lock(&bucket->lock);
	list_for_each_safe(pos, next, &bucket->waiters) {
		struct futex_waiter *waiter = list_entry(pos, struct futex_waiter, link);

		if (!futex_key_is_equal(&waiter->key, &key) || !(waiter->bitset & bitset))
			continue;
		if (unlikely(waiter->pi || waiter->has_target)) {
			woken = -EINVAL;
			break;
		}
		futex_wake_locked(bucket, waiter, FUTEX_WOKEN);
		if (++woken >= n)
			break;
	}
	spin_unlock(&bucket->lock);
	return woken;
}

static inline long wake_key(struct futex_key key, int n, uint32_t bitset)
{
	struct futex_bucket *bucket;

	/* The application has stored to the word before, perhaps by a plain instruction. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	bucket = bucket_of(key);
	if (unlikely(!bucket) || likely(!__atomic_load_n(&bucket->nr_waiters, __ATOMIC_RELAXED)))
		return 0;
	return wake_in(bucket, key, n, bitset);
}

static __attribute__((noinline)) long wake_shared(uint32_t *word, int n, uint32_t bitset)
{
	struct futex_key key;
	int err = futex_key_get(word, true, &key);

	return err ? err : wake_key(key, n, bitset);
}

long futex_wake(uint32_t *word, bool shared, int n, uint32_t bitset)
{
	if (unlikely(!bitset))
		return -EINVAL;
	if (unlikely(shared))
		return wake_shared(word, n, bitset);
	if (unlikely(!IS_ALIGNED((uintptr_t)word, sizeof(*word))))
		return -EINVAL;
	if (unlikely(!user_range_is_valid(word, sizeof(*word))))
		return -EFAULT;
	return wake_key((struct futex_key){ thread_current()->vmspace, (uintptr_t)word }, n, bitset);
}
