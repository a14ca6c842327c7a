/* Waiting for several files at once: poll(2), select(2). */
#ifndef KERNEL_FILE_POLL_SET_H
#define KERNEL_FILE_POLL_SET_H

#include "kernel/file/fdtable.h"

struct poll_waiter {
	struct wait_queue queue;
	bool notified; /* atomic */
};

/* All zero but what the caller sets: ref, events. */
struct poll_item {
	struct fd_ref ref; /* file NULL: nothing to wait for, and REVENTS is as the caller has it */
	unsigned events;   /* wanted; EV_ERR and EV_HUP always are */
	unsigned revents;  /* there now */
	struct poll_waiter *waiter;
	struct poll_watch watch;
};

/*
 * Waits until one of the N items has events, or the monotonic DEADLINE (0: does not wait). How many have some; -ERESTARTSYS.
 * Threads only; costs nothing but file_poll while something is ready.
 */
long poll_items(struct poll_item *items, unsigned n, uint64_t deadline);

#endif
