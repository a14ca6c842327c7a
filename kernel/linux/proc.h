/*
 * /proc (proc(5)): generators in proc_*.c, each for the files of one kind; the tree stands in proc.c. What they say is what is;
 * what Drupe does not have says so as Linux does where that is turned off.
 *
 * Keys (pseudo.h): of /proc/PID and what is in it PID << 32; of /proc/PID/task/TID the same with TID; of fd/N with N.
 */
#ifndef KERNEL_LINUX_PROC_H
#define KERNEL_LINUX_PROC_H

#include "kernel/fs/pseudo.h"

struct process;
struct task;

int proc_create(struct file_system **out);
/* The kernel's command line, which stays. */
void proc_cmdline_set(const char *cmdline);

static inline uint64_t proc_key(int pid, unsigned id)
{
	return (uint64_t)pid << 32 | id;
}

static inline unsigned proc_key_id(uint64_t key)
{
	return (unsigned)key;
}

/* Of KEY; NULL: it has ended. */
struct process *proc_process(uint64_t key);
/* pseudo_ops.getattr: files of a process belong to who it runs as. -ENOENT: it has ended. */
int proc_owner_getattr(struct vnode_attr *attr, uint64_t key);
/* USER_HZ: the unit of processor times here (sysconf(_SC_CLK_TCK)). */
#define PROC_NS_PER_TICK 10000000ul

/* Processor time and number of threads of a process. */
struct proc_times {
	uint64_t ns;
	unsigned threads;
};
void proc_times(struct process *process, struct proc_times *out);

/* What the mappings of a process are, in pages: proc_maps.c. */
struct proc_vm {
	uint64_t mapped, resident, peak, locked;
	uint64_t anon, file;		       /* of resident */
	uint64_t data, stack, exec, libraries; /* of mapped */
};
void proc_vm_sum(struct process *process, struct proc_vm *out);

/* The first bits of a CPU set as /proc writes them: in words of 32 bits, and as a list of ranges. */
void proc_cpu_mask(struct pseudo_text *out, const uint64_t *mask);
void proc_cpu_list(struct pseudo_text *out, const uint64_t *mask);
/* CPUs that are up; and as pseudo_ops.text, a list and the end of its line. */
void proc_cpus_online(uint64_t *mask);
int proc_cpus_online_text(struct pseudo_text *out, uint64_t key);

/* Texts, as pseudo_ops.text. */
int proc_stat(struct pseudo_text *out, uint64_t key); /* proc_task.c: a process or a thread */
int proc_status(struct pseudo_text *out, uint64_t key);
int proc_statm(struct pseudo_text *out, uint64_t key);
int proc_comm(struct pseudo_text *out, uint64_t key);
ssize_t proc_comm_store(const char *buf, size_t len, uint64_t key);
int proc_schedstat(struct pseudo_text *out, uint64_t key);
int proc_cmdline(struct pseudo_text *out, uint64_t key); /* proc_process.c */
int proc_environ(struct pseudo_text *out, uint64_t key);
int proc_auxv(struct pseudo_text *out, uint64_t key);
int proc_limits(struct pseudo_text *out, uint64_t key);
int proc_personality(struct pseudo_text *out, uint64_t key);
int proc_timerslack(struct pseudo_text *out, uint64_t key);
int proc_maps(struct pseudo_text *out, uint64_t key); /* proc_maps.c */
int proc_smaps(struct pseudo_text *out, uint64_t key);
int proc_smaps_rollup(struct pseudo_text *out, uint64_t key);
int proc_mounts(struct pseudo_text *out, uint64_t key); /* proc_mounts.c */
int proc_mountinfo(struct pseudo_text *out, uint64_t key);
int proc_mountstats(struct pseudo_text *out, uint64_t key);
int proc_cpuinfo(struct pseudo_text *out, uint64_t key); /* proc_cpuinfo.c */
int proc_meminfo(struct pseudo_text *out, uint64_t key); /* proc_system.c */
int proc_loadavg(struct pseudo_text *out, uint64_t key);
int proc_uptime(struct pseudo_text *out, uint64_t key);
int proc_system_stat(struct pseudo_text *out, uint64_t key);
int proc_version(struct pseudo_text *out, uint64_t key);
int proc_kernel_cmdline(struct pseudo_text *out, uint64_t key);
int proc_vmstat(struct pseudo_text *out, uint64_t key);
int proc_zoneinfo(struct pseudo_text *out, uint64_t key);

/* Magic links, and directories of descriptors: proc_fd.c. */
extern const struct pseudo_ops proc_cwd_ops, proc_root_ops, proc_exe_ops, proc_fd_dir_ops, proc_fdinfo_dir_ops;

/* /proc/sys: proc_sys.c. */
extern const struct pseudo_entry proc_sys_entries[];

#endif
