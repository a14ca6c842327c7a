/* The tree of /proc: which names there are, and who says what is in them. */
#include "kernel/linux/proc.h"

#include "kernel/file/abi.h"
#include "kernel/linux/task.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define DIRECTORY (S_IFDIR | 0555)
#define LINK (S_IFLNK | 0777)
#define READ (S_IFREG | 0444)

struct process *proc_process(uint64_t key)
{
	return process_find((int)(key >> 32));
}

int proc_owner_getattr(struct vnode_attr *attr, uint64_t key)
{
	const struct process *process = proc_process(key);

	if (!process)
		return -ENOENT;
	attr->uid = process->fs.cred.euid;
	attr->gid = process->fs.cred.egid;
	return 0;
}

/* ---- /proc/PID --------------------------------------------------------------------------------------------------- */

#define TEXT_OPS(fn)                                                                                                   \
	&(const struct pseudo_ops)                                                                                     \
	{                                                                                                              \
		.text = (fn), .getattr = proc_owner_getattr                                                            \
	}

static const struct pseudo_ops comm_ops = { .text = proc_comm,
					    .store = proc_comm_store,
					    .getattr = proc_owner_getattr };
static const struct pseudo_ops owner_ops = { .getattr = proc_owner_getattr };

static const struct pseudo_entry ns_entries[] = {
	{ .name = "cgroup", .mode = LINK, .content = "cgroup:[4026531835]" },
	{ .name = "ipc", .mode = LINK, .content = "ipc:[4026531839]" },
	{ .name = "mnt", .mode = LINK, .content = "mnt:[4026531841]" },
	{ .name = "net", .mode = LINK, .content = "net:[4026531840]" },
	{ .name = "pid", .mode = LINK, .content = "pid:[4026531836]" },
	{ .name = "pid_for_children", .mode = LINK, .content = "pid:[4026531836]" },
	{ .name = "time", .mode = LINK, .content = "time:[4026531834]" },
	{ .name = "time_for_children", .mode = LINK, .content = "time:[4026531834]" },
	{ .name = "user", .mode = LINK, .content = "user:[4026531837]" },
	{ .name = "uts", .mode = LINK, .content = "uts:[4026531838]" },
	{ 0 },
};

static const struct pseudo_entry net_entries[] = { { 0 } };

/* What a thread has as well as a process. */
#define TASK_ENTRIES                                                                                                   \
	{ .name = "auxv", .mode = S_IFREG | 0400, .ops = TEXT_OPS(proc_auxv) },                                        \
		{ .name = "cgroup", .mode = READ, .content = "0::/\n" },                                               \
		{ .name = "cmdline", .mode = READ, .ops = TEXT_OPS(proc_cmdline) },                                    \
		{ .name = "comm", .mode = S_IFREG | 0644, .ops = &comm_ops },                                          \
		{ .name = "coredump_filter", .mode = S_IFREG | 0644, .content = "00000033\n" },                        \
		{ .name = "cwd", .mode = LINK, .ops = &proc_cwd_ops },                                                 \
		{ .name = "environ", .mode = S_IFREG | 0400, .ops = TEXT_OPS(proc_environ) },                          \
		{ .name = "exe", .mode = LINK, .ops = &proc_exe_ops },                                                 \
		{ .name = "fd", .mode = S_IFDIR | 0500, .ops = &proc_fd_dir_ops },                                     \
		{ .name = "fdinfo", .mode = DIRECTORY, .ops = &proc_fdinfo_dir_ops },                                  \
		{ .name = "gid_map", .mode = S_IFREG | 0644, .content = "         0          0 4294967295\n" },        \
		{ .name = "limits", .mode = READ, .ops = TEXT_OPS(proc_limits) },                                      \
		{ .name = "loginuid", .mode = S_IFREG | 0644, .content = "4294967295" },                               \
		{ .name = "maps", .mode = READ, .ops = TEXT_OPS(proc_maps) },                                          \
		{ .name = "mountinfo", .mode = READ, .ops = TEXT_OPS(proc_mountinfo) },                                \
		{ .name = "mounts", .mode = READ, .ops = TEXT_OPS(proc_mounts) },                                      \
		{ .name = "net", .mode = DIRECTORY, .children = net_entries },                                         \
		{ .name = "ns", .mode = S_IFDIR | 0511, .children = ns_entries },                                      \
		{ .name = "oom_score", .mode = READ, .content = "0\n" },                                               \
		{ .name = "oom_score_adj", .mode = S_IFREG | 0644, .ops = &oom_score_adj_ops },                        \
		{ .name = "personality", .mode = S_IFREG | 0400, .ops = TEXT_OPS(proc_personality) },                  \
		{ .name = "root", .mode = LINK, .ops = &proc_root_ops },                                               \
		{ .name = "schedstat", .mode = READ, .ops = TEXT_OPS(proc_schedstat) },                                \
		{ .name = "sessionid", .mode = READ, .content = "4294967295" },                                        \
		{ .name = "setgroups", .mode = S_IFREG | 0644, .content = "allow\n" },                                 \
		{ .name = "smaps", .mode = READ, .ops = TEXT_OPS(proc_smaps) },                                        \
		{ .name = "smaps_rollup", .mode = READ, .ops = TEXT_OPS(proc_smaps_rollup) },                          \
		{ .name = "stat", .mode = READ, .ops = TEXT_OPS(proc_stat) },                                          \
		{ .name = "statm", .mode = READ, .ops = TEXT_OPS(proc_statm) },                                        \
		{ .name = "status", .mode = READ, .ops = TEXT_OPS(proc_status) },                                      \
		{ .name = "uid_map", .mode = S_IFREG | 0644, .content = "         0          0 4294967295\n" },        \
		{ .name = "wchan", .mode = READ, .content = "0" },                                                     \
	{                                                                                                              \
		0                                                                                                      \
	}

/* What the out-of-memory killer would think of: noted for who asks again, as there is only one process to choose. */
static int oom_score_adj;

static int oom_score_adj_text(struct pseudo_text *out, uint64_t key)
{
	(void)key;
	pseudo_printf(out, "%d\n", READ_ONCE(oom_score_adj));
	return 0;
}

static ssize_t oom_score_adj_store(const char *buf, size_t len, uint64_t key)
{
	bool negative = buf[0] == '-';
	size_t end = len && buf[len - 1] == '\n' ? len - 1 : len;
	uint64_t value;

	(void)key;
	if (!pseudo_number(buf + negative, end - negative, &value) || value > 1000)
		return -EINVAL;
	WRITE_ONCE(oom_score_adj, negative ? -(int)value : (int)value);
	return (ssize_t)len;
}

static const struct pseudo_ops oom_score_adj_ops = { .text = oom_score_adj_text,
						     .store = oom_score_adj_store,
						     .getattr = proc_owner_getattr };

static const struct pseudo_entry thread_entries[] = { TASK_ENTRIES };
static const struct pseudo_entry thread_dir = {
	.name = "tid", .mode = DIRECTORY, .ops = &owner_ops, .children = thread_entries
};

static int task_dir_lookup(const char *name, size_t len, uint64_t key, const struct pseudo_entry **entry,
			   uint64_t *entry_key)
{
	struct process *process = proc_process(key);
	unsigned long irq;
	uint64_t tid;
	bool found;

	if (!process || !pseudo_number(name, len, &tid))
		return -ENOENT;
	irq = spin_lock_irqsave(&process->lock);
	found = task_find(process, (int)tid) != NULL;
	spin_unlock_irqrestore(&process->lock, irq);
	*entry = &thread_dir;
	*entry_key = proc_key(process->pid, (unsigned)tid);
	return found ? 0 : -ENOENT;
}

/* The lowest id above AFTER; 0: none. The list is in no order, so this is linear: O(n^2) for the whole of it. */
static int task_next(struct process *process, int after)
{
	unsigned long irq = spin_lock_irqsave(&process->lock);
	struct list *at;
	int best = 0;

	list_for_each(at, &process->tasks) {
		int tid = list_entry(at, struct task, link)->tid;

		if (tid > after && (!best || tid < best))
			best = tid;
	}
	spin_unlock_irqrestore(&process->lock, irq);
	return best;
}

static int task_dir_list(uint64_t *pos, struct dir_sink *sink, uint64_t key)
{
	struct process *process = proc_process(key);
	char name[16];
	int tid;

	while (process && (tid = task_next(process, (int)*pos))) {
		size_t len = (size_t)fmt_format(name, sizeof(name), "%d", tid);

		if (!sink->entry(sink, name, len, 0, DT_DIR, (uint64_t)tid))
			break;
		*pos = (uint64_t)tid;
	}
	return 0;
}

static const struct pseudo_ops task_dir_ops = { .dir_lookup = task_dir_lookup,
						.dir_list = task_dir_list,
						.getattr = proc_owner_getattr };

/* A process: what a thread has, and what only the whole has. */
static const struct pseudo_entry process_entries[] = {
	{ .name = "mountstats", .mode = S_IFREG | 0400, .ops = TEXT_OPS(proc_mountstats) },
	{ .name = "task", .mode = DIRECTORY, .ops = &task_dir_ops },
	{ .name = "timerslack_ns", .mode = S_IFREG | 0666, .ops = TEXT_OPS(proc_timerslack) },
	TASK_ENTRIES
};
static const struct pseudo_entry process_dir = {
	.name = "pid", .mode = DIRECTORY, .ops = &owner_ops, .children = process_entries
};

/* ---- /proc ------------------------------------------------------------------------------------------------------- */

static ssize_t self_readlink(char *buf, size_t size, uint64_t key)
{
	char text[16];
	size_t len = (size_t)fmt_format(text, sizeof(text), "%d", process_current()->pid);

	(void)key;
	len = MIN(len, size);
	memcpy(buf, text, len);
	return (ssize_t)len;
}

static ssize_t thread_self_readlink(char *buf, size_t size, uint64_t key)
{
	char text[32];
	size_t len = (size_t)fmt_format(text, sizeof(text), "%d/task/%d", process_current()->pid, task_current()->tid);

	(void)key;
	len = MIN(len, size);
	memcpy(buf, text, len);
	return (ssize_t)len;
}

static const struct pseudo_ops self_ops = { .readlink = self_readlink };
static const struct pseudo_ops thread_self_ops = { .readlink = thread_self_readlink };

static int root_lookup(const char *name, size_t len, uint64_t key, const struct pseudo_entry **entry,
		       uint64_t *entry_key)
{
	uint64_t pid;

	(void)key;
	if (!pseudo_number(name, len, &pid) || !pid || !process_find((int)pid))
		return -ENOENT;
	*entry = &process_dir;
	*entry_key = proc_key((int)pid, 0);
	return 0;
}

static int root_list(uint64_t *pos, struct dir_sink *sink, uint64_t key)
{
	const struct process *process = process_find(0);
	char name[16];
	size_t len;

	(void)key;
	if (!process || *pos >= (uint64_t)process->pid)
		return 0;
	len = (size_t)fmt_format(name, sizeof(name), "%d", process->pid);
	if (sink->entry(sink, name, len, 0, DT_DIR, (uint64_t)process->pid))
		*pos = (uint64_t)process->pid;
	return 0;
}

static const struct pseudo_ops root_ops = { .dir_lookup = root_lookup, .dir_list = root_list };

#define SYSTEM_OPS(fn)                                                                                                 \
	&(const struct pseudo_ops)                                                                                     \
	{                                                                                                              \
		.text = (fn)                                                                                           \
	}

static const struct pseudo_entry root_entries[] = {
	{ .name = "self", .mode = LINK, .ops = &self_ops },
	{ .name = "thread-self", .mode = LINK, .ops = &thread_self_ops },
	{ .name = "cmdline", .mode = READ, .ops = SYSTEM_OPS(proc_kernel_cmdline) },
	{ .name = "cpuinfo", .mode = READ, .ops = SYSTEM_OPS(proc_cpuinfo) },
	{ .name = "devices",
	  .mode = READ,
	  .content = "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n\nBlock devices:\n" },
	{ .name = "filesystems",
	  .mode = READ,
	  .content = "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup2\nnodev\tdevtmpfs\n\terofs\n" },
	{ .name = "interrupts", .mode = READ, .content = "" },
	{ .name = "loadavg", .mode = READ, .ops = SYSTEM_OPS(proc_loadavg) },
	{ .name = "meminfo", .mode = READ, .ops = SYSTEM_OPS(proc_meminfo) },
	{ .name = "modules", .mode = READ, .content = "" },
	{ .name = "mounts", .mode = LINK, .content = "self/mounts" },
	{ .name = "net", .mode = LINK, .content = "self/net" },
	{ .name = "partitions", .mode = READ, .content = "major minor  #blocks  name\n\n" },
	{ .name = "stat", .mode = READ, .ops = SYSTEM_OPS(proc_system_stat) },
	{ .name = "swaps", .mode = READ, .content = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" },
	{ .name = "sys", .mode = DIRECTORY, .children = proc_sys_entries },
	{ .name = "uptime", .mode = READ, .ops = SYSTEM_OPS(proc_uptime) },
	{ .name = "version", .mode = READ, .ops = SYSTEM_OPS(proc_version) },
	{ .name = "vmstat", .mode = READ, .ops = SYSTEM_OPS(proc_vmstat) },
	{ .name = "zoneinfo", .mode = READ, .ops = SYSTEM_OPS(proc_zoneinfo) },
	{ 0 },
};

static const struct pseudo_entry root = {
	.name = "proc", .mode = DIRECTORY, .ops = &root_ops, .children = root_entries
};

int proc_create(struct file_system **out)
{
	return pseudo_create("proc", PROC_SUPER_MAGIC, &root, out);
}
