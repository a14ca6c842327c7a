/* What poll(2), select(2), epoll_wait(2) and their kin have in common: lists of descriptors, timeouts, signal masks. */
#ifndef KERNEL_LINUX_POLL_CALL_H
#define KERNEL_LINUX_POLL_CALL_H

#include "kernel/file/poll_set.h"
#include "kernel/linux/abi.h"
#include "kernel/linux/fd.h"
#include "kernel/linux/timespec.h"

#define ITEMS_SMALL 8
#define NO_TIMEOUT UINT64_MAX

/* Of N items, on the caller's stack when they are few. */
struct item_list {
	struct poll_item *items;
	unsigned n;
	struct poll_item small[ITEMS_SMALL];
};

/* N items, all zero. 0, -ENOMEM. */
int items_alloc(struct item_list *list, unsigned n);
/* Gives the files back too. */
void items_free(struct item_list *list);

/* The monotonic point in time NS from now; 0 for 0, NO_TIMEOUT for itself. And what is left until then. */
uint64_t deadline_in(uint64_t ns);
uint64_t left_until(uint64_t deadline);
/* Of a timeout that the application gives; USER NULL: NO_TIMEOUT. 0, -EFAULT, -EINVAL. */
int timeout_read(const struct linux_timespec *user, uint64_t *deadline);
/* What is left of it, so that a call that is made again waits no longer. Memory that cannot be written is no error here. */
void timeout_write(struct linux_timespec *user, uint64_t deadline);

/* The signal mask for the time of the call. SET NULL: stays as it is. 0, -EINVAL (SIZE), -EFAULT. */
int mask_begin(const uint64_t *set, size_t size);
/* -ERESTARTSYS becomes INTERRUPTED, and the mask stays until the handler has run; else it is as before. Returns RESULT. */
long mask_end(long result, long interrupted);

#endif
