/*
 * Futexes: who is woken, moved, handed a lock; what ends of threads leave behind. One host thread plays several: each
 * waiter that a test sets up by hand is another thread's, and who blocks runs the test's next step instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/core/cpu.h"
#include "kernel/linux/abi_thread.h"
#include "kernel/linux/futex.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/task.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/user.h"

void *calloc(size_t n, size_t len);
void free(void *ptr);

#define N 8

struct thread *thread_current_;
uintptr_t user_end = 1ul << 47;
static struct process process;
static struct vmspace vm;
static struct task tasks[N];
static struct thread threads[N];
static struct futex_waiter waiters[N];
static bool woken[N];
static uint32_t word, word2;
static uint32_t *bad; /* not mapped */
static uintptr_t shared_from, shared_to;
static void (*while_asleep)(void);
static int sleep_result;
static int nr_mutexes; /* held */

int user_load32(const uint32_t *at, uint32_t *value)
{
	if (at == bad || (uintptr_t)at < 65536)
		return -EFAULT;
	*value = *at;
	return 0;
}

int user_store32(uint32_t *at, uint32_t value)
{
	if (at == bad || (uintptr_t)at < 65536)
		return -EFAULT;
	*at = value;
	return 0;
}

int user_cmpxchg32(uint32_t *at, uint32_t expected, uint32_t desired, uint32_t *seen)
{
	if (at == bad || (uintptr_t)at < 65536)
		return -EFAULT;
	*seen = *at;
	if (*at == expected)
		*at = desired;
	return 0;
}

int user_read(void *dst, const void *src, size_t len)
{
	if ((uintptr_t)src < 4096)
		return -EFAULT;
	memcpy(dst, src, len);
	return 0;
}

void *kzalloc(size_t len)
{
	return calloc(1, len);
}

void *kmalloc(size_t len)
{
	return calloc(1, len);
}

void kfree(void *ptr)
{
	free(ptr);
}

void spin_init(struct spinlock *lock, const char *name)
{
	(void)name;
	*lock = (struct spinlock){ 0 };
}

void mutex_init(struct mutex *mutex, const char *name)
{
	(void)name;
	*mutex = (struct mutex){ 0 };
}

void mutex_lock(struct mutex *mutex)
{
	assert_int_equal(mutex->owner, 0);
	assert_int_equal(preempt_count, 0);
	mutex->owner = 1;
	nr_mutexes++;
}

void mutex_unlock(struct mutex *mutex)
{
	mutex->owner = 0;
	nr_mutexes--;
}

bool sched_wake(struct thread *thread)
{
	woken[thread - threads] = true;
	return true;
}

int signal_sleep_unless(bool (*ready)(const void *arg), const void *arg, uint64_t deadline)
{
	void (*fn)(void) = while_asleep;

	(void)deadline;
	assert_int_equal(preempt_count, 0);
	assert_int_equal(nr_mutexes, 0);
	while_asleep = NULL;
	if (fn)
		fn();
	return ready(arg) ? 0 : sleep_result;
}

struct task *task_find(struct process *p, int tid)
{
	(void)p;
	return tid >= 100 && tid < 100 + N ? &tasks[tid - 100] : NULL;
}

int vm_shared_at(struct vmspace *space, uintptr_t addr, paddr_t *pa)
{
	(void)space;
	if (addr < shared_from || addr >= shared_to)
		return 0;
	*pa = 0x5000; /* the two words are the same memory */
	return 1;
}

static int reset(void **state)
{
	(void)state;
	memset(waiters, 0, sizeof(waiters));
	memset(woken, 0, sizeof(woken));
	process.vm = &vm;
	list_init(&process.tasks);
	for (int i = 0; i < N; i++) {
		threads[i].task = &tasks[i];
		threads[i].vmspace = &vm;
		tasks[i] = (struct task){ .thread = &threads[i], .process = &process, .tid = 100 + i };
	}
	thread_current_ = &threads[0];
	word = word2 = 0;
	bad = NULL;
	shared_from = shared_to = 0;
	while_asleep = NULL;
	sleep_result = -ETIMEDOUT;
	return 0;
}

static void become(int i)
{
	thread_current_ = &threads[i];
}

/* Thread I waits. */
static void wait_as(int i, uint32_t *at, uint32_t bitset)
{
	struct futex_key key;

	become(i);
	assert_int_equal(futex_key_get(at, false, &key), 0);
	assert_int_equal(futex_table_ensure(), 0);
	futex_waiter_init(&waiters[i], &key, bitset);
	futex_enqueue(&waiters[i]);
	become(0);
}

static void wait_pi_as(int i, uint32_t *at)
{
	wait_as(i, at, UINT32_MAX);
	waiters[i].pi = true;
	waiters[i].tid = 100 + i;
}

static void leave(int i)
{
	futex_dequeue(&waiters[i]);
}

static void test_wake_order(void **state)
{
	(void)state;
	for (int i = 1; i < 5; i++)
		wait_as(i, &word, UINT32_MAX);
	wait_as(5, &word2, UINT32_MAX);
	assert_int_equal(futex_wake(&word, false, 2, UINT32_MAX), 2);
	assert_true(woken[1] && woken[2] && !woken[3] && !woken[4] && !woken[5]);
	assert_int_equal(futex_dequeue(&waiters[1]), FUTEX_WOKEN);
	assert_int_equal(futex_dequeue(&waiters[3]), FUTEX_WAITS);
	assert_int_equal(futex_wake(&word, false, INT32_MAX, UINT32_MAX), 1);
	assert_int_equal(futex_wake(&word, false, INT32_MAX, UINT32_MAX), 0);
	leave(5);
}

static void test_bitset(void **state)
{
	(void)state;
	wait_as(1, &word, 1);
	wait_as(2, &word, 2);
	wait_as(3, &word, 3);
	assert_int_equal(futex_wake(&word, false, 10, 0), -EINVAL);
	assert_int_equal(futex_wake(&word, false, 10, 4), 0);
	assert_int_equal(futex_wake(&word, false, 10, 2), 2);
	assert_true(!woken[1] && woken[2] && woken[3]);
	leave(1);
}

static void test_bad_words(void **state)
{
	uint32_t *odd = (uint32_t *)((char *)&word + 1);

	(void)state;
	assert_int_equal(futex_wake(odd, false, 1, 1), -EINVAL);
	assert_int_equal(futex_wait(odd, false, 0, 1, 0), -EINVAL);
	assert_int_equal(futex_wake((uint32_t *)(1ul << 63), false, 1, 1), -EFAULT);
	assert_int_equal(futex_wait(&word, false, 0, 0, 0), -EINVAL);
	bad = &word;
	assert_int_equal(futex_wait(&word, false, 0, 1, 0), -EFAULT);
	assert_int_equal(futex_wait(&word, true, 0, 1, 0), -EFAULT);
	assert_int_equal(futex_wake(&word, false, 1, 1), 0);
}

static void wake_word(void)
{
	become(1);
	assert_int_equal(futex_wake(&word, false, 1, UINT32_MAX), 1);
	become(0);
}

static void test_wait(void **state)
{
	(void)state;
	assert_int_equal(futex_wait(&word, false, 5, 1, UINT64_MAX), -EAGAIN);
	assert_int_equal(futex_wait(&word, false, 0, 1, 5), -ETIMEDOUT);
	sleep_result = -ERESTARTSYS;
	assert_int_equal(futex_wait(&word, false, 0, 1, 5), -ERESTARTSYS);
	while_asleep = wake_word;
	assert_int_equal(futex_wait(&word, false, 0, UINT32_MAX, UINT64_MAX), 0);
	assert_int_equal(futex_wake(&word, false, 1, UINT32_MAX), 0);
}

static void test_shared_memory(void **state)
{
	struct futex_key a, b, c;

	(void)state;
	shared_from = MIN((uintptr_t)&word, (uintptr_t)&word2);
	shared_to = shared_from + 4096;
	assert_int_equal(futex_key_get(&word, true, &a), 0);
	assert_int_equal(futex_key_get(&word2, true, &b), 0);
	assert_true(futex_key_is_equal(&a, &b));
	assert_int_equal(futex_key_get(&word2, false, &c), 0);
	assert_false(futex_key_is_equal(&b, &c));
	/* Private memory is known by its address, whoever asks. */
	shared_from = shared_to = 0;
	assert_int_equal(futex_key_get(&word2, true, &b), 0);
	assert_true(futex_key_is_equal(&b, &c));
}

static void test_requeue(void **state)
{
	uint32_t wrong = 1, right = 0;

	(void)state;
	for (int i = 1; i < 6; i++)
		wait_as(i, &word, UINT32_MAX);
	assert_int_equal(futex_requeue(&word, &word2, false, 1, 2, &wrong), -EAGAIN);
	assert_int_equal(futex_requeue(&word, &word2, false, -1, 2, &right), -EINVAL);
	assert_int_equal(futex_requeue(&word, &word2, false, 1, 2, &right), 3);
	assert_true(woken[1] && !woken[2]);
	assert_int_equal(futex_wake(&word2, false, 10, UINT32_MAX), 2);
	assert_true(woken[2] && woken[3] && !woken[4]);
	assert_int_equal(futex_requeue(&word, &word2, false, 0, INT32_MAX, NULL), 2);
	assert_int_equal(futex_dequeue(&waiters[4]), FUTEX_WAITS);
	assert_int_equal(futex_wake(&word, false, 10, UINT32_MAX), 0);
	assert_int_equal(futex_wake(&word2, false, 10, UINT32_MAX), 1);
}

static uint32_t op_of(uint32_t op, int32_t arg, uint32_t cmp, int32_t cmp_arg)
{
	return op << 28 | cmp << 24 | ((uint32_t)arg & 0xfff) << 12 | ((uint32_t)cmp_arg & 0xfff);
}

static void test_wake_op(void **state)
{
	(void)state;
	wait_as(1, &word, UINT32_MAX);
	wait_as(2, &word2, UINT32_MAX);
	word2 = 7;
	assert_int_equal(futex_wake_op(&word, &word2, false, 1, 1, op_of(FUTEX_OP_ADD, -3, FUTEX_OP_CMP_EQ, 7)), 2);
	assert_int_equal(word2, 4);
	assert_true(woken[1] && woken[2]);
	wait_as(3, &word2, UINT32_MAX);
	assert_int_equal(futex_wake_op(&word, &word2, false, 1, 1, op_of(FUTEX_OP_SET, 9, FUTEX_OP_CMP_LT, -1)), 0);
	assert_int_equal(word2, 9);
	assert_int_equal(futex_wake_op(&word, &word2, false, 1, 1, op_of(FUTEX_OP_OR | 8, 4, FUTEX_OP_CMP_GT, -1)), 1);
	assert_int_equal(word2, 9 | 1 << 4);
	assert_int_equal(futex_wake_op(&word, &word2, false, 1, 1, op_of(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_NE, 0)), 0);
	assert_int_equal(word2, 8 | 1 << 4);
	assert_int_equal(futex_wake_op(&word, &word2, false, 1, 1, op_of(5, 1, 0, 0)), -ENOSYS);
	assert_int_equal(futex_wake_op(&word, &word2, false, 1, 1, op_of(0, 1, 6, 0)), -ENOSYS);
	bad = &word2;
	assert_int_equal(futex_wake_op(&word, &word2, false, 1, 1, 0), -EFAULT);
}

static void wake_word2(void)
{
	become(1);
	assert_int_equal(futex_wake(&word2, false, 1, UINT32_MAX), 1);
	become(0);
}

static void test_many(void **state)
{
	struct linux_futex_waitv words[2] = {
		{ 0, (uintptr_t)&word, FUTEX_32 | FUTEX_PRIVATE_FLAG, 0 },
		{ 0, (uintptr_t)&word2, FUTEX_32 | FUTEX_PRIVATE_FLAG, 0 },
	};

	(void)state;
	while_asleep = wake_word2;
	assert_int_equal(futex_wait_many(words, 2, UINT64_MAX), 1);
	assert_int_equal(futex_wait_many(words, 2, 5), -ETIMEDOUT);
	word2 = 1;
	assert_int_equal(futex_wait_many(words, 2, UINT64_MAX), -EAGAIN);
	assert_int_equal(futex_wake(&word, false, 1, UINT32_MAX), 0);
}

/*
 * ---- PI ----------------------------------------------------------------------------------------------------------
 */

static void test_pi_alone(void **state)
{
	(void)state;
	assert_int_equal(futex_lock_pi(&word, false, false, UINT64_MAX), 0);
	assert_int_equal(word, 100);
	assert_int_equal(futex_lock_pi(&word, false, false, UINT64_MAX), -EDEADLK);
	become(1);
	assert_int_equal(futex_lock_pi(&word, false, true, UINT64_MAX), -EAGAIN);
	assert_int_equal(word, 100);
	assert_int_equal(futex_unlock_pi(&word, false), -EPERM);
	assert_int_equal(futex_lock_pi(&word, false, false, 5), -ETIMEDOUT);
	assert_int_equal(word, 100 | FUTEX_WAITERS);
	sleep_result = -ERESTARTSYS;
	assert_int_equal(futex_lock_pi(&word, false, false, 5), -ERESTARTNOINTR);
	become(0);
	assert_int_equal(futex_unlock_pi(&word, false), 0);
	assert_int_equal(word, 0);
	word = 555;
	assert_int_equal(futex_lock_pi(&word, false, false, UINT64_MAX), -ESRCH);
	word = FUTEX_OWNER_DIED;
	assert_int_equal(futex_lock_pi(&word, false, false, UINT64_MAX), 0);
	assert_int_equal(word, 100 | FUTEX_OWNER_DIED);
}

static void unlock_as_1(void)
{
	become(1);
	assert_int_equal(futex_unlock_pi(&word, false), 0);
	become(0);
}

static void test_pi_hand_over(void **state)
{
	(void)state;
	word = 101;
	while_asleep = unlock_as_1;
	assert_int_equal(futex_lock_pi(&word, false, false, UINT64_MAX), 0);
	assert_int_equal(word, 100);
	wait_pi_as(2, &word);
	wait_pi_as(3, &word);
	assert_int_equal(futex_wake(&word, false, 1, UINT32_MAX), -EINVAL);
	word |= FUTEX_WAITERS;
	assert_int_equal(futex_unlock_pi(&word, false), 0);
	assert_int_equal(word, 102 | FUTEX_WAITERS);
	assert_int_equal(futex_dequeue(&waiters[2]), FUTEX_OWNS);
	futex_owner_died_pi(&word, 102);
	assert_int_equal(word, 103 | FUTEX_OWNER_DIED);
	assert_true(woken[3]);
	futex_owner_died_pi(&word, 103);
	assert_int_equal(word, FUTEX_OWNER_DIED);
}

static void wait_requeue_as(int i)
{
	wait_as(i, &word, UINT32_MAX);
	assert_int_equal(futex_key_get(&word2, false, &waiters[i].target), 0);
	waiters[i].has_target = true;
	waiters[i].tid = 100 + i;
}

static void test_requeue_pi(void **state)
{
	uint32_t other;

	(void)state;
	for (int i = 1; i < 5; i++)
		wait_requeue_as(i);
	assert_int_equal(futex_requeue_pi(&word, &word, false, 10, 0), -EINVAL);
	assert_int_equal(futex_requeue_pi(&word, &word2, false, 10, 1), -EAGAIN);
	assert_int_equal(futex_requeue_pi(&word, &other, false, 10, 0), -EINVAL);
	assert_int_equal(futex_wake(&word, false, 1, UINT32_MAX), -EINVAL);
	/* Free: the first gets it, two more wait for it. */
	assert_int_equal(futex_requeue_pi(&word, &word2, false, 2, 0), 3);
	assert_int_equal(word2, 101 | FUTEX_WAITERS);
	assert_int_equal(futex_dequeue(&waiters[1]), FUTEX_OWNS);
	become(1);
	assert_int_equal(futex_unlock_pi(&word2, false), 0);
	assert_int_equal(word2, 102 | FUTEX_WAITERS);
	assert_true(woken[2] && !woken[3] && !woken[4]);
	/* Taken: the one that is left waits too. */
	assert_int_equal(futex_requeue_pi(&word, &word2, false, 10, 0), 1);
	become(2);
	assert_int_equal(futex_unlock_pi(&word2, false), 0);
	become(3);
	assert_int_equal(futex_unlock_pi(&word2, false), 0);
	assert_int_equal(word2, 104);
	become(4);
	assert_int_equal(futex_unlock_pi(&word2, false), 0);
	assert_int_equal(word2, 0);
}

static void requeue_all(void)
{
	become(1);
	assert_int_equal(futex_requeue_pi(&word, &word2, false, 10, 0), 1);
	become(0);
}

static void test_wait_requeue_pi(void **state)
{
	(void)state;
	assert_int_equal(futex_wait_requeue_pi(&word, &word2, false, 1, UINT32_MAX, 5), -EAGAIN);
	assert_int_equal(futex_wait_requeue_pi(&word, &word2, false, 0, UINT32_MAX, 5), -ETIMEDOUT);
	while_asleep = requeue_all;
	assert_int_equal(futex_wait_requeue_pi(&word, &word2, false, 0, UINT32_MAX, 5), 0);
	assert_int_equal(word2 & FUTEX_TID_MASK, 100);
	word2 = 101;
	while_asleep = requeue_all;
	sleep_result = -ERESTARTSYS;
	assert_int_equal(futex_wait_requeue_pi(&word, &word2, false, 0, UINT32_MAX, 5), -EAGAIN);
	assert_int_equal(futex_wait_requeue_pi(&word, &word2, false, 0, UINT32_MAX, 5), -ERESTARTNOINTR);
}

/*
 * ---- Ends --------------------------------------------------------------------------------------------------------
 */

struct entry {
	uint64_t next;
	uint32_t futex;
};

static void test_robust_list(void **state)
{
	struct linux_robust_list_head head = { .futex_offset = offsetof(struct entry, futex) };
	struct entry e[4];
	uint32_t tid_word = 100;

	(void)state;
	for (int i = 0; i < 4; i++)
		e[i] = (struct entry){ i < 3 ? (uintptr_t)&e[i + 1] : (uintptr_t)&head, 100 };
	e[1].futex = 101; /* somebody else's */
	e[2].futex = 100 | FUTEX_WAITERS;
	head.next = (uintptr_t)&e[0];
	head.pending = (uintptr_t)&e[3];
	e[3].futex = 0; /* released, nobody woken */
	wait_as(1, &e[2].futex, UINT32_MAX);
	wait_as(2, &e[3].futex, UINT32_MAX);
	wait_as(3, &tid_word, UINT32_MAX);
	tasks[0].robust_list = &head;
	tasks[0].clear_child_tid = &tid_word;
	futex_task_exit(&tasks[0]);
	assert_int_equal(e[0].futex, FUTEX_OWNER_DIED);
	assert_int_equal(e[1].futex, 101);
	assert_int_equal(e[2].futex, FUTEX_OWNER_DIED | FUTEX_WAITERS);
	assert_true(woken[1] && woken[2] && woken[3]);
	assert_int_equal(tid_word, 0);
}

static void test_hostile_robust_list(void **state)
{
	struct linux_robust_list_head head = { .futex_offset = 8 };
	struct entry loop = { (uintptr_t)&loop, 0 };

	(void)state;
	tasks[0].robust_list = (void *)100;
	futex_task_exit(&tasks[0]);
	tasks[0].robust_list = (void *)(UINTPTR_MAX - 3);
	tasks[0].clear_child_tid = (uint32_t *)(UINTPTR_MAX - 3);
	futex_task_exit(&tasks[0]);
	/* A list without an end, wild links, wild offsets. */
	head.next = (uintptr_t)&loop;
	tasks[0].robust_list = &head;
	futex_task_exit(&tasks[0]);
	head.next = 0x10;
	tasks[0].robust_list = &head;
	futex_task_exit(&tasks[0]);
	head.next = (uintptr_t)&loop | 1;
	head.futex_offset = -(int64_t)(uintptr_t)&loop - 16;
	tasks[0].robust_list = &head;
	futex_task_exit(&tasks[0]);
	head.next = (uintptr_t)&head;
	head.pending = UINT64_MAX;
	tasks[0].robust_list = &head;
	futex_task_exit(&tasks[0]);
}

static void test_no_waiters_left(void **state)
{
	struct futex_key key;

	(void)state;
	futex_key_get(&word, false, &key);
	assert_int_equal(futex_bucket_of(&key)->nr_waiters, 0);
	assert_true(list_is_empty(&futex_bucket_of(&key)->waiters));
	assert_int_equal(nr_mutexes, 0);
	assert_int_equal(preempt_count, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, reset)
	const struct CMUnitTest tests[] = {
		T(test_wake_order),	 T(test_bitset),
		T(test_bad_words),	 T(test_wait),
		T(test_shared_memory),	 T(test_requeue),
		T(test_wake_op),	 T(test_many),
		T(test_pi_alone),	 T(test_pi_hand_over),
		T(test_requeue_pi),	 T(test_wait_requeue_pi),
		T(test_robust_list),	 T(test_hostile_robust_list),
		T(test_no_waiters_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
