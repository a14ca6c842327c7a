#include "kernel/mem/buddy.h"

struct buddy buddy_low, buddy_normal;

void buddy_init(struct buddy *buddy)
{
	for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++)
		list_init(&buddy->free[order]);
	buddy->orders = 0;
	buddy->nr_free = 0;
}

static void block_insert(struct buddy *buddy, struct page *page, unsigned order)
{
	page->state = PAGE_FREE;
	page->order = order;
	list_push_front(&buddy->free[order], &page->link);
	buddy->orders |= 1u << order;
}

static void block_remove(struct buddy *buddy, struct page *page, unsigned order)
{
	list_remove(&page->link);
	if (list_is_empty(&buddy->free[order]))
		buddy->orders &= ~(1u << order);
}

void buddy_add(struct buddy *buddy, struct page *page, unsigned order)
{
	block_insert(buddy, page, order);
	buddy->nr_free += 1ul << order;
}

struct page *buddy_alloc(struct buddy *buddy, unsigned order)
{
	uint32_t large_enough = buddy->orders >> order << order;
	struct page *page;
	unsigned have;

	if (!large_enough)
		return NULL;
	have = __builtin_ctz(large_enough);
	page = list_entry(buddy->free[have].next, struct page, link);
	block_remove(buddy, page, have);
	while (have > order) {
		have--;
		block_insert(buddy, page + (1ul << have), have);
	}
	page->state = PAGE_USED;
	page->order = order;
	page->refs = 1;
	buddy->nr_free -= 1ul << order;
	return page;
}

void buddy_free(struct buddy *buddy, struct page *page, unsigned order)
{
	buddy->nr_free += 1ul << order;
	for (; order < PAGE_ORDER_MAX; order++) {
		uint64_t nr = page_nr(page), bit = 1ul << order;
		struct page *other = page_from_nr(nr ^ bit);

		if (other->state != PAGE_FREE || other->order != order)
			break;
		block_remove(buddy, other, order);
		page_from_nr(nr | bit)->state = PAGE_NONE;
		page = page_from_nr(nr & ~bit);
	}
	block_insert(buddy, page, order);
}
