/* Counters to wait for: eventfd(2). */
#ifndef KERNEL_FILE_EVENTFD_H
#define KERNEL_FILE_EVENTFD_H

#include "kernel/file/file.h"

/* FLAGS: EFD_SEMAPHORE, EFD_NONBLOCK. 0, -ENOMEM. */
int eventfd_create(uint64_t count, unsigned flags, struct file **out);

#endif
