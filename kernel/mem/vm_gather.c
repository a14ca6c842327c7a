/* Pages on their way out: first out of the tables, then out of every TLB, then back to the allocator. */
#include "kernel/core/cpu.h"
#include "kernel/mem/vm_area.h"

void gather_init(struct vm_gather *gather, struct vmspace *vm)
{
	gather->vm = vm;
	gather->start = UINTPTR_MAX;
	gather->end = 0;
	gather->exclusive = gather->large = NULL;
	gather->tables = 0;
	gather->nr_shared = 0;
}

/* The next page of a chain through link.next; the last one's is NULL. */
static struct page *chain_pop(struct page **chain)
{
	struct page *page = *chain;

	*chain = (struct page *)page->link.next;
	return page;
}

static void chain_push(struct page **chain, struct page *page)
{
	page->link.next = (struct list *)*chain;
	*chain = page;
}

void gather_finish(struct vm_gather *gather)
{
	/* Even an idle CPU may still walk a table that it has cached. */
	if (gather->tables)
		cpu_tlb_shootdown(gather->start, gather->end - gather->start);
	else if (gather->end)
		cpu_tlb_shootdown_lower(gather->start, gather->end - gather->start);
	while (gather->exclusive)
		page_free(chain_pop(&gather->exclusive), 0);
	while (gather->large)
		page_free(chain_pop(&gather->large), PAGE_ORDER_MAX);
	for (unsigned i = 0; i < gather->nr_shared; i++)
		page_put(gather->shared[i]);
	while (gather->tables) {
		paddr_t table = gather->tables;

		gather->tables = *(paddr_t *)arch_phys_to_virt(table);
		arch_table_free(table);
	}
	gather_init(gather, gather->vm);
}

void gather_table(void *arg, paddr_t table)
{
	struct vm_gather *gather = arg;

	/*
	 * A CPU may still walk this table, and what it finds must not look like an entry: addresses of pages have a clear
	 * present bit.
	 */
	*(paddr_t *)arch_phys_to_virt(table) = gather->tables;
	gather->tables = table;
}

void gather_entry(struct vm_gather *gather, pte_t entry, uintptr_t va, size_t size)
{
	struct page *page;

	gather_range(gather, va, size);
	gather->vm->nr_resident -= size / PAGE_SIZE;
	if (!pte_is_owned(entry))
		return;
	page = page_from_nr(pte_pa(entry) >> PAGE_SHIFT);
	if (size > PAGE_SIZE) {
		chain_push(&gather->large, page);
	} else if (pte_is_private(entry) && __atomic_load_n(&page->refs, __ATOMIC_ACQUIRE) == 1) {
		chain_push(&gather->exclusive, page);
	} else {
		gather->shared[gather->nr_shared++] = page;
		if (gather->nr_shared == sizeof(gather->shared) / sizeof(gather->shared[0]))
			gather_finish(gather);
	}
}

static void take_out(void *arg, pte_t *entry, uintptr_t va, size_t size)
{
	pte_t old = *entry;

	WRITE_ONCE(*entry, 0);
	gather_entry(arg, old, va, size);
}

void gather_pages(struct vm_gather *gather, uintptr_t start, uintptr_t end)
{
	arch_pt_visit(&gather->vm->arch, start, end, take_out, gather);
}
