/*
 * Kernel virtual areas: stacks with guard pages, device memory, memory that need not be contiguous. Each area is placed
 * at random in arch_layout.vmap and is followed and preceded by an unmapped page. Threads only, except where said.
 */
#ifndef KERNEL_MEM_VMAP_H
#define KERNEL_MEM_VMAP_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/arch.h"

void vmap_init(void);

/* LEN bytes (rounded up to pages) of zeroed memory, read-write. NULL when memory is short. vmap_free frees the pages. */
void *vmap_alloc(size_t len);
void vmap_free(void *va);

/* Device memory at PA, uncached; PA and LEN need not be aligned, the result keeps PA's offset. NULL: out of tables. */
void *vmap_device(paddr_t pa, size_t len);
void vmap_device_unmap(void *va);

/* A kernel stack of KSTACK_SIZE; returns its bottom. NULL when memory is short. Freed stacks are kept for reuse. */
#define KSTACK_SIZE (16ul << 10)
void *kstack_alloc(void);
void kstack_free(void *bottom);
/* True when VA lies in a guard page of an area: the panic report says so. Any context. */
bool vmap_is_guard(uintptr_t va);

#endif
