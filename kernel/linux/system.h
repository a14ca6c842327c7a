/* What the system says of itself: uname(2), also in /proc/sys/kernel. */
#ifndef KERNEL_LINUX_SYSTEM_H
#define KERNEL_LINUX_SYSTEM_H

struct linux_utsname;

void system_name_get(struct linux_utsname *out);

#endif
