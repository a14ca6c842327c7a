/* Threads: many of them from beginning to end, CPU time by weight, where they may run, idle CPUs, preemption, mutexes. */
#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/core/thread.h"
#include "kernel/core/wait.h"
#include "kernel/mem/page.h"
#include "lib/errno.h"
#include "test/boot/guest/tap.h"

#define MANY 3000
#define COUNTERS 8
#define COUNTS 2000
#define CALLS 20

static bool stop; /* atomic */

static bool is_stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static int return_arg(void *arg)
{
	return (int)(intptr_t)arg;
}

/* Never gives up the CPU by itself. */
static int spin(void *arg)
{
	while (!is_stopped())
		arch_cpu_relax();
	return (int)(intptr_t)arg;
}

static void affinity_set(struct thread *thread, unsigned cpu)
{
	uint64_t mask[CPU_MAX / 64] = { 0 };

	mask[cpu / 64] = 1ul << cpu % 64;
	TAP_CHECK(thread_set_affinity(thread, mask) == 0, "%s may run on CPU %u only", thread->name, cpu);
}

static void affinity_free(struct thread *thread)
{
	uint64_t mask[CPU_MAX / 64];

	for (unsigned i = 0; i < ARRAY_SIZE(mask); i++)
		mask[i] = UINT64_MAX;
	thread_set_affinity(thread, mask);
}

static uint64_t pages_free(void)
{
	struct page_stats stats;

	page_stats(&stats);
	return stats.free;
}

static void many_round(unsigned n)
{
	struct thread *thread;
	bool exact = true;

	for (unsigned i = 0; i < n; i++) {
		exact &= thread_create(&thread, "short", return_arg, (void *)(uintptr_t)i, 0) == 0;
		exact &= thread_join(thread) == (int)i;
		exact &= thread_create(NULL, "detached", return_arg, NULL, THREAD_DETACHED) == 0;
	}
	TAP_CHECK(exact, "%u threads joined with their value, %u detached", n, n);
	for (unsigned i = 0; i < 1000 && thread_count() > 1; i++)
		thread_sleep(NSEC_PER_MSEC); /* idle threads free the detached ones */
	TAP_EQUAL(thread_count(), 1, "all are freed");
}

static void test_many(void)
{
	uint64_t before;

	many_round(100); /* fills the caches of stacks and objects */
	before = pages_free();
	many_round(MANY);
	TAP_CHECK(pages_free() + 256 > before, "no memory is lost: %lu pages free before, %lu after", before,
		  pages_free());
}

/* Three threads of one CPU share it as their nice values say: 1.25 a step. */
static void test_weights(void)
{
	static const int nice[3] = { 0, 0, 5 };
	struct thread *threads[3];
	uint64_t used[3];

	stop = false;
	for (unsigned i = 0; i < 3; i++) {
		thread_create(&threads[i], "weighted", spin, (void *)(uintptr_t)i, 0);
		affinity_set(threads[i], 0);
		thread_set_nice(threads[i], nice[i]);
	}
	thread_sleep(600 * NSEC_PER_MSEC);
	for (unsigned i = 0; i < 3; i++)
		used[i] = thread_runtime(threads[i]);
	stop = true;
	for (unsigned i = 0; i < 3; i++)
		TAP_EQUAL(thread_join(threads[i]), i, "spinning thread %u was preempted and ends", i);
	tap_note("run times %lu %lu %lu us", used[0] / 1000, used[1] / 1000, used[2] / 1000);
	TAP_CHECK(used[0] * 10 > used[1] * 8 && used[0] * 8 < used[1] * 10, "same weight, same time");
	TAP_CHECK(used[0] * 10 > used[2] * 23 && used[0] * 10 < used[2] * 40, "5 steps of nice are a factor of 3.05");
}

static int check_cpu(void *arg)
{
	unsigned wrong = 0;

	(void)arg;
	for (unsigned i = 0; i < 200; i++) {
		unsigned cpu = i % nr_cpus_online;
		uint64_t mask[CPU_MAX / 64] = { 1ul << cpu };

		thread_set_affinity(thread_current(), mask);
		wrong += cpu_self() != cpu;
		if (i % 10 == 0)
			thread_sleep(NSEC_PER_USEC);
		wrong += cpu_self() != cpu;
	}
	return (int)wrong;
}

static void test_affinity(void)
{
	const uint64_t none[CPU_MAX / 64] = { 0, 0, 0, 1 };
	struct thread *threads[6];
	int wrong = 0;

	TAP_CHECK(thread_set_affinity(thread_current(), none) == -EINVAL, "a set without a CPU is refused");
	for (unsigned i = 0; i < 6; i++)
		thread_create(&threads[i], "moving", check_cpu, NULL, 0);
	for (unsigned i = 0; i < 6; i++)
		wrong += thread_join(threads[i]);
	TAP_EQUAL(wrong, 0, "six threads that tour the CPUs are always where they asked to be");
}

/* All begin on one CPU, pinned; set free, they are taken by the others. */
static void test_stealing(void)
{
	struct thread *threads[4];
	uint64_t seen = 0;

	stop = false;
	for (unsigned i = 0; i < nr_cpus_online; i++) {
		thread_create(&threads[i], "stolen", spin, NULL, 0);
		affinity_set(threads[i], 0);
	}
	for (unsigned i = 0; i < nr_cpus_online; i++)
		affinity_free(threads[i]);
	for (unsigned i = 0; i < 500 && seen != (1ul << nr_cpus_online) - 1; i++) {
		thread_sleep(NSEC_PER_MSEC);
		seen = 0;
		for (unsigned cpu = 0; cpu < nr_cpus_online; cpu++)
			seen |= 1ul << thread_cpu(threads[cpu]);
	}
	TAP_EQUAL(seen, (1ul << nr_cpus_online) - 1, "idle CPUs take what waits elsewhere");
	stop = true;
	for (unsigned i = 0; i < nr_cpus_online; i++)
		thread_join(threads[i]);
}

static struct mutex mutex;
static unsigned count, inside;
static bool overlapped;

static int count_up(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < COUNTS; i++) {
		mutex_lock(&mutex);
		overlapped |= inside++ != 0;
		if (i % 64 == 0)
			thread_yield();
		count++;
		inside--;
		mutex_unlock(&mutex);
	}
	return 0;
}

static void test_mutex(void)
{
	struct thread *threads[COUNTERS];

	mutex_init(&mutex, "counter");
	for (unsigned i = 0; i < COUNTERS; i++)
		thread_create(&threads[i], "counter", count_up, NULL, 0);
	for (unsigned i = 0; i < COUNTERS; i++)
		thread_join(threads[i]);
	TAP_EQUAL(count, COUNTERS * COUNTS, "%u threads counted under a mutex", COUNTERS);
	TAP_CHECK(!overlapped, "never two inside");
	TAP_CHECK(mutex_try_lock(&mutex) && !mutex_try_lock(&mutex), "try_lock takes it once");
	mutex_unlock(&mutex);
}

static void count_call(void *arg)
{
	__atomic_fetch_add((unsigned *)arg, 1, __ATOMIC_RELAXED);
}

static int call_others(void *arg)
{
	for (unsigned i = 0; i < CALLS; i++)
		cpu_call_others(count_call, arg);
	return 0;
}

/* Callers on all CPUs at once answer each other. */
static void test_calls(void)
{
	struct thread *threads[4];
	unsigned calls = 0;

	for (unsigned i = 0; i < 4; i++)
		thread_create(&threads[i], "caller", call_others, &calls, 0);
	for (unsigned i = 0; i < 4; i++)
		thread_join(threads[i]);
	TAP_EQUAL(calls, 4 * CALLS * (nr_cpus_online - 1), "every call ran once on every other CPU");
}

int main(void)
{
	cpu_wait_online();
	tap_note("%u CPUs", nr_cpus_online);
	test_many();
	test_weights();
	test_affinity();
	test_stealing();
	test_mutex();
	test_calls();
	TAP_EQUAL(thread_count(), 1, "nobody is left");
	return tap_done();
}
