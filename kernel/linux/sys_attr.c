/* Attributes and sizes: chmod(2), chown(2), utimensat(2), truncate(2), fallocate(2), and what brings a file to a disk. */
#include "kernel/core/clock.h"
#include "kernel/file/abi.h"
#include "kernel/file/attr.h"
#include "kernel/file/inotify.h"
#include "kernel/linux/abi_file.h"
#include "kernel/linux/path_arg.h"
#include "kernel/linux/syscall_handlers.h"

static const struct cred *cred(void)
{
	return &process_current()->fs.cred;
}

static unsigned walk_flags_of(int flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? 0u : WALK_FOLLOW) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0u);
}

/* The vnode of FD, held by *REF. */
static int fd_vnode(unsigned fd, struct fd_ref *ref, struct vnode **vnode)
{
	*ref = fd_borrow_open(fd);
	if (!ref->file)
		return -EBADF;
	*vnode = ref->file->vnode;
	if (*vnode)
		return 0;
	fd_ref_put(*ref);
	return -EINVAL;
}

/* ---- chmod(2), chown(2) ------------------------------------------------------------------------------------------------ */

long sys_fchmodat2(int dfd, const char *path, uint32_t mode, unsigned flags)
{
	struct vnode *vnode;
	struct walk walk;
	int error;

	if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	error = user_walk(dfd, path, walk_flags_of((int)flags), &walk);
	if (error)
		return error;
	vnode = walk_vnode(&walk);
	error = vnode ? vnode_chmod(vnode, cred(), mode) : -EINVAL;
	walk_done(&walk);
	return error;
}

long sys_fchmodat(int dfd, const char *path, uint32_t mode)
{
	return sys_fchmodat2(dfd, path, mode, 0);
}

long sys_chmod(const char *path, uint32_t mode)
{
	return sys_fchmodat2(AT_FDCWD, path, mode, 0);
}

long sys_fchmod(unsigned fd, uint32_t mode)
{
	struct vnode *vnode;
	struct fd_ref ref;
	int error = fd_vnode(fd, &ref, &vnode);

	if (error)
		return error;
	error = vnode_chmod(vnode, cred(), mode);
	fd_ref_put(ref);
	return error;
}

long sys_fchownat(int dfd, const char *path, uint32_t uid, uint32_t gid, int flags)
{
	struct vnode *vnode;
	struct walk walk;
	int error;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	error = user_walk(dfd, path, walk_flags_of(flags), &walk);
	if (error)
		return error;
	vnode = walk_vnode(&walk);
	error = vnode ? vnode_chown(vnode, cred(), uid, gid) : -EINVAL;
	walk_done(&walk);
	return error;
}

long sys_chown(const char *path, uint32_t uid, uint32_t gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, 0);
}

long sys_lchown(const char *path, uint32_t uid, uint32_t gid)
{
	return sys_fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

long sys_fchown(unsigned fd, uint32_t uid, uint32_t gid)
{
	struct vnode *vnode;
	struct fd_ref ref;
	int error = fd_vnode(fd, &ref, &vnode);

	if (error)
		return error;
	error = vnode_chown(vnode, cred(), uid, gid);
	fd_ref_put(ref);
	return error;
}

/* ---- Times ------------------------------------------------------------------------------------------------------------ */

/* TIMES NULL: now. PATH NULL: of DFD itself. */
static long set_times(int dfd, const char *path, const struct file_time *times, int flags)
{
	struct vnode *vnode;
	struct walk walk;
	struct fd_ref ref;
	int error;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!path) {
		if (flags)
			return -EINVAL;
		error = fd_vnode((unsigned)dfd, &ref, &vnode);
		if (error)
			return error;
		error = vnode_utimes(vnode, cred(), times);
		fd_ref_put(ref);
		return error;
	}
	error = user_walk(dfd, path, walk_flags_of(flags), &walk);
	if (error)
		return error;
	vnode = walk_vnode(&walk);
	error = vnode ? vnode_utimes(vnode, cred(), times) : -EINVAL;
	walk_done(&walk);
	return error;
}

static bool nsec_is_valid(int64_t nsec)
{
	return (nsec >= 0 && nsec < (int64_t)NSEC_PER_SEC) || nsec == UTIME_NOW || nsec == UTIME_OMIT;
}

long sys_utimensat(int dfd, const char *path, const struct linux_timespec *user_times, int flags)
{
	struct linux_timespec given[2];
	struct file_time times[2];

	if (!user_times)
		return !path && dfd == AT_FDCWD ? -EFAULT : set_times(dfd, path, NULL, flags);
	if (copy_in(given, user_times, sizeof(given)))
		return -EFAULT;
	for (unsigned i = 0; i < 2; i++) {
		if (!nsec_is_valid(given[i].nsec))
			return -EINVAL;
		times[i] = (struct file_time){ given[i].sec, (uint32_t)given[i].nsec };
	}
	if (given[0].nsec == UTIME_OMIT && given[1].nsec == UTIME_OMIT)
		return 0;
	if (!path && dfd == AT_FDCWD)
		return -EFAULT;
	return set_times(dfd, path, times, flags);
}

long sys_futimesat(int dfd, const char *path, const struct linux_timeval *user_times)
{
	struct linux_timeval given[2];
	struct file_time times[2];

	if (!user_times)
		return set_times(dfd, path, NULL, 0);
	if (copy_in(given, user_times, sizeof(given)))
		return -EFAULT;
	for (unsigned i = 0; i < 2; i++) {
		if (given[i].usec < 0 || given[i].usec >= 1000000)
			return -EINVAL;
		times[i] = (struct file_time){ given[i].sec, (uint32_t)given[i].usec * 1000 };
	}
	return set_times(dfd, path, times, 0);
}

long sys_utimes(const char *path, const struct linux_timeval *times)
{
	return path ? sys_futimesat(AT_FDCWD, path, times) : -EFAULT;
}

long sys_utime(const char *path, const struct linux_utimbuf *user_times)
{
	struct linux_utimbuf given;
	struct file_time times[2] = { 0 };

	if (!path)
		return -EFAULT;
	if (!user_times)
		return set_times(AT_FDCWD, path, NULL, 0);
	if (copy_in(&given, user_times, sizeof(given)))
		return -EFAULT;
	times[0].sec = given.atime;
	times[1].sec = given.mtime;
	return set_times(AT_FDCWD, path, times, 0);
}

/* ---- Sizes ------------------------------------------------------------------------------------------------------------ */

/* setrlimit(2), RLIMIT_FSIZE. */
static int check_limit(uint64_t size)
{
	return size <= file_max() ? 0 : (int)write_check(-EFBIG);
}

static int truncate_vnode(struct vnode *vnode, int64_t size)
{
	int error;

	if (!S_ISREG(vnode->mode))
		return -EINVAL;
	error = check_limit((uint64_t)size);
	if (!error)
		error = vnode_truncate(vnode, size, cred());
	if (!error)
		inotify_vnode(vnode, IN_MODIFY);
	return error;
}

long sys_truncate(const char *path, int64_t length)
{
	struct vnode *vnode;
	struct walk walk;
	int error;

	if (length < 0)
		return -EINVAL;
	error = user_walk(AT_FDCWD, path, WALK_FOLLOW, &walk);
	if (error)
		return error;
	vnode = walk_vnode(&walk);
	if (vnode && S_ISDIR(vnode->mode))
		error = -EISDIR;
	else if (!vnode || !S_ISREG(vnode->mode))
		error = -EINVAL;
	else
		error = vnode_access(vnode, cred(), MAY_WRITE);
	if (!error)
		error = truncate_vnode(vnode, length);
	walk_done(&walk);
	return error;
}

static bool is_open_for_write(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_RDONLY;
}

long sys_ftruncate(unsigned fd, int64_t length)
{
	struct vnode *vnode;
	struct fd_ref ref;
	int error;

	if (length < 0)
		return -EINVAL;
	error = fd_vnode(fd, &ref, &vnode);
	if (error)
		return error;
	error = is_open_for_write(ref.file) ? truncate_vnode(vnode, length) : -EINVAL;
	fd_ref_put(ref);
	return error;
}

/* What fallocate(2) lists as errors of its arguments and of what FD is. */
static int check_allocate(const struct file *file, int mode)
{
	const int known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE |
			  FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE;

	if (mode & ~known)
		return -EOPNOTSUPP;
	if ((mode & FALLOC_FL_PUNCH_HOLE && !(mode & FALLOC_FL_KEEP_SIZE)) ||
	    (mode & FALLOC_FL_PUNCH_HOLE && mode & FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (!is_open_for_write(file))
		return -EBADF;
	if (!file->vnode || S_ISFIFO(file->vnode->mode))
		return -ESPIPE;
	if (S_ISDIR(file->vnode->mode))
		return -EISDIR;
	return S_ISREG(file->vnode->mode) ? 0 : -ENODEV;
}

long sys_fallocate(unsigned fd, int mode, int64_t offset, int64_t len)
{
	struct fd_ref ref = fd_borrow_open(fd);
	int64_t end;
	int error;

	if (!ref.file)
		return -EBADF;
	error = offset < 0 || len <= 0 ? -EINVAL : check_allocate(ref.file, mode);
	if (!error && __builtin_add_overflow(offset, len, &end))
		error = -EFBIG;
	if (!error && !(mode & FALLOC_FL_KEEP_SIZE))
		error = check_limit((uint64_t)end);
	if (!error)
		error = vnode_allocate(ref.file->vnode, mode, offset, len, cred());
	if (!error)
		inotify_dentry(ref.file->dentry, ref.file->vnode, IN_MODIFY);
	fd_ref_put(ref);
	return error;
}

/* ---- To the disk -------------------------------------------------------------------------------------------------------- */

long sys_fsync(unsigned fd)
{
	struct vnode *vnode;
	struct fd_ref ref;
	int error = fd_vnode(fd, &ref, &vnode);

	if (error)
		return error;
	if (!S_ISREG(vnode->mode) && !S_ISDIR(vnode->mode) && !vnode->ops->sync)
		error = -EINVAL;
	else if (vnode->ops->sync)
		error = vnode->ops->sync(vnode);
	fd_ref_put(ref);
	return error;
}

long sys_fdatasync(unsigned fd)
{
	return sys_fsync(fd);
}

long sys_syncfs(unsigned fd)
{
	struct fd_ref ref = fd_borrow_open(fd);

	if (!ref.file)
		return -EBADF;
	fd_ref_put(ref);
	return 0;
}

long sys_sync(void)
{
	return 0;
}
