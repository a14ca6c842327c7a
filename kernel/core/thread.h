/*
 * Kernel threads and the scheduler: preemptive, per-CPU run queues, fair by weighted virtual run time, idle CPUs steal.
 * A thread is created ready, runs fn(arg), and ends with its exit value, which one thread_join collects; a detached
 * thread frees itself.
 */
#ifndef KERNEL_CORE_THREAD_H
#define KERNEL_CORE_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch/arch.h"
#include "kernel/core/lock.h"
#include "kernel/core/timer.h"
#include "lib/list.h"
#include "lib/rbtree.h"

#define THREAD_NAME_MAX 16

enum thread_state {
	THREAD_READY,
	THREAD_RUNNING,
	THREAD_BLOCKED,
	THREAD_DEAD,
};

struct wait_queue {
	struct spinlock lock; /* covers waiters */
	struct list waiters;  /* struct waiter.link */
};

struct thread {
	struct arch_context context;
	uintptr_t stack_bottom, stack_top; /* the page below stack_bottom is a guard page */
	char name[THREAD_NAME_MAX];
	unsigned id;
	/* The rest belongs to the scheduler: under the run queue's lock of `cpu`. */
	enum thread_state state;
	unsigned cpu;
	unsigned weight; /* 1024 = nice 0 */
	uint64_t affinity[CPU_MAX / 64];
	uint64_t vruntime; /* weighted nanoseconds */
	uint64_t runtime;  /* nanoseconds on a CPU */
	uint64_t ran_at;   /* clock when it was put on the CPU */
	struct rb_node run_node;
	bool on_cpu;
	bool detached;
	int exit_value;
	struct wait_queue joiners;
	struct list all; /* every thread, under threads_lock */
};

extern struct thread *thread_current_; /* per-CPU */
static inline struct thread *thread_current(void)
{
	return percpu_read(thread_current_);
}

enum thread_flags {
	THREAD_DETACHED = 1,
};

/* NAME is copied and cut at 15 bytes. *OUT may be NULL only for a detached thread. 0, -ENOMEM. */
int thread_create(struct thread **out, const char *name, int (*fn)(void *arg), void *arg, unsigned flags);
void thread_exit(int value) __attribute__((noreturn));
/* Waits for the end of THREAD, gives its exit value, frees it. Once per thread. */
int thread_join(struct thread *thread);
void thread_yield(void);
void thread_sleep(uint64_t ns);
/* CPU set as a bit array; 0, -EINVAL when no online CPU is in it. Moves the thread when it must. */
int thread_set_affinity(struct thread *thread, const uint64_t *mask);
void thread_set_nice(struct thread *thread, int nice);

/* Turns the running boot code into thread 0 of this CPU and makes the idle thread; afterwards threads may be created. */
void sched_init(uintptr_t boot_stack_bottom, uintptr_t boot_stack_top);
/* A started CPU enters the scheduler with this and never returns. */
void sched_start_cpu(void) __attribute__((noreturn));

/* Gives up the CPU. The caller has set its state; see wait.h for the safe pattern. Preemption enabled. */
void sched_block(void);
/* Makes a blocked thread ready; false when it was not blocked. Any context. */
bool sched_wake(struct thread *thread);
/* On the way out of an interrupt: switches if preempt_needed and preempt_count allow. Interrupts disabled. */
void sched_preempt_irq(void);
/* arch_upcalls for VECTOR_RESCHEDULE. */
void sched_reschedule_ipi(void);

#endif
