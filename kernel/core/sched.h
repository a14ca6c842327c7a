/*
 * Inside of the scheduler: what sched.c (run queues, switching, waking), idle.c (idle threads, stealing), thread.c (threads
 * from creation to end) and smp.c share. Everybody else includes thread.h.
 *
 * The lock of a run queue covers the queue, and the scheduler's fields of every thread whose `cpu` it is. It is held
 * across a switch: who gives up the CPU takes it, who gets the CPU releases it. So a thread that is neither in the tree
 * nor `current` while one holds the lock has left its stack, and may be put on any CPU's queue. Locks of two queues are
 * taken in the order of their addresses. Interrupts are disabled while one is held.
 */
#ifndef KERNEL_CORE_SCHED_H
#define KERNEL_CORE_SCHED_H

#include "kernel/core/cpu.h"
#include "kernel/core/thread.h"

struct run_queue {
	struct spinlock lock;
	unsigned cpu;
	unsigned nr_queued;	/* threads in tree; read without the lock by who looks for work to steal */
	struct rb_tree tree;	/* by vruntime, what is ready to run; neither current nor idle */
	uint64_t min_vruntime;	/* never goes back; where new and woken threads start */
	uint64_t slice_end;	/* clock; the running thread may be preempted for fairness after that */
	struct thread *current; /* running here */
	struct thread *idle;	/* runs when nothing else can; NULL on the boot CPU until it is needed */
	struct thread
		*leaving; /* was switched away from and needs more done once it is off its stack, see thread_left */
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

/* After work under a run queue's lock: what became due meanwhile runs now, if interrupts are enabled again. */
static inline void sched_irq_restore(unsigned long flags)
{
	arch_irq_restore(flags);
	if (unlikely(percpu_read(preempt_needed)))
		preempt_reschedule();
}

/* Locks the run queue that THREAD belongs to; interrupts disabled. */
struct run_queue *run_queue_lock(struct thread *thread);
void run_queue_lock_both(struct run_queue *a, struct run_queue *b);
void run_queue_unlock_both(struct run_queue *a, struct run_queue *b);
/* Both keep what THREAD has earned or owes on its queue; FROM and TO locked, the thread not in a tree. */
void run_queue_move(struct run_queue *from, struct run_queue *to, struct thread *thread);
void run_queue_insert(struct run_queue *rq, struct thread *thread);
void run_queue_remove(struct run_queue *rq, struct thread *thread);
/* Counts what the running thread has used until NOW. */
void run_queue_charge(struct run_queue *rq, uint64_t now);
/* The running thread of RQ (locked) has to give way; tells its CPU. */
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
