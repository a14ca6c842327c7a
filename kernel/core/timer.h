/*
 * One-shot timers with nanosecond deadlines on the monotonic clock. Per CPU, O(log n). fn runs in hard interrupt context
 * on the CPU that armed the timer, at or after the deadline, never before.
 */
#ifndef KERNEL_CORE_TIMER_H
#define KERNEL_CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch/arch.h"
#include "lib/rbtree.h"

struct timer {
	struct rb_node node;
	uint64_t deadline; /* clock_monotonic() */
	void (*fn)(struct timer *timer);
	unsigned cpu;
	bool armed;
};

void timer_init(struct timer *timer, void (*fn)(struct timer *timer));
/* (Re)arms it on this CPU. The owner of a timer serialises its calls of timer_set; any context, fn included. */
void timer_set(struct timer *timer, uint64_t deadline);
/*
 * True when it was armed; it will not run then. Otherwise it has run, or runs on another CPU. timer_cancel_sync waits for
 * that, so do not call it from fn or with a lock that fn takes. fn may free the timer.
 */
bool timer_cancel(struct timer *timer);
bool timer_cancel_sync(struct timer *timer);

/* A CPU's timers, before it runs: names their lock. */
void timer_prepare(uintptr_t percpu_delta);
/* VECTOR_TIMER on this CPU, between irq_enter and irq_exit: runs what is due, arms the next. */
void timer_interrupt(void);
/*
 * For the scheduler; this CPU, interrupts disabled: an interrupt at DEADLINE or before is wanted. It costs nothing while an
 * earlier one is armed, and is not taken back: timer_interrupt asks sched_tick what it still needs.
 */
extern uint64_t timer_armed; /* per-CPU; the deadline that the hardware is armed for, 0: none */
static inline bool timer_is_armed(uint64_t deadline)
{
	return percpu_read(timer_armed) - 1 < deadline;
}
void timer_want(uint64_t deadline, uint64_t now);

#endif
