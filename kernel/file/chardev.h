/* Character devices by number: who opens what mknod(2) made. */
#ifndef KERNEL_FILE_CHARDEV_H
#define KERNEL_FILE_CHARDEV_H

#include "kernel/file/vnode.h"

/* Constant or static; stays. */
struct chardev {
	struct chardev *next; /* chardev.c's */
	unsigned major, minor, nr_minors;
	/* As vnode_ops.open: VNODE->rdev tells the number. */
	int (*open)(struct vnode *vnode, unsigned flags, struct file **out);
};

void chardev_register(struct chardev *chardev);
/* -ENXIO: no such device. */
int chardev_open(struct vnode *vnode, unsigned flags, struct file **out);

#endif
