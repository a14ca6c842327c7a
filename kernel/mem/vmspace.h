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
	VM_SPECIAL = 512,   /* vDSO: unmapped and protected like all, not to be merged; its object tells its name */
	VM_BELOW_4G = 1024, /* MAP_32BIT: in the first 2 GiB */
	/* From madvise(2). */
	VM_HUGE = 2048,	  /* 2 MiB pages wherever they fit */
	VM_NOHUGE = 4096, /* nowhere */
	VM_RANDOM = 8192, /* no neighbours at a fault */
	/* Kept when the mapping is made. */
	VM_READ_ONLY = 16384, /* PROT_WRITE is -EACCES: a shared file not opened for writing; the vDSO's data */
};

struct vm_area;

struct vmspace {
	struct aspace as;
	struct arch_aspace arch;
	struct mutex lock;
	uint32_t refs;	      /* atomic */
	struct vm_area *last; /* the area of the last fault, or NULL */
	unsigned nr_areas;
	unsigned tables_swept;		     /* page tables that were left by the last search for empty ones */
	bool lock_future;		     /* mlockall(MCL_FUTURE): what is mapped from now on is VM_LOCKED */
	uintptr_t brk_start, brk, brk_limit; /* brk_limit: 0, or the first address that the heap may not reach */
	uintptr_t mmap_top; /* mappings without an address go below it, from the top down, at random first place */
	uintptr_t stack_top;
	uint64_t nr_mapped, nr_data, nr_resident, nr_peak, nr_locked; /* pages; nr_data: private and writable */
	uint64_t limit_as, limit_data, limit_stack, limit_memlock;    /* bytes; RLIM_INFINITY is UINT64_MAX */
};

/* An empty one with its random places chosen (mmap_top, stack_top; brk follows with the program). 0, -ENOMEM. */
int vmspace_create(struct vmspace **out);
void vmspace_get(struct vmspace *vm);
/* The last reference unmaps everything. Threads only, no lock held; no thread runs in VM any more. */
void vmspace_put(struct vmspace *vm);

/* PROT: PT_READ | PT_WRITE | PT_EXEC of arch.h, or 0 (PROT_NONE). Write or execute mean read as well, as on x86 they do. */

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
/* The same; GROWSDOWN: from the start of the stack that ADDR is in (PROT_GROWSDOWN). */
int vm_protect_from(struct vmspace *vm, uintptr_t addr, size_t len, unsigned prot, bool growsdown);

enum vm_remap_flags { VM_REMAP_MAYMOVE = 1, VM_REMAP_FIXED = 2, VM_REMAP_DONTUNMAP = 4 };
/* mremap(2). *NEW_ADDR: the address for VM_REMAP_FIXED in, the mapping's address out. */
int vm_remap(struct vmspace *vm, uintptr_t addr, size_t old_len, size_t new_len, unsigned flags, uintptr_t *new_addr);

/* brk(2): the heap's end after the attempt. */
uintptr_t vm_brk(struct vmspace *vm, uintptr_t brk);

enum vm_advice {
	VM_ADVISE_DROP, /* MADV_DONTNEED: pages go, contents are zero or the object's again; SET VM_LOCKED: locked ones too */
	VM_ADVISE_DROP_ANONYMOUS, /* the same, but -EINVAL unless it is private anonymous memory */
	VM_ADVISE_REMOVE,	  /* MADV_REMOVE */
	VM_ADVISE_FLAGS,	  /* sets and clears flags */
	VM_ADVISE_POPULATE_READ,
	VM_ADVISE_POPULATE_WRITE,
	VM_ADVISE_ANONYMOUS, /* only checks: -EINVAL unless it is private anonymous memory */
	VM_ADVISE_NOTHING,   /* only says whether all is mapped */
};
/*
 * SET, CLEAR: enum vm_flags, for VM_ADVISE_FLAGS. 0; -ENOMEM when a part is not mapped (after doing it for the rest),
 * -EINVAL.
 */
int vm_advise(struct vmspace *vm, uintptr_t addr, size_t len, enum vm_advice advice, unsigned set, unsigned clear);
/* mincore(2): VEC[i] (kernel memory) is 1 for pages that are there. -ENOMEM when a part is not mapped. */
int vm_resident(struct vmspace *vm, uintptr_t addr, size_t len, unsigned char *vec);
/* msync(2). INVALIDATE: -EBUSY when a part is locked. */
int vm_sync(struct vmspace *vm, uintptr_t addr, size_t len, bool wait, bool invalidate);
/*
 * mlock(2), munlock(2); POPULATE: brings it in. vm_lock_all: ON for what is mapped, FUTURE for what will be. -ENOMEM
 * when a part is
 * not mapped, -EAGAIN when it cannot be brought in. LIMIT: bytes that may be locked in all.
 */
int vm_lock(struct vmspace *vm, uintptr_t addr, size_t len, bool on, bool populate, uint64_t limit);
int vm_lock_all(struct vmspace *vm, bool on, bool future, bool populate, uint64_t limit);

enum vm_access { VM_ACCESS_READ, VM_ACCESS_WRITE, VM_ACCESS_EXEC };
/*
 * Makes ADDR accessible if it may be. 0: go on. -EFAULT: nothing is mapped there (SEGV_MAPERR); -EACCES: mapped, but not for
 * this (SEGV_ACCERR); -ENXIO: past the end of the file (BUS_ADRERR), -EIO; -ENOMEM. SP: the application's stack pointer,
 * for areas that grow. May sleep.
 */
int vm_fault(struct vmspace *vm, uintptr_t addr, enum vm_access access, uintptr_t sp);

struct trapframe;
/*
 * A page fault that an exception reported: brings the page in if the address is the running thread's application's,
 * and if the
 * interrupted code may sleep. 0: mended, go on at FRAME; -EFAULT: not an address or a place for that; else as
 * vm_fault. Called
 * with interrupts disabled, returns so; enabled in between.
 */
int vm_fault_try(struct trapframe *frame, uintptr_t address);

/* One mapping, for reports. */
struct vm_info {
	uintptr_t start, end;
	unsigned prot, flags;
	uint64_t off, dev, ino;
	uint64_t nr_resident; /* pages; 0 unless vm_for_each was asked to count them */
	uint64_t nr_private;  /* pages of those that are anonymous or private copies */
	const char *name;     /* path, "[heap]", "[stack]", "[vdso]", or "" */
};
/*
 * Calls fn for each mapping from address FROM on, in order, until it returns other than 0; returns that. VM locked
 * meanwhile, so fn
 * touches no application memory. _counted: with the pages that are resident, which takes time for each.
 */
int vm_for_each(struct vmspace *vm, uintptr_t from, int (*fn)(const struct vm_info *info, void *arg), void *arg);
int vm_for_each_counted(struct vmspace *vm, uintptr_t from, int (*fn)(const struct vm_info *info, void *arg),
			void *arg);

/*
 * What ADDR shows, for those who name memory by its page (futex(2)). 1: a shared mapping, *PA is the address in physical
 * memory; 0: no shared mapping; -EAGAIN: a shared one whose page is not there.
 */
int vm_shared_at(struct vmspace *vm, uintptr_t addr, paddr_t *pa);

/* Logs (LOG_ERR) who uses what when memory is short: totals, and the largest mappings. WHO: the process. */
void vm_report(struct vmspace *vm, const char *who);

#endif
