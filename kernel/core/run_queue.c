/* Run queues: their locks, and what each thread has used. See sched.h. */
#include "kernel/core/sched.h"

PERCPU(struct run_queue, run_queue);
uint64_t idle_cpus[CPU_MAX / 64];

bool run_queue_less(const struct rb_node *a, const struct rb_node *b)
{
	return vruntime_is_before(container_of(a, struct thread, run_node)->vruntime,
				  container_of(b, struct thread, run_node)->vruntime);
}

struct run_queue *run_queue_lock(struct thread *thread)
{
	for (;;) {
		struct run_queue *rq = READ_ONCE(thread->queue);

		spin_lock_noirq(&rq->lock);
		if (likely(thread->queue == rq))
			return rq;
		spin_unlock_noirq(&rq->lock);
	}
}

void run_queue_lock_both(struct run_queue *a, struct run_queue *b)
{
	spin_lock_noirq(a < b ? &a->lock : &b->lock);
	if (a != b)
		spin_lock_noirq(a < b ? &b->lock : &a->lock);
}

void run_queue_unlock_both(struct run_queue *a, struct run_queue *b)
{
	if (a != b)
		spin_unlock_noirq(&b->lock);
	spin_unlock_noirq(&a->lock);
}

void run_queue_move(struct run_queue *from, struct run_queue *to, struct thread *thread)
{
	thread->vruntime += to->min_vruntime - from->min_vruntime;
	thread->queue = to;
	thread->misplaced = !cpu_is_in(thread->affinity, to->cpu);
	thread_was_switched(thread);
}

void run_queue_charge(struct run_queue *rq, uint64_t now)
{
	struct thread *current = rq->current;
	struct rb_node *first = rb_first(&rq->tree);
	uint64_t least;

	rq->charged_at = arch_ticks();
	thread_charge(current, now);
	if (current == rq->idle)
		return;
	least = current->vruntime;
	if (first && vruntime_is_before(thread_of(first)->vruntime, least))
		least = thread_of(first)->vruntime;
	run_queue_advance(rq, least);
}

void idle_unmark(unsigned cpu)
{
	__atomic_fetch_and(&idle_cpus[cpu / 64], ~(1ul << cpu % 64), __ATOMIC_RELAXED);
}

void run_queue_preempt(struct run_queue *rq)
{
	__atomic_fetch_or(percpu_at(cpus[rq->cpu].percpu_delta, preempt_needed), PREEMPT_SWITCH, __ATOMIC_RELAXED);
}
