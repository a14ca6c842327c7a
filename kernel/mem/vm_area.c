#include "kernel/mem/vm_area.h"

#include "kernel/mem/slab.h"
#include "lib/errno.h"

struct vm_area *area_find_from(const struct vmspace *vm, uintptr_t va)
{
	struct region *region = region_find_from(&vm->as, va);

	return region ? container_of(region, struct vm_area, region) : NULL;
}

/* ---- The tree, with its gaps ------------------------------------------------------------------------------------ */

static bool area_less(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct region, node)->start < container_of(b, struct region, node)->start;
}

void area_update(struct rb_node *node)
{
	struct vm_area *area = area_of(node), *left = area_of(node->left), *right = area_of(node->right);

	area->gap_max = area->gap;
	if (left && left->gap_max > area->gap_max)
		area->gap_max = left->gap_max;
	if (right && right->gap_max > area->gap_max)
		area->gap_max = right->gap_max;
}

/* The first address that is not free before AREA: below what grows something stays free. */
static uintptr_t gap_end(const struct vm_area *area)
{
	uintptr_t start = area->region.start;

	if (!(area->flags & VM_GROWSDOWN))
		return start;
	return start > STACK_GAP ? start - STACK_GAP : 0;
}

static uintptr_t gap_len(const struct vm_area *area, const struct vm_area *prev)
{
	uintptr_t from = prev ? prev->region.end : 0, to = gap_end(area);

	return to > from ? to - from : 0;
}

/* Something has changed in front of AREA, which may be NULL. */
static void gap_refresh(struct vmspace *vm, struct vm_area *area)
{
	uintptr_t len;

	if (!area)
		return;
	len = gap_len(area, area_prev(area));
	if (len == area->gap)
		return;
	area->gap = len;
	rb_update(&vm->as.regions, &area->region.node);
}

static void account(struct vm_area *area, bool add)
{
	uint64_t n = area_len(area) / PAGE_SIZE;
	struct vmspace *vm = area->vm;

	n = add ? n : -n;
	vm->nr_mapped += n;
	if (area_is_data(area->prot, area->flags))
		vm->nr_data += n;
	if (area->flags & VM_LOCKED)
		vm->nr_locked += n;
}

static void area_link(struct vm_area *area)
{
	struct vmspace *vm = area->vm;
	struct vm_area *next = area_find_from(vm, area->region.start);
	struct vm_area *prev = next ? area_prev(next) : area_of(rb_last(&vm->as.regions));

	area->gap = gap_len(area, prev);
	rb_insert(&vm->as.regions, &area->region.node, area_less);
	gap_refresh(vm, next);
	vm->nr_areas++;
	account(area, true);
	if (!area->object)
		return;
	area->object->ops->get(area->object);
	spin_lock(&area->object->lock);
	list_push_back(&area->object->mappings, &area->object_link);
	spin_unlock(&area->object->lock);
}

static struct vm_area *area_alloc(struct vmspace *vm)
{
	struct vm_area *area = vm->nr_areas < AREAS_MAX ? kmalloc(sizeof(*area)) : NULL;

	if (area)
		*area = (struct vm_area){ .vm = vm };
	return area;
}

struct vm_area *area_create(struct vmspace *vm, uintptr_t start, uintptr_t end, unsigned prot, unsigned flags,
			    struct vm_object *object, uint64_t off)
{
	struct vm_area *area = area_alloc(vm);

	if (!area)
		return NULL;
	area->region.start = start;
	area->region.end = end;
	area->prot = prot;
	area->flags = flags & AREA_FLAGS;
	area->object = object;
	area->off = off;
	area_link(area);
	return area;
}

void area_remove(struct vm_area *area, struct list *dead)
{
	struct vmspace *vm = area->vm;
	struct vm_area *next = area_next(area);

	account(area, false);
	rb_remove(&vm->as.regions, &area->region.node);
	gap_refresh(vm, next);
	vm->nr_areas--;
	if (vm->last == area)
		vm->last = NULL;
	if (area->object) {
		spin_lock(&area->object->lock);
		list_remove(&area->object_link);
		spin_unlock(&area->object->lock);
	}
	list_push_back(dead, &area->object_link);
}

void areas_free(struct list *dead)
{
	struct list *link, *next;

	list_for_each_safe(link, next, dead) {
		struct vm_area *area = list_entry(link, struct vm_area, object_link);

		if (area->object)
			area->object->ops->put(area->object);
		kfree(area);
	}
	list_init(dead);
}

void area_resize(struct vm_area *area, uintptr_t start, uintptr_t end)
{
	account(area, false);
	area->off += start - area->region.start;
	area->region.start = start;
	area->region.end = end;
	account(area, true);
	gap_refresh(area->vm, area);
	gap_refresh(area->vm, area_next(area));
}

void area_change(struct vm_area *area, unsigned prot, unsigned flags)
{
	account(area, false);
	area->prot = prot;
	area->flags = flags;
	account(area, true);
}

/* ---- Cutting and joining ---------------------------------------------------------------------------------------- */

int area_split(struct vm_area *area, uintptr_t va)
{
	struct vm_area *upper = area_alloc(area->vm);
	uintptr_t end = area->region.end;

	if (!upper)
		return -ENOMEM;
	upper->region.start = va;
	upper->region.end = end;
	upper->prot = area->prot;
	upper->flags = area->flags;
	upper->object = area->object;
	upper->off = area->off + (va - area->region.start);
	area_resize(area, area->region.start, va);
	area_link(upper);
	return 0;
}

static int large_page_cut(struct vmspace *vm, uintptr_t va)
{
	paddr_t pa;
	int err;

	page_table_reserve();
	err = arch_pt_split(&vm->arch, va, &pa);
	if (err <= 0)
		return err;
	page_split(page_from_nr(pa >> PAGE_SHIFT), PAGE_ORDER_MAX);
	return 0;
}

static int cut_at(struct vmspace *vm, uintptr_t va)
{
	struct vm_area *area = area_find(vm, va);

	if (!area)
		return 0;
	/* Before the area: a large page must never reach across the bounds of one. */
	if (!area->object && large_page_cut(vm, va))
		return -ENOMEM;
	return area->region.start == va ? 0 : area_split(area, va);
}

int areas_cut(struct vmspace *vm, uintptr_t start, uintptr_t end)
{
	return cut_at(vm, start) || cut_at(vm, end) ? -ENOMEM : 0;
}

static bool joins(const struct vm_area *low, const struct vm_area *high)
{
	return low->region.end == high->region.start && low->prot == high->prot && low->flags == high->flags &&
	       low->object == high->object && !(low->flags & (VM_SPECIAL | VM_GROWSDOWN)) &&
	       (!low->object || low->off + area_len(low) == high->off);
}

struct vm_area *area_merge(struct vm_area *area, struct list *dead)
{
	struct vm_area *prev = area_prev(area), *next = area_next(area);

	if (next && joins(area, next)) {
		uintptr_t end = next->region.end;

		area_remove(next, dead);
		area_resize(area, area->region.start, end);
	}
	if (prev && joins(prev, area)) {
		uintptr_t end = area->region.end;

		area_remove(area, dead);
		area_resize(prev, prev->region.start, end);
		area = prev;
	}
	return area;
}

/* ---- Free places ------------------------------------------------------------------------------------------------ */

/*
 * The area with the highest gap of LEN bytes in front of it, among those that start below HIGH. A subtree that lies
 * below HIGH as a
 * whole answers by its gap_max alone, so only one path is ever left again.
 */
static struct vm_area *gap_search(struct rb_node *node, size_t len, uintptr_t high)
{
	struct vm_area *area = area_of(node), *found;

	if (!area || area->gap_max < len)
		return NULL;
	if (area->region.start < high) {
		found = gap_search(node->right, len, high);
		if (found)
			return found;
		if (area->gap >= len)
			return area;
	}
	return gap_search(node->left, len, high);
}

static uintptr_t gap_place(uintptr_t from, uintptr_t to, size_t len)
{
	return to > from && to - from >= len ? to - len : 0;
}

uintptr_t gap_find(const struct vmspace *vm, size_t len, uintptr_t low, uintptr_t high)
{
	struct vm_area *area = area_find_from(vm, high - 1), *prev;
	uintptr_t place;

	/* The gap that HIGH lies in. */
	if (!area || area->region.start >= high) {
		prev = area ? area_prev(area) : area_of(rb_last(&vm->as.regions));
		place = gap_place(MAX(low, prev ? prev->region.end : 0), MIN(high, area ? gap_end(area) : high), len);
		if (place)
			return place;
	}
	area = gap_search(vm->as.regions.root, len, high);
	if (!area)
		return 0;
	return gap_place(MAX(low, gap_end(area) - area->gap), gap_end(area), len);
}

bool gap_is_free(const struct vmspace *vm, uintptr_t start, uintptr_t end)
{
	struct vm_area *area = area_find_from(vm, start);

	return !area || (area->region.start >= end && gap_end(area) >= end);
}
