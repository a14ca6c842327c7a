/* Changing protections: mprotect(2). */
#include "kernel/core/cpu.h"
#include "kernel/mem/vm_area.h"
#include "lib/errno.h"

struct change {
	unsigned prot;
	bool shared;
	uintptr_t start, end; /* entries that allow less than before: what to flush */
};

/*
 * An entry allows writing where the area does and the page is this mapping's own. Of a shared object it keeps what it
 * has: the
 * object learns of the first write from the fault.
 */
static void change_entry(void *arg, pte_t *entry, uintptr_t va, size_t size)
{
	struct change *change = arg;
	pte_t old = *entry, new;
	unsigned prot = change->prot;

	if (!pte_is_private(old) && !(change->shared && pte_is_writable(old)))
		prot &= ~PT_WRITE;
	/* A page that only could be written or executed stays readable, and is hidden by PROT_NONE alone. */
	new = pte_protect(old, change->prot ? prot | PT_READ : 0);
	if (new == old)
		return;
	WRITE_ONCE(*entry, new);
	if (!pte_is_present(old) || (pte_is_present(new) && pte_is_writable(new) >= pte_is_writable(old) &&
				     pte_is_executable(new) >= pte_is_executable(old)))
		return;
	change->start = MIN(change->start, va);
	change->end = MAX(change->end, va + size);
}

/* All of [START, END) is mapped, and may have PROT. */
static int range_check(struct vmspace *vm, uintptr_t start, uintptr_t end, unsigned prot)
{
	struct vm_area *area = area_find_from(vm, start);
	uint64_t more = 0;

	for (; start < end; area = area_next(area)) {
		if (!area || area->region.start > start)
			return -ENOMEM;
		if (prot & PT_WRITE && area->flags & VM_READ_ONLY)
			return -EACCES;
		if (area_is_data(prot, area->flags) && !area_is_data(area->prot, area->flags))
			more += (MIN(end, area->region.end) - start) / PAGE_SIZE;
		start = area->region.end;
	}
	return more && !limits_allow(vm, 0, more) ? -ENOMEM : 0;
}

static int protect_locked(struct vmspace *vm, uintptr_t start, uintptr_t end, unsigned prot, struct list *dead)
{
	struct change change = { .prot = prot, .start = UINTPTR_MAX };
	struct vm_area *area;
	int err = range_check(vm, start, end, prot);

	if (err)
		return err;
	if (areas_cut(vm, start, end))
		return -ENOMEM;
	for (area = area_find_from(vm, start); area && area->region.start < end; area = area_next(area)) {
		if (area->prot == prot)
			continue;
		area_change(area, prot, area->flags);
		change.shared = area->flags & VM_SHARED;
		arch_pt_visit(&vm->arch, area->region.start, area->region.end, change_entry, &change);
		area = area_merge(area, dead);
	}
	/* The last one's upper neighbour was looked at too early if that is what changed. */
	area = area_find(vm, start);
	if (area)
		area_merge(area, dead);
	if (change.end)
		cpu_tlb_shootdown_lower(change.start, change.end - change.start);
	return 0;
}

int vm_protect_from(struct vmspace *vm, uintptr_t addr, size_t len, unsigned prot, bool growsdown)
{
	struct list dead = LIST_INIT(dead);
	struct vm_area *area;
	uintptr_t end;
	int err = 0;

	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (!len)
		return 0;
	if (!range_is_valid(addr, len, &end))
		return -ENOMEM;
	mutex_lock(&vm->lock);
	if (growsdown) {
		area = area_find_from(vm, addr);
		if (!area || area->region.start >= end)
			err = -ENOMEM;
		else if (!(area->flags & VM_GROWSDOWN))
			err = -EINVAL;
		else
			addr = area->region.start;
	}
	if (!err)
		err = protect_locked(vm, addr, end, prot, &dead);
	mutex_unlock(&vm->lock);
	areas_free(&dead);
	return err;
}

int vm_protect(struct vmspace *vm, uintptr_t addr, size_t len, unsigned prot)
{
	return vm_protect_from(vm, addr, len, prot, false);
}
