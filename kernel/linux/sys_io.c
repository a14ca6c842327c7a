/* Reading and writing: read(2), write(2), pread(2), readv(2), lseek(2) and their kin. */
#include "kernel/file/vnode.h"
#include "kernel/linux/fd.h"
#include "kernel/linux/syscall_handlers.h"

typedef ssize_t file_io(struct file *file, struct uio *uio, int64_t *pos);

/* What is wrong with a call whose buffer cannot be: that the file is not open for it comes first. */
static __attribute__((noinline, cold)) long bad_buffer(const struct file *file, file_io *io)
{
	bool allowed = io == file_read ? file_is_readable(file) : file_is_writable(file);

	return allowed ? -EFAULT : -EBADF;
}

static inline long io(unsigned fd, file_io *op, void *buf, size_t count, int64_t *pos)
{
	struct fd_ref ref = fd_borrow(fd);
	struct iovec iov;
	struct uio uio;
	long n;

	if (unlikely(!ref.file))
		return -EBADF;
	if (likely(user_range_is_valid(buf, count))) {
		uio_init(&uio, &iov, buf, MIN(count, (size_t)RW_COUNT_MAX));
		if (op == file_write)
			uio.file_max = file_max();
		n = op(ref.file, &uio, pos);
	} else {
		n = bad_buffer(ref.file, op);
	}
	fd_ref_put(ref);
	return n;
}

long sys_read(unsigned fd, char *buf, size_t count)
{
	return io(fd, file_read, buf, count, NULL);
}

long sys_write(unsigned fd, const void *buf, size_t count)
{
	return write_check(io(fd, file_write, (void *)buf, count, NULL));
}

long sys_pread64(unsigned fd, char *buf, size_t count, int64_t offset)
{
	return offset < 0 ? -EINVAL : io(fd, file_read, buf, count, &offset);
}

long sys_pwrite64(unsigned fd, const void *buf, size_t count, int64_t offset)
{
	return offset < 0 ? -EINVAL : write_check(io(fd, file_write, (void *)buf, count, &offset));
}

/* ---- Lists of buffers ------------------------------------------------------------------------------------------- */

static long io_vector(unsigned fd, file_io *op, const struct iovec *user_iov, size_t count, int64_t *pos)
{
	struct fd_ref ref = fd_borrow(fd);
	struct iov_list list;
	struct uio uio;
	long n;

	if (!ref.file)
		return -EBADF;
	n = op == file_read ? file_is_readable(ref.file) : file_is_writable(ref.file);
	n = n ? iov_list_read(&list, &uio, user_iov, count) : -EBADF;
	if (!n) {
		uio.file_max = file_max();
		n = op(ref.file, &uio, pos);
		iov_list_free(&list);
	}
	fd_ref_put(ref);
	return n;
}

long sys_readv(unsigned fd, const struct iovec *iov, size_t iovcnt)
{
	return io_vector(fd, file_read, iov, iovcnt, NULL);
}

long sys_writev(unsigned fd, const struct iovec *iov, size_t iovcnt)
{
	return write_check(io_vector(fd, file_write, iov, iovcnt, NULL));
}

/* The position is pos_low alone: the halves are for 32-bit machines. */
long sys_preadv(unsigned fd, const struct iovec *iov, size_t iovcnt, unsigned long pos_low, unsigned long pos_high)
{
	int64_t pos = (int64_t)pos_low;

	(void)pos_high;
	return pos < 0 ? -EINVAL : io_vector(fd, file_read, iov, iovcnt, &pos);
}

long sys_pwritev(unsigned fd, const struct iovec *iov, size_t iovcnt, unsigned long pos_low, unsigned long pos_high)
{
	int64_t pos = (int64_t)pos_low;

	(void)pos_high;
	return pos < 0 ? -EINVAL : write_check(io_vector(fd, file_write, iov, iovcnt, &pos));
}

/*
 * RWF_APPEND: the write goes to the end whatever O_APPEND says, and the position stays (pwritev2(2)). The flag is the open
 * file's, which others use too; a stand-in with the flag set does the write. Regular files have no state in what embeds them.
 */
static ssize_t write_appending(struct file *file, struct uio *uio, int64_t *pos)
{
	struct file stand_in = *file;
	int64_t end = 0;

	(void)pos;
	if (!file_is_writable(file))
		return -EBADF;
	if (!file->vnode || !S_ISREG(file->vnode->mode) || !file->ops->write)
		return -EOPNOTSUPP;
	stand_in.flags |= O_APPEND;
	return file->ops->write(&stand_in, uio, &end);
}

/* Never waits: memory is all that regular files are made of. */
static bool never_blocks(unsigned fd)
{
	struct fd_ref ref = fd_borrow(fd);
	bool regular = !ref.file || (ref.file->vnode && S_ISREG(ref.file->vnode->mode));

	if (ref.file)
		fd_ref_put(ref);
	return regular;
}

static long io_vector_flags(unsigned fd, file_io *op, const struct iovec *iov, size_t iovcnt, int64_t pos, int flags)
{
	if (flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND))
		return -EOPNOTSUPP;
	if (pos < -1)
		return -EINVAL;
	if (flags & RWF_NOWAIT && !never_blocks(fd))
		return -EOPNOTSUPP;
	if (flags & RWF_APPEND && op == file_write)
		op = write_appending;
	return io_vector(fd, op, iov, iovcnt, pos == -1 ? NULL : &pos);
}

long sys_preadv2(unsigned fd, const struct iovec *iov, size_t iovcnt, unsigned long pos_low, unsigned long pos_high,
		 int flags)
{
	(void)pos_high;
	return io_vector_flags(fd, file_read, iov, iovcnt, (int64_t)pos_low, flags);
}

long sys_pwritev2(unsigned fd, const struct iovec *iov, size_t iovcnt, unsigned long pos_low, unsigned long pos_high,
		  int flags)
{
	(void)pos_high;
	return write_check(io_vector_flags(fd, file_write, iov, iovcnt, (int64_t)pos_low, flags));
}

/* ---- Positions and advice --------------------------------------------------------------------------------------- */

long sys_lseek(unsigned fd, int64_t offset, unsigned whence)
{
	struct fd_ref ref = fd_borrow_open(fd);
	long pos;

	if (!ref.file)
		return -EBADF;
	pos = whence <= SEEK_HOLE ? file_seek(ref.file, offset, (int)whence) : -EINVAL;
	fd_ref_put(ref);
	return pos;
}

/* 0 when FD is open and its file is a regular one or a directory; else ERROR_OTHER. */
static long fd_has_contents(unsigned fd, long error_other)
{
	struct fd_ref ref = fd_borrow_open(fd);
	long error = 0;

	if (!ref.file)
		return -EBADF;
	if (!ref.file->vnode || !(S_ISREG(ref.file->vnode->mode) || S_ISDIR(ref.file->vnode->mode)))
		error = error_other;
	fd_ref_put(ref);
	return error;
}

/* All contents are in memory: there is nothing to read ahead, and advice is welcome. */
long sys_readahead(unsigned fd, int64_t offset, size_t count)
{
	struct fd_ref ref = fd_borrow(fd);
	long error;

	(void)offset, (void)count;
	if (!ref.file)
		return -EBADF;
	error = file_is_readable(ref.file) ? 0 : -EBADF;
	fd_ref_put(ref);
	return error ? error : fd_has_contents(fd, -EINVAL);
}

long sys_fadvise64(unsigned fd, int64_t offset, size_t len, int advice)
{
	struct fd_ref ref = fd_borrow_open(fd);
	long error = 0;

	(void)offset;
	if (!ref.file)
		return -EBADF;
	if (!ref.file->vnode || S_ISFIFO(ref.file->vnode->mode))
		error = -ESPIPE;
	else if ((int64_t)len < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
		error = -EINVAL;
	fd_ref_put(ref);
	return error;
}

long sys_sync_file_range(unsigned fd, int64_t offset, int64_t len, unsigned flags)
{
	int64_t end;

	if (flags & ~(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER))
		return -EINVAL;
	if (offset < 0 || len < 0 || __builtin_add_overflow(offset, len, &end))
		return -EINVAL;
	return fd_has_contents(fd, -ESPIPE);
}
