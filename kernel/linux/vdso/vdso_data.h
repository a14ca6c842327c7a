/*
 * The page that stands before the vDSO's code, [vvar] in /proc/PID/maps: all that the code there knows. The kernel writes it
 * through an address of its own (linux/vdso.c), the application can only read it. vdso.ld says where it is.
 */
#ifndef KERNEL_LINUX_VDSO_VDSO_DATA_H
#define KERNEL_LINUX_VDSO_VDSO_DATA_H

#include "kernel/core/clock_publish.h"

struct vdso_data {
	struct clock_publish clock;
	uint32_t has_cpu_nr; /* RDTSCP tells the number of the CPU that it runs on: arch_app_has_cpu_nr */
};

#define VDSO_PAGE_SIZE 4096

#endif
