/* /proc/PID: what a process was started with and may do. Its memory is read as it reads it itself. */
#include "kernel/core/clock.h"
#include "kernel/linux/abi_process.h"
#include "kernel/linux/proc.h"
#include "kernel/linux/task.h"
#include "kernel/mem/user.h"
#include "lib/errno.h"
#include "lib/string.h"

#define ARGS_MAX_LEN (16ul << 20)

/* [START, END) of the application's memory, as far as it is there. */
static void memory_append(struct pseudo_text *out, uintptr_t start, uintptr_t end)
{
	while (start < end) {
		size_t len = MIN(end - start, PAGE_SIZE - start % PAGE_SIZE);
		char *to;

		if (!user_range_is_valid((void *)start, len) || !(to = pseudo_room(out, len)))
			return;
		if (user_read(to, (void *)start, len)) {
			out->len -= len;
			return;
		}
		start += len;
	}
}

/*
 * A program that changed its arguments to show a state (setproctitle(3)) has overwritten the NUL at their end: then they are
 * one string, that may go on where the environment was.
 */
int proc_cmdline(struct pseudo_text *out, uint64_t key)
{
	const struct process *process = proc_process(key);
	const char *nul;

	if (!process)
		return -ESRCH;
	if (process->args_end <= process->args_start || process->args_end - process->args_start > ARGS_MAX_LEN)
		return 0;
	memory_append(out, process->args_start, process->args_end);
	if (!out->len || !out->buf[out->len - 1])
		return 0;
	if (process->env_start == process->args_end && process->env_end - process->env_start <= ARGS_MAX_LEN)
		memory_append(out, process->env_start, process->env_end);
	nul = memchr(out->buf, '\0', out->len);
	if (nul)
		out->len = (size_t)(nul - out->buf) + 1;
	return 0;
}

int proc_environ(struct pseudo_text *out, uint64_t key)
{
	const struct process *process = proc_process(key);

	if (!process)
		return -ESRCH;
	if (process->env_end > process->env_start && process->env_end - process->env_start <= ARGS_MAX_LEN)
		memory_append(out, process->env_start, process->env_end);
	return 0;
}

int proc_auxv(struct pseudo_text *out, uint64_t key)
{
	const struct process *process = proc_process(key);

	if (!process)
		return -ESRCH;
	pseudo_write(out, process->auxv, sizeof(process->auxv[0]) * MIN(process->auxv_len, 64u));
	return 0;
}

static void limit_append(struct pseudo_text *out, uint64_t value)
{
	if (value == RLIM_INFINITY)
		pseudo_printf(out, "%-20s ", "unlimited");
	else
		pseudo_printf(out, "%-20lu ", value);
}

int proc_limits(struct pseudo_text *out, uint64_t key)
{
	static const struct {
		const char *name, *unit;
	} names[RLIMITS] = {
		[RLIMIT_CPU] = { "Max cpu time", "seconds" },
		[RLIMIT_FSIZE] = { "Max file size", "bytes" },
		[RLIMIT_DATA] = { "Max data size", "bytes" },
		[RLIMIT_STACK] = { "Max stack size", "bytes" },
		[RLIMIT_CORE] = { "Max core file size", "bytes" },
		[RLIMIT_RSS] = { "Max resident set", "bytes" },
		[RLIMIT_NPROC] = { "Max processes", "processes" },
		[RLIMIT_NOFILE] = { "Max open files", "files" },
		[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
		[RLIMIT_AS] = { "Max address space", "bytes" },
		[RLIMIT_LOCKS] = { "Max file locks", "locks" },
		[RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
		[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
		[RLIMIT_NICE] = { "Max nice priority", NULL },
		[RLIMIT_RTPRIO] = { "Max realtime priority", NULL },
		[RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
	};
	struct process *process = proc_process(key);
	struct rlimit_pair limits[RLIMITS];
	unsigned long irq;

	if (!process)
		return -ESRCH;
	irq = spin_lock_irqsave(&process->lock);
	memcpy(limits, process->rlimits, sizeof(limits));
	spin_unlock_irqrestore(&process->lock, irq);
	pseudo_printf(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < RLIMITS; i++) {
		pseudo_printf(out, "%-25s ", names[i].name);
		limit_append(out, limits[i].cur);
		limit_append(out, limits[i].max);
		if (names[i].unit)
			pseudo_printf(out, "%-10s\n", names[i].unit);
		else
			pseudo_puts(out, "\n");
	}
	return 0;
}

int proc_personality(struct pseudo_text *out, uint64_t key)
{
	const struct process *process = proc_process(key);

	if (!process)
		return -ESRCH;
	pseudo_printf(out, "%08x\n", process->settings.personality);
	return 0;
}

int proc_timerslack(struct pseudo_text *out, uint64_t key)
{
	(void)key;
	pseudo_printf(out, "%lu\n", task_current()->settings.timer_slack);
	return 0;
}
