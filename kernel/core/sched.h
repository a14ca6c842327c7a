/*
 * Inside of the scheduler: what run_queue.c, sched.c (switching), wake.c, idle.c (idle threads, stealing), thread.c (threads
 * from creation to end) and cpu.c share. Everybody else includes thread.h.
 *
 * The lock of a run queue covers the queue, and the scheduler's fields of every thread whose `cpu` it is. It is held
 * across a switch: who gives up the CPU takes it, who gets the CPU releases it. So a thread that is neither in the tree
 * nor `current` while one holds the lock has left its stack, and may be put on any CPU's queue. Locks of two queues are
 * taken in the order of their addresses. Interrupts are disabled while one is held (spin_lock_noirq).
 */
#ifndef KERNEL_CORE_SCHED_H
#define KERNEL_CORE_SCHED_H

#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/core/thread.h"

struct run_queue {
	struct spinlock lock;
	unsigned cpu;
	unsigned nr_queued;    /* threads in tree; read without the lock by who looks for work to steal */
	struct rb_tree tree;   /* by vruntime, what is ready to run; neither current nor idle */
	uint64_t min_vruntime; /* never goes back; where new and woken threads start */
	uint64_t slice_end;    /* clock; the running thread may be preempted for fairness after that */
	uint64_t charged_at;   /* arch_ticks() at the last charge */
	struct thread *current;
	struct thread *idle;	/* runs when nothing else can; NULL on the boot CPU until it is needed */
	struct thread *leaving; /* was switched away from; thread_left has more to do once it is off its stack */
};

extern struct run_queue run_queue;	 /* per-CPU */
extern struct thread idle_thread;	 /* per-CPU */
extern uint64_t idle_cpus[CPU_MAX / 64]; /* atomic bits: CPUs that would take a thread; a hint */

static inline struct run_queue *run_queue_of(unsigned cpu)
{
	return percpu_at(cpus[cpu].percpu_delta, run_queue);
}

static inline bool cpu_is_in(const uint64_t *mask, unsigned cpu)
{
	return __atomic_load_n(&mask[cpu / 64], __ATOMIC_RELAXED) >> cpu % 64 & 1;
}

/* Bits of preempt_needed. */
enum {
	PREEMPT_SWITCH = 1, /* the running thread has to give way; changes under the run queue's lock */
	PREEMPT_CALL = 2,   /* cpu_call_later has a CPU to call; changes on the CPU itself, interrupts disabled */
};

#define SCHED_SLICE (4 * NSEC_PER_MSEC)

/* Weighted time wraps. */
static inline bool vruntime_is_before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

static inline struct thread *thread_of(struct rb_node *node)
{
	return container_of(node, struct thread, run_node);
}

/* Counts what THREAD, which runs, has used until NOW. 1024 / weight is inverse_weight / 2^22. */
static inline void thread_charge(struct thread *thread, uint64_t now)
{
	uint64_t used = now - thread->ran_at;

	if (unlikely((int64_t)used < 0)) /* charged by another CPU since NOW was read */
		return;
	thread->ran_at = now;
	thread->runtime += used;
	thread->vruntime += (uint64_t)((unsigned __int128)used * thread->inverse_weight >> 22);
}

/* VRUNTIME is the least on RQ. */
static inline void run_queue_advance(struct run_queue *rq, uint64_t vruntime)
{
	if (vruntime_is_before(rq->min_vruntime, vruntime))
		rq->min_vruntime = vruntime;
}

/*
 * Interrupts CPU, so that it looks at its run queue and its preempt_needed, once this CPU has let go of its locks and enables
 * interrupts or preemption (preempt_reschedule): to send an interrupt can cost a virtual CPU its turn. Interrupts disabled.
 */
void cpu_call_later(unsigned cpu);

/* After work under a run queue's lock: what became due meanwhile runs now, if interrupts are enabled again. */
static inline void sched_irq_restore(unsigned long flags)
{
	arch_irq_restore(flags);
	if (unlikely(percpu_read(preempt_needed)))
		preempt_reschedule();
}

static inline void sched_irq_enable(void)
{
	arch_irq_enable();
	if (unlikely(percpu_read(preempt_needed)))
		preempt_reschedule();
}

void idle_unmark(unsigned cpu);
static inline void cpu_reschedule(unsigned cpu)
{
	arch_ipi_send(cpus[cpu].apic_id, VECTOR_RESCHEDULE);
}

rb_less run_queue_less;

/* Locks the run queue that THREAD belongs to; interrupts disabled. */
struct run_queue *run_queue_lock(struct thread *thread);
void run_queue_lock_both(struct run_queue *a, struct run_queue *b);
void run_queue_unlock_both(struct run_queue *a, struct run_queue *b);
/* THREAD keeps what it has earned or owes; FROM and TO locked, the thread not in a tree. */
void run_queue_move(struct run_queue *from, struct run_queue *to, struct thread *thread);

/*
 * Most trees have one node, which needs no balancing. A node is all zero while it is in no tree, and so it is as the only
 * one of a tree: a black root.
 */
static inline void run_queue_insert(struct run_queue *rq, struct thread *thread)
{
	if (likely(rq->nr_queued == 0))
		rq->tree = (struct rb_tree){ &thread->run_node, &thread->run_node, NULL };
	else
		rb_insert(&rq->tree, &thread->run_node, run_queue_less);
	WRITE_ONCE(rq->nr_queued, rq->nr_queued + 1);
}

static inline void run_queue_remove(struct run_queue *rq, struct thread *thread)
{
	if (likely(rq->nr_queued == 1)) {
		rq->tree = (struct rb_tree){ 0 };
	} else {
		rb_remove(&rq->tree, &thread->run_node);
		thread->run_node = (struct rb_node){ 0 };
	}
	WRITE_ONCE(rq->nr_queued, rq->nr_queued - 1);
}

/* THREAD does not run, or runs on this CPU with interrupts disabled: it hears of it when it goes back to the application. */
static inline void thread_was_switched(struct thread *thread)
{
	if (thread->task)
		__atomic_fetch_or(&thread->work, THREAD_WORK_SWITCHED, __ATOMIC_RELAXED);
}

/* Counts what the running thread has used until NOW. */
void run_queue_charge(struct run_queue *rq, uint64_t now);
/* The running thread of RQ (locked) has to give way. When it is another CPU's, cpu_reschedule has to follow. */
void run_queue_preempt(struct run_queue *rq);

/* Gives the CPU up for good: the running thread has just become THREAD_DEAD. RQ locked. */
void sched_leave(struct run_queue *rq) __attribute__((noreturn));
/* First thing that a new thread does; interrupts disabled. */
void sched_started(void);
/* From timer_interrupt: this CPU's scheduler at NOW; when it wants to be asked again (UINT64_MAX: need not be). */
uint64_t sched_tick(uint64_t now);

/* Fills in what every thread needs; not its stack or name. */
void thread_prepare(struct thread *thread, const char *name);
/* THREAD, which exited or must move, has left its stack and this CPU. Interrupts disabled, no lock held. */
void thread_left(struct thread *thread);
/* Frees detached threads that have ended. */
void thread_reap(void);

/* Makes sure that this CPU has an idle thread; 0, -ENOMEM. Threads only. */
int idle_ensure(void);
/* Prepares the run queue and the idle thread of a CPU that is about to start, on the stack that it starts on. */
void idle_prepare(const struct cpu *cpu, void *stack_bottom);
/* What an idle thread does. */
void idle_loop(void) __attribute__((noreturn));

#endif
