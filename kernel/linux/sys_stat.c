/* stat(2), statx(2), access(2), readlink(2) and their kin. */
#include "kernel/file/abi.h"
#include "kernel/file/attr.h"
#include "kernel/linux/abi_file.h"
#include "kernel/linux/path_arg.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"

static struct linux_timespec timespec_of(struct file_time time)
{
	return (struct linux_timespec){ time.sec, time.nsec };
}

static int walk_getattr(const struct walk *walk, struct vnode_attr *attr)
{
	return walk->dentry ? vnode_getattr(dentry_vnode(walk->dentry), attr) : file_getattr(walk->file, attr);
}

static long stat_write(const struct vnode_attr *attr, struct linux_stat *user_stat)
{
	struct linux_stat stat = {
		.dev = attr->dev,
		.ino = attr->ino,
		.nlink = attr->nlink,
		.mode = attr->mode,
		.uid = attr->uid,
		.gid = attr->gid,
		.rdev = attr->rdev,
		.size = (int64_t)attr->size,
		.blksize = attr->block_size,
		.blocks = (int64_t)attr->blocks,
		.atime = timespec_of(attr->atime),
		.mtime = timespec_of(attr->mtime),
		.ctime = timespec_of(attr->ctime),
	};

	return copy_out(user_stat, &stat, sizeof(stat));
}

/* The same from the vnode's fields: most file systems have nothing to add. */
static long stat_write_vnode(const struct vnode *vnode, struct linux_stat *user_stat)
{
	struct linux_stat stat = {
		.dev = vnode->fs ? vnode->fs->dev : 0,
		.ino = vnode->ino,
		.nlink = vnode->nlink,
		.mode = vnode->mode,
		.uid = vnode->uid,
		.gid = vnode->gid,
		.rdev = vnode->rdev,
		.size = (int64_t)vnode->size,
		.blksize = 4096,
		.blocks = (int64_t)vnode->blocks,
		.atime = timespec_of(vnode->atime),
		.mtime = timespec_of(vnode->mtime),
		.ctime = timespec_of(vnode->ctime),
	};

	return copy_out(user_stat, &stat, sizeof(stat));
}

static long stat_path(int dfd, const char *path, struct linux_stat *stat, unsigned walk_flags)
{
	struct vnode_attr attr;
	struct walk walk;
	struct vnode *vnode;
	long error = user_walk(dfd, path, walk_flags, &walk);

	if (error)
		return error;
	vnode = walk_vnode(&walk);
	if (likely(vnode && walk.dentry && !vnode->ops->getattr)) {
		error = stat_write_vnode(vnode, stat);
	} else {
		error = walk_getattr(&walk, &attr);
		if (!error)
			error = stat_write(&attr, stat);
	}
	walk_done(&walk);
	return error;
}

long sys_stat(const char *path, struct linux_stat *stat)
{
	return stat_path(AT_FDCWD, path, stat, WALK_FOLLOW);
}

long sys_lstat(const char *path, struct linux_stat *stat)
{
	return stat_path(AT_FDCWD, path, stat, 0);
}

long sys_fstat(unsigned fd, struct linux_stat *stat)
{
	struct fd_ref ref = fd_borrow(fd);
	struct vnode_attr attr;
	long error;

	if (!ref.file)
		return -EBADF;
	if (likely(ref.file->vnode && !ref.file->ops->getattr && !ref.file->vnode->ops->getattr)) {
		error = stat_write_vnode(ref.file->vnode, stat);
	} else {
		error = file_getattr(ref.file, &attr);
		if (!error)
			error = stat_write(&attr, stat);
	}
	fd_ref_put(ref);
	return error;
}

/* AT_* flags that only say how to walk. */
static unsigned walk_flags_of(int flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? 0u : WALK_FOLLOW) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0u);
}

long sys_newfstatat(int dfd, const char *path, struct linux_stat *stat, int flags)
{
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	return stat_path(dfd, path, stat, walk_flags_of(flags));
}

static struct linux_statx_timestamp statx_time(struct file_time time)
{
	return (struct linux_statx_timestamp){ .sec = time.sec, .nsec = time.nsec };
}

static void statx_fill(const struct vnode_attr *attr, bool is_mount_root, struct linux_statx *out)
{
	*out = (struct linux_statx){
		.mask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID,
		.blksize = attr->block_size,
		.attributes = is_mount_root ? STATX_ATTR_MOUNT_ROOT : 0,
		.attributes_mask = STATX_ATTR_MOUNT_ROOT | STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND,
		.nlink = attr->nlink,
		.uid = attr->uid,
		.gid = attr->gid,
		.mode = (uint16_t)attr->mode,
		.ino = attr->ino,
		.size = attr->size,
		.blocks = attr->blocks,
		.atime = statx_time(attr->atime),
		.btime = statx_time(attr->btime),
		.ctime = statx_time(attr->ctime),
		.mtime = statx_time(attr->mtime),
		.rdev_major = dev_major((uint32_t)attr->rdev),
		.rdev_minor = dev_minor((uint32_t)attr->rdev),
		.dev_major = dev_major((uint32_t)attr->dev),
		.dev_minor = dev_minor((uint32_t)attr->dev),
		.mnt_id = attr->dev,
	};
}

long sys_statx(int dfd, const char *path, int flags, unsigned mask, struct linux_statx *user_statx)
{
	struct linux_statx statx;
	struct vnode_attr attr;
	struct walk walk;
	struct vnode *vnode;
	int error;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE) ||
	    mask & STATX__RESERVED || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	error = user_walk(dfd, path, walk_flags_of(flags), &walk);
	if (error)
		return error;
	error = walk_getattr(&walk, &attr);
	vnode = walk_vnode(&walk);
	if (!error)
		statx_fill(&attr, vnode && vnode->fs && vnode->fs->root == vnode, &statx);
	walk_done(&walk);
	return error ? error : copy_out(user_statx, &statx, sizeof(statx));
}

/* ---- access(2) -------------------------------------------------------------------------------------------------------- */

static int walk_access(const struct walk *walk, const struct cred *cred, int mode)
{
	struct vnode *vnode = walk_vnode(walk);
	unsigned access =
		(mode & R_OK ? MAY_READ : 0u) | (mode & W_OK ? MAY_WRITE : 0u) | (mode & X_OK ? MAY_EXEC : 0u);

	return vnode && access ? vnode_access(vnode, cred, access) : 0;
}

/* With the real ids instead of the effective ones: in a copy of the context, which keeps its places meanwhile. */
static __attribute__((noinline)) long access_as_real(int dfd, const char *path, int mode, unsigned walk_flags)
{
	struct fs_context *fs = &process_current()->fs, *real = kmalloc(sizeof(*real));
	struct path_arg arg;
	struct at_arg at;
	struct walk walk;
	long error;

	if (!real)
		return -ENOMEM;
	spin_lock(&fs->lock);
	*real = *fs;
	dentry_get(real->root);
	dentry_get(real->cwd);
	spin_unlock(&fs->lock);
	spin_init(&real->lock, "fs_context");
	real->cred.fsuid = fs->cred.uid;
	real->cred.fsgid = fs->cred.gid;
	error = path_arg_get(&arg, path);
	if (error)
		goto out;
	error = at_arg_get(&at, dfd, arg.path);
	if (!error) {
		error = path_walk(real, at.dentry, arg.path, walk_flags, &walk);
		if (!error) {
			error = walk_access(&walk, &real->cred, mode);
			walk_done(&walk);
		}
		at_arg_put(&at);
	}
	path_arg_put(&arg);
out:
	dentry_put(real->cwd);
	dentry_put(real->root);
	kfree(real);
	return error;
}

static long access_path(int dfd, const char *path, int mode, int flags)
{
	const struct cred *cred = &process_current()->fs.cred;
	struct walk walk;
	int error;

	if (mode & ~(R_OK | W_OK | X_OK) || flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!(flags & AT_EACCESS) && (cred->fsuid != cred->uid || cred->fsgid != cred->gid))
		return access_as_real(dfd, path, mode, walk_flags_of(flags));
	error = user_walk(dfd, path, walk_flags_of(flags), &walk);
	if (error)
		return error;
	error = walk_access(&walk, cred, mode);
	walk_done(&walk);
	return error;
}

long sys_access(const char *path, int mode)
{
	return access_path(AT_FDCWD, path, mode, 0);
}

long sys_faccessat(int dfd, const char *path, int mode)
{
	return access_path(dfd, path, mode, 0);
}

long sys_faccessat2(int dfd, const char *path, int mode, int flags)
{
	return access_path(dfd, path, mode, flags);
}

/* ---- readlink(2) ------------------------------------------------------------------------------------------------------ */

static long readlink_vnode(struct vnode *vnode, char *user_buf, size_t size, bool empty_path)
{
	char small[PATH_ARG_SHORT], *buf = small, *large = NULL;
	size_t want = MIN(size, sizeof(small));
	ssize_t len;

	if (!vnode || !S_ISLNK(vnode->mode) || !vnode->ops->readlink)
		return empty_path ? -ENOENT : -EINVAL;
	len = vnode->ops->readlink(vnode, buf, want);
	if (len == (ssize_t)sizeof(small) && size > sizeof(small)) {
		buf = large = kmalloc(PATH_MAX);
		if (!large)
			return -ENOMEM;
		len = vnode->ops->readlink(vnode, buf, MIN(size, (size_t)PATH_MAX));
	}
	if (len > 0 && copy_out(user_buf, buf, (size_t)len))
		len = -EFAULT;
	kfree(large);
	return len;
}

long sys_readlinkat(int dfd, const char *path, char *buf, int size)
{
	struct walk walk;
	char first = '\0';
	long result;

	if (size <= 0)
		return -EINVAL;
	result = user_walk(dfd, path, WALK_EMPTY, &walk);
	if (result)
		return result;
	if (copy_in(&first, path, 1))
		result = -EFAULT;
	else
		result = readlink_vnode(walk_vnode(&walk), buf, (size_t)size, !first);
	walk_done(&walk);
	return result;
}

long sys_readlink(const char *path, char *buf, int size)
{
	return sys_readlinkat(AT_FDCWD, path, buf, size);
}
