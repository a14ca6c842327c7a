/* What the CPU says of itself, for /proc/cpuinfo and /sys: x86_64/cpu_features.c. */
#ifndef KERNEL_LINUX_CPU_FEATURES_H
#define KERNEL_LINUX_CPU_FEATURES_H

#include <stdint.h>

#include "kernel/fs/pseudo.h"

/* The lines of /proc/cpuinfo for CPU, and the empty one after them. Every CPU is taken to be like the one that runs this. */
void cpu_features_append(struct pseudo_text *out, unsigned cpu);

struct cpu_cache {
	unsigned level, type; /* type: 1 data, 2 instructions, 3 unified */
	unsigned line, partitions, ways, sets;
	unsigned shared_by; /* logical CPUs, at most */
};
/* The cache number INDEX. False: there are not so many. */
bool cpu_cache_get(unsigned index, struct cpu_cache *out);

#endif
