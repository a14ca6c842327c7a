/*
 * Pipes (pipe(7)) and named ones (fifo(7)): a ring of buffers, each part of a page, so that splice(2) can put in and take out
 * pages without copying.
 *
 * pipe->lock, a mutex, covers the ring; it is held while application memory is copied, so it comes before the locks of page
 * faults. Locks of two pipes: in the order of their addresses. Who has to wait does so on one of the two queues without it.
 */
#ifndef KERNEL_FILE_PIPE_H
#define KERNEL_FILE_PIPE_H

#include "kernel/file/file.h"
#include "kernel/mem/page.h"

#define PIPE_BUF 4096	       /* writes up to this size are not torn apart */
#define PIPE_SLOTS 16u	       /* at first: 64 KiB */
#define PIPE_SLOTS_MAX 0x4000u /* F_SETPIPE_SZ: 64 MiB */

/* Part of a page, with a reference to it. */
struct pipe_buf {
	struct page *page;
	uint32_t off, len;
	unsigned flags; /* enum pipe_buf_flags */
};

enum pipe_buf_flags {
	PIPE_BUF_OWN = 1,    /* nobody else has the page: it may be written to behind len, and used again */
	PIPE_BUF_PACKET = 2, /* written with O_DIRECT: what a read leaves of it is lost */
};

struct pipe {
	struct mutex lock;
	struct pipe_buf *ring;
	unsigned size;				       /* slots of the ring, a power of two */
	unsigned head, tail;			       /* [tail, head) modulo size are filled */
	unsigned nr_readers, nr_writers;	       /* files open for it */
	unsigned nr_readers_opened, nr_writers_opened; /* so far: an open(2) that waits looks for a change */
	uint32_t refs;				       /* atomic: files, opens that wait */
	struct page *spare;			       /* for the next write */
	struct wait_queue readers, writers;
	struct poll_source source;
};

/* pipe2(2): FLAGS O_NONBLOCK and O_DIRECT go to both. 0, -ENOMEM. */
int pipe_create(unsigned flags, struct file **read_end, struct file **write_end);
/* open(2) of /proc/PID/fd/N, where FILE is a pipe without a name: another end of it, at once. 0, -ENXIO (no pipe), -ENOMEM. */
int pipe_open_again(struct file *file, unsigned flags, struct file **out);
/* NULL: FILE is no pipe. */
struct pipe *pipe_of(struct file *file);
/* F_SETPIPE_SZ and F_GETPIPE_SZ: bytes; -EBADF (no pipe), -EBUSY, -EINVAL, -ENOMEM. */
long pipe_resize(struct file *file, unsigned long bytes);
long pipe_bytes(struct file *file);

/* Hints without the lock. */
static inline bool pipe_is_empty(const struct pipe *pipe)
{
	return READ_ONCE(pipe->head) == READ_ONCE(pipe->tail);
}
static inline bool pipe_is_full(const struct pipe *pipe)
{
	return READ_ONCE(pipe->head) - READ_ONCE(pipe->tail) >= READ_ONCE(pipe->size);
}

static inline struct pipe_buf *pipe_slot(struct pipe *pipe, unsigned nr)
{
	return &pipe->ring[nr & (pipe->size - 1)];
}

/*
 * For who moves buffers: with pipe->lock held, which the first two give up while they wait. 1: there is data, or room. 0: there
 * will be no data any more. -EPIPE: nobody reads. -EAGAIN, -ERESTARTSYS.
 */
int pipe_wait_data_locked(struct pipe *pipe, bool nonblock);
int pipe_wait_room_locked(struct pipe *pipe, bool nonblock);
/* Gives the first buffer's page back, and its slot. */
void pipe_pop_locked(struct pipe *pipe);
/* The next slot, which is free, gets [OFF, OFF+LEN) of PAGE, whose reference goes over. */
void pipe_push_locked(struct pipe *pipe, struct page *page, uint32_t off, uint32_t len, unsigned flags);
/* Afterwards, without the lock: tells those who wait. WAS_*: before the change. */
void pipe_filled(struct pipe *pipe, bool was_empty);
void pipe_drained(struct pipe *pipe, bool was_full);

#endif
