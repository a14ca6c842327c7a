/* Gives the threads and CPUs of kernel/core their memory from kernel/mem, which stands above it. */
#include "kernel/core/thread.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/vmap.h"

const struct thread_memory_ops thread_memory_ops = {
	.stack_size = KSTACK_SIZE,
	.stack_alloc = kstack_alloc,
	.stack_free = kstack_free,
	.thread_alloc = kzalloc,
	.thread_free = kfree,
	.area_alloc = vmap_alloc,
};
