/*
 * Readiness. Whatever can become ready (pipe, socket, eventfd, terminal, epoll itself) has a poll_source; poll(2), select(2)
 * and epoll(7) hang watches on it. The owner calls poll_notify after it has changed its state; a watch's notify is told which
 * events may have come, and looks again by file->ops->poll.
 */
#ifndef KERNEL_FILE_POLL_H
#define KERNEL_FILE_POLL_H

#include "kernel/core/lock.h"
#include "lib/list.h"

/* Linux's values (poll(2), epoll_ctl(2): the same for both). */
enum poll_events {
	EV_IN = 0x001,
	EV_PRI = 0x002,
	EV_OUT = 0x004,
	EV_ERR = 0x008,
	EV_HUP = 0x010,
	EV_NVAL = 0x020,
	EV_RDNORM = 0x040,
	EV_RDBAND = 0x080,
	EV_WRNORM = 0x100,
	EV_WRBAND = 0x200,
	EV_MSG = 0x400,
	EV_RDHUP = 0x2000,
};

struct poll_source {
	struct spinlock lock; /* covers watches; notify is called under it */
	struct list watches;
};

struct poll_watch {
	struct list link;
	struct poll_source *source; /* NULL: on none */
	unsigned events;	    /* what it wants to hear of; EV_ERR and EV_HUP always */
	/*
	 * EVENTS: those that may be there now. Interrupts disabled, source->lock held: wakes threads, marks items ready;
	 * may call poll_notify of another source (epoll in epoll), never of this one. True: woke an exclusive waiter, so no
	 * other exclusive watch needs to hear of it.
	 */
	bool (*notify)(struct poll_watch *watch, unsigned events);
	bool exclusive;
};

void poll_source_init(struct poll_source *source);
void poll_watch_add(struct poll_source *source, struct poll_watch *watch);
/* After it returns, notify neither runs nor will run. */
void poll_watch_remove(struct poll_watch *watch);
void poll_notify_slow(struct poll_source *source, unsigned events);
/* Any context. Costs next to nothing while nobody watches. The change that it tells of has been made visible before. */
static inline void poll_notify(struct poll_source *source, unsigned events)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (unlikely(!list_is_empty(&source->watches)))
		poll_notify_slow(source, events);
}

#endif
