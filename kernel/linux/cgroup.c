/* The files of a container's control group: what is used is true, what is allowed is everything that there is. */
#include "kernel/linux/cgroup.h"

#include "kernel/file/abi.h"
#include "kernel/linux/proc.h"
#include "kernel/linux/task.h"
#include "lib/errno.h"

#define FIXED(file, permissions, value) PSEUDO_FIXED(file, permissions, value "\n")
#define MADE(file, permissions, fn) PSEUDO_MADE(file, permissions, fn)

static int procs(struct pseudo_text *out, uint64_t key)
{
	const struct process *process = process_find(0);

	(void)key;
	if (process)
		pseudo_printf(out, "%d\n", process->pid);
	return 0;
}

static int pids_current(struct pseudo_text *out, uint64_t key)
{
	const struct process *process = process_find(0);

	(void)key;
	pseudo_printf(out, "%u\n", process ? process->nr_tasks : 0);
	return 0;
}

static uint64_t resident(void)
{
	const struct process *process = process_find(0);

	return process ? process->vm->nr_resident * PAGE_SIZE : 0;
}

static int memory_current(struct pseudo_text *out, uint64_t key)
{
	(void)key;
	pseudo_printf(out, "%lu\n", resident());
	return 0;
}

static int memory_peak(struct pseudo_text *out, uint64_t key)
{
	const struct process *process = process_find(0);

	(void)key;
	pseudo_printf(out, "%lu\n", process ? MAX(process->vm->nr_peak, process->vm->nr_resident) * PAGE_SIZE : 0);
	return 0;
}

static int memory_stat(struct pseudo_text *out, uint64_t key)
{
	(void)key;
	pseudo_printf(out, "anon %lu\nfile 0\nkernel 0\nkernel_stack 0\npagetables 0\nsock 0\nshmem 0\nfile_mapped 0\n",
		      resident());
	pseudo_printf(out, "file_dirty 0\nfile_writeback 0\ninactive_anon 0\nactive_anon %lu\ninactive_file 0\n",
		      resident());
	pseudo_puts(out, "active_file 0\nunevictable 0\nslab_reclaimable 0\nslab_unreclaimable 0\nslab 0\n");
	return 0;
}

static int cpu_stat(struct pseudo_text *out, uint64_t key)
{
	struct process *process = process_find(0);
	struct proc_times times = { 0 };

	(void)key;
	if (process)
		proc_times(process, &times);
	pseudo_printf(out,
		      "usage_usec %lu\nuser_usec %lu\nsystem_usec 0\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n",
		      times.ns / 1000, times.ns / 1000);
	return 0;
}

static const struct pseudo_entry entries[] = {
	FIXED("cgroup.controllers", 0444, "cpuset cpu memory pids"),
	FIXED("cgroup.events", 0444, "populated 1\nfrozen 0"),
	FIXED("cgroup.freeze", 0644, "0"),
	FIXED("cgroup.max.depth", 0644, "max"),
	FIXED("cgroup.max.descendants", 0644, "max"),
	MADE("cgroup.procs", 0644, procs),
	FIXED("cgroup.stat", 0444, "nr_descendants 0\nnr_dying_descendants 0"),
	{ .name = "cgroup.subtree_control", .mode = S_IFREG | 0644, .content = "\n" },
	MADE("cgroup.threads", 0644, procs),
	FIXED("cgroup.type", 0644, "domain"),
	FIXED("cpu.max", 0644, "max 100000"),
	FIXED("cpu.max.burst", 0644, "0"),
	MADE("cpu.stat", 0444, cpu_stat),
	FIXED("cpu.weight", 0644, "100"),
	FIXED("cpu.weight.nice", 0644, "0"),
	{ .name = "cpuset.cpus", .mode = S_IFREG | 0644, .content = "\n" },
	MADE("cpuset.cpus.effective", 0444, proc_cpus_online_text),
	{ .name = "cpuset.mems", .mode = S_IFREG | 0644, .content = "\n" },
	FIXED("cpuset.mems.effective", 0444, "0"),
	MADE("memory.current", 0444, memory_current),
	FIXED("memory.events", 0444, "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0"),
	FIXED("memory.high", 0644, "max"),
	FIXED("memory.low", 0644, "0"),
	FIXED("memory.max", 0644, "max"),
	FIXED("memory.min", 0644, "0"),
	FIXED("memory.oom.group", 0644, "0"),
	MADE("memory.peak", 0444, memory_peak),
	MADE("memory.stat", 0444, memory_stat),
	FIXED("memory.swap.current", 0444, "0"),
	FIXED("memory.swap.max", 0644, "max"),
	MADE("pids.current", 0444, pids_current),
	FIXED("pids.max", 0644, "max"),
	{ 0 },
};

static const struct pseudo_entry root = { .name = "cgroup", .mode = S_IFDIR | 0755, .children = entries };

int cgroup_create(struct file_system **out)
{
	return pseudo_create("cgroup2", CGROUP2_SUPER_MAGIC, &root, out);
}
