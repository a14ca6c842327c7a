/*
 * Names. A dentry is one name in one directory and what it stands for; dentries that were looked up stay in a cache,
 * those that do not exist (negative ones) too. A mount hides what is below a dentry behind another file system's
 * root. Since no mount is ever shown in two places, a dentry alone says where something is.
 *
 * path_walk takes no lock but the cache's own while all names are cached.
 */
#ifndef KERNEL_FILE_PATH_H
#define KERNEL_FILE_PATH_H

#include "kernel/file/cred.h"
#include "kernel/file/vnode.h"

#define PATH_LEN_MAX 4096 /* with the terminator: Linux's PATH_MAX */
#define NAME_LEN_MAX 255
#define SYMLINK_MAX 40

struct dentry; /* dentry.h */

void dentry_get(struct dentry *dentry);
void dentry_put(struct dentry *dentry);
struct vnode *dentry_vnode(const struct dentry *dentry); /* the caller's reference to DENTRY keeps it; NULL: negative */
struct dentry *dentry_parent(struct dentry *dentry);	 /* with a reference; across mounts; of the root: itself */

bool dentry_is_deleted(const struct dentry *dentry); /* its name was taken away */
/* DENTRY becomes the working directory or the root of CONTEXT; its reference goes over. */
void path_cwd_set(struct fs_context *context, struct dentry *dentry);
void path_root_set(struct fs_context *context, struct dentry *dentry);

/* The first mount: FS becomes what "/" is. FS's root reference goes over. */
int path_mount_root(struct file_system *fs, struct dentry **root);
/*
 * Mounts FS on DENTRY, a directory; FS's root reference goes over if it succeeds. 0, -ENOTDIR, -EBUSY, -ENOENT,
 * -ENOMEM.
 */
int path_mount(struct dentry *dentry, struct file_system *fs, const char *source, unsigned flags);
/*
 * A file system that is mounted when somebody first looks NAME up in the root directory of another one (or lists
 * that, or asks for all mounts): until then it costs nothing. A directory that is missing is made.
 */
struct lazy_mount {
	struct lazy_mount *next;
	const char *name, *source;
	unsigned flags; /* MS_* */
	int (*create)(struct file_system **out);
	void (*mounted)(struct dentry *root); /* done: ROOT is the new one. May be NULL */
};
/*
 * DIR: the root of a mounted file system, in which none of the names was looked up yet. LAZY: linked by next; static.
 */
void path_mount_lazy(struct dentry *dir, struct lazy_mount *lazy);
/*
 * DENTRY: the root of a mounted file system. 0; -EINVAL: it is not, or that of "/"; -EBUSY: in use (MNT_DETACH of
 * umount2(2): all the same).
 */
int path_unmount(struct dentry *dentry, unsigned flags);
/* New MS_* flags of the mount whose root DENTRY is (MS_REMOUNT). 0, -EINVAL. */
int path_remount(struct dentry *dentry, unsigned flags);
/* Calls fn for each mount in the order in which they were made (/proc/mounts). */
void path_for_each_mount(void (*fn)(struct dentry *at, struct file_system *fs, const char *source, unsigned flags,
				    void *arg),
			 void *arg);

enum walk_flags {
	WALK_FOLLOW = 1,    /* a symbolic link at the end too */
	WALK_DIRECTORY = 2, /* -ENOTDIR if it is not one */
	WALK_PARENT =
		4, /* stops before the last name: struct walk.last, .last_len; "/" and names ending in . or .. : see there */
	WALK_NO_MAGIC = 8,
	WALK_BENEATH = 16, /* openat2(2): RESOLVE_BENEATH */
	WALK_IN_ROOT = 32,
	WALK_NO_XDEV = 64,
	WALK_NO_SYMLINKS = 128,
	WALK_EMPTY = 256,   /* an empty path is AT itself (AT_EMPTY_PATH) */
	WALK_CREATE = 1024, /* -EISDIR for a slash at the end: O_CREAT */
	WALK_CACHED = 512,  /* RESOLVE_CACHED: -EAGAIN rather than ask a file system */
};

struct walk {
	struct dentry *dentry; /* where it ended, with a reference; WALK_PARENT: the directory */
	const char *last;      /* WALK_PARENT: the last name, inside the path given */
	size_t last_len;
	bool last_is_dot; /* WALK_PARENT: the path has no last name of its own (ends in "." or "..", or is "/") */
	bool trailing_slash;
	struct file *
		file; /* a magic link at the end led to an open file without a name: a reference; DENTRY is NULL then */
};

/*
 * Walks PATH (kernel memory, NUL-terminated) from AT (NULL: the working directory) with the rights of CONTEXT. 0;
 * -ENOENT (also for an empty path), -ENOTDIR, -EACCES, -ELOOP, -ENAMETOOLONG, ... A negative end is -ENOENT unless
 * WALK_PARENT.
 */
int path_walk(struct fs_context *context, struct dentry *at, const char *path, unsigned flags, struct walk *walk);
void walk_done(struct walk *walk);

/* open(2): FLAGS O_*, MODE without umask applied. *OUT with one reference. */
int path_open(struct fs_context *context, struct dentry *at, const char *path, unsigned flags, uint32_t mode,
	      struct file **out);
/* The same with flags of path_walk as well (openat2(2)). */
int path_open_walk(struct fs_context *context, struct dentry *at, const char *path, unsigned flags, uint32_t mode,
		   unsigned walk_flags, struct file **out);
/* Makes a file of VNODE; DENTRY NULL: it has no name (memfd_create). References of the file's own are taken to both. */
int vnode_open(struct vnode *vnode, struct dentry *dentry, unsigned flags, struct file **out);

/*
 * A file in memory without a directory (memfd_create(2)), open for reading and writing; NAME: what path_of shows. 0,
 * -ENOMEM.
 */
int path_open_anonymous(struct vnode *vnode, const char *name, struct file **out);

/*
 * The absolute path of DENTRY as seen from ROOT, NUL-terminated at the end of BUF: where it begins, NULL when it does
 * not fit. " (deleted)" follows the name of what was unlinked; *REACHABLE false: not below ROOT.
 */
char *path_of(struct dentry *root, struct dentry *dentry, char *buf, size_t size, bool *reachable);

enum access_mode { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };
/* 0, -EACCES, -EROFS. */
int vnode_access(const struct vnode *vnode, const struct cred *cred, unsigned access);

#endif
