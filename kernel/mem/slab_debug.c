/*
 * Debug builds: every object has a trailer that says who took it, memory in no use holds a pattern, and what is found
 * changed when it should not have panics with the names of those who had it last.
 */
#ifdef DRUPE_DEBUG

#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/mem/slab_cache.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/symtab.h"

#define FILL_FREE 0x6b
#define FILL_FRESH 0xcd
#define FILL_RED 0xbb
#define LINK_SIZE 8 /* a free object's link overwrites the fill there */

extern const uint8_t symtab_start[], symtab_end[]; /* image.ld */

/* Objects of this era and of later ones count as leaks: see slab_leaks_begin. */
static uint16_t era;

struct place {
	char name[64];
};

/* CALLER is a return address: the call itself, which may be the last instruction of its function, is what counts. */
static struct place place_of(const void *caller)
{
	uint32_t offset = (uint32_t)((uintptr_t)caller - arch_layout.image_virt), start;
	struct place place;

	if (!symtab_lookup(symtab_start, (size_t)(symtab_end - symtab_start), offset - 1, place.name,
			   sizeof(place.name), &start))
		fmt_format(place.name, sizeof(place.name), "%p", (void *)(uintptr_t)caller);
	return place;
}

/* The first byte of [FROM, TO) that is not FILL; NULL when all are. */
static const unsigned char *find_other(const void *from, const void *to, unsigned char fill)
{
	for (const unsigned char *p = from; p < (const unsigned char *)to; p++)
		if (*p != fill)
			return p;
	return NULL;
}

static __attribute__((noreturn)) void damaged(struct slab_cache *cache, char *object, const void *at, const char *what)
{
	struct slab_trailer *trailer = slab_trailer(cache, object);

	panic("slab %s: %s: object %p, byte %ld, length %u, last taken or freed by %s", cache->name, what,
	      (void *)object, (long)((const char *)at - object), trailer->len, place_of(trailer->caller).name);
}

void slab_debug_slab(struct slab_cache *cache, void *slab)
{
	memset(slab, FILL_FREE, PAGE_SIZE << cache->order);
	for (unsigned i = 0; i < cache->per_slab; i++)
		*slab_trailer(cache, (char *)slab + (size_t)i * cache->stride) =
			(struct slab_trailer){ .magic = SLAB_MAGIC_FREE };
}

void slab_debug_alloc(struct slab_cache *cache, void *object, size_t len, const void *caller)
{
	struct slab_trailer *trailer = slab_trailer(cache, object);
	const void *at = trailer;

	if (trailer->magic != SLAB_MAGIC_FREE || (at = find_other((char *)object + LINK_SIZE, trailer, FILL_FREE)))
		damaged(cache, object, at, "written to after it was freed");
	memset(object, FILL_FRESH, len);
	memset((char *)object + len, FILL_RED, (uintptr_t)trailer - (uintptr_t)object - len);
	*trailer =
		(struct slab_trailer){ .magic = SLAB_MAGIC_USED, .len = len, .era = READ_ONCE(era), .caller = caller };
}

void slab_debug_free(struct slab_cache *cache, void *object, const void *caller)
{
	uintptr_t slab = (uintptr_t)page_to_virt(slab_head(cache, object));
	struct slab_trailer *trailer = slab_trailer(cache, object);
	const void *at = trailer;

	if (((uintptr_t)object - slab) % cache->stride)
		panic("slab %s: freed at %p, which is inside of an object", cache->name, object);
	if (trailer->magic == SLAB_MAGIC_FREE)
		damaged(cache, object, object, "freed twice");
	if (trailer->magic != SLAB_MAGIC_USED || trailer->len > cache->object_size ||
	    (at = find_other((char *)object + trailer->len, trailer, FILL_RED)))
		damaged(cache, object, at, "written to past its end");
	memset(object, FILL_FREE, (uintptr_t)trailer - (uintptr_t)object);
	trailer->magic = SLAB_MAGIC_FREE;
	trailer->caller = caller;
}

/* Call sites of one report; what finds no room is counted together. */
#define SITES_MAX 32
static struct {
	const void *caller;
	unsigned n;
} sites[SITES_MAX];
static unsigned nr_sites, nr_rest;
static struct spinlock sites_lock = SPINLOCK_INIT("slab report");

static void site_count(const void *caller)
{
	unsigned i = 0;

	while (i < nr_sites && sites[i].caller != caller)
		i++;
	if (i == SITES_MAX) {
		nr_rest++;
		return;
	}
	if (i == nr_sites) {
		sites[nr_sites].caller = caller;
		sites[nr_sites++].n = 0;
	}
	sites[i].n++;
}

/* Objects in use that were taken in era SINCE or later. */
static void count_slabs(struct slab_cache *cache, struct list *slabs, unsigned since)
{
	struct list *link;

	list_for_each(link, slabs) {
		struct page *slab = list_entry(link, struct page, link);

		for (unsigned i = 0; i < slab->fresh; i++) {
			struct slab_trailer *trailer =
				slab_trailer(cache, (char *)page_to_virt(slab) + (size_t)i * cache->stride);

			if (trailer->magic == SLAB_MAGIC_USED && trailer->era >= since)
				site_count(trailer->caller);
		}
	}
}

/* Logs each call site with its count. Returns how many objects there were. */
static size_t report(struct slab_cache *cache, unsigned since, const char *what)
{
	unsigned long flags = spin_lock_irqsave(&sites_lock), cache_flags = spin_lock_irqsave(&cache->lock);
	size_t n;

	nr_sites = nr_rest = 0;
	count_slabs(cache, &cache->partial, since);
	count_slabs(cache, &cache->full, since);
	spin_unlock_irqrestore(&cache->lock, cache_flags);
	n = nr_rest;
	for (unsigned i = 0; i < nr_sites; i++) {
		n += sites[i].n;
		log_info("%s: %u objects of slab %s taken by %s", what, sites[i].n, cache->name,
			 place_of(sites[i].caller).name);
	}
	if (nr_rest)
		log_info("%s: %u objects of slab %s taken elsewhere", what, nr_rest, cache->name);
	spin_unlock_irqrestore(&sites_lock, flags);
	return n;
}

void slab_debug_report(struct slab_cache *cache)
{
	report(cache, 0, "in use");
}

void slab_leaks_begin(void)
{
	era++;
}

size_t slab_leaks_end(void)
{
	unsigned long flags = spin_lock_irqsave(&slab_caches_lock);
	size_t n = 0;

	for (struct slab_cache *cache = slab_caches; cache; cache = cache->next)
		n += report(cache, era, "leak");
	spin_unlock_irqrestore(&slab_caches_lock, flags);
	return n;
}

#endif
