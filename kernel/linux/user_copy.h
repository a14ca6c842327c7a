/* What an application's pointer names, checked and copied. Threads only, no spinlock held: may sleep. 0, -EFAULT. */
#ifndef KERNEL_LINUX_USER_COPY_H
#define KERNEL_LINUX_USER_COPY_H

#include "kernel/mem/user.h"
#include "lib/errno.h"

static inline int copy_in(void *dst, const void *user, size_t len)
{
	return user_range_is_valid(user, len) ? user_read(dst, user, len) : -EFAULT;
}

static inline int copy_out(void *user, const void *src, size_t len)
{
	return user_range_is_valid(user, len) ? user_write(user, src, len) : -EFAULT;
}

#endif
