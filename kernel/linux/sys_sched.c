/*
 * Scheduling as programs ask for it, sched(7). The scheduler knows one policy: fair, with weights. Real-time policies
 * are noted and get the largest weight, SCHED_IDLE the smallest.
 */
#include "kernel/core/cpu.h"
#include "kernel/linux/abi_thread.h"
#include "kernel/linux/settings.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/task.h"
#include "kernel/linux/timespec.h"
#include "kernel/linux/user_copy.h"
#include "lib/string.h"

#define NICE_MIN (-20)
#define NICE_MAX 19
#define PRIORITY_MAX 99
#define SLICE_FAIR (4 * NSEC_PER_MSEC) /* sched.h */
#define SLICE_RR (100 * NSEC_PER_MSEC) /* what Linux has; ours is fair too */

/* Calls fn for the thread TID (0: the caller) with process->lock held, so it stays. -ESRCH; else what fn returns. */
static long with_task(int tid, long (*fn)(struct task *task, void *arg), void *arg)
{
	struct process *process = process_current();
	unsigned long flags;
	struct task *task;
	long result = -ESRCH;

	if (tid < 0)
		return -EINVAL;
	flags = spin_lock_irqsave(&process->lock);
	task = tid ? task_find(process, tid) : task_current();
	if (task)
		result = fn(task, arg);
	spin_unlock_irqrestore(&process->lock, flags);
	return result;
}

/*
 * ---- Policy, priority, nice -------------------------------------------------------------------------------------
 */

static bool is_realtime(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static void weight_apply(struct task *task)
{
	const struct task_settings *s = &task->settings;

	thread_set_nice(task->thread, is_realtime(s->policy) ? NICE_MIN : s->policy == SCHED_IDLE ? NICE_MAX : s->nice);
}

static bool may_nice(const struct process *process, int from, int to)
{
	return to >= from || (uint64_t)(NICE_MAX + 1 - to) <= process->rlimits[RLIMIT_NICE].cur ||
	       process_is_capable(process, CAP_SYS_NICE);
}

static bool may_realtime(const struct process *process, const struct task_settings *from, int priority)
{
	return (is_realtime(from->policy) && priority <= from->priority) ||
	       (uint64_t)priority <= process->rlimits[RLIMIT_RTPRIO].cur || process_is_capable(process, CAP_SYS_NICE);
}

/* ARG: the new struct task_settings, whose timer_slack is not looked at. */
static long settings_change(struct task *task, void *arg)
{
	const struct task_settings *new = arg;
	struct task_settings *s = &task->settings;
	const struct process *process = task->process;

	if (is_realtime(new->policy) ? !may_realtime(process, s, new->priority)
				     : !may_nice(process, s->nice, new->nice))
		return -EPERM;
	if (s->reset_on_fork && !new->reset_on_fork && !process_is_capable(process, CAP_SYS_NICE))
		return -EPERM;
	s->policy = new->policy;
	s->priority = new->priority;
	s->nice = new->nice;
	s->reset_on_fork = new->reset_on_fork;
	weight_apply(task);
	return 0;
}

static long settings_get(struct task *task, void *arg)
{
	*(struct task_settings *)arg = task->settings;
	return 0;
}

static int settings_check(const struct task_settings *s)
{
	switch (s->policy) {
	case SCHED_FIFO:
	case SCHED_RR:
		return s->priority >= 1 && s->priority <= PRIORITY_MAX ? 0 : -EINVAL;
	case SCHED_NORMAL:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return s->priority == 0 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* POLICY -1: as it is. */
static long policy_set(int pid, int policy, const struct linux_sched_param *user)
{
	struct linux_sched_param param;
	struct task_settings s;
	long err;

	if (!user || pid < 0)
		return -EINVAL;
	if (copy_in(&param, user, sizeof(param)))
		return -EFAULT;
	err = with_task(pid, settings_get, &s);
	if (err)
		return err;
	if (policy != -1) {
		s.policy = policy & ~SCHED_RESET_ON_FORK;
		s.reset_on_fork = policy & SCHED_RESET_ON_FORK;
	}
	s.priority = param.priority;
	err = settings_check(&s);
	return err ? err : with_task(pid, settings_change, &s);
}

long sys_sched_setscheduler(int pid, int policy, const struct linux_sched_param *param)
{
	return policy < 0 ? -EINVAL : policy_set(pid, policy, param);
}

long sys_sched_setparam(int pid, const struct linux_sched_param *param)
{
	return policy_set(pid, -1, param);
}

long sys_sched_getscheduler(int pid)
{
	struct task_settings s;
	long err = with_task(pid, settings_get, &s);

	return err ? err : s.policy | (s.reset_on_fork ? SCHED_RESET_ON_FORK : 0);
}

long sys_sched_getparam(int pid, struct linux_sched_param *param)
{
	struct linux_sched_param out;
	struct task_settings s;
	long err;

	if (!param)
		return -EINVAL;
	err = with_task(pid, settings_get, &s);
	if (err)
		return err;
	out.priority = s.priority;
	return copy_out(param, &out, sizeof(out));
}

/* sched_setattr(2): a longer structure is one of a later Linux; what it adds must be 0. */
static int attr_read(struct linux_sched_attr *attr, const struct linux_sched_attr *user)
{
	static const uint32_t known = sizeof(*attr);
	uint32_t size, len;
	uint8_t byte;

	memset(attr, 0, sizeof(*attr));
	if (copy_in(&size, user, sizeof(size)))
		return -EFAULT;
	len = size ? size : SCHED_ATTR_SIZE_VER0;
	if (len < SCHED_ATTR_SIZE_VER0 || len > PAGE_SIZE)
		goto size_unknown;
	for (uint32_t i = known; i < len; i++) {
		if (copy_in(&byte, (const uint8_t *)user + i, 1))
			return -EFAULT;
		if (byte)
			goto size_unknown;
	}
	return copy_in(attr, user, MIN(len, known));
size_unknown:
	return copy_out((void *)(uintptr_t)user, &known, sizeof(known)) ? -EFAULT : -E2BIG;
}

long sys_sched_setattr(int pid, const struct linux_sched_attr *attr, unsigned flags)
{
	struct linux_sched_attr in;
	struct task_settings s;
	long err;

	if (!attr || pid < 0 || flags)
		return -EINVAL;
	err = attr_read(&in, attr);
	if (err)
		return err;
	if ((int)in.policy < 0 ||
	    in.flags & ~(uint64_t)(SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN |
				   SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS))
		return -EINVAL;
	err = with_task(pid, settings_get, &s);
	if (err)
		return err;
	if (!(in.flags & SCHED_FLAG_KEEP_POLICY))
		s.policy = (int)in.policy;
	if (!(in.flags & SCHED_FLAG_KEEP_PARAMS)) {
		s.priority = (int)in.priority;
		if (!is_realtime(s.policy))
			s.nice = MAX(MIN(in.nice, NICE_MAX), NICE_MIN);
	}
	s.reset_on_fork = in.flags & SCHED_FLAG_RESET_ON_FORK;
	err = settings_check(&s);
	return err ? err : with_task(pid, settings_change, &s);
}

long sys_sched_getattr(int pid, struct linux_sched_attr *attr, unsigned size, unsigned flags)
{
	struct linux_sched_attr out = { 0 };
	struct task_settings s;
	long err;

	if (!attr || pid < 0 || size > PAGE_SIZE || size < SCHED_ATTR_SIZE_VER0 || flags)
		return -EINVAL;
	err = with_task(pid, settings_get, &s);
	if (err)
		return err;
	out.size = MIN(size, (unsigned)sizeof(out));
	out.policy = (uint32_t)s.policy;
	out.flags = s.reset_on_fork ? SCHED_FLAG_RESET_ON_FORK : 0;
	out.priority = (uint32_t)s.priority;
	out.nice = is_realtime(s.policy) ? 0 : s.nice;
	out.util_max = 1024;
	return copy_out(attr, &out, out.size);
}

long sys_sched_get_priority_max(int policy)
{
	struct task_settings s = { .policy = policy };

	if (is_realtime(policy))
		return PRIORITY_MAX;
	return policy == SCHED_DEADLINE ? 0 : settings_check(&s);
}

long sys_sched_get_priority_min(int policy)
{
	return is_realtime(policy) ? 1 : sys_sched_get_priority_max(policy);
}

long sys_sched_rr_get_interval(int pid, struct linux_timespec *interval)
{
	struct task_settings s;
	long err = with_task(pid, settings_get, &s);

	if (err)
		return err;
	return timespec_write(interval, s.policy == SCHED_FIFO ? 0 : s.policy == SCHED_RR ? SLICE_RR : SLICE_FAIR);
}

static long nice_set(struct task *task, void *arg)
{
	int nice = *(int *)arg;

	if (!may_nice(task->process, task->settings.nice, nice))
		return -EACCES;
	task->settings.nice = nice;
	weight_apply(task);
	return 0;
}

/* The lowest nice value so far is kept in *ARG. */
static long nice_get(struct task *task, void *arg)
{
	int *nice = arg;

	*nice = MIN(*nice, task->settings.nice);
	return 0;
}

/* Those that WHICH and WHO mean, getpriority(2): one thread, or all of them. */
static long with_tasks(int which, int who, long (*fn)(struct task *task, void *arg), void *arg)
{
	struct process *process = process_current();
	unsigned long flags;
	struct list *pos;
	long result = -ESRCH, one;

	if (which == PRIO_PROCESS)
		return who < 0 ? -ESRCH : with_task(who, fn, arg);
	if (which != PRIO_PGRP && which != PRIO_USER)
		return -EINVAL;
	if (who && who != (which == PRIO_PGRP ? process->pgid : (int)process->fs.cred.uid))
		return -ESRCH;
	flags = spin_lock_irqsave(&process->lock);
	list_for_each(pos, &process->tasks) {
		one = fn(list_entry(pos, struct task, link), arg);
		if (result == -ESRCH || one)
			result = one;
	}
	spin_unlock_irqrestore(&process->lock, flags);
	return result;
}

long sys_setpriority(int which, int who, int nice)
{
	nice = MAX(MIN(nice, NICE_MAX), NICE_MIN);
	return with_tasks(which, who, nice_set, &nice);
}

/* 20 less the nice value, so that no result is negative. */
long sys_getpriority(int which, int who)
{
	int nice = NICE_MAX;
	long err = with_tasks(which, who, nice_get, &nice);

	return err ? err : NICE_MAX + 1 - nice;
}

/*
 * ---- CPUs -------------------------------------------------------------------------------------------------------
 */

long sys_sched_yield(void)
{
	thread_yield();
	return 0;
}

static long affinity_set(struct task *task, void *arg)
{
	return thread_set_affinity(task->thread, arg);
}

static long affinity_get(struct task *task, void *arg)
{
	memcpy(arg, task->thread->affinity, sizeof(task->thread->affinity));
	return 0;
}

long sys_sched_setaffinity(int pid, unsigned len, const unsigned long *mask)
{
	uint64_t set[CPU_MAX / 64] = { 0 };

	if (copy_in(set, mask, MIN(len, (unsigned)sizeof(set))))
		return -EFAULT;
	/* A thread that has to leave its CPU does so in thread_set_affinity, which must not happen under a lock. */
	if (!pid || pid == task_current()->tid)
		return thread_set_affinity(thread_current(), set);
	return with_task(pid, affinity_set, set);
}

/* Bytes that were written: as many as the CPUs that there are need, in whole words. */
long sys_sched_getaffinity(int pid, unsigned len, unsigned long *mask)
{
	uint64_t set[CPU_MAX / 64];
	size_t size = ALIGN_UP(nr_cpus, 64u) / 8;
	long err;

	if (len < size || len % sizeof(set[0]))
		return -EINVAL;
	err = with_task(pid, affinity_get, set);
	if (err)
		return err;
	for (unsigned cpu = 0; cpu < CPU_MAX; cpu++)
		if (cpu >= nr_cpus || !cpus[cpu].online)
			set[cpu / 64] &= ~(1ul << cpu % 64);
	return copy_out(mask, set, size) ? -EFAULT : (long)size;
}

long sys_getcpu(unsigned *cpu, unsigned *node, void *cache)
{
	unsigned here = cpu_self(), zero = 0;

	(void)cache;
	if ((cpu && copy_out(cpu, &here, sizeof(here))) || (node && copy_out(node, &zero, sizeof(zero))))
		return -EFAULT;
	return 0;
}

/*
 * ---- membarrier(2) ----------------------------------------------------------------------------------------------
 */

#define REGISTRATIONS                                                                                                  \
	(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |                        \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ)
#define BARRIERS                                                                                                       \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |                  \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ)

/* An interrupt, and the return from it, is both the memory barrier and the one for instructions. */
static void barrier_here(void *arg)
{
	(void)arg;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* The bit of a private command's registration is the next higher one. */
static bool is_registered(const struct process *process, int cmd)
{
	return cmd == MEMBARRIER_CMD_GLOBAL || cmd == MEMBARRIER_CMD_GLOBAL_EXPEDITED ||
	       (__atomic_load_n(&process->settings.membarriers, __ATOMIC_RELAXED) & (unsigned)cmd << 1);
}

long sys_membarrier(int cmd, unsigned flags, int cpu)
{
	struct process *process = process_current();

	(void)cpu;
	if (flags && (cmd != MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ || flags != MEMBARRIER_CMD_FLAG_CPU))
		return -EINVAL;
	if (cmd == MEMBARRIER_CMD_QUERY)
		return BARRIERS | REGISTRATIONS;
	if (cmd < 0 || cmd & (cmd - 1) || !(cmd & (BARRIERS | REGISTRATIONS)))
		return -EINVAL;
	if (cmd & REGISTRATIONS) {
		__atomic_fetch_or(&process->settings.membarriers, (unsigned)cmd, __ATOMIC_RELAXED);
		return 0;
	}
	if (!is_registered(process, cmd))
		return -EPERM;
	barrier_here(NULL);
	if (nr_cpus_online > 1)
		cpu_call_others(barrier_here, NULL);
	return 0;
}

/*
 * ---- I/O priorities, ioprio_set(2): taken, and of no consequence --------------------------------------------------
 */

long sys_ioprio_get(int which, int who)
{
	(void)who;
	return which >= 1 && which <= 3 ? 0 : -EINVAL;
}

long sys_ioprio_set(int which, int who, int ioprio)
{
	(void)who;
	return which >= 1 && which <= 3 && ioprio >> 13 <= 3 ? 0 : -EINVAL;
}
