/*
 * Clocks, sleeping, and timers that send signals: clock_gettime(2), nanosleep(2), setitimer(2), timer_create(2),
 * adjtimex(2).
 */
#include "kernel/core/cpu.h"
#include "kernel/linux/abi_process.h"
#include "kernel/linux/clocks.h"
#include "kernel/linux/settings.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/task.h"
#include "kernel/linux/timespec.h"
#include "kernel/linux/user_copy.h"
#include "lib/string.h"

/*
 * The last second that settimeofday(2) takes: 30 years before nanoseconds in 64 bits end (Linux,
 * include/linux/time64.h).
 */
#define SET_SEC_MAX (TIME_MAX / NSEC_PER_SEC - 30ul * 365 * 24 * 3600)
/* Between two looks at a CPU clock that somebody sleeps on. */
#define CPU_POLL_MIN NSEC_PER_MSEC

/*
 * ---- Clocks -----------------------------------------------------------------------------------------------------
 */

long sys_clock_gettime(int clockid, struct linux_timespec *ts)
{
	uint64_t ns;
	int err = clock_read(clockid, &ns);

	return err ? err : timespec_write(ts, ns);
}

long sys_clock_getres(int clockid, struct linux_timespec *res)
{
	bool coarse = clockid == CLOCK_REALTIME_COARSE || clockid == CLOCK_MONOTONIC_COARSE;
	int tid;

	if (clock_kind(clockid, &tid) == CLOCK_KIND_NONE)
		return -EINVAL;
	return res ? timespec_write(res, coarse ? CLOCK_COARSE_NS : 1) : 0;
}

static int wall_set(uint64_t ns)
{
	if (ns / NSEC_PER_SEC > SET_SEC_MAX || ns < clock_monotonic())
		return -EINVAL;
	if (!process_is_capable(process_current(), CAP_SYS_TIME))
		return -EPERM;
	clock_realtime_set(ns);
	timers_wall_was_set(process_current());
	return 0;
}

long sys_clock_settime(int clockid, const struct linux_timespec *ts)
{
	uint64_t ns;
	int tid, err;

	switch (clock_kind(clockid, &tid)) {
	case CLOCK_KIND_PROCESS:
	case CLOCK_KIND_THREAD:
		return -EPERM;
	case CLOCK_KIND_REALTIME:
		break;
	default:
		return -EINVAL;
	}
	if (clockid != CLOCK_REALTIME)
		return -EINVAL;
	err = timespec_read(ts, &ns);
	return err ? err : wall_set(ns);
}

long sys_gettimeofday(struct linux_timeval *tv, struct linux_timezone *tz)
{
	static const struct linux_timezone utc;
	struct linux_timeval now = timeval_of(clock_realtime());

	if (tv && copy_out(tv, &now, sizeof(now)))
		return -EFAULT;
	return tz ? copy_out(tz, &utc, sizeof(utc)) : 0;
}

long sys_settimeofday(const struct linux_timeval *tv, const struct linux_timezone *tz)
{
	struct linux_timezone zone;
	struct linux_timeval in;
	uint64_t ns;

	if ((tv && copy_in(&in, tv, sizeof(in))) || (tz && copy_in(&zone, tz, sizeof(zone))))
		return -EFAULT;
	if (tv && timeval_to_ns(&in, &ns))
		return -EINVAL;
	/* The kernel's idea of a time zone is for file systems that keep local time: there is none. */
	if (tz && (zone.minutes_west > 15 * 60 || zone.minutes_west < -15 * 60))
		return -EINVAL;
	return tv ? wall_set(ns) : process_is_capable(process_current(), CAP_SYS_TIME) ? 0 : -EPERM;
}

long sys_time(long *seconds)
{
	long now = (long)(clock_realtime() / NSEC_PER_SEC);

	return seconds && copy_out(seconds, &now, sizeof(now)) ? -EFAULT : now;
}

/* The clock runs as it does: asking is all that is possible, and nobody synchronises it. */
static long adjust(struct linux_timex *user)
{
	struct linux_timex t;

	if (copy_in(&t, user, sizeof(t)))
		return -EFAULT;
	if (t.modes)
		return process_is_capable(process_current(), CAP_SYS_TIME) ? -EOPNOTSUPP : -EPERM;
	memset(&t, 0, sizeof(t));
	t.maxerror = t.esterror = 16000000; /* microseconds: Linux's figure for "no idea" */
	t.status = STA_UNSYNC;
	t.precision = 1;
	t.constant = 2;
	t.tolerance = 500 << 16;
	t.tick = 1000000 / USER_HZ;
	t.time = timeval_of(clock_realtime());
	return copy_out(user, &t, sizeof(t)) ? -EFAULT : TIME_ERROR;
}

long sys_adjtimex(struct linux_timex *timex)
{
	return adjust(timex);
}

long sys_clock_adjtime(int clockid, struct linux_timex *timex)
{
	int tid;

	if (clock_kind(clockid, &tid) == CLOCK_KIND_NONE)
		return -EINVAL;
	return clockid == CLOCK_REALTIME ? adjust(timex) : -EOPNOTSUPP;
}

/*
 * ---- Sleeping ---------------------------------------------------------------------------------------------------
 */

/* Until CLOCKID, a CPU clock, shows DEADLINE. */
static int sleep_on_cpu_clock(int clockid, uint64_t deadline)
{
	uint64_t now, left;
	int err;

	for (;;) {
		err = clock_read(clockid, &now);
		if (err || now >= deadline)
			return err;
		left = (deadline - now) / nr_cpus_online;
		err = signal_sleep(time_add(clock_monotonic(), MAX(left, CPU_POLL_MIN)));
		if (err != -ETIMEDOUT)
			return err;
	}
}

/* 0, -ERESTARTSYS, -EINVAL (the clock's thread has ended). */
static int sleep_until(int clockid, enum clock_kind kind, uint64_t deadline)
{
	int err;

	if (kind == CLOCK_KIND_PROCESS || kind == CLOCK_KIND_THREAD)
		return sleep_on_cpu_clock(clockid, deadline);
	err = signal_sleep(clock_deadline(kind, deadline));
	return err == -ETIMEDOUT ? 0 : err;
}

enum { ARG_CLOCK, ARG_REMAINING };

static long sleep_relative(int clockid, uint64_t deadline, struct linux_timespec *remaining);

static long sleep_again(struct task_restart *restart)
{
	return sleep_relative((int)restart->args[ARG_CLOCK], restart->deadline,
			      (struct linux_timespec *)restart->args[ARG_REMAINING]);
}

/*
 * CLOCKID is not one that can be set, so DEADLINE, a time of it, is as good as the length of time that was asked for.
 */
static long sleep_relative(int clockid, uint64_t deadline, struct linux_timespec *remaining)
{
	int tid, err = sleep_until(clockid, clock_kind(clockid, &tid), deadline);
	uint64_t now;

	if (err != -ERESTARTSYS)
		return err;
	if (clock_read(clockid, &now) || now >= deadline)
		return 0;
	if (remaining && timespec_write(remaining, deadline - now))
		return -EFAULT;
	task_current()->signals.restart = (struct task_restart){
		.fn = sleep_again,
		.deadline = deadline,
		.args = { (uint64_t)clockid, (uintptr_t)remaining },
	};
	return -ERESTART_RESTARTBLOCK;
}

long sys_nanosleep(const struct linux_timespec *req, struct linux_timespec *rem)
{
	uint64_t ns;
	int err = timespec_read(req, &ns);

	return err ? err : sleep_relative(CLOCK_MONOTONIC, time_add(clock_monotonic(), ns), rem);
}

static bool clock_has_sleep(int clockid)
{
	return clockid != CLOCK_MONOTONIC_RAW && clockid != CLOCK_MONOTONIC_COARSE &&
	       clockid != CLOCK_REALTIME_COARSE && clockid != CLOCK_THREAD_CPUTIME_ID;
}

long sys_clock_nanosleep(int clockid, int flags, const struct linux_timespec *req, struct linux_timespec *rem)
{
	int tid = 0, err;
	enum clock_kind kind = clock_kind(clockid, &tid);
	uint64_t ns, now;

	if (kind == CLOCK_KIND_NONE)
		return -EINVAL;
	if (!clock_has_sleep(clockid))
		return -EOPNOTSUPP;
	err = timespec_read(req, &ns);
	if (err)
		return err;
	/* A thread that waits for its own CPU time waits for ever. */
	if (kind == CLOCK_KIND_THREAD && tid == task_current()->tid)
		return -EINVAL;
	if (flags & TIMER_ABSTIME) {
		err = sleep_until(clockid, kind, ns);
		return err == -ERESTARTSYS ? -ERESTARTNOHAND : err;
	}
	if (kind == CLOCK_KIND_REALTIME)
		clockid = CLOCK_MONOTONIC;
	err = clock_read(clockid, &now);
	return err ? err : sleep_relative(clockid, time_add(now, ns), rem);
}

/*
 * ---- Timers -----------------------------------------------------------------------------------------------------
 */

long sys_getitimer(int which, struct linux_itimerval *value)
{
	struct timer_setting setting;
	struct linux_itimerval out;

	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	itimer_get(which, &setting);
	out.value = timeval_of(setting.value);
	out.interval = timeval_of(setting.interval);
	return copy_out(value, &out, sizeof(out));
}

long sys_setitimer(int which, const struct linux_itimerval *value, struct linux_itimerval *old_value)
{
	struct linux_itimerval in = { 0 }, out;
	struct timer_setting setting, old;
	int err;

	/* Linux takes NULL for zeros. */
	if (value && copy_in(&in, value, sizeof(in)))
		return -EFAULT;
	if (timeval_to_ns(&in.value, &setting.value) || timeval_to_ns(&in.interval, &setting.interval))
		return -EINVAL;
	if (which < ITIMER_REAL || which > ITIMER_PROF)
		return -EINVAL;
	err = itimer_set(which, &setting, &old);
	if (err)
		return err;
	out.value = timeval_of(old.value);
	out.interval = timeval_of(old.interval);
	return old_value ? copy_out(old_value, &out, sizeof(out)) : 0;
}

long sys_alarm(unsigned seconds)
{
	struct timer_setting setting = { .value = seconds * NSEC_PER_SEC }, old;
	uint64_t left;

	if (itimer_set(ITIMER_REAL, &setting, &old))
		return 0;
	/* Not 0 while there was one; else to the nearest. */
	left = (old.value + NSEC_PER_SEC / 2) / NSEC_PER_SEC;
	return old.value && !left ? 1 : (long)left;
}

long sys_timer_create(int clockid, struct linux_sigevent *event, int *timerid)
{
	struct linux_sigevent in;
	int id, err;

	if (event && copy_in(&in, event, sizeof(in)))
		return -EFAULT;
	err = posix_timer_create(clockid, event ? &in : NULL, &id);
	if (err)
		return err;
	if (copy_out(timerid, &id, sizeof(id))) {
		posix_timer_delete(id);
		return -EFAULT;
	}
	return 0;
}

static void itimerspec_of(const struct timer_setting *setting, struct linux_itimerspec *out)
{
	out->value = timespec_of(setting->value);
	out->interval = timespec_of(setting->interval);
}

long sys_timer_settime(int timerid, int flags, const struct linux_itimerspec *value, struct linux_itimerspec *old_value)
{
	struct timer_setting setting, old;
	struct linux_itimerspec in, out;
	int err;

	if (!value)
		return -EINVAL;
	if (copy_in(&in, value, sizeof(in)))
		return -EFAULT;
	if (timespec_to_ns(&in.value, &setting.value) || timespec_to_ns(&in.interval, &setting.interval))
		return -EINVAL;
	err = posix_timer_set(timerid, flags & TIMER_ABSTIME, &setting, &old);
	if (err || !old_value)
		return err;
	itimerspec_of(&old, &out);
	return copy_out(old_value, &out, sizeof(out));
}

long sys_timer_gettime(int timerid, struct linux_itimerspec *value)
{
	struct timer_setting setting;
	struct linux_itimerspec out;
	int err = posix_timer_get(timerid, &setting);

	if (err)
		return err;
	itimerspec_of(&setting, &out);
	return copy_out(value, &out, sizeof(out));
}

long sys_timer_getoverrun(int timerid)
{
	return posix_timer_overrun(timerid);
}

long sys_timer_delete(int timerid)
{
	return posix_timer_delete(timerid);
}
