#include "kernel/mem/page.h"

#include "kernel/core/cpu.h"
#include "kernel/core/lock.h"
#include "kernel/core/panic.h"
#include "kernel/mem/buddy.h"
#include "kernel/mem/section.h"
#include "lib/string.h"
#include "lib/util.h"

/*
 * Covers buddy.c, section.c. Held while a section comes to life, so arch_physmap_add and arch_pt_map run under it and
 * call page_table_page_alloc: order page_lock, table_lock.
 */
static struct spinlock page_lock = SPINLOCK_INIT("page");

/* Single pages of one CPU, with interrupts disabled: PAGE_CACHED, linked by link.next only. */
struct page_cpu {
	struct list *top;
	unsigned nr;
};
static PERCPU(struct page_cpu, page_cpu);
/* Pages that go to and from a CPU's list at once: 2^batch_order. Less where there is little memory to share out. */
#define BATCH_ORDER_MAX 4u
static unsigned batch_order;

/* Covered by table_lock, which nests inside all others. */
static struct spinlock table_lock = SPINLOCK_INIT("page table pool");
#define TABLE_BLOCK_ORDER 3
static paddr_t table_pool[PAGE_TABLE_RESERVE + (1 << TABLE_BLOCK_ORDER)];
static unsigned table_pool_nr;

void page_init(const struct bootinfo *bi)
{
	buddy_init(&buddy_low);
	buddy_init(&buddy_normal);
	section_init(bi);
	while (batch_order < BATCH_ORDER_MAX && section_total >> (8 + batch_order))
		batch_order++;
}

#ifdef DRUPE_DEBUG
/* Freed memory shows up as this in whoever goes on using it. */
static void page_poison(struct page *page, unsigned order)
{
	memset(page_to_virt(page), 0xdd, PAGE_SIZE << order);
}
#else
static void page_poison(struct page *page, unsigned order)
{
	(void)page, (void)order;
}
#endif

static void table_pool_put(struct page *block, unsigned order)
{
	unsigned long flags = spin_lock_irqsave(&table_lock);

	page_split(block, order);
	for (unsigned i = 0; i < 1u << order; i++)
		table_pool[table_pool_nr++] = page_to_phys(block + i);
	spin_unlock_irqrestore(&table_lock, flags);
}

static struct page *normal_alloc_locked(unsigned order)
{
	struct page *page;

	while (!(page = buddy_alloc(&buddy_normal, order)))
		if (!section_grow(order))
			break;
	return page;
}

/*
 * In blocks, and page by page where there are none any more. Only this fills the pool, under page_lock, so what was too little
 * before table_lock is taken still is after it.
 */
static void table_pool_fill_locked(void)
{
	while (unlikely(READ_ONCE(table_pool_nr) < PAGE_TABLE_RESERVE)) {
		unsigned order = TABLE_BLOCK_ORDER;
		struct page *block = normal_alloc_locked(order);

		if (!block)
			block = normal_alloc_locked(order = 0);
		if (!block)
			break;
		table_pool_put(block, order);
	}
}

static struct page *alloc_locked(unsigned order)
{
	struct page *page = normal_alloc_locked(order);

	if (unlikely(!page))
		while (!(page = buddy_alloc(&buddy_low, order)))
			if (!section_grow_low())
				break;
	table_pool_fill_locked();
	return page;
}

static void cpu_push(struct page_cpu *cpu, struct page *page)
{
	page->state = PAGE_CACHED;
	page->link.next = cpu->top;
	cpu->top = &page->link;
	cpu->nr++;
}

static struct page *cpu_pop(struct page_cpu *cpu)
{
	struct page *page = list_entry(cpu->top, struct page, link);

	cpu->top = page->link.next;
	cpu->nr--;
	return page;
}

/* Takes small free blocks whole before it splits large ones. Interrupts disabled. */
static __attribute__((noinline)) void cpu_refill(struct page_cpu *cpu)
{
	unsigned long flags = spin_lock_irqsave(&page_lock);

	do {
		unsigned order = batch_order;
		struct page *page;

		if (buddy_normal.orders)
			order = MIN(order, (unsigned)__builtin_ctz(buddy_normal.orders));
		page = alloc_locked(order);
		if (!page && order)
			page = alloc_locked(order = 0);
		if (!page)
			break;
		for (unsigned i = 1u << order; i-- > 0;) {
			page[i].order = 0;
			cpu_push(cpu, page + i);
		}
	} while (!(cpu->nr >> batch_order));
	spin_unlock_irqrestore(&page_lock, flags);
}

static __attribute__((noinline)) void cpu_drain(struct page_cpu *cpu, unsigned keep)
{
	unsigned long flags = spin_lock_irqsave(&page_lock);

	while (cpu->nr > keep) {
		struct page *page = cpu_pop(cpu);

		buddy_free(buddy_of(page), page, 0);
	}
	spin_unlock_irqrestore(&page_lock, flags);
}

void page_drain(void)
{
	unsigned long flags = arch_irq_save();

	cpu_drain(percpu_this(page_cpu), 0);
	arch_irq_restore(flags);
}

static struct page *cpu_take(struct page_cpu *cpu)
{
	struct page *page = cpu_pop(cpu);

	page->state = PAGE_USED;
	page->refs = 1;
	return page;
}

static __attribute__((noinline)) struct page *alloc_single_slow(unsigned long flags)
{
	struct page_cpu *cpu = percpu_this(page_cpu);
	struct page *page;

	cpu_refill(cpu);
	page = cpu->nr ? cpu_take(cpu) : NULL;
	arch_irq_restore(flags);
	return page;
}

static inline struct page *alloc_single(void)
{
	unsigned long flags = arch_irq_save();
	struct page_cpu *cpu = percpu_this(page_cpu);
	struct page *page;

	if (unlikely(!cpu->nr))
		return alloc_single_slow(flags);
	page = cpu_take(cpu);
	arch_irq_restore(flags);
	return page;
}

static struct page *alloc_block(unsigned order)
{
	unsigned long flags = spin_lock_irqsave(&page_lock);
	struct page *page = alloc_locked(order);

	spin_unlock_irqrestore(&page_lock, flags);
	return page;
}

static __attribute__((noinline)) struct page *alloc_other(unsigned order, unsigned flags)
{
	struct page *page;

	BUG_ON(order > PAGE_ORDER_MAX);
	page = order ? alloc_block(order) : alloc_single();
	if (unlikely(!page && order)) {
		page_drain();
		page = alloc_block(order);
	}
	if (flags & PAGE_ZERO && page)
		memset(page_to_virt(page), 0, PAGE_SIZE << order);
	return page;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	return likely(!(order | flags)) ? alloc_single() : alloc_other(order, flags);
}

void page_split(struct page *page, unsigned order)
{
	BUG_ON(page->state != PAGE_USED || page->order != order);
	for (unsigned i = 0; i < 1u << order; i++) {
		page[i].state = PAGE_USED;
		page[i].order = 0;
		page[i].refs = 1;
	}
}

paddr_t page_alloc_low(void)
{
	unsigned long flags = spin_lock_irqsave(&page_lock);
	struct page *page;

	while (!(page = buddy_alloc(&buddy_low, 0)))
		if (!section_grow_low())
			break;
	spin_unlock_irqrestore(&page_lock, flags);
	return page ? page_to_phys(page) : 0;
}

static __attribute__((noinline)) void free_block(struct page *page, unsigned order)
{
	unsigned long flags = spin_lock_irqsave(&page_lock);

	buddy_free(buddy_of(page), page, order);
	spin_unlock_irqrestore(&page_lock, flags);
}

void page_free(struct page *page, unsigned order)
{
	unsigned long flags;
	struct page_cpu *cpu;

	BUG_ON(page->state != PAGE_USED || page->order != order);
	page_poison(page, order);
	if (unlikely(order || page < page_from_nr(LOW_PAGES))) {
		free_block(page, order);
		return;
	}
	flags = arch_irq_save();
	cpu = percpu_this(page_cpu);
	cpu_push(cpu, page);
	if (unlikely(cpu->nr > 3u << batch_order))
		cpu_drain(cpu, 1u << batch_order);
	arch_irq_restore(flags);
}

paddr_t page_table_page_alloc(void)
{
	unsigned long flags = spin_lock_irqsave(&table_lock);
	paddr_t pa = table_pool_nr ? table_pool[--table_pool_nr] : 0;

	spin_unlock_irqrestore(&table_lock, flags);
	if (pa)
		memset(arch_phys_to_virt(pa), 0, PAGE_SIZE);
	return pa;
}

/* Not to the pool: that is for those who may not wait for the page allocator's lock. */
void page_table_page_free(paddr_t pa)
{
	page_free(page_from_nr(pa >> PAGE_SHIFT), 0);
}

static void table_pool_fill(void)
{
	unsigned long flags = spin_lock_irqsave(&page_lock);

	table_pool_fill_locked();
	spin_unlock_irqrestore(&page_lock, flags);
}

void page_table_reserve(void)
{
	if (likely(READ_ONCE(table_pool_nr) >= PAGE_TABLE_RESERVE))
		return;
	table_pool_fill();
	if (likely(READ_ONCE(table_pool_nr) >= PAGE_TABLE_RESERVE))
		return;
	page_drain();
	table_pool_fill();
}

struct page *page_from_phys(paddr_t pa)
{
	return section_is_alive(pa >> PAGE_SHIFT) ? page_from_nr(pa >> PAGE_SHIFT) : NULL;
}

void page_stats(struct page_stats *out)
{
	unsigned long flags = spin_lock_irqsave(&page_lock);

	out->total = section_total;
	out->untouched = section_untouched;
	out->free = section_untouched + buddy_low.nr_free + buddy_normal.nr_free;
	spin_unlock_irqrestore(&page_lock, flags);
	for (unsigned i = 0; i < nr_cpus; i++)
		if (cpus[i].online)
			out->free += percpu_at(cpus[i].percpu_delta, page_cpu)->nr;
}

uint64_t page_nr_free(void)
{
	return READ_ONCE(section_untouched) + READ_ONCE(buddy_low.nr_free) + READ_ONCE(buddy_normal.nr_free);
}

uint64_t page_nr_total(void)
{
	return section_total;
}
