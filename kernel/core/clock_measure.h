/*
 * Measures arch_ticks() against a clock source whose frequency is known, from samples that are taken while the system runs.
 * Each pair of samples gives the frequency with an error that is known: the time that the readings took, over the time
 * between them. So a sample during which the host went away does no harm: it gives nothing better than there was.
 */
#ifndef KERNEL_CORE_CLOCK_MEASURE_H
#define KERNEL_CORE_CLOCK_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/core/clock.h"

struct clock_sample {
	uint64_t ticks;	 /* half-way through the reading */
	uint64_t window; /* ticks that the reading took */
	uint64_t count;
};

struct clock_measure {
	struct clock_source *reference;
	struct clock_sample first, last;
	uint64_t count;	      /* of the reference since the start, wraps included */
	uint64_t first_count; /* the same at `first`, which moves when an interval proves unusable */
	uint64_t hz;	      /* the best so far, 0: none */
	unsigned error;	      /* of hz, in millionths */
};

/* An error above this is not good enough to run a clock on. */
#define CLOCK_ERROR_MAX 4000

/* Starts anew: REFERENCE has been probed. hz stays 0 until an update finds it. */
void clock_measure_start(struct clock_measure *measure, struct clock_source *reference);
/*
 * Takes a sample. True when it gave a better frequency. While there is none, wraps of the reference are counted by looking
 * in time: at least once in each period of the counter. Later the ticks tell how often it has wrapped.
 */
bool clock_measure_update(struct clock_measure *measure);

#endif
