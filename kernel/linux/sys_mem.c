/* The system calls on memory (mem/vmspace.h does it): mmap(2), mprotect(2), mremap(2), madvise(2), brk(2), mlock(2), ... */
#include "kernel/linux/abi.h"
#include "kernel/linux/fd.h"
#include "kernel/linux/settings.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/mem/abi.h"
#include "lib/errno.h"

#define CAP_IPC_LOCK 14

/* ---- mmap ------------------------------------------------------------------------------------------------------- */

_Static_assert(PROT_READ == PT_READ && PROT_WRITE == PT_WRITE && PROT_EXEC == PT_EXEC,
	       "PROT_* are passed on as they are");
#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)
/* What MAP_SHARED_VALIDATE takes; the others ignore what they do not know. */
#define MAP_KNOWN                                                                                                      \
	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | MAP_DENYWRITE | MAP_EXECUTABLE |           \
	 MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_FIXED_NOREPLACE |    \
	 MAP_HUGE_MASK << MAP_HUGE_SHIFT)

/* Bytes that the process may lock. */
static uint64_t memlock_limit(const struct process *process)
{
	return process_is_capable(process, CAP_IPC_LOCK) ? UINT64_MAX : READ_ONCE(process->rlimits[RLIMIT_MEMLOCK].cur);
}

static unsigned vm_flags_of(unsigned long flags)
{
	unsigned vm_flags = 0;

	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		vm_flags |= VM_SHARED;
	if (flags & MAP_FIXED_NOREPLACE)
		vm_flags |= VM_FIXED_NOREPLACE;
	else if (flags & MAP_FIXED)
		vm_flags |= VM_FIXED;
	if (flags & MAP_NORESERVE)
		vm_flags |= VM_NORESERVE;
	if (flags & MAP_GROWSDOWN)
		vm_flags |= VM_GROWSDOWN;
	if (flags & MAP_POPULATE && !(flags & MAP_NONBLOCK))
		vm_flags |= VM_POPULATE;
	if (flags & MAP_LOCKED)
		vm_flags |= VM_LOCKED;
	if (flags & MAP_32BIT)
		vm_flags |= VM_BELOW_4G;
	return vm_flags;
}

static int flags_check(unsigned long flags)
{
	switch (flags & MAP_TYPE) {
	case MAP_SHARED_VALIDATE:
		if (flags & ~(unsigned long)MAP_KNOWN)
			return -EOPNOTSUPP;
		break;
	case MAP_SHARED:
	case MAP_PRIVATE:
		break;
	default:
		return -EINVAL;
	}
	if (flags & MAP_GROWSDOWN && (flags & MAP_TYPE) != MAP_PRIVATE)
		return -EINVAL;
	/* No huge pages are set aside here, as on a Linux where nobody has done so. */
	return flags & MAP_HUGETLB ? (flags & MAP_ANONYMOUS ? -ENOMEM : -EINVAL) : 0;
}

static long map_file(struct file *file, uintptr_t *addr, size_t len, unsigned prot, unsigned vm_flags, uint64_t off)
{
	struct vm_object *object;
	int error = 0;

	if (!file->ops->mmap_object)
		return -ENODEV;
	object = file->ops->mmap_object(file, prot, vm_flags, &error);
	if (!object && error)
		return error;
	if (vm_flags & VM_SHARED && (file->flags & O_ACCMODE) != O_RDWR)
		vm_flags |= VM_READ_ONLY;
	return vm_map(process_current()->vm, addr, len, prot, vm_flags, object, object ? off : 0);
}

long sys_mmap(unsigned long addr, size_t len, unsigned long prot, unsigned long flags, int fd, unsigned long offset)
{
	struct vmspace *vm = process_current()->vm;
	struct fd_ref ref = { 0 };
	uintptr_t at = addr;
	long result;

	if (unlikely(!IS_ALIGNED(offset, PAGE_SIZE)))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		ref = fd_borrow_open((unsigned)fd);
		if (!ref.file)
			return -EBADF;
	}
	result = len ? flags_check(flags) : -EINVAL;
	if (unlikely(flags & MAP_LOCKED) && !result) {
		WRITE_ONCE(vm->limit_memlock, memlock_limit(process_current()));
		if (!vm->limit_memlock)
			result = -EPERM;
	}
	if (!result && ref.file)
		result = map_file(ref.file, &at, len, prot & PROT_ALL, vm_flags_of(flags), offset);
	else if (!result)
		result = vm_map(vm, &at, len, prot & PROT_ALL, vm_flags_of(flags), NULL, 0);
	if (ref.file)
		fd_ref_put(ref);
	return result ? result : (long)at;
}

long sys_munmap(unsigned long addr, size_t len)
{
	return vm_unmap(process_current()->vm, addr, len);
}

long sys_mprotect(unsigned long addr, size_t len, unsigned long prot)
{
	const unsigned long grows = PROT_GROWSDOWN | PROT_GROWSUP;

	if (unlikely(prot & ~(PROT_ALL | PROT_SEM | grows) || prot & PROT_GROWSUP))
		return -EINVAL;
	return vm_protect_from(process_current()->vm, addr, len, prot & PROT_ALL, prot & PROT_GROWSDOWN);
}

long sys_mremap(unsigned long old_addr, size_t old_len, size_t new_len, unsigned long flags, unsigned long new_addr)
{
	uintptr_t at = new_addr;
	int error;

	_Static_assert(MREMAP_MAYMOVE == VM_REMAP_MAYMOVE && MREMAP_FIXED == VM_REMAP_FIXED &&
			       MREMAP_DONTUNMAP == VM_REMAP_DONTUNMAP,
		       "MREMAP_* are passed on as they are");
	if (flags & ~(unsigned long)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	error = vm_remap(process_current()->vm, old_addr, old_len, new_len, (unsigned)flags, &at);
	return error ? error : (long)at;
}

long sys_brk(unsigned long addr)
{
	return (long)vm_brk(process_current()->vm, addr);
}

/* ---- madvise, mincore, msync ------------------------------------------------------------------------------------ */

struct advice {
	enum vm_advice what;
	unsigned set, clear;
};

/* False: no such advice. Fork and dumps are not there yet, so what is said about them only needs to be valid. */
static bool advice_of(int advice, struct advice *out)
{
	*out = (struct advice){ VM_ADVISE_NOTHING, 0, 0 };
	switch (advice) {
	case MADV_NORMAL:
	case MADV_SEQUENTIAL:
		*out = (struct advice){ VM_ADVISE_FLAGS, 0, VM_RANDOM };
		return true;
	case MADV_RANDOM:
		*out = (struct advice){ VM_ADVISE_FLAGS, VM_RANDOM, 0 };
		return true;
	case MADV_HUGEPAGE:
		*out = (struct advice){ VM_ADVISE_FLAGS, VM_HUGE, VM_NOHUGE };
		return true;
	case MADV_NOHUGEPAGE:
		*out = (struct advice){ VM_ADVISE_FLAGS, VM_NOHUGE, VM_HUGE };
		return true;
	case MADV_DONTNEED:
		out->what = VM_ADVISE_DROP;
		return true;
	case MADV_DONTNEED_LOCKED:
		*out = (struct advice){ VM_ADVISE_DROP, VM_LOCKED, 0 };
		return true;
	case MADV_FREE:
		out->what = VM_ADVISE_DROP_ANONYMOUS;
		return true;
	case MADV_REMOVE:
		out->what = VM_ADVISE_REMOVE;
		return true;
	case MADV_POPULATE_READ:
		out->what = VM_ADVISE_POPULATE_READ;
		return true;
	case MADV_POPULATE_WRITE:
		out->what = VM_ADVISE_POPULATE_WRITE;
		return true;
	case MADV_WIPEONFORK:
		out->what = VM_ADVISE_ANONYMOUS;
		return true;
	case MADV_WILLNEED:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_KEEPONFORK:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_COLD:
	case MADV_PAGEOUT:
		return true;
	}
	return false;
}

long sys_madvise(unsigned long addr, size_t len, int advice)
{
	struct advice what;

	if (!advice_of(advice, &what) || !IS_ALIGNED(addr, PAGE_SIZE) || ALIGN_UP(len, PAGE_SIZE) < len ||
	    addr + ALIGN_UP(len, PAGE_SIZE) < addr)
		return -EINVAL;
	if (!len)
		return 0;
	return vm_advise(process_current()->vm, addr, len, what.what, what.set, what.clear);
}

#define MINCORE_CHUNK 512ul

long sys_mincore(unsigned long addr, size_t len, unsigned char *vec)
{
	unsigned char chunk[MINCORE_CHUNK];
	size_t pages;

	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (!user_range_is_valid((void *)addr, len))
		return -ENOMEM;
	pages = ALIGN_UP(len, PAGE_SIZE) / PAGE_SIZE;
	if (!user_range_is_valid(vec, pages))
		return -EFAULT;
	for (size_t n; pages; pages -= n, addr += n * PAGE_SIZE, vec += n) {
		int error;

		n = MIN(pages, MINCORE_CHUNK);
		error = vm_resident(process_current()->vm, addr, n * PAGE_SIZE, chunk);
		if (!error)
			error = user_write(vec, chunk, n);
		if (error)
			return error;
	}
	return 0;
}

long sys_msync(unsigned long addr, size_t len, int flags)
{
	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC) || (flags & MS_ASYNC && flags & MS_SYNC) ||
	    !IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (ALIGN_UP(len, PAGE_SIZE) < len || addr + ALIGN_UP(len, PAGE_SIZE) < addr)
		return -ENOMEM;
	if (!len)
		return 0;
	return vm_sync(process_current()->vm, addr, len, flags & MS_SYNC, flags & MS_INVALIDATE);
}

/* ---- mlock ------------------------------------------------------------------------------------------------------ */

static long lock_range(unsigned long addr, size_t len, bool populate)
{
	struct process *process = process_current();
	uint64_t limit = memlock_limit(process);

	return limit ? vm_lock(process->vm, addr, len, true, populate, limit) : -EPERM;
}

long sys_mlock(unsigned long addr, size_t len)
{
	return lock_range(addr, len, true);
}

long sys_mlock2(unsigned long addr, size_t len, int flags)
{
	if (flags & ~(int)MLOCK_ONFAULT)
		return -EINVAL;
	return lock_range(addr, len, !flags);
}

long sys_munlock(unsigned long addr, size_t len)
{
	return vm_lock(process_current()->vm, addr, len, false, false, UINT64_MAX);
}

long sys_mlockall(int flags)
{
	struct process *process = process_current();
	uint64_t limit = memlock_limit(process);

	if (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) || !(flags & (MCL_CURRENT | MCL_FUTURE)))
		return -EINVAL;
	if (!limit)
		return -EPERM;
	WRITE_ONCE(process->vm->limit_memlock, limit);
	return vm_lock_all(process->vm, flags & MCL_CURRENT, flags & MCL_FUTURE, !(flags & MCL_ONFAULT), limit);
}

long sys_munlockall(void)
{
	return vm_lock_all(process_current()->vm, false, false, false, UINT64_MAX);
}
