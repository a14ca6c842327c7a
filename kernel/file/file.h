/*
 * An open file: what a descriptor refers to (an "open file description", open(2)). Everything that can be read, written,
 * waited for: vnodes, pipes, sockets, eventfds, epoll instances. Embedded in what needs more.
 */
#ifndef KERNEL_FILE_FILE_H
#define KERNEL_FILE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/core/wait.h"
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

struct file {
	const struct file_ops *ops;
	uint32_t refs;		    /* atomic */
	unsigned flags;		    /* O_ACCMODE, O_APPEND, O_NONBLOCK, O_DIRECT, O_PATH, ... (atomic; fcntl F_SETFL) */
	struct poll_source *source; /* NULL: never changes readiness (regular files; epoll_ctl: -EPERM) */
	struct dentry *dentry;	    /* where it was opened, with a reference; NULL: not from a path */
	struct vnode *vnode;	    /* with a reference; NULL: has none */
	int64_t pos;
	struct mutex pos_lock; /* covers pos, for files with ops->seek (read(2), POSIX 2.9.7) */
	const char *name;      /* for /proc/PID/fd when there is no dentry: "pipe:", "anon_inode:[eventpoll]" */
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

/*
 * What the system calls do. They check that FILE is open for it (-EBADF), and move file->pos. POS not NULL: there instead
 * (pread), -ESPIPE when FILE has no position, and file->pos stays.
 */
ssize_t file_read(struct file *file, struct uio *uio, int64_t *pos);
ssize_t file_write(struct file *file, struct uio *uio, int64_t *pos);
/* Kernel buffers: for exec and the like. Bytes, fewer at the end of the file. */
ssize_t file_read_at(struct file *file, void *buf, size_t len, int64_t pos);

#endif
