/* See heap.h. */
#include "test/unit/shim/heap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/core/lock.h"
#include "kernel/mem/page.h"
#include "kernel/mem/slab.h"

#define NR_PAGES 256

unsigned heap_fail_at;
size_t heap_objects, heap_pages;

static struct page memmap[NR_PAGES];
static _Alignas(4096) char arena[NR_PAGES][4096];

static bool fails(void)
{
	if (!heap_fail_at)
		return false;
	if (heap_fail_at > 1) {
		heap_fail_at--;
		return false;
	}
	return true;
}

void *kmalloc(size_t len)
{
	if (!len || fails())
		return NULL;
	heap_objects++;
	return memset(malloc(len), 0xa5, len);
}

void *kzalloc(size_t len)
{
	void *object = kmalloc(len);

	return object ? memset(object, 0, len) : NULL;
}

void kfree(void *object)
{
	heap_objects -= object != NULL;
	free(object);
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	size_t i;

	assert(order == 0);
	arch_layout.memmap_base = (uintptr_t)memmap;
	arch_layout.physmap_base = (uintptr_t)arena;
	if (fails())
		return NULL;
	for (i = 0; i < NR_PAGES && memmap[i].state == PAGE_USED; i++)
		;
	if (i == NR_PAGES)
		return NULL;
	memmap[i].state = PAGE_USED;
	memmap[i].refs = 1;
	memset(arena[i], flags & PAGE_ZERO ? 0 : 0xa5, PAGE_SIZE);
	heap_pages++;
	return &memmap[i];
}

void page_free(struct page *page, unsigned order)
{
	assert(order == 0 && page->state == PAGE_USED);
	page->state = PAGE_FREE;
	heap_pages--;
}
