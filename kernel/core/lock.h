/*
 * Locks. Every lock says at its definition what it covers. Order: documented per lock; debug builds learn the order in
 * which classes (the name given at init) are taken and panic on an inversion, on unlocking what is not held, on taking a
 * lock twice, on sleeping under a spinlock, and on a lock that is taken in an interrupt and elsewhere with interrupts on.
 */
#ifndef KERNEL_CORE_LOCK_H
#define KERNEL_CORE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch/arch.h"
#include "kernel/core/lock_check.h"
#include "lib/util.h"

/*
 * Preemption: nests; a reschedule that was asked for meanwhile happens when the count is back at 0. The count belongs to
 * the CPU, not to the thread: at every switch it is 0.
 */
extern unsigned preempt_count;	/* per-CPU */
extern unsigned preempt_needed; /* per-CPU; not 0: preempt_reschedule has something to do */
/* Gives way if it still must and interrupts are enabled, else that stays for the next chance. Any context. */
void preempt_reschedule(void);

static inline void preempt_disable(void)
{
	percpu_inc(preempt_count);
	barrier();
}

static inline void preempt_enable(void)
{
	barrier();
	percpu_dec(preempt_count);
	if (unlikely(percpu_read(preempt_needed)) && !percpu_read(preempt_count))
		preempt_reschedule();
}

/*
 * Around the handlers of an interrupt (irq_dispatch): no preemption, and debug builds know that locks are taken in
 * interrupt context. sched_preempt_irq comes after irq_exit.
 */
static inline void irq_enter(void)
{
	percpu_inc(preempt_count);
	lock_check_irq_enter();
}

static inline void irq_exit(void)
{
	lock_check_irq_exit();
	percpu_dec(preempt_count);
}

struct spinlock {
	uint32_t next, owner; /* ticket lock */
#ifdef DRUPE_DEBUG
	const char *name;      /* the class; NULL: no order is learnt for it */
	unsigned short class;  /* index of the class, 0 until the first use */
	unsigned short holder; /* number of the CPU that holds it, plus 1 */
#endif
};

void spin_init(struct spinlock *lock, const char *name);

static inline void spin_wait_(struct spinlock *lock)
{
	uint32_t ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	if (likely(__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) == ticket))
		return;
	do
		arch_cpu_relax();
	while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket);
}

/* For locks that no interrupt handler takes. Disables preemption while held. */
static inline void spin_lock(struct spinlock *lock)
{
	preempt_disable();
	lock_check_acquire(lock);
	spin_wait_(lock);
	lock_check_acquired(lock);
}

static inline void spin_unlock(struct spinlock *lock)
{
	lock_check_release(lock);
	arch_release_inc(&lock->owner);
	preempt_enable();
}

/* For callers that have interrupts disabled anyway, and keep them so while they hold it. */
static inline void spin_lock_noirq(struct spinlock *lock)
{
	lock_check_acquire(lock);
	spin_wait_(lock);
	lock_check_acquired(lock);
}

static inline void spin_unlock_noirq(struct spinlock *lock)
{
	lock_check_release(lock);
	arch_release_inc(&lock->owner);
}

/* For locks that interrupt handlers take too. */
static inline unsigned long spin_lock_irqsave(struct spinlock *lock)
{
	unsigned long flags = arch_irq_save();

	percpu_inc(preempt_count);
	lock_check_acquire(lock);
	spin_wait_(lock);
	lock_check_acquired(lock);
	return flags;
}

static inline void spin_unlock_irqrestore(struct spinlock *lock, unsigned long flags)
{
	lock_check_release(lock);
	arch_release_inc(&lock->owner);
	arch_irq_restore(flags);
	preempt_enable();
}

#endif
