/* Memory by size: a slab cache for each of a few sizes, made on first use; whole pages above them. */
#include "kernel/core/panic.h"
#include "kernel/mem/slab_cache.h"
#include "lib/string.h"
#include "lib/util.h"

/* 96 and 192 fill the largest gaps between the powers of two. */
static const uint16_t class_size[] = { 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048 };
static const char class_name[][13] = {
	"kmalloc-16",  "kmalloc-32",  "kmalloc-64",  "kmalloc-96",   "kmalloc-128",
	"kmalloc-192", "kmalloc-256", "kmalloc-512", "kmalloc-1024", "kmalloc-2048",
};
static struct slab_cache classes[ARRAY_SIZE(class_size)];
#define CLASS_MAX 2048

/* Class by (len - 1) / 16, up to 192 bytes. */
static const uint8_t class_small[] = { 0, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 5 };
#define CLASS_256 6

static inline unsigned class_index(size_t len)
{
	if (len <= 192)
		return class_small[(len - 1) / 16];
	return len <= 256 ? CLASS_256 : CLASS_256 + 56 - __builtin_clzll(len - 1);
}

static __attribute__((cold, noinline)) bool class_setup(unsigned i)
{
	return slab_cache_setup(&classes[i], class_name[i], class_size[i], 0);
}

static __attribute__((noinline)) void *alloc_pages(size_t len)
{
	struct page *page;

	if (len > PAGE_SIZE << PAGE_ORDER_MAX)
		return NULL;
	page = page_alloc(len <= PAGE_SIZE ? 0 : 64 - PAGE_SHIFT - __builtin_clzll(len - 1), 0);
	return page ? page_to_virt(page) : NULL;
}

static inline void *alloc(size_t len, const void *caller)
{
	struct slab_cache *cache;
	unsigned i;

	if (unlikely(len - 1 >= CLASS_MAX)) /* 0 too */
		return len ? alloc_pages(len) : NULL;
	i = class_index(len);
	cache = &classes[i];
	if (unlikely(!__atomic_load_n(&cache->per_slab, __ATOMIC_ACQUIRE)) && !class_setup(i))
		return NULL;
	return slab_alloc_for(cache, len, caller);
}

void *kmalloc(size_t len)
{
	return alloc(len, __builtin_return_address(0));
}

void *kzalloc(size_t len)
{
	void *object = alloc(len, __builtin_return_address(0));

	if (object)
		memset(object, 0, len);
	return object;
}

void kfree(void *ptr)
{
	struct page *page;

	if (!ptr)
		return;
	page = page_from_virt(ptr);
	if (likely(page->state == PAGE_SLAB)) {
		slab_free_for(page->owner, ptr, __builtin_return_address(0));
	} else {
		BUG_ON(!IS_ALIGNED((uintptr_t)ptr, PAGE_SIZE));
		page_free(page, page->order);
	}
}
