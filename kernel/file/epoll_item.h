/*
 * The inside of epoll. Private to epoll.c (the set), epoll_wait.c (the list of what is ready), epoll_nest.c (sets in sets).
 *
 * Locks, in the order in which they nest:
 *	epoll->lock		mutex: items and their fields. Of a set that is watched by another: inside of that one's
 *	nest_lock		which sets are in which
 *	source->lock		of a watched file: watches, ties; a notify holds it
 *	epoll->ready_lock	the ready list, item->queued; epoll->lock too to take an item off the list
 *	epoll->source.lock	of the set itself; then the locks of the set that watches it
 * A notify takes the last three with interrupts disabled, so everybody does.
 */
#ifndef KERNEL_FILE_EPOLL_ITEM_H
#define KERNEL_FILE_EPOLL_ITEM_H

#include "kernel/file/epoll.h"
#include "lib/rbtree.h"

struct epoll {
	struct file file;
	uint32_t refs; /* atomic: the file, and whoever cuts an item */
	struct mutex lock;
	struct rb_tree items; /* by file and descriptor */
	struct spinlock ready_lock;
	struct list ready; /* struct epoll_item.ready_link */
	struct wait_queue waiters;
	struct poll_source source;
	struct list children,
		parents; /* struct epoll_item.child_link: sets in this one; .parent_link: this one in others */
	uint64_t walk;	 /* the last walk that came here, and the depth that it found */
	unsigned walk_depth;
};

struct epoll_item {
	struct rb_node node;
	struct poll_watch watch;
	struct file_tie tie;
	struct list ready_link;
	bool queued;   /* on the ready list */
	bool disabled; /* EPOLLONESHOT has had its shot */
	bool nested;   /* FILE is a set: on the two lists below */
	unsigned fd;
	struct epoll *epoll;
	struct file *file; /* without a reference: see struct file_tie */
	uint32_t events;   /* as given, flags included */
	uint64_t data;
	struct list child_link, parent_link;
};

static inline struct epoll *epoll_of(struct file *file)
{
	return container_of(file, struct epoll, file);
}

/* The events of ITEM's that are there now. */
static inline unsigned item_poll(const struct epoll_item *item)
{
	return file_poll(item->file) & (item->watch.events | EV_ERR | EV_HUP);
}

/* epoll_wait.c: poll_watch.notify and file_ops.poll; and what a change of ITEM may have made ready. */
bool epoll_notify(struct poll_watch *watch, unsigned events);
unsigned epoll_poll(struct file *file);
void epoll_item_check(struct epoll_item *item);
/* Takes ITEM, which nothing notifies any more, off the ready list. */
void epoll_item_unqueue(struct epoll_item *item);

/* epoll_nest.c: notes that ITEM->file is a set in ITEM->epoll; -ELOOP. And takes the note back. */
int epoll_nest(struct epoll_item *item);
void epoll_unnest(struct epoll_item *item);

#endif
