/* The ends of a pipe. Private to pipe.c, pipe_end.c and fifo.c. */
#ifndef KERNEL_FILE_PIPE_END_H
#define KERNEL_FILE_PIPE_END_H

#include "kernel/file/pipe.h"

struct pipe_end {
	struct file file;
	struct pipe *pipe;
	unsigned nr_writers_opened; /* of the pipe, when this end was opened: no EV_HUP before there was a writer */
};

/* pipe.c: as struct file_ops has them. */
ssize_t pipe_read(struct file *file, struct uio *uio, int64_t *pos);
ssize_t pipe_write(struct file *file, struct uio *uio, int64_t *pos);
unsigned pipe_poll(struct file *file);

/* pipe_end.c: likewise. */
long pipe_ioctl(struct file *file, unsigned request, unsigned long arg);
extern const struct file_ops pipe_ops, fifo_ops;

/* One reference. NULL: no memory. */
struct pipe *pipe_alloc(void);
void pipe_put(struct pipe *pipe);
/* An end whose reference to PIPE is the caller's; it counts as reader or writer as FLAGS (O_*) say. NULL: no memory. */
struct pipe_end *pipe_end_alloc(struct pipe *pipe, const struct file_ops *ops, unsigned flags);
/* One reader or writer more; one less, which those on the other end hear of. */
void pipe_count(struct pipe *pipe, unsigned flags);
void pipe_uncount(struct pipe *pipe, unsigned flags);

#endif
