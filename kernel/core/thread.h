/*
 * Kernel threads and the scheduler: preemptive, per-CPU run queues, fair by weighted virtual run time, idle CPUs steal.
 * A thread is created ready, runs fn(arg), and ends with its exit value, which one thread_join collects; a detached
 * thread frees itself.
 */
#ifndef KERNEL_CORE_THREAD_H
#define KERNEL_CORE_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/arch.h"
#include "kernel/core/lock.h"
#include "kernel/core/timer.h"
#include "lib/list.h"
#include "lib/rbtree.h"

#define THREAD_NAME_MAX 16

enum thread_state {
	THREAD_RUNNABLE,
	THREAD_BLOCKED, /* or about to: a wake makes it runnable again */
	THREAD_DEAD,
	THREAD_NEW, /* held since thread_create: no wake starts it */
};

struct wait_queue {
	struct spinlock lock; /* covers waiters */
	struct list waiters;  /* struct waiter.link */
};

struct run_queue;
struct task;
struct vmspace;

struct thread {
	struct arch_context context;
	uintptr_t stack_bottom, stack_top; /* the page below stack_bottom is a guard page */
	char name[THREAD_NAME_MAX];
	unsigned id;
	/* The rest belongs to the scheduler: under the lock of `queue`. */
	enum thread_state state; /* the running thread may also set its own to and from BLOCKED without the lock */
	struct run_queue *queue; /* where it runs, waits to run, or ran last; changes under both queues' locks */
	bool on_queue;		 /* running or in the tree of `queue` */
	bool misplaced;		 /* `queue` is not in affinity */
	uint32_t inverse_weight; /* 2^32 / weight; weight 1024 is nice 0 */
	uint64_t affinity[CPU_MAX / 64];
	uint64_t vruntime; /* nanoseconds * 1024 / weight */
	uint64_t runtime;  /* nanoseconds on a CPU, until ran_at */
	uint64_t ran_at;   /* clock when it was last charged or put on the CPU */
	struct rb_node run_node;
	int (*fn)(void *arg);
	void *arg;
	/* Of a thread that runs an application; NULL for the kernel's own. Set before it first runs. */
	struct task *task;	 /* kernel/linux/task.h */
	struct vmspace *vmspace; /* kernel/mem/vmspace.h: where its lower-half addresses are */
	unsigned work;		 /* atomic; enum thread_work */
	/* The end of it: under joiners.lock. */
	struct wait_queue joiners;
	int exit_value;
	bool exited; /* off its stack for good */
	bool detached;
	struct thread *next_dead;
	struct lock_check_thread lock_check;
};

/* What an application's thread has to look at before it goes on in the application. */
enum thread_work {
	THREAD_WORK_SIGNAL = 1,	  /* a signal may be there; also ends waits that can be interrupted */
	THREAD_WORK_SWITCHED = 2, /* it lost the CPU against its will, or runs on another one (rseq(2)) */
};

/*
 * Sets bits of THREAD's work. The thread, wherever it is, looks at them soon: a wait that can be interrupted ends, a running
 * application is interrupted. Any context; the caller keeps THREAD from going away.
 */
void thread_work_set(struct thread *thread, unsigned work);

/* Starts a THREAD_HELD thread. It may have been sent work before: whoever runs an application looks at that first. */
void thread_release(struct thread *thread);

extern struct thread *thread_current_; /* per-CPU */
static inline struct thread *thread_current(void)
{
	return percpu_read(thread_current_);
}

enum thread_flags {
	THREAD_DETACHED = 1,
	THREAD_HELD = 2, /* does not run before thread_release: the caller completes it first */
};

/*
 * Where the memory of threads and CPUs comes from: kernel/mem stands above this folder, so the one constant instance is in
 * kernel/init. Called by threads, with interrupts enabled and no lock held (cpu_start_all: by the boot CPU, alone); the two
 * that free also by idle threads, so they must not block.
 * All memory but that of stacks is zeroed; NULL when it is short.
 */
struct thread_memory_ops {
	size_t stack_size;
	void *(*stack_alloc)(void); /* the bottom; the page below it is a guard page */
	void (*stack_free)(void *bottom);
	void *(*thread_alloc)(size_t len);
	void (*thread_free)(void *thread);
	void *(*area_alloc)(size_t len); /* a CPU's per-CPU area, page-aligned, in pages of its own; never freed */
};
extern const struct thread_memory_ops thread_memory_ops;

/* NAME is copied and cut at 15 bytes. OUT may be NULL only for a detached thread that is not held. 0, -ENOMEM. */
int thread_create(struct thread **out, const char *name, int (*fn)(void *arg), void *arg, unsigned flags);
void thread_exit(int value) __attribute__((noreturn));
/* Waits for the end of THREAD, gives its exit value, frees it. Once per thread, not for a detached one. */
int thread_join(struct thread *thread);
/* Instead of thread_join: the thread frees itself when it ends, or now if it has ended. */
void thread_detach(struct thread *thread);
/* Threads that exist: the boot thread, those that were created and not yet freed; not the idle threads. */
unsigned thread_count(void);
void thread_yield(void);
void thread_sleep(uint64_t ns);
/*
 * MASK: a CPU set as an array of CPU_MAX bits. 0, -EINVAL when no online CPU is in it. The calling thread is on an
 * allowed CPU when this returns; another one that runs where it no longer may is moved as soon as its CPU hears of it.
 */
int thread_set_affinity(struct thread *thread, const uint64_t *mask);
/* NICE is cut to [-20, 19]; each step is worth a factor of 1.25 in CPU time. */
void thread_set_nice(struct thread *thread, int nice);

/* Number of the CPU where THREAD runs, waits to run, or ran last; may have changed by the time it is looked at. */
unsigned thread_cpu(const struct thread *thread);
/* Nanoseconds that THREAD has been on a CPU. */
uint64_t thread_runtime(struct thread *thread);

/*
 * Turns the running boot code into thread 0 of this CPU; afterwards threads may be created. The idle thread is made when
 * this CPU first needs one (first thread_create, or first time that the boot thread waits).
 */
void sched_init(uintptr_t boot_stack_bottom, uintptr_t boot_stack_top);
/* A started CPU enters the scheduler with this and never returns. */
void sched_start_cpu(void) __attribute__((noreturn));

/* Gives up the CPU. The caller has set its state; see wait.h for the safe pattern. Preemption enabled. */
void sched_block(void);
/* Makes a blocked thread ready; false when it was not blocked. Any context. */
bool sched_wake(struct thread *thread);
/* The same with interrupts disabled; who enables them also gives way (preempt_enable, interrupt exit). */
bool sched_wake_noirq(struct thread *thread);
/* On the way out of an interrupt: switches if preempt_needed and preempt_count allow. Interrupts disabled. */
void sched_preempt_irq(void);
/* VECTOR_RESCHEDULE, between irq_enter and irq_exit. */
void sched_reschedule_ipi(void);

#endif
