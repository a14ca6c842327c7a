/*
 * Slab caches: magazines of free objects on each CPU, in front of slabs, which are blocks of pages cut into objects. A free
 * object in a slab holds the index of the next one, mixed with its address and a key of the cache, so that neither an
 * overrun nor a use after free can make the allocator hand out an address of its choosing.
 */
#include "kernel/core/cpu.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/core/random.h"
#include "kernel/mem/slab_cache.h"
#include "lib/string.h"
#include "lib/util.h"

#define SLAB_ORDER_MAX 3
#define OBJECTS_LEAST 4 /* in a slab, where SLAB_ORDER_MAX allows */
#define MAGAZINE_BATCH 8
#define NO_OBJECT 0xffff

struct slab_cache *slab_caches;
static uint64_t slots_used; /* bit: magazine index; under slab_caches_lock */
struct spinlock slab_caches_lock = SPINLOCK_INIT("slab caches");

PERCPU(struct magazine *, slab_magazines);
static struct magazine boot_magazines[SLAB_CACHES_MAX];
#define MAGAZINES_ORDER 1
_Static_assert(sizeof(boot_magazines) <= PAGE_SIZE << MAGAZINES_ORDER, "a CPU's magazines fit their pages");
_Static_assert(SLAB_CACHES_MAX <= 64, "slots_used has a bit for each cache");

/* ---- Slabs; the cache's lock is held -------------------------------------------------------------------------------- */

static struct page *slab_create(struct slab_cache *cache)
{
	struct page *slab = page_alloc(cache->order, 0);

	if (!slab)
		return NULL;
	for (unsigned i = 0; i < 1u << cache->order; i++) {
		slab[i].state = PAGE_SLAB;
		slab[i].owner = cache;
	}
	slab->inuse = slab->fresh = 0;
	slab->freelist = NO_OBJECT;
	list_push_back(&cache->partial, &slab->link);
	cache->nr_empty++;
	slab_debug_slab(cache, page_to_virt(slab));
	return slab;
}

static void slab_release(struct slab_cache *cache, struct page *slab)
{
	list_remove(&slab->link);
	cache->nr_empty--;
	for (unsigned i = 0; i < 1u << cache->order; i++) {
		slab[i].state = PAGE_NONE;
		slab[i].owner = NULL;
	}
	slab->state = PAGE_USED;
	slab->refs = 1;
	page_free(slab, cache->order);
}

/* The index that follows OBJECT in its slab's free list. */
static uint16_t link_read(const struct slab_cache *cache, const struct page *slab, const void *object)
{
	uint64_t next = *(const uint64_t *)object ^ (uintptr_t)object ^ cache->key;

	/* Somebody wrote to memory that is free. */
	BUG_ON(next >= slab->fresh && next != NO_OBJECT);
	return next;
}

static void link_write(struct slab_cache *cache, void *object, uint16_t next)
{
	if (unlikely(!cache->key))
		cache->key = random_u64() | 1;
	*(uint64_t *)object = next ^ (uintptr_t)object ^ cache->key;
}

/* NULL when no slab has a free object and GROW is false or memory is short. */
static void *object_take(struct slab_cache *cache, bool grow)
{
	struct page *slab;
	char *object;

	if (likely(!list_is_empty(&cache->partial)))
		slab = list_entry(cache->partial.next, struct page, link);
	else if (!grow || !(slab = slab_create(cache)))
		return NULL;
	object = page_to_virt(slab);
	if (slab->freelist != NO_OBJECT) {
		object += (size_t)slab->freelist * cache->stride;
		slab->freelist = link_read(cache, slab, object);
	} else {
		object += (size_t)slab->fresh++ * cache->stride;
	}
	if (!slab->inuse++)
		cache->nr_empty--;
	if (slab->inuse == cache->per_slab) {
		list_remove(&slab->link);
		list_push_front(&cache->full, &slab->link);
	}
	cache->nr_out++;
	return object;
}

static void object_put(struct slab_cache *cache, void *object)
{
	struct page *slab = slab_head(cache, object);
	size_t offset = (uintptr_t)object - (uintptr_t)page_to_virt(slab);
	unsigned index = offset / cache->stride;

	BUG_ON(index * (size_t)cache->stride != offset || index >= slab->fresh || index == slab->freelist ||
	       !slab->inuse);
	link_write(cache, object, slab->freelist);
	slab->freelist = index;
	cache->nr_out--;
	if (slab->inuse-- == cache->per_slab) {
		list_remove(&slab->link);
		list_push_front(&cache->partial, &slab->link);
	}
	if (slab->inuse)
		return;
	cache->nr_empty++;
	if (cache->nr_empty > 1) {
		slab_release(cache, slab);
	} else {
		list_remove(&slab->link);
		list_push_back(&cache->partial, &slab->link);
	}
}

/* ---- Magazines; interrupts are disabled ----------------------------------------------------------------------------- */

static inline struct magazine *magazine_of(const struct slab_cache *cache)
{
	struct magazine *magazines = percpu_read(slab_magazines);

	return likely(magazines) ? magazines + cache->slot : NULL;
}

/* NULL when memory is short: objects then come from the slabs one by one. */
static __attribute__((cold, noinline)) struct magazine *magazine_make(const struct slab_cache *cache)
{
	struct magazine *magazines = boot_magazines;

	if (percpu_delta()) {
		struct page *page = page_alloc(MAGAZINES_ORDER, PAGE_ZERO);

		if (!page)
			return NULL;
		magazines = page_to_virt(page);
	}
	percpu_write(slab_magazines, magazines);
	return magazines + cache->slot;
}

static void *refill(struct slab_cache *cache)
{
	struct magazine *magazine = magazine_of(cache);
	unsigned long flags;
	void *object, *more;

	if (unlikely(!magazine))
		magazine = magazine_make(cache);
	flags = spin_lock_irqsave(&cache->lock);
	object = object_take(cache, true);
	while (magazine && magazine->nr < MAGAZINE_BATCH && (more = object_take(cache, false)))
		magazine->objects[magazine->nr++] = more;
	spin_unlock_irqrestore(&cache->lock, flags);
	return object;
}

/* Puts back all but KEEP of the magazine's objects, the coldest first, and EXTRA if there is one. */
static void magazine_flush(struct slab_cache *cache, struct magazine *magazine, unsigned keep, void *extra)
{
	unsigned long flags = spin_lock_irqsave(&cache->lock);
	unsigned n = magazine && magazine->nr > keep ? magazine->nr - keep : 0;

	for (unsigned i = 0; i < n; i++)
		object_put(cache, magazine->objects[i]);
	if (n) {
		magazine->nr = keep;
		memmove(magazine->objects, magazine->objects + n, keep * sizeof(void *));
	}
	if (extra)
		object_put(cache, extra);
	spin_unlock_irqrestore(&cache->lock, flags);
}

/* The rest of slab_alloc_for and slab_free_for when the magazine is empty, full or missing; FLAGS is arch_irq_save's. */
static __attribute__((noinline)) void *alloc_slow(struct slab_cache *cache, size_t len, const void *caller,
						  unsigned long flags)
{
	void *object = refill(cache);

	arch_irq_restore(flags);
	if (object)
		slab_debug_alloc(cache, object, len, caller);
	return object;
}

static __attribute__((noinline)) void free_slow(struct slab_cache *cache, void *object, unsigned long flags)
{
	struct magazine *magazine = magazine_of(cache);

	if (magazine) {
		magazine_flush(cache, magazine, MAGAZINE_SIZE - MAGAZINE_BATCH, NULL);
		magazine->objects[magazine->nr++] = object;
	} else {
		magazine_flush(cache, NULL, 0, object);
	}
	arch_irq_restore(flags);
}

void *slab_alloc_for(struct slab_cache *cache, size_t len, const void *caller)
{
	unsigned long flags = arch_irq_save();
	struct magazine *magazine = magazine_of(cache);
	void *object;

	if (unlikely(!magazine || !magazine->nr))
		return alloc_slow(cache, len, caller, flags);
	object = magazine->objects[--magazine->nr];
	arch_irq_restore(flags);
	slab_debug_alloc(cache, object, len, caller);
	return object;
}

void slab_free_for(struct slab_cache *cache, void *object, const void *caller)
{
	struct page *page = page_from_virt(object);
	struct magazine *magazine;
	unsigned long flags;
	unsigned nr;

	BUG_ON(page->state != PAGE_SLAB || page->owner != cache);
	slab_debug_free(cache, object, caller);
	flags = arch_irq_save();
	magazine = magazine_of(cache);
	nr = magazine ? magazine->nr : 0;
	/* The last one freed is looked at in every build: double frees mostly come in a row. */
	BUG_ON(nr && magazine->objects[nr - 1] == object);
	if (unlikely(!magazine || nr == MAGAZINE_SIZE)) {
		free_slow(cache, object, flags);
		return;
	}
	magazine->objects[nr] = object;
	magazine->nr = nr + 1;
	arch_irq_restore(flags);
}

void *slab_alloc(struct slab_cache *cache)
{
	return slab_alloc_for(cache, cache->object_size, __builtin_return_address(0));
}

void slab_free(struct slab_cache *cache, void *object)
{
	slab_free_for(cache, object, __builtin_return_address(0));
}

/* ---- Caches ------------------------------------------------------------------------------------------------------ */

/* The smallest slab that holds a few objects and wastes at most an eighth. */
static unsigned slab_order(size_t stride)
{
	unsigned order = 0;

	for (; order < SLAB_ORDER_MAX; order++) {
		size_t len = PAGE_SIZE << order;

		if (len / stride >= OBJECTS_LEAST && len % stride <= len / 8)
			break;
	}
	return order;
}

bool slab_cache_setup(struct slab_cache *cache, const char *name, size_t size, size_t align)
{
	unsigned long flags = spin_lock_irqsave(&slab_caches_lock);
	bool room = ~slots_used;

	align = MAX(align, (size_t)16);
	BUG_ON(!size || size > SLAB_OBJECT_MAX || align > PAGE_SIZE || align & (align - 1));
	if (room && !cache->per_slab) {
		cache->name = name;
		cache->object_size = size;
		cache->stride = ALIGN_UP(size + SLAB_TRAILER_SIZE, align);
		cache->order = slab_order(cache->stride);
		cache->slot = __builtin_ctzll(~slots_used);
		slots_used |= 1ull << cache->slot;
		spin_init(&cache->lock, "slab");
		list_init(&cache->partial);
		list_init(&cache->full);
		cache->next = slab_caches;
		slab_caches = cache;
		__atomic_store_n(&cache->per_slab, (PAGE_SIZE << cache->order) / cache->stride, __ATOMIC_RELEASE);
	}
	spin_unlock_irqrestore(&slab_caches_lock, flags);
	return room || cache->per_slab;
}

struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align)
{
	struct slab_cache *cache = kzalloc(sizeof(*cache));

	if (cache && !slab_cache_setup(cache, name, size, align)) {
		kfree(cache);
		cache = NULL;
	}
	return cache;
}

static void flush_this_cpu(void *arg)
{
	struct slab_cache *cache = arg;
	unsigned long flags = arch_irq_save();
	struct magazine *magazine = magazine_of(cache);

	if (magazine)
		magazine_flush(cache, magazine, 0, NULL);
	arch_irq_restore(flags);
}

void slab_cache_destroy(struct slab_cache *cache)
{
	struct slab_cache **link = &slab_caches;
	unsigned long flags;

	cpu_call_all(flush_this_cpu, cache);
	if (cache->nr_out) {
		log_err("slab cache %s: destroyed with %zu objects in use; they leak", cache->name, cache->nr_out);
		slab_debug_report(cache);
		return;
	}
	while (!list_is_empty(&cache->partial))
		slab_release(cache, list_entry(cache->partial.next, struct page, link));
	flags = spin_lock_irqsave(&slab_caches_lock);
	while (*link != cache)
		link = &(*link)->next;
	*link = cache->next;
	slots_used &= ~(1ull << cache->slot);
	spin_unlock_irqrestore(&slab_caches_lock, flags);
	kfree(cache);
}
