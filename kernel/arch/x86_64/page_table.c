/*
 * 4-level page tables (Intel SDM vol. 3, 4.5): mapping with 4 KiB, 2 MiB and 1 GiB pages, splitting, lookup, and the direct
 * map. New tables are linked in with one atomic exchange, so CPUs may fill different ranges under the same upper table
 * without a lock. Tables of the kernel half are never given back: ranges are reused.
 */
#include "kernel/arch/x86_64/page_table.h"

#include "kernel/arch/x86_64/msr.h"
#include "kernel/arch/x86_64/regs.h"
#include "lib/errno.h"
#include "lib/util.h"

#define FLUSH_PAGES_MAX 32
#define LOWER_HALF_END (1ul << 47)

struct arch_aspace arch_kernel_aspace;

/*
 * The first tables: enough for image, direct map, page array and vmap of a small machine, so that the page allocator can
 * come up before it has pages to give. In .bss, so zero without work.
 */
#define POOL_TABLES 16
static uint64_t pool[POOL_TABLES][TABLE_ENTRIES] __attribute__((section(".bss.page_tables"), aligned(4096)));
static unsigned pool_used;
/* Distance between an image page's physical and present virtual address. */
static uintptr_t image_offset;
static bool has_huge_pages __attribute__((section(".bss.protected")));
static paddr_t phys_limit __attribute__((section(".bss.protected")));

uint64_t *page_table_virt(paddr_t pa)
{
	if (pa - arch_layout.image_phys < arch_layout.image_len)
		return (uint64_t *)(pa + image_offset);
	return arch_phys_to_virt(pa);
}

paddr_t page_table_alloc(void)
{
	unsigned i = __atomic_load_n(&pool_used, __ATOMIC_RELAXED);

	if (i < POOL_TABLES) {
		i = __atomic_fetch_add(&pool_used, 1, __ATOMIC_RELAXED);
		if (i < POOL_TABLES)
			return (uintptr_t)pool[i] - image_offset;
	}
	return arch_upcalls.table_page_alloc();
}

uint64_t *page_table_below(uint64_t *entry, bool make)
{
	uint64_t value = __atomic_load_n(entry, __ATOMIC_ACQUIRE);

	if (!(value & PTE_PRESENT)) {
		paddr_t pa = make ? page_table_alloc() : 0;
		uint64_t fresh = pa | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;

		if (!pa)
			return NULL;
		/* Another CPU was faster: its table counts. Ours, still zero, is lost; this is rare and bounded by CPUs. */
		if (__atomic_compare_exchange_n(entry, &value, fresh, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			value = fresh;
	}
	if (value & PTE_LARGE)
		return NULL;
	return page_table_virt(value & PTE_ADDRESS);
}

/* The kernel half is the same in all address spaces, so its translations are global. */
static uint64_t pte_flags(uintptr_t va, unsigned prot, unsigned level)
{
	uint64_t flags = pte_bits(prot);

	if ((intptr_t)va < 0)
		flags |= PTE_GLOBAL;
	if (prot & PT_UNCACHED)
		flags |= PTE_PCD | PTE_PWT;
	if (level)
		flags |= PTE_LARGE;
	return flags;
}

/* What is mapped can be read: the format has no entry that is present and forbids it. */
static bool prot_is_valid(unsigned prot)
{
	return prot & PT_READ && (prot & (PT_WRITE | PT_EXEC | PT_WX_ALLOWED)) != (PT_WRITE | PT_EXEC);
}

static unsigned level_for(uintptr_t va, paddr_t pa, size_t len)
{
	uintptr_t both = va | pa;

	if (has_huge_pages && IS_ALIGNED(both, HUGE_PAGE_SIZE) && len >= HUGE_PAGE_SIZE)
		return 2;
	return IS_ALIGNED(both, LARGE_PAGE_SIZE) && len >= LARGE_PAGE_SIZE ? 1 : 0;
}

/* The entry for VA at LEVEL, tables above it made on demand; NULL with *ERROR set. */
static uint64_t *entry_at(struct arch_aspace *as, uintptr_t va, unsigned level, int *error)
{
	uint64_t *table = page_table_virt(as->root);

	for (unsigned l = LEVEL_ROOT; l > level; l--) {
		uint64_t *entry = &table[table_index(va, l)];

		table = page_table_below(entry, true);
		if (!table) {
			*error = *entry & PTE_PRESENT ? -EEXIST : -ENOMEM;
			return NULL;
		}
	}
	return &table[table_index(va, level)];
}

int arch_pt_map(struct arch_aspace *as, uintptr_t va, paddr_t pa, size_t len, unsigned prot)
{
	int error = 0;

	if (!prot_is_valid(prot) || !IS_ALIGNED(va | pa | len, PAGE_SIZE))
		return -EINVAL;
	while (len) {
		unsigned level = level_for(va, pa, len);
		size_t step = 1ul << level_shift(level);
		uint64_t *entry = entry_at(as, va, level, &error);

		if (!entry)
			return error;
		/* As much of this table as can have the same page size. */
		uint64_t value = pa | pte_flags(va, prot, level);
		size_t n = MIN(TABLE_ENTRIES - table_index(va, level), len >> level_shift(level));
		for (uint64_t *end = entry + n; entry < end; value += step) {
			if (*entry & PTE_PRESENT)
				return -EEXIST;
			*entry++ = value;
		}
		va += n * step, pa += n * step, len -= n * step;
	}
	return 0;
}

/* Replaces the large page VALUE in ENTRY by a table of pages one level smaller with the same protections. */
static int large_page_split(uint64_t *entry, uint64_t value, unsigned level)
{
	uint64_t large = value, step = 1ul << level_shift(level - 1);
	paddr_t pa = page_table_alloc();

	if (!pa)
		return -ENOMEM;
	uint64_t *table = page_table_virt(pa);
	if (level == 1)
		value &= ~(uint64_t)PTE_LARGE;
	for (unsigned i = 0; i < TABLE_ENTRIES; i++)
		table[i] = value + i * step;
	/* Another CPU that changes another part of the same page may have been faster: as in page_table_below. */
	__atomic_compare_exchange_n(entry, &large, pa | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED, false, __ATOMIC_RELEASE,
				    __ATOMIC_RELAXED);
	return 0;
}

/*
 * Calls change(entry, va, level, prot) for every present entry that maps part of [VA, VA+LEN), after splitting those
 * large pages of
 * which only a part is meant.
 */
static int range_change(struct arch_aspace *as, uintptr_t va, size_t len,
			uint64_t (*change)(uint64_t, uintptr_t, unsigned, unsigned), unsigned prot)
{
	uintptr_t end = va + len;

	while (va != end) {
		uint64_t *table = page_table_virt(as->root), *entry;
		unsigned level = LEVEL_ROOT;

		for (;; level--) {
			uintptr_t step = 1ul << level_shift(level);

			entry = &table[table_index(va, level)];
			if (!(*entry & PTE_PRESENT) || !level)
				break;
			if (*entry & PTE_LARGE) {
				if (IS_ALIGNED(va, step) && end - va >= step)
					break;
				if (large_page_split(entry, *entry, level))
					return -ENOMEM;
			}
			table = page_table_below(entry, false);
		}
		if (*entry & PTE_PRESENT)
			*entry = change(*entry, va, level, prot);
		uintptr_t next = ALIGN_DOWN(va, 1ul << level_shift(level)) + (1ul << level_shift(level));
		va = next - va < end - va ? next : end;
	}
	return 0;
}

static uint64_t change_unmap(uint64_t entry, uintptr_t va, unsigned level, unsigned prot)
{
	(void)entry, (void)va, (void)level, (void)prot;
	return 0;
}

static uint64_t change_protect(uint64_t entry, uintptr_t va, unsigned level, unsigned prot)
{
	return (entry & PTE_ADDRESS) | pte_flags(va, prot, level);
}

int arch_pt_unmap(struct arch_aspace *as, uintptr_t va, size_t len)
{
	return range_change(as, va, len, change_unmap, 0);
}

int arch_pt_protect(struct arch_aspace *as, uintptr_t va, size_t len, unsigned prot)
{
	if (!prot_is_valid(prot))
		return -EINVAL;
	return range_change(as, va, len, change_protect, prot);
}

bool arch_pt_lookup(struct arch_aspace *as, uintptr_t va, paddr_t *pa, unsigned *prot)
{
	uint64_t *table = page_table_virt(as->root), entry;
	unsigned level = LEVEL_ROOT;

	if ((intptr_t)(va << 16) >> 16 != (intptr_t)va)
		return false;
	for (;; level--) {
		entry = table[table_index(va, level)];
		if (!(entry & PTE_PRESENT))
			return false;
		if (!level || entry & PTE_LARGE)
			break;
		table = page_table_virt(entry & PTE_ADDRESS);
	}
	uintptr_t offset = va & ((1ul << level_shift(level)) - 1);
	if (pa)
		*pa = (entry & PTE_ADDRESS & ~((1ul << level_shift(level)) - 1)) + offset;
	if (prot)
		*prot = PT_READ | (entry & PTE_WRITE ? PT_WRITE : 0) | (entry & PTE_NX ? 0 : PT_EXEC) |
			(entry & PTE_PCD ? PT_UNCACHED : 0) | (entry & PTE_WX ? PT_WX_ALLOWED : 0) |
			(entry & PTE_OWNED ? PT_OWNED : 0) | (entry & PTE_PRIVATE ? PT_PRIVATE : 0);
	return true;
}

void arch_tlb_flush(uintptr_t va, size_t len)
{
	if (len > FLUSH_PAGES_MAX * PAGE_SIZE && len <= LOWER_HALF_END && va <= LOWER_HALF_END - len) {
		write_cr3(read_cr3());
		return;
	}
	if (len > FLUSH_PAGES_MAX * PAGE_SIZE) {
		/* Global pages leave the TLB only when CR4.PGE changes (Intel SDM vol. 3, 4.10.4.1). */
		uint64_t cr4 = read_cr4();

		write_cr4(cr4 & ~(uint64_t)CR4_PGE);
		write_cr4(cr4);
		return;
	}
	for (uintptr_t end = va + len; va < end; va += PAGE_SIZE)
		__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

/*
 * One page directory serves both addresses: the image lies at the same place within 2 MiB, and within one GiB, at each. What
 * else this maps is never used and goes with these tables. start.S has filled in the identity part for 32-bit entries.
 */
paddr_t page_table_boot(void)
{
	const uint64_t flags = PTE_PRESENT | PTE_WRITE;
	unsigned high = table_index(arch_layout.image_virt, 1);

	boot_root_table[0] = boot_root_table[table_index(arch_layout.image_virt, 3)] = (paddr_t)boot_pdpt | flags;
	boot_pdpt[0] = boot_pdpt[table_index(arch_layout.image_virt, 2)] = (paddr_t)boot_pd | flags;
	for (paddr_t pa = ALIGN_DOWN(arch_layout.image_phys, LARGE_PAGE_SIZE);
	     pa < arch_layout.image_phys + arch_layout.image_len; pa += LARGE_PAGE_SIZE)
		boot_pd[pa / LARGE_PAGE_SIZE] = boot_pd[high++] = pa | flags | PTE_LARGE;
	return (paddr_t)boot_root_table;
}

void page_table_init(void)
{
	image_offset = arch_layout.image_virt - arch_layout.image_phys;
	arch_kernel_aspace.root = page_table_alloc();
}

/* Reads the CPU's limits once; the first caller of arch_physmap_add comes long before a second CPU runs. */
static void cpu_limits_read(void)
{
	uint32_t a, b, c, d;

	cpuid(0x80000000, 0, &a, &b, &c, &d);
	uint32_t last = a;
	cpuid(0x80000001, 0, &a, &b, &c, &d);
	has_huge_pages = d >> 26 & 1;
	if (last >= 0x80000008)
		cpuid(0x80000008, 0, &a, &b, &c, &d);
	else
		a = 36;
	phys_limit = MIN(1ul << (a & 0x3f), PHYS_MAX);
}

paddr_t arch_phys_limit(void)
{
	if (!phys_limit)
		cpu_limits_read();
	return phys_limit;
}

/* [PA, END) within one 2 MiB block that holds a part of the image: page by page, without the image's own. */
static bool physmap_add_beside_image(paddr_t pa, paddr_t end)
{
	paddr_t image_end_pa = arch_layout.image_phys + arch_layout.image_len;
	int error = 0;

	for (pa = ALIGN_DOWN(pa, PAGE_SIZE); pa < end; pa += PAGE_SIZE) {
		if (pa >= arch_layout.image_phys && pa < image_end_pa) {
			pa = image_end_pa - PAGE_SIZE;
			continue;
		}
		uint64_t *entry = entry_at(&arch_kernel_aspace, (uintptr_t)arch_phys_to_virt(pa), 0, &error);
		if (!entry)
			return false;
		uint64_t *last = entry + (TABLE_ENTRIES - 1 - table_index((uintptr_t)arch_phys_to_virt(pa), 0));
		for (;; entry++, pa += PAGE_SIZE) {
			*entry = pa | pte_flags(UINTPTR_MAX, PT_READ | PT_WRITE, 0);
			if (entry == last || pa + PAGE_SIZE >= end || pa + PAGE_SIZE == arch_layout.image_phys)
				break;
		}
	}
	return true;
}

/*
 * What was added last, in one word that is read and written at once: its first page, and in the low ADDED_BITS the number of
 * pages. Boot asks for the same few pages again and again.
 */
#define ADDED_BITS 16
static uint64_t added;

static bool added_has(paddr_t pa, paddr_t end)
{
	uint64_t last = __atomic_load_n(&added, __ATOMIC_RELAXED);
	paddr_t from = last >> ADDED_BITS << PAGE_SHIFT;

	return pa >= from && end <= from + ((last & ((1u << ADDED_BITS) - 1)) << PAGE_SHIFT);
}

static void added_set(paddr_t pa, paddr_t end)
{
	uint64_t first = pa >> PAGE_SHIFT, n = (ALIGN_UP(end, PAGE_SIZE) >> PAGE_SHIFT) - first;

	if (!(n >> ADDED_BITS))
		__atomic_store_n(&added, first << ADDED_BITS | n, __ATOMIC_RELAXED);
}

void *arch_physmap_add(paddr_t pa, size_t len)
{
	paddr_t end = pa + len;
	paddr_t image_start_pa = arch_layout.image_phys, image_end_pa = image_start_pa + arch_layout.image_len;

	if (end < pa || end > arch_phys_limit())
		return NULL;
	if (added_has(pa, end))
		return arch_phys_to_virt(pa);
	for (paddr_t block = ALIGN_DOWN(pa, LARGE_PAGE_SIZE); block < end; block += LARGE_PAGE_SIZE) {
		int error = 0;

		if (block < image_end_pa && block + LARGE_PAGE_SIZE > image_start_pa) {
			if (!physmap_add_beside_image(MAX(pa, block), MIN(end, block + LARGE_PAGE_SIZE)))
				return NULL;
			continue;
		}
		uint64_t *entry = entry_at(&arch_kernel_aspace, (uintptr_t)arch_phys_to_virt(block), 1, &error);
		if (entry && !(*entry & PTE_PRESENT))
			*entry = block | pte_flags(UINTPTR_MAX, PT_READ | PT_WRITE, 1);
		else if (!entry && error == -ENOMEM)
			return NULL;
	}
	added_set(pa, end);
	return arch_phys_to_virt(pa);
}

void arch_protect(void)
{
	uintptr_t start = (uintptr_t)protected_start;
	size_t len = (size_t)(protected_end - protected_start);

	arch_phys_limit(); /* keeps what it has found in protected data */
	/* In an image with much data this may be part of a large page, and need a table to split it. */
	if (arch_pt_protect(&arch_kernel_aspace, start, len, PT_READ))
		arch_upcalls.panic(NULL, "boot: no page table to protect %#lx", start);
	arch_tlb_flush(start, len);
}
