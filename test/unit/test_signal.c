/*
 * Signals: queues, masks, who gets one, what is done about it, restart of system calls. Frames are not pushed here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/core/clock.h"
#include "kernel/linux/report.h"
#include "kernel/linux/rseq.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/signal_frame.h"
#include "kernel/linux/sigstack.h"
#include "kernel/linux/task.h"
#include "kernel/mem/slab.h"

/* <stdlib.h> and the kernel's ABI headers define the same names. */
void *malloc(size_t len);
void free(void *ptr);
void abort(void) __attribute__((noreturn));

struct thread *thread_current_;
static struct process process;
static struct task tasks[3];
static struct thread threads[3];
static int killed;	    /* status of process_kill, -1: none */
static unsigned nr_objects; /* kmalloc'd */
static bool no_memory;
static unsigned nr_taken, nr_pushed;
static int push_error;
static struct signal_setup pushed[8];
static struct signal_info pushed_info[8];
static unsigned restarted; /* number */
static void (*while_asleep)(void);

void thread_work_set(struct thread *thread, unsigned work)
{
	thread->work |= work;
}

void process_kill(struct process *p, int status)
{
	killed = status;
	p->exiting = true;
}

void task_exit(int status)
{
	(void)status;
	mock_assert(0, "task_exit", "task_exit", 0);
	abort();
}

struct task *task_find(struct process *p, int tid)
{
	struct list *pos;

	list_for_each(pos, &p->tasks)
		if (list_entry(pos, struct task, link)->tid == tid)
			return list_entry(pos, struct task, link);
	return NULL;
}

void *kmalloc(size_t len)
{
	if (no_memory)
		return NULL;
	nr_objects++;
	return malloc(len);
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

void wait_queue_init(struct wait_queue *queue)
{
	list_init(&queue->waiters);
}

unsigned wait_wake(struct wait_queue *queue, unsigned n)
{
	(void)queue, (void)n;
	return 0;
}

void wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	(void)queue, (void)waiter;
}

void wait_remove(struct wait_queue *queue, struct waiter *waiter)
{
	(void)queue, (void)waiter;
}

static void asleep(void)
{
	void (*fn)(void) = while_asleep;

	while_asleep = NULL;
	thread_current_->state = THREAD_RUNNABLE;
	if (!fn)
		mock_assert(0, "sleeps for ever", "sched_block", 0);
	fn();
}

void sched_block(void)
{
	asleep();
}

int wait_block_until(uint64_t deadline)
{
	(void)deadline;
	if (while_asleep) {
		asleep();
		return 0;
	}
	thread_current_->state = THREAD_RUNNABLE;
	return -ETIMEDOUT;
}

void poll_source_init(struct poll_source *source)
{
	list_init(&source->watches);
}

void poll_notify_slow(struct poll_source *source, unsigned events)
{
	(void)source, (void)events;
}

uint64_t clock_monotonic(void)
{
	return 1000;
}

void signal_taken(struct process *p, struct signal_info *info)
{
	(void)p, (void)info;
	nr_taken++;
}

void rseq_resume(struct trapframe *frame)
{
	(void)frame;
}

void signal_report(const struct trapframe *frame, const struct signal_info *info)
{
	(void)frame, (void)info;
}

int signal_frame_push(struct trapframe *frame, const struct signal_setup *setup)
{
	if (push_error)
		return push_error;
	frame->vector = 0x101;
	pushed_info[nr_pushed] = *setup->info;
	pushed[nr_pushed++] = *setup;
	return 0;
}

void signal_frame_restart(struct trapframe *frame, unsigned nr)
{
	restarted = nr;
	frame->vector = 0x101;
}

static int reset(void **state)
{
	(void)state;
	memset(&process, 0, sizeof(process));
	memset(tasks, 0, sizeof(tasks));
	memset(threads, 0, sizeof(threads));
	signal_process_init(&process.signals);
	list_init(&process.tasks);
	process.rlimits[11].cur = 10;
	for (int i = 0; i < 3; i++) {
		threads[i].task = &tasks[i];
		tasks[i].thread = &threads[i];
		tasks[i].process = &process;
		tasks[i].tid = 100 + i;
		signal_task_init(&tasks[i], NULL);
		list_push_back(&process.tasks, &tasks[i].link);
	}
	thread_current_ = &threads[0];
	killed = -1;
	no_memory = false;
	nr_taken = nr_pushed = 0;
	push_error = 0;
	restarted = UINT32_MAX;
	while_asleep = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		list_remove(&tasks[i].link);
		signal_task_free(&tasks[i]);
	}
	signal_process_free(&process);
	return nr_objects != 0 || process.signals.nr_queued != 0;
}

static struct signal_info info_of(int signo, int code, uint64_t value)
{
	return (struct signal_info){ .signo = signo, .code = code, .value = value };
}

static void send_process(int signo)
{
	struct signal_info info = info_of(signo, SI_USER, 0);

	assert_int_equal(signal_send_process(&process, &info), 0);
}

static void handle(int signo, uint64_t flags, uint64_t mask)
{
	struct signal_action action = { 0x1000u + (unsigned)signo, flags | SA_RESTORER, 0x2000, mask };

	signal_action_set((unsigned)signo, &action, NULL);
}

static void test_standard_is_queued_once(void **state)
{
	struct signal_info out;

	(void)state;
	signal_mask_set(UINT64_MAX);
	for (int i = 0; i < 5; i++)
		send_process(SIGUSR1);
	assert_int_equal(process.signals.nr_queued, 1);
	assert_true(signal_take(UINT64_MAX, &out));
	assert_int_equal(out.signo, SIGUSR1);
	assert_false(signal_take(UINT64_MAX, &out));
}

static void test_realtime_in_order(void **state)
{
	struct signal_info info, out;

	(void)state;
	signal_mask_set(UINT64_MAX);
	for (uint64_t i = 0; i < 4; i++) {
		info = info_of(40, SI_QUEUE, i);
		assert_int_equal(signal_send_process(&process, &info), 0);
		info = info_of(35, SI_QUEUE, 10 + i);
		assert_int_equal(signal_send_task(&tasks[0], &info), 0);
	}
	for (uint64_t i = 0; i < 8; i++) {
		assert_true(signal_take(UINT64_MAX, &out));
		assert_int_equal(out.signo, i < 4 ? 35 : 40);
		assert_int_equal(out.value, i < 4 ? 10 + i : i - 4);
	}
	assert_int_equal(signal_pending_set(), 0);
	assert_int_equal(nr_taken, 8);
}

static void test_limit(void **state)
{
	struct signal_info info = info_of(40, SI_QUEUE, 0), out;

	(void)state;
	signal_mask_set(UINT64_MAX);
	for (int i = 0; i < 10; i++)
		assert_int_equal(signal_send_process(&process, &info), 0);
	assert_int_equal(signal_send_process(&process, &info), -EAGAIN);
	/* kill(2) always works, if without what belongs to it. */
	send_process(41);
	send_process(SIGUSR2);
	no_memory = true;
	send_process(SIGUSR1);
	assert_true(signal_take(SIGNAL_BIT(SIGUSR1), &out));
	assert_int_equal(out.signo, SIGUSR1);
	assert_int_equal(out.code, SI_USER);
	assert_true(signal_take(SIGNAL_BIT(41), &out));
	assert_int_equal(process.signals.nr_queued, 11);
}

static void test_faults_first(void **state)
{
	struct signal_info out;

	(void)state;
	signal_mask_set(UINT64_MAX);
	send_process(SIGHUP);
	send_process(SIGSEGV);
	assert_true(signal_take(UINT64_MAX, &out));
	assert_int_equal(out.signo, SIGSEGV);
}

static void test_who_gets_it(void **state)
{
	(void)state;
	handle(SIGUSR1, 0, 0);
	send_process(SIGUSR1);
	assert_int_equal(threads[0].work, THREAD_WORK_SIGNAL);
	assert_int_equal(threads[1].work | threads[2].work, 0);
	handle(SIGUSR2, 0, 0);
	tasks[0].signals.blocked = tasks[1].signals.blocked = SIGNAL_BIT(SIGUSR2);
	send_process(SIGUSR2);
	assert_int_equal(threads[2].work, THREAD_WORK_SIGNAL);
	assert_int_equal(threads[1].work, 0);
	tasks[2].signals.blocked = SIGNAL_BIT(SIGHUP);
	tasks[0].signals.blocked = tasks[1].signals.blocked = SIGNAL_BIT(SIGHUP);
	handle(SIGHUP, 0, 0);
	memset(threads, 0, sizeof(threads[0].work));
	threads[0].work = threads[1].work = threads[2].work = 0;
	send_process(SIGHUP);
	assert_int_equal(threads[0].work | threads[1].work | threads[2].work, 0);
	/* Who unblocks it later gets it. */
	threads[1].task = &tasks[1];
	threads[1].state = THREAD_RUNNABLE;
	thread_current_ = &threads[1];
	signal_mask_set(0);
	assert_int_equal(threads[1].work, THREAD_WORK_SIGNAL);
}

static void test_retarget(void **state)
{
	(void)state;
	handle(SIGUSR1, 0, 0);
	send_process(SIGUSR1);
	assert_int_equal(threads[1].work, 0);
	signal_mask_set(SIGNAL_BIT(SIGUSR1));
	assert_int_equal(threads[1].work, THREAD_WORK_SIGNAL);
	list_remove(&tasks[1].link);
	signal_task_free(&tasks[1]);
	assert_int_equal(threads[2].work, THREAD_WORK_SIGNAL);
	list_push_back(&process.tasks, &tasks[1].link);
}

static void test_ignored(void **state)
{
	(void)state;
	send_process(SIGCHLD);
	send_process(SIGWINCH);
	assert_int_equal(signal_pending_set(), 0);
	signal_mask_set(SIGNAL_BIT(SIGCHLD));
	send_process(SIGCHLD);
	assert_int_equal(signal_pending_set(), SIGNAL_BIT(SIGCHLD));
	/* To ignore it drops it, blocked or not. */
	signal_action_set(SIGCHLD, &(struct signal_action){ .handler = SIG_DFL }, NULL);
	assert_int_equal(signal_pending_set(), 0);
	assert_int_equal(process.signals.nr_queued, 0);
}

static void test_kill_and_stop(void **state)
{
	struct trapframe f = { .vector = 14 };

	(void)state;
	signal_mask_set(UINT64_MAX);
	assert_int_equal(tasks[0].signals.blocked & SIGNALS_UNBLOCKABLE, 0);
	send_process(SIGTSTP);
	send_process(SIGCONT);
	assert_int_equal(signal_pending_set(), SIGNAL_BIT(SIGCONT));
	send_process(SIGTSTP);
	assert_int_equal(signal_pending_set(), SIGNAL_BIT(SIGTSTP));
	send_process(SIGKILL);
	assert_int_equal(killed, SIGKILL);
	expect_assert_failure(signal_deliver(&f));
}

static void test_default_ends(void **state)
{
	struct trapframe f = { .vector = 14 };

	(void)state;
	send_process(SIGTERM);
	expect_assert_failure(signal_deliver(&f));
	assert_int_equal(killed, SIGTERM);
}

static void test_handlers_stack_up(void **state)
{
	struct trapframe f = { .vector = 14, .sp = 0x7000 };

	(void)state;
	handle(SIGUSR1, 0, SIGNAL_BIT(SIGHUP));
	handle(SIGUSR2, SA_NODEFER, 0);
	handle(SIGHUP, 0, 0);
	send_process(SIGUSR2);
	send_process(SIGUSR1);
	threads[0].work = THREAD_WORK_SIGNAL;
	signal_deliver(&f);
	assert_int_equal(threads[0].work, 0);
	assert_int_equal(nr_pushed, 2);
	assert_int_equal(pushed[0].handler, 0x1000 + SIGUSR1);
	assert_int_equal(pushed[0].mask, 0);
	assert_int_equal(pushed[1].handler, 0x1000 + SIGUSR2);
	assert_int_equal(pushed[1].mask, SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGHUP));
	assert_int_equal(tasks[0].signals.blocked, SIGNAL_BIT(SIGUSR1) | SIGNAL_BIT(SIGHUP));
	send_process(SIGHUP);
	assert_int_equal(threads[0].work, 0);
}

static void test_reset_hand(void **state)
{
	struct trapframe f = { .vector = 14 };
	struct signal_action action;

	(void)state;
	handle(SIGUSR1, SA_RESETHAND, 0);
	send_process(SIGUSR1);
	signal_deliver(&f);
	assert_int_equal(nr_pushed, 1);
	signal_action_set(SIGUSR1, NULL, &action);
	assert_int_equal(action.handler, SIG_DFL);
}

static long restart_case(long error, int signo)
{
	struct trapframe f = { .vector = 0x100, .error = 77, .ax = (uint64_t)-error };

	restarted = UINT32_MAX;
	if (signo)
		send_process(signo);
	signal_mask_set(0);
	signal_deliver(&f);
	return restarted != UINT32_MAX ? restarted : (long)f.ax;
}

static void test_restart(void **state)
{
	(void)state;
	handle(SIGUSR1, 0, 0);
	handle(SIGUSR2, SA_RESTART, 0);
	assert_int_equal(restart_case(ERESTARTSYS, 0), 77);
	assert_int_equal(restart_case(ERESTARTSYS, SIGUSR1), -EINTR);
	assert_int_equal(restart_case(ERESTARTSYS, SIGUSR2), 77);
	assert_int_equal(restart_case(ERESTARTNOHAND, 0), 77);
	assert_int_equal(restart_case(ERESTARTNOHAND, SIGUSR2), -EINTR);
	assert_int_equal(restart_case(ERESTARTNOINTR, SIGUSR1), 77);
	assert_int_equal(restart_case(ERESTART_RESTARTBLOCK, 0), 219);
	assert_int_equal(restart_case(ERESTART_RESTARTBLOCK, SIGUSR2), -EINTR);
	assert_int_equal(restart_case(EINTR, SIGUSR2), -EINTR);
	assert_int_equal(restart_case(EAGAIN, 0), -EAGAIN);
}

static void test_saved_mask(void **state)
{
	struct trapframe f = { .vector = 14 };

	(void)state;
	handle(SIGUSR1, 0, 0);
	signal_mask_set(SIGNAL_BIT(SIGUSR1));
	send_process(SIGUSR1);
	signal_mask_set_until_handler(SIGNAL_BIT(SIGUSR2));
	assert_int_equal(threads[0].work, THREAD_WORK_SIGNAL);
	signal_deliver(&f);
	assert_int_equal(pushed[0].mask, SIGNAL_BIT(SIGUSR1));
	assert_int_equal(tasks[0].signals.blocked, SIGNAL_BIT(SIGUSR2) | SIGNAL_BIT(SIGUSR1));
	assert_false(tasks[0].signals.has_saved_mask);
	signal_mask_set(1);
	signal_mask_set_until_handler(2);
	signal_deliver(&f);
	assert_int_equal(tasks[0].signals.blocked, 1);
}

static void test_altstack(void **state)
{
	struct task_signals *own = &tasks[0].signals;
	struct trapframe f = { .vector = 14, .sp = 0x7000 };
	struct linux_stack stack = { 0x10000, 0, 0x4000 }, out;

	(void)state;
	sigstack_get(own, 0x7000, &out);
	assert_int_equal(out.flags, SS_DISABLE);
	stack.size = MINSIGSTKSZ - 1;
	assert_int_equal(sigstack_set(own, 0x7000, &stack), -ENOMEM);
	stack.size = 0x4000;
	stack.flags = 8;
	assert_int_equal(sigstack_set(own, 0x7000, &stack), -EINVAL);
	stack.flags = 0;
	assert_int_equal(sigstack_set(own, 0x7000, &stack), 0);
	assert_int_equal(sigstack_set(own, 0x13000, &stack), -EPERM);
	sigstack_get(own, 0x13000, &out);
	assert_int_equal(out.flags, SS_ONSTACK);
	handle(SIGUSR1, SA_ONSTACK, 0);
	send_process(SIGUSR1);
	signal_deliver(&f);
	assert_int_equal(pushed[0].stack_top, 0x14000);
	assert_int_equal(pushed[0].stack_limit, 0x10000);
	/* Already there: goes on below, and not out of it. */
	f.sp = 0x12000;
	signal_mask_set(0);
	send_process(SIGUSR1);
	signal_deliver(&f);
	assert_int_equal(pushed[1].stack_top, 0);
	assert_int_equal(pushed[1].stack_limit, 0x10000);
	stack.flags = (int32_t)SS_AUTODISARM;
	assert_int_equal(sigstack_set(own, 0x7000, &stack), 0);
	signal_mask_set(0);
	send_process(SIGUSR1);
	signal_deliver(&f);
	assert_int_equal(pushed[2].stack_top, 0x14000);
	assert_int_equal((unsigned)pushed[2].stack.flags, SS_AUTODISARM);
	assert_int_equal(own->altstack_len, 0);
}

static void test_force(void **state)
{
	struct signal_info info = { .signo = SIGSEGV, .code = SEGV_MAPERR, .address = 5 };
	struct signal_trap trap = { 14, 4, 5 };
	struct trapframe f = { .vector = 14 };

	(void)state;
	handle(SIGSEGV, 0, 0);
	signal_force_trap(&info, &trap);
	signal_deliver(&f);
	assert_int_equal(nr_pushed, 1);
	assert_int_equal(pushed_info[0].address, 5);
	assert_int_equal(pushed[0].trap->error, 4);
	/* Again, inside of the handler, where it is blocked. */
	signal_force_trap(&info, &trap);
	expect_assert_failure(signal_deliver(&f));
	assert_int_equal(killed, SIGSEGV);
}

static void test_bad_stack_is_a_fault(void **state)
{
	struct trapframe f = { .vector = 14 };

	(void)state;
	handle(SIGUSR1, 0, 0);
	handle(SIGSEGV, 0, 0);
	push_error = -EFAULT;
	send_process(SIGUSR1);
	expect_assert_failure(signal_deliver(&f));
	assert_int_equal(killed, SIGSEGV);
}

static void send_usr1(void)
{
	send_process(SIGUSR1);
}

static void send_hup(void)
{
	send_process(SIGHUP);
}

/* Another thread was faster: the wait goes on. */
static void kick_for_nothing(void)
{
	threads[0].work |= THREAD_WORK_SIGNAL;
	while_asleep = send_usr1;
}

static void test_wait(void **state)
{
	struct signal_info out;

	(void)state;
	signal_mask_set(SIGNAL_BIT(SIGUSR1));
	assert_int_equal(signal_wait(SIGNAL_BIT(SIGUSR1), 0, &out), -EAGAIN);
	assert_int_equal(signal_wait(SIGNAL_BIT(SIGUSR1), 5000, &out), -EAGAIN);
	while_asleep = send_usr1;
	assert_int_equal(signal_wait(SIGNAL_BIT(SIGUSR1), UINT64_MAX, &out), 0);
	assert_int_equal(out.signo, SIGUSR1);
	threads[0].work = 0;
	while_asleep = kick_for_nothing;
	assert_int_equal(signal_wait(SIGNAL_BIT(SIGUSR1), UINT64_MAX, &out), 0);
	handle(SIGHUP, 0, 0);
	threads[0].work = 0;
	while_asleep = send_hup;
	assert_int_equal(signal_wait(SIGNAL_BIT(SIGUSR1), UINT64_MAX, &out), -EINTR);
	assert_int_equal(tasks[0].signals.blocked, SIGNAL_BIT(SIGUSR1));
}

static void test_embedded(void **state)
{
	struct signal_queue_entry a = { .embedded = true }, b = { .embedded = true };
	struct signal_info out;

	(void)state;
	list_init(&a.link);
	list_init(&b.link);
	a.info = info_of(SIGALRM, SI_TIMER, 1);
	b.info = info_of(SIGALRM, SI_TIMER, 2);
	assert_int_equal(signal_send_entry(&process, 999, &a), SIGNAL_IGNORED);
	signal_mask_set(UINT64_MAX);
	assert_int_equal(signal_send_entry(&process, 0, &a), SIGNAL_QUEUED);
	assert_int_equal(signal_send_entry(&process, 0, &a), SIGNAL_QUEUED);
	assert_int_equal(signal_send_entry(&process, 0, &b), SIGNAL_QUEUED);
	assert_true(signal_take(UINT64_MAX, &out));
	assert_int_equal(out.value, 1);
	signal_entry_cancel(&process, &b);
	assert_int_equal(signal_pending_set(), 0);
	signal_entry_cancel(&process, &b);
	assert_int_equal(signal_send_entry(&process, 101, &b), SIGNAL_QUEUED);
	assert_int_equal(tasks[1].signals.pending.set, SIGNAL_BIT(SIGALRM));
	signal_entry_cancel(&process, &b);
	b.merge = true;
	send_process(SIGALRM);
	assert_int_equal(signal_send_entry(&process, 0, &b), SIGNAL_QUEUED);
	assert_true(signal_take(UINT64_MAX, &out));
	assert_false(signal_take(UINT64_MAX, &out));
}

static void test_siginfo(void **state)
{
	struct signal_info info = { .signo = SIGSEGV, .code = SEGV_ACCERR, .address = 0x123456789a }, back;
	struct linux_siginfo out;

	(void)state;
	signal_info_encode(&info, &out);
	assert_int_equal(out.fault.addr, 0x123456789a);
	info = (struct signal_info){ .signo = 34, .code = SI_QUEUE, .pid = 7, .uid = 8, .value = 0x1122334455667788 };
	signal_info_encode(&info, &out);
	assert_int_equal(*(int32_t *)((char *)&out + 16), 7);
	assert_int_equal(*(uint64_t *)((char *)&out + 24), 0x1122334455667788);
	signal_info_decode(&out, &back);
	assert_memory_equal(&info, &back, sizeof(info));
	info = (struct signal_info){ .signo = SIGALRM, .code = SI_TIMER, .timer_id = 3, .overrun = 9, .value = 5 };
	signal_info_encode(&info, &out);
	assert_int_equal(*(int32_t *)((char *)&out + 20), 9);
	signal_info_decode(&out, &back);
	assert_memory_equal(&info, &back, sizeof(info));
	assert_string_equal(signal_name(31), "SIGSYS");
	assert_string_equal(signal_name(11), "SIGSEGV");
	assert_string_equal(signal_name(64), "SIGRT");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, reset, teardown)
	const struct CMUnitTest tests[] = {
		T(test_standard_is_queued_once),
		T(test_realtime_in_order),
		T(test_limit),
		T(test_faults_first),
		T(test_who_gets_it),
		T(test_retarget),
		T(test_ignored),
		T(test_kill_and_stop),
		T(test_default_ends),
		T(test_handlers_stack_up),
		T(test_reset_hand),
		T(test_restart),
		T(test_saved_mask),
		T(test_altstack),
		T(test_force),
		T(test_bad_stack_is_a_fault),
		T(test_wait),
		T(test_embedded),
		T(test_siginfo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
