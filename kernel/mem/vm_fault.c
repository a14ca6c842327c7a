/*
 * Page faults. An entry that is not there is made: zeroed memory, an object's page, or with it the neighbours that
 * lie beside it in
 * physical memory anyway. An entry that is there but not for writing is one of: the zero page or an object's page in
 * a private
 * mapping, which is copied; a page of a shared object that nobody has written yet through here.
 */
#include "kernel/core/cpu.h"
#include "kernel/mem/vm_area.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

#define LARGE_PAGES (LARGE_PAGE_SIZE / PAGE_SIZE)
/* An area gets large pages by itself from this size on, and as long as so much of all memory is free: 1 / LARGE_FREE_PART. */
#define LARGE_AREA_MIN (4ul << 20)
#define LARGE_FREE_PART 2
/* Of an object, so many neighbours at once: entries are cheaper than faults. */
#define WINDOW_PAGES 64ul

/* Made by the first who needs it; then never given back. */
static paddr_t zero_page;

static bool allows(unsigned prot, enum vm_access access)
{
	switch (access) {
	case VM_ACCESS_WRITE:
		return prot & PT_WRITE;
	case VM_ACCESS_EXEC:
		return prot & PT_EXEC;
	default:
		return prot;
	}
}

static inline void entry_set(struct vmspace *vm, pte_t *entry, pte_t value)
{
	WRITE_ONCE(*entry, value);
	if (++vm->nr_resident > vm->nr_peak)
		vm->nr_peak = vm->nr_resident;
}

/* ---- Anonymous memory ------------------------------------------------------------------------------------------- */

static paddr_t zero_page_get(void)
{
	paddr_t pa = __atomic_load_n(&zero_page, __ATOMIC_ACQUIRE), none = 0;
	struct page *page;

	if (likely(pa))
		return pa;
	page = page_alloc(0, PAGE_ZERO);
	if (!page)
		return 0;
	pa = page_to_phys(page);
	if (!__atomic_compare_exchange_n(&zero_page, &none, pa, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		page_free(page, 0);
		pa = none;
	}
	return pa;
}

/*
 * Whether to show the zero page for now. What comes later in its place has to leave the TLBs of all CPUs: with
 * several, and memory
 * enough, that costs more than a page which may never be written.
 */
static bool shows_zero_page(const struct vm_area *area, enum vm_access access)
{
	return access != VM_ACCESS_WRITE && !(area->flags & VM_LOCKED) &&
	       (nr_cpus_online == 1 || page_nr_free() < page_nr_total() / 2);
}

static int fault_anonymous(struct vm_area *area, pte_t *entry, enum vm_access access)
{
	struct page *page;
	paddr_t pa;

	if (shows_zero_page(area, access)) {
		pa = zero_page_get();
		if (!pa)
			return -ENOMEM;
		entry_set(area->vm, entry, pte_make(pa, area->prot & ~PT_WRITE));
		return 0;
	}
	page = page_alloc(0, 0);
	if (unlikely(!page))
		return -ENOMEM;
	memset(page_to_virt(page), 0, PAGE_SIZE);
	entry_set(area->vm, entry, pte_make(page_to_phys(page), area->prot | PT_OWNED | PT_PRIVATE));
	return 0;
}

static bool may_be_large(const struct vm_area *area, uintptr_t va)
{
	uintptr_t block = ALIGN_DOWN(va, LARGE_PAGE_SIZE);
	uint64_t free;

	if (area->object || area->flags & (VM_NOHUGE | VM_GROWSDOWN | VM_STACK) || block < area->region.start ||
	    area->region.end - block < LARGE_PAGE_SIZE)
		return false;
	free = page_nr_free();
	if (area->flags & VM_HUGE)
		return free > 4 * LARGE_PAGES;
	return area_len(area) >= LARGE_AREA_MIN && free > page_nr_total() / LARGE_FREE_PART;
}

/* True when a large page is there now. */
static bool fault_large(struct vm_area *area, uintptr_t va)
{
	struct vmspace *vm = area->vm;
	struct page *page;
	pte_t *entry;

	page_table_reserve();
	entry = arch_pt_entry_large(&vm->arch, va, true);
	if (!entry || *entry)
		return false;
	page = page_alloc(PAGE_ORDER_MAX, PAGE_ZERO);
	if (!page)
		return false;
	vm->nr_resident += LARGE_PAGES - 1;
	entry_set(vm, entry, pte_make_large(page_to_phys(page), area->prot | PT_OWNED | PT_PRIVATE));
	return true;
}

/* ---- Objects ---------------------------------------------------------------------------------------------------- */

static uint64_t object_off(const struct vm_area *area, uintptr_t va)
{
	return area->off + (va - area->region.start);
}

/* A private page with the contents of the one at PA; NULL: no memory. */
static struct page *page_copy(paddr_t pa)
{
	struct page *page;

	if (pa == zero_page)
		return page_alloc(0, PAGE_ZERO);
	page = page_alloc(0, 0);
	if (page)
		memcpy(page_to_virt(page), arch_phys_to_kernel(pa), PAGE_SIZE);
	return page;
}

/* Maps what lies beside the page at VA as it does in the object, where nothing is mapped yet. Never for writing. */
static void window_map(struct vm_area *area, uintptr_t va, pte_t *entry, const struct vm_page *at)
{
	uintptr_t window = ALIGN_DOWN(va, WINDOW_PAGES * PAGE_SIZE);
	uintptr_t start = MAX(window, area->region.start),
		  end = MIN(window + WINDOW_PAGES * PAGE_SIZE, area->region.end);
	uint64_t before = MIN(at->run_before, (va - start) / PAGE_SIZE), n = MIN(at->run, (end - va) / PAGE_SIZE);
	pte_t value = pte_make(at->pa - before * PAGE_SIZE, area->prot & ~PT_WRITE);

	for (pte_t *e = entry - before; e < entry + n; e++, value += PAGE_SIZE)
		if (!*e)
			entry_set(area->vm, e, value);
}

static int fault_object(struct vm_area *area, uintptr_t va, pte_t *entry, enum vm_access access)
{
	bool write = access == VM_ACCESS_WRITE, shared = area->flags & VM_SHARED;
	struct vm_page at = { 0 };
	unsigned prot = area->prot;
	struct page *copy;
	int err;

	err = area->object->ops->page(area->object, object_off(area, va), write && shared, &at);
	if (err)
		return err;
	if (write && !shared) {
		copy = page_copy(at.pa);
		if (at.page)
			page_put(at.page);
		if (!copy)
			return -ENOMEM;
		entry_set(area->vm, entry, pte_make(page_to_phys(copy), prot | PT_OWNED | PT_PRIVATE));
		return 0;
	}
	prot = (write ? prot : prot & ~PT_WRITE) | (at.page ? PT_OWNED : 0);
	entry_set(area->vm, entry, pte_make(at.pa, prot));
	if (at.run + at.run_before > 1 && !at.page && !(area->flags & VM_RANDOM))
		window_map(area, va, entry, &at);
	return 0;
}

/* ---- Writes to what is mapped read-only --------------------------------------------------------------------------- */

/* Puts VALUE where another page was mapped; that one's reference goes once no CPU sees it any more. */
static void entry_replace(uintptr_t va, pte_t *entry, pte_t value)
{
	pte_t old = *entry;

	WRITE_ONCE(*entry, value);
	if (pte_pa(old) != pte_pa(value))
		cpu_tlb_shootdown_lower(va, PAGE_SIZE);
	if (pte_is_owned(old))
		page_put(page_from_nr(pte_pa(old) >> PAGE_SHIFT));
}

static int fault_write(struct vm_area *area, uintptr_t va, pte_t *entry)
{
	struct vm_page at = { 0 };
	struct page *copy;
	int err;

	if (area->flags & VM_SHARED) {
		err = area->object->ops->page(area->object, object_off(area, va), true, &at);
		if (err)
			return err;
		entry_replace(va, entry, pte_make(at.pa, area->prot | (at.page ? PT_OWNED : 0)));
		return 0;
	}
	if (pte_is_private(*entry) &&
	    __atomic_load_n(&page_from_nr(pte_pa(*entry) >> PAGE_SHIFT)->refs, __ATOMIC_ACQUIRE) == 1) {
		WRITE_ONCE(*entry, pte_protect(*entry, area->prot));
		return 0;
	}
	copy = page_copy(pte_pa(*entry));
	if (!copy)
		return -ENOMEM;
	entry_replace(va, entry, pte_make(page_to_phys(copy), area->prot | PT_OWNED | PT_PRIVATE));
	return 0;
}

/* ---- All of it -------------------------------------------------------------------------------------------------- */

static bool large_is_mapped(struct vmspace *vm, uintptr_t va)
{
	pte_t *entry = arch_pt_entry_large(&vm->arch, va, false);

	return entry && pte_is_large(*entry);
}

int fault_locked(struct vmspace *vm, struct vm_area *area, uintptr_t va, enum vm_access access)
{
	pte_t *entry;

	if (unlikely(!allows(area->prot, access)))
		return -EACCES;
	entry = arch_pt_entry(&vm->arch, va, false);
	if (unlikely(!entry)) {
		if (large_is_mapped(vm, va) || (may_be_large(area, va) && fault_large(area, va)))
			return 0;
		page_table_reserve();
		entry = arch_pt_entry(&vm->arch, va, true);
		if (!entry)
			return -ENOMEM;
	}
	if (*entry)
		/* Else another CPU was faster, or this one's TLB was behind. */
		return access == VM_ACCESS_WRITE && !pte_is_writable(*entry) ? fault_write(area, va, entry) : 0;
	return area->object ? fault_object(area, va, entry, access) : fault_anonymous(area, entry, access);
}

int stack_grow(struct vm_area *area, uintptr_t va)
{
	struct vm_area *prev = area_prev(area);
	struct vmspace *vm = area->vm;

	if (!(area->flags & VM_GROWSDOWN) || area->region.end - va > vm->limit_stack)
		return -EFAULT;
	if (prev && prev->prot && !(prev->flags & VM_GROWSDOWN) && va - prev->region.end < STACK_GAP)
		return -EFAULT;
	if (prev && va < prev->region.end)
		return -EFAULT;
	if (!limits_allow(vm, (area->region.start - va) / PAGE_SIZE, 0))
		return -ENOMEM;
	area_resize(area, va, area->region.end);
	return 0;
}

static int fault_area(struct vmspace *vm, uintptr_t va, enum vm_access access)
{
	struct vm_area *area = vm->last;
	int err;

	if (!area || va < area->region.start || va >= area->region.end) {
		area = area_find_from(vm, va);
		if (!area)
			return -EFAULT;
		if (va < area->region.start) {
			err = stack_grow(area, va);
			if (err)
				return err;
		}
		vm->last = area;
	}
	return fault_locked(vm, area, va, access);
}

int vm_fault(struct vmspace *vm, uintptr_t addr, enum vm_access access, uintptr_t sp)
{
	int err;

	(void)sp; /* Linux gave the check up as well (its 5.0): any access within the limit makes a stack grow */
	if (addr < VM_START || addr >= VM_END)
		return -EFAULT;
	mutex_lock(&vm->lock);
	err = fault_area(vm, ALIGN_DOWN(addr, PAGE_SIZE), access);
	mutex_unlock(&vm->lock);
	return err;
}

int vm_fault_try(struct trapframe *frame, uintptr_t address)
{
	struct vmspace *vm = thread_current()->vmspace;
	enum vm_access access = frame->error & FAULT_FETCH   ? VM_ACCESS_EXEC
				: frame->error & FAULT_WRITE ? VM_ACCESS_WRITE
							     : VM_ACCESS_READ;
	int err;

	if (!vm || address >= VM_END || frame->error & FAULT_RESERVED || !(frame->flags & FLAGS_IF) ||
	    percpu_read(preempt_count))
		return -EFAULT;
	arch_irq_enable();
	err = vm_fault(vm, address, access, frame->sp);
	arch_irq_disable();
	return err;
}

int pages_populate(struct vmspace *vm, struct vm_area *area, uintptr_t start, uintptr_t end, bool write)
{
	enum vm_access access = write && area->prot & PT_WRITE	    ? VM_ACCESS_WRITE
				: area->prot & (PT_READ | PT_WRITE) ? VM_ACCESS_READ
								    : VM_ACCESS_EXEC;
	int err = area->prot ? 0 : -EACCES;

	for (uintptr_t va = start; va < end && !err; va += PAGE_SIZE)
		err = fault_locked(vm, area, va, access);
	return err;
}
