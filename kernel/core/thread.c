/* Threads from their creation to their end; what they are in between is the scheduler's. */
#include "kernel/core/clock.h"
#include "kernel/core/panic.h"
#include "kernel/core/sched.h"
#include "kernel/core/wait.h"
#include "lib/errno.h"
#include "lib/string.h"

/* 2^32 / 1024: the weight of nice 0. */
#define INVERSE_WEIGHT_NORMAL (1u << 22)

static struct thread boot_thread;
static unsigned nr_threads;	 /* atomic */
static unsigned last_id;	 /* atomic */
static struct thread *dead_list; /* atomic; detached threads that have ended, linked by next_dead */

void thread_prepare(struct thread *thread, const char *name)
{
	strlcpy(thread->name, name, sizeof(thread->name));
	thread->id = __atomic_fetch_add(&last_id, 1, __ATOMIC_RELAXED);
	thread->inverse_weight = INVERSE_WEIGHT_NORMAL;
	for (unsigned i = 0; i < CPU_MAX / 64; i++)
		thread->affinity[i] = UINT64_MAX;
	wait_queue_init(&thread->joiners);
}

void sched_init(uintptr_t boot_stack_bottom, uintptr_t boot_stack_top)
{
	struct run_queue *rq = percpu_this(run_queue);

	spin_init(&rq->lock, "run_queue");
	timer_prepare(0);
	thread_prepare(&boot_thread, "main");
	boot_thread.stack_bottom = boot_stack_bottom;
	boot_thread.stack_top = boot_stack_top;
	boot_thread.on_queue = true;
	boot_thread.queue = rq;
	rq->current = &boot_thread;
	percpu_write(thread_current_, &boot_thread);
	nr_threads = 1;
}

static void thread_start(void *arg)
{
	struct thread *self = arg;

	sched_started();
	arch_irq_enable();
	thread_exit(self->fn(self->arg));
}

static void thread_free(struct thread *thread)
{
	if (thread->stack_bottom)
		thread_memory_ops.stack_free((void *)thread->stack_bottom);
	thread_memory_ops.thread_free(thread);
}

static struct thread *thread_alloc(void)
{
	struct thread *thread = thread_memory_ops.thread_alloc(sizeof(*thread));

	if (!thread)
		return NULL;
	thread->stack_bottom = (uintptr_t)thread_memory_ops.stack_alloc();
	thread->stack_top = thread->stack_bottom + thread_memory_ops.stack_size;
	if (thread->stack_bottom)
		return thread;
	thread_free(thread);
	return NULL;
}

int thread_create(struct thread **out, const char *name, int (*fn)(void *arg), void *arg, unsigned flags)
{
	struct thread *thread;

	thread_reap();
	if (idle_ensure() < 0)
		return -ENOMEM;
	thread = thread_alloc();
	if (!thread)
		return -ENOMEM;
	__atomic_fetch_add(&nr_threads, 1, __ATOMIC_RELAXED);
	thread_prepare(thread, name);
	thread->fn = fn;
	thread->arg = arg;
	thread->detached = flags & THREAD_DETACHED;
	arch_context_init(&thread->context, (void *)thread->stack_top, thread_start, thread);
	if (out)
		*out = thread;
	/* It begins as one that has slept on this CPU until now, without credit. */
	preempt_disable();
	thread->queue = percpu_this(run_queue);
	thread->vruntime = READ_ONCE(thread->queue->min_vruntime);
	thread->state = THREAD_NEW;
	preempt_enable();
	if (!(flags & THREAD_HELD))
		thread_release(thread);
	return 0;
}

void thread_release(struct thread *thread)
{
	__atomic_store_n(&thread->state, THREAD_BLOCKED, __ATOMIC_RELEASE);
	sched_wake(thread);
}

void thread_exit(int value)
{
	struct thread *self = thread_current();
	struct run_queue *rq;

	lock_check_may_sleep("thread_exit");
	lock_check_thread_exit(self);
	self->exit_value = value;
	arch_irq_disable();
	rq = percpu_this(run_queue);
	spin_lock_noirq(&rq->lock);
	self->state = THREAD_DEAD;
	sched_leave(rq);
}

static void thread_ended(struct thread *thread)
{
	unsigned long flags = spin_lock_irqsave(&thread->joiners.lock);
	bool detached = thread->detached;

	thread->exited = true;
	if (!detached)
		wait_wake_locked(&thread->joiners, UINT32_MAX);
	spin_unlock_irqrestore(&thread->joiners.lock, flags);
	if (!detached)
		return;
	thread->next_dead = __atomic_load_n(&dead_list, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&dead_list, &thread->next_dead, thread, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
}

void thread_left(struct thread *thread)
{
	if (thread->state == THREAD_DEAD)
		thread_ended(thread);
	else
		sched_wake_noirq(thread);
}

static void thread_bury(struct thread *thread)
{
	thread_free(thread);
	__atomic_fetch_sub(&nr_threads, 1, __ATOMIC_RELAXED);
}

void thread_reap(void)
{
	struct thread *thread, *next;

	if (likely(!__atomic_load_n(&dead_list, __ATOMIC_RELAXED)))
		return;
	for (thread = __atomic_exchange_n(&dead_list, NULL, __ATOMIC_ACQUIRE); thread; thread = next) {
		next = thread->next_dead;
		thread_bury(thread);
	}
}

int thread_join(struct thread *thread)
{
	unsigned long flags;
	int value;

	wait_event(&thread->joiners, READ_ONCE(thread->exited));
	/* Who set it held this lock, and may not have let go of it yet. */
	flags = spin_lock_irqsave(&thread->joiners.lock);
	spin_unlock_irqrestore(&thread->joiners.lock, flags);
	value = thread->exit_value;
	thread_bury(thread);
	return value;
}

void thread_detach(struct thread *thread)
{
	unsigned long flags = spin_lock_irqsave(&thread->joiners.lock);
	bool exited = thread->exited;

	thread->detached = true;
	spin_unlock_irqrestore(&thread->joiners.lock, flags);
	if (exited)
		thread_bury(thread);
}

unsigned thread_count(void)
{
	return __atomic_load_n(&nr_threads, __ATOMIC_RELAXED);
}

void thread_sleep(uint64_t ns)
{
	uint64_t now = clock_monotonic(), deadline = ns < UINT64_MAX - now ? now + ns : UINT64_MAX;

	do
		thread_current()->state = THREAD_BLOCKED;
	while (wait_block(deadline) == 0);
}

static bool mask_is_usable(const uint64_t *mask)
{
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		if (cpus[cpu].online && cpu_is_in(mask, cpu))
			return true;
	return false;
}

int thread_set_affinity(struct thread *thread, const uint64_t *mask)
{
	unsigned long flags;
	struct run_queue *rq;
	bool requeue, leave;

	if (!mask_is_usable(mask))
		return -EINVAL;
	if (idle_ensure() < 0)
		return -ENOMEM;
	flags = arch_irq_save();
	rq = run_queue_lock(thread);
	for (unsigned i = 0; i < CPU_MAX / 64; i++)
		__atomic_store_n(&thread->affinity[i], mask[i], __ATOMIC_RELAXED);
	thread->misplaced = !cpu_is_in(mask, rq->cpu);
	/* One that waits finds its place anew. */
	requeue = thread->on_queue && rq->current != thread;
	leave = thread->misplaced && rq->current == thread;
	if (requeue) {
		run_queue_remove(rq, thread);
		thread->on_queue = false;
		thread->state = THREAD_BLOCKED;
	}
	if (leave)
		run_queue_preempt(rq);
	spin_unlock_noirq(&rq->lock);
	if (requeue)
		sched_wake_noirq(thread);
	if (leave && rq->cpu != cpu_self())
		cpu_reschedule(rq->cpu);
	sched_irq_restore(flags);
	return 0;
}

void thread_set_nice(struct thread *thread, int nice)
{
	uint32_t inverse = INVERSE_WEIGHT_NORMAL;
	unsigned long flags;
	struct run_queue *rq;

	for (int i = 0; i < MIN(nice, 19); i++)
		inverse = inverse / 4 * 5;
	for (int i = 0; i > MAX(nice, -20); i--)
		inverse = inverse / 5 * 4;
	flags = arch_irq_save();
	rq = run_queue_lock(thread);
	if (rq->current == thread)
		run_queue_charge(rq, clock_monotonic());
	thread->inverse_weight = inverse;
	spin_unlock_noirq(&rq->lock);
	sched_irq_restore(flags);
}

unsigned thread_cpu(const struct thread *thread)
{
	return READ_ONCE(thread->queue)->cpu;
}

uint64_t thread_runtime(struct thread *thread)
{
	unsigned long flags = arch_irq_save();
	struct run_queue *rq = run_queue_lock(thread);
	uint64_t runtime;

	if (rq->current == thread)
		run_queue_charge(rq, clock_monotonic());
	runtime = thread->runtime;
	spin_unlock_noirq(&rq->lock);
	sched_irq_restore(flags);
	return runtime;
}
