/* pthreads, raw clone and clone3, set_tid_address, futexes, robust lists, membarrier, rseq, thread-local storage. */
#include <limits.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "test/linux/util.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static long counter, stage;
static __thread int local = 5;

static void *count_up(void *argument)
{
	int i;

	for (i = 0; i < 1000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	local += (int)(intptr_t)argument;
	return (void *)(intptr_t)local;
}

static void *ping(void *argument)
{
	int i;

	for (i = 0; i < 200; i++) {
		pthread_mutex_lock(&mutex);
		while (stage % 2 != (intptr_t)argument)
			pthread_cond_wait(&condition, &mutex);
		stage++;
		pthread_cond_broadcast(&condition);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void *meet(void *argument)
{
	int i, serial = 0;

	for (i = 0; i < 20; i++)
		serial += pthread_barrier_wait(&barrier) != 0; /* PTHREAD_BARRIER_SERIAL_THREAD for one of them */
	pthread_rwlock_rdlock(&rwlock);
	serial += counter < 0;
	pthread_rwlock_unlock(&rwlock);
	__atomic_add_fetch((int *)argument, serial, __ATOMIC_RELAXED);
	return NULL;
}

static void on_cancel(void *argument)
{
	*(int *)argument = 1;
}

static void *block_forever(void *argument)
{
	pthread_cleanup_push(on_cancel, argument);
	for (;;)
		pause();
	pthread_cleanup_pop(0);
	return NULL;
}

static void test_pthreads(void)
{
	pthread_t thread[100];
	int serial = 0, cancelled = 0, wrong = 0;
	intptr_t i;

	TOPIC("pthreads");
	for (i = 0; i < 100; i++)
		thread[i] = spawn(count_up, (void *)i);
	for (i = 0; i < 100; i++)
		wrong += (intptr_t)join(thread[i]) != 5 + i;
	EQUAL(wrong, 0);
	EQUAL(counter, 100000);
	EQUAL(local, 5);
	thread[0] = spawn(ping, (void *)0);
	thread[1] = spawn(ping, (void *)1);
	join(thread[0]), join(thread[1]);
	EQUAL(stage, 400);
	pthread_barrier_init(&barrier, NULL, 4);
	for (i = 0; i < 4; i++)
		thread[i] = spawn(meet, &serial);
	for (i = 0; i < 4; i++)
		join(thread[i]);
	EQUAL(serial, 20);
	thread[0] = spawn(block_forever, &cancelled);
	sleep_ms(5);
	EQUAL(pthread_cancel(thread[0]), 0);
	CHECK(join(thread[0]) == PTHREAD_CANCELED && cancelled == 1);
	struct timespec soon;
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_nsec = 0;
	pthread_mutex_lock(&mutex);
	EQUAL(pthread_cond_timedwait(&condition, &mutex, &soon), ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
	/* One after the other: what a thread leaves is used again. */
	for (i = 0; i < 300; i++)
		join(spawn(count_up, NULL));
	EQUAL(counter, 400000);
}

static long futex(void *word, int op, unsigned value, const void *time, void *word2, unsigned value3)
{
	return syscall(SYS_futex, word, op, value, time, word2, value3);
}

static int word, word2;
static volatile int wakes;

static void *futex_waiter(void *argument)
{
	futex(&word, (int)(intptr_t)argument, 0, NULL, NULL, 0x2);
	__atomic_add_fetch(&wakes, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void test_futex(void)
{
	struct timespec time = { 0, 10 * MS }, wrong = { 0, -1 };
	int64_t began = now_ns(CLOCK_MONOTONIC);
	pthread_t thread[4];
	int i, woken = 0;

	TOPIC("futex");
	FAILS(futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
	FAILS(futex(&word, FUTEX_WAIT, 0, &time, NULL, 0), ETIMEDOUT);
	CHECK(now_ns(CLOCK_MONOTONIC) - began >= 10 * MS);
	FAILS(futex(&word, FUTEX_WAIT, 0, &wrong, NULL, 0), EINVAL);
	FAILS(futex((char *)&word + 1, FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
	FAILS(futex(&word, 99, 0, NULL, NULL, 0), ENOSYS);
	EFAULTS(futex(bad, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) == 0 ? 0
		: errno == EINVAL				      ? (errno = EFAULT, -1)
								      : -1);
	EFAULTS(futex(&word, FUTEX_WAIT, 0, bad, NULL, 0));
	clock_gettime(CLOCK_MONOTONIC, &time);
	FAILS(futex(&word, FUTEX_WAIT_BITSET, 0, &time, NULL, 1), ETIMEDOUT);
	clock_gettime(CLOCK_REALTIME, &time);
	FAILS(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &time, NULL, 1), ETIMEDOUT);
	FAILS(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	INTERRUPTED(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0));
	EQUAL(futex(&word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0), 0);
	thread[0] = spawn(futex_waiter, (void *)FUTEX_WAIT_PRIVATE);
	CHECK(WAIT_FOR(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1));
	join(thread[0]);
	thread[0] = spawn(futex_waiter, (void *)FUTEX_WAIT_BITSET);
	sleep_ms(5);
	EQUAL(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0x5), 0);
	CHECK(WAIT_FOR(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0x6) == 1));
	join(thread[0]);
	/* Four wait; one is woken, the others are moved to another word. */
	wakes = 0;
	for (i = 0; i < 4; i++)
		thread[i] = spawn(futex_waiter, (void *)FUTEX_WAIT);
	FAILS(futex(&word, FUTEX_CMP_REQUEUE, 0, (void *)9, &word2, 1), EAGAIN);
	CHECK(WAIT_FOR((woken += (int)futex(&word, FUTEX_CMP_REQUEUE, 0, (void *)9, &word2, 0)) == 4));
	EQUAL(futex(&word, FUTEX_WAKE, 9, NULL, NULL, 0), 0);
	EQUAL(futex(&word2, FUTEX_WAKE, 3, NULL, NULL, 0), 3);
	EQUAL(futex(&word2, FUTEX_REQUEUE, 0, (void *)9, &word, 0), 1);
	/* word2 = 7, and wake all of word when word2 was 0. */
	EQUAL(futex(&word2, FUTEX_WAKE_OP, 1, (void *)1, &word, FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 0)), 1);
	EQUAL(word, 7);
	word = 0;
	for (i = 0; i < 4; i++)
		join(thread[i]);
	EQUAL(wakes, 4);
}

static int pi_word;

static void *pi_waiter(void *argument)
{
	(void)argument;
	long result = futex(&pi_word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);

	if (result == 0 && (pi_word & FUTEX_TID_MASK) != gettid())
		result = 1;
	futex(&pi_word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	return (void *)result;
}

static struct robust_list_head robust;
static struct {
	struct robust_list list;
	int word;
} robust_lock;

static void *die_with_lock(void *argument)
{
	(void)argument;
	robust.list.next = &robust_lock.list;
	robust.futex_offset = offsetof(__typeof__(robust_lock), word);
	robust_lock.list.next = &robust.list;
	if (syscall(SYS_set_robust_list, &robust, sizeof(robust)))
		return (void *)1;
	robust_lock.word = gettid();
	return NULL;
}

static void test_pi_robust(void)
{
	pthread_t thread;
	void *head;
	size_t len;

	TOPIC("priority inheritance");
	EQUAL(futex(&pi_word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	EQUAL(pi_word & FUTEX_TID_MASK, gettid());
	FAILS(futex(&pi_word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
	thread = spawn(pi_waiter, NULL);
	CHECK(WAIT_FOR(__atomic_load_n(&pi_word, __ATOMIC_RELAXED) & FUTEX_WAITERS));
	EQUAL(futex(&pi_word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK(join(thread) == NULL);
	FAILS(futex(&pi_word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
	EQUAL(futex(&pi_word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), 0);
	EQUAL(futex(&pi_word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);

	TOPIC("robust list");
	CHECK(join(spawn(die_with_lock, NULL)) == NULL);
	CHECK(WAIT_FOR(__atomic_load_n(&robust_lock.word, __ATOMIC_RELAXED) & FUTEX_OWNER_DIED));
	EQUAL(syscall(SYS_get_robust_list, 0, &head, &len), 0);
	EQUAL(len, sizeof(robust));
	FAILS(syscall(SYS_set_robust_list, &robust, 3), EINVAL);
	EFAULTS(syscall(SYS_get_robust_list, 0, bad, &len));
}

static volatile int raw_ran;
static int raw_tid;

static int raw_thread(void *argument)
{
	raw_ran = *(int *)argument;
	return 0;
}

static void test_clone(void)
{
	static _Alignas(16) char stack[32768];
	int value = 17, parent_tid = 0, tid;
	int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
		    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	char args[88] = "";

	TOPIC("clone");
	raw_tid = 1;
	tid = DOES(clone(raw_thread, stack + sizeof(stack), flags, &value, &parent_tid, NULL, &raw_tid));
	CHECK(WAIT_FOR(__atomic_load_n(&raw_tid, __ATOMIC_ACQUIRE) == 0));
	CHECK(raw_ran == 17 && parent_tid == tid);
	FAILS(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
	FAILS(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
	FAILS(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
	EFAULTS(syscall(SYS_clone3, bad, 64));
	FAILS(syscall(SYS_clone3, args, 8), EINVAL);
	FAILS(syscall(SYS_clone3, args, 1 << 20), E2BIG);
	memset(args, 0xff, 8);
	FAILS(syscall(SYS_clone3, args, 64), EINVAL);
	EQUAL(syscall(SYS_set_tid_address, &raw_tid), gettid());
	EQUAL(syscall(SYS_gettid), getpid());
}

static void test_others(void)
{
	char name[17] = "";
	long mask;

	TOPIC("prctl");
	EQUAL(prctl(PR_SET_NAME, "a-long-thread-name"), 0);
	EQUAL(prctl(PR_GET_NAME, name), 0);
	CHECK(strcmp(name, "a-long-thread-n") == 0);
	EFAULTS(prctl(PR_GET_NAME, bad));
	EFAULTS(prctl(PR_SET_NAME, bad));
	EQUAL(prctl(PR_GET_DUMPABLE), 1);
	EQUAL(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0) == -1 && errno == EINVAL, 1);
	EQUAL(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	EQUAL(prctl(PR_SET_TIMERSLACK, 60000), 0);
	EQUAL(prctl(PR_GET_TIMERSLACK), 60000);
	FAILS(prctl(99999, 0), EINVAL);
	EQUAL(syscall(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, &mask), 0);
	CHECK(mask == (long)pthread_self());
	FAILS(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
	FAILS(syscall(SYS_arch_prctl, 0x1002, -1L), EPERM);

	TOPIC("membarrier");
	mask = DOES(syscall(SYS_membarrier, 0, 0, 0));
	CHECK((mask & 8) && (mask & 16));
	EQUAL(syscall(SYS_membarrier, 16 /* REGISTER_PRIVATE_EXPEDITED */, 0, 0), 0);
	EQUAL(syscall(SYS_membarrier, 8 /* PRIVATE_EXPEDITED */, 0, 0), 0);
	FAILS(syscall(SYS_membarrier, 0, 99, 0), EINVAL);
	FAILS(syscall(SYS_membarrier, 1 << 30, 0, 0), EINVAL);

	TOPIC("rseq");
	static _Alignas(32) char area[32];
	errno = 0;
	long result = syscall(SYS_rseq, area, 8, 0, 0);
	CHECK(result == -1 && (errno == EINVAL || errno == ENOSYS));
}

int main(void)
{
	test_pthreads();
	test_futex();
	test_pi_robust();
	test_clone();
	test_others();
	return tap_done();
}
