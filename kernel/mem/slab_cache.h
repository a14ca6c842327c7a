/* The inside of a slab cache. Private to kernel/mem: slab.c, kmalloc.c, slab_debug.c, slab_report.c. */
#ifndef KERNEL_MEM_SLAB_CACHE_H
#define KERNEL_MEM_SLAB_CACHE_H

#include "kernel/core/lock.h"
#include "kernel/mem/page.h"
#include "kernel/mem/slab.h"
#include "lib/util.h"

#define SLAB_CACHES_MAX 64
#define SLAB_OBJECT_MAX (16ul << 10)

struct slab_cache {
	const char *name;
	uint32_t object_size; /* what the user may write */
	uint32_t stride;      /* from object to object */
	uint16_t per_slab;    /* objects; 0: not set up yet */
	uint8_t order;	      /* of a slab's pages */
	uint8_t slot;	      /* index of the cache's magazine on each CPU */
	struct spinlock lock; /* covers the rest, and the slab fields of struct page; page_lock nests inside */
	uint64_t key;	      /* hides the links of free objects; 0 until the first of them */
	struct list partial;  /* slabs with a free object, struct page.link; empty ones at the end */
	struct list full;
	unsigned nr_empty;
	size_t nr_out;		 /* objects that are not in a slab: in use, or in a magazine */
	struct slab_cache *next; /* under slab_caches_lock */
};

/*
 * Free objects of one cache on one CPU, with interrupts disabled. Only plain pointers are kept here: the objects
 * themselves are not touched until they go back to their slab.
 */
#define MAGAZINE_SIZE 15
struct magazine {
	uint32_t nr;
	void *objects[MAGAZINE_SIZE];
};
/* SLAB_CACHES_MAX of them; NULL: this CPU has none yet. */
extern struct magazine *slab_magazines; /* per-CPU */

extern struct slab_cache *slab_caches;
extern struct spinlock slab_caches_lock;

/* Makes a cache of CACHE, zeroed memory that stays. Once; a second call finds it set up. False: too many caches. */
bool slab_cache_setup(struct slab_cache *cache, const char *name, size_t size, size_t align);
/* LEN <= object_size is what the caller asked for, CALLER who it is: for debug builds. */
void *slab_alloc_for(struct slab_cache *cache, size_t len, const void *caller);
void slab_free_for(struct slab_cache *cache, void *object, const void *caller);

static inline struct page *slab_head(const struct slab_cache *cache, const void *object)
{
	return page_from_virt((void *)ALIGN_DOWN((uintptr_t)object, PAGE_SIZE << cache->order));
}

#ifdef DRUPE_DEBUG
/* Behind each object: who took or freed it, and marks that an overrun destroys. */
struct slab_trailer {
	uint32_t magic;
	uint16_t len; /* that was asked for; from here to the trailer there is a red zone */
	uint16_t era; /* that it was taken in, see slab_leaks_begin */
	const void *caller;
};
#define SLAB_TRAILER_SIZE sizeof(struct slab_trailer)
#define SLAB_MAGIC_USED 0x600dca5eu
#define SLAB_MAGIC_FREE 0xdeadca5eu
_Static_assert(SLAB_OBJECT_MAX <= UINT16_MAX, "slab_trailer.len holds every length");

static inline struct slab_trailer *slab_trailer(const struct slab_cache *cache, void *object)
{
	return (struct slab_trailer *)((char *)object + cache->stride - SLAB_TRAILER_SIZE);
}

/* A new slab; an object on its way out, and on its way back. The last two panic where memory is not as it was left. */
void slab_debug_slab(struct slab_cache *cache, void *slab);
void slab_debug_alloc(struct slab_cache *cache, void *object, size_t len, const void *caller);
void slab_debug_free(struct slab_cache *cache, void *object, const void *caller);
/* Logs how many objects each call site has in use. */
void slab_debug_report(struct slab_cache *cache);
#else
#define SLAB_TRAILER_SIZE 0
static inline void slab_debug_slab(struct slab_cache *cache, void *slab)
{
	(void)cache, (void)slab;
}
static inline void slab_debug_alloc(struct slab_cache *cache, void *object, size_t len, const void *caller)
{
	(void)cache, (void)object, (void)len, (void)caller;
}
static inline void slab_debug_free(struct slab_cache *cache, void *object, const void *caller)
{
	(void)cache, (void)object, (void)caller;
}
static inline void slab_debug_report(struct slab_cache *cache)
{
	(void)cache;
}
#endif

#endif
