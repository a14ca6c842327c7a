/* Timers that send signals, and times in general: conversions, overflow, periods, overruns, CPU clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The file itself: its timers are private. */
#include "kernel/linux/timers.c"

void *calloc(size_t n, size_t len);
void free(void *ptr);

struct thread *thread_current_;
static struct thread thread;
static struct task task;
static struct process process;
static uint64_t mono, wall, cpu;
static unsigned nr_objects, nr_sent, nr_signals;
static enum signal_sent send_result;

uint64_t clock_monotonic(void)
{
	return mono;
}

uint64_t clock_realtime(void)
{
	return wall;
}

enum clock_kind clock_kind(int clockid, int *tid)
{
	(void)tid;
	switch (clockid) {
	case CLOCK_REALTIME:
		return CLOCK_KIND_REALTIME;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
		return CLOCK_KIND_MONOTONIC;
	case CLOCK_PROCESS_CPUTIME_ID:
		return CLOCK_KIND_PROCESS;
	default:
		return CLOCK_KIND_NONE;
	}
}

uint64_t clock_deadline(enum clock_kind kind, uint64_t at)
{
	if (kind == CLOCK_KIND_REALTIME)
		return at <= wall ? 0 : mono + (at - wall);
	return at;
}

uint64_t process_runtime(struct process *p)
{
	(void)p;
	return cpu;
}

uint64_t task_runtime(struct process *p, int tid)
{
	(void)p, (void)tid;
	return cpu;
}

struct task *task_find(struct process *p, int tid)
{
	(void)p;
	return tid == 5 ? &task : NULL;
}

void timer_init(struct timer *timer, void (*fn)(struct timer *timer))
{
	*timer = (struct timer){ .fn = fn };
}

void timer_set(struct timer *timer, uint64_t deadline)
{
	timer->deadline = deadline;
	timer->armed = true;
}

bool timer_cancel(struct timer *timer)
{
	bool armed = timer->armed;

	timer->armed = false;
	return armed;
}

bool timer_cancel_sync(struct timer *timer)
{
	return timer_cancel(timer);
}

enum signal_sent signal_send_entry(struct process *p, int tid, struct signal_queue_entry *entry)
{
	(void)p, (void)tid, (void)entry;
	nr_sent++;
	return send_result;
}

void signal_entry_cancel(struct process *p, struct signal_queue_entry *entry)
{
	(void)p, (void)entry;
}

void *kzalloc(size_t len)
{
	nr_objects++;
	return calloc(1, len);
}

void kfree(void *ptr)
{
	nr_objects -= ptr != NULL;
	free(ptr);
}

void spin_init(struct spinlock *lock, const char *name)
{
	(void)name;
	*lock = (struct spinlock){ 0 };
}

static int reset(void **state)
{
	(void)state;
	memset(&process, 0, sizeof(process));
	thread.task = &task;
	task.process = &process;
	thread_current_ = &thread;
	timers_process_init(&process);
	process.rlimits[RLIMIT_SIGPENDING].cur = 100;
	mono = 1000000;
	wall = 5000 * NSEC_PER_SEC;
	cpu = 0;
	nr_sent = nr_signals = 0;
	send_result = SIGNAL_QUEUED;
	nr_cpus_online = 1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	timers_process_free(&process, true);
	return nr_objects != 0 || process.signals.nr_queued != 0;
}

/* Time goes on until TO; every timer that is due fires. */
static void run_until(struct posix_timer *pt, uint64_t to)
{
	for (unsigned i = 0; i < 10000 && pt->timer.armed && pt->timer.deadline <= to; i++) {
		uint64_t step = pt->timer.deadline > mono ? pt->timer.deadline - mono : 0;

		mono += step;
		wall += step;
		pt->timer.armed = false;
		pt->timer.fn(&pt->timer);
	}
	if (to > mono) {
		wall += to - mono;
		mono = to;
	}
}

static int take(int code, int signo, int id)
{
	struct signal_info info = { .signo = signo, .code = code, .timer_id = id };

	signal_taken(&process, &info);
	return info.overrun;
}

static struct posix_timer *create(int clockid, const struct linux_sigevent *event)
{
	int id;

	assert_int_equal(posix_timer_create(clockid, event, &id), 0);
	return find_locked(&process.timers, id);
}

static void test_conversions(void **state)
{
	struct linux_timespec ts = { 1, 999999999 };
	struct linux_timeval tv = { 1, 999999 };
	uint64_t ns;

	(void)state;
	assert_int_equal(timespec_to_ns(&ts, &ns), 0);
	assert_int_equal(ns, 1999999999);
	ts.nsec = 1000000000;
	assert_int_equal(timespec_to_ns(&ts, &ns), -EINVAL);
	ts.nsec = -1;
	assert_int_equal(timespec_to_ns(&ts, &ns), -EINVAL);
	ts = (struct linux_timespec){ -1, 0 };
	assert_int_equal(timespec_to_ns(&ts, &ns), -EINVAL);
	ts = (struct linux_timespec){ INT64_MAX, 999999999 };
	assert_int_equal(timespec_to_ns(&ts, &ns), 0);
	assert_int_equal(ns, TIME_MAX);
	ts = (struct linux_timespec){ 9223372036, 854775807 };
	assert_int_equal(timespec_to_ns(&ts, &ns), 0);
	assert_int_equal(ns, TIME_MAX);
	assert_int_equal(timeval_to_ns(&tv, &ns), 0);
	assert_int_equal(ns, 1999999000);
	tv.usec = 1000000;
	assert_int_equal(timeval_to_ns(&tv, &ns), -EINVAL);
	tv.usec = INT64_MIN;
	assert_int_equal(timeval_to_ns(&tv, &ns), -EINVAL);
	assert_int_equal(time_add(TIME_MAX, TIME_MAX), TIME_MAX);
	assert_int_equal(time_add(5, 6), 11);
	ts = timespec_of(TIME_MAX);
	assert_int_equal(ts.sec, 9223372036);
	assert_int_equal(ts.nsec, 854775807);
}

static void test_itimer(void **state)
{
	struct timer_setting setting = { 500, 100 }, old, now;
	struct posix_timer *pt;

	(void)state;
	itimer_get(ITIMER_REAL, &now);
	assert_int_equal(now.value, 0);
	assert_int_equal(itimer_set(ITIMER_REAL, &setting, &old), 0);
	assert_int_equal(old.value, 0);
	pt = process.timers.interval[ITIMER_REAL];
	run_until(pt, mono + 200);
	itimer_get(ITIMER_REAL, &now);
	assert_int_equal(now.value, 300);
	assert_int_equal(now.interval, 100);
	run_until(pt, mono + 300);
	assert_int_equal(nr_sent, 1);
	/* The next period begins to run when the signal is taken. */
	assert_false(pt->timer.armed);
	run_until(pt, mono + 50);
	take(SI_KERNEL, SIGALRM, 0);
	assert_true(pt->timer.armed);
	itimer_get(ITIMER_REAL, &now);
	assert_int_equal(now.value, 50);
	setting = (struct timer_setting){ 0, 0 };
	assert_int_equal(itimer_set(ITIMER_REAL, &setting, &old), 0);
	assert_int_equal(old.value, 50);
	assert_false(pt->timer.armed);
}

static void test_overruns(void **state)
{
	struct timer_setting setting = { 1000, 100 }, now;
	struct posix_timer *pt = create(CLOCK_MONOTONIC, NULL);

	(void)state;
	assert_int_equal(posix_timer_set(pt->id, false, &setting, NULL), 0);
	run_until(pt, mono + 1000);
	assert_int_equal(nr_sent, 1);
	assert_int_equal(take(SI_TIMER, SIGALRM, pt->id), 0);
	run_until(pt, mono + 100);
	assert_int_equal(nr_sent, 2);
	mono += 350; /* three more ended meanwhile */
	assert_int_equal(take(SI_TIMER, SIGALRM, pt->id), 3);
	assert_int_equal(posix_timer_overrun(pt->id), 3);
	posix_timer_get(pt->id, &now);
	assert_int_equal(now.value, 50);
	/* Somebody's own SI_TIMER arms nothing. */
	assert_int_equal(take(SI_TIMER, SIGALRM, pt->id), 0);
	assert_int_equal(take(SI_TIMER, SIGALRM, 12345), 0);
	assert_int_equal(posix_timer_overrun(pt->id), 3);
}

static void test_one_shot(void **state)
{
	struct timer_setting setting = { mono + 10, 0 }, now;
	struct posix_timer *pt = create(CLOCK_MONOTONIC, NULL);

	(void)state;
	assert_int_equal(posix_timer_set(pt->id, true, &setting, NULL), 0);
	run_until(pt, mono + 10);
	assert_int_equal(nr_sent, 1);
	posix_timer_get(pt->id, &now);
	assert_int_equal(now.value, 0);
	take(SI_TIMER, SIGALRM, pt->id);
	assert_false(pt->timer.armed);
	/* In the past: at once. */
	assert_int_equal(posix_timer_set(pt->id, true, &(struct timer_setting){ 1, 0 }, NULL), 0);
	run_until(pt, mono);
	assert_int_equal(nr_sent, 2);
}

static void test_wall_time(void **state)
{
	struct timer_setting setting = { wall + 1000, 0 };
	struct posix_timer *absolute = create(CLOCK_REALTIME, NULL), *relative = create(CLOCK_REALTIME, NULL);

	(void)state;
	posix_timer_set(absolute->id, true, &setting, NULL);
	setting.value = 1000;
	posix_timer_set(relative->id, false, &setting, NULL);
	assert_int_equal(absolute->timer.deadline, mono + 1000);
	wall += 900;
	timers_wall_was_set(&process);
	assert_int_equal(absolute->timer.deadline, mono + 100);
	assert_int_equal(relative->timer.deadline, mono + 1000);
}

static void test_cpu_time(void **state)
{
	struct timer_setting setting = { 50 * NSEC_PER_MSEC, 0 };
	struct posix_timer *pt = create(CLOCK_PROCESS_CPUTIME_ID, NULL);

	(void)state;
	nr_cpus_online = 2;
	posix_timer_set(pt->id, false, &setting, NULL);
	assert_int_equal(pt->timer.deadline, mono + 25 * NSEC_PER_MSEC);
	cpu = 20 * NSEC_PER_MSEC;
	run_until(pt, mono + 25 * NSEC_PER_MSEC);
	assert_int_equal(nr_sent, 0);
	assert_int_equal(pt->timer.deadline, mono + 15 * NSEC_PER_MSEC);
	cpu = 50 * NSEC_PER_MSEC;
	run_until(pt, mono + 15 * NSEC_PER_MSEC);
	assert_int_equal(nr_sent, 1);
}

static void test_ignored_period(void **state)
{
	struct timer_setting setting = { 10, 1 };
	struct posix_timer *pt = create(CLOCK_MONOTONIC, NULL);

	(void)state;
	send_result = SIGNAL_IGNORED;
	posix_timer_set(pt->id, false, &setting, NULL);
	run_until(pt, mono + 10 * NSEC_PER_MSEC);
	/* A thousand times a second at most, however short the period. */
	assert_in_range(nr_sent, 9, 11);
	assert_true(pt->timer.armed);
}

static void test_silent(void **state)
{
	struct linux_sigevent event = { .notify = SIGEV_NONE };
	struct timer_setting setting = { 100, 30 }, now;
	struct posix_timer *pt = create(CLOCK_MONOTONIC, &event);

	(void)state;
	posix_timer_set(pt->id, false, &setting, NULL);
	assert_false(pt->timer.armed);
	mono += 40;
	posix_timer_get(pt->id, &now);
	assert_int_equal(now.value, 60);
	mono += 70;
	posix_timer_get(pt->id, &now);
	assert_int_equal(now.value, 20);
}

static void test_late_fire(void **state)
{
	struct timer_setting setting = { 100, 0 };
	struct posix_timer *pt = create(CLOCK_MONOTONIC, NULL);

	(void)state;
	posix_timer_set(pt->id, false, &setting, NULL);
	mono += 100;
	/* It is set anew while it is about to run on another CPU. */
	posix_timer_set(pt->id, false, &setting, NULL);
	pt->timer.fn(&pt->timer);
	assert_int_equal(nr_sent, 0);
	assert_int_equal(pt->timer.deadline, mono + 100);
	setting.value = 0;
	posix_timer_set(pt->id, false, &setting, NULL);
	mono += 100;
	pt->timer.fn(&pt->timer);
	assert_int_equal(nr_sent, 0);
}

static void test_create_errors(void **state)
{
	struct linux_sigevent event = { .signo = 0, .notify = SIGEV_SIGNAL };
	int id;

	(void)state;
	assert_int_equal(posix_timer_create(99, NULL, &id), -EINVAL);
	assert_int_equal(posix_timer_create(CLOCK_MONOTONIC_RAW, NULL, &id), -EOPNOTSUPP);
	assert_int_equal(posix_timer_create(CLOCK_MONOTONIC, &event, &id), -EINVAL);
	event = (struct linux_sigevent){ .signo = 65, .notify = SIGEV_SIGNAL };
	assert_int_equal(posix_timer_create(CLOCK_MONOTONIC, &event, &id), -EINVAL);
	event = (struct linux_sigevent){ .signo = 10, .notify = 3 };
	assert_int_equal(posix_timer_create(CLOCK_MONOTONIC, &event, &id), -EINVAL);
	event = (struct linux_sigevent){ .signo = 10, .notify = SIGEV_THREAD_ID, .tid = 6 };
	assert_int_equal(posix_timer_create(CLOCK_MONOTONIC, &event, &id), -EINVAL);
	event.tid = 5;
	assert_int_equal(posix_timer_create(CLOCK_MONOTONIC, &event, &id), 0);
	for (int i = 1; i < 100; i++)
		assert_int_equal(posix_timer_create(CLOCK_MONOTONIC, NULL, &id), 0);
	assert_int_equal(posix_timer_create(CLOCK_MONOTONIC, NULL, &id), -EAGAIN);
	assert_int_equal(posix_timer_delete(50), 0);
	assert_int_equal(posix_timer_delete(50), -EINVAL);
	assert_int_equal(posix_timer_get(50, NULL), -EINVAL);
	process.timers.next_id = INT32_MAX;
	assert_int_equal(posix_timer_create(CLOCK_MONOTONIC, NULL, &id), 0);
	assert_int_equal(id, INT32_MAX);
	assert_int_equal(posix_timer_delete(7), 0);
	assert_int_equal(posix_timer_create(CLOCK_MONOTONIC, NULL, &id), 0);
	assert_int_equal(id, 7);
}

static void test_far_away(void **state)
{
	struct timer_setting setting = { TIME_MAX, TIME_MAX }, now;
	struct posix_timer *pt = create(CLOCK_MONOTONIC, NULL);

	(void)state;
	posix_timer_set(pt->id, false, &setting, NULL);
	assert_int_equal(pt->timer.deadline, TIME_MAX);
	posix_timer_get(pt->id, &now);
	assert_int_equal(now.value, TIME_MAX - mono);
	mono = TIME_MAX;
	pt->timer.fn(&pt->timer);
	take(SI_TIMER, SIGALRM, pt->id);
	assert_int_equal(pt->expires, TIME_MAX);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, reset, teardown)
	const struct CMUnitTest tests[] = {
		T(test_conversions), T(test_itimer),	    T(test_overruns),	    T(test_one_shot),
		T(test_wall_time),   T(test_cpu_time),	    T(test_ignored_period), T(test_silent),
		T(test_late_fire),   T(test_create_errors), T(test_far_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
