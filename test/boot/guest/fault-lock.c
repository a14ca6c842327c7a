/*
 * Breaks a rule of locks, named by its argument (`-- taken-twice`). In a debug build the panic must name it; in others the
 * image only says which build it is.
 */
#include "kernel/core/cpu.h"
#include "kernel/core/lock.h"
#include "kernel/core/log.h"
#include "kernel/core/thread.h"
#include "kernel/core/timer.h"
#include "kernel/core/wait.h"
#include "lib/string.h"
#include "lib/util.h"

static struct spinlock lock_a, lock_b;
static struct mutex mutex_a, mutex_b;

static void taken_twice(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_a);
}

static void not_held(void)
{
	spin_unlock(&lock_a);
}

static void inversion(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock(&lock_a);
	spin_lock(&lock_b);
	spin_lock(&lock_a);
}

static void same_class(void)
{
	static struct spinlock pair[2];

	spin_init(&pair[0], "pair");
	spin_init(&pair[1], "pair");
	spin_lock(&pair[1]);
	spin_lock(&pair[0]);
}

static void lock_in_timer(struct timer *timer)
{
	(void)timer;
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
}

static void irq_unsafe(void)
{
	struct timer timer;

	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	timer_init(&timer, lock_in_timer);
	timer_set(&timer, 1);
	thread_sleep(1000000);
}

static void sleep_under_lock(void)
{
	spin_lock(&lock_a);
	thread_sleep(1000);
}

static void sleep_without_interrupts(void)
{
	arch_irq_disable();
	thread_sleep(1000);
}

static void mutex_under_lock(void)
{
	spin_lock(&lock_a);
	mutex_lock(&mutex_a);
}

static void mutex_twice(void)
{
	mutex_lock(&mutex_a);
	mutex_lock(&mutex_a);
}

static void mutex_not_held(void)
{
	mutex_unlock(&mutex_a);
}

static void mutex_inversion(void)
{
	mutex_lock(&mutex_a);
	mutex_lock(&mutex_b);
	mutex_unlock(&mutex_b);
	mutex_unlock(&mutex_a);
	mutex_lock(&mutex_b);
	mutex_lock(&mutex_a);
}

static int end_with_mutex(void *arg)
{
	mutex_lock(arg);
	return 0;
}

static void mutex_at_exit(void)
{
	struct thread *thread;

	thread_create(&thread, "forgetful", end_with_mutex, &mutex_a, 0);
	thread_join(thread);
}

static void nothing(void *arg)
{
	(void)arg;
}

static void call_under_lock(void)
{
	spin_lock(&lock_a);
	cpu_call_others(nothing, NULL);
}

static void exit_without_preemption(void)
{
	preempt_disable();
	thread_exit(0);
}

static const struct {
	const char *name;
	void (*fn)(void);
} kinds[] = {
	{ "taken-twice", taken_twice },
	{ "not-held", not_held },
	{ "inversion", inversion },
	{ "same-class", same_class },
	{ "irq-unsafe", irq_unsafe },
	{ "sleep-under-lock", sleep_under_lock },
	{ "sleep-without-interrupts", sleep_without_interrupts },
	{ "mutex-under-lock", mutex_under_lock },
	{ "mutex-twice", mutex_twice },
	{ "mutex-not-held", mutex_not_held },
	{ "mutex-inversion", mutex_inversion },
	{ "mutex-at-exit", mutex_at_exit },
	{ "call-under-lock", call_under_lock },
	{ "exit-without-preemption", exit_without_preemption },
};

int main(int argc, char **argv)
{
	static const char text[] = "nothing stopped it\n";

	spin_init(&lock_a, "lock_a");
	spin_init(&lock_b, "lock_b");
	mutex_init(&mutex_a, "mutex_a");
	mutex_init(&mutex_b, "mutex_b");
	for (unsigned i = 0; argc > 1 && i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(argv[1], kinds[i].name) == 0)
			kinds[i].fn();
	}
	log_raw(text, sizeof(text) - 1);
	return 1;
}
