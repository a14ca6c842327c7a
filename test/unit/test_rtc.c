/* The real-time clock's driver on a made-up CMOS: every format, the calendar against the host's, clocks that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "kernel/core/clock.h"
#include "test/unit/shim/shim.h"

extern struct clock_source clock_source_rtc;

static uint8_t cmos[128];
static uint8_t index_port;
static unsigned busy;  /* readings of status A that still show an update */
static unsigned moves; /* readings of the hour after which the time jumps on */
static unsigned nr_reads;

static uint8_t bcd(unsigned value)
{
	return (uint8_t)(value / 10 << 4 | value % 10);
}

/* FORMAT: status B, bits 1 (24 hours) and 2 (binary). */
static void cmos_set(time_t when, uint8_t format)
{
	struct tm tm;
	unsigned hour, century;
	bool is_pm = false;

	gmtime_r(&when, &tm);
	hour = (unsigned)tm.tm_hour;
	century = (unsigned)(tm.tm_year + 1900) / 100;
	if (!(format & 2)) {
		is_pm = hour >= 12;
		hour = hour % 12 ? hour % 12 : 12;
	}
	const unsigned fields[][2] = {
		{ 0, (unsigned)tm.tm_sec },  { 2, (unsigned)tm.tm_min },     { 4, hour },
		{ 7, (unsigned)tm.tm_mday }, { 8, (unsigned)tm.tm_mon + 1 }, { 9, (unsigned)tm.tm_year % 100 },
		{ 0x32, century },
	};
	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		cmos[fields[i][0]] = format & 4 ? (uint8_t)fields[i][1] : bcd(fields[i][1]);
	if (is_pm)
		cmos[4] |= 0x80;
	cmos[0x0a] = 0x26;
	cmos[0x0b] = format;
}

void shim_out(uint16_t port, unsigned bytes, uint32_t value)
{
	assert_int_equal(port, 0x70);
	assert_int_equal(bytes, 1);
	index_port = (uint8_t)value & 0x7f;
}

uint32_t shim_in(uint16_t port, unsigned bytes)
{
	assert_int_equal(port, 0x71);
	assert_int_equal(bytes, 1);
	assert_true(++nr_reads < 1000000);
	if (index_port == 0x0a && busy) {
		busy--;
		return cmos[0x0a] | 0x80;
	}
	if (index_port == 4 && moves) {
		moves--;
		cmos[0] = (uint8_t)(cmos[0] ^ 1);
	}
	return cmos[index_port];
}

static int wall(uint64_t *ns)
{
	nr_reads = 0;
	return clock_source_rtc.wall(ns);
}

static void test_calendar(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		/* 1970 to 2399; each tenth near the end of a day. */
		time_t when = (time_t)((uint64_t)mrand48() * 37 % 13569465600ul);
		uint64_t ns;

		if (i % 10 == 0)
			when = when / 86400 * 86400 + (time_t)(i / 10 % 7) - 3;
		if (when < 0)
			continue;
		cmos_set(when, (uint8_t)(mrand48() & 6));
		assert_int_equal(wall(&ns), 0);
		assert_true(ns == (uint64_t)when * NSEC_PER_SEC);
	}
}

static void test_no_century(void **state)
{
	const uint8_t values[] = { 0, 0xff, 0x01, 0x99 };
	uint64_t ns;

	(void)state;
	for (unsigned i = 0; i < sizeof(values); i++) {
		cmos_set(1709210096, 2); /* 2024-02-29 */
		cmos[0x32] = values[i];
		assert_int_equal(wall(&ns), 0);
		assert_true(ns == 1709210096 * NSEC_PER_SEC);
	}
}

static void test_update(void **state)
{
	uint64_t ns;

	(void)state;
	cmos_set(1700000000, 6);
	busy = 2000;
	assert_int_equal(wall(&ns), 0);
	assert_true(ns == 1700000000 * NSEC_PER_SEC);
	assert_int_equal(busy, 0);
	/* Moves on while it is read: what counts is the reading that was not disturbed. */
	moves = 3;
	assert_int_equal(wall(&ns), 0);
	assert_int_equal(moves, 0);
	assert_true(ns / NSEC_PER_SEC == 1700000001);
	/* Never stands still. */
	moves = 1000;
	assert_int_not_equal(wall(&ns), 0);
	moves = 0;
	busy = 1000000;
	assert_int_not_equal(wall(&ns), 0);
	busy = 0;
}

static void test_absent_or_broken(void **state)
{
	uint64_t ns;

	(void)state;
	memset(cmos, 0xff, sizeof(cmos));
	assert_int_not_equal(wall(&ns), 0);
	for (unsigned i = 0; i < 100000; i++) {
		for (unsigned byte = 0; byte < sizeof(cmos); byte++)
			cmos[byte] = (uint8_t)mrand48();
		cmos[0x0a] &= 0x7f;
		if (wall(&ns) == 0)
			assert_true(ns < 16725225600ul * NSEC_PER_SEC); /* before the year 2500 */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calendar),
		cmocka_unit_test(test_no_century),
		cmocka_unit_test(test_update),
		cmocka_unit_test(test_absent_or_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
