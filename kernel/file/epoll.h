/*
 * epoll(7): a set of watched files, those that are ready on a list. A file that becomes ready puts its item on the
 * list and wakes one thread that waits; epoll_wait looks only at what is on the list, so it costs nothing per file
 * that is not ready.
 */
#ifndef KERNEL_FILE_EPOLL_H
#define KERNEL_FILE_EPOLL_H

#include "kernel/file/abi_event.h"
#include "kernel/file/file.h"

/* 0, -ENOMEM. */
int epoll_create(struct file **out);
bool file_is_epoll(const struct file *file);
/*
 * epoll_ctl(2): OP EPOLL_CTL_*, FILE as descriptor FD in EPOLL (file_is_epoll); EVENT is not looked at by
 * EPOLL_CTL_DEL. 0; -EEXIST, -ENOENT, -EPERM, -EINVAL, -ELOOP, -ENOMEM. Threads only; the caller keeps both files.
 */
int epoll_ctl(struct file *epoll, int op, unsigned fd, struct file *file, const struct linux_epoll_event *event);
/*
 * epoll_wait(2): up to MAX events, at least 1, into the application's memory, until the monotonic DEADLINE (0: does
 * not wait, UINT64_MAX: none). How many; -EFAULT, -ERESTARTSYS.
 */
long epoll_wait(struct file *file, struct linux_epoll_event *user_events, int max, uint64_t deadline);

#endif
