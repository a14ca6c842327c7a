/* Descriptors: close(2), dup(2), fcntl(2), ioctl(2), flock(2). */
#include "kernel/file/attr.h"
#include "kernel/file/lock.h"
#include "kernel/file/pipe.h"
#include "kernel/linux/abi_file.h"
#include "kernel/linux/fd.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/user_copy.h"

long sys_close(unsigned fd)
{
	return fdtable_close(process_current()->files, fd);
}

long sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC))
		return -EINVAL;
	/* CLOSE_RANGE_UNSHARE is about a table that threads share; a process has one table. */
	return fdtable_close_range(process_current()->files, first, last, flags & CLOSE_RANGE_CLOEXEC);
}

/* A second descriptor, the lowest free one from FROM on. */
static long fd_dup(unsigned fd, unsigned from, unsigned fd_flags)
{
	struct fdtable *files = process_current()->files;
	struct file *file = fdtable_file(files, fd);
	long result;

	if (!file)
		return -EBADF;
	result = fdtable_install(files, file, from, fd_flags);
	if (result < 0)
		file_put(file);
	return result;
}

static long fd_dup_to(unsigned oldfd, unsigned newfd, unsigned fd_flags)
{
	struct fdtable *files = process_current()->files;
	struct file *file = fdtable_file(files, oldfd);
	long result;

	if (!file)
		return -EBADF;
	result = fdtable_install_at(files, file, newfd, fd_flags);
	if (result < 0)
		file_put(file);
	return result;
}

long sys_dup(unsigned fd)
{
	return fd_dup(fd, 0, 0);
}

long sys_dup2(unsigned oldfd, unsigned newfd)
{
	if (oldfd == newfd)
		return fdtable_flags(process_current()->files, oldfd) < 0 ? -EBADF : (long)newfd;
	return fd_dup_to(oldfd, newfd, 0);
}

long sys_dup3(unsigned oldfd, unsigned newfd, int flags)
{
	if (oldfd == newfd || flags & ~O_CLOEXEC)
		return -EINVAL;
	return fd_dup_to(oldfd, newfd, flags & O_CLOEXEC ? FD_CLOEXEC_FLAG : 0);
}

long sys_pipe2(int *fds, int flags)
{
	struct file *files[2];
	int error;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	error = pipe_create((unsigned)flags, &files[0], &files[1]);
	return error ? error : fd_install_pair(files, (unsigned)flags, fds);
}

long sys_pipe(int *fds)
{
	return sys_pipe2(fds, 0);
}

/* ---- fcntl ------------------------------------------------------------------------------------------------------ */

/* The bytes that FLOCK means, relative to the position or the size of FILE. 0, -EINVAL, -EOVERFLOW. */
static int flock_range(struct file *file, const struct linux_flock *flock, struct lock_range *range)
{
	int64_t start = flock->whence == SEEK_CUR ? file->pos : 0;

	if (flock->whence < SEEK_SET || flock->whence > SEEK_END)
		return -EINVAL;
	if (flock->whence == SEEK_END)
		start = (int64_t)file->vnode->size;
	if (__builtin_add_overflow(start, flock->start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	range->start = start;
	range->end = INT64_MAX;
	if (flock->len > 0 && __builtin_add_overflow(start, flock->len - 1, &range->end))
		return -EOVERFLOW;
	if (flock->len < 0) {
		range->end = start - 1;
		range->start = start + flock->len;
	}
	return range->start < 0 ? -EINVAL : 0;
}

static int lock_get(struct file *file, struct linux_flock *flock, struct lock_range *range)
{
	if (range->type == F_UNLCK)
		return -EINVAL;
	lock_test(file->vnode, range);
	flock->type = (int16_t)range->type;
	if (range->type == F_UNLCK)
		return 0;
	flock->whence = SEEK_SET;
	flock->start = range->start;
	flock->len = range->end == INT64_MAX ? 0 : range->end - range->start + 1;
	flock->pid = range->pid;
	return 0;
}

static long fcntl_lock(struct file *file, unsigned cmd, struct linux_flock *user)
{
	bool ofd = cmd >= F_OFD_GETLK;
	struct process *process = process_current();
	struct lock_range range = {
		.kind = ofd ? LOCK_KIND_OFD : LOCK_KIND_POSIX,
		.owner = ofd ? (const void *)file : process->files,
		.pid = ofd ? -1 : process->pid,
	};
	struct linux_flock flock;
	int error;

	if (!user_range_is_valid(user, sizeof(flock)) || user_read(&flock, user, sizeof(flock)))
		return -EFAULT;
	if (!file->vnode || flock.type < F_RDLCK || flock.type > F_UNLCK || (ofd && flock.pid))
		return -EINVAL;
	range.type = flock.type;
	error = flock_range(file, &flock, &range);
	if (error)
		return error;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK) {
		error = lock_get(file, &flock, &range);
		return error ? error : user_write(user, &flock, sizeof(flock));
	}
	if ((range.type == F_RDLCK && !file_is_readable(file)) || (range.type == F_WRLCK && !file_is_writable(file)))
		return -EBADF;
	return lock_set(file->vnode, &range, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
}

static long fcntl_setfl(struct file *file, unsigned flags)
{
	file_flags_set(file, flags, O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC);
	return 0;
}

static long fcntl_dupfd(unsigned fd, unsigned cmd, unsigned long from)
{
	if (from >= process_current()->files->limit)
		return fdtable_flags(process_current()->files, fd) < 0 ? -EBADF : -EINVAL;
	return fd_dup(fd, (unsigned)from, cmd == F_DUPFD_CLOEXEC ? FD_CLOEXEC_FLAG : 0);
}

/* What is asked of files that are open for more than their place. */
static long fcntl_open(struct file *file, unsigned cmd, unsigned long arg)
{
	switch (cmd) {
	case F_SETFL:
		return fcntl_setfl(file, (unsigned)arg);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return fcntl_lock(file, cmd, (struct linux_flock *)arg);
	case F_GETOWN:
	case F_GETSIG:
	case F_SETOWN:
	case F_SETSIG:
	case F_SETOWN_EX:
		return 0; /* O_ASYNC sends nothing yet */
	case F_GETOWN_EX:
		return copy_out((void *)arg, &(struct linux_f_owner_ex){ 0 }, sizeof(struct linux_f_owner_ex));
	case F_GETLEASE:
		return F_UNLCK;
	case F_SETLEASE:
		return arg == F_UNLCK ? -EAGAIN : -EINVAL;
	case F_SETPIPE_SZ:
		return pipe_resize(file, arg);
	case F_GETPIPE_SZ:
		return pipe_bytes(file);
	case F_ADD_SEALS:
		return file_seals_add(file, (unsigned)arg);
	case F_GET_SEALS:
		return file_seals(file);
	default:
		return -EINVAL;
	}
}

long sys_fcntl(unsigned fd, unsigned cmd, unsigned long arg)
{
	struct fdtable *files = process_current()->files;
	struct fd_ref ref;
	long result;

	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return fcntl_dupfd(fd, cmd, arg);
	case F_GETFD:
		return fdtable_flags(files, fd);
	case F_SETFD:
		return fdtable_flags_set(files, fd, (unsigned)arg);
	default:
		break;
	}
	ref = fd_borrow(fd);
	if (!ref.file)
		return -EBADF;
	if (cmd == F_GETFL)
		result = ref.file->flags;
	else
		result = ref.file->flags & O_PATH ? -EBADF : fcntl_open(ref.file, cmd, arg);
	fd_ref_put(ref);
	return result;
}

/* ---- ioctl, flock ----------------------------------------------------------------------------------------------- */

static long ioctl_flag(struct file *file, unsigned flag, const uint32_t *user)
{
	uint32_t on;

	if (!user_range_is_valid(user, sizeof(on)) || user_read(&on, user, sizeof(on)))
		return -EFAULT;
	file_flags_set(file, on ? flag : 0, flag);
	return 0;
}

static long ioctl_left(const struct file *file, uint32_t *user)
{
	uint32_t left = (uint32_t)((int64_t)file->vnode->size - file->pos);

	return user_range_is_valid(user, sizeof(left)) ? user_write(user, &left, sizeof(left)) : -EFAULT;
}

static long file_ioctl(unsigned fd, struct file *file, unsigned cmd, unsigned long arg)
{
	struct fdtable *files = process_current()->files;

	switch (cmd) {
	case FIOCLEX:
		return fdtable_flags_set(files, fd, FD_CLOEXEC_FLAG);
	case FIONCLEX:
		return fdtable_flags_set(files, fd, 0);
	case FIONBIO:
		return ioctl_flag(file, O_NONBLOCK, (const uint32_t *)arg);
	case FIOASYNC:
		return ioctl_flag(file, O_ASYNC, (const uint32_t *)arg);
	case FIONREAD:
		if (file->vnode && S_ISREG(file->vnode->mode))
			return ioctl_left(file, (uint32_t *)arg);
		break;
	default:
		break;
	}
	return file->ops->ioctl ? file->ops->ioctl(file, cmd, arg) : -ENOTTY;
}

long sys_ioctl(unsigned fd, unsigned cmd, unsigned long arg)
{
	struct fd_ref ref = fd_borrow_open(fd);
	long result;

	if (!ref.file)
		return -EBADF;
	result = file_ioctl(fd, ref.file, cmd, arg);
	fd_ref_put(ref);
	return result;
}

long sys_flock(unsigned fd, unsigned cmd)
{
	static const int types[] = { [LOCK_SH] = F_RDLCK, [LOCK_EX] = F_WRLCK, [LOCK_UN] = F_UNLCK };
	unsigned what = cmd & ~(unsigned)LOCK_NB;
	struct lock_range range = { .kind = LOCK_KIND_FLOCK, .end = INT64_MAX };
	struct fd_ref ref;
	long error;

	if (what != LOCK_SH && what != LOCK_EX && what != LOCK_UN)
		return -EINVAL;
	ref = fd_borrow_open(fd);
	if (!ref.file)
		return -EBADF;
	range.owner = ref.file;
	range.type = types[what];
	error = ref.file->vnode ? lock_set(ref.file->vnode, &range, !(cmd & LOCK_NB)) : -EBADF;
	fd_ref_put(ref);
	return error;
}
