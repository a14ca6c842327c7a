/* See memory.h. */
#include "test/unit/shim/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/arch/arch.h"
#include "kernel/core/cpu.h"
#include "kernel/mem/page.h"
#include "lib/errno.h"
#include "lib/util.h"

#define MEMMAP_LEN (MEMORY_PHYS_LIMIT / PAGE_SIZE * sizeof(struct page))
#define VMAP_LEN (1ul << 36)

struct bootinfo memory_bootinfo;
unsigned memory_table_fail_at, memory_static_tables, memory_tables, memory_mappings, memory_shootdowns;

struct arch_layout arch_layout;
struct arch_aspace arch_kernel_aspace;

/* One entry per mapped 4 KiB page outside of the direct map; open addressing. */
#define NR_SLOTS (1u << 18)
static struct slot {
	uintptr_t va;
	paddr_t pa;
	unsigned prot;
	bool live;
} slots[NR_SLOTS];

/* Table pages that exist: the region that each covers, at the level with the given shift. */
#define NR_TABLES 8192
static struct {
	uintptr_t base;
	unsigned shift;
} tables[NR_TABLES];

static void *area_new(void *old, size_t len)
{
	void *area;

	if (old)
		munmap(old, len);
	/* Aligned to 1 GiB, as the architecture promises; the excess is only address space. */
	area = mmap(NULL, len + HUGE_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(area != MAP_FAILED);
	return area;
}

void memory_reset(void)
{
	static void *areas[3];

	areas[0] = area_new(areas[0], MEMORY_PHYS_LIMIT + HUGE_PAGE_SIZE);
	areas[1] = area_new(areas[1], MEMMAP_LEN + HUGE_PAGE_SIZE);
	areas[2] = area_new(areas[2], VMAP_LEN + HUGE_PAGE_SIZE);
	arch_layout.physmap_base = ALIGN_UP((uintptr_t)areas[0], HUGE_PAGE_SIZE);
	arch_layout.memmap_base = ALIGN_UP((uintptr_t)areas[1], HUGE_PAGE_SIZE);
	arch_layout.vmap_base = ALIGN_UP((uintptr_t)areas[2], HUGE_PAGE_SIZE);
	arch_layout.vmap_len = VMAP_LEN;
	arch_layout.image_phys = MIB(1);
	arch_layout.image_len = KIB(200);
	memset(&memory_bootinfo, 0, sizeof(memory_bootinfo));
	memset(slots, 0, sizeof(slots));
	memset(tables, 0, sizeof(tables));
	memory_tables = memory_mappings = memory_shootdowns = 0;
	memory_table_fail_at = 0;
	memory_static_tables = 8;
	cpus[0].online = true;
}

void memory_add(uint64_t base, uint64_t len)
{
	memory_bootinfo.mem[memory_bootinfo.nr_mem++] = (struct mem_range){ base, len, MEM_RAM };
}

paddr_t arch_phys_limit(void)
{
	return MEMORY_PHYS_LIMIT;
}

static bool table_need(uintptr_t va, unsigned shift)
{
	uintptr_t base = va >> shift << shift;
	unsigned i;

	for (i = 0; i < memory_tables; i++)
		if (tables[i].base == base && tables[i].shift == shift)
			return true;
	assert(i < NR_TABLES);
	if (memory_table_fail_at && !--memory_table_fail_at) {
		memory_table_fail_at = 1;
		return false;
	}
	if (memory_tables >= memory_static_tables) {
		paddr_t pa = page_table_page_alloc();

		if (!pa)
			return false;
		for (size_t j = 0; j < PAGE_SIZE; j++)
			assert(((unsigned char *)arch_phys_to_virt(pa))[j] == 0);
		memset(arch_phys_to_virt(pa), 0xee, PAGE_SIZE);
	}
	tables[memory_tables].base = base;
	tables[memory_tables++].shift = shift;
	return true;
}

/* Levels of a 4-level tree below the root, down to the one whose entries map pages of LEAF bytes. */
static bool tables_need(uintptr_t va, size_t leaf)
{
	return table_need(va, 39) && (leaf >= HUGE_PAGE_SIZE || table_need(va, 30)) &&
	       (leaf >= LARGE_PAGE_SIZE || table_need(va, 21));
}

void *arch_physmap_add(paddr_t pa, size_t len)
{
	void *va = (void *)(arch_layout.physmap_base + pa);
	size_t leaf = IS_ALIGNED(pa | len, LARGE_PAGE_SIZE) ? LARGE_PAGE_SIZE : PAGE_SIZE;

	if (pa >= MEMORY_PHYS_LIMIT || len > MEMORY_PHYS_LIMIT - pa)
		return NULL;
	for (size_t off = 0; off < len; off += leaf)
		if (!tables_need((uintptr_t)va + off, leaf))
			return NULL;
	assert(mprotect(va, len, PROT_READ | PROT_WRITE) == 0);
	return va;
}

static struct slot *slot_find(uintptr_t va, bool add)
{
	unsigned i = (unsigned)(va >> PAGE_SHIFT) * 2654435761u % NR_SLOTS;

	while (slots[i].va && slots[i].va != va)
		i = (i + 1) % NR_SLOTS;
	return slots[i].va || add ? &slots[i] : NULL;
}

int arch_pt_map(struct arch_aspace *as, uintptr_t va, paddr_t pa, size_t len, unsigned prot)
{
	assert(as == &arch_kernel_aspace && IS_ALIGNED(va | pa | len, PAGE_SIZE) && len);
	for (size_t off = 0; off < len; off += PAGE_SIZE) {
		struct slot *slot = slot_find(va + off, true);

		if (slot->live)
			return -EEXIST;
		if (!tables_need(va + off, PAGE_SIZE))
			return -ENOMEM;
		*slot = (struct slot){ va + off, pa + off, prot, true };
		memory_mappings++;
		assert(mprotect((void *)(va + off), PAGE_SIZE, PROT_READ | PROT_WRITE) == 0);
		memset((void *)(va + off), 0xf1, PAGE_SIZE); /* looks as much like PAGE_FREE as it can */
	}
	return 0;
}

int arch_pt_unmap(struct arch_aspace *as, uintptr_t va, size_t len)
{
	(void)as;
	for (size_t off = 0; off < len; off += PAGE_SIZE) {
		struct slot *slot = slot_find(va + off, false);

		if (!slot || !slot->live)
			continue;
		slot->live = false;
		memory_mappings--;
		assert(mprotect((void *)(va + off), PAGE_SIZE, PROT_NONE) == 0);
	}
	return 0;
}

bool arch_pt_lookup(struct arch_aspace *as, uintptr_t va, paddr_t *pa, unsigned *prot)
{
	struct slot *slot = slot_find(ALIGN_DOWN(va, PAGE_SIZE), false);

	(void)as;
	if (!slot || !slot->live)
		return false;
	if (pa)
		*pa = slot->pa + va % PAGE_SIZE;
	if (prot)
		*prot = slot->prot;
	return true;
}

void arch_tlb_flush(uintptr_t va, size_t len)
{
	(void)va, (void)len;
}

void cpu_tlb_shootdown(uintptr_t va, size_t len)
{
	(void)va, (void)len;
	memory_shootdowns++;
}
