#include "kernel/core/cpu.h"
#include "kernel/core/log.h"
#include "kernel/mem/slab_cache.h"

/* Other CPUs go on allocating meanwhile, so this is exact only when they do not. */
static size_t in_use(struct slab_cache *cache)
{
	size_t n = READ_ONCE(cache->nr_out), kept = 0;

	for (unsigned i = 0; i < nr_cpus; i++) {
		struct magazine *magazines;

		if (!cpus[i].online)
			continue;
		magazines = READ_ONCE(*percpu_at(cpus[i].percpu_delta, slab_magazines));
		if (magazines)
			kept += READ_ONCE(magazines[cache->slot].nr);
	}
	return n > kept ? n - kept : 0;
}

size_t slab_report(void)
{
	unsigned long flags = spin_lock_irqsave(&slab_caches_lock);
	size_t total = 0;

	for (struct slab_cache *cache = slab_caches; cache; cache = cache->next) {
		size_t n = in_use(cache);

		if (!n)
			continue;
		log_info("slab %s: %zu objects of %u bytes in use", cache->name, n, cache->object_size);
		slab_debug_report(cache);
		total += n;
	}
	spin_unlock_irqrestore(&slab_caches_lock, flags);
	return total;
}
