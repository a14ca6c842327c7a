/*
 * The clock as somebody may compute it who cannot ask: what clock.c and clock_wall.c know, in memory that others read. Data
 * alone, since code that is none of the kernel's shares it (linux/vdso/).
 *
 * A reader takes seq, then the CPU's counter, and when that is less than limit past base, the time is
 *	ns + (counter - base) * mult / 2^32
 * provided that seq is still the same. Wall time, where has_wall says that it is known, is that plus wall. In every other case
 * the reader asks the kernel, which at the first question of all starts the clock. Both ways give the same clock: each change
 * is made while neither gives an answer.
 */
#ifndef KERNEL_CORE_CLOCK_PUBLISH_H
#define KERNEL_CORE_CLOCK_PUBLISH_H

#include <stdint.h>

struct clock_publish {
	uint32_t seq;	   /* odd while the line changes */
	uint32_t has_wall; /* 0 while wall changes, too */
	uint64_t limit;	   /* 0 while the line changes, and when the clock does not run on the CPU's counter */
	uint64_t base, mult, ns;
	uint64_t wall;
};

#endif
