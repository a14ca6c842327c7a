/* Making and ending mappings: mmap(2), munmap(2), brk(2). */
#include "kernel/mem/vm_area.h"
#include "lib/errno.h"
#include "lib/util.h"

bool limits_allow(const struct vmspace *vm, uint64_t nr, uint64_t nr_data)
{
	return vm->nr_mapped + nr <= vm->limit_as >> PAGE_SHIFT &&
	       (!nr_data || vm->nr_data + nr_data <= vm->limit_data >> PAGE_SHIFT);
}

bool commit_allows(size_t len, unsigned prot, unsigned flags)
{
	if (flags & VM_NORESERVE || (!(prot & PT_WRITE) && !(flags & VM_SHARED)))
		return true;
	return len >> PAGE_SHIFT <= page_nr_total();
}

/* ---- Unmapping -------------------------------------------------------------------------------------------------- */

/* Tables that lie in what was unmapped go at once; those that are left empty, when there may be many of them. */
static void tables_release(struct vmspace *vm, struct vm_gather *gather, uintptr_t start, uintptr_t end)
{
	if (end - start >= LARGE_PAGE_SIZE)
		arch_pt_prune(&vm->arch, start, end, gather_table, gather);
	if (unlikely(vm->arch.nr_tables > 2ul * vm->tables_swept + 64)) {
		arch_pt_prune_empty(&vm->arch, gather_table, gather);
		vm->tables_swept = vm->arch.nr_tables;
	}
	/* Upper tables are cached by CPUs even if nothing below them ever was. */
	if (gather->tables)
		gather_range(gather, start, PAGE_SIZE);
}

int unmap_locked(struct vmspace *vm, uintptr_t start, uintptr_t end, struct list *dead)
{
	struct vm_area *area = area_find_from(vm, start), *next;
	struct vm_gather gather;

	if (!area || area->region.start >= end)
		return 0;
	if (areas_cut(vm, start, end))
		return -ENOMEM;
	for (area = area_find_from(vm, start); area && area->region.start < end; area = next) {
		next = area_next(area);
		area_remove(area, dead);
	}
	gather_init(&gather, vm);
	gather_pages(&gather, start, end);
	tables_release(vm, &gather, start, end);
	gather_finish(&gather);
	return 0;
}

int vm_unmap(struct vmspace *vm, uintptr_t addr, size_t len)
{
	struct list dead = LIST_INIT(dead);
	uintptr_t end;
	int err;

	if (!len || !range_is_valid(addr, len, &end))
		return -EINVAL;
	mutex_lock(&vm->lock);
	err = unmap_locked(vm, addr, end, &dead);
	mutex_unlock(&vm->lock);
	areas_free(&dead);
	return err;
}

/* ---- Mapping ---------------------------------------------------------------------------------------------------- */

#define BELOW_4G_END 0x80000000ul /* Linux's MAP_32BIT: the first 2 GiB */

static uintptr_t place_below(const struct vmspace *vm, size_t len, uintptr_t high)
{
	uintptr_t place;

	/* Whole large pages lie on their bounds, where room is easily found. */
	if (IS_ALIGNED(len, LARGE_PAGE_SIZE)) {
		place = gap_find(vm, len + LARGE_PAGE_SIZE - PAGE_SIZE, VM_START, high);
		if (place)
			return ALIGN_UP(place, LARGE_PAGE_SIZE);
	}
	return gap_find(vm, len, VM_START, high);
}

/* Where a mapping without a fixed address goes: the hint if that is free. 0: nowhere. */
static uintptr_t place_find(const struct vmspace *vm, uintptr_t hint, size_t len, unsigned flags)
{
	uintptr_t place;

	hint = ALIGN_UP(MAX(hint, flags & VM_BELOW_4G ? 0 : hint), PAGE_SIZE);
	if (flags & VM_BELOW_4G && hint > BELOW_4G_END - MIN(len, BELOW_4G_END))
		hint = 0;
	if (hint >= VM_START && hint < VM_END && len <= VM_END - hint && gap_is_free(vm, hint, hint + len))
		return hint;
	if (flags & VM_BELOW_4G)
		return place_below(vm, len, BELOW_4G_END);
	place = place_below(vm, len, vm->mmap_top);
	return place ? place : place_below(vm, len, VM_END);
}

static int fixed_check(uintptr_t addr, size_t len)
{
	if (!IS_ALIGNED(addr, PAGE_SIZE))
		return -EINVAL;
	if (addr > VM_END || len > VM_END - addr)
		return -ENOMEM;
	return addr < VM_START ? -EPERM : 0;
}

/* Chooses the place, and empties it when it is fixed. */
static int place_take(struct vmspace *vm, uintptr_t *addr, size_t len, unsigned flags, struct list *dead)
{
	struct vm_area *area;
	int err;

	if (!(flags & (VM_FIXED | VM_FIXED_NOREPLACE))) {
		*addr = place_find(vm, *addr, len, flags);
		return *addr ? 0 : -ENOMEM;
	}
	err = fixed_check(*addr, len);
	if (err)
		return err;
	area = area_find_from(vm, *addr);
	if (!area || area->region.start >= *addr + len)
		return 0;
	return flags & VM_FIXED_NOREPLACE ? -EEXIST : unmap_locked(vm, *addr, *addr + len, dead);
}

/* Extends a neighbour that is just like what is asked for. */
static struct vm_area *area_extend(struct vmspace *vm, uintptr_t start, uintptr_t end, const struct vm_area *like,
				   struct list *dead)
{
	struct vm_area *next = area_find_from(vm, start), *prev;

	if (like->flags & (VM_SPECIAL | VM_GROWSDOWN))
		return NULL;
	prev = next ? area_prev(next) : area_of(rb_last(&vm->as.regions));
	if (prev && prev->region.end == start && prev->prot == like->prot && prev->flags == like->flags &&
	    prev->object == like->object && (!like->object || prev->off + area_len(prev) == like->off)) {
		area_resize(prev, prev->region.start, end);
		return next && next->region.start == end ? area_merge(prev, dead) : prev;
	}
	if (next && next->region.start == end && next->prot == like->prot && next->flags == like->flags &&
	    next->object == like->object && (!like->object || like->off + (end - start) == next->off)) {
		area_resize(next, start, next->region.end);
		return next;
	}
	return NULL;
}

static int map_locked(struct vmspace *vm, uintptr_t *addr, size_t len, unsigned prot, unsigned flags,
		      struct vm_object *object, uint64_t off, struct list *dead)
{
	uint64_t nr = len >> PAGE_SHIFT;
	struct vm_area like = { .prot = prot, .object = object, .off = off }, *area;
	int err;

	if (vm->lock_future)
		flags |= VM_LOCKED;
	like.flags = flags & AREA_FLAGS;
	if (!limits_allow(vm, nr, area_is_data(prot, flags) ? nr : 0))
		return -ENOMEM;
	if (flags & VM_LOCKED && vm->nr_locked + nr > vm->limit_memlock >> PAGE_SHIFT)
		return -EAGAIN;
	err = place_take(vm, addr, len, flags, dead);
	if (err)
		return err;
	area = area_extend(vm, *addr, *addr + len, &like, dead);
	if (!area)
		area = area_create(vm, *addr, *addr + len, prot, flags, object, off);
	if (!area)
		return -ENOMEM;
	if (flags & (VM_POPULATE | VM_LOCKED))
		pages_populate(vm, area, *addr, *addr + len, true);
	return 0;
}

int vm_map(struct vmspace *vm, uintptr_t *addr, size_t len, unsigned prot, unsigned flags, struct vm_object *object,
	   uint64_t off)
{
	struct vm_object *shared = NULL;
	struct list dead = LIST_INIT(dead);
	int err;

	if (!len || !IS_ALIGNED(off, PAGE_SIZE))
		return -EINVAL;
	if (len > VM_END - VM_START)
		return -ENOMEM;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (off + len < off)
		return -EOVERFLOW;
	if (!commit_allows(len, prot, flags))
		return -ENOMEM;
	if (!object && flags & VM_SHARED) {
		object = shared = vm_shared_create(len);
		if (!shared)
			return -ENOMEM;
	}
	mutex_lock(&vm->lock);
	err = map_locked(vm, addr, len, prot, flags, object, off, &dead);
	mutex_unlock(&vm->lock);
	areas_free(&dead);
	if (shared)
		shared->ops->put(shared);
	return err;
}

/* ---- The heap --------------------------------------------------------------------------------------------------- */

static int brk_move(struct vmspace *vm, uintptr_t brk, struct list *dead)
{
	uintptr_t old_end = ALIGN_UP(vm->brk, PAGE_SIZE), end = ALIGN_UP(brk, PAGE_SIZE);

	if (end <= old_end)
		return end == old_end ? 0 : unmap_locked(vm, end, old_end, dead);
	/* One page stays free behind it, as on Linux. */
	if (!gap_is_free(vm, old_end, end + PAGE_SIZE) || !commit_allows(end - old_end, PT_WRITE, 0) ||
	    (brk - vm->brk_start) > vm->limit_data)
		return -ENOMEM;
	return map_locked(vm, &old_end, end - old_end, PT_READ | PT_WRITE, VM_FIXED | VM_BRK, NULL, 0, dead);
}

uintptr_t vm_brk(struct vmspace *vm, uintptr_t brk)
{
	struct list dead = LIST_INIT(dead);

	mutex_lock(&vm->lock);
	if (vm->brk_start && brk >= vm->brk_start && brk <= VM_END - 2 * PAGE_SIZE &&
	    (!vm->brk_limit || brk <= vm->brk_limit) && brk_move(vm, brk, &dead) == 0)
		vm->brk = brk;
	brk = vm->brk;
	mutex_unlock(&vm->lock);
	areas_free(&dead);
	return brk;
}
