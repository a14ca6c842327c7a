/* The set of an epoll instance: its items, as epoll_ctl(2) changes them and as files that go take them along. */
#include "kernel/file/epoll_item.h"

#include "kernel/mem/slab.h"

#define FLAGS (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP)
#define EXCLUSIVE_MAY (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLET | EPOLLEXCLUSIVE | EPOLLWAKEUP)

static struct epoll_item *item_of(const struct rb_node *node)
{
	return container_of(node, struct epoll_item, node);
}

static bool key_less(const struct file *a, unsigned fd_a, const struct file *b, unsigned fd_b)
{
	return a != b ? (uintptr_t)a < (uintptr_t)b : fd_a < fd_b;
}

static bool item_less(const struct rb_node *a, const struct rb_node *b)
{
	return key_less(item_of(a)->file, item_of(a)->fd, item_of(b)->file, item_of(b)->fd);
}

/* The first item of FILE with a descriptor from FD on. */
static struct epoll_item *item_find_from(struct epoll *epoll, const struct file *file, unsigned fd)
{
	struct rb_node *node = epoll->items.root, *found = NULL;

	while (node) {
		if (key_less(item_of(node)->file, item_of(node)->fd, file, fd)) {
			node = node->right;
		} else {
			found = node;
			node = node->left;
		}
	}
	return found && item_of(found)->file == file ? item_of(found) : NULL;
}

static struct epoll_item *item_find(struct epoll *epoll, const struct file *file, unsigned fd)
{
	struct epoll_item *item = item_find_from(epoll, file, fd);

	return item && item->fd == fd ? item : NULL;
}

static void epoll_put(struct epoll *epoll)
{
	if (__atomic_fetch_sub(&epoll->refs, 1, __ATOMIC_ACQ_REL) == 1)
		kfree(epoll);
}

/* ---- Items ------------------------------------------------------------------------------------------------------ */

/* epoll->lock held, and the file is there: it cannot go before its ties are cut, which waits for the lock. */
static void item_remove(struct epoll_item *item)
{
	struct epoll *epoll = item->epoll;
	struct poll_source *source = item->file->source;
	unsigned long flags = spin_lock_irqsave(&source->lock);

	list_remove(&item->watch.link);
	list_remove(&item->tie.link);
	spin_unlock_irqrestore(&source->lock, flags);
	epoll_item_unqueue(item);
	rb_remove(&epoll->items, &item->node);
	epoll_unnest(item);
	kfree(item);
}

static void *tie_hold(struct file_tie *tie)
{
	struct epoll *epoll = container_of(tie, struct epoll_item, tie)->epoll;

	__atomic_fetch_add(&epoll->refs, 1, __ATOMIC_RELAXED);
	return epoll;
}

static void tie_cut(void *owner, struct file *file)
{
	struct epoll *epoll = owner;
	struct epoll_item *item;

	mutex_lock(&epoll->lock);
	while ((item = item_find_from(epoll, file, 0)))
		item_remove(item);
	mutex_unlock(&epoll->lock);
	epoll_put(epoll);
}

static void item_tie(struct epoll_item *item)
{
	struct file *file = item->file;
	unsigned long flags = spin_lock_irqsave(&file->source->lock);

	if (!file->ties.next)
		list_init(&file->ties);
	list_push_back(&file->ties, &item->tie.link);
	spin_unlock_irqrestore(&file->source->lock, flags);
	poll_watch_add(file->source, &item->watch);
}

static void item_set(struct epoll_item *item, const struct linux_epoll_event *event)
{
	item->events = event->events;
	item->data = event->data;
	WRITE_ONCE(item->watch.events, event->events & ~FLAGS);
	WRITE_ONCE(item->disabled, false);
}

static int item_add(struct epoll *epoll, unsigned fd, struct file *file, const struct linux_epoll_event *event)
{
	struct epoll_item *item = kzalloc(sizeof(*item));
	int error;

	if (!item)
		return -ENOMEM;
	item->epoll = epoll;
	item->file = file;
	item->fd = fd;
	item->watch.notify = epoll_notify;
	item->watch.exclusive = event->events & EPOLLEXCLUSIVE;
	item->tie = (struct file_tie){ .hold = tie_hold, .cut = tie_cut };
	item_set(item, event);
	error = file_is_epoll(file) ? epoll_nest(item) : 0;
	if (error) {
		kfree(item);
		return error;
	}
	rb_insert(&epoll->items, &item->node, item_less);
	item_tie(item);
	epoll_item_check(item);
	return 0;
}

static int item_change(struct epoll_item *item, const struct linux_epoll_event *event)
{
	if (event->events & EPOLLEXCLUSIVE || item->watch.exclusive)
		return -EINVAL;
	item_set(item, event);
	/* A notify that came before sees the old events, file_poll after the fence what it was about. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	epoll_item_check(item);
	return 0;
}

static int ctl_check(struct epoll *epoll, int op, struct file *file, const struct linux_epoll_event *event)
{
	if (!file->source)
		return -EPERM;
	if (file == &epoll->file)
		return -EINVAL;
	if (op != EPOLL_CTL_DEL && event->events & EPOLLEXCLUSIVE &&
	    (op == EPOLL_CTL_MOD || file_is_epoll(file) || event->events & ~EXCLUSIVE_MAY))
		return -EINVAL;
	return 0;
}

int epoll_ctl(struct file *epoll_file, int op, unsigned fd, struct file *file, const struct linux_epoll_event *event)
{
	struct epoll *epoll = epoll_of(epoll_file);
	struct epoll_item *item;
	int error = ctl_check(epoll, op, file, event);

	if (error)
		return error;
	mutex_lock(&epoll->lock);
	item = item_find(epoll, file, fd);
	switch (op) {
	case EPOLL_CTL_ADD:
		error = item ? -EEXIST : item_add(epoll, fd, file, event);
		break;
	case EPOLL_CTL_MOD:
		error = item ? item_change(item, event) : -ENOENT;
		break;
	case EPOLL_CTL_DEL:
		if (item)
			item_remove(item);
		else
			error = -ENOENT;
		break;
	default:
		error = -EINVAL;
	}
	mutex_unlock(&epoll->lock);
	return error;
}

/* ---- The set ---------------------------------------------------------------------------------------------------- */

static int epoll_getattr(struct file *file, struct vnode_attr *attr)
{
	(void)file;
	return file_getattr_anonymous(attr, 0600);
}

static void epoll_release(struct file *file)
{
	struct epoll *epoll = epoll_of(file);
	struct rb_node *node;

	mutex_lock(&epoll->lock);
	while ((node = rb_first(&epoll->items)))
		item_remove(item_of(node));
	mutex_unlock(&epoll->lock);
	epoll_put(epoll);
}

static const struct file_ops epoll_ops = {
	.poll = epoll_poll,
	.getattr = epoll_getattr,
	.release = epoll_release,
};

bool file_is_epoll(const struct file *file)
{
	return file->ops == &epoll_ops;
}

int epoll_create(struct file **out)
{
	struct epoll *epoll = kzalloc(sizeof(*epoll));

	if (!epoll)
		return -ENOMEM;
	file_init(&epoll->file, &epoll_ops, O_RDWR);
	epoll->refs = 1;
	/* Without names: how deep sets are in each other is epoll_nest.c's matter, not that of the order of their addresses. */
	mutex_init(&epoll->lock, NULL);
	poll_source_init(&epoll->source);
	spin_init(&epoll->source.lock, NULL);
	spin_init(&epoll->ready_lock, NULL);
	list_init(&epoll->ready);
	wait_queue_init(&epoll->waiters);
	list_init(&epoll->children);
	list_init(&epoll->parents);
	epoll->file.source = &epoll->source;
	epoll->file.name = "anon_inode:[eventpoll]";
	*out = &epoll->file;
	return 0;
}
