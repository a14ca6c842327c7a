/* See clock_measure.h. */
#include "kernel/core/clock_measure.h"

#include "kernel/arch/arch.h"
#include "lib/muldiv.h"
#include "lib/util.h"

#define SAMPLE_TRIES 3
#define NS_MIN 4000000ul /* no estimate from less */
/* Frequencies that a counter of a CPU with long mode can have; anything else is a missed wrap. */
#define HZ_MIN 100000000ul
#define HZ_MAX 20000000000ul

static uint64_t source_mask(const struct clock_source *source)
{
	return source->bits < 64 ? (1ul << source->bits) - 1 : UINT64_MAX;
}

static struct clock_sample sample_once(const struct clock_source *source)
{
	struct clock_sample sample;
	uint64_t before = arch_ticks_ordered();

	sample.count = source->read();
	sample.window = arch_ticks_ordered() - before;
	sample.ticks = before + sample.window / 2;
	return sample;
}

void clock_measure_start(struct clock_measure *measure, struct clock_source *reference)
{
	*measure = (struct clock_measure){ .reference = reference };
	measure->first = sample_once(reference);
	/* The shortest of a few, since the host may interrupt any of them. */
	for (unsigned i = 1; i < SAMPLE_TRIES; i++) {
		struct clock_sample sample = sample_once(reference);

		if (sample.window < measure->first.window)
			measure->first = sample;
	}
	measure->last = measure->first;
}

/* The next interval begins with SAMPLE. */
static void restart(struct clock_measure *measure, const struct clock_sample *sample)
{
	measure->first = *sample;
	measure->first_count = measure->count;
}

/*
 * Adds the counts since the last sample to measure->count. False when the number of wraps since then is not certain: then
 * what was added is a lower bound, or within the error that hz had.
 */
static bool count_advance(struct clock_measure *measure, struct clock_sample *sample)
{
	struct clock_source *reference = measure->reference;
	uint64_t mask = source_mask(reference), delta = (sample->count - measure->last.count) & mask;
	bool certain = true;

	if (!measure->hz && reference->wrapped && reference->wrapped()) {
		if (sample->count >= measure->last.count)
			delta += mask + 1;
		reference->probe(reference);
		*sample = sample_once(reference);
		certain = false;
	} else if (measure->hz && reference->bits < 64) {
		uint64_t expected = mul_div(sample->ticks - measure->last.ticks, reference->hz, measure->hz);

		certain = mul_div(expected, measure->error, 1000000) < mask / 4;
		if (expected > delta)
			delta += (expected - delta + mask / 2) & ~mask;
	}
	measure->count += delta;
	measure->last = *sample;
	return certain;
}

/* What the interval from first to last says; true when that is better than what there was. */
static bool estimate(struct clock_measure *measure)
{
	uint64_t ticks = measure->last.ticks - measure->first.ticks, count = measure->count - measure->first_count;
	uint64_t window = (measure->first.window + measure->last.window) / 2;
	uint64_t hz = mul_div(ticks, measure->reference->hz, count);
	uint64_t error = window * 1000000 / MAX(ticks, 1ul) + 1000000 / MAX(count, 1ul) + 1;
	uint64_t differs = hz > measure->hz ? hz - measure->hz : measure->hz - hz;

	if (hz < HZ_MIN || hz > HZ_MAX || (measure->hz && differs * 1000000 / measure->hz > measure->error + error)) {
		restart(measure, &measure->last);
		return false;
	}
	if (error >= (measure->hz ? measure->error : CLOCK_ERROR_MAX))
		return false;
	measure->hz = hz;
	measure->error = (unsigned)error;
	return true;
}

bool clock_measure_update(struct clock_measure *measure)
{
	uint64_t count_min = measure->reference->hz / (NSEC_PER_SEC / NS_MIN);

	for (unsigned i = 0; i < SAMPLE_TRIES; i++) {
		struct clock_sample sample = sample_once(measure->reference);

		if (!count_advance(measure, &sample)) {
			restart(measure, &sample);
			return false;
		}
		if (measure->count - measure->first_count < count_min)
			return false;
		if (estimate(measure))
			return true;
	}
	/* Should it be the first reading that was disturbed, a later one may serve better. */
	if (!measure->hz && measure->last.window < measure->first.window / 2)
		restart(measure, &measure->last);
	return false;
}
