/*
 * The lower half of an address space: walks to one entry, visits of many, and its tables, which come and go with what
 * is mapped.
 * The caller's lock covers the tree against software; what hardware still holds of it the caller flushes.
 */
#include "kernel/arch/x86_64/msr.h"
#include "kernel/arch/x86_64/page_table.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

#define LOWER_HALF_END (1ul << 47)
#define TABLE_LINK (PTE_PRESENT | PTE_WRITE | PTE_ACCESSED)

static inline bool is_table(uint64_t entry)
{
	return (entry & (PTE_PRESENT | PTE_LARGE)) == PTE_PRESENT;
}

/* page_table_virt, inline. */
static inline uint64_t *table_at(uint64_t entry)
{
	return arch_phys_to_kernel(entry & PTE_ADDRESS);
}

static inline pte_t *walk(struct arch_aspace *as, uintptr_t va, unsigned level, bool make)
{
	/* Read once: this is on the way of every fault. */
	const paddr_t image = arch_layout.image_phys, image_len = arch_layout.image_len;
	const uintptr_t in_image = arch_layout.image_virt - image, physmap = arch_layout.physmap_base;
	uint64_t *table = table_at(as->root);

	for (unsigned l = LEVEL_ROOT; l > level; l--) {
		uint64_t *entry = &table[table_index(va, l)];

		if (unlikely(!is_table(*entry))) {
			paddr_t pa = make && !*entry ? page_table_alloc() : 0;

			if (!pa)
				return NULL;
			as->nr_tables++;
			WRITE_ONCE(*entry, pa | TABLE_LINK);
		}
		paddr_t next = *entry & PTE_ADDRESS;
		table = (uint64_t *)(next + (unlikely(next - image < image_len) ? in_image : physmap));
	}
	return &table[table_index(va, level)];
}

pte_t *arch_pt_entry(struct arch_aspace *as, uintptr_t va, bool make)
{
	return walk(as, va, 0, make);
}

pte_t *arch_pt_entry_large(struct arch_aspace *as, uintptr_t va, bool make)
{
	return walk(as, va, 1, make);
}

int arch_pt_split(struct arch_aspace *as, uintptr_t va, paddr_t *pa)
{
	pte_t *entry = walk(as, va, 1, false);
	uint64_t value, *table;
	paddr_t table_pa;

	if (IS_ALIGNED(va, LARGE_PAGE_SIZE) || !entry || !(*entry & PTE_LARGE))
		return 0;
	table_pa = page_table_alloc();
	if (!table_pa)
		return -ENOMEM;
	as->nr_tables++;
	*pa = *entry & PTE_ADDRESS;
	table = page_table_virt(table_pa);
	value = *entry & ~(uint64_t)PTE_LARGE;
	for (unsigned i = 0; i < TABLE_ENTRIES; i++)
		table[i] = value + i * PAGE_SIZE;
	__atomic_store_n(entry, table_pa | TABLE_LINK, __ATOMIC_RELEASE);
	return 1;
}

/* The entries of one table of the lowest level. Most are often 0: the loop is what unmapping costs. */
static void visit_leaves(uint64_t *table, uintptr_t va, uintptr_t end, pt_visit *visit, void *arg)
{
	uint64_t *entry = &table[table_index(va, 0)], *last = entry + (end - va) / PAGE_SIZE;
	uintptr_t base = va - (uintptr_t)entry / sizeof(*entry) * PAGE_SIZE;

	for (; entry < last; entry++)
		if (*entry)
			visit(arg, entry, base + (uintptr_t)entry / sizeof(*entry) * PAGE_SIZE, PAGE_SIZE);
}

static void visit_table(uint64_t *table, unsigned level, uintptr_t va, uintptr_t end, pt_visit *visit, void *arg)
{
	uintptr_t step = 1ul << level_shift(level), base = ALIGN_DOWN(va, step * TABLE_ENTRIES);
	unsigned last = table_index(end - 1, level);

	for (unsigned i = table_index(va, level); i <= last; i++) {
		uint64_t entry = table[i];
		uintptr_t from, to;

		if (likely(!entry))
			continue;
		from = base + i * step;
		to = from + step;
		if (entry & PTE_LARGE)
			visit(arg, &table[i], from, step);
		else if (level > 1)
			visit_table(table_at(entry), level - 1, MAX(va, from), MIN(end, to), visit, arg);
		else
			visit_leaves(table_at(entry), MAX(va, from), MIN(end, to), visit, arg);
	}
}

void arch_pt_visit(struct arch_aspace *as, uintptr_t va, uintptr_t end, pt_visit *visit, void *arg)
{
	visit_table(page_table_virt(as->root), LEVEL_ROOT, va, end, visit, arg);
}

/* The image's own first tables are not the page allocator's: they stay where they are linked. */
static bool is_image_table(uint64_t entry)
{
	return (entry & PTE_ADDRESS) - arch_layout.image_phys < arch_layout.image_len;
}

static void unlink(struct arch_aspace *as, uint64_t *entry, pt_drop *drop, void *arg)
{
	paddr_t pa = *entry & PTE_ADDRESS;

	if (is_image_table(*entry))
		return;
	WRITE_ONCE(*entry, 0);
	as->nr_tables--;
	drop(arg, pa);
}

static void prune_table(struct arch_aspace *as, uint64_t *table, unsigned level, uintptr_t va, uintptr_t end,
			pt_drop *drop, void *arg)
{
	uintptr_t step = 1ul << level_shift(level), base = ALIGN_DOWN(va, step * TABLE_ENTRIES);
	unsigned last = table_index(end - 1, level);

	for (unsigned i = table_index(va, level); i <= last; i++) {
		uintptr_t from, to;

		if (likely(!table[i]) || !is_table(table[i]))
			continue;
		from = base + i * step;
		to = from + step;
		if (level > 1)
			prune_table(as, table_at(table[i]), level - 1, MAX(va, from), MIN(end, to), drop, arg);
		if (from >= va && to <= end)
			unlink(as, &table[i], drop, arg);
	}
}

void arch_pt_prune(struct arch_aspace *as, uintptr_t va, uintptr_t end, pt_drop *drop, void *arg)
{
	prune_table(as, page_table_virt(as->root), LEVEL_ROOT, va, end, drop, arg);
}

/* True when nothing is left below TABLE in its first N entries. */
static bool prune_empty(struct arch_aspace *as, uint64_t *table, unsigned level, unsigned n, pt_drop *drop, void *arg)
{
	bool empty = true;

	for (unsigned i = 0; i < n; i++) {
		if (level && is_table(table[i]) &&
		    prune_empty(as, table_at(table[i]), level - 1, TABLE_ENTRIES, drop, arg))
			unlink(as, &table[i], drop, arg);
		empty = empty && !table[i];
	}
	return empty;
}

void arch_pt_prune_empty(struct arch_aspace *as, pt_drop *drop, void *arg)
{
	prune_empty(as, page_table_virt(as->root), LEVEL_ROOT, TABLE_ENTRIES / 2, drop, arg);
}

void arch_table_free(paddr_t table)
{
	arch_upcalls.table_page_free(table);
}

static bool kernel_root_taken;

/*
 * All roots have the same kernel half. Of that, only the direct map gains entries at the root while the system runs:
 * before a root
 * is copied, it gets them all.
 */
static int kernel_half_complete(void)
{
	uint64_t *root = page_table_virt(arch_kernel_aspace.root);
	const uintptr_t step = 1ul << level_shift(LEVEL_ROOT);

	for (paddr_t pa = 0; pa < arch_phys_limit() + step; pa += step)
		if (!page_table_below(&root[table_index(arch_layout.physmap_base + pa, LEVEL_ROOT)], true))
			return -ENOMEM;
	for (unsigned i = 0; i < 2; i++)
		if (!page_table_below(&root[table_index(arch_layout.memmap_base + i * step, LEVEL_ROOT)], true))
			return -ENOMEM;
	return 0;
}

int arch_aspace_create(struct arch_aspace *as)
{
	*as = (struct arch_aspace){ 0 };
	if (!__atomic_exchange_n(&kernel_root_taken, true, __ATOMIC_RELAXED)) {
		as->root = arch_kernel_aspace.root;
		return 0;
	}
	if (kernel_half_complete() || !(as->root = page_table_alloc()))
		return -ENOMEM;
	memcpy(page_table_virt(as->root) + TABLE_ENTRIES / 2,
	       page_table_virt(arch_kernel_aspace.root) + TABLE_ENTRIES / 2, PAGE_SIZE / 2);
	return 0;
}

void arch_aspace_destroy(struct arch_aspace *as)
{
	if (as->root == arch_kernel_aspace.root)
		__atomic_store_n(&kernel_root_taken, false, __ATOMIC_RELAXED);
	else if (!is_image_table(as->root))
		arch_table_free(as->root);
}
