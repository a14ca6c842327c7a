/* Timers and timed waits: in order, never early, cancelled for good; sleeping threads cost no interrupts. */
#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/core/irq.h"
#include "kernel/core/thread.h"
#include "kernel/core/timer.h"
#include "kernel/core/wait.h"
#include "lib/errno.h"
#include "test/boot/guest/tap.h"

#define TIMERS 64
#define RACES 2000

struct test_timer {
	struct timer timer;
	unsigned nr_fired, order;
	bool early;
};

static struct test_timer timers[TIMERS];
static unsigned fired; /* atomic */

static void fire(struct timer *timer)
{
	struct test_timer *test = container_of(timer, struct test_timer, timer);

	test->early |= clock_monotonic() < timer->deadline;
	test->nr_fired++;
	test->order = __atomic_fetch_add(&fired, 1, __ATOMIC_RELAXED);
}

/* Set in a mixed-up order, a millisecond apart; all from one CPU, whose order is then that of the deadlines. */
static void test_order(void)
{
	const uint64_t cpu_0[CPU_MAX / 64] = { 1 };
	uint64_t begin;
	bool in_order = true, once = true, early = false;

	thread_set_affinity(thread_current(), cpu_0);
	begin = clock_monotonic() + 20 * NSEC_PER_MSEC;
	for (unsigned i = 0; i < TIMERS; i++) {
		timer_init(&timers[i].timer, fire);
		timer_set(&timers[i].timer, begin + (i * 37 % TIMERS) * NSEC_PER_MSEC);
	}
	thread_sleep((40 + TIMERS) * NSEC_PER_MSEC);
	for (unsigned i = 0; i < TIMERS; i++) {
		once &= timers[i].nr_fired == 1;
		in_order &= timers[i].order == i * 37 % TIMERS;
		early |= timers[i].early;
	}
	TAP_CHECK(once, "%u timers ran once each", TIMERS);
	TAP_CHECK(in_order, "in the order of their deadlines");
	TAP_CHECK(!early, "none before its deadline");
}

static bool cancelling; /* atomic */
static struct test_timer raced;
static unsigned cancelled;

static int cancel(void *arg)
{
	(void)arg;
	while (__atomic_load_n(&cancelling, __ATOMIC_RELAXED))
		cancelled += timer_cancel_sync(&raced.timer);
	return 0;
}

/* Each round the timer is set about now, while another thread cancels: it runs, or it was cancelled, once. */
static void test_cancel_races(void)
{
	struct thread *thread;
	unsigned rounds = 0;

	timer_init(&raced.timer, fire);
	cancelling = true;
	thread_create(&thread, "cancel", cancel, NULL, 0);
	for (; rounds < RACES; rounds++) {
		timer_set(&raced.timer, clock_monotonic() + rounds % 16 * NSEC_PER_USEC);
		while (READ_ONCE(raced.nr_fired) + READ_ONCE(cancelled) <= rounds)
			thread_yield();
	}
	cancelling = false;
	thread_join(thread);
	tap_note("%u ran, %u cancelled", raced.nr_fired, cancelled);
	TAP_EQUAL(raced.nr_fired + cancelled, rounds, "a timer runs or is cancelled, never both, never neither");
	TAP_CHECK(!raced.early, "none before its deadline");
}

static void test_sleep(void)
{
	static const uint64_t lengths[] = { 0, 1, 1000, 50000, 1000000, 20000000 };
	uint64_t begin, slept;

	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
		begin = clock_monotonic();
		thread_sleep(lengths[i]);
		slept = clock_monotonic() - begin;
		TAP_CHECK(slept >= lengths[i], "sleep of %lu ns took %lu", lengths[i], slept);
	}
}

static void test_timeout(void)
{
	struct wait_queue queue;
	bool never = false;
	uint64_t deadline = clock_monotonic() + 5 * NSEC_PER_MSEC;

	wait_queue_init(&queue);
	TAP_CHECK(wait_event_timeout(&queue, READ_ONCE(never), deadline) == -ETIMEDOUT, "a wait times out");
	TAP_CHECK(clock_monotonic() >= deadline, "not before its deadline");
	TAP_CHECK(wait_event_timeout(&queue, !READ_ONCE(never), 0) == 0, "what is true already is not waited for");
}

static unsigned timer_interrupts(unsigned cpu)
{
	struct irq_stats stats;

	irq_stats(cpu, &stats);
	return stats.timer;
}

/* One thread on a CPU has no slices, and a CPU that sleeps is not woken for nothing. */
static void test_tickless(void)
{
	uint64_t end;
	unsigned before;

	thread_sleep(50 * NSEC_PER_MSEC);
	before = timer_interrupts(cpu_self());
	end = clock_monotonic() + 200 * NSEC_PER_MSEC;
	while (clock_monotonic() < end)
		arch_cpu_relax();
	tap_note("%u timer interrupts in 200 ms of running alone", timer_interrupts(cpu_self()) - before);
	TAP_CHECK(timer_interrupts(cpu_self()) - before <= 3, "a thread that runs alone is not interrupted");
	before = timer_interrupts(cpu_self());
	thread_sleep(200 * NSEC_PER_MSEC);
	TAP_CHECK(timer_interrupts(cpu_self()) - before <= 4, "nor is an idle CPU: %u in 200 ms",
		  timer_interrupts(cpu_self()) - before);
}

int main(void)
{
	cpu_wait_online();
	test_order();
	test_cancel_races();
	test_sleep();
	test_timeout();
	test_tickless();
	return tap_done();
}
