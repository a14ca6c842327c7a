/* /dev: the devices that are part of the kernel, by name, and what drivers add. */
#ifndef KERNEL_FS_DEVFS_H
#define KERNEL_FS_DEVFS_H

#include "kernel/fs/pseudo.h"

/* Read-only: linux/mounts.c mounts it below a tmpfs. Whoever adds a device later does it with pseudo_add. 0, -ENOMEM. */
int devfs_create(struct file_system **out);
/* What stat(2) says of /dev/console, for a file of it that nobody looked up: no name has to be walked for that. */
void devfs_console_attr(struct vnode_attr *attr);

#endif
