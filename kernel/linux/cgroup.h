/* /sys/fs/cgroup (Linux Documentation/admin-guide/cgroup-v2.rst): the one control group, which has no limits. */
#ifndef KERNEL_LINUX_CGROUP_H
#define KERNEL_LINUX_CGROUP_H

#include "kernel/fs/pseudo.h"

int cgroup_create(struct file_system **out);

#endif
