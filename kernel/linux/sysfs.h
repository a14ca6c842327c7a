/* /sys (sysfs(5)): CPUs and their caches, the memory node, huge pages; empty places for the devices that there are none of. */
#ifndef KERNEL_LINUX_SYSFS_H
#define KERNEL_LINUX_SYSFS_H

#include "kernel/fs/pseudo.h"

int sysfs_create(struct file_system **out);

/* devices/system/cpu: sysfs_cpu.c. */
extern const struct pseudo_entry sysfs_cpu_entries[];
extern const struct pseudo_ops sysfs_cpu_ops;

#endif
