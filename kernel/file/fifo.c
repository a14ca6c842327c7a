/* Named pipes: the pipe that the files of one vnode share, and the rendezvous of open(2). fifo(7). */
#include "kernel/file/fifo.h"

#include "kernel/file/pipe_end.h"
#include "kernel/mem/slab.h"

/* vnode->lock covers vnode->special, which comes with the first file and goes with the last. A reference for the caller. */
static struct pipe *fifo_get(struct vnode *vnode)
{
	struct pipe *pipe;

	mutex_lock(&vnode->lock);
	pipe = vnode->special;
	if (pipe)
		__atomic_fetch_add(&pipe->refs, 1, __ATOMIC_RELAXED);
	else
		vnode->special = pipe = pipe_alloc();
	mutex_unlock(&vnode->lock);
	return pipe;
}

static void fifo_put(struct vnode *vnode, struct pipe *pipe)
{
	mutex_lock(&vnode->lock);
	if (__atomic_load_n(&pipe->refs, __ATOMIC_RELAXED) == 1)
		vnode->special = NULL;
	pipe_put(pipe);
	mutex_unlock(&vnode->lock);
}

static void fifo_release(struct file *file)
{
	struct pipe_end *end = container_of(file, struct pipe_end, file);

	pipe_uncount(end->pipe, file->flags);
	fifo_put(file->vnode, end->pipe);
	kfree(end);
}

/* Somebody opened the other end since *OPENED was SEEN, or has it open. */
static bool has_met(const unsigned *opened, unsigned seen, const unsigned *nr)
{
	return READ_ONCE(*opened) != seen || READ_ONCE(*nr);
}

/* Waits for the other end if open(2) has to. The caller counts as reader or writer already. */
static int rendezvous(struct pipe *pipe, unsigned flags, unsigned nr_readers_opened, unsigned nr_writers_opened)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		wait_wake(&pipe->writers, UINT32_MAX);
		if (flags & O_NONBLOCK)
			return 0;
		return wait_event_interruptible(
			&pipe->readers, has_met(&pipe->nr_writers_opened, nr_writers_opened, &pipe->nr_writers));
	case O_WRONLY:
		wait_wake(&pipe->readers, UINT32_MAX);
		return wait_event_interruptible(
			&pipe->writers, has_met(&pipe->nr_readers_opened, nr_readers_opened, &pipe->nr_readers));
	default:
		wait_wake(&pipe->writers, UINT32_MAX);
		wait_wake(&pipe->readers, UINT32_MAX);
		return 0;
	}
}

int fifo_open(struct vnode *vnode, unsigned flags, struct file **out)
{
	struct pipe *pipe = fifo_get(vnode);
	unsigned nr_readers, nr_writers;
	struct pipe_end *end;
	int error;

	if (!pipe)
		return -ENOMEM;
	nr_readers = READ_ONCE(pipe->nr_readers_opened);
	nr_writers = READ_ONCE(pipe->nr_writers_opened);
	error = -ENXIO;
	if ((flags & O_ACCMODE) == O_WRONLY && flags & O_NONBLOCK && !READ_ONCE(pipe->nr_readers))
		goto put;
	error = -ENOMEM;
	end = pipe_end_alloc(pipe, &fifo_ops, flags);
	if (!end)
		goto put;
	error = rendezvous(pipe, flags, nr_readers, nr_writers);
	if (!error) {
		*out = &end->file;
		return 0;
	}
	pipe_uncount(pipe, flags);
	kfree(end);
put:
	fifo_put(vnode, pipe);
	return error;
}

const struct file_ops fifo_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.release = fifo_release,
};
