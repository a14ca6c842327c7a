/*
 * The monotonic and wall clocks on a made-up machine: time is the test's own, readings take some of it, and the host may
 * go away in the middle of anything. The PIT is the real driver on emulated ports.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/core/clock.c"
#include "lib/muldiv.h"
#include "test/unit/shim/shim.h"

#define PS_PER_NS 1000ul
#define PS_PER_MS 1000000000ul
#define PIT_HZ 1193182ul

/* ---- The machine ---- */

static uint64_t now_ps;
static uint64_t tsc_hz;
static int64_t tsc_skew;     /* of the CPU that reads */
static unsigned stall_every; /* about one reading of so many takes long; 0: none */
static uint64_t stall_ps;
static uint64_t pit_loaded_ps;
static uint8_t pit_latch[3];
static unsigned pit_latched;
static bool has_pit, pit_is_stuck;

static uint64_t counts(uint64_t ps, uint64_t hz)
{
	return (uint64_t)((unsigned __int128)ps * hz / 1000000000000ul);
}

static void pass(uint64_t ps)
{
	now_ps += ps + (uint64_t)(mrand48() & 63) * PS_PER_NS;
	if (stall_every && (uint64_t)lrand48() % stall_every == 0)
		now_ps += (uint64_t)lrand48() % (stall_ps / 1000) * 1000;
}

uint64_t shim_ticks(void)
{
	pass(10 * PS_PER_NS);
	return counts(now_ps, tsc_hz) + (uint64_t)tsc_skew;
}

void shim_out(uint16_t port, unsigned bytes, uint32_t value)
{
	assert_int_equal(bytes, 1);
	pass(1000 * PS_PER_NS);
	if (port == 0x43 && value == 0xc2) {
		uint64_t down = pit_is_stuck ? 0 : counts(now_ps - pit_loaded_ps, PIT_HZ);

		pit_latch[0] = 0x30 | (down >= 65536 ? 0x80 : 0);
		pit_latch[1] = (uint8_t)-down;
		pit_latch[2] = (uint8_t)((uint16_t)-down >> 8);
		pit_latched = 0;
	} else if (port == 0x40) {
		assert_int_equal(value, 0);
		pit_loaded_ps = now_ps;
	} else {
		assert_int_equal(port, 0x43);
		assert_int_equal(value, 0x30);
	}
}

uint32_t shim_in(uint16_t port, unsigned bytes)
{
	assert_int_equal(port, 0x40);
	assert_int_equal(bytes, 1);
	pass(1000 * PS_PER_NS);
	return has_pit ? pit_latch[pit_latched++ % 3] : 0xff;
}

static uint64_t hz_set; /* what arch_ticks_hz_set was told last */

void arch_ticks_hz_set(uint64_t hz)
{
	hz_set = hz;
}

/* ---- Its timer ---- */

static struct timer *armed;

void timer_init(struct timer *timer, void (*fn)(struct timer *timer))
{
	*timer = (struct timer){ .fn = fn };
}

void timer_set(struct timer *timer, uint64_t deadline)
{
	timer->deadline = deadline;
	armed = timer;
}

bool timer_cancel_sync(struct timer *timer)
{
	bool was_armed = armed == timer;

	armed = NULL;
	return was_armed;
}

/* MS pass; the timer fires up to LATE_US late. */
static void run(uint64_t ms, uint64_t late_us)
{
	uint64_t end = now_ps + ms * PS_PER_MS;

	while (now_ps < end) {
		now_ps += 50 * 1000 * PS_PER_NS;
		if (armed && clock_monotonic() >= armed->deadline) {
			struct timer *timer = armed;

			armed = NULL;
			now_ps += late_us ? (uint64_t)lrand48() % (late_us * 1000) * PS_PER_NS : 0;
			timer->fn(timer);
		}
	}
}

/* ---- Its other sources ---- */

static int tsc_err, other_err;
static uint64_t tsc_told_hz, tsc_rough_hz, other_epoch_ps;
static unsigned tsc_flags;

static int tsc_probe(struct clock_source *source)
{
	source->hz = tsc_told_hz;
	source->hz_rough = tsc_rough_hz;
	source->flags = CLOCK_TICKS | CLOCK_FROM_RESET | tsc_flags;
	return tsc_err;
}

static struct clock_source tsc = {
	.name = "tsc",
	.rating = 300,
	.flags = CLOCK_TICKS,
	.bits = 64,
	.probe = tsc_probe,
	.read = shim_ticks,
};

static struct clock_source other;

static uint64_t other_read(void)
{
	pass(300 * PS_PER_NS);
	return counts(now_ps - other_epoch_ps, other.hz) & (other.bits < 64 ? (1ul << other.bits) - 1 : UINT64_MAX);
}

static int other_probe(struct clock_source *source)
{
	(void)source;
	return other_err;
}

static int wall_err;
static uint64_t wall_ns;

static int other_wall(uint64_t *ns)
{
	*ns = wall_ns;
	return wall_err;
}

static struct clock_source nothing = { .name = "nothing" };
extern struct clock_source clock_source_pit;

struct clock_source *table[4] __asm__("clock_sources_start") = { &nothing, &clock_source_pit, &other, &tsc };
__asm__(".globl clock_sources_end\n\t.set clock_sources_end, clock_sources_start + 32");

static struct clock_publish copy;

/* From the first question again; OTHER has no counter. */
static int setup(void **unused)
{
	(void)unused;
	memset(&line, 0, sizeof(line));
	memset(&measure, 0, sizeof(measure));
	current = NULL;
	holder = 0;
	wants_thread = false;
	published = NULL;
	memset(&copy, 0, sizeof(copy));
	armed = NULL;
	now_ps = 20 * PS_PER_MS;
	tsc_hz = 2595124000;
	tsc_skew = 0;
	tsc_told_hz = tsc_rough_hz = hz_set = 0;
	tsc_flags = 0;
	tsc_err = other_err = 0;
	stall_every = 0;
	has_pit = true;
	pit_is_stuck = false;
	shim_irq_enabled = true;
	other = (struct clock_source){ .name = "other", .rating = 1, .read = other_read, .bits = 64 };
	other_epoch_ps = 0;
	return 0;
}

static bool is_near(uint64_t a, uint64_t b, uint64_t ppm)
{
	uint64_t differs = a > b ? a - b : b - a;

	return differs <= mul_div(b, ppm, 1000000);
}

/* Reads N times, time going on by up to STEP_US in between; no reading is below the one before. */
static void read_in_order(unsigned n, uint64_t step_us)
{
	uint64_t last = clock_monotonic();

	for (unsigned i = 0; i < n; i++) {
		uint64_t now;

		now_ps += (uint64_t)lrand48() % (step_us * 1000) * PS_PER_NS;
		now = clock_monotonic();
		assert_true(now >= last);
		last = now;
	}
}

/* How long MS milliseconds are by the clock, in ns; the timer is served. */
static uint64_t lasts(uint64_t ms)
{
	uint64_t ps = now_ps, ns = clock_monotonic();

	run(ms, 0);
	ns = clock_monotonic() - ns;
	/* As if exactly MS had passed. */
	return mul_div(ns, ms * PS_PER_MS, now_ps - ps);
}

/* ---- Tests ---- */

static void test_known_frequency(void **state)
{
	(void)state;
	tsc_told_hz = tsc_hz;
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t ns = clock_monotonic();

		assert_true(is_near(ns, now_ps / PS_PER_NS, 1) || now_ps / PS_PER_NS - ns < 100);
		now_ps += (uint64_t)lrand48() * PS_PER_NS;
	}
	assert_true(hz_set == tsc_hz);
	assert_null(armed);
	assert_string_equal(clock_source_current()->name, "tsc");
	/* A hundred years on. */
	now_ps = 0;
	tsc_skew = (int64_t)(tsc_hz * 3155760000ul);
	assert_true(is_near(clock_monotonic(), 3155760000ul * NSEC_PER_SEC, 1));
}

static void test_measured(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		setup(NULL);
		tsc_hz = 800000000 + (uint64_t)lrand48() * 2;
		read_in_order(1, 1);
		assert_string_equal(clock_source_current()->name, "pit");
		read_in_order(20, 100);
		run(30, 2000);
		assert_string_equal(clock_source_current()->name, "tsc");
		assert_true(is_near(tsc.hz, tsc_hz, CLOCK_ERROR_MAX));
		read_in_order(1000, 100);
		run(4000, 10000);
		assert_null(armed);
		assert_true(is_near(tsc.hz, tsc_hz, measure.error));
		assert_in_range(measure.error, 0, 30);
		assert_true(hz_set == tsc.hz);
		assert_true(is_near(lasts(1000), NSEC_PER_SEC, 50));
	}
}

/* The host goes away for up to 40 ms at one reading in a hundred: nothing is ever wrong by more than it says. */
static void test_stalls(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		setup(NULL);
		tsc_hz = 800000000 + (uint64_t)lrand48() * 2;
		stall_every = 20 + (unsigned)lrand48() % 200;
		stall_ps = 40 * PS_PER_MS;
		read_in_order(50, 2000);
		for (unsigned look = 0; look < 200 && !tsc.hz; look++)
			run(20, 5000);
		assert_true(is_near(tsc.hz, tsc_hz, measure.error));
		run(4000, 30000);
		assert_true(is_near(tsc.hz, tsc_hz, measure.error));
		assert_in_range(measure.error, 0, CLOCK_ERROR_MAX);
		stall_every = 0;
		assert_true(is_near(lasts(100), 100 * NSEC_PER_MSEC, CLOCK_ERROR_MAX));
	}
}

/* Nobody looks at the PIT while it wraps: once is told by its output, more often is not, but then nothing is concluded. */
static void test_missed_wraps(void **state)
{
	(void)state;
	for (uint64_t gap = 1; gap < 400; gap += 3) {
		uint64_t before, after;

		setup(NULL);
		before = clock_monotonic();
		now_ps += gap * PS_PER_MS;
		after = clock_monotonic();
		if (gap <= 108)
			assert_true(is_near(after - before, gap * NSEC_PER_MSEC, 5000) || gap < 4);
		else
			assert_in_range(after - before, 54 * NSEC_PER_MSEC, (gap + 1) * NSEC_PER_MSEC);
		if (gap > 55)
			assert_int_equal(tsc.hz, 0);
		run(4000, 0);
		assert_true(is_near(tsc.hz, tsc_hz, 50));
	}
}

static void test_lockless_source(void **state)
{
	(void)state;
	other.rating = 400;
	other.hz = NSEC_PER_SEC;
	other.flags = CLOCK_FROM_RESET;
	other.probe = other_probe;
	read_in_order(1000, 1000);
	assert_string_equal(clock_source_current()->name, "other");
	assert_true(is_near(clock_monotonic(), now_ps / PS_PER_NS, 1));
	assert_null(armed);
	/* Its lock is not needed. */
	holder = 7;
	clock_monotonic();
	holder = 0;
	other_err = -ENODEV;
	setup(NULL);
	assert_string_equal((clock_monotonic(), clock_source_current()->name), "pit");
}

/* CPUs that disagree by a millisecond: the late one is held. */
static void test_unsynced(void **state)
{
	(void)state;
	tsc_told_hz = tsc_hz;
	tsc_flags = CLOCK_UNSYNCED;
	for (unsigned i = 0; i < 1000; i++) {
		tsc_skew = i & 1 ? (int64_t)tsc_hz / 1000 : 0;
		read_in_order(3, 300);
	}
	tsc_skew = 0;
	assert_true(is_near(clock_monotonic(), now_ps / PS_PER_NS + NSEC_PER_MSEC, 1000));
}

static void test_nmi_in_reading(void **state)
{
	uint64_t last;

	(void)state;
	last = clock_monotonic();
	holder = cpu_self_nr + 1;
	shim_irq_enabled = false;
	assert_true(clock_monotonic() >= last);
	assert_false(shim_irq_enabled);
	/* Another CPU has been stopped in the middle of one. */
	holder = cpu_self_nr + 2;
	assert_true(clock_monotonic() >= last);
	holder = 0;
	/* In the first question of all. */
	setup(NULL);
	holder = cpu_self_nr + 1;
	clock_monotonic();
	assert_null(clock_source_current());
}

/* No source that any context may look for: a guess, until a thread comes by. */
static void test_thread_finds_reference(void **state)
{
	(void)state;
	has_pit = false;
	other.rating = 200;
	other.hz = 3579545;
	other.bits = 24;
	other.flags = CLOCK_THREAD;
	other.probe = other_probe;
	tsc_rough_hz = 2500000000;
	shim_irq_enabled = false;
	read_in_order(100, 1000);
	assert_true(tsc.hz == tsc_rough_hz);
	shim_irq_enabled = true;
	read_in_order(100, 1000);
	run(5000, 1000);
	assert_string_equal(clock_source_current()->name, "tsc");
	assert_true(is_near(tsc.hz, tsc_hz, 10));
	assert_null(armed);

	/* There is one, but it stands still. */
	for (unsigned i = 0; i < 20; i++) {
		setup(NULL);
		pit_is_stuck = true;
		tsc_hz = 800000000 + (uint64_t)lrand48() * 2;
		other.rating = 200;
		other.hz = 3579545;
		other.bits = 24;
		other.flags = CLOCK_THREAD;
		other.probe = other_probe;
		read_in_order(1, 1);
		run(8000, 1000);
		assert_string_equal(clock_source_current()->name, "tsc");
		assert_true(is_near(tsc.hz, tsc_hz, 20));
		assert_true(is_near(lasts(1000), NSEC_PER_SEC, 50));
	}

	/* Nor is there one for threads. */
	setup(NULL);
	has_pit = false;
	read_in_order(100, 1000);
	assert_non_null(strstr(shim_log_text, "frequency"));
	assert_true(tsc.hz == HZ_GUESS && line.limit && !armed);
}

static void test_use(void **state)
{
	(void)state;
	other.rating = 200;
	other.hz = 3579545;
	other.bits = 24;
	other.flags = CLOCK_THREAD;
	other.probe = other_probe;
	assert_int_equal(clock_source_use("other"), -EBUSY);
	run(4000, 100);
	for (unsigned i = 0; i < 20; i++) {
		const char *names[] = { "other", "pit", "tsc" };
		uint64_t before = clock_monotonic();

		assert_int_equal(clock_source_use(names[i % 3]), 0);
		assert_string_equal(clock_source_current()->name, names[i % 3]);
		assert_true(clock_monotonic() - before < 100 * NSEC_PER_USEC);
		read_in_order(100, 100);
		/* Long enough for the counter to wrap if nobody looked. */
		assert_true(is_near(lasts(12000), 12 * NSEC_PER_SEC, 30));
	}
	assert_int_equal(clock_source_use("sundial"), -ENODEV);
	assert_int_equal(clock_source_use("nothing"), -ENODEV);
	other_err = -ENODEV;
	assert_int_equal(clock_source_use("other"), -ENODEV);
}

static void test_wall(void **state)
{
	(void)state;
	wall_ns = 1700000000 * NSEC_PER_SEC;
	other.wall = other_wall;
	assert_true(clock_realtime() - wall_ns < 100 * NSEC_PER_USEC);
	run(5000, 0);
	assert_true(is_near(clock_realtime() - wall_ns, 5 * NSEC_PER_SEC, 1000));
	clock_realtime_set(NSEC_PER_SEC);
	assert_true(clock_realtime() - NSEC_PER_SEC < 100 * NSEC_PER_USEC);
}

/* By the copy: true, and the time. */
static bool copy_now(uint64_t *ns)
{
	uint64_t delta = shim_ticks() - copy.base;

	*ns = copy.ns + (uint64_t)((unsigned __int128)delta * copy.mult >> 32);
	return delta < copy.limit;
}

/* Reads by turns from the copy and by asking. How often it was the copy. */
static unsigned read_by_turns(unsigned n)
{
	uint64_t last = 0, now;
	unsigned by_copy = 0;

	for (unsigned i = 0; i < n; i++) {
		now_ps += (uint64_t)lrand48() % 1000000 * PS_PER_NS;
		if (!(i & 1) || !copy_now(&now))
			now = clock_monotonic();
		else
			by_copy++;
		assert_true(now >= last);
		assert_int_equal(copy.seq % 2, 0);
		last = now;
	}
	return by_copy;
}

static void test_published(void **state)
{
	uint64_t ns;

	(void)state;
	/* Before the first question, and until the counter's frequency is known. */
	clock_publish(&copy);
	assert_null(clock_source_current());
	assert_false(copy_now(&ns));
	clock_monotonic();
	assert_false(copy_now(&ns));
	run(30, 0);
	assert_true(copy_now(&ns));
	for (unsigned i = 0; i < 40; i++) {
		assert_int_equal(read_by_turns(1000), 500);
		run(100, 1000);
	}
	/* Other sources can only be asked. */
	assert_int_equal(clock_source_use("pit"), 0);
	assert_int_equal(read_by_turns(100), 0);
	assert_int_equal(clock_source_use("tsc"), 0);
	assert_int_equal(read_by_turns(100), 50);
	/* When the clock is running already. */
	memset(&copy, 0, sizeof(copy));
	clock_publish(&copy);
	assert_int_equal(read_by_turns(100), 50);

	setup(NULL);
	clock_publish(&copy);
	tsc_told_hz = tsc_hz;
	tsc_flags = CLOCK_UNSYNCED;
	assert_int_equal(read_by_turns(100), 0);
}

static void test_published_wall(void **state)
{
	uint64_t ns;

	(void)state;
	clock_publish(&copy);
	assert_true(copy.has_wall); /* test_wall has asked */
	clock_realtime_set(1234567 * NSEC_PER_SEC);
	run(30, 0);
	assert_true(copy_now(&ns));
	assert_true(copy.has_wall);
	assert_true(clock_realtime() - (ns + copy.wall) < 1000);
	clock_realtime_set(NSEC_PER_SEC);
	assert_true(copy_now(&ns));
	assert_true(ns + copy.wall - NSEC_PER_SEC < 100 * NSEC_PER_USEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_known_frequency, setup),
		cmocka_unit_test_setup(test_measured, setup),
		cmocka_unit_test_setup(test_stalls, setup),
		cmocka_unit_test_setup(test_missed_wraps, setup),
		cmocka_unit_test_setup(test_lockless_source, setup),
		cmocka_unit_test_setup(test_unsynced, setup),
		cmocka_unit_test_setup(test_nmi_in_reading, setup),
		cmocka_unit_test_setup(test_thread_finds_reference, setup),
		cmocka_unit_test_setup(test_use, setup),
		cmocka_unit_test_setup(test_published, setup),
		cmocka_unit_test_setup(test_wall, setup),
		cmocka_unit_test_setup(test_published_wall, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
