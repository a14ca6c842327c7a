/* Extended attributes: setxattr(2), getxattr(2), listxattr(2), removexattr(2); what may be done with which names: xattr(7). */
#include "kernel/file/abi.h"
#include "kernel/file/access.h"
#include "kernel/linux/path_arg.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"

/* The vnode of a path or a descriptor (PATH NULL). */
struct target {
	struct walk walk;
	struct fd_ref ref;
	struct vnode *vnode;
};

static int target_get(struct target *target, const char *path, unsigned fd, unsigned walk_flags)
{
	int error;

	*target = (struct target){ 0 };
	if (walk_flags == UINT32_MAX) {
		target->ref = fd_borrow_open(fd);
		if (!target->ref.file)
			return -EBADF;
		target->vnode = target->ref.file->vnode;
		return 0;
	}
	error = user_walk(AT_FDCWD, path, walk_flags, &target->walk);
	if (!error)
		target->vnode = walk_vnode(&target->walk);
	return error;
}

static void target_put(struct target *target)
{
	if (target->ref.file)
		fd_ref_put(target->ref);
	else
		walk_done(&target->walk);
}

#define OF_FD UINT32_MAX

static int name_get(char *name, const char *user_name)
{
	ssize_t len = arg_read_string(name, user_name, XATTR_NAME_MAX + 1);

	if (len == -ENAMETOOLONG || len == 0)
		return -ERANGE;
	return len < 0 ? (int)len : 0;
}

static bool has_prefix(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* WRITE: to be changed. */
static int check_rights(const struct vnode *vnode, const char *name, bool write)
{
	const struct cred *cred = &process_current()->fs.cred;

	if (write && vnode->fs && vnode->fs->read_only)
		return -EROFS;
	if (has_prefix(name, "security."))
		return write && !vnode_is_owner(vnode, cred) ? -EPERM : 0;
	if (has_prefix(name, "trusted."))
		return cred->euid == 0 ? 0 : write ? -EPERM : -ENODATA;
	if (has_prefix(name, "user.") && !S_ISREG(vnode->mode) && !S_ISDIR(vnode->mode))
		return write ? -EPERM : -ENODATA;
	return vnode_access(vnode, cred, write ? MAY_WRITE : MAY_READ);
}

static long set_value(struct vnode *vnode, const char *name, const void *user_value, size_t size, int flags)
{
	void *value = kmalloc(size ? size : 1);
	int error;

	if (!value)
		return -ENOMEM;
	error = copy_in(value, user_value, size);
	if (!error)
		error = check_rights(vnode, name, true);
	if (!error)
		error = vnode->ops->xattr_set ? vnode->ops->xattr_set(vnode, name, value, size, flags) : -EOPNOTSUPP;
	kfree(value);
	return error;
}

static long set(const char *path, unsigned fd, unsigned walk_flags, const char *user_name, const void *value,
		size_t size, int flags)
{
	char name[XATTR_NAME_MAX + 1];
	struct target target;
	long error;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	error = name_get(name, user_name);
	if (error)
		return error;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	error = target_get(&target, path, fd, walk_flags);
	if (error)
		return error;
	error = target.vnode ? set_value(target.vnode, name, value, size, flags) : -EOPNOTSUPP;
	target_put(&target);
	return error;
}

long sys_setxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
	return set(path, 0, WALK_FOLLOW, name, value, size, flags);
}

long sys_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
	return set(path, 0, 0, name, value, size, flags);
}

long sys_fsetxattr(unsigned fd, const char *name, const void *value, size_t size, int flags)
{
	return set(NULL, fd, OF_FD, name, value, size, flags);
}

static long get_value(struct vnode *vnode, const char *name, void *user_value, size_t size)
{
	void *value = NULL;
	ssize_t len = check_rights(vnode, name, false);

	if (len)
		return len;
	if (!vnode->ops->xattr_get)
		return -EOPNOTSUPP;
	size = MIN(size, (size_t)XATTR_SIZE_MAX);
	if (size) {
		value = kmalloc(size);
		if (!value)
			return -ENOMEM;
	}
	len = vnode->ops->xattr_get(vnode, name, value, size);
	if (len > 0 && size && copy_out(user_value, value, (size_t)len))
		len = -EFAULT;
	kfree(value);
	return len;
}

static long get(const char *path, unsigned fd, unsigned walk_flags, const char *user_name, void *value, size_t size)
{
	char name[XATTR_NAME_MAX + 1];
	struct target target;
	long result = name_get(name, user_name);

	if (result)
		return result;
	result = target_get(&target, path, fd, walk_flags);
	if (result)
		return result;
	result = target.vnode ? get_value(target.vnode, name, value, size) : -EOPNOTSUPP;
	target_put(&target);
	return result;
}

long sys_getxattr(const char *path, const char *name, void *value, size_t size)
{
	return get(path, 0, WALK_FOLLOW, name, value, size);
}

long sys_lgetxattr(const char *path, const char *name, void *value, size_t size)
{
	return get(path, 0, 0, name, value, size);
}

long sys_fgetxattr(unsigned fd, const char *name, void *value, size_t size)
{
	return get(NULL, fd, OF_FD, name, value, size);
}

static long list_names(struct vnode *vnode, char *user_list, size_t size)
{
	char *list = NULL;
	ssize_t len;

	if (!vnode->ops->xattr_list)
		return 0;
	size = MIN(size, (size_t)XATTR_LIST_MAX);
	if (size) {
		list = kmalloc(size);
		if (!list)
			return -ENOMEM;
	}
	len = vnode->ops->xattr_list(vnode, list, size);
	if (len > 0 && size && copy_out(user_list, list, (size_t)len))
		len = -EFAULT;
	kfree(list);
	return len;
}

static long list_of(const char *path, unsigned fd, unsigned walk_flags, char *names, size_t size)
{
	struct target target;
	long result = target_get(&target, path, fd, walk_flags);

	if (result)
		return result;
	result = target.vnode ? list_names(target.vnode, names, size) : 0;
	target_put(&target);
	return result;
}

long sys_listxattr(const char *path, char *list, size_t size)
{
	return list_of(path, 0, WALK_FOLLOW, list, size);
}

long sys_llistxattr(const char *path, char *list, size_t size)
{
	return list_of(path, 0, 0, list, size);
}

long sys_flistxattr(unsigned fd, char *list, size_t size)
{
	return list_of(NULL, fd, OF_FD, list, size);
}

static long name_remove(const char *path, unsigned fd, unsigned walk_flags, const char *user_name)
{
	char name[XATTR_NAME_MAX + 1];
	struct target target;
	long error = name_get(name, user_name);

	if (error)
		return error;
	error = target_get(&target, path, fd, walk_flags);
	if (error)
		return error;
	error = target.vnode && target.vnode->ops->xattr_set ? check_rights(target.vnode, name, true) : -EOPNOTSUPP;
	if (!error)
		error = target.vnode->ops->xattr_set(target.vnode, name, NULL, 0, 0);
	target_put(&target);
	return error;
}

long sys_removexattr(const char *path, const char *name)
{
	return name_remove(path, 0, WALK_FOLLOW, name);
}

long sys_lremovexattr(const char *path, const char *name)
{
	return name_remove(path, 0, 0, name);
}

long sys_fremovexattr(unsigned fd, const char *name)
{
	return name_remove(NULL, fd, OF_FD, name);
}
