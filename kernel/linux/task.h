/*
 * Processes and their threads as Linux programs know them. struct process owns what is shared: address space,
 * descriptors, signal actions, credentials, limits; struct task is one thread of it and embeds nothing of the
 * scheduler's: its kernel thread is task->thread, and thread->task points back.
 *
 * There is one process so far. Nothing but process_init_get knows that: everything else starts from task_current().
 */
#ifndef KERNEL_LINUX_TASK_H
#define KERNEL_LINUX_TASK_H

#include "kernel/arch/arch.h"
#include "kernel/core/wait.h"
#include "kernel/file/cred.h"
#include "kernel/file/fdtable.h"
#include "kernel/linux/settings.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/timers.h"
#include "kernel/mem/vmspace.h"

#define COMM_MAX 16
#define RLIMITS 16

struct rlimit_pair {
	uint64_t cur, max; /* UINT64_MAX: none */
};

struct process {
	int pid, ppid, pgid, sid;
	/* Covers what follows to exit_status, and rlimits; nests inside signal locks. Interrupt handlers take it. */
	struct spinlock lock;
	struct list tasks;     /* struct task.link */
	struct rb_tree by_tid; /* struct task.node */
	unsigned nr_tasks;
	unsigned nr_leaving;	 /* off the list, but still at work on the process */
	bool exiting;		 /* every task ends at its next way out of the kernel */
	int exit_status;	 /* as wait(2) has it: code << 8, or the signal */
	struct wait_queue ended; /* nr_tasks and nr_leaving went to 0; woken with the lock held */
	struct vmspace *vm;
	struct fdtable *files;
	struct fs_context fs; /* root, cwd, umask, credentials */
	struct process_signals signals;
	struct process_timers timers;
	struct rlimit_pair rlimits[RLIMITS];
	struct dentry *exe; /* the program's file */
	/* In the application's memory: /proc/PID/cmdline, environ. */
	uintptr_t args_start, args_end, env_start, env_end;
	uintptr_t vdso;
	uint64_t auxv[64];	/* pairs, AT_NULL at the end: /proc/PID/auxv */
	unsigned auxv_len;	/* words */
	uint64_t start_time;	/* clock_monotonic() */
	uint64_t ended_runtime; /* nanoseconds of CPU time of threads that ended */
	bool dumpable, no_new_privs;
	struct process_settings settings;
};

struct task {
	struct thread *thread;
	struct process *process;
	int tid;
	struct list link;    /* process->tasks */
	char comm[COMM_MAX]; /* PR_SET_NAME */
	struct task_signals signals;
	uint32_t *clear_child_tid; /* application's word that is cleared and woken at the end (set_tid_address(2)) */
	void *robust_list;	   /* get_robust_list(2) */
	size_t robust_list_len;
	void *rseq; /* registered with rseq(2), NULL: none */
	uint32_t rseq_len, rseq_sig;
	uint64_t nr_voluntary, nr_involuntary; /* context switches, getrusage(2) */
	struct task_settings settings;
	struct rb_node node;	 /* task.c: by tid */
	struct trapframe *start; /* registers that a new thread begins with; NULL once it runs */
};

static inline struct task *task_current(void)
{
	return thread_current()->task;
}

static inline struct process *process_current(void)
{
	return task_current()->process;
}

/* The registers that the application had when it entered the kernel, at the top of the calling thread's kernel stack. */
static inline struct trapframe *task_frame(void)
{
	return arch_app_frame();
}

/* By id, for kill(2) and /proc. The caller holds process->lock, which keeps the task. O(log n). NULL: there is none. */
struct task *task_find(struct process *process, int tid);
/* The process with PID (0: the caller's); NULL: there is none. */
struct process *process_find(int pid);

/*
 * A process without a thread: root and working directory ROOT (a reference is taken), everything else as for the first
 * process of a container. 0, -ENOMEM.
 */
int process_create(struct dentry *root, struct process **out);
/* Returns when all tasks of PROCESS have ended and none of them touches it any more. Threads only. */
void process_wait(struct process *process);
/* After that. Threads only. */
void process_free(struct process *process);
/*
 * A task of PROCESS whose thread runs fn(task) in the kernel and is held: thread_release(task->thread) starts it. PARENT
 * NULL: the first one; else registers beyond those of the frame, mask and name are the parent's, which is the caller. 0,
 * -ENOMEM, -EAGAIN.
 */
int task_create(struct process *process, const struct task *parent, int (*fn)(void *task), struct task **out);
/* Undoes task_create of a task that was never started. */
void task_discard(struct task *task);

/* Ends the calling task; and the whole process with a wait(2) status. */
void task_exit(int status) __attribute__((noreturn));
void process_exit(int status) __attribute__((noreturn));
/*
 * Marks PROCESS as ending with STATUS and wakes all its tasks, which end on their way out of the kernel. Any context.
 */
void process_kill(struct process *process, int status);

#endif
