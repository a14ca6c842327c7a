/*
 * Timers of a process that send signals: setitimer(2), timer_create(2). Each is one struct timer of the core; the
 * next period of a periodic one is armed when its signal is taken, so that a timer whose signal is blocked costs
 * nothing, and counts overruns.
 *
 * Timers on CPU clocks look at the clock from time to time: they are late by a millisecond or so.
 */
#ifndef KERNEL_LINUX_TIMERS_H
#define KERNEL_LINUX_TIMERS_H

#include "kernel/core/lock.h"
#include "kernel/core/timer.h"
#include "lib/rbtree.h"

struct linux_sigevent;
struct process;
struct posix_timer;

struct process_timers {
	struct spinlock lock;		 /* covers the rest, and all of each timer; interrupt handlers take it */
	struct rb_tree posix;		 /* struct posix_timer.node, by id */
	struct posix_timer *interval[3]; /* ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF; NULL: never set */
	unsigned next_id;
};

void timers_process_init(struct process *process);
/* Stops and frees all. Threads only. At the process's end, and at exec (then ITIMERS false: setitimer's go on). */
void timers_process_free(struct process *process, bool itimers);

/* Nanoseconds; VALUE 0: not armed. */
struct timer_setting {
	uint64_t value, interval;
};

/* Of the calling process. WHICH is valid. OLD may be NULL. 0, -ENOMEM. */
int itimer_set(int which, const struct timer_setting *setting, struct timer_setting *old);
void itimer_get(int which, struct timer_setting *out);

/* EVENT NULL: SIGALRM. *ID: its number. 0, -EINVAL, -EOPNOTSUPP, -EAGAIN. */
int posix_timer_create(int clockid, const struct linux_sigevent *event, int *id);
/* ABSOLUTE: value is a point in time of the timer's clock. 0, -EINVAL: no such timer; also the next three. */
int posix_timer_set(int id, bool absolute, const struct timer_setting *setting, struct timer_setting *old);
int posix_timer_get(int id, struct timer_setting *out);
int posix_timer_overrun(int id);
int posix_timer_delete(int id);

/* Wall time was set: absolute timers on it are armed anew. */
void timers_wall_was_set(struct process *process);

#endif
