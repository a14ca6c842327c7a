/*
 * The address space of an application: what is mapped where, and the pages behind it (mmap(2), munmap(2), mprotect(2),
 * mremap(2), madvise(2), brk(2)). An object that is passed: a process has one, a later fork makes a second.
 *
 * Page-table entries are made at the first touch (vm_fault), anonymous memory by zeroed pages, 2 MiB at once where a large
 * area allows it; files by the pages of their vm_object, copied at the first write through a private mapping.
 *
 * Lock: vm->lock, a mutex, covers the entries and the lower half of the page tables. Threads only everywhere.
 */
#ifndef KERNEL_MEM_VMSPACE_H
#define KERNEL_MEM_VMSPACE_H

#include "kernel/core/wait.h"
#include "kernel/mem/aspace.h"
#include "kernel/mem/vm_object.h"

/* Addresses that an application can have: nothing below, as everywhere in Drupe; the last page is never mapped. */
#define VM_START 0x10000ul
#define VM_END 0x7ffffffff000ul

enum vm_flags {
	VM_SHARED = 1,		/* else private */
	VM_FIXED = 2,		/* exactly at the address; replaces what is there */
	VM_FIXED_NOREPLACE = 4, /* exactly there, or -EEXIST */
	VM_NORESERVE = 8,
	VM_GROWSDOWN = 16, /* a stack: grows at faults just below it */
	VM_POPULATE = 32,
	VM_LOCKED = 64,
	VM_STACK = 128,	    /* the main thread's: /proc/PID/maps calls it [stack] */
	VM_BRK = 256,	    /* [heap] */
	VM_SPECIAL = 512,   /* vDSO: unmapped and protected like all, not to be merged */
	VM_BELOW_4G = 1024, /* MAP_32BIT: in the first 2 GiB */
};

struct vmspace {
	struct aspace as;
	struct arch_aspace arch;
	struct mutex lock;
	uint32_t refs; /* atomic */
	uintptr_t brk_start, brk, brk_limit;
	uintptr_t mmap_top; /* mappings without an address go below it, from the top down, at random first place */
	uintptr_t stack_top;
	uint64_t nr_mapped, nr_resident, nr_peak, nr_locked; /* pages */
	uint64_t limit_as, limit_data, limit_stack;	     /* bytes; RLIM_INFINITY is UINT64_MAX */
};

/* An empty one with its random places chosen (mmap_top, stack_top; brk follows with the program). 0, -ENOMEM. */
int vmspace_create(struct vmspace **out);
void vmspace_get(struct vmspace *vm);
void vmspace_put(struct vmspace *vm);

/* PROT: PT_READ | PT_WRITE | PT_EXEC of arch.h, or 0 (PROT_NONE). */

/*
 * Maps LEN bytes (rounded up to pages). *ADDR: the hint or fixed address in (0: anywhere), the address out. OBJECT NULL:
 * anonymous; else from its byte OFF (page-aligned) on, and a reference is taken. OBJECT with VM_SHARED and anonymous memory:
 * pass NULL, one is made. -EINVAL, -ENOMEM, -EEXIST, -EPERM as mmap(2) has them. Write with execute is allowed
 * here: the application asks for it.
 */
int vm_map(struct vmspace *vm, uintptr_t *addr, size_t len, unsigned prot, unsigned flags, struct vm_object *object,
	   uint64_t off);
int vm_unmap(struct vmspace *vm, uintptr_t addr, size_t len);
int vm_protect(struct vmspace *vm, uintptr_t addr, size_t len, unsigned prot);

enum vm_access { VM_ACCESS_READ, VM_ACCESS_WRITE, VM_ACCESS_EXEC };
/*
 * Makes ADDR accessible if it may be. 0: go on. -EFAULT: nothing is mapped there (SEGV_MAPERR); -EACCES: mapped, but not for
 * this (SEGV_ACCERR); -ENXIO: past the end of the file (BUS_ADRERR), -EIO; -ENOMEM. SP: the application's stack pointer,
 * for areas that grow. May sleep.
 */
int vm_fault(struct vmspace *vm, uintptr_t addr, enum vm_access access, uintptr_t sp);

/* One mapping, for reports. */
struct vm_info {
	uintptr_t start, end;
	unsigned prot, flags;
	uint64_t off, dev, ino;
	uint64_t nr_resident; /* pages */
	const char *name;     /* path, "[heap]", "[stack]", "[vdso]", or "" */
};
/* Calls fn for each mapping from address FROM on, in order, until it returns other than 0; returns that. VM locked. */
int vm_for_each(struct vmspace *vm, uintptr_t from, int (*fn)(const struct vm_info *info, void *arg), void *arg);

#endif
