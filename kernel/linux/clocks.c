#include "kernel/linux/clocks.h"

#include "kernel/core/clock.h"
#include "kernel/linux/task.h"
#include "kernel/linux/timespec.h"

/* clock_getcpuclockid(3), pthread_getcpuclockid(3): see abi_time.h. */
static enum clock_kind dynamic_kind(int clockid, int *tid)
{
	struct process *process = process_current();
	int id = ~(clockid >> 3);
	unsigned long flags;
	bool exists;

	if ((clockid & CLOCK_ID_KIND) == CLOCK_ID_FD || id < 0)
		return CLOCK_KIND_NONE;
	if (!(clockid & CLOCK_ID_THREAD))
		return id == 0 || id == process->pid ? CLOCK_KIND_PROCESS : CLOCK_KIND_NONE;
	if (id == 0)
		id = task_current()->tid;
	*tid = id;
	flags = spin_lock_irqsave(&process->lock);
	exists = task_find(process, id);
	spin_unlock_irqrestore(&process->lock, flags);
	return exists ? CLOCK_KIND_THREAD : CLOCK_KIND_NONE;
}

enum clock_kind clock_kind(int clockid, int *tid)
{
	switch (clockid) {
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return CLOCK_KIND_MONOTONIC;
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI: /* the same until somebody tells how many leap seconds there were */
		return CLOCK_KIND_REALTIME;
	case CLOCK_PROCESS_CPUTIME_ID:
		return CLOCK_KIND_PROCESS;
	case CLOCK_THREAD_CPUTIME_ID:
		*tid = task_current()->tid;
		return CLOCK_KIND_THREAD;
	default:
		return clockid < 0 ? dynamic_kind(clockid, tid) : CLOCK_KIND_NONE;
	}
}

int clock_read(int clockid, uint64_t *ns)
{
	int tid;

	switch (clock_kind(clockid, &tid)) {
	case CLOCK_KIND_MONOTONIC:
		*ns = clock_monotonic();
		break;
	case CLOCK_KIND_REALTIME:
		*ns = clock_realtime();
		break;
	case CLOCK_KIND_PROCESS:
		*ns = process_runtime(process_current());
		break;
	case CLOCK_KIND_THREAD:
		*ns = task_runtime(process_current(), tid);
		break;
	case CLOCK_KIND_NONE:
		return -EINVAL;
	}
	if (clockid == CLOCK_MONOTONIC_COARSE || clockid == CLOCK_REALTIME_COARSE)
		*ns -= *ns % CLOCK_COARSE_NS;
	return 0;
}

uint64_t clock_deadline(enum clock_kind kind, uint64_t at)
{
	uint64_t wall;

	if (kind != CLOCK_KIND_REALTIME)
		return at;
	wall = clock_realtime();
	return at <= wall ? 0 : time_add(clock_monotonic(), at - wall);
}

uint64_t process_runtime(struct process *process)
{
	unsigned long flags = spin_lock_irqsave(&process->lock);
	uint64_t sum = process->ended_runtime;
	struct list *pos;

	list_for_each(pos, &process->tasks)
		sum += thread_runtime(list_entry(pos, struct task, link)->thread);
	spin_unlock_irqrestore(&process->lock, flags);
	return sum;
}

uint64_t task_runtime(struct process *process, int tid)
{
	unsigned long flags = spin_lock_irqsave(&process->lock);
	struct task *task = task_find(process, tid);
	uint64_t runtime = task ? thread_runtime(task->thread) : 0;

	spin_unlock_irqrestore(&process->lock, flags);
	return runtime;
}
