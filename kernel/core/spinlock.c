#include "kernel/core/lock.h"

PERCPU(unsigned, preempt_count);
PERCPU(unsigned, preempt_needed);

void spin_init(struct spinlock *lock, const char *name)
{
	*lock = (struct spinlock)SPINLOCK_INIT(name);
	(void)name;
}
