/*
 * Signals (signal(7)): what is pending, blocked, and what is done about it. Generation is possible in any context; delivery is
 * the receiving task's own, on its way out of the kernel.
 */
#ifndef KERNEL_LINUX_SIGNAL_H
#define KERNEL_LINUX_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/core/wait.h"
#include "kernel/file/poll.h"

#define NSIG 64

struct task;
struct process;
struct trapframe;
struct signal_queue_entry;

/* siginfo_t of sigaction(2), without padding: what the kernel keeps of it. */
struct signal_info {
	int signo, error, code;
	int pid;
	uint32_t uid;
	uint64_t value;	  /* sigqueue(3), timers */
	uint64_t address; /* of a fault */
	int timer_id, overrun;
	int band_fd;
};

struct signal_action {
	uintptr_t handler; /* 0: default, 1: ignore */
	uint64_t flags;
	uintptr_t restorer;
	uint64_t mask;
};

struct signal_pending {
	uint64_t set;	   /* bit N-1: signal N is pending */
	struct list queue; /* struct signal_queue_entry.link */
};

/* Covered by lock, which interrupt handlers take (timers): spin_lock_irqsave. */
struct process_signals {
	struct spinlock lock;
	struct signal_action actions[NSIG];
	struct signal_pending pending; /* for any thread */
	unsigned nr_queued;
	struct wait_queue waiters; /* sigtimedwait(2) */
	struct poll_source source; /* signalfd(2) */
};

/* Covered by the process's signals.lock. */
struct task_signals {
	uint64_t blocked;
	uint64_t saved_mask; /* to restore after a handler ran (sigsuspend, ppoll): valid when has_saved_mask */
	bool has_saved_mask;
	struct signal_pending pending;
	uintptr_t altstack;
	size_t altstack_len;
	unsigned altstack_flags;
};

void signal_process_init(struct process_signals *signals);
void signal_task_init(struct task *task, const struct task *parent);
/* Frees what is queued. */
void signal_task_free(struct task *task);
void signal_process_free(struct process *process);

/* Sends a signal: to one task, or to a process as a whole. Any context. 0, -EAGAIN (queue full, real-time signals only). */
int signal_send_task(struct task *task, const struct signal_info *info);
int signal_send_process(struct process *process, const struct signal_info *info);
/* A synchronous fault of the calling task: cannot be blocked or ignored, the default action then kills. */
void signal_force(const struct signal_info *info);

/*
 * On the way out to the application (arch_upcalls.leave), interrupts enabled: delivers what is pending by changing FRAME, restarts
 * or ends an interrupted system call, ends the task when its process is exiting. Clears THREAD_WORK_SIGNAL when nothing is left.
 */
void signal_deliver(struct trapframe *frame);

/* Sets the calling task's mask (less SIGKILL and SIGSTOP); and until a handler has run (sigsuspend, ppoll, epoll_pwait). */
void signal_mask_set(uint64_t mask);
void signal_mask_set_until_handler(uint64_t mask);
void signal_mask_restore(void); /* undoes the latter when no handler has run */

#endif
