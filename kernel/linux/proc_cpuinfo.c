/* /proc/cpuinfo. */
#include "kernel/core/cpu.h"
#include "kernel/linux/cpu_features.h"
#include "kernel/linux/proc.h"

int proc_cpuinfo(struct pseudo_text *out, uint64_t key)
{
	(void)key;
	for (unsigned i = 0; i < nr_cpus; i++)
		if (READ_ONCE(cpus[i].online))
			cpu_features_append(out, i);
	return 0;
}
