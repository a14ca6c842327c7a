/*
 * The scheduler's core. Each CPU runs the thread with the least weighted run time; a time slice exists only while another
 * thread waits. See sched.h for the locking.
 *
 *	wake:    sched_wake -> run_queue_insert -> run_queue_preempt, IPI or timer_want
 *	give up: sched_block, thread_yield, sched_leave -> switch_away -> (next thread) switch_done
 *	forced:  timer_interrupt -> sched_tick, or IPI; then sched_preempt_irq or preempt_enable -> preempt
 */
#include "kernel/core/clock.h"
#include "kernel/core/panic.h"
#include "kernel/core/sched.h"

#define SLICE (4 * NSEC_PER_MSEC)
/* A woken thread takes the CPU at once from one that is this far ahead of it ... */
#define WAKE_LEAD (1 * NSEC_PER_MSEC)
/* ... and has, however long it slept, not more than this to its credit. */
#define SLEEPER_CREDIT (2 * NSEC_PER_MSEC)

PERCPU(struct run_queue, run_queue);
PERCPU(struct thread *, thread_current_);
uint64_t idle_cpus[CPU_MAX / 64];

static inline bool is_before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

static struct thread *thread_of(struct rb_node *node)
{
	return container_of(node, struct thread, run_node);
}

static bool run_less(const struct rb_node *a, const struct rb_node *b)
{
	return is_before(container_of(a, struct thread, run_node)->vruntime,
			 container_of(b, struct thread, run_node)->vruntime);
}

/* ---- Run queues ------------------------------------------------------------------------------------------------- */

struct run_queue *run_queue_lock(struct thread *thread)
{
	for (;;) {
		unsigned cpu = READ_ONCE(thread->cpu);
		struct run_queue *rq = run_queue_of(cpu);

		spin_lock(&rq->lock);
		if (likely(thread->cpu == cpu))
			return rq;
		spin_unlock(&rq->lock);
	}
}

void run_queue_lock_both(struct run_queue *a, struct run_queue *b)
{
	spin_lock(a < b ? &a->lock : &b->lock);
	if (a != b)
		spin_lock(a < b ? &b->lock : &a->lock);
}

void run_queue_unlock_both(struct run_queue *a, struct run_queue *b)
{
	if (a != b)
		spin_unlock(&b->lock);
	spin_unlock(&a->lock);
}

void run_queue_move(struct run_queue *from, struct run_queue *to, struct thread *thread)
{
	thread->vruntime += to->min_vruntime - from->min_vruntime;
	thread->cpu = to->cpu;
}

void run_queue_insert(struct run_queue *rq, struct thread *thread)
{
	rb_insert(&rq->tree, &thread->run_node, run_less);
	WRITE_ONCE(rq->nr_queued, rq->nr_queued + 1);
}

void run_queue_remove(struct run_queue *rq, struct thread *thread)
{
	rb_remove(&rq->tree, &thread->run_node);
	WRITE_ONCE(rq->nr_queued, rq->nr_queued - 1);
}

void run_queue_charge(struct run_queue *rq, uint64_t now)
{
	struct thread *current = rq->current;
	struct rb_node *first = rb_first(&rq->tree);
	uint64_t used = now - current->ran_at, least;

	if (unlikely((int64_t)used <= 0)) /* charged by another CPU since NOW was read */
		return;
	current->ran_at = now;
	current->runtime += used;
	if (current == rq->idle)
		return;
	/* 1024 / weight is inverse_weight / 2^22. */
	current->vruntime += (uint64_t)((unsigned __int128)used * current->inverse_weight >> 22);
	least = current->vruntime;
	if (first && is_before(thread_of(first)->vruntime, least))
		least = thread_of(first)->vruntime;
	if (is_before(rq->min_vruntime, least))
		rq->min_vruntime = least;
}

static void idle_unmark(unsigned cpu)
{
	__atomic_fetch_and(&idle_cpus[cpu / 64], ~(1ul << cpu % 64), __ATOMIC_RELAXED);
}

static void cpu_interrupt(unsigned cpu)
{
	arch_ipi_send(cpus[cpu].apic_id, VECTOR_RESCHEDULE);
}

void run_queue_preempt(struct run_queue *rq)
{
	*percpu_at(cpus[rq->cpu].percpu_delta, preempt_needed) = 1;
	if (rq->cpu != cpu_self())
		cpu_interrupt(rq->cpu);
}

/* ---- Switching -------------------------------------------------------------------------------------------------- */

/* On the stack of the thread that got the CPU. The lock is the one that the previous thread took. */
static inline void switch_done(void)
{
	struct run_queue *rq = percpu_this(run_queue);
	struct thread *leaving = rq->leaving;

	rq->leaving = NULL;
	spin_unlock(&rq->lock);
	if (unlikely(leaving))
		thread_left(leaving);
}

/* To the first in line. The running thread has been charged until NOW, and is in the tree if it is to go on. */
static void switch_away(struct run_queue *rq, uint64_t now)
{
	struct thread *previous = rq->current, *next = rq->idle;
	struct rb_node *first = rb_first(&rq->tree);

	percpu_write(preempt_needed, 0);
	if (first) {
		next = thread_of(first);
		run_queue_remove(rq, next);
	}
	if (unlikely(next == previous)) {
		spin_unlock(&rq->lock);
		return;
	}
	if (previous == rq->idle)
		idle_unmark(rq->cpu);
	next->ran_at = now;
	rq->slice_end = now + SLICE;
	rq->current = next;
	percpu_write(thread_current_, next);
	if (rq->nr_queued)
		timer_want(rq->slice_end, now);
	lock_check_switch();
	arch_kernel_stack_set(next->stack_bottom, next->stack_top);
	arch_context_switch(&previous->context, &next->context);
	switch_done();
}

void sched_started(void)
{
	switch_done();
}

void sched_block(void)
{
	struct thread *current = thread_current();
	unsigned long flags;
	struct run_queue *rq;

	lock_check_may_sleep("sched_block");
	if (unlikely(!percpu_read(run_queue.idle)) && idle_ensure() < 0)
		panic("no memory for the idle thread");
	flags = arch_irq_save();
	rq = percpu_this(run_queue);
	spin_lock(&rq->lock);
	if (current->state == THREAD_BLOCKED) {
		uint64_t now = clock_monotonic();

		run_queue_charge(rq, now);
		current->on_queue = false;
		switch_away(rq, now);
	} else {
		spin_unlock(&rq->lock);
	}
	sched_irq_restore(flags);
}

void sched_leave(struct run_queue *rq)
{
	struct thread *current = rq->current;
	uint64_t now = clock_monotonic();

	run_queue_charge(rq, now);
	current->on_queue = false;
	rq->leaving = current;
	switch_away(rq, now);
	panic("thread %u (%s) runs after its end", current->id, current->name);
}

/* The running thread may not stay on this CPU: whoever runs next wakes it elsewhere. */
static void move_away(struct run_queue *rq, uint64_t now)
{
	rq->current->state = THREAD_BLOCKED;
	rq->current->on_queue = false;
	rq->leaving = rq->current;
	switch_away(rq, now);
}

/* Gives the CPU to who is due; YIELD: to another if there is one. Interrupts disabled. */
static void preempt(bool yield)
{
	struct run_queue *rq = percpu_this(run_queue);
	struct thread *current, *first = NULL;
	uint64_t now;

	spin_lock(&rq->lock);
	now = clock_monotonic();
	run_queue_charge(rq, now);
	current = rq->current;
	if (rb_first(&rq->tree))
		first = thread_of(rb_first(&rq->tree));
	if (current == rq->idle) {
		switch_away(rq, now);
	} else if (unlikely(!cpu_is_in(current->affinity, rq->cpu))) {
		move_away(rq, now);
	} else if (first && (yield || is_before(first->vruntime, current->vruntime))) {
		if (is_before(current->vruntime, first->vruntime))
			current->vruntime = first->vruntime; /* equal ones keep the order in which they came */
		run_queue_insert(rq, current);
		switch_away(rq, now);
	} else {
		percpu_write(preempt_needed, 0);
		spin_unlock(&rq->lock);
	}
}

void preempt_reschedule(void)
{
	if (!arch_irq_is_enabled())
		return;
	arch_irq_disable();
	sched_preempt_irq();
	arch_irq_enable();
}

void sched_preempt_irq(void)
{
	while (unlikely(percpu_read(preempt_needed)) && percpu_read(preempt_count) == 0)
		preempt(false);
}

void thread_yield(void)
{
	unsigned long flags = arch_irq_save();

	lock_check_may_sleep("thread_yield");
	preempt(true);
	arch_irq_restore(flags);
}

uint64_t sched_tick(uint64_t now)
{
	struct run_queue *rq = percpu_this(run_queue);
	struct thread *current;
	uint64_t next = UINT64_MAX;

	spin_lock(&rq->lock);
	current = rq->current;
	/* An idle thread gives way without a slice: preempt_needed is set already. */
	if (rq->nr_queued && current != rq->idle) {
		run_queue_charge(rq, now);
		if (!is_before(now, rq->slice_end)) {
			rq->slice_end = now + SLICE;
			if (is_before(thread_of(rb_first(&rq->tree))->vruntime, current->vruntime))
				percpu_write(preempt_needed, 1);
		}
		next = rq->slice_end;
	}
	spin_unlock(&rq->lock);
	return next;
}

/*
 * Another CPU has put a thread on our queue, or (an idle CPU) wants us to look for work. If the thread is to run at once,
 * preempt_needed is set too; what is left to do here is the slice.
 */
void sched_reschedule_ipi(void)
{
	struct run_queue *rq = percpu_this(run_queue);

	spin_lock(&rq->lock);
	if (rq->nr_queued && rq->current != rq->idle)
		timer_want(rq->slice_end, clock_monotonic());
	spin_unlock(&rq->lock);
}

/* ---- Waking ----------------------------------------------------------------------------------------------------- */

/* A CPU that is in all of idle_cpus and MASK; -1 when there is none. */
static int idle_cpu_find(const uint64_t *mask)
{
	for (unsigned i = 0; i < (nr_cpus + 63) / 64; i++) {
		uint64_t both =
			__atomic_load_n(&idle_cpus[i], __ATOMIC_RELAXED) & __atomic_load_n(&mask[i], __ATOMIC_RELAXED);

		if (both)
			return (int)(i * 64 + (unsigned)__builtin_ctzl(both));
	}
	return -1;
}

/* Where to run it: where it ran if that is idle, else where nothing runs, else where it ran, else where it may. */
static unsigned wake_cpu(const struct thread *thread, unsigned previous)
{
	bool allowed = cpu_is_in(thread->affinity, previous);
	int idle;

	if (__atomic_load_n(&nr_cpus_online, __ATOMIC_RELAXED) == 1 && allowed)
		return previous;
	if (allowed && cpu_is_in(idle_cpus, previous))
		return previous;
	idle = idle_cpu_find(thread->affinity);
	if (idle >= 0)
		return (unsigned)idle;
	if (allowed)
		return previous;
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		if (cpus[cpu].online && cpu_is_in(thread->affinity, cpu))
			return cpu;
	panic("thread %u (%s) may run on no CPU", thread->id, thread->name);
}

/*
 * THREAD has come into the tree of RQ: does it take the CPU, and if not, is there a slice? Who runs there is charged
 * first, because the comparison is with what it has used by now.
 */
static void wake_preempt(struct run_queue *rq, struct thread *thread)
{
	bool own = rq->cpu == cpu_self();
	uint64_t now;

	if (rq->current == rq->idle) {
		idle_unmark(rq->cpu);
		run_queue_preempt(rq);
		return;
	}
	now = clock_monotonic();
	run_queue_charge(rq, now);
	if (rq->nr_queued == 1)
		rq->slice_end = now + SLICE;
	if (is_before(thread->vruntime + WAKE_LEAD, rq->current->vruntime))
		run_queue_preempt(rq);
	else if (!own && rq->nr_queued == 1)
		cpu_interrupt(rq->cpu);
	if (own)
		timer_want(rq->slice_end, now);
}

/* A CPU went idle after wake_cpu looked: it looks at nr_queued after it set its bit, we at its bit after nr_queued. */
static void wake_idle(const struct thread *thread)
{
	int cpu;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	cpu = idle_cpu_find(thread->affinity);
	if (cpu >= 0 && (unsigned)cpu != cpu_self())
		cpu_interrupt((unsigned)cpu);
}

static void wake_on(struct run_queue *from, struct run_queue *to, struct thread *thread)
{
	uint64_t floor;

	if (from != to)
		run_queue_move(from, to, thread);
	floor = to->min_vruntime - SLEEPER_CREDIT;
	if (is_before(thread->vruntime, floor))
		thread->vruntime = floor;
	thread->on_queue = true;
	run_queue_insert(to, thread);
	wake_preempt(to, thread);
	if (unlikely(nr_cpus_online > 1) && (to->current != to->idle || to->nr_queued > 1))
		wake_idle(thread);
}

bool sched_wake(struct thread *thread)
{
	unsigned long flags = arch_irq_save();
	struct run_queue *from, *to;
	bool blocked;

	for (;;) {
		unsigned cpu = READ_ONCE(thread->cpu), target = wake_cpu(thread, cpu);

		from = run_queue_of(cpu);
		to = run_queue_of(target);
		run_queue_lock_both(from, to);
		if (likely(thread->cpu == cpu && cpu_is_in(thread->affinity, target)))
			break;
		run_queue_unlock_both(from, to);
	}
	blocked = thread->state == THREAD_BLOCKED;
	if (blocked) {
		thread->state = THREAD_RUNNABLE;
		if (!thread->on_queue)
			wake_on(from, to, thread);
	}
	run_queue_unlock_both(from, to);
	sched_irq_restore(flags);
	return blocked;
}
