/* Open files: see file.h. What comes from a system call goes to file->ops here, after what is the same for all files. */
#include "kernel/file/file.h"

#include "kernel/file/lock.h"
#include "kernel/file/path.h"
#include "kernel/file/vnode.h"

void file_init(struct file *file, const struct file_ops *ops, unsigned flags)
{
	file->ops = ops;
	file->refs = 1;
	file->flags = flags;
	mutex_init(&file->pos_lock, "file_pos");
}

/* Takes the lock even if nothing is tied any more: who untied the last may not have released it yet. */
static __attribute__((noinline)) void ties_cut(struct file *file)
{
	struct file_tie *tie;
	void *owner = NULL;
	unsigned long flags;
	void (*cut)(void *owner, struct file *file) = NULL;

	do {
		flags = spin_lock_irqsave(&file->source->lock);
		tie = NULL;
		if (!list_is_empty(&file->ties)) {
			tie = list_entry(file->ties.next, struct file_tie, link);
			owner = tie->hold(tie);
			cut = tie->cut;
		}
		spin_unlock_irqrestore(&file->source->lock, flags);
		if (tie)
			cut(owner, file);
	} while (tie);
}

void file_put_last(struct file *file)
{
	struct dentry *dentry = file->dentry;
	struct vnode *vnode = file->vnode;

	if (unlikely(file->ties.next))
		ties_cut(file);
	if (vnode)
		locks_owner_gone(vnode, file);
	file->ops->release(file);
	if (vnode)
		vnode_put(vnode);
	if (dentry)
		dentry_put(dentry);
}

void file_close(struct file *file, const void *owner)
{
	if (file->ops->flush)
		file->ops->flush(file, owner);
	if (file->vnode && !(file->flags & O_PATH))
		locks_owner_gone(file->vnode, owner);
	file_put(file);
}

/* POS + LEN has to be a position too. */
static inline bool pos_is_valid(int64_t pos, size_t len)
{
	return pos >= 0 && len <= INT64_MAX && (uint64_t)pos + len <= INT64_MAX;
}

typedef ssize_t file_transfer(struct file *file, struct uio *uio, int64_t *pos);

static ssize_t transfer_at(struct file *file, file_transfer *op, struct uio *uio, int64_t *pos)
{
	if (!file->ops->seek)
		return -ESPIPE;
	return pos_is_valid(*pos, uio->resid) ? op(file, uio, pos) : -EINVAL;
}

/* At file->pos. */
static inline ssize_t transfer(struct file *file, file_transfer *op, struct uio *uio)
{
	bool shared;
	ssize_t n;

	if (!file->ops->seek)
		return op(file, uio, NULL);
	shared = __atomic_load_n(&file->refs, __ATOMIC_ACQUIRE) != 1;
	if (unlikely(shared))
		mutex_lock(&file->pos_lock);
	n = likely(pos_is_valid(file->pos, uio->resid)) ? op(file, uio, &file->pos) : -EINVAL;
	if (unlikely(shared))
		mutex_unlock(&file->pos_lock);
	return n;
}

ssize_t file_read(struct file *file, struct uio *uio, int64_t *pos)
{
	if (unlikely(!file_is_readable(file)))
		return -EBADF;
	if (unlikely(!file->ops->read))
		return -EINVAL;
	return pos ? transfer_at(file, file->ops->read, uio, pos) : transfer(file, file->ops->read, uio);
}

ssize_t file_write(struct file *file, struct uio *uio, int64_t *pos)
{
	if (unlikely(!file_is_writable(file)))
		return -EBADF;
	if (unlikely(!file->ops->write))
		return -EINVAL;
	return pos ? transfer_at(file, file->ops->write, uio, pos) : transfer(file, file->ops->write, uio);
}

ssize_t file_read_at(struct file *file, void *buf, size_t len, int64_t pos)
{
	size_t done = 0;

	while (done < len) {
		struct iovec iov;
		struct uio uio;
		ssize_t n;

		uio_init(&uio, &iov, (char *)buf + done, len - done);
		n = file_read(file, &uio, &pos);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int64_t file_seek(struct file *file, int64_t off, int whence)
{
	bool shared;
	int64_t pos;

	if (!file->ops->seek)
		return -ESPIPE;
	shared = __atomic_load_n(&file->refs, __ATOMIC_ACQUIRE) != 1;
	if (shared)
		mutex_lock(&file->pos_lock);
	pos = file->ops->seek(file, off, whence);
	if (shared)
		mutex_unlock(&file->pos_lock);
	return pos;
}

void file_flags_set(struct file *file, unsigned flags, unsigned mask)
{
	unsigned old = __atomic_load_n(&file->flags, __ATOMIC_RELAXED);

	while (!__atomic_compare_exchange_n(&file->flags, &old, (old & ~mask) | (flags & mask), false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
}

int file_getattr_anonymous(struct vnode_attr *attr, uint32_t mode)
{
	*attr = (struct vnode_attr){ .mode = mode, .nlink = 1, .ino = 1, .block_size = PAGE_SIZE };
	return 0;
}
