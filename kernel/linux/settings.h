/*
 * What prctl(2), personality(2), capset(2), setrlimit(2) and sched_setscheduler(2) set and others only ask: per
 * process, per thread, and of the system. Words of their own that are read without a lock.
 */
#ifndef KERNEL_LINUX_SETTINGS_H
#define KERNEL_LINUX_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/linux/abi_process.h"

struct process;

/* capabilities(7): bit N of each set. */
#define CAP_SETGID 6
#define CAP_SETUID 7
#define CAP_SETPCAP 8
#define CAP_SYS_ADMIN 21
#define CAP_SYS_BOOT 22
#define CAP_SYS_NICE 23
#define CAP_SYS_RESOURCE 24
#define CAP_SYS_TIME 25
#define CAP_SYSLOG 34
#define CAPS_ALL ((1ul << (CAP_LAST_CAP + 1)) - 1)

struct process_caps {
	uint64_t effective, permitted, inheritable, bounding, ambient;
};

struct process_settings {
	struct process_caps caps;
	unsigned personality, securebits;
	bool keep_caps, child_subreaper, thp_disable, io_flusher;
	int death_signal;     /* PR_SET_PDEATHSIG: the first process has no parent that could die */
	unsigned membarriers; /* MEMBARRIER_CMD_REGISTER_* that were given */
};

struct task_settings {
	int policy, priority, nice; /* sched(7) */
	bool reset_on_fork;
	uint64_t timer_slack; /* nanoseconds; noted, not used: timers are exact */
};

/* All capabilities for uid 0, else none. PROCESS->fs.cred is set. Limits as a new process of Linux has them. */
void process_settings_init(struct process *process);
/* PARENT NULL: the first. */
void task_settings_init(struct task_settings *settings, const struct task_settings *parent);

bool process_is_capable(const struct process *process, unsigned cap);
/* After the user ids went from OLD_UID... to what fs.cred says: capabilities(7), "Effect of user ID changes". */
void caps_after_setuid(struct process *process, uint32_t old_ruid, uint32_t old_euid, uint32_t old_suid);

#endif
