/* inotify(7). */
#include "kernel/file/inotify.h"

#include "kernel/linux/path_arg.h"
#include "kernel/linux/syscall_handlers.h"

#define IN_MAY                                                                                                         \
	(IN_ALL_EVENTS | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE | IN_MASK_ADD | IN_ONESHOT)

_Static_assert(IN_CLOEXEC == O_CLOEXEC && IN_NONBLOCK == O_NONBLOCK, "inotify_init1(2)");

long sys_inotify_init1(int flags)
{
	struct file *file;
	int error;

	if (flags & ~(IN_CLOEXEC | IN_NONBLOCK))
		return -EINVAL;
	error = inotify_create((unsigned)flags, &file);
	return error ? error : fd_install(file, (unsigned)flags);
}

long sys_inotify_init(void)
{
	return sys_inotify_init1(0);
}

static struct fd_ref inotify_borrow(unsigned fd, long *error)
{
	struct fd_ref ref = fd_borrow_open(fd);

	*error = -EBADF;
	if (ref.file && !file_is_inotify(ref.file)) {
		fd_ref_put(ref);
		ref.file = NULL;
		*error = -EINVAL;
	}
	return ref;
}

static long watch_add(struct file *inotify, const char *user_path, uint32_t mask)
{
	unsigned flags = (mask & IN_DONT_FOLLOW ? 0 : WALK_FOLLOW) | (mask & IN_ONLYDIR ? WALK_DIRECTORY : 0);
	struct vnode *vnode;
	struct walk walk;
	long result = user_walk(AT_FDCWD, user_path, flags, &walk);

	if (result)
		return result;
	vnode = walk_vnode(&walk);
	result = vnode ? vnode_access(vnode, &process_current()->fs.cred, MAY_READ) : -ENOENT;
	if (!result)
		result = inotify_watch_add(inotify, vnode, mask);
	walk_done(&walk);
	return result;
}

long sys_inotify_add_watch(unsigned fd, const char *path, uint32_t mask)
{
	struct fd_ref ref;
	long result;

	if (!(mask & IN_MAY))
		return -EINVAL;
	ref = inotify_borrow(fd, &result);
	if (!ref.file)
		return result;
	result = mask & IN_MASK_ADD && mask & IN_MASK_CREATE ? -EINVAL : watch_add(ref.file, path, mask);
	fd_ref_put(ref);
	return result;
}

long sys_inotify_rm_watch(unsigned fd, int wd)
{
	long result;
	struct fd_ref ref = inotify_borrow(fd, &result);

	if (!ref.file)
		return result;
	result = inotify_watch_remove(ref.file, wd);
	fd_ref_put(ref);
	return result;
}
