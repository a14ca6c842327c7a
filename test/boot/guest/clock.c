/* Clocks: order, rate, every source that the machine has, wall time, timers that end when they should. */
#include "kernel/core/clock.h"

#include <limits.h>

#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/cpuid.h"
#include "kernel/core/cpu.h"
#include "kernel/core/irq.h"
#include "kernel/core/thread.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "test/boot/guest/tap.h"

#define SEC_2024 1704067200ul
#define SEC_2100 4102444800ul

static uint64_t latest; /* atomic: the latest time that any CPU has seen */
static unsigned steps_back;

static void read_often(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t before = __atomic_load_n(&latest, __ATOMIC_SEQ_CST), now = clock_monotonic();

		if (now < before)
			__atomic_fetch_add(&steps_back, 1, __ATOMIC_RELAXED);
		while (before < now &&
		       !__atomic_compare_exchange_n(&latest, &before, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
	}
}

/* While the clock finds out about its source: reads all the time for the first 60 ms. */
static int reader(void *arg)
{
	uint64_t end = clock_monotonic() + 60 * NSEC_PER_MSEC;

	(void)arg;
	while (clock_monotonic() < end)
		read_often(100);
	return 0;
}

static void test_order(void)
{
	struct thread *threads[4];
	unsigned n = MIN(nr_cpus, (unsigned)ARRAY_SIZE(threads));

	for (unsigned i = 0; i < n; i++)
		thread_create(&threads[i], "reader", reader, NULL, 0);
	for (unsigned i = 0; i < n; i++)
		thread_join(threads[i]);
	TAP_EQUAL(steps_back, 0, "time never goes back, %u CPUs reading while the clock starts", n);
}

struct moment {
	uint64_t ticks, ns;
};

/* The pair that was read fastest, since the host may go away between the two. */
static struct moment moment_now(void)
{
	struct moment best = { 0, 0 };
	uint64_t best_window = UINT64_MAX;

	for (unsigned i = 0; i < 5; i++) {
		uint64_t before = arch_ticks_ordered(), ns = clock_monotonic();
		uint64_t window = arch_ticks_ordered() - before;

		if (window < best_window) {
			best_window = window;
			best = (struct moment){ before + window / 2, ns };
		}
	}
	return best;
}

/* Frequency of arch_ticks() in kHz, as the clock sees it over MS milliseconds. */
static uint64_t ticks_khz(unsigned ms)
{
	struct moment start = moment_now(), end;

	while (clock_monotonic() < start.ns + ms * NSEC_PER_MSEC)
		arch_cpu_relax();
	end = moment_now();
	return (end.ticks - start.ticks) * 1000 / ((end.ns - start.ns) / 1000);
}

static bool is_near(uint64_t a, uint64_t b, uint64_t ppm)
{
	return (a > b ? a - b : b - a) <= b / 1000000 * ppm + b % 1000000 * ppm / 1000000;
}

static void test_sources(uint64_t khz)
{
	const char *first = clock_source_current()->name;
	struct clock_source *source = NULL;

	while ((source = clock_source_below(source ? source->rating : UINT_MAX))) {
		uint64_t before = clock_monotonic(), seen;
		int err = clock_source_use(source->name);

		if (err) {
			TAP_EQUAL(err, -ENODEV, "%s is not there", source->name);
			continue;
		}
		TAP_CHECK(clock_monotonic() >= before, "going over to %s is no step back", source->name);
		seen = ticks_khz(40);
		TAP_CHECK(is_near(seen, khz, 5000), "%s runs at the same rate: the CPU counts %lu kHz", source->name,
			  seen);
		read_often(1000);
		thread_sleep(5 * NSEC_PER_MSEC);
	}
	TAP_EQUAL(steps_back, 0, "time never goes back with any source");
	TAP_EQUAL(clock_source_use("sundial"), -ENODEV, "a source that is not there");
	TAP_EQUAL(clock_source_use(first), 0, "back to %s", first);
}

static unsigned timer_interrupts(void)
{
	struct irq_stats stats;
	unsigned n = 0;

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		irq_stats(cpu, &stats);
		n += stats.timer;
	}
	return n;
}

static void test_sleep(void)
{
	for (unsigned ms = 1; ms <= 100; ms *= 10) {
		unsigned interrupts = timer_interrupts();
		uint64_t slept = clock_monotonic();

		thread_sleep(ms * NSEC_PER_MSEC);
		slept = clock_monotonic() - slept;
		interrupts = timer_interrupts() - interrupts;
		TAP_CHECK(slept >= ms * NSEC_PER_MSEC, "a sleep of %u ms is not shorter", ms);
		tap_note("%u ms took %lu us, %u timer interrupts", ms, slept / 1000, interrupts);
		TAP_CHECK(interrupts < 100, "nor does it take many interrupts");
	}
}

/* The local APIC is used in the best way that the CPU has. */
static void test_apic(void)
{
	bool has_x2apic = cpuid_1_ecx() & CPUID_1_ECX_X2APIC, has_deadline = cpuid_1_ecx() & CPUID_1_ECX_TSC_DEADLINE;

	TAP_EQUAL(!!(read_msr(MSR_APIC_BASE) & APIC_BASE_X2APIC), has_x2apic, "x2APIC: %s", has_x2apic ? "yes" : "no");
	TAP_EQUAL(!!(apic_read(APIC_LVT_TIMER) & APIC_LVT_TSC_DEADLINE), has_deadline, "the timer is by deadline: %s",
		  has_deadline ? "yes" : "no");
}

static void test_wall(void)
{
	uint64_t now = clock_realtime(), set = 1000000000 * NSEC_PER_SEC;

	if (now < NSEC_PER_SEC * 100000)
		tap_skip("wall time", "this machine has no clock that tells it");
	else
		TAP_CHECK(now / NSEC_PER_SEC > SEC_2024 && now / NSEC_PER_SEC < SEC_2100, "wall time is plausible: %lu",
			  now / NSEC_PER_SEC);
	clock_realtime_set(set);
	now = clock_realtime();
	TAP_CHECK(now >= set && now < set + NSEC_PER_SEC, "wall time can be set");
}

int main(void)
{
	uint64_t start = clock_monotonic(), khz;

	tap_note("starts on %s at %lu us", clock_source_current()->name, start / 1000);
	test_order();
	tap_note("runs on %s", clock_source_current()->name);
	TAP_CHECK(clock_source_current()->flags & CLOCK_FROM_RESET, "it runs on a source that is fast to read");
	khz = ticks_khz(100);
	tap_note("the CPU counts %lu kHz", khz);
	test_sleep();
	test_apic();
	start = clock_monotonic();
	clock_delay(50 * NSEC_PER_USEC);
	TAP_CHECK(clock_monotonic() - start >= 50 * NSEC_PER_USEC, "a delay is not shorter");
	test_wall();
	test_sources(khz);
	return tap_done();
}
