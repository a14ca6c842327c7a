/*
 * Time: monotonic nanoseconds since reset and wall time, from the best source that is there. Nothing is set up before the
 * first question, and nothing ever waits for a calibration: when the CPU's own counter (arch_ticks) does not tell its
 * frequency, the clock runs on another source and measures the counter meanwhile (clock_measure.h), then changes over.
 *
 * Readings by fast path (the CPU's counter) and from other 64-bit sources take no lock. A counter that is narrower, or not
 * in step on all CPUs, is read under one, which also keeps the readings in order.
 */
#ifndef KERNEL_CORE_CLOCK_H
#define KERNEL_CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum clock_flags {
	CLOCK_TICKS = 1,    /* it is arch_ticks() */
	CLOCK_UNSYNCED = 2, /* CPUs may disagree: late ones are held at what others have seen */
	CLOCK_THREAD = 4, /* probe only in a thread with interrupts enabled: it maps memory or reads firmware tables */
	CLOCK_FROM_RESET = 8, /* counts from 0 at reset */
};

/* A driver defines one with CLOCK_SOURCE(name) = { ... }, which puts it into the image's table. */
struct clock_source {
	const char *name;
	unsigned rating; /* higher wins, all different: kvmclock 400, tsc 300, hpet 250, acpi_pm 200, pit 110, rtc 0 */
	unsigned flags;
	unsigned bits;	   /* width of the counter: it wraps at 2^bits */
	uint64_t hz;	   /* 0: not known, to be measured (CLOCK_TICKS only) */
	uint64_t hz_rough; /* when hz is 0 and there is nothing to measure it against; may be 0 */
	/* Looks for the counter, starts it, fills in hz, flags and bits. 0, -ENODEV. Again: starts it anew. NULL: none. */
	int (*probe)(struct clock_source *source);
	/* After probe. Any context; one call at a time unless bits is 64. */
	uint64_t (*read)(void);
	/* After read: true when the counter had wrapped since it was started. NULL: cannot tell. */
	bool (*wrapped)(void);
	/* Wall time, nanoseconds since 1970-01-01 UTC. 0, -ENODEV. One call at a time. NULL: has none. */
	int (*wall)(uint64_t *ns);
};

#define CLOCK_SOURCE(name)                                                                                             \
	extern struct clock_source clock_source_##name;                                                                \
	struct clock_source *const clock_source_entry_##name __attribute__((section(".clock_sources"), used)) =        \
		&clock_source_##name;                                                                                  \
	struct clock_source clock_source_##name

/* The table, in no order (image.ld). */
extern struct clock_source *const clock_sources_start[], *const clock_sources_end[];
/* The one with the highest rating below RATING; NULL when there is none. So UINT_MAX gives the best. */
struct clock_source *clock_source_below(unsigned rating);
/* The one that is the CPU's own counter, NULL when it is not linked in. */
struct clock_source *clock_source_ticks(void);

struct clock_publish; /* clock_publish.h */

/* Never goes back, on any CPU. Callable anywhere. */
uint64_t clock_monotonic(void);
/* Nanoseconds since 1970-01-01 UTC. */
uint64_t clock_realtime(void);
/* Sets wall time: NS is what clock_realtime returns now. */
void clock_realtime_set(uint64_t ns);
/* For log_clock: clock_monotonic, but before the first question a rough guess that sets nothing up. */
uint64_t clock_log(void);
/*
 * From now on *TO, zeros before, says all that is needed to compute both without asking; what it holds changes with them. Once.
 * It asks the clock nothing, so before the first question there is nothing in it.
 */
void clock_publish(struct clock_publish *to);
/* Its first half, of clock.c. */
void clock_line_publish(struct clock_publish *to);
/* What the clock runs on now; NULL before the first question. */
const struct clock_source *clock_source_current(void);
/*
 * Goes over to the source NAME, for good. 0, -ENODEV (not linked in, or not there), -EBUSY (in the first milliseconds, while
 * nothing is known of the CPU's counter). Threads only.
 */
int clock_source_use(const char *name);
/* Busy wait; for device delays of at most a few microseconds. */
void clock_delay(uint64_t ns);

#define NSEC_PER_SEC 1000000000ul
#define NSEC_PER_MSEC 1000000ul
#define NSEC_PER_USEC 1000ul

#endif
