/*
 * An address space: page tables, and the regions that say what belongs where. It is an object that is passed, never a
 * global: the kernel's own is the one that vmap.c keeps, a program's is its process's.
 *
 * A region is a half-open range of pages that belongs to somebody, mapped or not. Whoever makes one embeds struct region
 * and keeps it until it is removed. Regions of one address space never overlap.
 */
#ifndef KERNEL_MEM_ASPACE_H
#define KERNEL_MEM_ASPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/arch.h"
#include "kernel/core/lock.h"
#include "lib/rbtree.h"

struct region {
	struct rb_node node;
	uintptr_t start, end; /* page-aligned; end is the first byte after it */
};

struct aspace {
	struct arch_aspace *arch;
	struct spinlock lock;	/* covers regions; no interrupt handler takes it */
	struct rb_tree regions; /* struct region.node, by start */
};

void aspace_init(struct aspace *as, struct arch_aspace *arch);

/* All of these: AS locked. */

/* -EEXIST when it would overlap, -EINVAL when it is empty or not page-aligned. */
int region_insert(struct aspace *as, struct region *region);
void region_remove(struct aspace *as, struct region *region);
/* The region that holds VA; NULL when there is none. */
struct region *region_find(const struct aspace *as, uintptr_t va);
/* The first region that ends after VA; NULL at the end. */
struct region *region_find_from(const struct aspace *as, uintptr_t va);
static inline struct region *region_next(const struct region *region)
{
	struct rb_node *node = rb_next(&region->node);

	return node ? container_of(node, struct region, node) : NULL;
}
/* The lowest gap of LEN bytes in [FROM, TO), page-aligned; 0 when there is none. O(regions passed over). */
uintptr_t region_find_gap(const struct aspace *as, uintptr_t from, uintptr_t to, size_t len);

#endif
