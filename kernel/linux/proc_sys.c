/* /proc/sys: what can be set in Linux, as it is here. Of most of it only the value is shown: there is nothing to set. */
#include "kernel/core/random.h"
#include "kernel/file/abi.h"
#include "kernel/linux/abi_process.h"
#include "kernel/linux/proc.h"
#include "kernel/linux/system.h"
#include "kernel/mem/page.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define DIRECTORY (S_IFDIR | 0555)
#define FIXED(file, value) PSEUDO_FIXED(file, 0644, value "\n")
#define MADE(file, permissions, fn) PSEUDO_MADE(file, permissions, fn)

/* ---- kernel ------------------------------------------------------------------------------------------------------ */

static int hostname_text(struct pseudo_text *out, uint64_t key)
{
	struct linux_utsname name;

	(void)key;
	system_name_get(&name);
	pseudo_printf(out, "%s\n", name.nodename);
	return 0;
}

static int domainname_text(struct pseudo_text *out, uint64_t key)
{
	struct linux_utsname name;

	(void)key;
	system_name_get(&name);
	pseudo_printf(out, "%s\n", name.domainname);
	return 0;
}

static int ostype_text(struct pseudo_text *out, uint64_t key)
{
	struct linux_utsname name;

	(void)key;
	system_name_get(&name);
	pseudo_printf(out, "%s\n", name.sysname);
	return 0;
}

static int osrelease_text(struct pseudo_text *out, uint64_t key)
{
	struct linux_utsname name;

	(void)key;
	system_name_get(&name);
	pseudo_printf(out, "%s\n", name.release);
	return 0;
}

static int version_text(struct pseudo_text *out, uint64_t key)
{
	struct linux_utsname name;

	(void)key;
	system_name_get(&name);
	pseudo_printf(out, "%s\n", name.version);
	return 0;
}

/* A random UUID: RFC 4122, 4.4. */
static void uuid_make(uint8_t *uuid)
{
	random_bytes(uuid, 16);
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

static void uuid_append(struct pseudo_text *out, const uint8_t *uuid)
{
	for (unsigned i = 0; i < 16; i++)
		pseudo_printf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", uuid[i]);
	pseudo_puts(out, "\n");
}

static int uuid_text(struct pseudo_text *out, uint64_t key)
{
	uint8_t uuid[16];

	(void)key;
	uuid_make(uuid);
	uuid_append(out, uuid);
	return 0;
}

static int boot_id_text(struct pseudo_text *out, uint64_t key)
{
	static struct mutex lock = { .queue = WAIT_QUEUE_INIT(lock.queue) }; /* covers the rest */
	static uint8_t uuid[16];
	uint8_t copy[16];

	(void)key;
	mutex_lock(&lock);
	if (!uuid[6])
		uuid_make(uuid);
	memcpy(copy, uuid, sizeof(copy));
	mutex_unlock(&lock);
	uuid_append(out, copy);
	return 0;
}

static const struct pseudo_entry random_entries[] = {
	MADE("boot_id", 0444, boot_id_text),
	FIXED("entropy_avail", "256"),
	FIXED("poolsize", "256"),
	FIXED("urandom_min_reseed_secs", "60"),
	MADE("uuid", 0444, uuid_text),
	FIXED("write_wakeup_threshold", "256"),
	{ 0 },
};

static const struct pseudo_entry kernel_entries[] = {
	FIXED("auto_msgmni", "0"),
	FIXED("cap_last_cap", "40"),
	FIXED("core_pattern", "core"),
	FIXED("core_uses_pid", "0"),
	FIXED("dmesg_restrict", "1"),
	MADE("domainname", 0644, domainname_text),
	MADE("hostname", 0644, hostname_text),
	FIXED("kptr_restrict", "2"),
	FIXED("msgmax", "8192"),
	FIXED("msgmnb", "16384"),
	FIXED("msgmni", "32000"),
	FIXED("ngroups_max", "65536"),
	FIXED("numa_balancing", "0"),
	MADE("osrelease", 0444, osrelease_text),
	MADE("ostype", 0444, ostype_text),
	FIXED("overflowgid", "65534"),
	FIXED("overflowuid", "65534"),
	FIXED("perf_event_paranoid", "3"),
	FIXED("pid_max", "4194304"),
	FIXED("printk", "4\t4\t1\t7"),
	{ .name = "random", .mode = DIRECTORY, .children = random_entries },
	FIXED("randomize_va_space", "2"),
	FIXED("sched_rt_period_us", "1000000"),
	FIXED("sched_rt_runtime_us", "950000"),
	FIXED("sem", "32000\t1024000000\t500\t32000"),
	FIXED("shmall", "18446744073692774399"),
	FIXED("shmmax", "18446744073692774399"),
	FIXED("shmmni", "4096"),
	FIXED("tainted", "0"),
	FIXED("threads-max", "32768"),
	FIXED("unprivileged_bpf_disabled", "2"),
	MADE("version", 0444, version_text),
	{ 0 },
};

/* ---- vm ---------------------------------------------------------------------------------------------------------- */

static const struct pseudo_entry vm_entries[] = {
	FIXED("dirty_background_ratio", "10"),
	FIXED("dirty_expire_centisecs", "3000"),
	FIXED("dirty_ratio", "20"),
	FIXED("dirty_writeback_centisecs", "500"),
	FIXED("drop_caches", "0"),
	FIXED("legacy_va_layout", "0"),
	FIXED("max_map_count", "65530"),
	FIXED("min_free_kbytes", "0"),
	FIXED("mmap_min_addr", "65536"),
	FIXED("nr_hugepages", "0"),
	FIXED("nr_overcommit_hugepages", "0"),
	FIXED("oom_kill_allocating_task", "0"),
	FIXED("overcommit_kbytes", "0"),
	FIXED("overcommit_memory", "1"),
	FIXED("overcommit_ratio", "50"),
	FIXED("page-cluster", "3"),
	FIXED("panic_on_oom", "0"),
	FIXED("swappiness", "60"),
	FIXED("vfs_cache_pressure", "100"),
	FIXED("zone_reclaim_mode", "0"),
	{ 0 },
};

/* ---- fs, net ----------------------------------------------------------------------------------------------------- */

static const struct pseudo_entry epoll_entries[] = {
	FIXED("max_user_watches", "1048576"),
	{ 0 },
};

static const struct pseudo_entry inotify_entries[] = {
	FIXED("max_queued_events", "16384"),
	FIXED("max_user_instances", "128"),
	FIXED("max_user_watches", "65536"),
	{ 0 },
};

static const struct pseudo_entry fs_entries[] = {
	FIXED("aio-max-nr", "65536"),
	FIXED("aio-nr", "0"),
	{ .name = "epoll", .mode = DIRECTORY, .children = epoll_entries },
	FIXED("file-max", "9223372036854775807"),
	FIXED("file-nr", "0\t0\t9223372036854775807"),
	{ .name = "inotify", .mode = DIRECTORY, .children = inotify_entries },
	FIXED("lease-break-time", "45"),
	FIXED("leases-enable", "1"),
	FIXED("mount-max", "100000"),
	FIXED("nr_open", "1048576"),
	FIXED("overflowgid", "65534"),
	FIXED("overflowuid", "65534"),
	FIXED("pipe-max-size", "1048576"),
	FIXED("pipe-user-pages-hard", "0"),
	FIXED("pipe-user-pages-soft", "16384"),
	FIXED("protected_hardlinks", "0"),
	FIXED("protected_symlinks", "0"),
	FIXED("suid_dumpable", "0"),
	{ 0 },
};

static const struct pseudo_entry core_entries[] = {
	FIXED("netdev_max_backlog", "1000"), FIXED("optmem_max", "20480"),
	FIXED("rmem_default", "212992"),     FIXED("rmem_max", "212992"),
	FIXED("somaxconn", "4096"),	     FIXED("wmem_default", "212992"),
	FIXED("wmem_max", "212992"),	     { 0 },
};

static const struct pseudo_entry unix_entries[] = {
	FIXED("max_dgram_qlen", "512"),
	{ 0 },
};

static const struct pseudo_entry net_entries[] = {
	{ .name = "core", .mode = DIRECTORY, .children = core_entries },
	{ .name = "unix", .mode = DIRECTORY, .children = unix_entries },
	{ 0 },
};

const struct pseudo_entry proc_sys_entries[] = {
	{ .name = "fs", .mode = DIRECTORY, .children = fs_entries },
	{ .name = "kernel", .mode = DIRECTORY, .children = kernel_entries },
	{ .name = "net", .mode = DIRECTORY, .children = net_entries },
	{ .name = "vm", .mode = DIRECTORY, .children = vm_entries },
	{ 0 },
};
