/*
 * What the system, the process and its limits are: uname(2), sysinfo(2), getrusage(2), getrlimit(2), times(2),
 * wait(2) ...
 */
#include "kernel/core/log.h"
#include "kernel/core/random.h"
#include "kernel/dev/machine.h"
#include "kernel/linux/clocks.h"
#include "kernel/linux/settings.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/system.h"
#include "kernel/linux/task.h"
#include "kernel/linux/timespec.h"
#include "kernel/linux/user_copy.h"
#include "kernel/mem/page.h"
#include "lib/string.h"

#define NOFILE_MAX (1024 * 1024) /* fs.nr_open */
#define RANDOM_CHUNK 256

/*
 * ---- Names ------------------------------------------------------------------------------------------------------
 */

static struct spinlock name_lock = SPINLOCK_INIT("utsname"); /* covers system_name */
/* The release is that of the Linux whose system calls these are: programs look at it before they use new ones. */
static struct linux_utsname system_name = {
	.sysname = "Linux",
	.nodename = "drupe",
	.release = "6.1.0-drupe",
	.version = "#1 SMP PREEMPT Drupe",
	.machine = "x86_64",
	.domainname = "(none)",
};

void system_name_get(struct linux_utsname *out)
{
	spin_lock(&name_lock);
	*out = system_name;
	spin_unlock(&name_lock);
}

long sys_uname(struct linux_utsname *name)
{
	struct linux_utsname out;

	system_name_get(&out);
	return copy_out(name, &out, sizeof(out));
}

static long name_set(char *field, const char *user, int len)
{
	char text[UTSNAME_LEN] = { 0 };

	if (!process_is_capable(process_current(), CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len >= UTSNAME_LEN)
		return -EINVAL;
	if (copy_in(text, user, (size_t)len))
		return -EFAULT;
	spin_lock(&name_lock);
	memcpy(field, text, sizeof(text));
	spin_unlock(&name_lock);
	return 0;
}

long sys_sethostname(const char *name, int len)
{
	return name_set(system_name.nodename, name, len);
}

long sys_setdomainname(const char *name, int len)
{
	return name_set(system_name.domainname, name, len);
}

long sys_sysinfo(struct linux_sysinfo *info)
{
	struct linux_sysinfo out = { .mem_unit = 1 };
	struct page_stats pages;

	page_stats(&pages);
	out.uptime = (int64_t)(clock_monotonic() / NSEC_PER_SEC);
	out.totalram = pages.total * PAGE_SIZE;
	out.freeram = pages.free * PAGE_SIZE;
	out.procs = (uint16_t)MIN(READ_ONCE(process_current()->nr_tasks), (unsigned)UINT16_MAX);
	return copy_out(info, &out, sizeof(out));
}

/* syslog(2). The log's lines stay where they are: on the console. */
long sys_syslog(int type, char *buf, int len)
{
	if (!process_is_capable(process_current(), CAP_SYSLOG))
		return -EPERM;
	switch (type) {
	case 2: /* read; and below read all, read and clear */
	case 3:
	case 4:
		return !buf || len < 0 ? -EINVAL : 0;
	case 8: /* console level */
		if (len < 1 || len > 8)
			return -EINVAL;
		log_console_level_set((enum log_level)(len - 1));
		return 0;
	default:
		return type >= 0 && type <= 10 ? 0 : -EINVAL;
	}
}

long sys_getrandom(char *buf, size_t count, unsigned flags)
{
	uint8_t chunk[RANDOM_CHUNK];
	size_t done = 0;

	if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	count = MIN(count, (size_t)INT32_MAX);
	while (done < count) {
		size_t len = MIN(count - done, sizeof(chunk));

		random_bytes(chunk, len);
		if (copy_out(buf + done, chunk, len))
			break;
		done += len;
		if (done < count && thread_is_interrupted())
			break;
	}
	memset(chunk, 0, sizeof(chunk));
	barrier(); /* the compiler must not leave that out */
	return done || !count ? (long)done : -EFAULT;
}

/*
 * ---- Use of resources -------------------------------------------------------------------------------------------
 */

/* Time in the kernel and outside of it is not told apart. */
long sys_times(struct linux_tms *tms)
{
	const uint64_t tick = NSEC_PER_SEC / USER_HZ;
	struct linux_tms out = { .utime = (int64_t)(process_runtime(process_current()) / tick) };

	if (tms && copy_out(tms, &out, sizeof(out)))
		return -EFAULT;
	return (long)(clock_monotonic() / tick);
}

static void switches_add(struct process *process, struct linux_rusage *usage)
{
	unsigned long flags = spin_lock_irqsave(&process->lock);
	struct list *pos;

	list_for_each(pos, &process->tasks) {
		usage->nvcsw += (int64_t)list_entry(pos, struct task, link)->nr_voluntary;
		usage->nivcsw += (int64_t)list_entry(pos, struct task, link)->nr_involuntary;
	}
	spin_unlock_irqrestore(&process->lock, flags);
}

long sys_getrusage(int who, struct linux_rusage *rusage)
{
	struct task *task = task_current();
	struct linux_rusage usage = { 0 };

	switch (who) {
	case RUSAGE_SELF:
		usage.utime = timeval_of(process_runtime(task->process));
		switches_add(task->process, &usage);
		break;
	case RUSAGE_THREAD:
		usage.utime = timeval_of(thread_runtime(task->thread));
		usage.nvcsw = (int64_t)task->nr_voluntary;
		usage.nivcsw = (int64_t)task->nr_involuntary;
		break;
	case RUSAGE_CHILDREN:
		return copy_out(rusage, &usage, sizeof(usage));
	default:
		return -EINVAL;
	}
	usage.maxrss = (int64_t)(task->process->vm->nr_peak * (PAGE_SIZE / 1024));
	return copy_out(rusage, &usage, sizeof(usage));
}

/*
 * ---- Limits -----------------------------------------------------------------------------------------------------
 */

/* What keeps its limit elsewhere hears of it. */
static void limit_apply(struct process *process, unsigned resource, uint64_t cur)
{
	switch (resource) {
	case RLIMIT_NOFILE:
		fdtable_limit_set(process->files, (unsigned)MIN(cur, (uint64_t)NOFILE_MAX));
		break;
	case RLIMIT_AS:
		WRITE_ONCE(process->vm->limit_as, cur);
		break;
	case RLIMIT_DATA:
		WRITE_ONCE(process->vm->limit_data, cur);
		break;
	case RLIMIT_STACK:
		WRITE_ONCE(process->vm->limit_stack, cur);
		break;
	default:
		break;
	}
}

/* NEW may be NULL. */
static int limit_exchange(struct process *process, unsigned resource, const struct linux_rlimit *new,
			  struct linux_rlimit *old)
{
	bool may_raise = process_is_capable(process, CAP_SYS_RESOURCE);
	unsigned long flags;
	int err = 0;

	if (resource >= RLIM_NLIMITS || (new &&new->cur > new->max))
		return -EINVAL;
	if (new &&resource == RLIMIT_NOFILE &&new->max > NOFILE_MAX)
		return -EPERM;
	flags = spin_lock_irqsave(&process->lock);
	*old = (struct linux_rlimit){ process->rlimits[resource].cur, process->rlimits[resource].max };
	if (new &&new->max > old->max && !may_raise)
		err = -EPERM;
	else if (new)
		process->rlimits[resource] = (struct rlimit_pair){ new->cur, new->max };
	spin_unlock_irqrestore(&process->lock, flags);
	if (new && !err)
		limit_apply(process, resource, new->cur);
	return err;
}

long sys_getrlimit(unsigned resource, struct linux_rlimit *rlimit)
{
	struct linux_rlimit old;
	int err = limit_exchange(process_current(), resource, NULL, &old);

	return err ? err : copy_out(rlimit, &old, sizeof(old));
}

long sys_setrlimit(unsigned resource, const struct linux_rlimit *rlimit)
{
	struct linux_rlimit new, old;

	if (copy_in(&new, rlimit, sizeof(new)))
		return -EFAULT;
	return limit_exchange(process_current(), resource, &new, &old);
}

long sys_prlimit64(int pid, unsigned resource, const struct linux_rlimit *new_limit, struct linux_rlimit *old_limit)
{
	struct process *process = process_find(pid);
	struct linux_rlimit new, old;
	int err;

	if (new_limit && copy_in(&new, new_limit, sizeof(new)))
		return -EFAULT;
	if (!process)
		return -ESRCH;
	err = limit_exchange(process, resource, new_limit ? &new : NULL, &old);
	if (err)
		return err;
	return old_limit ? copy_out(old_limit, &old, sizeof(old)) : 0;
}

/*
 * ---- Children: there are none -----------------------------------------------------------------------------------
 */

long sys_wait4(int pid, int *status, int options, struct linux_rusage *rusage)
{
	(void)status, (void)rusage;
	/* __WNOTHREAD, __WALL, __WCLONE */
	if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | 0x20000000 | 0x40000000 | (int)0x80000000))
		return -EINVAL;
	return pid == INT32_MIN ? -ESRCH : -ECHILD;
}

long sys_waitid(int which, int id, struct linux_siginfo *info, int options, struct linux_rusage *rusage)
{
	(void)info, (void)rusage;
	if (options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | 0x20000000 | 0x40000000 |
			(int)0x80000000) ||
	    !(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	if (which == P_PIDFD)
		return id < 0 ? -EINVAL : -EBADF;
	if (which < P_ALL || which > P_PGID || (which == P_PID && id <= 0) || (which == P_PGID && id < 0))
		return -EINVAL;
	return -ECHILD;
}
