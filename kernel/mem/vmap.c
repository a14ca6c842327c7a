/*
 * Kernel areas. Each is a region of the kernel's address space that ends in one page that is never mapped, so that every
 * area has a guard page behind it, and the guard of its neighbour or a gap before it.
 *
 * Areas fill windows of 2 MiB, the first of which is at a random place of arch_layout.vmap. A small area goes to a random
 * page of the current window. When none is found there, the window with the lowest gap becomes the current one: so areas
 * share page tables, which are never given back, and what was freed is used before new tables are.
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
#define BLOCK_ORDER_MAX 4u /* pages come in blocks of up to 64 KiB: fewer calls, and they need not be contiguous */

struct area {
	struct region region; /* with the guard page */
	uint32_t offset;      /* of what the caller got, in the first page */
	bool is_device;	      /* its pages are not the page allocator's */
};

static struct aspace kernel_aspace;
/* Under kernel_aspace.lock. All 0 until first used. */
static uintptr_t window;
static uintptr_t search; /* where to look for a gap: what is freed below moves it there */

void vmap_init(void)
{
	aspace_init(&kernel_aspace, &arch_kernel_aspace);
}

static uintptr_t vmap_end(void)
{
	return arch_layout.vmap_base + arch_layout.vmap_len;
}

/* A random place for LEN bytes in the window; 0 when none was found. Locked. */
static uintptr_t window_place(size_t len)
{
	for (unsigned i = 0; len <= WINDOW_LEN / 2 && i < PLACE_TRIES; i++) {
		uintptr_t va = window + random_below((WINDOW_LEN - len) / PAGE_SIZE + 1) * PAGE_SIZE;

		if (region_find_gap(&kernel_aspace, va, va + len, len))
			return va;
	}
	return 0;
}

/* A place for LEN bytes; 0 when vmap is full. Locked. */
static uintptr_t area_place(size_t len)
{
	uintptr_t va, gap;

	/* In the lower half, to have as much above it. */
	if (!window)
		search = window =
			arch_layout.vmap_base + random_below(arch_layout.vmap_len / WINDOW_LEN / 2) * WINDOW_LEN;
	va = window_place(len);
	if (va)
		return va;
	gap = region_find_gap(&kernel_aspace, search, vmap_end(), len);
	if (!gap)
		gap = region_find_gap(&kernel_aspace, arch_layout.vmap_base, vmap_end(), len);
	if (!gap || len > WINDOW_LEN / 2)
		return gap;
	search = window = ALIGN_DOWN(gap, WINDOW_LEN);
	va = window_place(len);
	return va ? va : gap;
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
	search = MIN(search, area->region.start);
	spin_unlock(&kernel_aspace.lock);
	kfree(area);
}

static int map_one(uintptr_t va, paddr_t pa, size_t len, unsigned prot)
{
	page_table_reserve();
	return arch_pt_map(&arch_kernel_aspace, va, pa, len, prot);
}

/* On every CPU: even what nobody has touched yet may be in a TLB (Intel SDM vol. 3, 4.10.2.3). */
static void unmap(uintptr_t va, size_t len)
{
	arch_pt_unmap(&arch_kernel_aspace, va, len);
	cpu_tlb_shootdown(va, len);
}

/* Unmaps [start, end) everywhere, then gives the pages back. */
static void pages_free(uintptr_t start, uintptr_t end)
{
	struct list freed = LIST_INIT(freed), *link;

	for (uintptr_t va = start; va < end; va += PAGE_SIZE) {
		paddr_t pa;

		if (arch_pt_lookup(&arch_kernel_aspace, va, &pa, NULL))
			list_push_back(&freed, &page_from_nr(pa >> PAGE_SHIFT)->link);
	}
	unmap(start, end - start);
	while ((link = list_pop_front(&freed)))
		page_free(list_entry(link, struct page, link), 0);
}

/* A block of at most LEN bytes, cut to single pages; *SIZE is what it has. */
static struct page *block_alloc(size_t len, unsigned flags, size_t *size)
{
	unsigned order = MIN(63u - __builtin_clzll(len / PAGE_SIZE), BLOCK_ORDER_MAX);
	struct page *page = page_alloc(order, flags);

	if (!page && order)
		page = page_alloc(order = 0, flags);
	if (page && order)
		page_split(page, order);
	*size = PAGE_SIZE << order;
	return page;
}

/* Frees the block at PAGE, of which a part may be mapped at VA. */
static void block_drop(uintptr_t va, struct page *page, size_t size)
{
	unmap(va, size);
	for (size_t i = 0; i < size / PAGE_SIZE; i++)
		page_free(page + i, 0);
}

static bool pages_alloc(uintptr_t start, uintptr_t end, unsigned flags)
{
	size_t size;

	for (uintptr_t va = start; va < end; va += size) {
		struct page *page = block_alloc(end - va, flags, &size);

		if (!page || map_one(va, page_to_phys(page), size, PT_READ | PT_WRITE)) {
			if (page)
				block_drop(va, page, size);
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
		unmap(area->region.start, end - first);
		area_release(area);
		return NULL;
	}
	return (void *)(area->region.start + area->offset);
}

void vmap_device_unmap(void *va)
{
	struct area *area = area_of(va, true);
	size_t len = area->region.end - GUARD_LEN - area->region.start;

	unmap(area->region.start, len);
	area_release(area);
}

static bool is_mapped(uintptr_t va)
{
	return arch_pt_lookup(&arch_kernel_aspace, va, NULL, NULL);
}

/*
 * From the page tables alone: the fault may have come while this CPU holds the lock, or another one changes the tree; tables
 * are never given back.
 */
bool vmap_is_guard(uintptr_t va)
{
	if (va < arch_layout.vmap_base || va >= vmap_end() || is_mapped(va))
		return false;
	return is_mapped(va - PAGE_SIZE) || is_mapped(va + PAGE_SIZE);
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
