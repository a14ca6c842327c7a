/*
 * Bytes from one open file to another without the application in between: sendfile(2), copy_file_range(2),
 * splice(2), tee(2). Between pipes the pages themselves go over. Positions: NULL is the file's own, or that it has
 * none. Bytes, which may be fewer than LEN, 0 at the end; an error only if there is none. The callers have checked
 * that the files are open for it. Threads only.
 */
#ifndef KERNEL_FILE_SPLICE_H
#define KERNEL_FILE_SPLICE_H

#include "kernel/file/file.h"

/* Through memory of the kernel. */
ssize_t splice_copy(struct file *in, int64_t *in_pos, struct file *out, int64_t *out_pos, size_t len);
/* OUT is a pipe; IN is one. Waits for the pipe unless NONBLOCK (-EAGAIN), but not once something is done. */
ssize_t splice_to_pipe(struct file *in, int64_t *in_pos, struct file *out, size_t len, bool nonblock);
ssize_t splice_from_pipe(struct file *in, struct file *out, int64_t *out_pos, size_t len, bool nonblock);
/* Two different pipes. KEEP: the bytes stay in IN as well (tee). */
ssize_t splice_pipes(struct file *in, struct file *out, size_t len, bool keep, bool nonblock);

#endif
