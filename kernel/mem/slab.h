/*
 * Small objects. Caches of one size with per-CPU free lists; kmalloc picks a cache by size up to 2 KiB and whole pages
 * above that. Any context but NMI. Memory is aligned to 16 bytes, or to the cache's own alignment.
 * Debug builds fill freed and fresh memory, keep red zones, name the owner of each leak (slab_report).
 */
#ifndef KERNEL_MEM_SLAB_H
#define KERNEL_MEM_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct slab_cache;

/*
 * NAME is kept, not copied. SIZE is at most 16 KiB; ALIGN a power of two up to a page, 0: 16. NULL when memory is short, or
 * there are too many caches (64).
 */
struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align);
/*
 * Every object must have been freed; else it logs that and leaks the cache. Threads only, interrupts enabled: asks every
 * CPU for the objects that it keeps.
 */
void slab_cache_destroy(struct slab_cache *cache);
void *slab_alloc(struct slab_cache *cache) __attribute__((malloc));
void slab_free(struct slab_cache *cache, void *object);

/* At most 2 MiB; NULL when memory is short or LEN is 0. kzalloc: zeroed. kfree(NULL) does nothing. */
void *kmalloc(size_t len) __attribute__((malloc, alloc_size(1)));
void *kzalloc(size_t len) __attribute__((malloc, alloc_size(1)));
void kfree(void *ptr);

/* Logs each cache's objects in use; in debug builds also who allocated them. Returns the number of objects in use. */
size_t slab_report(void);

/*
 * The leak check of debug builds, nothing in others. slab_leaks_end logs (LOG_INFO) which objects that were taken since
 * slab_leaks_begin are still in use, and who took them; returns how many. What a driver keeps for good after its first
 * use is among them. Exact when no other thread allocates.
 */
#ifdef DRUPE_DEBUG
void slab_leaks_begin(void);
size_t slab_leaks_end(void);
#else
static inline void slab_leaks_begin(void)
{
}
static inline size_t slab_leaks_end(void)
{
	return 0;
}
#endif

#endif
