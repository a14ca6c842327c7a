/* The tests of test_slab.c on the slab allocator as debug builds have it; in one piece, for DRUPE_DEBUG changes types. */
#define DRUPE_DEBUG

#include "kernel/core/spinlock.c"
#include "kernel/mem/buddy.c"
#include "kernel/mem/page.c"
#include "kernel/mem/section.c"

#include "kernel/mem/kmalloc.c"
#include "kernel/mem/slab.c"
#include "kernel/mem/slab_debug.c"
#include "kernel/mem/slab_report.c"

void lock_check_acquire(struct spinlock *lock)
{
	(void)lock;
}

void lock_check_acquired(struct spinlock *lock)
{
	(void)lock;
}

void lock_check_release(struct spinlock *lock)
{
	(void)lock;
}

#include "test/unit/test_slab.c"
