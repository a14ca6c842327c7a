/* What a CPU does when it has nothing to do: frees the dead, steals work, sleeps until an interrupt. */
#include "kernel/core/clock.h"
#include "kernel/core/sched.h"
#include "lib/errno.h"

/* How far into another CPU's queue to look for a thread that may run here. */
#define STEAL_DEPTH 16

PERCPU(struct thread, idle_thread);

static void idle_start(void *arg)
{
	(void)arg;
	sched_started();
	idle_loop();
}

static void idle_init(struct thread *thread, struct run_queue *rq, void *stack_bottom)
{
	thread_prepare(thread, "idle");
	thread->queue = rq;
	thread->on_queue = true; /* never in a tree, never woken */
	thread->stack_bottom = (uintptr_t)stack_bottom;
	thread->stack_top = thread->stack_bottom + thread_memory_ops.stack_size;
}

int idle_ensure(void)
{
	struct run_queue *rq;
	void *stack;

	if (likely(percpu_read(run_queue.idle)))
		return 0;
	/* Only the boot CPU gets here, and before any other thread exists: the calling one stays where it is. */
	stack = thread_memory_ops.stack_alloc();
	if (!stack)
		return -ENOMEM;
	rq = percpu_this(run_queue);
	idle_init(percpu_this(idle_thread), rq, stack);
	arch_context_init(&percpu_this(idle_thread)->context, (void *)percpu_this(idle_thread)->stack_top, idle_start,
			  NULL);
	rq->idle = percpu_this(idle_thread);
	return 0;
}

void idle_prepare(const struct cpu *cpu, void *stack_bottom)
{
	struct run_queue *rq = run_queue_of(cpu->nr);
	struct thread *thread = percpu_at(cpu->percpu_delta, idle_thread);

	spin_init(&rq->lock, "run_queue");
	timer_prepare(cpu->percpu_delta);
	rq->cpu = cpu->nr;
	idle_init(thread, rq, stack_bottom);
	rq->idle = rq->current = thread;
	*percpu_at(cpu->percpu_delta, thread_current_) = thread;
}

void sched_start_cpu(void)
{
	struct thread *self = thread_current();

	self->ran_at = clock_monotonic();
	arch_kernel_stack_set(self->stack_bottom, self->stack_top);
	arch_irq_enable();
	idle_loop();
}

/* The thread in FROM's queue that waits longest, of those that may run on CPU. FROM locked. */
static struct thread *steal_pick(struct run_queue *from, unsigned cpu)
{
	struct rb_node *node = rb_first(&from->tree);

	for (unsigned i = 0; node && i < STEAL_DEPTH; i++, node = rb_next(node)) {
		struct thread *thread = container_of(node, struct thread, run_node);

		if (cpu_is_in(thread->affinity, cpu))
			return thread;
	}
	return NULL;
}

/* How many threads wait on RQ. One that was given to an idle CPU does not wait for long. */
static unsigned nr_waiting(const struct run_queue *rq)
{
	unsigned n = READ_ONCE(rq->nr_queued);

	return n && READ_ONCE(rq->current) == rq->idle ? n - 1 : n;
}

static bool steal_from(struct run_queue *from, struct run_queue *to)
{
	unsigned long flags = arch_irq_save();
	struct thread *thread = NULL;

	run_queue_lock_both(from, to);
	if (to->nr_queued == 0 && nr_waiting(from))
		thread = steal_pick(from, to->cpu);
	if (thread) {
		run_queue_remove(from, thread);
		run_queue_move(from, to, thread);
		run_queue_insert(to, thread);
		run_queue_preempt(to);
	}
	run_queue_unlock_both(from, to);
	sched_irq_restore(flags);
	return thread;
}

/* From where most wait, else from anywhere. */
static bool steal(struct run_queue *to)
{
	unsigned busiest = to->cpu, most = 0;

	for (unsigned cpu = 0; cpu < nr_cpus; cpu++) {
		unsigned n = cpu != to->cpu && cpus[cpu].online ? nr_waiting(run_queue_of(cpu)) : 0;

		if (n > most) {
			busiest = cpu;
			most = n;
		}
	}
	if (most == 0)
		return false;
	if (steal_from(run_queue_of(busiest), to))
		return true;
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		if (cpu != to->cpu && cpus[cpu].online && nr_waiting(run_queue_of(cpu)) &&
		    steal_from(run_queue_of(cpu), to))
			return true;
	return false;
}

void idle_loop(void)
{
	struct run_queue *rq = percpu_this(run_queue); /* stays: an idle thread never leaves its CPU */

	for (;;) {
		thread_reap();
		__atomic_fetch_or(&idle_cpus[rq->cpu / 64], 1ul << rq->cpu % 64, __ATOMIC_SEQ_CST);
		if (nr_cpus_online > 1 && steal(rq))
			continue;
		arch_irq_disable();
		cpu_tlb_idle_enter();
		/* A bit that is gone: somebody called us, and the interrupt may have come after we looked for work. */
		if (percpu_read(preempt_needed) || !cpu_is_in(idle_cpus, rq->cpu)) {
			arch_irq_enable();
			preempt_reschedule();
		} else {
			arch_cpu_idle();
		}
	}
}
