/* Futexes under fire: threads of the host run the kernel's code at the same time, on locks that are made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Each host thread has a current thread of its own: what the kernel's headers declare as a variable is a function here. */
struct thread **thread_slot(void);
#define thread_current_ (*thread_slot())
#pragma GCC diagnostic ignored "-Wstrict-prototypes"

#include "kernel/linux/futex.c"
#include "kernel/linux/futex_pi.c"
#include "kernel/linux/futex_requeue.c"

void *calloc(size_t n, size_t len);
void free(void *ptr);
int sched_yield(void);
typedef unsigned long pthread_t;
int pthread_create(pthread_t *thread, const void *attr, void *(*fn)(void *), void *arg);
int pthread_join(pthread_t thread, void **result);

#define N 6
#define ROUNDS 3000

uintptr_t user_end = 1ul << 47;
static struct process process;
static struct vmspace vm;
static struct task tasks[N];
static struct thread threads[N];
static __thread struct thread *self;
static uint32_t lock, cond, pi;
static unsigned long counter;
static unsigned inside, nr_timeouts;

struct thread **thread_slot(void)
{
	return &self;
}

int user_load32(const uint32_t *at, uint32_t *value)
{
	*value = __atomic_load_n(at, __ATOMIC_RELAXED);
	return 0;
}

int user_cmpxchg32(uint32_t *at, uint32_t expected, uint32_t desired, uint32_t *seen)
{
	*seen = expected;
	__atomic_compare_exchange_n(at, seen, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return 0;
}

int user_read(void *dst, const void *src, size_t len)
{
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

void spin_init(struct spinlock *l, const char *name)
{
	(void)name;
	*l = (struct spinlock){ 0 };
}

void mutex_init(struct mutex *mutex, const char *name)
{
	(void)name;
	*mutex = (struct mutex){ 0 };
}

void mutex_lock(struct mutex *mutex)
{
	while (__atomic_exchange_n(&mutex->owner, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

void mutex_unlock(struct mutex *mutex)
{
	__atomic_store_n(&mutex->owner, 0, __ATOMIC_RELEASE);
}

bool sched_wake(struct thread *thread)
{
	__atomic_store_n(&thread->state, THREAD_RUNNABLE, __ATOMIC_SEQ_CST);
	return true;
}

/* A DEADLINE is how often it looks, so that time-outs come at any moment. */
int signal_sleep_unless(bool (*ready)(const void *arg), const void *arg, uint64_t deadline)
{
	struct thread *thread = thread_current();

	__atomic_store_n(&thread->state, THREAD_BLOCKED, __ATOMIC_SEQ_CST);
	while (!ready(arg) && __atomic_load_n(&thread->state, __ATOMIC_SEQ_CST) == THREAD_BLOCKED) {
		if (deadline != UINT64_MAX && !deadline--)
			return -ETIMEDOUT;
		sched_yield();
	}
	return 0;
}

struct task *task_find(struct process *p, int tid)
{
	(void)p;
	return tid >= 100 && tid < 100 + N ? &tasks[tid - 100] : NULL;
}

int vm_shared_at(struct vmspace *space, uintptr_t addr, paddr_t *pa)
{
	(void)space, (void)addr, (void)pa;
	return 0;
}

/* Drepper, "Futexes Are Tricky", the second mutex: 0 free, 1 taken, 2 taken and perhaps waited for. */
static void word_lock(uint32_t *word, uint64_t deadline)
{
	uint32_t c = 0;

	if (__atomic_compare_exchange_n(word, &c, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE))
		if (futex_wait(word, false, 2, UINT32_MAX, deadline) == -ETIMEDOUT)
			__atomic_fetch_add(&nr_timeouts, 1, __ATOMIC_RELAXED);
}

static void word_unlock(uint32_t *word)
{
	if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
		futex_wake(word, false, 1, UINT32_MAX);
}

static void enter(void)
{
	assert_int_equal(__atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST), 0);
	counter++;
	if (counter % 7 == 0)
		sched_yield();
	__atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
}

static void use_lock(int i)
{
	for (int n = 0; n < ROUNDS; n++) {
		word_lock(&lock, i % 2 ? 3 : UINT64_MAX);
		enter();
		word_unlock(&lock);
	}
}

static void use_pi(int i)
{
	for (int n = 0; n < ROUNDS; n++) {
		uint32_t none = 0, own = 100 + (uint32_t)i;
		int err = 0;

		if (!__atomic_compare_exchange_n(&pi, &none, own, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			err = futex_lock_pi(&pi, false, n % 5 == 4, i % 2 ? 3 : UINT64_MAX);
		if (err == -ETIMEDOUT || err == -EAGAIN) {
			n--;
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(__atomic_load_n(&pi, __ATOMIC_RELAXED) & FUTEX_TID_MASK, own);
		enter();
		if (!__atomic_compare_exchange_n(&pi, &own, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			assert_int_equal(futex_unlock_pi(&pi, false), 0);
	}
}

/* All but the first wait on cond, and are woken or moved to the lock; the first waits until all have been through. */
static unsigned finished;

static void use_requeue(int i)
{
	if (i == 0) {
		while (__atomic_load_n(&finished, __ATOMIC_SEQ_CST) < N - 1) {
			uint32_t value = __atomic_add_fetch(&cond, 1, __ATOMIC_SEQ_CST);

			/* Who is moved there must find it waited for, or nobody wakes it. */
			word_lock(&lock, UINT64_MAX);
			__atomic_store_n(&lock, 2, __ATOMIC_SEQ_CST);
			futex_requeue(&cond, &lock, false, 1, INT32_MAX, &value);
			word_unlock(&lock);
			sched_yield();
		}
		return;
	}
	for (int n = 0; n < ROUNDS / 3; n++) {
		futex_wait(&cond, false, __atomic_load_n(&cond, __ATOMIC_SEQ_CST), UINT32_MAX, i % 2 ? 5 : UINT64_MAX);
		while (__atomic_exchange_n(&lock, 2, __ATOMIC_ACQUIRE))
			futex_wait(&lock, false, 2, UINT32_MAX, UINT64_MAX);
		enter();
		word_unlock(&lock);
	}
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
}

static void use_requeue_pi(int i)
{
	if (i == 0) {
		while (__atomic_load_n(&finished, __ATOMIC_SEQ_CST) < N - 1) {
			uint32_t value = __atomic_load_n(&cond, __ATOMIC_SEQ_CST);
			long done = futex_requeue_pi(&cond, &pi, false, 1, value);

			assert_true(done >= 0 || done == -EAGAIN);
			sched_yield();
		}
		return;
	}
	for (int n = 0; n < ROUNDS / 3; n++) {
		int err = futex_wait_requeue_pi(&cond, &pi, false, __atomic_load_n(&cond, __ATOMIC_SEQ_CST), UINT32_MAX,
						i % 2 ? 5 : UINT64_MAX);

		if (err == -ETIMEDOUT || err == -EAGAIN) {
			err = futex_lock_pi(&pi, false, false, UINT64_MAX);
		}
		assert_int_equal(err, 0);
		enter();
		assert_int_equal(futex_unlock_pi(&pi, false), 0);
	}
	__atomic_fetch_add(&finished, 1, __ATOMIC_SEQ_CST);
}

static void (*scenario)(int i);

static void *run(void *arg)
{
	int i = (int)(intptr_t)arg;

	self = &threads[i];
	scenario(i);
	return NULL;
}

static void play(void (*fn)(int i), unsigned long expected)
{
	pthread_t thread[N];

	memset(threads, 0, sizeof(threads));
	process.vm = &vm;
	list_init(&process.tasks);
	for (int i = 0; i < N; i++) {
		threads[i].task = &tasks[i];
		threads[i].vmspace = &vm;
		tasks[i] = (struct task){ .thread = &threads[i], .process = &process, .tid = 100 + i };
	}
	lock = cond = pi = inside = finished = 0;
	counter = 0;
	scenario = fn;
	for (intptr_t i = 0; i < N; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, run, (void *)i), 0);
	for (int i = 0; i < N; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(counter, expected);
	for (unsigned i = 0; i < 1u << (64 - table_shift); i++) {
		assert_int_equal(table[i].nr_waiters, 0);
		assert_true(list_is_empty(&table[i].waiters));
	}
}

static void test_lock(void **state)
{
	(void)state;
	play(use_lock, N * ROUNDS);
}

static void test_pi_lock(void **state)
{
	(void)state;
	play(use_pi, N * ROUNDS);
	assert_int_equal(pi & FUTEX_TID_MASK, 0);
}

static void test_requeue(void **state)
{
	(void)state;
	play(use_requeue, (N - 1) * (ROUNDS / 3));
}

static void test_requeue_pi(void **state)
{
	(void)state;
	play(use_requeue_pi, (N - 1) * (ROUNDS / 3));
	assert_int_equal(pi & FUTEX_TID_MASK, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock),
		cmocka_unit_test(test_pi_lock),
		cmocka_unit_test(test_requeue),
		cmocka_unit_test(test_requeue_pi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
