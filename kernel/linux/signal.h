/*
 * Signals (signal(7)): what is pending, blocked, and what is done about it. Generation is possible in any context;
 * delivery is the receiving task's own, on its way out of the kernel.
 *
 *	signal.c          pending sets, masks, actions
 *	signal_info.c     what the kernel keeps of a siginfo_t, and back
 *	signal_send.c     signal_send_task, signal_send_process, signal_force -> thread_work_set
 *	signal_deliver.c  signal_deliver -> x86_64/signal_frame.c; default actions
 *	signal_wait.c     sigtimedwait, sigsuspend, pause
 *
 * Locks, in the order in which they nest: timers.lock, signals.lock, process->lock. Interrupt handlers take all of
 * them.
 */
#ifndef KERNEL_LINUX_SIGNAL_H
#define KERNEL_LINUX_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/core/wait.h"
#include "kernel/file/poll.h"
#include "kernel/linux/abi_signal.h"

struct task;
struct process;
struct trapframe;

/* siginfo_t of sigaction(2), without padding: what the kernel keeps of it. */
struct signal_info {
	int signo, error, code;
	int pid;
	uint32_t uid;
	uint64_t value;	  /* sigqueue(3), timers */
	uint64_t address; /* of a fault */
	int timer_id, overrun;
	int band_fd;
	int64_t band;
};

/* One that is queued. embedded: it belongs to a timer, which is the one to free it. */
struct signal_queue_entry {
	struct list link; /* on no list: points to itself, for embedded ones only */
	struct signal_info info;
	struct signal_pending *pending; /* where it is queued */
	bool embedded;
	bool merge; /* embedded, of a standard signal: not queued while one is pending, from whomever */
};

struct signal_action {
	uintptr_t handler; /* SIG_DFL, SIG_IGN, or the address */
	uint64_t flags;
	uintptr_t restorer;
	uint64_t mask;
};

struct signal_pending {
	uint64_t set;	   /* SIGNAL_BITs */
	struct list queue; /* struct signal_queue_entry.link, in the order in which they came */
};

/* Covered by lock, which interrupt handlers take (timers): spin_lock_irqsave. */
struct process_signals {
	struct spinlock lock;
	struct signal_action actions[SIGNAL_MAX];
	struct signal_pending pending; /* for any thread */
	unsigned nr_queued;	       /* entries of all queues, embedded ones of timers included: RLIMIT_SIGPENDING */
	struct task *next_target;      /* where the search for a thread goes on; NULL: at the first */
	bool stopped;		       /* SIGSTOP came: tasks wait on `waiters` on their way out */
	struct wait_queue waiters;
	struct poll_source source; /* signalfd(2) */
};

/* How an interrupted call goes on by restart_syscall(2): what is left of a timeout. */
struct task_restart {
	long (*fn)(struct task_restart *restart); /* NULL: -EINTR */
	uint64_t deadline;
	uint64_t args[4]; /* fn's own */
};

/* The processor's part of a fault, for the sigcontext. */
struct signal_trap {
	uint64_t nr, error, address;
};

/* Covered by the process's signals.lock; blocked is changed by the task itself only. */
struct task_signals {
	uint64_t blocked;
	uint64_t waited;     /* sigtimedwait(2) waits for them: they count as unblocked, and are not ignored */
	uint64_t saved_mask; /* to restore after a handler ran (sigsuspend, ppoll): valid when has_saved_mask */
	bool has_saved_mask;
	struct signal_pending pending;
	/* The task's own, without a lock. */
	uintptr_t altstack;
	size_t altstack_len; /* 0: none */
	unsigned altstack_flags;
	struct signal_trap trap;
	struct task_restart restart;
};

void signal_process_init(struct process_signals *signals);
/* PARENT may be NULL: the first task of a process. */
void signal_task_init(struct task *task, const struct task *parent);
/*
 * Frees what is queued. Of a task that has left its process's list, before it is freed: whoever holds signals.lock
 * may use the tasks that it finds there. Of a process without tasks.
 */
void signal_task_free(struct task *task);
void signal_process_free(struct process *process);

/*
 * Sends a signal: to one task, or to a process as a whole. Any context; the caller keeps TASK or PROCESS from going
 * away. INFO->signo is valid. 0 (also when it is ignored), -EAGAIN (queue full, real-time signals only).
 */
int signal_send_task(struct task *task, const struct signal_info *info);
int signal_send_process(struct process *process, const struct signal_info *info);
/*
 * To the task TID of PROCESS; SHARED: to the process, if it has such a task. Signal 0 only looks. 0, -ESRCH, -EAGAIN.
 * Threads only.
 */
int signal_send_tid(struct process *process, int tid, const struct signal_info *info, bool shared);
/*
 * The same with the memory for it given: ENTRY, embedded, its info filled in. It stays queued until it is taken, or
 * signal_entry_cancel. TID 0: to PROCESS. SIGNAL_QUEUED also when it was on the queue already; SIGNAL_IGNORED also
 * when there is no such thread.
 */
enum signal_sent { SIGNAL_QUEUED, SIGNAL_IGNORED };
enum signal_sent signal_send_entry(struct process *process, int tid, struct signal_queue_entry *entry);
void signal_entry_cancel(struct process *process, struct signal_queue_entry *entry);
/*
 * A synchronous fault of the calling task: cannot be blocked or ignored, the default action then kills. TRAP: what
 * the sigcontext shows of it, may be NULL.
 */
void signal_force(const struct signal_info *info);
void signal_force_trap(const struct signal_info *info, const struct signal_trap *trap);
/* SIGSEGV with SI_KERNEL: a signal frame could not be written or read. */
void signal_force_segv(void);

/*
 * On the way out to the application (arch_upcalls.leave), interrupts enabled: delivers what is pending by changing
 * FRAME, restarts or ends an interrupted system call, ends the task when its process is exiting. Clears
 * THREAD_WORK_SIGNAL first, so that what comes while it works is seen by whoever looks at thread->work afterwards.
 */
void signal_deliver(struct trapframe *frame);

/*
 * Sets the calling task's mask (less SIGKILL and SIGSTOP); and until a handler has run (sigsuspend, ppoll,
 * epoll_pwait).
 */
void signal_mask_set(uint64_t mask);
void signal_mask_set_until_handler(uint64_t mask);
void signal_mask_restore(void); /* undoes the latter when no handler has run */

/* What the calling task could take: pending for it or its process. For poll of a signalfd, sigpending(2). */
uint64_t signal_pending_set(void);
/* Takes the next pending signal of WANTED, blocked or not. False: there is none. Threads only. */
bool signal_take(uint64_t wanted, struct signal_info *info);
/* Waits for one of WANTED until the monotonic DEADLINE. 0, -EAGAIN (deadline), -EINTR (another signal came). */
int signal_wait(uint64_t wanted, uint64_t deadline, struct signal_info *info);
/* Sleeps until a signal is there: -ERESTARTSYS; or the monotonic DEADLINE (UINT64_MAX: none): -ETIMEDOUT. */
int signal_sleep(uint64_t deadline);
/*
 * The same, but also ends, with 0, when the thread is woken by sched_wake, or when ready(ARG) is true, which is asked
 * when the thread is about to sleep: who makes it true calls sched_wake after that. May return 0 for no reason.
 */
int signal_sleep_unless(bool (*ready)(const void *arg), const void *arg, uint64_t deadline);

/* ACTION NULL: only asks. OLD may be NULL. SIGNO is valid and for ACTION neither SIGKILL nor SIGSTOP. */
void signal_action_set(unsigned signo, const struct signal_action *action, struct signal_action *old);

/* The form in which an application has it, all bytes set; and back, for what it sends: SI codes below 0. */
void signal_info_encode(const struct signal_info *info, struct linux_siginfo *out);
void signal_info_decode(const struct linux_siginfo *in, struct signal_info *out);
/* "SIGSEGV" for SIGSEGV, "SIGRT" for real-time signals. */
const char *signal_name(unsigned signo);

#define SIGNALS_UNBLOCKABLE (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

enum signal_default { DEFAULT_TERMINATE, DEFAULT_CORE, DEFAULT_IGNORE, DEFAULT_STOP };
enum signal_default signal_default_of(unsigned signo);

static inline bool signal_is_valid(int signo)
{
	return signo >= 1 && signo <= SIGNAL_MAX;
}

/* ---- Inside of the signal code: signals.lock held ------------------------------------------------------------- */

void signal_pending_init(struct signal_pending *pending);
/* Takes the next signal of ALLOWED for TASK: its own before its process's, faults first. 0: none. */
unsigned signal_dequeue_locked(struct task *task, uint64_t allowed, struct signal_info *info);
/* Drops what is pending of SET, everywhere in PROCESS. */
void signal_flush_locked(struct process *process, uint64_t set);
/* Tells other threads of what is pending of SET for PROCESS: who was told before does not take it. */
void signal_retarget_locked(struct process *process, uint64_t set);
/* Something that TASK does not block is pending for it or for its process. */
bool signal_is_due_locked(const struct task *task);
/* What timers have to do about a signal that was just taken: counts overruns into INFO. No lock held. */
void signal_taken(struct process *process, struct signal_info *info);

#endif
