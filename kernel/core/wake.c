/* Waking: where a thread goes on, and whether it takes the CPU from who runs there. */
#include "kernel/core/clock.h"
#include "kernel/core/panic.h"
#include "kernel/core/sched.h"

/* A woken thread takes the CPU at once from one that is this far ahead of it ... */
#define WAKE_LEAD (1 * NSEC_PER_MSEC)
/* ... and has, however long it slept, not more than this to its credit. */
#define SLEEPER_CREDIT (2 * NSEC_PER_MSEC)
/* At any frequency of arch_ticks() far less than WAKE_LEAD. */
#define SHORT_TICKS 100000

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

static __attribute__((cold)) struct run_queue *anywhere(const struct thread *thread)
{
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		if (cpus[cpu].online && cpu_is_in(thread->affinity, cpu))
			return run_queue_of(cpu);
	panic("thread %u (%s) may run on no CPU", thread->id, thread->name);
}

/* Where to run it: where it ran if that is idle, else where nothing runs, else where it ran, else where it may. */
static struct run_queue *queue_choose(const struct thread *thread, struct run_queue *previous)
{
	bool misplaced = READ_ONCE(thread->misplaced);
	int idle;

	if (!misplaced && cpu_is_in(idle_cpus, previous->cpu))
		return previous;
	idle = idle_cpu_find(thread->affinity);
	if (idle >= 0)
		return run_queue_of((unsigned)idle);
	return misplaced ? anywhere(thread) : previous;
}

/*
 * THREAD has come into the tree of RQ: does it take the CPU, and if not, is there a slice? Who runs is charged first,
 * because the comparison is with what it has used by now. True when the CPU, another one, has to hear of it.
 */
static __attribute__((noinline)) bool preempt_decide(struct run_queue *rq, struct thread *thread)
{
	bool own = rq->cpu == cpu_self();
	uint64_t now;

	if (rq->current == rq->idle) {
		idle_unmark(rq->cpu);
		run_queue_preempt(rq);
		return !own;
	}
	now = clock_monotonic();
	run_queue_charge(rq, now);
	if (rq->nr_queued == 1)
		rq->slice_end = now + SCHED_SLICE;
	if (own)
		timer_want(rq->slice_end, now);
	if (!vruntime_is_before(thread->vruntime + WAKE_LEAD, rq->current->vruntime))
		return !own && rq->nr_queued == 1;
	run_queue_preempt(rq);
	return !own;
}

/* Who was charged a moment ago (in SHORT_TICKS nothing can change much) and has its slice goes on without a decision. */
static inline bool keeps_running(struct run_queue *rq, struct thread *thread)
{
	return rq->cpu == cpu_self() && rq->current != rq->idle && arch_ticks() - rq->charged_at < SHORT_TICKS &&
	       timer_is_armed(rq->slice_end) &&
	       !vruntime_is_before(thread->vruntime + WAKE_LEAD, rq->current->vruntime);
}

/* RQ is the thread's and locked. False when it was not blocked. *INTERRUPT: preempt_decide said so. */
static inline __attribute__((always_inline)) bool wake_locked(struct run_queue *rq, struct thread *thread,
							      bool *interrupt)
{
	uint64_t floor = rq->min_vruntime - SLEEPER_CREDIT;

	if (unlikely(thread->state != THREAD_BLOCKED))
		return false;
	thread->state = THREAD_RUNNABLE;
	if (unlikely(thread->on_queue))
		return true;
	if (vruntime_is_before(thread->vruntime, floor))
		thread->vruntime = floor;
	thread->on_queue = true;
	run_queue_insert(rq, thread);
	if (unlikely(!keeps_running(rq, thread)))
		*interrupt = preempt_decide(rq, thread);
	return true;
}

/*
 * THREAD waits on RQ although a CPU may have gone idle after queue_choose looked: that one looks at nr_queued after it has
 * set its bit, we at its bit after nr_queued. The CPU to call, which will set its bit again; -1: none.
 */
static int idle_cpu_take(const struct run_queue *rq, const struct thread *thread)
{
	int cpu;

	if (rq->current == rq->idle && rq->nr_queued == 1)
		return -1;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	cpu = idle_cpu_find(thread->affinity);
	if (cpu < 0 || (unsigned)cpu == cpu_self())
		return -1;
	idle_unmark((unsigned)cpu);
	return cpu;
}

/* Moves THREAD, if it is blocked on FROM and off the CPU, and may run on TO. Both locked. */
static bool blocked_move(struct thread *thread, struct run_queue *from, struct run_queue *to)
{
	if (thread->queue != from || thread->state != THREAD_BLOCKED || thread->on_queue ||
	    !cpu_is_in(thread->affinity, to->cpu))
		return false;
	run_queue_move(from, to, thread);
	return true;
}

static bool needs_other_queue(const struct thread *thread)
{
	return thread->misplaced && thread->state == THREAD_BLOCKED && !thread->on_queue;
}

/* With more than one CPU. */
static __attribute__((noinline)) bool wake_somewhere(struct thread *thread)
{
	for (;;) {
		struct run_queue *from = READ_ONCE(thread->queue), *to = queue_choose(thread, from);
		struct run_queue *rq = from;
		bool woken, again, interrupt = false;
		int idle = -1;

		run_queue_lock_both(from, to);
		if (to != from && blocked_move(thread, from, to))
			rq = to;
		again = thread->queue != rq || needs_other_queue(thread);
		woken = !again && wake_locked(rq, thread, &interrupt);
		if (woken)
			idle = idle_cpu_take(rq, thread);
		run_queue_unlock_both(from, to);
		if (interrupt)
			cpu_call_later(rq->cpu);
		if (idle >= 0)
			cpu_call_later((unsigned)idle);
		if (!again)
			return woken;
	}
}

bool sched_wake_noirq(struct thread *thread)
{
	struct run_queue *rq = READ_ONCE(thread->queue);
	bool woken, interrupt;

	if (unlikely(nr_cpus_online > 1))
		return wake_somewhere(thread);
	spin_lock_noirq(&rq->lock);
	woken = wake_locked(rq, thread, &interrupt);
	spin_unlock_noirq(&rq->lock);
	return woken;
}

bool sched_wake(struct thread *thread)
{
	unsigned long flags = arch_irq_save();
	bool woken = sched_wake_noirq(thread);

	sched_irq_restore(flags);
	return woken;
}

void thread_work_set(struct thread *thread, unsigned work)
{
	unsigned cpu;

	__atomic_fetch_or(&thread->work, work, __ATOMIC_SEQ_CST);
	if (sched_wake(thread))
		return;
	/* It runs, or will: one that runs on another CPU may be in the application, and comes out of it by an interrupt. */
	cpu = thread_cpu(thread);
	if (cpu != cpu_self() && READ_ONCE(run_queue_of(cpu)->current) == thread)
		cpu_reschedule(cpu);
}
