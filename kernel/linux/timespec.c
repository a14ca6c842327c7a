#include "kernel/linux/timespec.h"

#include "kernel/mem/user.h"

int timespec_read(const struct linux_timespec *user, uint64_t *ns)
{
	struct linux_timespec ts;

	if (!user_range_is_valid(user, sizeof(ts)) || user_read(&ts, user, sizeof(ts)))
		return -EFAULT;
	return timespec_to_ns(&ts, ns);
}

int timespec_write(struct linux_timespec *user, uint64_t ns)
{
	struct linux_timespec ts = timespec_of(ns);

	if (!user_range_is_valid(user, sizeof(ts)) || user_write(user, &ts, sizeof(ts)))
		return -EFAULT;
	return 0;
}
