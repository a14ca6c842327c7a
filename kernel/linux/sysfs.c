/* The tree of /sys. */
#include "kernel/linux/sysfs.h"

#include "kernel/core/cpu.h"
#include "kernel/file/abi.h"
#include "kernel/linux/proc.h"
#include "kernel/mem/page.h"

#define DIRECTORY (S_IFDIR | 0755)
#define READ (S_IFREG | 0444)
#define FIXED(file, value) PSEUDO_FIXED(file, 0444, value "\n")
#define EMPTY(file)                                                                                                    \
	{                                                                                                              \
		.name = (file), .mode = DIRECTORY                                                                      \
	}
#define MADE(file, fn) PSEUDO_MADE(file, 0444, fn)

/* ---- devices/system/node ------------------------------------------------------------------------------------------- */

static int node_cpumap(struct pseudo_text *out, uint64_t key)
{
	uint64_t mask[CPU_MAX / 64];

	(void)key;
	proc_cpus_online(mask);
	proc_cpu_mask(out, mask);
	pseudo_puts(out, "\n");
	return 0;
}

static int node_meminfo(struct pseudo_text *out, uint64_t key)
{
	const uint64_t kib = PAGE_SIZE / 1024;
	struct page_stats stats;

	(void)key;
	page_stats(&stats);
	pseudo_printf(
		out, "Node 0 MemTotal:       %8lu kB\nNode 0 MemFree:        %8lu kB\nNode 0 MemUsed:        %8lu kB\n",
		stats.total * kib, stats.free * kib, (stats.total - stats.free) * kib);
	pseudo_puts(out,
		    "Node 0 HugePages_Total:     0\nNode 0 HugePages_Free:      0\nNode 0 HugePages_Surp:      0\n");
	return 0;
}

static const struct pseudo_entry node0_entries[] = {
	MADE("cpulist", proc_cpus_online_text),
	MADE("cpumap", node_cpumap),
	FIXED("distance", "10"),
	MADE("meminfo", node_meminfo),
	{ .name = "numastat",
	  .mode = READ,
	  .content = "numa_hit 0\nnuma_miss 0\nnuma_foreign 0\ninterleave_hit 0\nlocal_node 0\nother_node 0\n" },
	{ 0 },
};

static const struct pseudo_entry node_entries[] = {
	FIXED("has_cpu", "0"),
	FIXED("has_memory", "0"),
	FIXED("has_normal_memory", "0"),
	{ .name = "node0", .mode = DIRECTORY, .children = node0_entries },
	FIXED("online", "0"),
	FIXED("possible", "0"),
	{ 0 },
};

static const struct pseudo_entry system_entries[] = {
	{ .name = "cpu", .mode = DIRECTORY, .ops = &sysfs_cpu_ops, .children = sysfs_cpu_entries },
	{ .name = "node", .mode = DIRECTORY, .children = node_entries },
	{ 0 },
};

static const struct pseudo_entry devices_entries[] = {
	{ .name = "system", .mode = DIRECTORY, .children = system_entries },
	EMPTY("virtual"),
	{ 0 },
};

/* ---- kernel/mm --------------------------------------------------------------------------------------------------- */

static const struct pseudo_entry huge_2m_entries[] = {
	FIXED("free_hugepages", "0"), FIXED("nr_hugepages", "0"),      FIXED("nr_overcommit_hugepages", "0"),
	FIXED("resv_hugepages", "0"), FIXED("surplus_hugepages", "0"), { 0 },
};

static const struct pseudo_entry huge_entries[] = {
	{ .name = "hugepages-2048kB", .mode = DIRECTORY, .children = huge_2m_entries },
	{ 0 },
};

/* Large anonymous areas get 2 MiB pages without being asked. */
static const struct pseudo_entry thp_entries[] = {
	FIXED("defrag", "always defer defer+madvise [madvise] never"),
	FIXED("enabled", "[always] madvise never"),
	FIXED("hpage_pmd_size", "2097152"),
	FIXED("shmem_enabled", "always within_size advise [never] deny force"),
	FIXED("use_zero_page", "0"),
	{ 0 },
};

static const struct pseudo_entry mm_entries[] = {
	{ .name = "hugepages", .mode = DIRECTORY, .children = huge_entries },
	{ .name = "transparent_hugepage", .mode = DIRECTORY, .children = thp_entries },
	{ 0 },
};

static const struct pseudo_entry kernel_entries[] = {
	{ .name = "mm", .mode = DIRECTORY, .children = mm_entries },
	{ 0 },
};

/* ---- /sys -------------------------------------------------------------------------------------------------------- */

static const struct pseudo_entry class_entries[] = { EMPTY("block"), EMPTY("net"), EMPTY("tty"), { 0 } };
static const struct pseudo_entry dev_entries[] = { EMPTY("block"), EMPTY("char"), { 0 } };
static const struct pseudo_entry fs_entries[] = { EMPTY("cgroup"), { 0 } };

static const struct pseudo_entry root_entries[] = {
	EMPTY("block"),
	EMPTY("bus"),
	{ .name = "class", .mode = DIRECTORY, .children = class_entries },
	{ .name = "dev", .mode = DIRECTORY, .children = dev_entries },
	{ .name = "devices", .mode = DIRECTORY, .children = devices_entries },
	EMPTY("firmware"),
	{ .name = "fs", .mode = DIRECTORY, .children = fs_entries },
	{ .name = "kernel", .mode = DIRECTORY, .children = kernel_entries },
	EMPTY("module"),
	{ 0 },
};

static const struct pseudo_entry root = { .name = "sys", .mode = S_IFDIR | 0555, .children = root_entries };

int sysfs_create(struct file_system **out)
{
	return pseudo_create("sysfs", SYSFS_MAGIC, &root, out);
}
