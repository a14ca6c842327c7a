/*
 * The buddy allocator proper: free blocks of 2^order pages, split on the way out, joined on the way in. Private to
 * kernel/mem. Everything here is covered by page_lock of page.c.
 */
#ifndef KERNEL_MEM_BUDDY_H
#define KERNEL_MEM_BUDDY_H

#include "kernel/mem/page.h"

struct buddy {
	struct list free[PAGE_ORDER_MAX + 1]; /* struct page.link, by order */
	uint32_t orders;		      /* bit k: free[k] is not empty */
	uint64_t nr_free;		      /* pages */
};

/* Pages below 1 MiB are kept apart, to be there for those that can use no others. */
#define LOW_PAGES 256
extern struct buddy buddy_low, buddy_normal;

static inline struct buddy *buddy_of(const struct page *page)
{
	return page_nr(page) < LOW_PAGES ? &buddy_low : &buddy_normal;
}

void buddy_init(struct buddy *buddy);
/* NULL when no free block is large enough. */
struct page *buddy_alloc(struct buddy *buddy, unsigned order);
/*
 * Joins the block with its buddies as far as they are free. Their struct page must be valid: it is if it heads or headed
 * a block, or was set to PAGE_NONE when the section came to life.
 */
void buddy_free(struct buddy *buddy, struct page *page, unsigned order);
/* Adds a block without joining it. */
void buddy_add(struct buddy *buddy, struct page *page, unsigned order);

#endif
