/* What descriptors of a pipe refer to: its ends, how they come and go, and what fcntl(2) and ioctl(2) do with them. */
#include "kernel/file/pipe_end.h"

#include "kernel/file/vnode.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/user.h"
#include "lib/string.h"

struct pipe *pipe_alloc(void)
{
	struct pipe *pipe = kzalloc(sizeof(*pipe));

	if (!pipe)
		return NULL;
	pipe->ring = kzalloc(PIPE_SLOTS * sizeof(*pipe->ring));
	if (!pipe->ring) {
		kfree(pipe);
		return NULL;
	}
	pipe->size = PIPE_SLOTS;
	pipe->refs = 1;
	mutex_init(&pipe->lock, "pipe");
	wait_queue_init(&pipe->readers);
	wait_queue_init(&pipe->writers);
	poll_source_init(&pipe->source);
	return pipe;
}

void pipe_put(struct pipe *pipe)
{
	if (__atomic_fetch_sub(&pipe->refs, 1, __ATOMIC_ACQ_REL) != 1)
		return;
	while (!pipe_is_empty(pipe))
		pipe_pop_locked(pipe);
	if (pipe->spare)
		page_put(pipe->spare);
	kfree(pipe->ring);
	kfree(pipe);
}

static bool reads(unsigned flags)
{
	return (flags & O_ACCMODE) != O_WRONLY;
}

static bool writes(unsigned flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

void pipe_count(struct pipe *pipe, unsigned flags)
{
	mutex_lock(&pipe->lock);
	if (reads(flags)) {
		pipe->nr_readers++;
		pipe->nr_readers_opened++;
	}
	if (writes(flags)) {
		pipe->nr_writers++;
		pipe->nr_writers_opened++;
	}
	mutex_unlock(&pipe->lock);
}

void pipe_uncount(struct pipe *pipe, unsigned flags)
{
	bool readers_gone, writers_gone;

	mutex_lock(&pipe->lock);
	readers_gone = reads(flags) && !--pipe->nr_readers;
	writers_gone = writes(flags) && !--pipe->nr_writers;
	mutex_unlock(&pipe->lock);
	if (readers_gone) {
		wait_wake(&pipe->writers, UINT32_MAX);
		poll_notify(&pipe->source, EV_OUT | EV_WRNORM | EV_ERR);
	}
	if (writers_gone) {
		wait_wake(&pipe->readers, UINT32_MAX);
		poll_notify(&pipe->source, EV_IN | EV_RDNORM | EV_HUP);
	}
}

struct pipe_end *pipe_end_alloc(struct pipe *pipe, const struct file_ops *ops, unsigned flags)
{
	struct pipe_end *end = kzalloc(sizeof(*end));

	if (!end)
		return NULL;
	file_init(&end->file, ops, flags);
	end->file.source = &pipe->source;
	end->file.name = "pipe:";
	end->pipe = pipe;
	end->nr_writers_opened = pipe->nr_writers_opened;
	pipe_count(pipe, flags);
	return end;
}

int pipe_create(unsigned flags, struct file **read_end, struct file **write_end)
{
	unsigned common = flags & (O_NONBLOCK | O_DIRECT);
	struct pipe *pipe = pipe_alloc();
	struct pipe_end *in, *out;

	if (!pipe)
		return -ENOMEM;
	in = pipe_end_alloc(pipe, &pipe_ops, O_RDONLY | common);
	if (!in) {
		pipe_put(pipe);
		return -ENOMEM;
	}
	__atomic_fetch_add(&pipe->refs, 1, __ATOMIC_RELAXED);
	out = pipe_end_alloc(pipe, &pipe_ops, O_WRONLY | common);
	if (!out) {
		pipe_put(pipe);
		file_put(&in->file);
		return -ENOMEM;
	}
	*read_end = &in->file;
	*write_end = &out->file;
	return 0;
}

static void pipe_release(struct file *file)
{
	struct pipe_end *end = container_of(file, struct pipe_end, file);

	pipe_uncount(end->pipe, file->flags);
	pipe_put(end->pipe);
	kfree(end);
}

struct pipe *pipe_of(struct file *file)
{
	return file->ops->read == pipe_read ? container_of(file, struct pipe_end, file)->pipe : NULL;
}

int pipe_open_again(struct file *file, unsigned flags, struct file **out)
{
	struct pipe *pipe = pipe_of(file);
	struct pipe_end *end;

	if (!pipe || file->vnode)
		return -ENXIO;
	if ((flags & O_ACCMODE) == O_WRONLY && flags & O_NONBLOCK && !READ_ONCE(pipe->nr_readers))
		return -ENXIO;
	__atomic_fetch_add(&pipe->refs, 1, __ATOMIC_RELAXED);
	end = pipe_end_alloc(pipe, &pipe_ops, flags);
	if (!end) {
		pipe_put(pipe);
		return -ENOMEM;
	}
	*out = &end->file;
	return 0;
}

long pipe_bytes(struct file *file)
{
	struct pipe *pipe = pipe_of(file);

	return pipe ? (long)(READ_ONCE(pipe->size) * PAGE_SIZE) : -EBADF;
}

/* SIZE slots, a power of two, with what the old ones hold. */
static int ring_resize_locked(struct pipe *pipe, unsigned size)
{
	unsigned nr = pipe->head - pipe->tail;
	struct pipe_buf *ring;

	if (nr > size)
		return -EBUSY;
	ring = kzalloc(size * sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	for (unsigned i = 0; i < nr; i++)
		ring[i] = *pipe_slot(pipe, pipe->tail + i);
	kfree(pipe->ring);
	pipe->ring = ring;
	WRITE_ONCE(pipe->tail, 0);
	WRITE_ONCE(pipe->head, nr);
	WRITE_ONCE(pipe->size, size);
	return 0;
}

long pipe_resize(struct file *file, unsigned long bytes)
{
	struct pipe *pipe = pipe_of(file);
	unsigned long size = 1;
	int error;

	if (!pipe)
		return -EBADF;
	if (bytes > UINT32_MAX / 2 + 1)
		return -EINVAL;
	while (size * PAGE_SIZE < bytes)
		size *= 2;
	if (size > PIPE_SLOTS_MAX)
		return -ENOMEM;
	mutex_lock(&pipe->lock);
	error = ring_resize_locked(pipe, (unsigned)size);
	mutex_unlock(&pipe->lock);
	if (error)
		return error;
	wait_wake(&pipe->writers, UINT32_MAX);
	poll_notify(&pipe->source, EV_OUT | EV_WRNORM);
	return (long)(size * PAGE_SIZE);
}

long pipe_ioctl(struct file *file, unsigned request, unsigned long arg)
{
	struct pipe *pipe = pipe_of(file);
	uint32_t bytes = 0;

	if (request != FIONREAD)
		return -ENOTTY;
	mutex_lock(&pipe->lock);
	for (unsigned i = pipe->tail; i != pipe->head; i++)
		bytes += pipe_slot(pipe, i)->len;
	mutex_unlock(&pipe->lock);
	return user_range_is_valid((void *)arg, sizeof(bytes)) ? user_write((void *)arg, &bytes, sizeof(bytes))
							       : -EFAULT;
}

static int pipe_getattr(struct file *file, struct vnode_attr *attr)
{
	file_getattr_anonymous(attr, S_IFIFO | 0600);
	attr->ino = (uintptr_t)pipe_of(file) >> 6 & UINT32_MAX;
	return 0;
}

const struct file_ops pipe_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.getattr = pipe_getattr,
	.release = pipe_release,
};
