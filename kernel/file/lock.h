/*
 * Advisory locks of files: flock(2), the record locks of fcntl(2) (POSIX ones and open file description locks).
 *
 * An owner is an address that stands for who holds a lock: the table of descriptors for POSIX locks, the open file
 * for the two other kinds. POSIX and OFD locks conflict with each other, flock's only with its own kind.
 */
#ifndef KERNEL_FILE_LOCK_H
#define KERNEL_FILE_LOCK_H

#include "kernel/file/vnode.h"

enum lock_kind { LOCK_KIND_POSIX, LOCK_KIND_OFD, LOCK_KIND_FLOCK };

/* START and END (inclusive, INT64_MAX: to the end of the file, however long) in bytes; TYPE F_RDLCK, F_WRLCK, F_UNLCK. */
struct lock_range {
	enum lock_kind kind;
	int type;
	int64_t start, end;
	const void *owner;
	int pid; /* that F_GETLK tells; -1 for OFD locks */
};

/*
 * Sets or removes a lock. WAIT: sleeps until it can be had. 0; -EAGAIN: somebody else's is in the way, -EDEADLK
 * (POSIX locks: to wait would never end), -ENOMEM, -ERESTARTSYS. Threads only.
 */
int lock_set(struct vnode *vnode, const struct lock_range *range, bool wait);
/* Makes *RANGE what is in the way of it, or its type F_UNLCK when nothing is. */
void lock_test(struct vnode *vnode, struct lock_range *range);
void locks_drop(struct vnode *vnode, const void *owner);
/* Drops what OWNER holds. */
static inline void locks_owner_gone(struct vnode *vnode, const void *owner)
{
	if (unlikely(__atomic_load_n(&vnode->locks.next, __ATOMIC_RELAXED)))
		locks_drop(vnode, owner);
}

#endif
