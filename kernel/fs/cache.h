/*
 * The pages of a file that are in memory, by their place in it. Each page that is there has a reference of the cache's; whoever
 * gets one from here has one too, so a page outlives its place. No sleeping; any thread.
 */
#ifndef KERNEL_FS_CACHE_H
#define KERNEL_FS_CACHE_H

#include "kernel/core/lock.h"
#include "kernel/mem/page.h"
#include "kernel/mem/page_index.h"

struct page_cache {
	struct spinlock lock; /* covers the rest */
	struct page_index index;
	uint64_t nr_pages;
};

/* INDEX counts pages from the beginning of the file. */

void page_cache_init(struct page_cache *cache);
/* The page at INDEX with a reference, NULL: none. */
struct page *page_cache_get(struct page_cache *cache, uint64_t index);
/*
 * Puts PAGE at INDEX, with a reference of the cache's own. -EEXIST: there is one, *FOUND with a reference; -ENOMEM.
 */
int page_cache_add(struct page_cache *cache, uint64_t index, struct page *page, struct page **found);
/* The first index >= INDEX that has a page, UINT64_MAX: none. */
uint64_t page_cache_next(struct page_cache *cache, uint64_t index);
/* Takes out the pages of [FIRST, LAST]; returns how many there were. */
uint64_t page_cache_remove(struct page_cache *cache, uint64_t first, uint64_t last);
/* Takes out what is at INDEX if it is PAGE; true when it was. */
bool page_cache_remove_page(struct page_cache *cache, uint64_t index, struct page *page);

#endif
