/*
 * Kernel areas. Each is a region of the kernel's address space that ends in one page that is never mapped, so that every
 * area has a guard page behind it, and the guard of its neighbour or a gap before it.
 *
 * An area is placed at a random page of the current window, a stretch of 2 MiB that starts at a random place of
 * arch_layout.vmap and moves on when it is full: areas that share a window share a page table, which a place anywhere in
 * vmap would cost each of them for itself.
 */
#include "kernel/mem/vmap.h"

#include "kernel/core/cpu.h"
#include "kernel/core/panic.h"
#include "kernel/core/random.h"
#include "kernel/mem/aspace.h"
#include "kernel/mem/page.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"

#define GUARD_LEN PAGE_SIZE
#define WINDOW_LEN LARGE_PAGE_SIZE
#define PLACE_TRIES 4

struct area {
	struct region region; /* with the guard page */
	uint32_t offset;      /* of what the caller got, in the first page */
	bool is_device;	      /* its pages are not the page allocator's */
};

static struct aspace kernel_aspace;
static uintptr_t window; /* 0 until first used; under kernel_aspace.lock */

void vmap_init(void)
{
	aspace_init(&kernel_aspace, &arch_kernel_aspace);
}

static uintptr_t vmap_end(void)
{
	return arch_layout.vmap_base + arch_layout.vmap_len;
}

/* A place for LEN bytes; 0 when vmap is full. Locked. */
static uintptr_t area_place(size_t len)
{
	uintptr_t va;

	if (!window)
		window = arch_layout.vmap_base + random_layout_below(arch_layout.vmap_len / WINDOW_LEN) * WINDOW_LEN;
	for (unsigned i = 0; len < WINDOW_LEN / 2 && i < PLACE_TRIES; i++) {
		va = window + random_layout_below((WINDOW_LEN - len) / PAGE_SIZE) * PAGE_SIZE;
		if (region_find_gap(&kernel_aspace, va, va + len, len))
			return va;
	}
	va = region_find_gap(&kernel_aspace, window, vmap_end(), len);
	if (!va)
		va = region_find_gap(&kernel_aspace, arch_layout.vmap_base, vmap_end(), len);
	if (va)
		window = ALIGN_DOWN(va, WINDOW_LEN);
	return va;
}

/* Room for LEN bytes (page-aligned) and the guard. NULL: no memory, or no room. */
static struct area *area_alloc(size_t len)
{
	struct area *area = kzalloc(sizeof(*area));

	if (!area)
		return NULL;
	spin_lock(&kernel_aspace.lock);
	area->region.start = area_place(len + GUARD_LEN);
	area->region.end = area->region.start + len + GUARD_LEN;
	if (!area->region.start || region_insert(&kernel_aspace, &area->region)) {
		spin_unlock(&kernel_aspace.lock);
		kfree(area);
		return NULL;
	}
	spin_unlock(&kernel_aspace.lock);
	return area;
}

static void area_release(struct area *area)
{
	spin_lock(&kernel_aspace.lock);
	region_remove(&kernel_aspace, &area->region);
	spin_unlock(&kernel_aspace.lock);
	kfree(area);
}

static int map_one(uintptr_t va, paddr_t pa, size_t len, unsigned prot)
{
	page_table_reserve();
	return arch_pt_map(&arch_kernel_aspace, va, pa, len, prot);
}

/* Unmaps [start, end) everywhere, then gives the pages back. */
static void pages_free(uintptr_t start, uintptr_t end)
{
	struct list freed = LIST_INIT(freed), *link;

	for (uintptr_t va = start; va < end; va += PAGE_SIZE) {
		paddr_t pa;

		if (arch_pt_lookup(&arch_kernel_aspace, va, &pa, NULL))
			list_push_back(&freed, &page_from_phys(pa)->link);
	}
	arch_pt_unmap(&arch_kernel_aspace, start, end - start);
	cpu_tlb_shootdown(start, end - start);
	while ((link = list_pop_front(&freed)))
		page_free(list_entry(link, struct page, link), 0);
}

static bool pages_alloc(uintptr_t start, uintptr_t end, unsigned flags)
{
	for (uintptr_t va = start; va < end; va += PAGE_SIZE) {
		struct page *page = page_alloc(0, flags);

		if (!page || map_one(va, page_to_phys(page), PAGE_SIZE, PT_READ | PT_WRITE)) {
			if (page)
				page_free(page, 0);
			pages_free(start, va);
			return false;
		}
	}
	return true;
}

static void *memory_alloc(size_t len, unsigned flags)
{
	struct area *area;

	if (!len || len > arch_layout.vmap_len / 2)
		return NULL;
	len = ALIGN_UP(len, PAGE_SIZE);
	area = area_alloc(len);
	if (!area)
		return NULL;
	if (!pages_alloc(area->region.start, area->region.end - GUARD_LEN, flags)) {
		area_release(area);
		return NULL;
	}
	return (void *)area->region.start;
}

void *vmap_alloc(size_t len)
{
	return memory_alloc(len, PAGE_ZERO);
}

/* The area that starts at VA: anything else is a bug of the caller. */
static struct area *area_of(const void *va, bool is_device)
{
	struct region *region;
	struct area *area;

	spin_lock(&kernel_aspace.lock);
	region = region_find(&kernel_aspace, (uintptr_t)va);
	spin_unlock(&kernel_aspace.lock);
	BUG_ON(!region);
	area = container_of(region, struct area, region);
	BUG_ON(area->is_device != is_device || region->start + area->offset != (uintptr_t)va);
	return area;
}

void vmap_free(void *va)
{
	struct area *area;

	if (!va)
		return;
	area = area_of(va, false);
	pages_free(area->region.start, area->region.end - GUARD_LEN);
	area_release(area);
}

void *vmap_device(paddr_t pa, size_t len)
{
	paddr_t first = ALIGN_DOWN(pa, PAGE_SIZE), end;
	struct area *area;

	if (!len || __builtin_add_overflow(pa, len, &end) || end > arch_phys_limit())
		return NULL;
	end = ALIGN_UP(end, PAGE_SIZE);
	area = area_alloc(end - first);
	if (!area)
		return NULL;
	area->is_device = true;
	area->offset = pa - first;
	if (map_one(area->region.start, first, end - first, PT_READ | PT_WRITE | PT_UNCACHED)) {
		arch_pt_unmap(&arch_kernel_aspace, area->region.start, end - first);
		area_release(area);
		return NULL;
	}
	return (void *)(area->region.start + area->offset);
}

void vmap_device_unmap(void *va)
{
	struct area *area = area_of(va, true);
	size_t len = area->region.end - GUARD_LEN - area->region.start;

	arch_pt_unmap(&arch_kernel_aspace, area->region.start, len);
	cpu_tlb_shootdown(area->region.start, len);
	area_release(area);
}

bool vmap_is_guard(uintptr_t va)
{
	struct region *region;

	if (va < arch_layout.vmap_base || va >= vmap_end())
		return false;
	/* No lock: the fault may have come while this CPU holds it. A tree in the middle of a change gives a wrong word only. */
	region = region_find(&kernel_aspace, va);
	if (region)
		return va >= region->end - GUARD_LEN;
	region = region_find_from(&kernel_aspace, va);
	return region && region->start - va <= GUARD_LEN;
}

/* ---- Stacks ----------------------------------------------------------------------------------------------------- */

/* Freed stacks, linked through their first word. Keeping them saves a TLB shootdown for each thread that ends. */
#define KSTACK_KEEP_MAX 64
static struct spinlock kstack_lock = SPINLOCK_INIT("kstack"); /* covers what follows */
static void *kstack_kept;
static unsigned kstack_nr_kept;

void *kstack_alloc(void)
{
	void *bottom;

	spin_lock(&kstack_lock);
	bottom = kstack_kept;
	if (bottom) {
		memcpy(&kstack_kept, bottom, sizeof(kstack_kept));
		kstack_nr_kept--;
	}
	spin_unlock(&kstack_lock);
	return bottom ? bottom : memory_alloc(KSTACK_SIZE, 0);
}

void kstack_free(void *bottom)
{
	spin_lock(&kstack_lock);
	if (kstack_nr_kept < KSTACK_KEEP_MAX) {
		memcpy(bottom, &kstack_kept, sizeof(kstack_kept));
		kstack_kept = bottom;
		kstack_nr_kept++;
		bottom = NULL;
	}
	spin_unlock(&kstack_lock);
	vmap_free(bottom);
}
