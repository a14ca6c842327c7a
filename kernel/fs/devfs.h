/* /dev: the devices that are part of the kernel, by name, and what drivers add. */
#ifndef KERNEL_FS_DEVFS_H
#define KERNEL_FS_DEVFS_H

#include "kernel/fs/pseudo.h"

/* As linux/mounts.c mounts it. Whoever adds a device later does it with pseudo_add. 0, -ENOMEM. */
int devfs_create(struct file_system **out);

#endif
