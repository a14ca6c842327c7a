/* The ring of a pipe: reading, writing, waiting. See pipe.h. */
#include "kernel/file/pipe.h"

#include "kernel/file/pipe_end.h"

#define IN_EVENTS (EV_IN | EV_RDNORM)
#define OUT_EVENTS (EV_OUT | EV_WRNORM)

static struct pipe *pipe_in(struct file *file)
{
	return container_of(file, struct pipe_end, file)->pipe;
}

/* ---- Waiting and waking ----------------------------------------------------------------------------------------- */

int pipe_wait_data_locked(struct pipe *pipe, bool nonblock)
{
	int error;

	while (pipe_is_empty(pipe)) {
		if (!pipe->nr_writers)
			return 0;
		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&pipe->lock);
		error = wait_event_interruptible(&pipe->readers, !pipe_is_empty(pipe) || !READ_ONCE(pipe->nr_writers));
		mutex_lock(&pipe->lock);
		if (error)
			return error;
	}
	return 1;
}

int pipe_wait_room_locked(struct pipe *pipe, bool nonblock)
{
	int error;

	for (;;) {
		if (!pipe->nr_readers)
			return -EPIPE;
		if (!pipe_is_full(pipe))
			return 1;
		if (nonblock)
			return -EAGAIN;
		mutex_unlock(&pipe->lock);
		error = wait_event_interruptible(&pipe->writers, !pipe_is_full(pipe) || !READ_ONCE(pipe->nr_readers));
		mutex_lock(&pipe->lock);
		if (error)
			return error;
	}
}

/*
 * One reader is woken when there is data again, and it wakes the next if it leaves some. Watches hear of every write, as those
 * who ask for edges (EPOLLET) expect.
 */
void pipe_filled(struct pipe *pipe, bool was_empty)
{
	if (was_empty)
		wait_wake(&pipe->readers, 1);
	poll_notify(&pipe->source, IN_EVENTS);
}

void pipe_drained(struct pipe *pipe, bool was_full)
{
	if (was_full) {
		wait_wake(&pipe->writers, 1);
		poll_notify(&pipe->source, OUT_EVENTS);
	}
}

/* ---- The ring --------------------------------------------------------------------------------------------------- */

void pipe_pop_locked(struct pipe *pipe)
{
	struct pipe_buf *buf = pipe_slot(pipe, pipe->tail);

	if (buf->flags & PIPE_BUF_OWN && !pipe->spare)
		pipe->spare = buf->page;
	else
		page_put(buf->page);
	WRITE_ONCE(pipe->tail, pipe->tail + 1);
}

void pipe_push_locked(struct pipe *pipe, struct page *page, uint32_t off, uint32_t len, unsigned flags)
{
	*pipe_slot(pipe, pipe->head) = (struct pipe_buf){ page, off, len, flags };
	WRITE_ONCE(pipe->head, pipe->head + 1);
}

static char *buf_data(const struct pipe_buf *buf)
{
	return (char *)page_to_virt(buf->page) + buf->off;
}

static struct page *page_take(struct pipe *pipe)
{
	struct page *page = pipe->spare;

	pipe->spare = NULL;
	return likely(page) ? page : page_alloc(0, 0);
}

static void page_give(struct pipe *pipe, struct page *page)
{
	if (pipe->spare)
		page_put(page);
	else
		pipe->spare = page;
}

/* ---- Reading ---------------------------------------------------------------------------------------------------- */

/* What is there, up to the end of a packet. */
static ssize_t ring_read(struct pipe *pipe, struct uio *uio)
{
	ssize_t done = 0, n;
	bool packet;

	do {
		struct pipe_buf *buf = pipe_slot(pipe, pipe->tail);

		n = uio_copy_out(uio, buf_data(buf), buf->len);
		if (n < 0)
			return done ? done : n;
		packet = buf->flags & PIPE_BUF_PACKET;
		buf->off += (uint32_t)n;
		buf->len -= (uint32_t)n;
		done += n;
		if (buf->len && !packet)
			break;
		pipe_pop_locked(pipe);
	} while (!packet && uio->resid && !pipe_is_empty(pipe));
	return done;
}

ssize_t pipe_read(struct file *file, struct uio *uio, int64_t *pos)
{
	struct pipe *pipe = pipe_in(file);
	bool was_full = false, more = false;
	ssize_t n;

	(void)pos;
	if (unlikely(!uio->resid))
		return 0;
	mutex_lock(&pipe->lock);
	n = pipe_wait_data_locked(pipe, file->flags & O_NONBLOCK);
	if (likely(n > 0)) {
		was_full = pipe_is_full(pipe);
		n = ring_read(pipe, uio);
		more = !pipe_is_empty(pipe);
		was_full = was_full && !pipe_is_full(pipe);
	}
	mutex_unlock(&pipe->lock);
	if (unlikely(was_full))
		pipe_drained(pipe, true);
	if (unlikely(more))
		wait_wake(&pipe->readers, 1);
	return n;
}

/* ---- Writing ---------------------------------------------------------------------------------------------------- */

/* The odd bytes of a write go behind the last buffer's if all of them fit there. Bytes, -EFAULT. */
static ssize_t ring_append(struct pipe *pipe, struct uio *uio)
{
	size_t odd = uio->resid % PAGE_SIZE;
	struct pipe_buf *last = pipe_slot(pipe, pipe->head - 1);
	ssize_t n;

	if (!odd || pipe_is_empty(pipe) || last->flags != PIPE_BUF_OWN || last->off + last->len + odd > PAGE_SIZE)
		return 0;
	n = uio_copy_in(uio, buf_data(last) + last->len, odd);
	if (n > 0)
		last->len += (uint32_t)n;
	return n;
}

/* Fills one slot more. Bytes, -EFAULT, -ENOMEM. */
static ssize_t ring_write(struct pipe *pipe, struct uio *uio, bool packet)
{
	struct page *page = page_take(pipe);
	ssize_t n;

	if (unlikely(!page))
		return -ENOMEM;
	n = uio_copy_in(uio, page_to_virt(page), PAGE_SIZE);
	if (likely(n > 0))
		pipe_push_locked(pipe, page, 0, (uint32_t)n, PIPE_BUF_OWN | (packet ? PIPE_BUF_PACKET : 0));
	else
		page_give(pipe, page);
	return n;
}

/* The pipe is full: readers hear of what is in it, and make room. Result as pipe_wait_room_locked. */
static int ring_wait(struct pipe *pipe, bool nonblock, bool *was_empty)
{
	int result;

	if (*was_empty && !nonblock) {
		mutex_unlock(&pipe->lock);
		pipe_filled(pipe, true);
		mutex_lock(&pipe->lock);
		*was_empty = false;
	}
	result = pipe_wait_room_locked(pipe, nonblock);
	*was_empty = *was_empty || pipe_is_empty(pipe);
	return result;
}

ssize_t pipe_write(struct file *file, struct uio *uio, int64_t *pos)
{
	struct pipe *pipe = pipe_in(file);
	bool packet = file->flags & O_DIRECT, was_empty, room;
	ssize_t done = 0, n = 0;

	(void)pos;
	if (unlikely(!uio->resid))
		return 0;
	mutex_lock(&pipe->lock);
	was_empty = pipe_is_empty(pipe);
	if (unlikely(!pipe->nr_readers))
		n = -EPIPE;
	else if (!packet)
		n = ring_append(pipe, uio);
	while (n >= 0) {
		done += n;
		if (!uio->resid)
			break;
		n = likely(pipe->nr_readers && !pipe_is_full(pipe))
			    ? 1
			    : ring_wait(pipe, file->flags & O_NONBLOCK, &was_empty);
		if (n > 0)
			n = ring_write(pipe, uio, packet);
	}
	room = !pipe_is_full(pipe);
	mutex_unlock(&pipe->lock);
	if (likely(done))
		pipe_filled(pipe, was_empty);
	if (unlikely(room && done && !list_is_empty(&pipe->writers.waiters)))
		wait_wake(&pipe->writers, 1);
	return done ? done : n;
}

/* ---- The rest --------------------------------------------------------------------------------------------------- */

unsigned pipe_poll(struct file *file)
{
	struct pipe_end *end = container_of(file, struct pipe_end, file);
	struct pipe *pipe = end->pipe;
	unsigned events = 0;

	if (file_is_readable(file)) {
		if (!pipe_is_empty(pipe))
			events |= IN_EVENTS;
		if (!READ_ONCE(pipe->nr_writers) && pipe->nr_writers_opened != end->nr_writers_opened)
			events |= EV_HUP;
	}
	if (file_is_writable(file)) {
		if (!pipe_is_full(pipe))
			events |= OUT_EVENTS;
		if (!READ_ONCE(pipe->nr_readers))
			events |= EV_ERR;
	}
	return events;
}
