#include "kernel/linux/timers.h"

#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/linux/abi_process.h"
#include "kernel/linux/clocks.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/task.h"
#include "kernel/linux/timespec.h"
#include "kernel/mem/slab.h"

/* Between two looks at a CPU clock, and two expiries of a timer whose signal is ignored. */
#define POLL_MIN NSEC_PER_MSEC

/* All under process->timers.lock. */
struct posix_timer {
	struct rb_node node;
	struct timer timer;
	struct process *process;
	int id;
	enum clock_kind clock;	/* as it was created */
	enum clock_kind domain; /* what `expires` is a time of: relative ones on wall time do not follow its changes */
	int clock_tid;		/* of CLOCK_KIND_THREAD */
	bool active;		/* will expire; or has, with its next period to be armed when the signal is taken */
	bool fired;		/* the latter */
	bool silent;		/* SIGEV_NONE */
	uint64_t expires, interval;
	int target;  /* thread id, 0: the process */
	int overrun; /* of the signal that was taken last */
	struct signal_queue_entry entry;
};

static uint64_t domain_now(const struct posix_timer *pt)
{
	switch (pt->domain) {
	case CLOCK_KIND_REALTIME:
		return clock_realtime();
	case CLOCK_KIND_PROCESS:
		return process_runtime(pt->process);
	case CLOCK_KIND_THREAD:
		return task_runtime(pt->process, pt->clock_tid);
	default:
		return clock_monotonic();
	}
}

/* A CPU clock does not run faster than all CPUs together: a look at it before that is too early. */
static void arm_locked(struct posix_timer *pt)
{
	uint64_t now, left;

	if (pt->silent)
		return;
	if (pt->domain == CLOCK_KIND_MONOTONIC || pt->domain == CLOCK_KIND_REALTIME) {
		timer_set(&pt->timer, clock_deadline(pt->domain, pt->expires));
		return;
	}
	now = domain_now(pt);
	left = pt->expires > now ? pt->expires - now : 0;
	if (pt->domain == CLOCK_KIND_PROCESS)
		left /= nr_cpus_online;
	timer_set(&pt->timer, time_add(clock_monotonic(), MAX(left, POLL_MIN)));
}

/* Goes to the first period that ends after NOW. How many were passed over besides the one that has ended. */
static uint64_t forward_locked(struct posix_timer *pt, uint64_t now)
{
	uint64_t missed;

	if (pt->expires > now)
		return 0;
	missed = (now - pt->expires) / pt->interval;
	pt->expires = time_add(pt->expires + missed * pt->interval, pt->interval);
	return missed;
}

static void expire_locked(struct posix_timer *pt, uint64_t now)
{
	pt->active = pt->interval != 0;
	pt->fired = true;
	if (signal_send_entry(pt->process, pt->target, &pt->entry) == SIGNAL_QUEUED)
		return;
	/* Nobody will take it. */
	pt->fired = false;
	if (!pt->interval)
		return;
	forward_locked(pt, now + POLL_MIN);
	arm_locked(pt);
}

static void timer_fire(struct timer *timer)
{
	struct posix_timer *pt = container_of(timer, struct posix_timer, timer);
	struct process_timers *timers = &pt->process->timers;
	unsigned long flags = spin_lock_irqsave(&timers->lock);

	/* It may have been set anew while this was about to run. */
	if (pt->active && !pt->fired) {
		uint64_t now = domain_now(pt);

		if (now >= pt->expires)
			expire_locked(pt, now);
		else
			arm_locked(pt);
	}
	spin_unlock_irqrestore(&timers->lock, flags);
}

static void setting_get_locked(const struct posix_timer *pt, struct timer_setting *out)
{
	uint64_t now;

	*out = (struct timer_setting){ 0, pt->interval };
	if (!pt->active)
		return;
	now = domain_now(pt);
	if (pt->expires > now)
		out->value = pt->expires - now;
	else if (pt->interval && (pt->fired || pt->silent))
		out->value = pt->interval - (now - pt->expires) % pt->interval;
	else if (!pt->silent)
		out->value = 1; /* is about to */
}

static void setting_set_locked(struct posix_timer *pt, bool absolute, const struct timer_setting *setting)
{
	timer_cancel(&pt->timer);
	pt->fired = false;
	pt->overrun = 0;
	pt->interval = setting->interval;
	pt->active = setting->value != 0;
	if (!pt->active)
		return;
	pt->domain = pt->clock == CLOCK_KIND_REALTIME && !absolute ? CLOCK_KIND_MONOTONIC : pt->clock;
	pt->expires = absolute ? setting->value : time_add(domain_now(pt), setting->value);
	arm_locked(pt);
}

static void timer_prepare_new(struct posix_timer *pt, struct process *process, enum clock_kind clock)
{
	timer_init(&pt->timer, timer_fire);
	list_init(&pt->entry.link);
	pt->entry.embedded = true;
	pt->process = process;
	pt->clock = pt->domain = clock;
}

/* Nobody finds it any more. Threads only: waits until it runs nowhere. */
static void timer_free(struct posix_timer *pt)
{
	timer_cancel_sync(&pt->timer);
	signal_entry_cancel(pt->process, &pt->entry);
	kfree(pt);
}

/*
 * ---- setitimer --------------------------------------------------------------------------------------------------
 */

static const int itimer_signals[] = { SIGALRM, SIGVTALRM, SIGPROF };

/* The one that is there, else PT, whose ownership goes over. */
static struct posix_timer *itimer_install_locked(struct process_timers *timers, int which, struct posix_timer **pt)
{
	if (!timers->interval[which]) {
		timers->interval[which] = *pt;
		*pt = NULL;
	}
	return timers->interval[which];
}

int itimer_set(int which, const struct timer_setting *setting, struct timer_setting *old)
{
	struct process *process = process_current();
	struct process_timers *timers = &process->timers;
	struct posix_timer *pt, *spare = NULL;
	unsigned long flags;

	if (!READ_ONCE(timers->interval[which])) {
		spare = kzalloc(sizeof(*spare));
		if (!spare)
			return -ENOMEM;
		timer_prepare_new(spare, process, which == ITIMER_REAL ? CLOCK_KIND_MONOTONIC : CLOCK_KIND_PROCESS);
		spare->entry.merge = true;
		spare->entry.info = (struct signal_info){ .signo = itimer_signals[which], .code = SI_KERNEL };
	}
	flags = spin_lock_irqsave(&timers->lock);
	pt = itimer_install_locked(timers, which, &spare);
	if (old)
		setting_get_locked(pt, old);
	setting_set_locked(pt, false, setting);
	spin_unlock_irqrestore(&timers->lock, flags);
	kfree(spare);
	return 0;
}

void itimer_get(int which, struct timer_setting *out)
{
	struct process_timers *timers = &process_current()->timers;
	unsigned long flags = spin_lock_irqsave(&timers->lock);

	*out = (struct timer_setting){ 0 };
	if (timers->interval[which])
		setting_get_locked(timers->interval[which], out);
	spin_unlock_irqrestore(&timers->lock, flags);
}

/*
 * ---- timer_create -----------------------------------------------------------------------------------------------
 */

static bool timer_less(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct posix_timer, node)->id < container_of(b, struct posix_timer, node)->id;
}

static struct posix_timer *find_locked(struct process_timers *timers, int id)
{
	struct rb_node *node = timers->posix.root;

	while (node) {
		struct posix_timer *pt = container_of(node, struct posix_timer, node);

		if (pt->id == id)
			return pt;
		node = id < pt->id ? node->left : node->right;
	}
	return NULL;
}

/* Each is worth one queued signal. */
static int timer_account(struct process *process, int n)
{
	struct process_signals *signals = &process->signals;
	unsigned long flags = spin_lock_irqsave(&signals->lock);
	int err = 0;

	if (n > 0 && signals->nr_queued >= process->rlimits[RLIMIT_SIGPENDING].cur)
		err = -EAGAIN;
	else
		signals->nr_queued += (unsigned)n;
	spin_unlock_irqrestore(&signals->lock, flags);
	return err;
}

static bool task_exists(struct process *process, int tid)
{
	unsigned long flags = spin_lock_irqsave(&process->lock);
	bool exists = task_find(process, tid);

	spin_unlock_irqrestore(&process->lock, flags);
	return exists;
}

static int event_apply(struct posix_timer *pt, const struct linux_sigevent *event)
{
	static const struct linux_sigevent usual = { .signo = SIGALRM, .notify = SIGEV_SIGNAL };
	const struct linux_sigevent *e = event ? event : &usual;

	switch (e->notify) {
	case SIGEV_THREAD_ID:
		if (!task_exists(pt->process, e->tid))
			return -EINVAL;
		pt->target = e->tid;
		break;
	case SIGEV_NONE:
		pt->silent = true;
		return 0;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD: /* the C library's affair */
		break;
	default:
		return -EINVAL;
	}
	if (!signal_is_valid(e->signo))
		return -EINVAL;
	pt->entry.info = (struct signal_info){ .signo = e->signo, .code = SI_TIMER, .value = e->value };
	return 0;
}

static void insert(struct process_timers *timers, struct posix_timer *pt, bool value_is_id)
{
	unsigned long flags = spin_lock_irqsave(&timers->lock);

	do
		pt->id = (int)(timers->next_id++ & INT32_MAX);
	while (find_locked(timers, pt->id));
	pt->entry.info.timer_id = pt->id;
	if (value_is_id)
		pt->entry.info.value = (uint64_t)pt->id;
	rb_insert(&timers->posix, &pt->node, timer_less);
	spin_unlock_irqrestore(&timers->lock, flags);
}

int posix_timer_create(int clockid, const struct linux_sigevent *event, int *id)
{
	struct process *process = process_current();
	int tid = 0, err;
	enum clock_kind kind = clock_kind(clockid, &tid);
	struct posix_timer *pt;

	if (kind == CLOCK_KIND_NONE)
		return -EINVAL;
	if (clockid == CLOCK_MONOTONIC_RAW || clockid == CLOCK_MONOTONIC_COARSE || clockid == CLOCK_REALTIME_COARSE)
		return -EOPNOTSUPP;
	pt = kzalloc(sizeof(*pt));
	if (!pt)
		return -EAGAIN;
	timer_prepare_new(pt, process, kind);
	pt->clock_tid = tid;
	err = event_apply(pt, event);
	if (!err)
		err = timer_account(process, 1);
	if (err) {
		kfree(pt);
		return err;
	}
	insert(&process->timers, pt, !event);
	*id = pt->id;
	return 0;
}

int posix_timer_set(int id, bool absolute, const struct timer_setting *setting, struct timer_setting *old)
{
	struct process_timers *timers = &process_current()->timers;
	unsigned long flags = spin_lock_irqsave(&timers->lock);
	struct posix_timer *pt = find_locked(timers, id);

	if (pt && old)
		setting_get_locked(pt, old);
	if (pt)
		setting_set_locked(pt, absolute, setting);
	spin_unlock_irqrestore(&timers->lock, flags);
	return pt ? 0 : -EINVAL;
}

int posix_timer_get(int id, struct timer_setting *out)
{
	struct process_timers *timers = &process_current()->timers;
	unsigned long flags = spin_lock_irqsave(&timers->lock);
	struct posix_timer *pt = find_locked(timers, id);

	if (pt)
		setting_get_locked(pt, out);
	spin_unlock_irqrestore(&timers->lock, flags);
	return pt ? 0 : -EINVAL;
}

int posix_timer_overrun(int id)
{
	struct process_timers *timers = &process_current()->timers;
	unsigned long flags = spin_lock_irqsave(&timers->lock);
	struct posix_timer *pt = find_locked(timers, id);
	int overrun = pt ? pt->overrun : -EINVAL;

	spin_unlock_irqrestore(&timers->lock, flags);
	return overrun;
}

int posix_timer_delete(int id)
{
	struct process *process = process_current();
	struct process_timers *timers = &process->timers;
	unsigned long flags = spin_lock_irqsave(&timers->lock);
	struct posix_timer *pt = find_locked(timers, id);

	if (pt) {
		pt->active = false;
		rb_remove(&timers->posix, &pt->node);
	}
	spin_unlock_irqrestore(&timers->lock, flags);
	if (!pt)
		return -EINVAL;
	timer_free(pt);
	timer_account(process, -1);
	return 0;
}

/*
 * ---- All of a process -------------------------------------------------------------------------------------------
 */

void signal_taken(struct process *process, struct signal_info *info)
{
	struct process_timers *timers = &process->timers;
	struct posix_timer *pt = NULL;
	unsigned long flags;

	if (info->code != SI_TIMER && info->signo != SIGALRM && info->signo != SIGVTALRM && info->signo != SIGPROF)
		return;
	flags = spin_lock_irqsave(&timers->lock);
	if (info->code == SI_TIMER)
		pt = find_locked(timers, info->timer_id);
	else
		for (unsigned i = 0; i < ARRAY_SIZE(itimer_signals); i++)
			if (itimer_signals[i] == info->signo)
				pt = timers->interval[i];
	if (pt && pt->fired) {
		pt->fired = false;
		pt->overrun = 0;
		if (pt->interval) {
			pt->overrun = (int)MIN(forward_locked(pt, domain_now(pt)), (uint64_t)INT32_MAX);
			arm_locked(pt);
		}
		if (info->code == SI_TIMER)
			info->overrun = pt->overrun;
	}
	spin_unlock_irqrestore(&timers->lock, flags);
}

void timers_process_init(struct process *process)
{
	process->timers = (struct process_timers){ 0 };
	spin_init(&process->timers.lock, "timers_process");
}

static struct posix_timer *first_take(struct process_timers *timers)
{
	unsigned long flags = spin_lock_irqsave(&timers->lock);
	struct rb_node *node = rb_first(&timers->posix);

	if (node)
		rb_remove(&timers->posix, node);
	spin_unlock_irqrestore(&timers->lock, flags);
	return node ? container_of(node, struct posix_timer, node) : NULL;
}

static struct posix_timer *itimer_take(struct process_timers *timers, unsigned which)
{
	unsigned long flags = spin_lock_irqsave(&timers->lock);
	struct posix_timer *pt = timers->interval[which];

	timers->interval[which] = NULL;
	if (pt)
		pt->active = false;
	spin_unlock_irqrestore(&timers->lock, flags);
	return pt;
}

void timers_process_free(struct process *process, bool itimers)
{
	struct process_timers *timers = &process->timers;
	struct posix_timer *pt;

	while ((pt = first_take(timers))) {
		timer_free(pt);
		timer_account(process, -1);
	}
	for (unsigned i = 0; itimers && i < ARRAY_SIZE(timers->interval); i++) {
		pt = itimer_take(timers, i);
		if (pt)
			timer_free(pt);
	}
}

void timers_wall_was_set(struct process *process)
{
	struct process_timers *timers = &process->timers;
	unsigned long flags = spin_lock_irqsave(&timers->lock);

	for (struct rb_node *node = rb_first(&timers->posix); node; node = rb_next(node)) {
		struct posix_timer *pt = container_of(node, struct posix_timer, node);

		if (pt->active && !pt->fired && pt->domain == CLOCK_KIND_REALTIME)
			arm_locked(pt);
	}
	spin_unlock_irqrestore(&timers->lock, flags);
}
