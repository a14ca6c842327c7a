/* Named pipes: fifo(7). */
#ifndef KERNEL_FILE_FIFO_H
#define KERNEL_FILE_FIFO_H

#include "kernel/file/vnode.h"

/* The file for an open(2) of the fifo VNODE; blocks as fifo(7) says. */
int fifo_open(struct vnode *vnode, unsigned flags, struct file **out);

#endif
