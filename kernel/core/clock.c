/*
 * The monotonic clock. `line` says how to get from a source's counter to nanoseconds; it changes when the clock starts, when
 * the frequency of the CPU's counter becomes known or known better, and, for counters that wrap, at every reading. At such
 * a change only the slope is new: time goes on from where it was, so it never steps.
 */
#include "kernel/core/clock.h"

#include <limits.h>

#include "kernel/arch/arch.h"
#include "kernel/core/clock_measure.h"
#include "kernel/core/clock_publish.h"
#include "kernel/core/cpu.h"
#include "kernel/core/lock.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/core/timer.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

/* The frequency of a counter that does not tell: for how long ago reset was, and when there is nothing to measure by. */
#define HZ_GUESS 2000000000ul
/* The counter is looked at this long after the start, then after eight times that, and so on, to the last time. */
#define REFINE_FIRST (5 * NSEC_PER_MSEC)
#define REFINE_LAST (3 * NSEC_PER_SEC)
#define LOCK_SPINS 10000000
/* At any frequency that a CPU can have, a reference that has not moved for so many ticks stands still. */
#define TICKS_STUCK 1000000000ul

/*
 * ns + (counter - base) * mult / 2^32. Written under the lock, seq odd while it changes. limit and lockless say who may read
 * without the lock, comparing seq before and after; both are 0 while seq is odd.
 */
static struct {
	unsigned seq;
	uint64_t limit; /* how far arch_ticks() may be from base; 0: the counter is another one */
	struct clock_source *lockless;
	uint64_t base, mult, ns;
	uint32_t fraction; /* of ns, in 2^-32: carried along by readings that move base */
} line;

static unsigned holder; /* atomic: the CPU that has the clock's lock, plus 1 */
/* Under the lock: */
static struct clock_source *current; /* NULL: nobody has asked yet */
static struct clock_measure measure; /* of the CPU's counter; reference is NULL when that is not going on */
static uint64_t refine_interval;
static struct clock_publish *published; /* a copy of the line; NULL: none is wanted */
/* Set: runs on a guess, until a thread comes by that can look for a source to measure the CPU's counter by. Atomic. */
static bool wants_thread;
static struct timer clock_timer; /* set by start, thread_look and clock_source_use, once each, and by itself */

/*
 * False when this CPU has it already (an NMI in the middle of a reading), or another one keeps it for longer than any
 * reading takes: a panic has stopped that one, and its report wants to know the time.
 */
static bool clock_lock(unsigned long *flags)
{
	unsigned self, expected;

	*flags = arch_irq_save();
	self = cpu_self() + 1;
	for (unsigned i = 0; i < LOCK_SPINS; i++) {
		expected = 0;
		if (likely(__atomic_compare_exchange_n(&holder, &expected, self, false, __ATOMIC_ACQUIRE,
						       __ATOMIC_RELAXED)))
			return true;
		if (expected == self)
			break;
		arch_cpu_relax();
	}
	arch_irq_restore(*flags);
	return false;
}

/* For those who must change something; never in an NMI or a panic. */
static void clock_lock_wait(unsigned long *flags)
{
	while (!clock_lock(flags))
		arch_cpu_relax();
}

static void clock_unlock(unsigned long flags)
{
	__atomic_store_n(&holder, 0, __ATOMIC_RELEASE);
	arch_irq_restore(flags);
}

/* Time at COUNT, with the line as it is. A count from before base (CPUs a little out of step) is held at base. */
static inline uint64_t line_at(uint64_t count)
{
	uint64_t delta = count - READ_ONCE(line.base);

	if (unlikely((int64_t)delta < 0))
		delta = 0;
	return READ_ONCE(line.ns) + (uint64_t)((unsigned __int128)delta * READ_ONCE(line.mult) >> 32);
}

/* Moves base on to COUNT. */
static void line_advance(uint64_t count, unsigned bits)
{
	uint64_t delta = count - line.base;
	unsigned __int128 ns;

	if (bits < 64)
		delta &= (1ul << bits) - 1;
	else if ((int64_t)delta < 0)
		return;
	ns = (unsigned __int128)delta * line.mult + line.fraction;
	line.base = count;
	WRITE_ONCE(line.ns, line.ns + (uint64_t)(ns >> 32));
	line.fraction = (uint32_t)ns;
}

/*
 * Between these two no reading without the lock succeeds, nor one of the copy. The last store of line_close is seen by all
 * CPUs, and so are those before it, before the counter is read that the line then begins with.
 */
static void line_close(void)
{
	WRITE_ONCE(line.limit, 0);
	WRITE_ONCE(line.lockless, NULL);
	if (published) {
		WRITE_ONCE(published->limit, 0);
		WRITE_ONCE(published->seq, published->seq + 1);
	}
	__atomic_store_n(&line.seq, line.seq + 1, __ATOMIC_SEQ_CST);
}

/* Only what line_close has closed, or what has never been open. */
static void copy_open(void)
{
	WRITE_ONCE(published->base, line.base);
	WRITE_ONCE(published->mult, line.mult);
	WRITE_ONCE(published->ns, line.ns);
	__atomic_store_n(&published->seq, ALIGN_UP(published->seq, 2), __ATOMIC_RELEASE);
	__atomic_store_n(&published->limit, line.limit, __ATOMIC_RELEASE);
}

static void line_open(struct clock_source *source)
{
	bool in_order = source->bits == 64 && !(source->flags & CLOCK_UNSYNCED) && !wants_thread;

	__atomic_store_n(&line.seq, line.seq + 1, __ATOMIC_RELEASE);
	if (in_order && (source->flags & CLOCK_TICKS))
		WRITE_ONCE(line.limit, INT64_MAX);
	else if (in_order && source != measure.reference)
		WRITE_ONCE(line.lockless, source);
	if (published)
		copy_open();
}

/*
 * Time goes on with SOURCE, which stands at BASE: from now, or from the line's base when the present source is one that
 * measure_locked has just read.
 */
static void source_switch(struct clock_source *source, uint64_t base)
{
	line_close();
	/* Read again: others may have been told the time until now, at a slope that is steeper than the next. */
	if (source == current && (source->flags & CLOCK_TICKS))
		base = arch_ticks_ordered();
	if (source == current)
		line_advance(base, source->bits);
	else if (current && current != measure.reference)
		line_advance(current->read(), current->bits);
	if (source != current)
		line.base = base;
	line.mult = (NSEC_PER_SEC << 32) / source->hz;
	WRITE_ONCE(current, source);
	line_open(source);
	if (source->flags & CLOCK_TICKS)
		arch_ticks_hz_set(source->hz);
}

/* Nanoseconds since reset, more or less. */
static uint64_t clock_guess(void)
{
	return arch_ticks() / (HZ_GUESS / NSEC_PER_SEC);
}

/*
 * The best source that is there and knows its frequency, among those that THREAD only can look for, or the others. NULL when
 * there is none.
 */
static struct clock_source *source_choose(bool thread)
{
	struct clock_source *source = NULL;

	while ((source = clock_source_below(source ? source->rating : UINT_MAX)))
		if (source->probe && thread == !!(source->flags & CLOCK_THREAD) && !source->probe(source) && source->hz)
			return source;
	return NULL;
}

/* Nothing to measure TICKS by, so far: runs on what its frequency may be. */
static void __attribute__((cold)) guess_locked(struct clock_source *ticks)
{
	wants_thread = true;
	ticks->hz = ticks->hz_rough ? ticks->hz_rough : HZ_GUESS;
	source_switch(ticks, arch_ticks_ordered());
	measure.reference = NULL;
}

/*
 * One look at the reference. Before the first estimate its counts may be the clock, which then goes over to the CPU's
 * counter; later estimates change the slope.
 */
static void measure_locked(void)
{
	bool serves = current == measure.reference, better = clock_measure_update(&measure);
	struct clock_source *ticks = clock_source_ticks();

	if (serves)
		line_advance(measure.count, 64);
	if (better) {
		ticks->hz = measure.hz;
		source_switch(ticks, serves ? measure.last.ticks : arch_ticks_ordered());
	} else if (unlikely(serves && !measure.count && measure.last.ticks - measure.first.ticks > TICKS_STUCK)) {
		guess_locked(ticks);
	}
}

/* SOURCE: the best that was found without a thread, NULL: none. */
static void start_locked(struct clock_source *source)
{
	struct clock_source *ticks = clock_source_ticks();

	if (source && (source->flags & CLOCK_FROM_RESET)) {
		source_switch(source, 0);
		return;
	}
	line.ns = clock_guess();
	if (source && ticks) {
		clock_measure_start(&measure, source);
		refine_interval = REFINE_FIRST;
		source_switch(source, 0);
	} else if (source) {
		source_switch(source, source->read());
	} else if (ticks) {
		guess_locked(ticks);
	} else {
		panic("clock: no source");
	}
}

static uint64_t read_locked(void)
{
	if (unlikely(!current)) {
		start_locked(source_choose(false));
		if (measure.reference)
			return line.ns;
	}
	if (line.limit || line.lockless)
		return line_at(current->read());
	if (current == measure.reference)
		measure_locked();
	else
		line_advance(current->read(), current->bits);
	return line.ns;
}

/* When the timer must look at the clock again, UINT64_MAX: no more. */
static uint64_t next_look_locked(uint64_t now)
{
	if (measure.reference && refine_interval < REFINE_LAST)
		return now + refine_interval;
	measure.reference = NULL;
	if (current->bits < 64)
		return now + (uint64_t)((unsigned __int128)line.mult << (current->bits - 1) >> 32);
	return UINT64_MAX;
}

static void timer_look(struct timer *timer)
{
	bool measuring, settled;
	unsigned long flags;
	uint64_t now, next;

	clock_lock_wait(&flags);
	measuring = measure.reference && measure.reference != current;
	now = read_locked();
	if (measuring) {
		measure_locked();
		refine_interval *= measure.hz ? 8 : 1;
	}
	next = next_look_locked(now);
	settled = measuring && !measure.reference;
	clock_unlock(flags);
	if (next != UINT64_MAX)
		timer_set(timer, next);
	if (settled)
		log_info("clock: %s at %lu kHz, within %u ppm", current->name, measure.hz / 1000, measure.error);
}

static void timer_start(uint64_t deadline)
{
	timer_init(&clock_timer, timer_look);
	if (deadline != UINT64_MAX)
		timer_set(&clock_timer, deadline);
}

/* Looks for a reference among the sources that need a thread. */
static void __attribute__((cold)) thread_look(void)
{
	struct clock_source *source;
	unsigned long flags;
	uint64_t next;

	if (!__atomic_exchange_n(&wants_thread, false, __ATOMIC_RELAXED))
		return;
	source = source_choose(true);
	if (!source)
		log_warn("clock: nothing tells the frequency of the CPU's counter; it is taken for %lu MHz",
			 current->hz / 1000000);
	timer_cancel_sync(&clock_timer);
	clock_lock_wait(&flags);
	read_locked();
	if (source) {
		clock_measure_start(&measure, source);
		refine_interval = REFINE_FIRST;
	}
	source_switch(current, line.base);
	next = next_look_locked(line.ns);
	clock_unlock(flags);
	timer_start(next);
}

static uint64_t __attribute__((noinline)) read_slowly(void)
{
	bool thread = arch_irq_is_enabled() && !percpu_read(preempt_count), starts;
	unsigned seq = __atomic_load_n(&line.seq, __ATOMIC_ACQUIRE);
	struct clock_source *source = READ_ONCE(line.lockless);
	unsigned long flags;
	uint64_t now, next;

	if (source) {
		now = line_at(source->read());
		if (likely(seq == READ_ONCE(line.seq)))
			return now;
	}
	if (!clock_lock(&flags))
		return READ_ONCE(line.ns);
	starts = !current;
	now = read_locked();
	next = starts ? next_look_locked(now) : UINT64_MAX;
	clock_unlock(flags);
	if (starts)
		timer_start(next);
	if (unlikely(READ_ONCE(wants_thread)) && thread)
		thread_look();
	return now;
}

uint64_t clock_monotonic(void)
{
	unsigned seq = __atomic_load_n(&line.seq, __ATOMIC_ACQUIRE);
	uint64_t delta = arch_ticks_ordered() - READ_ONCE(line.base);

	if (likely(delta < READ_ONCE(line.limit))) {
		uint64_t ns = READ_ONCE(line.ns) + (uint64_t)((unsigned __int128)delta * READ_ONCE(line.mult) >> 32);

		if (likely(seq == READ_ONCE(line.seq)))
			return ns;
	}
	return read_slowly();
}

uint64_t clock_log(void)
{
	return READ_ONCE(current) ? clock_monotonic() : clock_guess();
}

void clock_line_publish(struct clock_publish *to)
{
	unsigned long flags;

	clock_lock_wait(&flags);
	published = to;
	copy_open();
	clock_unlock(flags);
}

const struct clock_source *clock_source_current(void)
{
	return READ_ONCE(current);
}

int clock_source_use(const char *name)
{
	struct clock_source *source = NULL;
	unsigned long flags;
	uint64_t next;

	while ((source = clock_source_below(source ? source->rating : UINT_MAX)))
		if (!strcmp(source->name, name))
			break;
	clock_monotonic();
	if (!source || !source->probe)
		return -ENODEV;
	if (READ_ONCE(current) == READ_ONCE(measure.reference))
		return -EBUSY;
	/* To probe the CPU's counter again would forget what has been measured. */
	if (!(source->flags & CLOCK_TICKS && source->hz) && (source->probe(source) || !source->hz))
		return -ENODEV;
	timer_cancel_sync(&clock_timer);
	clock_lock_wait(&flags);
	measure.reference = NULL;
	source_switch(source, source->read());
	next = next_look_locked(line.ns);
	clock_unlock(flags);
	timer_start(next);
	return 0;
}

void clock_delay(uint64_t ns)
{
	uint64_t end = clock_monotonic() + ns;

	while (clock_monotonic() < end)
		arch_cpu_relax();
}
