/* Opening, and where paths begin: open(2), openat2(2), memfd_create(2), chdir(2), chroot(2), getcwd(2), umask(2). */
#include "kernel/file/abi.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/linux/abi_file.h"
#include "kernel/linux/path_arg.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"

static long open_at(int dfd, const char *path, unsigned flags, uint32_t mode, unsigned walk_flags)
{
	struct path_arg arg;
	struct at_arg at;
	struct file *file;
	long result = path_arg_get(&arg, path);

	if (unlikely(result))
		return result;
	result = at_arg_get(&at, dfd, arg.path);
	if (likely(!result)) {
		result = path_open_walk(&process_current()->fs, at.dentry, arg.path, flags, mode, walk_flags, &file);
		at_arg_put(&at);
	}
	path_arg_put(&arg);
	return result ? result : fd_install(file, flags);
}

long sys_open(const char *path, int flags, uint32_t mode)
{
	return open_at(AT_FDCWD, path, (unsigned)flags | O_LARGEFILE, mode, 0);
}

long sys_openat(int dfd, const char *path, int flags, uint32_t mode)
{
	return open_at(dfd, path, (unsigned)flags | O_LARGEFILE, mode, 0);
}

long sys_creat(const char *path, uint32_t mode)
{
	return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, 0);
}

/* The part of the application's struct that is known here; what is behind it must be 0. */
static int open_how_read(const struct linux_open_how *user_how, size_t size, struct linux_open_how *how)
{
	if (size < sizeof(*how))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (copy_in(how, user_how, sizeof(*how)))
		return -EFAULT;
	for (size_t at = sizeof(*how); at < size;) {
		unsigned char rest[64];
		size_t n = MIN(size - at, sizeof(rest));

		if (copy_in(rest, (const char *)user_how + at, n))
			return -EFAULT;
		for (size_t i = 0; i < n; i++)
			if (rest[i])
				return -E2BIG;
		at += n;
	}
	return 0;
}

#define O_VALID                                                                                                        \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_ASYNC | O_DIRECT |     \
	 O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE)
#define O_PATH_VALID (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define RESOLVE_VALID 0x3ful
#define O_MAKES(flags) ((flags)&O_CREAT || ((flags)&O_TMPFILE) == O_TMPFILE)

static int open_how_check(const struct linux_open_how *how)
{
	if (how->flags & ~(uint64_t)O_VALID || how->resolve & ~RESOLVE_VALID)
		return -EINVAL;
	if (how->resolve & RESOLVE_BENEATH && how->resolve & RESOLVE_IN_ROOT)
		return -EINVAL;
	if (how->mode && (!O_MAKES(how->flags) || how->mode & ~07777ul))
		return -EINVAL;
	if (how->flags & O_PATH && how->flags & ~(uint64_t)O_PATH_VALID)
		return -EINVAL;
	if (how->resolve & RESOLVE_CACHED && (O_MAKES(how->flags) || how->flags & O_TRUNC))
		return -EAGAIN;
	return 0;
}

long sys_openat2(int dfd, const char *path, const struct linux_open_how *user_how, size_t size)
{
	static const struct {
		unsigned resolve, walk;
	} flags[] = {
		{ RESOLVE_NO_XDEV, WALK_NO_XDEV },
		{ RESOLVE_NO_MAGICLINKS, WALK_NO_MAGIC },
		{ RESOLVE_NO_SYMLINKS, WALK_NO_SYMLINKS | WALK_NO_MAGIC },
		{ RESOLVE_BENEATH, WALK_BENEATH },
		{ RESOLVE_IN_ROOT, WALK_IN_ROOT },
		{ RESOLVE_CACHED, WALK_CACHED },
	};
	struct linux_open_how how;
	unsigned walk_flags = 0;
	int error = open_how_read(user_how, size, &how);

	if (!error)
		error = open_how_check(&how);
	if (error)
		return error;
	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++)
		if (how.resolve & flags[i].resolve)
			walk_flags |= flags[i].walk;
	return open_at(dfd, path, (unsigned)how.flags, (uint32_t)how.mode, walk_flags);
}

#define MEMFD_PREFIX "memfd:"
#define MEMFD_NAME_MAX (NAME_MAX - (sizeof(MEMFD_PREFIX) - 1))

long sys_memfd_create(const char *user_name, unsigned flags)
{
	char name[NAME_MAX + 2] = MEMFD_PREFIX;
	size_t prefix = sizeof(MEMFD_PREFIX) - 1;
	struct vnode *vnode;
	struct file *file;
	ssize_t len;
	int error;

	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	len = arg_read_string(name + prefix, user_name, MEMFD_NAME_MAX + 1);
	if (len < 0)
		return len == -ENAMETOOLONG ? -EINVAL : len;
	error = tmpfs_file_create(name, &vnode);
	if (error)
		return error;
	if (flags & MFD_ALLOW_SEALING)
		vnode->seals = 0;
	vnode->uid = process_current()->fs.cred.fsuid;
	vnode->gid = process_current()->fs.cred.fsgid;
	error = path_open_anonymous(vnode, name, &file);
	vnode_put(vnode);
	return error ? error : fd_install(file, flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}

/* ---- Places ----------------------------------------------------------------------------------------------------------- */

static int chdir_walked(struct walk *walk)
{
	struct fs_context *fs = &process_current()->fs;
	int error = vnode_access(dentry_vnode(walk->dentry), &fs->cred, MAY_EXEC);

	if (error) {
		walk_done(walk);
		return error;
	}
	path_cwd_set(fs, walk->dentry);
	return 0;
}

long sys_chdir(const char *path)
{
	struct walk walk;
	int error = user_walk(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &walk);

	return error ? error : chdir_walked(&walk);
}

long sys_fchdir(unsigned fd)
{
	struct fd_ref ref = fd_borrow(fd);
	struct walk walk = { 0 };
	int error = -ENOTDIR;

	if (!ref.file)
		return -EBADF;
	if (ref.file->dentry && S_ISDIR(ref.file->vnode->mode)) {
		walk.dentry = ref.file->dentry;
		dentry_get(walk.dentry);
		error = chdir_walked(&walk);
	}
	fd_ref_put(ref);
	return error;
}

long sys_chroot(const char *path)
{
	struct fs_context *fs = &process_current()->fs;
	struct walk walk;
	int error = user_walk(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &walk);

	if (error)
		return error;
	error = vnode_access(dentry_vnode(walk.dentry), &fs->cred, MAY_EXEC);
	if (!error && fs->cred.euid != 0)
		error = -EPERM;
	if (error)
		walk_done(&walk);
	else
		path_root_set(fs, walk.dentry);
	return error;
}

static void places_get(struct fs_context *fs, struct dentry **root, struct dentry **cwd)
{
	spin_lock(&fs->lock);
	*root = fs->root;
	*cwd = fs->cwd;
	dentry_get(*root);
	dentry_get(*cwd);
	spin_unlock(&fs->lock);
}

long sys_getcwd(char *user_buf, size_t size)
{
	static const char unreachable[] = "(unreachable)";
	const size_t prefix = sizeof(unreachable) - 1;
	char *buf = kmalloc(PATH_MAX + prefix), *begin = NULL;
	struct dentry *root, *cwd;
	bool reachable = true;
	long len = -ENOENT;

	if (!buf)
		return -ENOMEM;
	places_get(&process_current()->fs, &root, &cwd);
	if (!dentry_is_deleted(cwd)) {
		len = -ENAMETOOLONG;
		begin = path_of(root, cwd, buf + prefix, PATH_MAX, &reachable);
	}
	if (begin) {
		if (!reachable) {
			begin -= prefix;
			memcpy(begin, unreachable, prefix);
		}
		len = buf + PATH_MAX + prefix - begin;
		if ((size_t)len > size)
			len = -ERANGE;
		else if (copy_out(user_buf, begin, (size_t)len))
			len = -EFAULT;
	}
	dentry_put(root);
	dentry_put(cwd);
	kfree(buf);
	return len;
}

long sys_umask(int mask)
{
	return __atomic_exchange_n(&process_current()->fs.umask, (uint32_t)mask & 0777, __ATOMIC_RELAXED);
}
