#include "kernel/mem/section.h"

#include "kernel/arch/arch.h"
#include "kernel/boot/bootinfo.h"
#include "kernel/core/log.h"
#include "kernel/mem/buddy.h"
#include "lib/util.h"

/* In the order in which they are brought to life. Below 1 MiB is left for those that can use nothing else. */
enum kind {
	KIND_WHOLE, /* starts and ends at section bounds */
	KIND_EDGE,  /* part of one section */
	KIND_LOW,   /* below 1 MiB */
};

/* A range of RAM, in frame numbers: [first, alive) is in use, [alive, end) was never touched. */
struct range {
	uint64_t first, alive, end;
	enum kind kind;
};

/* Each exclusion cuts a range in two at most, and so does the limit at 1 MiB; each piece has a whole part and two edges. */
#define NR_EXCLUDED (BOOTINFO_MODULE_MAX + 2)
#define RANGES_MAX (3 * (BOOTINFO_MEM_MAX + NR_EXCLUDED + 1))
static struct range ranges[RANGES_MAX];
static unsigned nr_ranges;

uint64_t section_total, section_untouched;
static uint64_t whole_untouched; /* pages */

/*
 * Memory for the struct pages of sections to come, cut from a section that had to hold its own: so that only one section
 * in MEMMAP_BATCH loses its chance to be handed out as one 2 MiB page.
 */
#define MEMMAP_PAGES (SECTION_PAGES * sizeof(struct page) / PAGE_SIZE)
#define MEMMAP_BATCH 16ul
static uint64_t spare_first, spare_end; /* frame numbers */

static void range_put(uint64_t first, uint64_t end, enum kind kind)
{
	if (first >= end)
		return;
	if (nr_ranges == RANGES_MAX) {
		log_warn("memory map: too many ranges, %llu KiB not used", (unsigned long long)(end - first) * 4);
		return;
	}
	ranges[nr_ranges++] = (struct range){ .first = first, .alive = first, .end = end, .kind = kind };
	section_total += end - first;
	section_untouched += end - first;
	if (kind == KIND_WHOLE)
		whole_untouched += end - first;
}

static void range_add(uint64_t first, uint64_t end)
{
	uint64_t whole, whole_end;

	if (first < LOW_PAGES) {
		range_put(first, MIN(end, (uint64_t)LOW_PAGES), KIND_LOW);
		first = LOW_PAGES;
	}
	if (first >= end)
		return;
	whole = ALIGN_UP(first, SECTION_PAGES);
	whole_end = ALIGN_DOWN(end, SECTION_PAGES);
	range_put(first, MIN(whole, end), KIND_EDGE);
	range_put(whole, whole_end, KIND_WHOLE);
	range_put(MAX(whole, whole_end), end, KIND_EDGE);
}

/* Never used: what firmware keeps in the first page, and nothing may be mapped at these addresses. */
#define LOWEST_LEN KIB(64)

/* The I-th range that must not be handed out, in frame numbers rounded outwards. */
static void excluded(const struct bootinfo *bi, unsigned i, uint64_t *first, uint64_t *end)
{
	uint64_t base = 0, len = LOWEST_LEN;

	if (i == 1) {
		base = arch_layout.image_phys;
		len = arch_layout.image_len;
	} else if (i >= 2) {
		base = bi->modules[i - 2].base;
		len = MIN(bi->modules[i - 2].len, UINT64_MAX - PAGE_SIZE - base);
	}
	*first = base >> PAGE_SHIFT;
	*end = (base + len + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

/* Adds [first, end) less what is excluded. */
static void range_add_allowed(const struct bootinfo *bi, uint64_t first, uint64_t end)
{
	while (first < end) {
		uint64_t hole = end, hole_end = end;

		for (unsigned i = 0; i < bi->nr_modules + 2; i++) {
			uint64_t from, to;

			excluded(bi, i, &from, &to);
			if (to > first && from < hole && from < to) {
				hole = from;
				hole_end = to;
			}
		}
		range_add(first, MAX(hole, first));
		first = hole_end;
	}
}

static bool is_ram_at(const struct bootinfo *bi, unsigned i, uint64_t base)
{
	return i < bi->nr_mem && bi->mem[i].type == MEM_RAM && bi->mem[i].base == base;
}

/*
 * Neighbours that a loader lists one by one become one range: blocks are then never joined across the bounds of ranges, which
 * mark_buddies relies on.
 */
void section_init(const struct bootinfo *bi)
{
	uint64_t limit = arch_phys_limit();

	for (unsigned i = 0; i < bi->nr_mem; i++) {
		uint64_t base = bi->mem[i].base, end = base + bi->mem[i].len;

		if (bi->mem[i].type != MEM_RAM)
			continue;
		while (is_ram_at(bi, i + 1, end))
			end += bi->mem[++i].len;
		range_add_allowed(bi, ALIGN_UP(base, PAGE_SIZE) >> PAGE_SHIFT, MIN(end, limit) >> PAGE_SHIFT);
	}
}

/* The largest aligned block at the start of [first, end). */
static unsigned block_order(uint64_t first, uint64_t end)
{
	unsigned fits = 63 - __builtin_clzll(end - first);
	unsigned aligned = __builtin_ctzll(first | SECTION_PAGES);

	return MIN(fits, aligned);
}

/*
 * buddy_free looks at the buddy of every block that comes back. For the blocks that [first, end) is made of, that may be
 * a struct page which nothing has written yet.
 */
static void mark_buddies(uint64_t first, uint64_t end)
{
	unsigned order;

	for (; first < end; first += 1ul << order) {
		order = block_order(first, end);
		if (order < PAGE_ORDER_MAX)
			page_from_nr(first ^ (1ul << order))->state = PAGE_NONE;
	}
}

/* Marks for the other ranges in the section at BASE: afterwards each of them can come to life by itself. */
static void mark_others(uint64_t base, const struct range *self)
{
	for (unsigned i = 0; i < nr_ranges; i++) {
		const struct range *range = &ranges[i];

		if (range != self && range->kind != KIND_WHOLE && range->first >= base &&
		    range->first < base + SECTION_PAGES)
			mark_buddies(range->first, range->end);
	}
}

/*
 * Gives the section that RANGE's memory from `alive` on is part of its struct pages. They come from the spare memory; when
 * there is none, from the end of [alive, *END), which is shortened, together with new spare memory.
 */
static bool memmap_populate(struct range *range, uint64_t *end)
{
	uint64_t base = ALIGN_DOWN(range->alive, SECTION_PAGES), from = spare_first, len = *end - range->alive;
	uintptr_t va = (uintptr_t)page_from_nr(base);
	uint64_t cut = 0;

	/* Edges may share their section with others. */
	if (range->kind != KIND_WHOLE && arch_pt_lookup(&arch_kernel_aspace, va, NULL, NULL))
		return true;
	if (spare_first == spare_end) {
		cut = MEMMAP_PAGES * MIN(MEMMAP_BATCH, whole_untouched / SECTION_PAGES);
		if (cut < MEMMAP_PAGES || cut >= len)
			cut = MEMMAP_PAGES;
		if (cut >= len)
			return false;
		from = *end - cut;
	}
	if (arch_pt_map(&arch_kernel_aspace, va, from << PAGE_SHIFT, MEMMAP_PAGES * PAGE_SIZE, PT_READ | PT_WRITE))
		return false;
	if (cut) {
		spare_end = *end;
		*end = from;
	}
	spare_first = from + MEMMAP_PAGES;
	mark_buddies(range->alive, *end);
	if (range->kind != KIND_WHOLE)
		mark_others(base, range);
	return true;
}

/* Brings the next section of RANGE to life. On failure nothing has changed that matters: it can be tried again. */
static bool range_grow(struct range *range)
{
	uint64_t first = range->alive, end = MIN(range->end, ALIGN_DOWN(first, SECTION_PAGES) + SECTION_PAGES);
	uint64_t usable = end;
	unsigned order;

	if (!arch_physmap_add(first << PAGE_SHIFT, (end - first) << PAGE_SHIFT) || !memmap_populate(range, &usable))
		return false;
	range->alive = end;
	section_untouched -= end - first;
	if (range->kind == KIND_WHOLE)
		whole_untouched -= end - first;
	for (; first < usable; first += 1ul << order) {
		struct page *page = page_from_nr(first);

		order = block_order(first, usable);
		buddy_add(buddy_of(page), page, order);
	}
	return true;
}

static bool grow_kind(enum kind kind)
{
	for (unsigned i = 0; i < nr_ranges; i++) {
		struct range *range = &ranges[i];

		if (range->kind == kind && range->alive < range->end && range_grow(range))
			return true;
	}
	return false;
}

bool section_grow(unsigned order)
{
	if (!section_untouched)
		return false;
	return grow_kind(KIND_WHOLE) || (order < PAGE_ORDER_MAX && grow_kind(KIND_EDGE));
}

bool section_grow_low(void)
{
	return grow_kind(KIND_LOW);
}

bool section_is_alive(uint64_t nr)
{
	for (unsigned i = 0; i < nr_ranges; i++)
		if (nr >= ranges[i].first && nr < ranges[i].alive)
			return true;
	return false;
}
