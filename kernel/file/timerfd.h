/* Timers to wait for: timerfd_create(2). */
#ifndef KERNEL_FILE_TIMERFD_H
#define KERNEL_FILE_TIMERFD_H

#include "kernel/file/file.h"

struct timerfd_setting {
	uint64_t interval; /* nanoseconds; 0: once */
	uint64_t value;	   /* nanoseconds from now on; 0: not armed */
};

/* REALTIME: the clock is wall time. FLAGS: O_NONBLOCK. 0, -ENOMEM. */
int timerfd_create(bool realtime, unsigned flags, struct file **out);
bool file_is_timerfd(const struct file *file);
bool timerfd_is_realtime(const struct file *file);
/* Sets it: VALUE is a point of the monotonic clock here, 0: stops it. OLD: what was left. */
void timerfd_set(struct file *file, uint64_t deadline, uint64_t interval, struct timerfd_setting *old);
void timerfd_get(struct file *file, struct timerfd_setting *left);

#endif
