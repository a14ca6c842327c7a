/* Wall time: the monotonic clock plus an offset, which the first question takes from the machine. */
#include <limits.h>

#include "kernel/arch/arch.h"
#include "kernel/core/clock.h"
#include "kernel/core/clock_publish.h"
#include "kernel/core/lock.h"
#include "kernel/core/log.h"
#include "lib/util.h"

static enum {
	UNKNOWN,
	READING,
	KNOWN,
} state;		/* atomic */
static uint64_t offset; /* atomic */

static struct spinlock wall_lock = SPINLOCK_INIT("wall clock"); /* covers changes of offset, and: */
static bool is_set;
static struct clock_publish *published; /* a copy; NULL: none is wanted */

/*
 * Of the copy nothing is read between the two stores to has_wall, so nobody finds the new time by one way and then the old
 * one by the other.
 */
static void offset_set(uint64_t value)
{
	unsigned long flags = spin_lock_irqsave(&wall_lock);

	if (published)
		__atomic_store_n(&published->has_wall, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&offset, value, __ATOMIC_RELEASE);
	if (published) {
		__atomic_store_n(&published->wall, value, __ATOMIC_RELEASE);
		__atomic_store_n(&published->has_wall, 1, __ATOMIC_RELEASE);
	}
	is_set = true;
	spin_unlock_irqrestore(&wall_lock, flags);
}

/* Interrupts disabled. */
static void __attribute__((cold)) offset_read(void)
{
	struct clock_source *source = NULL;
	uint64_t now;

	while ((source = clock_source_below(source ? source->rating : UINT_MAX)))
		if (source->wall && !source->wall(&now))
			break;
	if (!source)
		log_warn("clock: no wall time in this machine; it begins at 1970-01-01");
	offset_set(source ? now - clock_monotonic() : 0);
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
	offset_set(ns - clock_monotonic());
}

void clock_publish(struct clock_publish *to)
{
	unsigned long flags;

	clock_line_publish(to);
	flags = spin_lock_irqsave(&wall_lock);
	published = to;
	if (is_set) {
		to->wall = offset;
		__atomic_store_n(&to->has_wall, 1, __ATOMIC_RELEASE);
	}
	spin_unlock_irqrestore(&wall_lock, flags);
}
