/*
 * An open file: what a descriptor refers to (an "open file description", open(2)). Everything that can be read, written,
 * waited for: vnodes, pipes, sockets, eventfds, epoll instances. Embedded in what needs more.
 */
#ifndef KERNEL_FILE_FILE_H
#define KERNEL_FILE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/core/wait.h"
#include "kernel/file/abi.h"
#include "kernel/file/poll.h"
#include "kernel/mem/uio.h"
#include "kernel/mem/vm_object.h"

struct dentry;
struct file;
struct vnode;
struct vnode_attr;

/*
 * Calls that return counts or 0, or a negative errno. NULL: the error that Linux gives for a file that cannot do it.
 * Blocking calls look at file->flags & O_NONBLOCK (-EAGAIN), and give up with -ERESTARTSYS when the thread is interrupted
 * (wait_event_interruptible).
 */
struct file_ops {
	/* From *POS on, which it advances; POS is NULL for files without a position. Bytes, 0 at the end. */
	ssize_t (*read)(struct file *file, struct uio *uio, int64_t *pos);
	ssize_t (*write)(struct file *file, struct uio *uio, int64_t *pos);
	/* New position; NULL: -ESPIPE. */
	int64_t (*seek)(struct file *file, int64_t off, int whence);
	/* Which of enum poll_events are there now. NULL: always readable and writable. Any context that may take its locks. */
	unsigned (*poll)(struct file *file);
	/* ARG as ioctl(2) has it. -ENOTTY: no such request. */
	long (*ioctl)(struct file *file, unsigned request, unsigned long arg);
	/* What mmap shows. NULL: -ENODEV. */
	struct vm_object *(*mmap_object)(struct file *file, unsigned prot, unsigned vm_flags, int *error);
	int (*getattr)(struct file *file, struct vnode_attr *attr); /* NULL: of file->vnode */
	/* A descriptor of it is closed (each one; for locks), before its reference goes. May be NULL. */
	void (*flush)(struct file *file, const void *owner);
	/* The last reference is gone: frees what embeds FILE. Threads only, may sleep. */
	void (*release)(struct file *file);
};

/*
 * What hangs on a file without a reference, and has to let go before the file goes: epoll items. On file->ties under
 * file->source->lock. The thread that gives the last reference back calls hold, under that lock, which returns the object that
 * the tie is of with a reference to it, then cut, which unties all that the object has of the file.
 */
struct file_tie {
	struct list link;
	void *(*hold)(struct file_tie *tie);
	void (*cut)(void *owner, struct file *file);
};

struct file {
	const struct file_ops *ops;
	uint32_t refs;		    /* atomic */
	unsigned flags;		    /* O_ACCMODE, O_APPEND, O_NONBLOCK, O_DIRECT, O_PATH, ... (atomic; fcntl F_SETFL) */
	struct poll_source *source; /* NULL: never changes readiness (regular files; epoll_ctl: -EPERM) */
	struct dentry *dentry;	    /* where it was opened, with a reference; NULL: not from a path */
	struct vnode *vnode;	    /* with a reference; NULL: has none */
	int64_t pos;
	/*
	 * Covers pos, for files with ops->seek (read(2), POSIX 2.9.7). Whoever holds the only reference needs no lock: nobody
	 * else can get at the file. Taken before the locks of what the file shows.
	 */
	struct mutex pos_lock;
	struct list ties;  /* struct file_tie.link; all zero: there never was one */
	bool keeps_setgid; /* opened by uid 0 or a member of the file's group: see vnode_drop_privilege_bits */
	bool keeps_setuid; /* opened by uid 0: a write leaves set-user-id as it is (CAP_FSETID) */
	const char *name;  /* for /proc/PID/fd when there is no dentry: "pipe:", "anon_inode:[eventpoll]" */
};

/* All zero on entry; one reference. */
void file_init(struct file *file, const struct file_ops *ops, unsigned flags);
static inline void file_get(struct file *file)
{
	__atomic_fetch_add(&file->refs, 1, __ATOMIC_RELAXED);
}
void file_put_last(struct file *file);
/* Threads only: may be the last reference. */
static inline void file_put(struct file *file)
{
	if (__atomic_fetch_sub(&file->refs, 1, __ATOMIC_ACQ_REL) == 1)
		file_put_last(file);
}

/* A descriptor of OWNER's (a table of descriptors) is gone: its locks and its reference go too (close(2)). Threads only. */
void file_close(struct file *file, const void *owner);

/* The events that are there now. Threads, or what may take the locks of FILE's ops->poll. */
static inline unsigned file_poll(struct file *file)
{
	return likely(file->ops->poll) ? file->ops->poll(file) : EV_IN | EV_OUT | EV_RDNORM | EV_WRNORM;
}

/* Which of reading and writing open(2) asked for; O_PATH: neither. */
static inline bool file_is_readable(const struct file *file)
{
	return !(file->flags & (O_PATH | O_WRONLY));
}
static inline bool file_is_writable(const struct file *file)
{
	return (file->flags + 1) & O_RDWR && !(file->flags & O_PATH);
}

/*
 * What the system calls do. They check that FILE is open for it (-EBADF), and move file->pos. POS not NULL: there instead
 * (pread), -ESPIPE when FILE has no position, and file->pos stays.
 */
ssize_t file_read(struct file *file, struct uio *uio, int64_t *pos);
ssize_t file_write(struct file *file, struct uio *uio, int64_t *pos);
/* Kernel buffers: for exec and the like. Bytes, fewer at the end of the file. */
ssize_t file_read_at(struct file *file, void *buf, size_t len, int64_t pos);
/* lseek(2): the new position, -ESPIPE, -EINVAL, -ENXIO, -EOVERFLOW. */
int64_t file_seek(struct file *file, int64_t off, int whence);
/* file_ops.getattr of files that are no file system's: MODE with its S_IFMT. */
int file_getattr_anonymous(struct vnode_attr *attr, uint32_t mode);
/* Sets those of FLAGS that are in MASK, atomically. */
void file_flags_set(struct file *file, unsigned flags, unsigned mask);

#endif
