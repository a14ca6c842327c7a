/* See splice.h. */
#include "kernel/file/splice.h"

#include "kernel/file/pipe.h"
#include "kernel/mem/slab.h"

#define CHUNK KIB(32)

static ssize_t transfer(ssize_t (*op)(struct file *file, struct uio *uio, int64_t *pos), struct file *file, void *buf,
			size_t len, int64_t *pos)
{
	struct iovec iov;
	struct uio uio;

	uio_init(&uio, &iov, buf, len);
	return op(file, &uio, pos);
}

/* N bytes that were read from IN are not taken. */
static void read_undo(struct file *in, int64_t *pos, size_t n)
{
	if (pos)
		*pos -= (int64_t)n;
	else
		file_seek(in, -(int64_t)n, SEEK_CUR);
}

ssize_t splice_copy(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, size_t len)
{
	char *buf = kmalloc(MIN(len, CHUNK));
	ssize_t done = 0, n, written;

	if (!buf)
		return len ? -ENOMEM : 0;
	while (len) {
		n = transfer(file_read, in, buf, MIN(len, CHUNK), in_pos);
		if (n <= 0)
			break;
		written = transfer(file_write, out, buf, (size_t)n, out_pos);
		if (written < n)
			read_undo(in, in_pos, (size_t)(n - MAX(written, 0)));
		if (written <= 0) {
			n = written;
			break;
		}
		done += written;
		len -= (size_t)written;
		if (written < n || thread_is_interrupted())
			break;
	}
	kfree(buf);
	return done || !len ? done : n;
}

/* Waits until PIPE has room, without its lock. As pipe_wait_room_locked. */
static int room_wait(struct pipe *pipe, bool nonblock)
{
	int result;

	mutex_lock(&pipe->lock);
	result = pipe_wait_room_locked(pipe, nonblock);
	mutex_unlock(&pipe->lock);
	return result;
}

/* Puts LEN bytes of PAGE into the pipe, which had room a moment ago. */
static int page_push(struct pipe *pipe, struct page *page, size_t len, bool nonblock)
{
	bool was_empty = false;
	int result;

	mutex_lock(&pipe->lock);
	result = pipe_wait_room_locked(pipe, nonblock);
	if (result > 0) {
		was_empty = pipe_is_empty(pipe);
		pipe_push_locked(pipe, page, 0, (uint32_t)len, PIPE_BUF_OWN);
	}
	mutex_unlock(&pipe->lock);
	if (result > 0)
		pipe_filled(pipe, was_empty);
	return result;
}

ssize_t splice_to_pipe(struct file *in, int64_t *in_pos, struct file *out, size_t len, bool nonblock)
{
	struct pipe *pipe = pipe_of(out);
	struct page *page;
	ssize_t done = 0, n = 0;

	while (len) {
		n = room_wait(pipe, nonblock || done);
		if (n <= 0)
			break;
		page = page_alloc(0, 0);
		n = page ? transfer(file_read, in, page_to_virt(page), MIN(len, PAGE_SIZE), in_pos) : -ENOMEM;
		if (n > 0) {
			int pushed = page_push(pipe, page, (size_t)n, false);

			if (pushed < 0) {
				read_undo(in, in_pos, (size_t)n);
				n = pushed;
			}
		}
		if (n <= 0) {
			if (page)
				page_put(page);
			break;
		}
		done += n;
		len -= (size_t)n;
		if ((size_t)n < PAGE_SIZE)
			break;
	}
	return done ? done : n;
}

/* Writes the first buffer's next bytes, at most LEN, to OUT. The lock is held. */
static ssize_t first_write(struct pipe *pipe, struct file *out, int64_t *out_pos, size_t len)
{
	struct pipe_buf *buf = pipe_slot(pipe, pipe->tail);
	ssize_t n = transfer(file_write, out, (char *)page_to_virt(buf->page) + buf->off, MIN(len, (size_t)buf->len),
			     out_pos);

	if (n <= 0)
		return n;
	buf->off += (uint32_t)n;
	buf->len -= (uint32_t)n;
	if (!buf->len)
		pipe_pop_locked(pipe);
	return n;
}

ssize_t splice_from_pipe(struct file *in, struct file *out, int64_t *out_pos, size_t len, bool nonblock)
{
	struct pipe *pipe = pipe_of(in);
	bool was_full, more;
	ssize_t done = 0, n = 0;

	if (!len)
		return 0;
	mutex_lock(&pipe->lock);
	n = pipe_wait_data_locked(pipe, nonblock);
	was_full = pipe_is_full(pipe);
	while (n > 0 && len && !pipe_is_empty(pipe)) {
		n = first_write(pipe, out, out_pos, len);
		if (n > 0) {
			done += n;
			len -= (size_t)n;
		}
	}
	was_full = was_full && !pipe_is_full(pipe);
	more = !pipe_is_empty(pipe);
	mutex_unlock(&pipe->lock);
	pipe_drained(pipe, was_full);
	if (more)
		wait_wake(&pipe->readers, 1);
	return done ? done : n;
}

/* ---- Pipe to pipe ----------------------------------------------------------------------------------------------- */

static void lock_both(struct pipe *a, struct pipe *b)
{
	mutex_lock(&MIN(a, b)->lock);
	mutex_lock(&MAX(a, b)->lock);
}

/* Part of buffer NR of IN, at most LEN bytes, becomes OUT's next; how many bytes. */
static size_t buf_share(struct pipe *in, unsigned nr, struct pipe *out, size_t len)
{
	struct pipe_buf *buf = pipe_slot(in, nr);
	uint32_t part = (uint32_t)MIN(len, (size_t)buf->len);

	page_get(buf->page);
	buf->flags &= ~(unsigned)PIPE_BUF_OWN;
	pipe_push_locked(out, buf->page, buf->off, part, buf->flags);
	return part;
}

/* The first buffer of IN, or its first LEN bytes, goes over. */
static size_t buf_move(struct pipe *in, struct pipe *out, size_t len)
{
	struct pipe_buf *buf = pipe_slot(in, in->tail);
	size_t part = buf->len;

	if (part <= len) {
		pipe_push_locked(out, buf->page, buf->off, buf->len, buf->flags);
		WRITE_ONCE(in->tail, in->tail + 1);
		return part;
	}
	part = buf_share(in, in->tail, out, len);
	buf->off += (uint32_t)part;
	buf->len -= (uint32_t)part;
	return part;
}

/* Both locked. */
static size_t move_locked(struct pipe *in, struct pipe *out, size_t len, bool keep)
{
	size_t done = 0;

	for (unsigned nr = in->tail; done < len && nr != in->head && !pipe_is_full(out); nr++)
		done += keep ? buf_share(in, nr, out, len - done) : buf_move(in, out, len - done);
	return done;
}

ssize_t splice_pipes(struct file *in_file, struct file *out_file, size_t len, bool keep, bool nonblock)
{
	struct pipe *in = pipe_of(in_file), *out = pipe_of(out_file);
	bool was_full, was_empty;
	size_t done = 0;
	ssize_t n;

	while (len && !done) {
		mutex_lock(&in->lock);
		n = pipe_wait_data_locked(in, nonblock);
		mutex_unlock(&in->lock);
		if (n > 0)
			n = room_wait(out, nonblock);
		if (n <= 0)
			return n;
		lock_both(in, out);
		was_full = pipe_is_full(in);
		was_empty = pipe_is_empty(out);
		if (out->nr_readers)
			done = move_locked(in, out, len, keep);
		was_full = was_full && !pipe_is_full(in);
		mutex_unlock(&in->lock);
		mutex_unlock(&out->lock);
		if (done)
			pipe_filled(out, was_empty);
		pipe_drained(in, was_full);
	}
	return (ssize_t)done;
}
