/* See cache.h. */
#include "kernel/fs/cache.h"

#include "lib/errno.h"

void page_cache_init(struct page_cache *cache)
{
	*cache = (struct page_cache){ 0 };
	spin_init(&cache->lock, "page_cache");
}

struct page *page_cache_get(struct page_cache *cache, uint64_t index)
{
	struct page *page;

	spin_lock(&cache->lock);
	page = page_index_lookup(&cache->index, index);
	if (page)
		page_get(page);
	spin_unlock(&cache->lock);
	return page;
}

int page_cache_add(struct page_cache *cache, uint64_t index, struct page *page, struct page **found)
{
	int error;

	spin_lock(&cache->lock);
	error = page_index_insert(&cache->index, index, page);
	if (!error) {
		page_get(page);
		cache->nr_pages++;
	} else if (error == -EEXIST) {
		*found = page_index_lookup(&cache->index, index);
		page_get(*found);
	}
	spin_unlock(&cache->lock);
	return error;
}

uint64_t page_cache_next(struct page_cache *cache, uint64_t index)
{
	spin_lock(&cache->lock);
	if (!page_index_next(&cache->index, &index))
		index = UINT64_MAX;
	spin_unlock(&cache->lock);
	return index;
}

uint64_t page_cache_remove(struct page_cache *cache, uint64_t first, uint64_t last)
{
	uint64_t n = 0;

	for (;;) {
		struct page *page;

		spin_lock(&cache->lock);
		page = page_index_next(&cache->index, &first);
		if (page && first <= last) {
			page_index_remove(&cache->index, first);
			cache->nr_pages--;
		} else {
			page = NULL;
		}
		spin_unlock(&cache->lock);
		if (!page)
			return n;
		page_put(page);
		n++;
	}
}

bool page_cache_remove_page(struct page_cache *cache, uint64_t index, struct page *page)
{
	bool is_there;

	spin_lock(&cache->lock);
	is_there = page_index_lookup(&cache->index, index) == page;
	if (is_there) {
		page_index_remove(&cache->index, index);
		cache->nr_pages--;
	}
	spin_unlock(&cache->lock);
	if (is_there)
		page_put(page);
	return is_there;
}
