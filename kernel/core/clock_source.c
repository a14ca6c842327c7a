/* The table of clock sources. */
#include "kernel/core/clock.h"

#include <stddef.h>

struct clock_source *clock_source_below(unsigned rating)
{
	struct clock_source *best = NULL;

	for (struct clock_source *const *entry = clock_sources_start; entry < clock_sources_end; entry++)
		if ((*entry)->rating < rating && (!best || (*entry)->rating > best->rating))
			best = *entry;
	return best;
}

struct clock_source *clock_source_ticks(void)
{
	for (struct clock_source *const *entry = clock_sources_start; entry < clock_sources_end; entry++)
		if ((*entry)->flags & CLOCK_TICKS)
			return *entry;
	return NULL;
}
