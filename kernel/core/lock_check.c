/*
 * The checks of debug builds on locks. Classes are the names given to locks. A lock of class B that is taken while one of
 * class A is held teaches "B after A"; if A can be reached from B in what was learnt before, then two CPUs can wait for
 * each other, even if it did not happen this time. Locks of one class are taken in the order of their addresses.
 * A class whose locks are taken in interrupts must not be taken with interrupts enabled.
 */
#ifdef DRUPE_DEBUG

#include "kernel/core/cpu.h"
#include "kernel/core/lock.h"
#include "kernel/core/panic.h"
#include "kernel/core/thread.h"
#include "kernel/core/wait.h"
#include "lib/string.h"

#define CLASS_MAX 64 /* more go unchecked; class 0 is that of locks without a name */
#define HELD_MAX 16  /* spinlocks on one CPU */

struct lock_class {
	const char *name;
	uint64_t after;	      /* atomic; bit b: class b was taken under this one */
	bool in_irq, irqs_on; /* taken in interrupts; with interrupts enabled */
};

struct lock_check_cpu {
	struct spinlock *held[HELD_MAX];
	unsigned nr_held;
	unsigned irq_depth;
};

static struct lock_class classes[CLASS_MAX];
static unsigned nr_classes = 1; /* atomic */
static struct spinlock
	classes_lock; /* covers the growth of classes; taken by spin_wait_ alone, so not checked itself */
static PERCPU(struct lock_check_cpu, checks);

static const char *shown(const char *name)
{
	return name ? name : "without a name";
}

static unsigned class_find(const char *name, unsigned n)
{
	for (unsigned i = 1; i < n; i++)
		if (strcmp(classes[i].name, name) == 0)
			return i;
	return 0;
}

static unsigned class_add(const char *name)
{
	unsigned long flags = arch_irq_save();
	unsigned class;

	spin_wait_(&classes_lock);
	class = class_find(name, nr_classes);
	if (!class && nr_classes < CLASS_MAX) {
		class = nr_classes;
		classes[class].name = name;
		__atomic_store_n(&nr_classes, class + 1, __ATOMIC_RELEASE);
	}
	arch_release_inc(&classes_lock.owner);
	arch_irq_restore(flags);
	return class;
}

static unsigned class_of(const char *name, unsigned short *cache)
{
	if (!*cache && name) {
		unsigned class = class_find(name, __atomic_load_n(&nr_classes, __ATOMIC_ACQUIRE));

		*cache = (unsigned short)(class ? class : class_add(name));
	}
	return *cache;
}

static bool is_reachable(unsigned from, unsigned to)
{
	uint64_t reached = 1ull << from, grown = reached, more;

	while (grown) {
		unsigned class = (unsigned)__builtin_ctzll(grown);

		grown &= grown - 1;
		more = __atomic_load_n(&classes[class].after, __ATOMIC_RELAXED) & ~reached;
		reached |= more;
		grown |= more;
	}
	return reached >> to & 1;
}

static void order_learn(unsigned held, unsigned taken)
{
	if (!held || !taken || classes[held].after >> taken & 1)
		return;
	if (is_reachable(taken, held))
		panic("lock order: %s is taken under %s, which is taken under it elsewhere", classes[taken].name,
		      classes[held].name);
	__atomic_fetch_or(&classes[held].after, 1ull << taken, __ATOMIC_RELAXED);
}

/* ---- Spinlocks -------------------------------------------------------------------------------------------------- */

static void irq_use_check(struct lock_class *class, bool irqs_on, bool in_irq)
{
	class->irqs_on |= irqs_on;
	class->in_irq |= in_irq;
	if (class->irqs_on && class->in_irq)
		panic("spinlock %s is taken in interrupts, and elsewhere with interrupts enabled", class->name);
}

void lock_check_acquire(struct spinlock *lock)
{
	bool irqs_on = arch_irq_is_enabled();
	unsigned long flags = arch_irq_save();
	struct lock_check_cpu *check = percpu_this(checks);
	unsigned class = class_of(lock->name, &lock->class);

	if (lock->holder == cpu_self() + 1)
		panic("spinlock %s is taken twice", shown(lock->name));
	if (class)
		irq_use_check(&classes[class], irqs_on, check->irq_depth);
	for (unsigned i = 0; i < check->nr_held; i++) {
		struct spinlock *held = check->held[i];

		if (class && held->class == class && held > lock)
			panic("lock order: two spinlocks %s against the order of their addresses", lock->name);
		if (held->class != class)
			order_learn(held->class, class);
	}
	arch_irq_restore(flags);
}

void lock_check_acquired(struct spinlock *lock)
{
	unsigned long flags = arch_irq_save();
	struct lock_check_cpu *check = percpu_this(checks);

	if (check->nr_held == HELD_MAX)
		panic("spinlock %s: more than %d held", shown(lock->name), HELD_MAX);
	check->held[check->nr_held++] = lock;
	lock->holder = (unsigned short)(cpu_self() + 1);
	arch_irq_restore(flags);
}

void lock_check_release(struct spinlock *lock)
{
	unsigned long flags = arch_irq_save();
	struct lock_check_cpu *check = percpu_this(checks);
	unsigned i = check->nr_held;

	if (lock->holder != cpu_self() + 1)
		panic("spinlock %s is released but not held", shown(lock->name));
	while (check->held[--i] != lock)
		;
	check->nr_held--;
	for (; i < check->nr_held; i++)
		check->held[i] = check->held[i + 1];
	lock->holder = 0;
	arch_irq_restore(flags);
}

void lock_check_irq_enter(void)
{
	percpu_this(checks)->irq_depth++;
}

void lock_check_irq_exit(void)
{
	percpu_this(checks)->irq_depth--;
}

/* ---- Sleeping and switching ------------------------------------------------------------------------------------- */

static const char *last_held(void)
{
	struct lock_check_cpu *check = percpu_this(checks);

	return check->nr_held ? shown(check->held[check->nr_held - 1]->name) : "none";
}

void lock_check_may_sleep(const char *where)
{
	if (thread_current() && (percpu_read(preempt_count) || !arch_irq_is_enabled()))
		panic("%s in atomic context: preempt count %u, interrupts %s, last spinlock %s", where,
		      percpu_read(preempt_count), arch_irq_is_enabled() ? "enabled" : "disabled", last_held());
}

void lock_check_switch(void)
{
	if (percpu_read(preempt_count) || percpu_this(checks)->nr_held != 1)
		panic("switch with preempt count %u and %u spinlocks held, last %s", percpu_read(preempt_count),
		      percpu_this(checks)->nr_held, last_held());
}

void lock_check_cross_call(const char *where)
{
	if (nr_cpus > 1 && (percpu_read(preempt_count) || !arch_irq_is_enabled()))
		panic("%s in atomic context: preempt count %u, interrupts %s, last spinlock %s", where,
		      percpu_read(preempt_count), arch_irq_is_enabled() ? "enabled" : "disabled", last_held());
}

/* ---- Mutexes ---------------------------------------------------------------------------------------------------- */

static bool is_owner(const struct mutex *mutex, const struct thread *thread)
{
	return (__atomic_load_n(&mutex->owner, __ATOMIC_RELAXED) & ~3ul) == (uintptr_t)thread;
}

void lock_check_mutex_init(struct mutex *mutex, const char *name)
{
	mutex->name = name;
}

void lock_check_mutex_acquire(struct mutex *mutex)
{
	struct lock_check_thread *check = &thread_current()->lock_check;
	unsigned class = class_of(mutex->name, &mutex->class);

	if (is_owner(mutex, thread_current()))
		panic("mutex %s is taken twice", shown(mutex->name));
	for (unsigned i = 0; i < check->nr_held; i++) {
		struct mutex *held = check->held[i];

		if (class && held->class == class && held > mutex)
			panic("lock order: two mutexes %s against the order of their addresses", mutex->name);
		if (held->class != class)
			order_learn(held->class, class);
	}
}

void lock_check_mutex_acquired(struct mutex *mutex)
{
	struct lock_check_thread *check = &thread_current()->lock_check;

	if (check->nr_held == LOCK_CHECK_HELD_MAX)
		panic("mutex %s: more than %d held", shown(mutex->name), LOCK_CHECK_HELD_MAX);
	check->held[check->nr_held++] = mutex;
}

void lock_check_mutex_release(struct mutex *mutex)
{
	struct lock_check_thread *check = &thread_current()->lock_check;
	unsigned i = check->nr_held;

	if (!is_owner(mutex, thread_current()))
		panic("mutex %s is released but not held", shown(mutex->name));
	while (check->held[--i] != mutex)
		;
	check->nr_held--;
	for (; i < check->nr_held; i++)
		check->held[i] = check->held[i + 1];
}

void lock_check_thread_exit(struct thread *thread)
{
	if (thread->lock_check.nr_held)
		panic("thread %u (%s) ends with mutex %s held", thread->id, thread->name,
		      shown(thread->lock_check.held[thread->lock_check.nr_held - 1]->name));
}

#endif
