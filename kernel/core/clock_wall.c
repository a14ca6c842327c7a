/* Wall time: the monotonic clock plus an offset, which the first question takes from the machine. */
#include <limits.h>

#include "kernel/arch/arch.h"
#include "kernel/core/clock.h"
#include "kernel/core/log.h"
#include "lib/util.h"

static enum {
	UNKNOWN,
	READING,
	KNOWN,
} state;		/* atomic */
static uint64_t offset; /* atomic */

/* Interrupts disabled. */
static void __attribute__((cold)) offset_read(void)
{
	struct clock_source *source = NULL;
	uint64_t now;

	while ((source = clock_source_below(source ? source->rating : UINT_MAX)))
		if (source->wall && !source->wall(&now))
			break;
	if (source)
		WRITE_ONCE(offset, now - clock_monotonic());
	else
		log_warn("clock: no wall time in this machine; it begins at 1970-01-01");
}

static void __attribute__((cold)) offset_find(void)
{
	unsigned long flags = arch_irq_save();
	unsigned expected = UNKNOWN;

	if (__atomic_compare_exchange_n((unsigned *)&state, &expected, READING, false, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED)) {
		offset_read();
		__atomic_store_n(&state, KNOWN, __ATOMIC_RELEASE);
	}
	while (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != KNOWN)
		arch_cpu_relax();
	arch_irq_restore(flags);
}

uint64_t clock_realtime(void)
{
	if (unlikely(__atomic_load_n(&state, __ATOMIC_ACQUIRE) != KNOWN))
		offset_find();
	return clock_monotonic() + READ_ONCE(offset);
}

void clock_realtime_set(uint64_t ns)
{
	if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != KNOWN)
		offset_find();
	WRITE_ONCE(offset, ns - clock_monotonic());
}
