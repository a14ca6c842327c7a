/* See path_arg.h. */
#include "kernel/linux/path_arg.h"

#include "kernel/mem/slab.h"

static __attribute__((noinline)) int get_large(struct path_arg *arg, const char *user_path)
{
	ssize_t len;

	arg->large = kmalloc(PATH_MAX);
	if (!arg->large)
		return -ENOMEM;
	len = arg_read_string(arg->large, user_path, PATH_MAX);
	if (len < 0) {
		kfree(arg->large);
		return (int)len;
	}
	arg->path = arg->large;
	return 0;
}

int path_arg_get(struct path_arg *arg, const char *user_path)
{
	ssize_t len = arg_read_string(arg->small, user_path, sizeof(arg->small));

	arg->path = arg->small;
	arg->large = NULL;
	if (likely(len >= 0))
		return 0;
	return len == -ENAMETOOLONG ? get_large(arg, user_path) : (int)len;
}

void path_arg_put_large(struct path_arg *arg)
{
	kfree(arg->large);
}

int at_arg_get_fd(struct at_arg *at, int dfd)
{
	struct fd_ref ref = fd_borrow((unsigned)dfd);

	if (!ref.file)
		return -EBADF;
	if (!ref.file->dentry) {
		fd_ref_put(ref);
		return -ENOTDIR;
	}
	at->ref = ref;
	at->dentry = ref.file->dentry;
	return 0;
}

/* An empty path: what DFD itself is. */
static int walk_fd(int dfd, struct walk *walk)
{
	struct fd_ref ref;

	if (dfd == AT_FDCWD)
		return path_walk(&process_current()->fs, NULL, "", WALK_EMPTY, walk);
	*walk = (struct walk){ 0 };
	ref = fd_borrow((unsigned)dfd);
	if (!ref.file)
		return -EBADF;
	walk->dentry = ref.file->dentry;
	if (walk->dentry) {
		dentry_get(walk->dentry);
	} else {
		walk->file = ref.file;
		file_get(walk->file);
	}
	fd_ref_put(ref);
	return 0;
}

int user_walk(int dfd, const char *user_path, unsigned walk_flags, struct walk *walk)
{
	struct path_arg arg;
	struct at_arg at;
	int error = path_arg_get(&arg, user_path);

	if (unlikely(error))
		return error;
	if (unlikely(!*arg.path) && walk_flags & WALK_EMPTY) {
		path_arg_put(&arg);
		return walk_fd(dfd, walk);
	}
	error = at_arg_get(&at, dfd, arg.path);
	if (likely(!error)) {
		error = path_walk(&process_current()->fs, at.dentry, arg.path, walk_flags, walk);
		at_arg_put(&at);
	}
	path_arg_put(&arg);
	return error;
}
