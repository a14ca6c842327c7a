/*
 * Points in time and lengths of time, between the application's structures and the kernel's nanoseconds in 64 bits.
 * What is too long for those (292 years) is cut to TIME_MAX.
 */
#ifndef KERNEL_LINUX_TIMESPEC_H
#define KERNEL_LINUX_TIMESPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/core/clock.h"
#include "kernel/linux/abi_time.h"
#include "lib/errno.h"
#include "lib/util.h"

#define TIME_MAX ((uint64_t)INT64_MAX)

/* 0, -EINVAL: negative, or not a fraction. */
static inline int timespec_to_ns(const struct linux_timespec *ts, uint64_t *ns)
{
	if (ts->sec < 0 || (uint64_t)ts->nsec >= NSEC_PER_SEC)
		return -EINVAL;
	*ns = (uint64_t)ts->sec >= TIME_MAX / NSEC_PER_SEC ? TIME_MAX
							   : (uint64_t)ts->sec * NSEC_PER_SEC + (uint64_t)ts->nsec;
	return 0;
}

static inline int timeval_to_ns(const struct linux_timeval *tv, uint64_t *ns)
{
	struct linux_timespec ts = { .sec = tv->sec };

	if ((uint64_t)tv->usec >= NSEC_PER_SEC / NSEC_PER_USEC)
		return -EINVAL;
	ts.nsec = tv->usec * (int64_t)NSEC_PER_USEC;
	return timespec_to_ns(&ts, ns);
}

static inline struct linux_timespec timespec_of(uint64_t ns)
{
	return (struct linux_timespec){ (int64_t)(ns / NSEC_PER_SEC), (int64_t)(ns % NSEC_PER_SEC) };
}

/* Rounded down. */
static inline struct linux_timeval timeval_of(uint64_t ns)
{
	return (struct linux_timeval){ (int64_t)(ns / NSEC_PER_SEC), (int64_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}

/* FROM + NS, cut. Both at most TIME_MAX. */
static inline uint64_t time_add(uint64_t from, uint64_t ns)
{
	return MIN(from + ns, TIME_MAX);
}

/* The application's. 0, -EFAULT, -EINVAL. */
int timespec_read(const struct linux_timespec *user, uint64_t *ns);
/* 0, -EFAULT. */
int timespec_write(struct linux_timespec *user, uint64_t ns);

#endif
