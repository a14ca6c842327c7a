#include "kernel/linux/settings.h"

#include "kernel/linux/task.h"
#include "kernel/mem/page.h"

void task_settings_init(struct task_settings *settings, const struct task_settings *parent)
{
	if (parent)
		*settings = *parent;
	else
		*settings = (struct task_settings){ .timer_slack = 50000 };
	if (settings->reset_on_fork)
		*settings = (struct task_settings){ .timer_slack = settings->timer_slack };
}

/* setrlimit(2); what Linux gives to its first process, and systemd's usual limit of descriptors (INIT_RLIMITS). */
static void limits_init(struct rlimit_pair *limits)
{
	struct page_stats stats;
	uint64_t threads;

	page_stats(&stats);
	threads = MAX(stats.total / 8,
		      1024ul); /* kernel stacks in an eighth of the memory, and what else a thread needs */
	for (unsigned i = 0; i < RLIM_NLIMITS; i++)
		limits[i] = (struct rlimit_pair){ RLIM_INFINITY, RLIM_INFINITY };
	limits[RLIMIT_STACK].cur = MIB(8);
	limits[RLIMIT_CORE].cur = 0;
	limits[RLIMIT_NPROC] = limits[RLIMIT_SIGPENDING] = (struct rlimit_pair){ threads, threads };
	limits[RLIMIT_NOFILE] = (struct rlimit_pair){ 1024, 1024 * 1024 };
	limits[RLIMIT_MEMLOCK] = (struct rlimit_pair){ MIB(8), MIB(8) };
	limits[RLIMIT_MSGQUEUE] = (struct rlimit_pair){ 819200, 819200 };
	limits[RLIMIT_NICE] = limits[RLIMIT_RTPRIO] = (struct rlimit_pair){ 0, 0 };
}

void process_settings_init(struct process *process)
{
	bool root = process->fs.cred.uid == 0;
	uint64_t caps = root ? CAPS_ALL : 0;

	process->settings = (struct process_settings){ .caps = { caps, caps, 0, CAPS_ALL, 0 } };
	process->dumpable = true;
	limits_init(process->rlimits);
}

bool process_is_capable(const struct process *process, unsigned cap)
{
	return __atomic_load_n(&process->settings.caps.effective, __ATOMIC_RELAXED) >> cap & 1;
}

void caps_after_setuid(struct process *process, uint32_t old_ruid, uint32_t old_euid, uint32_t old_suid)
{
	const struct cred *cred = &process->fs.cred;
	struct process_settings *s = &process->settings;
	bool was_root = !old_ruid || !old_euid || !old_suid;
	bool is_root = !cred->uid || !cred->euid || !cred->suid;

	if (was_root && !is_root) {
		if (!s->keep_caps)
			s->caps.permitted = s->caps.effective = 0;
		s->caps.ambient = 0;
	}
	if (old_euid == 0 && cred->euid != 0)
		s->caps.effective = 0;
	else if (old_euid != 0 && cred->euid == 0)
		s->caps.effective = s->caps.permitted;
}
