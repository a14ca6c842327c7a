/*
 * A vnode is a file of a file system, whatever names it has: regular file, directory, symbolic link, device, pipe,
 * socket. A file system embeds struct vnode in its own node and serves it by struct vnode_ops. Names are the
 * dentries' matter (path.h), permissions are checked above the ops (path.c), so a file system does neither.
 */
#ifndef KERNEL_FILE_VNODE_H
#define KERNEL_FILE_VNODE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/core/wait.h"
#include "kernel/file/file.h"
#include "kernel/mem/vm_object.h"

struct vnode;
struct file_system;
struct fs_stat;

struct file_time {
	int64_t sec; /* since 1970-01-01 UTC */
	uint32_t nsec;
};

/* What stat(2) tells; also what setattr changes. */
struct vnode_attr {
	uint32_t mode; /* S_IFMT | permissions */
	uint32_t nlink, uid, gid;
	uint64_t rdev; /* Linux's 64-bit encoding: makedev(3) */
	uint64_t ino, dev;
	uint64_t size, blocks; /* blocks: of 512 bytes */
	uint32_t block_size;
	struct file_time atime, mtime, ctime, btime;
};

enum { ATTR_MODE = 1, ATTR_UID = 2, ATTR_GID = 4, ATTR_SIZE = 8, ATTR_ATIME = 16, ATTR_MTIME = 32, ATTR_CTIME = 64 };

/* What a name is made for. */
struct vnode_new {
	uint32_t mode; /* S_IFMT | permissions, umask applied */
	uint32_t uid, gid;
	uint64_t rdev;
	const char *target; /* of a symbolic link */
};

/*
 * Takes one entry of a directory; false: no room for it, stop. TYPE: S_IFMT >> 12, as DT_*. NEXT: position behind it.
 */
struct dir_sink {
	bool (*entry)(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type, uint64_t next);
};

enum rename_flags { RENAME_NOREPLACE_FLAG = 1, RENAME_EXCHANGE_FLAG = 2 };

/*
 * Names have LEN bytes, no terminator, no slash, are neither "." nor "..", at most 255 bytes. The directory's lock
 * (dir->lock) is held by all calls that have a directory, those of both directories by rename (in a fixed order), so
 * a name does not change meanwhile. NULL: -EROFS for those that change, -ENOTDIR for lookup, -EINVAL for readlink.
 * New vnodes come with a reference for the caller. All may sleep.
 */
struct vnode_ops {
	int (*lookup)(struct vnode *dir, const char *name, size_t len, struct vnode **out); /* -ENOENT */
	int (*create)(struct vnode *dir, const char *name, size_t len, const struct vnode_new *what,
		      struct vnode **out);
	/* A file without a name (O_TMPFILE); link may give it one. */
	int (*create_unnamed)(struct vnode *dir, const struct vnode_new *what, struct vnode **out);
	int (*link)(struct vnode *dir, const char *name, size_t len, struct vnode *vnode);
	/* VICTIM is what NAME is now; a directory: -ENOTEMPTY when it has entries. */
	int (*unlink)(struct vnode *dir, const char *name, size_t len, struct vnode *victim);
	/* SOURCE is what FROM_NAME is, VICTIM what TO_NAME is (NULL: nothing). Types and loops were checked. */
	int (*rename)(struct vnode *from, const char *from_name, size_t from_len, struct vnode *source,
		      struct vnode *to, const char *to_name, size_t to_len, struct vnode *victim, unsigned flags);
	/* From *POS on (0: the beginning; "." and ".." are the caller's); advances it. 0, also at the end. */
	int (*readdir)(struct vnode *dir, uint64_t *pos, struct dir_sink *sink);
	/* Length, cut to SIZE; no terminator. */
	ssize_t (*readlink)(struct vnode *vnode, char *buf, size_t size);
	/*
	 * A magic link (/proc/PID/exe, fd/N): *DENTRY where it leads, with a reference; or *FILE, an open file that
	 * open(2) of the link shares a vnode with. 0, -ENOENT, -EACCES. NULL: an ordinary link.
	 */
	int (*follow)(struct vnode *vnode, struct dentry **dentry, struct file **file);
	/*
	 * open(2) of a vnode that is not a plain regular file or directory: makes the file (device, fifo, pseudo file).
	 * FLAGS: O_*. NULL: a file with the vnode's own read and write.
	 */
	int (*open)(struct vnode *vnode, unsigned flags, struct file **out);
	/* Contents of a regular file. POS and the end of write are below INT64_MAX. vnode->lock held by write. */
	ssize_t (*read)(struct vnode *vnode, struct uio *uio, int64_t pos);
	ssize_t (*write)(struct vnode *vnode, struct uio *uio, int64_t pos);
	/* Fills what differs from the fields of struct vnode, which the caller has copied. May be NULL. */
	int (*getattr)(struct vnode *vnode, struct vnode_attr *attr);
	/* Changes what MASK names, in the vnode's fields too; ATTR_SIZE truncates or extends. vnode->lock held. */
	int (*setattr)(struct vnode *vnode, const struct vnode_attr *attr, unsigned mask);
	/*
	 * fallocate(2), MODE as there; vnode->lock held. SEEK_DATA and SEEK_HOLE: the next such offset, -ENXIO. NULL:
	 * all data.
	 */
	int (*allocate)(struct vnode *vnode, int mode, int64_t off, int64_t len);
	int64_t (*seek_data)(struct vnode *vnode, int64_t off, bool hole);
	/*
	 * xattr(7). NAME with its prefix. get: the length, or with SIZE > 0 the value (-ERANGE, -ENODATA). set: VALUE
	 * NULL removes; FLAGS XATTR_CREATE 1, XATTR_REPLACE 2. list: names with their terminators. NULL: -EOPNOTSUPP.
	 */
	ssize_t (*xattr_get)(struct vnode *vnode, const char *name, void *value, size_t size);
	int (*xattr_set)(struct vnode *vnode, const char *name, const void *value, size_t size, int flags);
	ssize_t (*xattr_list)(struct vnode *vnode, char *list, size_t size);
	int (*sync)(struct vnode *vnode);
	/* The last reference is gone. Frees it, and its contents when nlink is 0. */
	void (*release)(struct vnode *vnode);
};

struct vnode {
	const struct vnode_ops *ops;
	struct file_system *fs;
	uint32_t refs; /* atomic */
	uint32_t mode, nlink, uid, gid;
	uint64_t rdev, ino;
	uint64_t size, blocks; /* size: read without the lock; changes under it */
	struct file_time atime, mtime, ctime, btime;
	struct mutex lock;	 /* covers contents and attributes */
	struct vm_object object; /* ops NULL: cannot be mapped */
	struct list locks;	 /* flock(2), fcntl(2) locks: file/lock.c, under its own lock; all zero: never used */
	struct list watches;	 /* inotify(7): file/inotify.c, likewise */
	void *special;		 /* what a fifo or socket of this name shares; file/fifo.c, net/ */
	struct dentry *dentry;	 /* one of its names in the cache, without a reference; under dentry_lock. NULL: none */
	uint32_t seals;		 /* F_SEAL_* of fcntl(2), under lock; F_SEAL_SEAL unless the file may be sealed */
	bool write_mapped;	 /* a shared mapping was made that may write; never false again */
	bool linkable;		 /* has no name yet but may be given one: O_TMPFILE without O_EXCL */
	bool uncached;		 /* a directory whose names come and go by themselves: no dentry of it is kept */
};

/* A mounted file system. */
struct file_system {
	const char *type; /* as in /proc/mounts: "erofs", "tmpfs", "proc" */
	uint64_t dev;
	struct vnode *root;
	bool read_only;
	unsigned mount_flags; /* MS_* of mount(2), set by path_mount */
	/* statfs(2): fills what it knows; all zero on entry. */
	void (*stat)(struct file_system *fs, struct fs_stat *out);
	/* After the last reference to the root is gone. */
	void (*release)(struct file_system *fs);
};

struct fs_stat {
	uint64_t magic, block_size, blocks, blocks_free, files, files_free;
};

/* Fields all zero on entry; one reference. */
void vnode_init(struct vnode *vnode, const struct vnode_ops *ops, struct file_system *fs, uint32_t mode, uint64_t ino);
static inline void vnode_get(struct vnode *vnode)
{
	__atomic_fetch_add(&vnode->refs, 1, __ATOMIC_RELAXED);
}
void vnode_put_last(struct vnode *vnode);
static inline void vnode_put(struct vnode *vnode) /* threads only: may be the last reference */
{
	if (__atomic_fetch_sub(&vnode->refs, 1, __ATOMIC_ACQ_REL) == 1)
		vnode_put_last(vnode);
}
/* What stat(2) tells of VNODE. 0, or what the file system's getattr says. */
int vnode_getattr(struct vnode *vnode, struct vnode_attr *attr);
/* For vm_object_ops.describe: a path of VNODE if one is known, else "". */
void vnode_describe(struct vnode *vnode, char *path, size_t size, uint64_t *dev, uint64_t *ino);
/* Now, for time stamps. */
struct file_time file_time_now(void);
/* A number for struct file_system.dev that no other has. */
uint64_t file_system_dev(void);

#endif
