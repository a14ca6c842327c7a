/* /proc/PID and /proc/PID/task/TID: stat, status, statm, comm, schedstat. For a process: its first thread, and sums. */
#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/linux/abi_process.h"
#include "kernel/linux/abi_thread.h"
#include "kernel/linux/proc.h"
#include "kernel/linux/task.h"
#include "lib/errno.h"
#include "lib/string.h"

#define TTY_CONSOLE 0x501 /* dev_encode(5, 1) */

/* A thread as it was at one moment, so that nothing is printed under a lock. */
struct snapshot {
	struct process *process;
	bool whole; /* the process is meant, not this thread alone */
	int tid;
	char comm[COMM_MAX];
	char state;
	unsigned cpu;
	uint64_t ns; /* processor time: of all threads when whole */
	unsigned threads;
	uint64_t blocked, pending, shared_pending, ignored, caught;
	uint64_t nr_voluntary, nr_involuntary;
	uint64_t affinity[CPU_MAX / 64];
	struct task_settings settings;
};

/* process->lock held. */
static void times_locked(struct process *process, struct proc_times *out)
{
	struct list *at;

	out->ns = process->ended_runtime;
	out->threads = process->nr_tasks;
	list_for_each(at, &process->tasks)
		out->ns += thread_runtime(list_entry(at, struct task, link)->thread);
}

void proc_times(struct process *process, struct proc_times *out)
{
	unsigned long irq = spin_lock_irqsave(&process->lock);

	times_locked(process, out);
	spin_unlock_irqrestore(&process->lock, irq);
}

static void signals_take(struct process *process, struct snapshot *out)
{
	unsigned long irq = spin_lock_irqsave(&process->signals.lock);

	out->shared_pending = process->signals.pending.set;
	for (unsigned i = 0; i < SIGNAL_MAX; i++) {
		uintptr_t handler = process->signals.actions[i].handler;

		out->ignored |= (uint64_t)(handler == 1) << i;
		out->caught |= (uint64_t)(handler > 1) << i;
	}
	spin_unlock_irqrestore(&process->signals.lock, irq);
}

static void task_take(const struct task *task, struct snapshot *out)
{
	out->tid = task->tid;
	memcpy(out->comm, task->comm, sizeof(out->comm));
	out->comm[COMM_MAX - 1] = '\0';
	out->state = READ_ONCE(task->thread->state) == THREAD_RUNNABLE ? 'R' : 'S';
	out->cpu = thread_cpu(task->thread);
	out->ns = thread_runtime(task->thread);
	out->blocked = task->signals.blocked;
	out->pending = task->signals.pending.set;
	out->nr_voluntary = task->nr_voluntary;
	out->nr_involuntary = task->nr_involuntary;
	memcpy(out->affinity, task->thread->affinity, sizeof(out->affinity));
	out->settings = task->settings;
}

static int snapshot_take(uint64_t key, struct snapshot *out)
{
	struct process *process = proc_process(key);
	struct proc_times times;
	struct task *task;
	unsigned long irq;

	if (!process)
		return -ESRCH;
	memset(out, 0, sizeof(*out));
	out->process = process;
	out->whole = !proc_key_id(key);
	signals_take(process, out);
	irq = spin_lock_irqsave(&process->lock);
	task = task_find(process, out->whole ? process->pid : (int)proc_key_id(key));
	if (!task && out->whole && !list_is_empty(&process->tasks)) /* the first thread has ended before the others */
		task = list_entry(process->tasks.next, struct task, link);
	if (task)
		task_take(task, out);
	times_locked(process, &times);
	spin_unlock_irqrestore(&process->lock, irq);
	out->threads = times.threads;
	if (out->whole) {
		out->ns = times.ns;
		out->tid = process->pid;
	}
	return task ? 0 : -ESRCH;
}

/* ---- stat -------------------------------------------------------------------------------------------------------- */

static int priority_of(const struct snapshot *s)
{
	bool real_time = s->settings.policy == SCHED_FIFO || s->settings.policy == SCHED_RR;

	return real_time ? -1 - s->settings.priority : 20 + s->settings.nice;
}

int proc_stat(struct pseudo_text *out, uint64_t key)
{
	struct snapshot s;
	const struct process *p;
	int error = snapshot_take(key, &s);

	if (error)
		return error;
	p = s.process;
	/* pid comm state ppid pgrp session tty tpgid flags; faults are not counted; all time is user time */
	pseudo_printf(out, "%d (%s) %c %d %d %d %d %d 4194304 0 0 0 0 ", s.tid, s.comm, s.state, p->ppid, p->pgid,
		      p->sid, TTY_CONSOLE, p->pgid);
	pseudo_printf(out, "%lu 0 0 0 %d %d %u 0 %lu ", s.ns / PROC_NS_PER_TICK, priority_of(&s), s.settings.nice,
		      s.threads, p->start_time / PROC_NS_PER_TICK);
	/* vsize rss rsslim startcode endcode startstack kstkesp kstkeip */
	pseudo_printf(out, "%lu %lu %lu 1 1 %lu 0 0 ", p->vm->nr_mapped * PAGE_SIZE, p->vm->nr_resident,
		      p->rlimits[RLIMIT_RSS].cur, p->vm->stack_top);
	/* signals of the first 31; wchan nswap cnswap exit_signal processor rt_priority policy */
	pseudo_printf(out, "%lu %lu %lu %lu 0 0 0 %d %u %d %d ", s.pending & 0x7fffffff, s.blocked & 0x7fffffff,
		      s.ignored & 0x7fffffff, s.caught & 0x7fffffff, s.whole ? SIGCHLD : -1, s.cpu, s.settings.priority,
		      s.settings.policy);
	/* delays and guest times; start_data end_data start_brk arg_start arg_end env_start env_end exit_code */
	pseudo_printf(out, "0 0 0 0 0 %lu %lu %lu %lu %lu %d\n", p->vm->brk_start, p->args_start, p->args_end,
		      p->env_start, p->env_end, p->exit_status);
	return 0;
}

/* ---- status ------------------------------------------------------------------------------------------------------ */

static void status_ids(struct pseudo_text *out, const struct snapshot *s)
{
	const struct process *p = s->process;
	const struct cred *cred = &p->fs.cred;

	pseudo_printf(out, "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\n",
		      s->comm, p->fs.umask, s->state, s->state == 'R' ? "running" : "sleeping", p->pid, s->tid,
		      p->ppid);
	pseudo_printf(out, "TracerPid:\t0\nUid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t256\nGroups:\t",
		      cred->uid, cred->euid, cred->suid, cred->fsuid, cred->gid, cred->egid, cred->sgid, cred->fsgid);
	for (unsigned i = 0; i < MIN(cred->nr_groups, (unsigned)GROUPS_MAX); i++)
		pseudo_printf(out, "%u ", cred->groups[i]);
	pseudo_printf(out, "\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", p->pid, s->tid, p->pgid, p->sid);
}

static void kib(struct pseudo_text *out, const char *name, uint64_t pages)
{
	pseudo_printf(out, "%s:\t%8lu kB\n", name, pages * (PAGE_SIZE / 1024));
}

static void status_memory(struct pseudo_text *out, struct process *process)
{
	struct proc_vm vm;

	proc_vm_sum(process, &vm);
	kib(out, "VmPeak", vm.mapped);
	kib(out, "VmSize", vm.mapped);
	kib(out, "VmLck", vm.locked);
	kib(out, "VmPin", 0);
	kib(out, "VmHWM", vm.peak);
	kib(out, "VmRSS", vm.resident);
	kib(out, "RssAnon", vm.anon);
	kib(out, "RssFile", vm.file);
	kib(out, "RssShmem", 0);
	kib(out, "VmData", vm.data);
	kib(out, "VmStk", vm.stack);
	kib(out, "VmExe", vm.exec);
	kib(out, "VmLib", vm.libraries);
	kib(out, "VmPTE", vm.resident / 512 + 4);
	kib(out, "VmSwap", 0);
	kib(out, "HugetlbPages", 0);
}

static void status_signals(struct pseudo_text *out, const struct snapshot *s)
{
	pseudo_printf(out, "SigQ:\t%u/%lu\n", s->process->signals.nr_queued,
		      s->process->rlimits[RLIMIT_SIGPENDING].cur);
	pseudo_printf(out, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
		      s->pending, s->shared_pending, s->blocked, s->ignored, s->caught);
}

int proc_status(struct pseudo_text *out, uint64_t key)
{
	const struct process_caps *caps;
	struct snapshot s;
	int error = snapshot_take(key, &s);

	if (error)
		return error;
	caps = &s.process->settings.caps;
	status_ids(out, &s);
	status_memory(out, s.process);
	pseudo_printf(out, "CoreDumping:\t0\nTHP_enabled:\t%d\nThreads:\t%u\n", !s.process->settings.thp_disable,
		      s.threads);
	status_signals(out, &s);
	pseudo_printf(out, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%016lx\n",
		      caps->inheritable, caps->permitted, caps->effective, caps->bounding, caps->ambient);
	pseudo_printf(out, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", s.process->no_new_privs);
	pseudo_puts(out, "Speculation_Store_Bypass:\tunknown\nSpeculationIndirectBranch:\tunknown\nCpus_allowed:\t");
	proc_cpu_mask(out, s.affinity);
	pseudo_puts(out, "\nCpus_allowed_list:\t");
	proc_cpu_list(out, s.affinity);
	pseudo_puts(out, "\nMems_allowed:\t00000000,00000001\nMems_allowed_list:\t0\n");
	pseudo_printf(out, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n", s.nr_voluntary,
		      s.nr_involuntary);
	return 0;
}

/* ---- The small ones ---------------------------------------------------------------------------------------------- */

int proc_statm(struct pseudo_text *out, uint64_t key)
{
	struct process *process = proc_process(key);
	struct proc_vm vm;

	if (!process)
		return -ESRCH;
	proc_vm_sum(process, &vm);
	pseudo_printf(out, "%lu %lu %lu %lu 0 %lu 0\n", vm.mapped, vm.resident, vm.file, vm.exec, vm.data + vm.stack);
	return 0;
}

int proc_comm(struct pseudo_text *out, uint64_t key)
{
	struct snapshot s;
	int error = snapshot_take(key, &s);

	if (!error)
		pseudo_printf(out, "%s\n", s.comm);
	return error;
}

ssize_t proc_comm_store(const char *buf, size_t len, uint64_t key)
{
	struct process *process = proc_process(key);
	struct task *task = NULL;
	unsigned long irq;

	if (!process)
		return -ESRCH;
	irq = spin_lock_irqsave(&process->lock);
	task = task_find(process, proc_key_id(key) ? (int)proc_key_id(key) : process->pid);
	if (task) {
		memset(task->comm, 0, sizeof(task->comm));
		memcpy(task->comm, buf, MIN(len, COMM_MAX - 1ul));
	}
	spin_unlock_irqrestore(&process->lock, irq);
	return task ? (ssize_t)len : -ESRCH;
}

/* Time on a processor, time spent waiting for one (not counted), turns. */
int proc_schedstat(struct pseudo_text *out, uint64_t key)
{
	struct snapshot s;
	int error = snapshot_take(key, &s);

	if (!error)
		pseudo_printf(out, "%lu 0 %lu\n", s.ns, s.nr_voluntary + s.nr_involuntary);
	return error;
}
