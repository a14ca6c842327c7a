/* Names made, removed and moved: mkdir(2), mknod(2), symlink(2), link(2), unlink(2), rmdir(2), rename(2). */
#include "kernel/file/abi.h"
#include "kernel/file/change.h"
#include "kernel/linux/path_arg.h"
#include "kernel/linux/syscall_handlers.h"

/* A path with the place where it begins, for calls that have two. */
struct place {
	struct path_arg arg;
	struct at_arg at;
};

static int place_get(struct place *place, int dfd, const char *path)
{
	int error = path_arg_get(&place->arg, path);

	if (error)
		return error;
	error = at_arg_get(&place->at, dfd, place->arg.path);
	if (error)
		path_arg_put(&place->arg);
	return error;
}

static void place_put(struct place *place)
{
	at_arg_put(&place->at);
	path_arg_put(&place->arg);
}

static struct fs_context *context(void)
{
	return &process_current()->fs;
}

static long create_at(int dfd, const char *path, uint32_t mode, uint64_t rdev, const char *target)
{
	struct place place;
	long error = place_get(&place, dfd, path);

	if (error)
		return error;
	error = path_create(context(), place.at.dentry, place.arg.path, mode, rdev, target);
	place_put(&place);
	return error;
}

long sys_mkdirat(int dfd, const char *path, uint32_t mode)
{
	return create_at(dfd, path, S_IFDIR | (mode & 01777), 0, NULL);
}

long sys_mkdir(const char *path, uint32_t mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

long sys_mknodat(int dfd, const char *path, uint32_t mode, unsigned dev)
{
	uint32_t type = mode & S_IFMT ? mode & S_IFMT : S_IFREG;

	switch (type) {
	case S_IFCHR:
	case S_IFBLK:
		if (context()->cred.euid != 0)
			return -EPERM;
		break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		dev = 0;
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	return create_at(dfd, path, type | (mode & 07777), dev, NULL);
}

long sys_mknod(const char *path, uint32_t mode, unsigned dev)
{
	return sys_mknodat(AT_FDCWD, path, mode, dev);
}

long sys_symlinkat(const char *target, int newdfd, const char *linkpath)
{
	struct path_arg arg;
	long error = path_arg_get(&arg, target);

	if (error)
		return error;
	error = *arg.path ? create_at(newdfd, linkpath, S_IFLNK | 0777, 0, arg.path) : -ENOENT;
	path_arg_put(&arg);
	return error;
}

long sys_symlink(const char *target, const char *linkpath)
{
	return sys_symlinkat(target, AT_FDCWD, linkpath);
}

long sys_linkat(int olddfd, const char *oldpath, int newdfd, const char *newpath, int flags)
{
	struct vnode *source;
	struct walk walk;
	struct place place;
	long error;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	error = user_walk(olddfd, oldpath,
			  (flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0u) | (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0u),
			  &walk);
	if (error)
		return error;
	source = walk_vnode(&walk);
	error = source ? place_get(&place, newdfd, newpath) : -EXDEV;
	if (!error) {
		error = path_link(context(), source, place.at.dentry, place.arg.path);
		place_put(&place);
	}
	walk_done(&walk);
	return error;
}

long sys_link(const char *oldpath, const char *newpath)
{
	return sys_linkat(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}

long sys_unlinkat(int dfd, const char *path, int flags)
{
	struct place place;
	long error;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	error = place_get(&place, dfd, path);
	if (error)
		return error;
	error = path_unlink(context(), place.at.dentry, place.arg.path, flags & AT_REMOVEDIR);
	place_put(&place);
	return error;
}

long sys_unlink(const char *path)
{
	return sys_unlinkat(AT_FDCWD, path, 0);
}

long sys_rmdir(const char *path)
{
	return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

long sys_renameat2(int olddfd, const char *oldpath, int newdfd, const char *newpath, unsigned flags)
{
	struct place from_place, to_place;
	long error;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE) ||
	    (flags & RENAME_NOREPLACE && flags & RENAME_EXCHANGE))
		return -EINVAL;
	error = place_get(&from_place, olddfd, oldpath);
	if (error)
		return error;
	error = place_get(&to_place, newdfd, newpath);
	if (!error) {
		error = path_rename(context(), from_place.at.dentry, from_place.arg.path, to_place.at.dentry,
				    to_place.arg.path, flags);
		place_put(&to_place);
	}
	place_put(&from_place);
	return error;
}

long sys_renameat(int olddfd, const char *oldpath, int newdfd, const char *newpath)
{
	return sys_renameat2(olddfd, oldpath, newdfd, newpath, 0);
}

long sys_rename(const char *oldpath, const char *newpath)
{
	return sys_renameat2(AT_FDCWD, oldpath, AT_FDCWD, newpath, 0);
}
