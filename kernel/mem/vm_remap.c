/* Moving and resizing mappings: mremap(2). */
#include "kernel/core/cpu.h"
#include "kernel/mem/vm_area.h"
#include "lib/errno.h"

/* ---- Entries ---------------------------------------------------------------------------------------------------- */

static bool is_large_at(struct vmspace *vm, uintptr_t va)
{
	pte_t *entry = arch_pt_entry_large(&vm->arch, va, false);

	return entry && pte_is_large(*entry);
}

/* The large page at FROM to TO, both at its bounds; false: cannot go there as it is. */
static bool move_large(struct vmspace *vm, uintptr_t from, uintptr_t to)
{
	pte_t *entry = arch_pt_entry_large(&vm->arch, from, false), *target;

	target = IS_ALIGNED(to, LARGE_PAGE_SIZE) ? arch_pt_entry_large(&vm->arch, to, true) : NULL;
	if (!target || *target)
		return false;
	WRITE_ONCE(*target, *entry);
	WRITE_ONCE(*entry, 0);
	return true;
}

static int split_large(struct vmspace *vm, uintptr_t va)
{
	paddr_t pa;

	if (arch_pt_split(&vm->arch, va + PAGE_SIZE, &pa) != 1)
		return -ENOMEM;
	page_split(page_from_nr(pa >> PAGE_SHIFT), PAGE_ORDER_MAX);
	return 0;
}

/* The entries of one table, at most: [FROM, FROM+LEN) does not cross a large page's bounds. */
static int move_small(struct vmspace *vm, uintptr_t from, uintptr_t to, size_t len)
{
	pte_t *entry = arch_pt_entry(&vm->arch, from, false), *target;

	for (size_t off = 0; entry && off < len; off += PAGE_SIZE, entry++) {
		if (!*entry)
			continue;
		page_table_reserve();
		target = arch_pt_entry(&vm->arch, to + off, true);
		if (!target)
			return -ENOMEM;
		WRITE_ONCE(*target, *entry);
		WRITE_ONCE(*entry, 0);
	}
	return 0;
}

/* Moves the entries of [FROM, FROM+LEN) to TO, where there are none. -ENOMEM: some of them. */
static int entries_move(struct vmspace *vm, uintptr_t from, uintptr_t to, size_t len)
{
	for (size_t off = 0, step; off < len; off += step) {
		step = MIN(len - off, LARGE_PAGE_SIZE - (from + off) % LARGE_PAGE_SIZE);
		page_table_reserve();
		if (is_large_at(vm, from + off)) {
			if (move_large(vm, from + off, to + off))
				continue;
			if (split_large(vm, from + off))
				return -ENOMEM;
		}
		if (move_small(vm, from + off, to + off, step))
			return -ENOMEM;
	}
	return 0;
}

/* ---- Areas ------------------------------------------------------------------------------------------------------ */

/*
 * The mapping [ADDR, ADDR+OLD_LEN) of AREA goes to [TO, TO+NEW_LEN), which is free. The new area is made first, then
 * the entries
 * move; when that fails they move back, for which all tables are there.
 */
static int area_move(struct vmspace *vm, struct vm_area *area, uintptr_t addr, size_t old_len, uintptr_t to,
		     size_t new_len, bool keep, struct list *dead)
{
	uint64_t off = area->off + (addr - area->region.start);
	struct vm_area *moved;
	size_t len = MIN(old_len, new_len);
	int err = areas_cut(vm, addr, addr + len);

	if (err)
		return err;
	area = area_find(vm, addr);
	moved = area_create(vm, to, to + new_len, area->prot, area->flags, area->object, off);
	if (!moved)
		return -ENOMEM;
	err = entries_move(vm, addr, to, len);
	if (err) {
		entries_move(vm, to, addr, len);
		area_remove(moved, dead);
	}
	cpu_tlb_shootdown_lower(addr, len);
	if (err)
		return err;
	area_merge(moved, dead);
	if (!keep)
		return unmap_locked(vm, addr, addr + old_len, dead);
	return 0;
}

struct request {
	uintptr_t addr;
	size_t old_len, new_len;
	unsigned flags;
	uintptr_t to; /* for VM_REMAP_FIXED, and the result */
};

/* Room behind the mapping: it grows where it is. */
static bool grow_in_place(struct vmspace *vm, struct vm_area *area, const struct request *r, struct list *dead)
{
	uintptr_t end = r->addr + r->old_len, new_end = r->addr + r->new_len;

	if (area->region.end != end || new_end < end || new_end > VM_END || !gap_is_free(vm, end, new_end))
		return false;
	area_resize(area, area->region.start, new_end);
	area = area_merge(area, dead);
	if (area->flags & VM_LOCKED)
		pages_populate(vm, area, end, new_end, true);
	return true;
}

static int move(struct vmspace *vm, struct vm_area *area, struct request *r, struct list *dead)
{
	bool keep = r->flags & VM_REMAP_DONTUNMAP || !r->old_len;
	uint64_t off = area->off + (r->addr - area->region.start);
	uintptr_t to = r->to;

	if (!(r->flags & VM_REMAP_FIXED)) {
		if (IS_ALIGNED(r->new_len, LARGE_PAGE_SIZE))
			to = gap_find(vm, r->new_len + LARGE_PAGE_SIZE - PAGE_SIZE, VM_START, vm->mmap_top);
		else
			to = 0;
		to = to ? ALIGN_UP(to, LARGE_PAGE_SIZE) : gap_find(vm, r->new_len, VM_START, vm->mmap_top);
		if (!to)
			to = gap_find(vm, r->new_len, VM_START, VM_END);
	}
	if (!to)
		return -ENOMEM;
	r->to = to;
	if (!r->old_len)
		return area_create(vm, to, to + r->new_len, area->prot, area->flags, area->object, off) ? 0 : -ENOMEM;
	return area_move(vm, area, r->addr, r->old_len, to, r->new_len, keep, dead);
}

static int request_check(struct vmspace *vm, const struct vm_area *area, const struct request *r)
{
	uint64_t more = r->new_len > r->old_len ? (r->new_len - r->old_len) / PAGE_SIZE : 0;

	if (!area || r->addr + r->old_len > area->region.end)
		return -EFAULT;
	/* Length 0: a second mapping of the same pages, which only shared ones can have. */
	if (!r->old_len && !(area->flags & VM_SHARED))
		return -EINVAL;
	if (r->flags & VM_REMAP_DONTUNMAP) {
		if (area->flags & VM_SPECIAL)
			return -EINVAL;
		more = r->new_len / PAGE_SIZE;
	}
	if (area->flags & VM_LOCKED && more && vm->nr_locked + more > vm->limit_memlock >> PAGE_SHIFT)
		return -EAGAIN;
	if (more && area->object && area->off + (r->addr - area->region.start) + r->new_len < r->new_len)
		return -EINVAL;
	if (more && (!limits_allow(vm, more, area_is_data(area->prot, area->flags) ? more : 0) ||
		     !commit_allows(more * PAGE_SIZE, area->prot, area->flags)))
		return -ENOMEM;
	return 0;
}

static int remap_locked(struct vmspace *vm, struct request *r, struct list *dead)
{
	struct vm_area *area;
	int err = 0;

	if (r->flags & VM_REMAP_FIXED)
		err = unmap_locked(vm, r->to, r->to + r->new_len, dead);
	if (!err && r->new_len < r->old_len && !(r->flags & VM_REMAP_DONTUNMAP)) {
		/* Whatever else happens, the rest goes, as on Linux; over several areas if need be. */
		err = area_find(vm, r->addr) ? unmap_locked(vm, r->addr + r->new_len, r->addr + r->old_len, dead)
					     : -EFAULT;
		r->old_len = r->new_len;
		if (!err && !(r->flags & VM_REMAP_FIXED)) {
			r->to = r->addr;
			return 0;
		}
	}
	area = area_find(vm, r->addr);
	if (!err)
		err = request_check(vm, area, r);
	if (err)
		return err;
	if (!(r->flags & (VM_REMAP_FIXED | VM_REMAP_DONTUNMAP)) && r->old_len) {
		r->to = r->addr;
		if (r->old_len == r->new_len || grow_in_place(vm, area, r, dead))
			return 0;
	}
	return r->flags & VM_REMAP_MAYMOVE ? move(vm, area, r, dead) : -ENOMEM;
}

int vm_remap(struct vmspace *vm, uintptr_t addr, size_t old_len, size_t new_len, unsigned flags, uintptr_t *new_addr)
{
	struct request r = { addr, ALIGN_UP(old_len, PAGE_SIZE), ALIGN_UP(new_len, PAGE_SIZE), flags, *new_addr };
	struct list dead = LIST_INIT(dead);
	int err;

	if (!IS_ALIGNED(addr, PAGE_SIZE) || !r.new_len || r.old_len < old_len || r.new_len < new_len)
		return -EINVAL;
	if (flags & (VM_REMAP_FIXED | VM_REMAP_DONTUNMAP) && !(flags & VM_REMAP_MAYMOVE))
		return -EINVAL;
	if (flags & VM_REMAP_DONTUNMAP && r.old_len != r.new_len)
		return -EINVAL;
	if (addr > VM_END || r.old_len > VM_END - addr)
		return -EFAULT;
	if (flags & VM_REMAP_FIXED) {
		if (!IS_ALIGNED(r.to, PAGE_SIZE) || r.to > VM_END || r.new_len > VM_END - r.to ||
		    (r.to < addr + r.old_len && addr < r.to + r.new_len))
			return -EINVAL;
		if (r.to < VM_START)
			return -EPERM;
	} else if (r.new_len > VM_END) {
		return -ENOMEM;
	}
	mutex_lock(&vm->lock);
	err = remap_locked(vm, &r, &dead);
	mutex_unlock(&vm->lock);
	areas_free(&dead);
	*new_addr = r.to;
	return err;
}
