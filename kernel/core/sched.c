/*
 * The scheduler's core. Each CPU runs the thread with the least weighted run time; a time slice exists only while another
 * thread waits. See sched.h for the locking.
 *
 *	wake:    sched_wake (wake.c) -> run_queue_insert -> run_queue_preempt, IPI or timer_want
 *	give up: sched_block, thread_yield, sched_leave -> switch_to -> (next thread) switch_done
 *	forced:  timer_interrupt -> sched_tick, or IPI; then sched_preempt_irq or preempt_enable -> preempt
 */
#include "kernel/core/clock.h"
#include "kernel/core/panic.h"
#include "kernel/core/sched.h"

PERCPU(struct thread *, thread_current_);
static PERCPU(unsigned, cpu_to_call);

/*
 * On the stack of the thread that got the CPU: RQ is that CPU's queue, and its lock the one that the previous thread took.
 */
static inline void switch_done(struct run_queue *rq)
{
	struct thread *leaving = rq->leaving;

	if (unlikely(leaving))
		rq->leaving = NULL;
	spin_unlock_noirq(&rq->lock);
	if (unlikely(leaving))
		thread_left(leaving);
}

/* The first in line, taken out of the tree. */
static inline struct thread *first_take(struct run_queue *rq)
{
	struct thread *first = thread_of(rb_first(&rq->tree));

	run_queue_remove(rq, first);
	run_queue_advance(rq, first->vruntime);
	return first;
}

/* Returns when PREVIOUS, which runs and is charged until NOW, has the CPU again; the lock is released then. */
static inline __attribute__((always_inline)) void switch_to(struct run_queue *rq, struct thread *previous,
							    struct thread *next, uint64_t now)
{
	percpu_and(preempt_needed, ~PREEMPT_SWITCH);
	rq->current = next;
	percpu_write(thread_current_, next);
	next->ran_at = now;
	rq->charged_at = arch_ticks();
	rq->slice_end = now + SCHED_SLICE;
	if (unlikely(rq->nr_queued) && !timer_is_armed(rq->slice_end))
		timer_want(rq->slice_end, now);
	lock_check_switch();
	arch_kernel_stack_set(next->stack_bottom, next->stack_top);
	arch_context_switch(&previous->context, &next->context);
	switch_done(previous->queue);
}

/* To the first in line; PREVIOUS is in the tree if it is to go on. */
static __attribute__((noinline)) void switch_away(struct run_queue *rq, uint64_t now)
{
	struct thread *previous = rq->current, *next = rq->nr_queued ? first_take(rq) : rq->idle;

	if (unlikely(next == previous)) {
		percpu_and(preempt_needed, ~PREEMPT_SWITCH);
		spin_unlock_noirq(&rq->lock);
		return;
	}
	if (previous == rq->idle) {
		idle_unmark(rq->cpu);
		cpu_tlb_idle_leave();
	}
	switch_to(rq, previous, next, now);
}

void sched_started(void)
{
	switch_done(percpu_this(run_queue));
}

/* RQ is locked and has nothing to run. NULL when it was unlocked to make the idle thread, which was not there yet. */
static __attribute__((noinline)) struct thread *idle_take(struct run_queue *rq)
{
	run_queue_advance(rq, rq->current->vruntime);
	if (likely(rq->idle))
		return rq->idle;
	spin_unlock_noirq(&rq->lock);
	arch_irq_enable();
	if (idle_ensure() < 0)
		panic("no memory for the idle thread");
	return NULL;
}

void sched_block(void)
{
	struct thread *current = thread_current(), *next;
	struct run_queue *rq;
	uint64_t now;

	lock_check_may_sleep("sched_block");
again:
	arch_irq_disable();
	rq = current->queue;
	spin_lock_noirq(&rq->lock);
	if (unlikely(current->state != THREAD_BLOCKED)) {
		spin_unlock_noirq(&rq->lock);
		sched_irq_enable();
		return;
	}
	now = clock_monotonic();
	thread_charge(current, now);
	next = likely(rq->nr_queued) ? first_take(rq) : idle_take(rq);
	if (unlikely(!next))
		goto again;
	current->on_queue = false;
	switch_to(rq, current, next, now);
	sched_irq_enable();
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

	spin_lock_noirq(&rq->lock);
	now = clock_monotonic();
	run_queue_charge(rq, now);
	current = rq->current;
	if (rb_first(&rq->tree))
		first = thread_of(rb_first(&rq->tree));
	if (current == rq->idle) {
		switch_away(rq, now);
	} else if (unlikely(current->misplaced)) {
		move_away(rq, now);
	} else if (first && (yield || vruntime_is_before(first->vruntime, current->vruntime))) {
		if (vruntime_is_before(current->vruntime, first->vruntime))
			current->vruntime = first->vruntime; /* equal ones keep the order in which they came */
		thread_was_switched(current);
		run_queue_insert(rq, current);
		switch_away(rq, now);
	} else {
		percpu_and(preempt_needed, ~PREEMPT_SWITCH);
		spin_unlock_noirq(&rq->lock);
	}
}

/* Locked, because other CPUs set PREEMPT_SWITCH in the same word. */
static void cpu_call_now(void)
{
	__atomic_fetch_and(percpu_this(preempt_needed), ~PREEMPT_CALL, __ATOMIC_RELAXED);
	cpu_reschedule(percpu_read(cpu_to_call));
}

void cpu_call_later(unsigned cpu)
{
	if (percpu_read(preempt_needed) & PREEMPT_CALL)
		cpu_call_now();
	percpu_write(cpu_to_call, cpu);
	__atomic_fetch_or(percpu_this(preempt_needed), PREEMPT_CALL, __ATOMIC_RELAXED);
}

void sched_preempt_irq(void)
{
	unsigned needed;

	while (unlikely((needed = percpu_read(preempt_needed)))) {
		if (needed & PREEMPT_CALL)
			cpu_call_now();
		else if (percpu_read(preempt_count) == 0)
			preempt(false);
		else
			break;
	}
}

void preempt_reschedule(void)
{
	if (arch_irq_is_enabled()) {
		arch_irq_disable();
		sched_preempt_irq();
		arch_irq_enable();
	} else if (percpu_read(preempt_needed) & PREEMPT_CALL) {
		cpu_call_now();
	}
}

void thread_yield(void)
{
	lock_check_may_sleep("thread_yield");
	arch_irq_disable();
	preempt(true);
	sched_irq_enable();
}

uint64_t sched_tick(uint64_t now)
{
	struct run_queue *rq = percpu_this(run_queue);
	struct thread *current;
	uint64_t next = UINT64_MAX;

	spin_lock_noirq(&rq->lock);
	current = rq->current;
	/* An idle thread gives way without a slice: preempt_needed is set already. */
	if (rq->nr_queued && current != rq->idle) {
		run_queue_charge(rq, now);
		if (now >= rq->slice_end) {
			rq->slice_end = now + SCHED_SLICE;
			if (vruntime_is_before(thread_of(rb_first(&rq->tree))->vruntime, current->vruntime))
				run_queue_preempt(rq);
		}
		next = rq->slice_end;
	}
	spin_unlock_noirq(&rq->lock);
	return next;
}

/*
 * Another CPU has put a thread on our queue, or (an idle CPU) wants us to look for work. If the thread is to run at once,
 * preempt_needed is set too; what is left to do here is the slice.
 */
void sched_reschedule_ipi(void)
{
	struct run_queue *rq = percpu_this(run_queue);

	spin_lock_noirq(&rq->lock);
	if (rq->nr_queued && rq->current != rq->idle)
		timer_want(rq->slice_end, clock_monotonic());
	spin_unlock_noirq(&rq->lock);
}
