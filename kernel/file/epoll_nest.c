/* Sets in sets: no loops, and not deeper than Linux allows (epoll_ctl(2), ELOOP). */
#include "kernel/file/epoll_item.h"

#define DEPTH_MAX 5 /* sets above each other, the outermost included */

static struct spinlock nest_lock = SPINLOCK_INIT("epoll_nest"); /* covers children, parents, walk of all sets */
static uint64_t walks;

/* Sets on the longest way down from EPOLL, itself included; more than DEPTH_MAX when TO is on one. */
static unsigned depth_down(struct epoll *epoll, const struct epoll *to, unsigned above)
{
	unsigned depth = 0;
	struct list *link;

	if (epoll == to || above > DEPTH_MAX)
		return DEPTH_MAX + 1;
	if (epoll->walk == walks)
		return epoll->walk_depth;
	list_for_each(link, &epoll->children) {
		struct epoll_item *item = list_entry(link, struct epoll_item, child_link);

		depth = MAX(depth, depth_down(epoll_of(item->file), to, above + 1));
	}
	epoll->walk = walks;
	epoll->walk_depth = depth + 1;
	return depth + 1;
}

static unsigned depth_up(struct epoll *epoll, unsigned below)
{
	unsigned depth = 0;
	struct list *link;

	if (below > DEPTH_MAX)
		return DEPTH_MAX + 1;
	if (epoll->walk == walks)
		return epoll->walk_depth;
	list_for_each(link, &epoll->parents) {
		struct epoll_item *item = list_entry(link, struct epoll_item, parent_link);

		depth = MAX(depth, depth_up(item->epoll, below + 1));
	}
	epoll->walk = walks;
	epoll->walk_depth = depth + 1;
	return depth + 1;
}

int epoll_nest(struct epoll_item *item)
{
	struct epoll *parent = item->epoll, *child = epoll_of(item->file);
	unsigned depth;

	spin_lock(&nest_lock);
	walks++;
	depth = depth_down(child, parent, 1);
	walks++;
	depth += depth_up(parent, 1);
	if (depth <= DEPTH_MAX) {
		list_push_back(&parent->children, &item->child_link);
		list_push_back(&child->parents, &item->parent_link);
		item->nested = true;
	}
	spin_unlock(&nest_lock);
	return depth <= DEPTH_MAX ? 0 : -ELOOP;
}

void epoll_unnest(struct epoll_item *item)
{
	if (!item->nested)
		return;
	spin_lock(&nest_lock);
	list_remove(&item->child_link);
	list_remove(&item->parent_link);
	spin_unlock(&nest_lock);
}
