/*
 * Timers. Each CPU has a tree of those that were armed on it, and one hardware deadline. The hardware may be armed for
 * less than anybody still waits for (a timer was cancelled, a time slice not used up): the interrupt then finds nothing to
 * do and arms the next deadline, which is cheaper than to arm the hardware at every change.
 */
#include "kernel/core/timer.h"

#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/core/lock.h"
#include "kernel/core/panic.h"
#include "kernel/core/sched.h"

/* Timers run by one interrupt; the rest waits for the next one, which follows at once but lets others in between. */
#define BATCH 32

struct timer_queue {
	struct spinlock lock;  /* covers tree, and cpu, armed, deadline of the timers whose cpu this is */
	struct rb_tree tree;   /* by deadline */
	struct timer *running; /* atomic; its fn runs on this CPU now */
};

static PERCPU(struct timer_queue, timers);
PERCPU(uint64_t, timer_armed);

static bool timer_less(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct timer, node)->deadline < container_of(b, struct timer, node)->deadline;
}

static struct timer_queue *queue_of(unsigned cpu)
{
	return percpu_at(cpus[cpu].percpu_delta, timers);
}

static struct timer *timer_first(const struct timer_queue *queue)
{
	struct rb_node *node = rb_first(&queue->tree);

	return node ? container_of(node, struct timer, node) : NULL;
}

/* The queue that TIMER belongs to, locked. Interrupts disabled. */
static struct timer_queue *queue_lock(struct timer *timer)
{
	for (;;) {
		unsigned cpu = READ_ONCE(timer->cpu);
		struct timer_queue *queue = queue_of(cpu);

		spin_lock_noirq(&queue->lock);
		if (likely(timer->cpu == cpu))
			return queue;
		spin_unlock_noirq(&queue->lock);
	}
}

/* True when it was armed. */
static bool timer_remove(struct timer_queue *queue, struct timer *timer)
{
	bool armed = timer->armed;

	if (armed)
		rb_remove(&queue->tree, &timer->node);
	timer->armed = false;
	return armed;
}

void timer_prepare(uintptr_t percpu_delta)
{
	spin_init(&percpu_at(percpu_delta, timers)->lock, "timers");
}

void timer_init(struct timer *timer, void (*fn)(struct timer *timer))
{
	*timer = (struct timer){ .fn = fn };
}

void timer_want(uint64_t deadline, uint64_t now)
{
	if (timer_is_armed(deadline))
		return;
	percpu_write(timer_armed, deadline);
	arch_timer_arm(deadline > now ? deadline - now : 0);
}

void timer_set(struct timer *timer, uint64_t deadline)
{
	unsigned long flags = arch_irq_save();
	struct timer_queue *own = percpu_this(timers), *queue = queue_lock(timer);
	bool first;

	timer_remove(queue, timer);
	if (queue != own) {
		timer->cpu = cpu_self();
		spin_unlock_noirq(&queue->lock);
		spin_lock_noirq(&own->lock);
	}
	timer->deadline = deadline;
	timer->armed = true;
	rb_insert(&own->tree, &timer->node, timer_less);
	first = timer_first(own) == timer;
	spin_unlock_noirq(&own->lock);
	if (first)
		timer_want(deadline, clock_monotonic());
	arch_irq_restore(flags);
}

bool timer_cancel(struct timer *timer)
{
	unsigned long flags = arch_irq_save();
	struct timer_queue *queue = queue_lock(timer);
	bool armed = timer_remove(queue, timer);

	spin_unlock_noirq(&queue->lock);
	arch_irq_restore(flags);
	return armed;
}

/* Its fn may run on another CPU than the one where it is armed now, so every CPU is asked. */
bool timer_cancel_sync(struct timer *timer)
{
	bool armed = timer_cancel(timer);

	DEBUG_BUG_ON(percpu_this(timers)->running == timer);
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		while (__atomic_load_n(&queue_of(cpu)->running, __ATOMIC_ACQUIRE) == timer)
			arch_cpu_relax();
	return armed;
}

/* Runs the timers that were due at NOW; returns the deadline of the next one, UINT64_MAX when there is none. */
static uint64_t timers_run(struct timer_queue *queue, uint64_t now)
{
	struct timer *timer;
	uint64_t next;

	spin_lock_noirq(&queue->lock);
	for (unsigned i = 0; i < BATCH; i++) {
		timer = timer_first(queue);
		if (!timer || timer->deadline > now)
			break;
		timer_remove(queue, timer);
		__atomic_store_n(&queue->running, timer, __ATOMIC_RELAXED);
		spin_unlock_noirq(&queue->lock);
		timer->fn(timer);
		spin_lock_noirq(&queue->lock);
		__atomic_store_n(&queue->running, NULL, __ATOMIC_RELEASE);
	}
	timer = timer_first(queue);
	next = timer ? timer->deadline : UINT64_MAX;
	spin_unlock_noirq(&queue->lock);
	return next;
}

void timer_interrupt(void)
{
	struct timer_queue *queue = percpu_this(timers);
	uint64_t now, next, tick;

	percpu_write(timer_armed, 0);
	next = timers_run(queue, clock_monotonic());
	now = clock_monotonic();
	tick = sched_tick(now);
	next = MIN(next, tick);
	if (next != UINT64_MAX)
		timer_want(next, now);
}
