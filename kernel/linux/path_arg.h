/* Path names and descriptors as arguments of system calls. Private to kernel/linux. */
#ifndef KERNEL_LINUX_PATH_ARG_H
#define KERNEL_LINUX_PATH_ARG_H

#include "kernel/file/abi.h"
#include "kernel/file/path.h"
#include "kernel/linux/fd.h"
#include "kernel/linux/user_copy.h"

/* As user_read_string. */
static inline ssize_t arg_read_string(char *dst, const char *user_src, size_t size)
{
	return likely(user_range_is_valid(user_src, 1)) ? user_read_string(dst, user_src, size) : -EFAULT;
}

#define PATH_ARG_SHORT 192 /* most paths; longer ones are copied to memory of their own */

struct path_arg {
	const char *path;
	char *large; /* from kmalloc, NULL: none */
	char small[PATH_ARG_SHORT];
};

/* Copies the application's PATH. 0; -EFAULT, -ENAMETOOLONG, -ENOMEM, and then nothing is to be put. */
int path_arg_get(struct path_arg *arg, const char *user_path);
void path_arg_put_large(struct path_arg *arg);
static inline void path_arg_put(struct path_arg *arg)
{
	if (unlikely(arg->large))
		path_arg_put_large(arg);
}

/* Where a relative path begins: DFD of a call whose name ends in "at". */
struct at_arg {
	struct dentry *dentry; /* NULL: the working directory */
	struct fd_ref ref;     /* what holds it */
};

/* 0, -EBADF, -ENOTDIR (the file has no place in the tree). */
int at_arg_get_fd(struct at_arg *at, int dfd);
/* PATH decides whether DFD is looked at: an absolute one ignores it. */
static inline int at_arg_get(struct at_arg *at, int dfd, const char *path)
{
	*at = (struct at_arg){ 0 };
	if (likely(dfd == AT_FDCWD) || *path == '/')
		return 0;
	return at_arg_get_fd(at, dfd);
}
static inline void at_arg_put(struct at_arg *at)
{
	fd_ref_put(at->ref);
}

/*
 * Walks the application's PATH from DFD. An empty path with WALK_EMPTY in WALK_FLAGS gives DFD's own file, whatever it is: then
 * walk->file is it if it has no dentry. 0, or an error.
 */
int user_walk(int dfd, const char *user_path, unsigned walk_flags, struct walk *walk);
/* The vnode that WALK ended at, as long as WALK is not done; NULL: a file that has none. */
static inline struct vnode *walk_vnode(const struct walk *walk)
{
	return walk->dentry ? dentry_vnode(walk->dentry) : walk->file->vnode;
}

#endif
