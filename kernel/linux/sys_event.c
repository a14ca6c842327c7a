/* Files to wait for, and waiting by sets: eventfd(2), timerfd_create(2), epoll(7). */
#include "kernel/file/epoll.h"
#include "kernel/file/eventfd.h"
#include "kernel/file/timerfd.h"
#include "kernel/linux/clocks.h"
#include "kernel/linux/poll_call.h"
#include "kernel/linux/syscall_handlers.h"

_Static_assert(EFD_CLOEXEC == O_CLOEXEC && EPOLL_CLOEXEC == O_CLOEXEC && TFD_CLOEXEC == O_CLOEXEC, "fd_install's");
_Static_assert(EFD_NONBLOCK == O_NONBLOCK && TFD_NONBLOCK == O_NONBLOCK, "the open file's flags");

long sys_eventfd2(unsigned count, int flags)
{
	struct file *file;
	int error;

	if (flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
		return -EINVAL;
	error = eventfd_create(count, (unsigned)flags, &file);
	return error ? error : fd_install(file, (unsigned)flags);
}

long sys_eventfd(unsigned count)
{
	return sys_eventfd2(count, 0);
}

/* ---- epoll ------------------------------------------------------------------------------------------------------ */

long sys_epoll_create1(int flags)
{
	struct file *file;
	int error;

	if (flags & ~EPOLL_CLOEXEC)
		return -EINVAL;
	error = epoll_create(&file);
	return error ? error : fd_install(file, (unsigned)flags);
}

long sys_epoll_create(int size)
{
	return size <= 0 ? -EINVAL : sys_epoll_create1(0);
}

long sys_epoll_ctl(unsigned epfd, int op, unsigned fd, struct linux_epoll_event *user_event)
{
	struct linux_epoll_event event = { 0 };
	struct fd_ref epoll, target;
	long error;

	if (op != EPOLL_CTL_DEL &&
	    (!user_range_is_valid(user_event, sizeof(event)) || user_read(&event, user_event, sizeof(event))))
		return -EFAULT;
	epoll = fd_borrow_open(epfd);
	if (!epoll.file)
		return -EBADF;
	error = -EBADF;
	target = fd_borrow_open(fd);
	if (!target.file)
		goto out;
	if (!target.file->source)
		error = -EPERM;
	else if (!file_is_epoll(epoll.file))
		error = -EINVAL;
	else
		error = epoll_ctl(epoll.file, op, fd, target.file, &event);
	fd_ref_put(target);
out:
	fd_ref_put(epoll);
	return error;
}

/* TIMEOUT in nanoseconds. The clock is asked only if there is something to wait for. -ERESTARTSYS stands for a signal. */
static inline long epoll_wait_for(unsigned epfd, struct linux_epoll_event *events, int max, uint64_t timeout)
{
	struct fd_ref ref;
	long n = -EINVAL;

	if (max <= 0 || max > INT32_MAX / (int)sizeof(*events))
		return -EINVAL;
	if (!user_range_is_valid(events, (size_t)max * sizeof(*events)))
		return -EFAULT;
	ref = fd_borrow(epfd);
	if (!ref.file)
		return -EBADF;
	if (likely(file_is_epoll(ref.file))) {
		n = epoll_wait(ref.file, events, max, 0);
		if (n == 0 && timeout)
			n = epoll_wait(ref.file, events, max, deadline_in(timeout));
	}
	fd_ref_put(ref);
	return n;
}

/* SET NULL: the mask stays. Never made again after a signal: signal(7). */
static inline long epoll_pwait_for(unsigned epfd, struct linux_epoll_event *events, int max, uint64_t timeout,
				   const uint64_t *set, size_t sigsetsize)
{
	long n = unlikely(set) ? mask_begin(set, sigsetsize) : 0;

	if (n)
		return n;
	n = epoll_wait_for(epfd, events, max, timeout);
	if (unlikely(set))
		return mask_end(n, -EINTR);
	return unlikely(n == -ERESTARTSYS) ? -EINTR : n;
}

static inline uint64_t timeout_of_ms(int timeout)
{
	return timeout < 0 ? NO_TIMEOUT : (uint64_t)timeout * NSEC_PER_MSEC;
}

long sys_epoll_wait(unsigned epfd, struct linux_epoll_event *events, int maxevents, int timeout)
{
	return epoll_pwait_for(epfd, events, maxevents, timeout_of_ms(timeout), NULL, 0);
}

long sys_epoll_pwait(unsigned epfd, struct linux_epoll_event *events, int maxevents, int timeout, const uint64_t *set,
		     size_t sigsetsize)
{
	return epoll_pwait_for(epfd, events, maxevents, timeout_of_ms(timeout), set, sigsetsize);
}

long sys_epoll_pwait2(unsigned epfd, struct linux_epoll_event *events, int maxevents,
		      const struct linux_timespec *timeout, const uint64_t *set, size_t sigsetsize)
{
	uint64_t ns = NO_TIMEOUT;
	int error = timeout ? timespec_read(timeout, &ns) : 0;

	return error ? error : epoll_pwait_for(epfd, events, maxevents, ns, set, sigsetsize);
}

/* ---- timerfd ---------------------------------------------------------------------------------------------------- */

long sys_timerfd_create(int clockid, int flags)
{
	struct file *file;
	bool realtime = clockid == CLOCK_REALTIME || clockid == CLOCK_REALTIME_ALARM;
	int error;

	if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK))
		return -EINVAL;
	if (!realtime && clockid != CLOCK_MONOTONIC && clockid != CLOCK_BOOTTIME && clockid != CLOCK_BOOTTIME_ALARM)
		return -EINVAL;
	error = timerfd_create(realtime, (unsigned)flags, &file);
	return error ? error : fd_install(file, (unsigned)flags);
}

/* The timerfd of FD; its file NULL: *ERROR says why. */
static struct fd_ref timerfd_borrow(unsigned fd, long *error)
{
	struct fd_ref ref = fd_borrow_open(fd);

	*error = -EBADF;
	if (ref.file && !file_is_timerfd(ref.file)) {
		fd_ref_put(ref);
		ref.file = NULL;
		*error = -EINVAL;
	}
	return ref;
}

static int setting_write(struct linux_itimerspec *user, const struct timerfd_setting *setting)
{
	struct linux_itimerspec spec = { timespec_of(setting->interval), timespec_of(setting->value) };

	return user_range_is_valid(user, sizeof(spec)) ? user_write(user, &spec, sizeof(spec)) : -EFAULT;
}

/* When a timer that VALUE (not 0) is given for is due on the monotonic clock; at least 1, since 0 stops it. */
static uint64_t timerfd_deadline(const struct file *file, int flags, uint64_t value)
{
	if (!(flags & TFD_TIMER_ABSTIME))
		return time_add(clock_monotonic(), value);
	if (timerfd_is_realtime(file))
		value = clock_deadline(CLOCK_KIND_REALTIME, value);
	return MAX(value, 1u);
}

long sys_timerfd_settime(unsigned fd, int flags, const struct linux_itimerspec *user_value,
			 struct linux_itimerspec *old_value)
{
	struct linux_itimerspec spec;
	struct timerfd_setting old;
	uint64_t value, interval;
	struct fd_ref ref;
	long error;

	if (!user_range_is_valid(user_value, sizeof(spec)) || user_read(&spec, user_value, sizeof(spec)))
		return -EFAULT;
	if (flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) || timespec_to_ns(&spec.value, &value) ||
	    timespec_to_ns(&spec.interval, &interval))
		return -EINVAL;
	ref = timerfd_borrow(fd, &error);
	if (!ref.file)
		return error;
	timerfd_set(ref.file, value ? timerfd_deadline(ref.file, flags, value) : 0, interval, &old);
	fd_ref_put(ref);
	return old_value ? setting_write(old_value, &old) : 0;
}

long sys_timerfd_gettime(unsigned fd, struct linux_itimerspec *value)
{
	struct timerfd_setting left;
	long error;
	struct fd_ref ref = timerfd_borrow(fd, &error);

	if (!ref.file)
		return error;
	timerfd_get(ref.file, &left);
	fd_ref_put(ref);
	return setting_write(value, &left);
}
