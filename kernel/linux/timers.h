/* Timers of a process: setitimer(2), timer_create(2). */
#ifndef KERNEL_LINUX_TIMERS_H
#define KERNEL_LINUX_TIMERS_H

#include "kernel/core/lock.h"
#include "kernel/core/timer.h"

struct process;
struct posix_timer;

struct process_timers {
	struct spinlock lock;		 /* covers the rest */
	struct posix_timer *posix;	 /* timers.c */
	struct posix_timer *interval[3]; /* ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF */
	int last_id;
};

void timers_process_init(struct process *process);
/* Stops and frees all. Threads only. */
void timers_process_free(struct process *process);

#endif
