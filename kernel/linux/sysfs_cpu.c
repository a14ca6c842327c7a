/*
 * /sys/devices/system/cpu (Linux Documentation/ABI/testing/sysfs-devices-system-cpu). Keys: of cpuN N + 1; of indexM in it also
 * M << 32.
 */
#include "kernel/core/cpu.h"
#include "kernel/file/abi.h"
#include "kernel/linux/cpu_features.h"
#include "kernel/linux/proc.h"
#include "kernel/linux/sysfs.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define DIRECTORY (S_IFDIR | 0755)
#define READ (S_IFREG | 0444)
#define MADE(file, fn) PSEUDO_MADE(file, 0444, fn)

static unsigned cpu_of(uint64_t key)
{
	return (unsigned)key - 1;
}

/* "NAMEn" -> n. */
static bool numbered(const char *name, size_t len, const char *prefix, uint64_t *out)
{
	size_t prefix_len = strlen(prefix);

	return len > prefix_len && !memcmp(name, prefix, prefix_len) &&
	       pseudo_number(name + prefix_len, len - prefix_len, out);
}

/* ---- topology: one package, whose cores have one thread each ------------------------------------------------------- */

static void mask_or_list(struct pseudo_text *out, const uint64_t *mask, bool list)
{
	if (list)
		proc_cpu_list(out, mask);
	else
		proc_cpu_mask(out, mask);
	pseudo_puts(out, "\n");
}

static int self_set(struct pseudo_text *out, uint64_t key, bool list)
{
	uint64_t mask[CPU_MAX / 64] = { 0 };

	mask[cpu_of(key) / 64] = 1ul << cpu_of(key) % 64;
	mask_or_list(out, mask, list);
	return 0;
}

static int all_set(struct pseudo_text *out, bool list)
{
	uint64_t mask[CPU_MAX / 64];

	proc_cpus_online(mask);
	mask_or_list(out, mask, list);
	return 0;
}

static int self_mask(struct pseudo_text *out, uint64_t key)
{
	return self_set(out, key, false);
}

static int self_list(struct pseudo_text *out, uint64_t key)
{
	return self_set(out, key, true);
}

static int all_mask(struct pseudo_text *out, uint64_t key)
{
	(void)key;
	return all_set(out, false);
}

static int all_list(struct pseudo_text *out, uint64_t key)
{
	(void)key;
	return all_set(out, true);
}

static int core_id(struct pseudo_text *out, uint64_t key)
{
	pseudo_printf(out, "%u\n", cpu_of(key));
	return 0;
}

static const struct pseudo_entry topology_entries[] = {
	MADE("cluster_cpus", self_mask),
	MADE("cluster_cpus_list", self_list),
	{ .name = "cluster_id", .mode = READ, .content = "65535\n" },
	MADE("core_cpus", self_mask),
	MADE("core_cpus_list", self_list),
	MADE("core_id", core_id),
	MADE("core_siblings", all_mask),
	MADE("core_siblings_list", all_list),
	MADE("die_cpus", all_mask),
	MADE("die_cpus_list", all_list),
	{ .name = "die_id", .mode = READ, .content = "0\n" },
	MADE("package_cpus", all_mask),
	MADE("package_cpus_list", all_list),
	{ .name = "physical_package_id", .mode = READ, .content = "0\n" },
	MADE("thread_siblings", self_mask),
	MADE("thread_siblings_list", self_list),
	{ 0 },
};

/* ---- cache ------------------------------------------------------------------------------------------------------- */

static struct cpu_cache cache_of(uint64_t key)
{
	struct cpu_cache cache;

	cpu_cache_get((unsigned)(key >> 32), &cache);
	return cache;
}

static int cache_level(struct pseudo_text *out, uint64_t key)
{
	pseudo_printf(out, "%u\n", cache_of(key).level);
	return 0;
}

static int cache_type(struct pseudo_text *out, uint64_t key)
{
	static const char *const names[] = { "", "Data\n", "Instruction\n", "Unified\n" };

	pseudo_puts(out, names[cache_of(key).type & 3]);
	return 0;
}

static int cache_size(struct pseudo_text *out, uint64_t key)
{
	struct cpu_cache cache = cache_of(key);

	pseudo_printf(out, "%luK\n", (uint64_t)cache.line * cache.partitions * cache.ways * cache.sets / 1024);
	return 0;
}

static int cache_line(struct pseudo_text *out, uint64_t key)
{
	pseudo_printf(out, "%u\n", cache_of(key).line);
	return 0;
}

static int cache_ways(struct pseudo_text *out, uint64_t key)
{
	pseudo_printf(out, "%u\n", cache_of(key).ways);
	return 0;
}

static int cache_sets(struct pseudo_text *out, uint64_t key)
{
	pseudo_printf(out, "%u\n", cache_of(key).sets);
	return 0;
}

static int cache_partitions(struct pseudo_text *out, uint64_t key)
{
	pseudo_printf(out, "%u\n", cache_of(key).partitions);
	return 0;
}

/* Levels 1 and 2 belong to a core; what is above is the package's. */
static int cache_shared(struct pseudo_text *out, uint64_t key, bool list)
{
	return cache_of(key).level <= 2 ? self_set(out, key, list) : all_set(out, list);
}

static int cache_map(struct pseudo_text *out, uint64_t key)
{
	return cache_shared(out, key, false);
}

static int cache_list(struct pseudo_text *out, uint64_t key)
{
	return cache_shared(out, key, true);
}

static const struct pseudo_entry index_entries[] = {
	MADE("coherency_line_size", cache_line),
	{ .name = "id", .mode = READ, .content = "0\n" },
	MADE("level", cache_level),
	MADE("number_of_sets", cache_sets),
	MADE("physical_line_partition", cache_partitions),
	MADE("shared_cpu_list", cache_list),
	MADE("shared_cpu_map", cache_map),
	MADE("size", cache_size),
	MADE("type", cache_type),
	MADE("ways_of_associativity", cache_ways),
	{ 0 },
};
static const struct pseudo_entry index_dir = { .name = "index", .mode = DIRECTORY, .children = index_entries };

static int cache_lookup(const char *name, size_t len, uint64_t key, const struct pseudo_entry **entry,
			uint64_t *entry_key)
{
	struct cpu_cache cache;
	uint64_t index;

	if (!numbered(name, len, "index", &index) || !cpu_cache_get((unsigned)index, &cache))
		return -ENOENT;
	*entry = &index_dir;
	*entry_key = key | index << 32;
	return 0;
}

static int cache_dir_list(uint64_t *pos, struct dir_sink *sink, uint64_t key)
{
	struct cpu_cache cache;
	char name[24];

	(void)key;
	for (; cpu_cache_get((unsigned)*pos, &cache); ++*pos) {
		size_t len = (size_t)fmt_format(name, sizeof(name), "index%lu", *pos);

		if (!sink->entry(sink, name, len, 0, DT_DIR, *pos + 1))
			break;
	}
	return 0;
}

static const struct pseudo_ops cache_ops = { .dir_lookup = cache_lookup, .dir_list = cache_dir_list };

static const struct pseudo_entry node_entries[] = {
	{ .name = "cache", .mode = DIRECTORY, .ops = &cache_ops },
	{ .name = "topology", .mode = DIRECTORY, .children = topology_entries },
	{ 0 },
};
static const struct pseudo_entry cpu_dir = { .name = "cpu", .mode = DIRECTORY, .children = node_entries };

/* ---- cpu --------------------------------------------------------------------------------------------------------- */

static int cpu_lookup(const char *name, size_t len, uint64_t key, const struct pseudo_entry **entry,
		      uint64_t *entry_key)
{
	uint64_t cpu;

	(void)key;
	if (!numbered(name, len, "cpu", &cpu) || cpu >= nr_cpus)
		return -ENOENT;
	*entry = &cpu_dir;
	*entry_key = cpu + 1;
	return 0;
}

static int cpu_list(uint64_t *pos, struct dir_sink *sink, uint64_t key)
{
	char name[24];

	(void)key;
	for (; *pos < nr_cpus; ++*pos) {
		size_t len = (size_t)fmt_format(name, sizeof(name), "cpu%lu", *pos);

		if (!sink->entry(sink, name, len, 0, DT_DIR, *pos + 1))
			break;
	}
	return 0;
}

const struct pseudo_ops sysfs_cpu_ops = { .dir_lookup = cpu_lookup, .dir_list = cpu_list };

static int cpus_present(struct pseudo_text *out, uint64_t key)
{
	(void)key;
	pseudo_printf(out, nr_cpus > 1 ? "0-%u\n" : "%u\n", nr_cpus - 1);
	return 0;
}

const struct pseudo_entry sysfs_cpu_entries[] = {
	{ .name = "isolated", .mode = READ, .content = "\n" },
	{ .name = "kernel_max", .mode = READ, .content = "255\n" },
	{ .name = "offline", .mode = READ, .content = "\n" },
	MADE("online", all_list),
	MADE("possible", cpus_present),
	MADE("present", cpus_present),
	{ 0 },
};
_Static_assert(CPU_MAX == 256, "kernel_max");
