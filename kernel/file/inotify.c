/*
 * Watches of inotify(7) and the queues of events that their readers find. See inotify.h.
 *
 * Locks: watches_lock, then inotify->lock, then what a notify takes. Both are held only for list work; a vnode,
 * whose last reference may sleep, is given back outside of them.
 */
#include "kernel/file/inotify.h"

#include "kernel/file/vnode.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/user.h"
#include "lib/rbtree.h"
#include "lib/string.h"

#define EVENTS_MAX 16384  /* Linux's fs.inotify.max_queued_events */
#define WATCHES_MAX 65536 /* fs.inotify.max_user_watches */
#define IN_NAMES (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define IN_EVENTS (EV_IN | EV_RDNORM)

struct entry {
	struct list link;
	int wd;
	uint32_t mask, cookie;
	uint32_t len; /* of the name with its NULs as the reader gets it, 0: no name */
	char name[];
};

struct inotify {
	struct file file;
	struct spinlock lock; /* covers queue, nr_events, overflow's link */
	struct list queue;
	unsigned nr_events;
	struct entry *overflow; /* on the queue once at a time, when there is no room or no memory */
	struct rb_tree watches; /* by descriptor; under watches_lock */
	int last_wd;
	struct wait_queue readers;
	struct poll_source source;
};

struct watch {
	struct rb_node node;	/* inotify->watches */
	struct list vnode_link; /* vnode->watches */
	struct inotify *inotify;
	struct vnode *vnode; /* with a reference */
	int wd;
	uint32_t mask;
};

unsigned inotify_nr_watches;
static struct spinlock watches_lock =
	SPINLOCK_INIT("inotify_watches"); /* covers all watches and the lists they are on */

static struct inotify *inotify_of(struct file *file)
{
	return container_of(file, struct inotify, file);
}

/* ---- The queue -------------------------------------------------------------------------------------------------- */

static struct entry *entry_of(struct list *link)
{
	return list_entry(link, struct entry, link);
}

static bool is_same(const struct entry *a, const struct entry *b)
{
	return a->wd == b->wd && a->mask == b->mask && a->cookie == b->cookie && a->len == b->len &&
	       memcmp(a->name, b->name, a->len) == 0;
}

static struct entry *entry_alloc(int wd, uint32_t mask, uint32_t cookie, const char *name, size_t name_len)
{
	size_t len = name_len ? ALIGN_UP(name_len + 1, sizeof(struct linux_inotify_event)) : 0;
	struct entry *entry = kzalloc(sizeof(*entry) + len);

	if (!entry)
		return NULL;
	entry->wd = wd;
	entry->mask = mask;
	entry->cookie = cookie;
	entry->len = (uint32_t)len;
	if (name_len)
		memcpy(entry->name, name, name_len);
	return entry;
}

static void entry_free(struct inotify *inotify, struct entry *entry)
{
	if (entry != inotify->overflow)
		kfree(entry);
}

/* An event that equals the one before it is not told twice. */
static void event_queue(struct inotify *inotify, int wd, uint32_t mask, uint32_t cookie, const char *name, size_t len)
{
	struct entry *entry = entry_alloc(wd, mask, cookie, name, len);
	unsigned long flags = spin_lock_irqsave(&inotify->lock);
	bool empty = list_is_empty(&inotify->queue);

	if (entry && !empty && is_same(entry_of(inotify->queue.prev), entry)) {
		kfree(entry);
	} else if (entry && inotify->nr_events < EVENTS_MAX) {
		list_push_back(&inotify->queue, &entry->link);
		inotify->nr_events++;
	} else {
		kfree(entry);
		if (list_is_empty(&inotify->overflow->link))
			list_push_back(&inotify->queue, &inotify->overflow->link);
	}
	spin_unlock_irqrestore(&inotify->lock, flags);
	wait_wake(&inotify->readers, 1);
	poll_notify(&inotify->source, IN_EVENTS);
}

static size_t entry_size(const struct entry *entry)
{
	return sizeof(struct linux_inotify_event) + entry->len;
}

/* The first event, off the queue. NULL: there is none, or (*TOO_LONG) it has more than ROOM bytes. */
static struct entry *event_take(struct inotify *inotify, size_t room, bool *too_long)
{
	unsigned long flags = spin_lock_irqsave(&inotify->lock);
	struct entry *entry = list_is_empty(&inotify->queue) ? NULL : entry_of(inotify->queue.next);

	*too_long = entry && entry_size(entry) > room;
	if (*too_long)
		entry = NULL;
	if (entry)
		list_remove(&entry->link);
	if (entry && entry != inotify->overflow)
		inotify->nr_events--;
	spin_unlock_irqrestore(&inotify->lock, flags);
	return entry;
}

static ssize_t inotify_read(struct file *file, struct uio *uio, int64_t *pos)
{
	struct inotify *inotify = inotify_of(file);
	struct linux_inotify_event event;
	struct entry *entry;
	bool too_long;
	ssize_t done = 0;
	int error;

	(void)pos;
	for (;;) {
		entry = event_take(inotify, uio->resid, &too_long);
		if (entry) {
			event = (struct linux_inotify_event){ entry->wd, entry->mask, entry->cookie, entry->len };
			if (uio_copy_out(uio, &event, sizeof(event)) != sizeof(event) ||
			    (event.len && uio_copy_out(uio, entry->name, event.len) != (ssize_t)event.len))
				done = -EFAULT;
			else
				done += (ssize_t)entry_size(entry);
			entry_free(inotify, entry);
			if (done < 0)
				return done;
			continue;
		}
		if (done)
			break;
		if (too_long)
			return -EINVAL;
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		error = wait_event_interruptible(&inotify->readers, !list_is_empty(&inotify->queue));
		if (error)
			return error;
	}
	if (!list_is_empty(&inotify->queue))
		wait_wake(&inotify->readers, 1);
	return done;
}

static unsigned inotify_poll(struct file *file)
{
	return READ_ONCE(inotify_of(file)->queue.next) == &inotify_of(file)->queue ? 0 : IN_EVENTS;
}

static long inotify_ioctl(struct file *file, unsigned request, unsigned long arg)
{
	struct inotify *inotify = inotify_of(file);
	uint32_t bytes = 0;
	unsigned long flags;
	struct list *link;

	if (request != FIONREAD)
		return -ENOTTY;
	flags = spin_lock_irqsave(&inotify->lock);
	list_for_each(link, &inotify->queue)
		bytes += (uint32_t)entry_size(entry_of(link));
	spin_unlock_irqrestore(&inotify->lock, flags);
	return user_range_is_valid((void *)arg, sizeof(bytes)) ? user_write((void *)arg, &bytes, sizeof(bytes))
							       : -EFAULT;
}

/* ---- Watches ---------------------------------------------------------------------------------------------------- */

static struct watch *watch_of(struct rb_node *node)
{
	return container_of(node, struct watch, node);
}

static bool watch_less(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct watch, node)->wd < container_of(b, struct watch, node)->wd;
}

static struct watch *watch_by_wd(struct inotify *inotify, int wd)
{
	struct rb_node *node = inotify->watches.root;

	while (node && watch_of(node)->wd != wd)
		node = watch_of(node)->wd < wd ? node->right : node->left;
	return node ? watch_of(node) : NULL;
}

/* watches_lock held. WATCH ends, its reader is told; GONE takes it until its vnode can be put. */
static void watch_end_locked(struct watch *watch, struct list *gone)
{
	rb_remove(&watch->inotify->watches, &watch->node);
	list_remove(&watch->vnode_link);
	__atomic_fetch_sub(&inotify_nr_watches, 1, __ATOMIC_RELAXED);
	event_queue(watch->inotify, watch->wd, IN_IGNORED, 0, NULL, 0);
	list_push_back(gone, &watch->vnode_link);
}

static void watches_free(struct list *gone)
{
	struct list *link;

	while ((link = list_pop_front(gone))) {
		struct watch *watch = list_entry(link, struct watch, vnode_link);

		vnode_put(watch->vnode);
		kfree(watch);
	}
}

/* Tells those who watch VNODE. */
static void vnode_tell(struct vnode *vnode, uint32_t mask, uint32_t cookie, const char *name, size_t len)
{
	struct list gone = LIST_INIT(gone), *link, *next;

	if (!READ_ONCE(vnode->watches.next))
		return;
	spin_lock(&watches_lock);
	list_for_each_safe(link, next, &vnode->watches) {
		struct watch *watch = list_entry(link, struct watch, vnode_link);
		bool wanted = watch->mask & mask & (IN_ALL_EVENTS | IN_UNMOUNT);

		if (wanted)
			event_queue(watch->inotify, watch->wd, mask, cookie, name, len);
		if ((wanted && watch->mask & IN_ONESHOT) || mask & (IN_DELETE_SELF | IN_UNMOUNT))
			watch_end_locked(watch, &gone);
	}
	spin_unlock(&watches_lock);
	watches_free(&gone);
}

void inotify_event(struct vnode *dir, const char *name, size_t len, struct vnode *vnode, uint32_t mask, uint32_t cookie)
{
	/* What happens to a directory itself says so, but for its end and its move, as on Linux. */
	if (vnode && S_ISDIR(vnode->mode) && !(mask & (IN_DELETE_SELF | IN_MOVE_SELF)))
		mask |= IN_ISDIR;
	if (dir)
		vnode_tell(dir, mask, cookie, name, len);
	if (vnode && !(mask & IN_NAMES))
		vnode_tell(vnode, mask, cookie, NULL, 0);
}

static struct watch *watch_on_locked(struct inotify *inotify, struct vnode *vnode)
{
	struct list *link;

	if (!vnode->watches.next)
		list_init(&vnode->watches);
	list_for_each(link, &vnode->watches)
		if (list_entry(link, struct watch, vnode_link)->inotify == inotify)
			return list_entry(link, struct watch, vnode_link);
	return NULL;
}

static int wd_next(struct inotify *inotify)
{
	do
		inotify->last_wd = inotify->last_wd < INT32_MAX ? inotify->last_wd + 1 : 1;
	while (watch_by_wd(inotify, inotify->last_wd));
	return inotify->last_wd;
}

/* SPARE becomes the watch if there is none yet; else it is the caller's still. */
static int watch_set_locked(struct inotify *inotify, struct vnode *vnode, uint32_t mask, struct watch **spare)
{
	struct watch *watch = watch_on_locked(inotify, vnode);
	uint32_t kept = mask & ~(uint32_t)(IN_MASK_ADD | IN_MASK_CREATE | IN_ONLYDIR | IN_DONT_FOLLOW);

	if (watch && mask & IN_MASK_CREATE)
		return -EEXIST;
	if (watch) {
		watch->mask = mask & IN_MASK_ADD ? watch->mask | kept : kept;
		return watch->wd;
	}
	if (inotify_nr_watches >= WATCHES_MAX)
		return -ENOSPC;
	watch = *spare;
	*spare = NULL;
	*watch = (struct watch){ .inotify = inotify, .vnode = vnode, .wd = wd_next(inotify), .mask = kept };
	vnode_get(vnode);
	rb_insert(&inotify->watches, &watch->node, watch_less);
	list_push_back(&vnode->watches, &watch->vnode_link);
	__atomic_fetch_add(&inotify_nr_watches, 1, __ATOMIC_RELAXED);
	return watch->wd;
}

int inotify_watch_add(struct file *file, struct vnode *vnode, uint32_t mask)
{
	struct watch *spare = kmalloc(sizeof(*spare));
	int wd;

	if (!spare)
		return -ENOMEM;
	spin_lock(&watches_lock);
	wd = watch_set_locked(inotify_of(file), vnode, mask, &spare);
	spin_unlock(&watches_lock);
	kfree(spare);
	return wd;
}

int inotify_watch_remove(struct file *file, int wd)
{
	struct list gone = LIST_INIT(gone);
	struct watch *watch;

	spin_lock(&watches_lock);
	watch = watch_by_wd(inotify_of(file), wd);
	if (watch)
		watch_end_locked(watch, &gone);
	spin_unlock(&watches_lock);
	watches_free(&gone);
	return watch ? 0 : -EINVAL;
}

/* ---- The file --------------------------------------------------------------------------------------------------- */

static void inotify_release(struct file *file)
{
	struct inotify *inotify = inotify_of(file);
	struct list gone = LIST_INIT(gone), *link;
	struct rb_node *node;

	spin_lock(&watches_lock);
	while ((node = rb_first(&inotify->watches)))
		watch_end_locked(watch_of(node), &gone);
	spin_unlock(&watches_lock);
	watches_free(&gone);
	while ((link = list_pop_front(&inotify->queue)))
		entry_free(inotify, entry_of(link));
	kfree(inotify->overflow);
	kfree(inotify);
}

static int inotify_getattr(struct file *file, struct vnode_attr *attr)
{
	(void)file;
	return file_getattr_anonymous(attr, 0600);
}

static const struct file_ops inotify_ops = {
	.read = inotify_read,
	.poll = inotify_poll,
	.ioctl = inotify_ioctl,
	.getattr = inotify_getattr,
	.release = inotify_release,
};

bool file_is_inotify(const struct file *file)
{
	return file->ops == &inotify_ops;
}

int inotify_create(unsigned flags, struct file **out)
{
	struct inotify *inotify = kzalloc(sizeof(*inotify));
	struct entry *overflow = entry_alloc(-1, IN_Q_OVERFLOW, 0, NULL, 0);

	if (!inotify || !overflow) {
		kfree(inotify);
		kfree(overflow);
		return -ENOMEM;
	}
	inotify->overflow = overflow;
	file_init(&inotify->file, &inotify_ops, O_RDONLY | (flags & O_NONBLOCK));
	spin_init(&inotify->lock, "inotify");
	list_init(&inotify->queue);
	list_init(&inotify->overflow->link);
	wait_queue_init(&inotify->readers);
	poll_source_init(&inotify->source);
	inotify->file.source = &inotify->source;
	inotify->file.name = "anon_inode:inotify";
	*out = &inotify->file;
	return 0;
}
