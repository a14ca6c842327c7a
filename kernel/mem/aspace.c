#include "kernel/mem/aspace.h"

#include "lib/errno.h"

static struct region *region_of(struct rb_node *node)
{
	return container_of(node, struct region, node);
}

static bool region_less(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct region, node)->start < container_of(b, struct region, node)->start;
}

void aspace_init(struct aspace *as, struct arch_aspace *arch)
{
	as->arch = arch;
	as->regions = (struct rb_tree){ 0 };
	spin_init(&as->lock, "aspace");
}

struct region *region_find_from(const struct aspace *as, uintptr_t va)
{
	struct region *found = NULL;

	for (struct rb_node *node = as->regions.root; node;) {
		if (region_of(node)->end > va) {
			found = region_of(node);
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return found;
}

struct region *region_find(const struct aspace *as, uintptr_t va)
{
	struct region *region = region_find_from(as, va);

	return region && region->start <= va ? region : NULL;
}

int region_insert(struct aspace *as, struct region *region)
{
	struct region *next;

	if (region->start >= region->end || !IS_ALIGNED(region->start | region->end, PAGE_SIZE))
		return -EINVAL;
	next = region_find_from(as, region->start);
	if (next && next->start < region->end)
		return -EEXIST;
	rb_insert(&as->regions, &region->node, region_less);
	return 0;
}

void region_remove(struct aspace *as, struct region *region)
{
	rb_remove(&as->regions, &region->node);
}

uintptr_t region_find_gap(const struct aspace *as, uintptr_t from, uintptr_t to, size_t len)
{
	struct region *region = region_find_from(as, from);

	for (; from < to && to - from >= len; region = region_next(region)) {
		if (!region || (region->start > from && region->start - from >= len))
			return from;
		from = MAX(from, region->end);
	}
	return 0;
}
