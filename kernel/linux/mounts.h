/* The file systems that every program finds: /dev, /dev/shm, /proc, /sys, /sys/fs/cgroup; /tmp if "/" is read-only. */
#ifndef KERNEL_LINUX_MOUNTS_H
#define KERNEL_LINUX_MOUNTS_H

struct dentry;

/*
 * At boot, with "/" mounted as ROOT; CMDLINE, which stays, is what /proc/cmdline shows. Registers devices, and mounts that
 * cost nothing before somebody looks for them.
 */
void linux_mounts_init(struct dentry *root, const char *cmdline);

#endif
