/*
 * Time. Monotonic nanoseconds since boot and wall time, from the best source that is there. Sources register with a
 * rating; a source whose frequency is not known yet (TSC without a leaf that tells) is measured against another one
 * while that one serves, so that nothing ever waits for a calibration.
 */
#ifndef KERNEL_CORE_CLOCK_H
#define KERNEL_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock_source {
	struct clock_source *next;
	const char *name;
	unsigned rating;	/* higher wins: kvmclock 400, tsc 300, hpet 250, acpi_pm 200, pit 110 */
	uint64_t (*read)(void); /* any CPU, any context */
	uint64_t hz;		/* 0: not known, to be measured */
	unsigned bits;		/* width of the counter: it wraps at 2^bits */
};
void clock_source_register(struct clock_source *source);

/* Never goes back, on any CPU. Callable anywhere. */
uint64_t clock_monotonic(void);
/* Nanoseconds since 1970-01-01 UTC. */
uint64_t clock_realtime(void);
/* Sets wall time: NS is what clock_realtime returns now. For RTC drivers, PV clocks, clock_settime. */
void clock_realtime_set(uint64_t ns);
/* Called from a timer and on clock reads until the TSC's frequency is settled; exported for tests. */
const struct clock_source *clock_source_current(void);
/* Busy wait; for device delays of at most a few microseconds. */
void clock_delay(uint64_t ns);

#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define NSEC_PER_USEC 1000ull

#endif
