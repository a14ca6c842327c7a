/* What applications say and ask about their pages: madvise(2), mincore(2), msync(2), mlock(2). */
#include "kernel/mem/vm_area.h"
#include "lib/errno.h"
#include "lib/string.h"

/* ---- madvise ---------------------------------------------------------------------------------------------------- */

static int drop(struct vm_area *area, uintptr_t start, uintptr_t end, bool locked_too)
{
	struct vm_gather gather;
	paddr_t pa;

	if (area->flags & VM_LOCKED && !locked_too)
		return -EINVAL;
	page_table_reserve();
	for (unsigned i = 0; i < 2; i++) {
		int split = area->object ? 0 : arch_pt_split(&area->vm->arch, i ? end : start, &pa);

		if (split < 0)
			return -ENOMEM;
		if (split)
			page_split(page_from_nr(pa >> PAGE_SHIFT), PAGE_ORDER_MAX);
	}
	gather_init(&gather, area->vm);
	gather_pages(&gather, start, end);
	gather_finish(&gather);
	return 0;
}

static int set_flags(struct vm_area *area, uintptr_t start, uintptr_t end, unsigned set, unsigned clear,
		     struct list *dead)
{
	unsigned flags = (area->flags | set) & ~clear;
	struct vmspace *vm = area->vm;

	if (flags == area->flags)
		return 0;
	if (areas_cut(vm, start, end))
		return -ENOMEM;
	area = area_find(vm, start);
	area_change(area, area->prot, flags);
	area_merge(area, dead);
	return 0;
}

static int populate(struct vm_area *area, uintptr_t start, uintptr_t end, bool write)
{
	int err = area->prot ? pages_populate(area->vm, area, start, end, write) : -EINVAL;

	return err == -ENXIO || err == -EIO ? -EFAULT : err;
}

static int advise_area(struct vm_area *area, uintptr_t start, uintptr_t end, enum vm_advice advice, unsigned set,
		       unsigned clear, struct list *dead)
{
	switch (advice) {
	case VM_ADVISE_ANONYMOUS:
		return area->object ? -EINVAL : 0;
	case VM_ADVISE_DROP_ANONYMOUS:
		return area->object ? -EINVAL : drop(area, start, end, false);
	case VM_ADVISE_DROP:
		return drop(area, start, end, set & VM_LOCKED);
	case VM_ADVISE_FLAGS:
		return set_flags(area, start, end, set, clear, dead);
	case VM_ADVISE_POPULATE_READ:
		return populate(area, start, end, false);
	case VM_ADVISE_POPULATE_WRITE:
		return area->prot & PT_WRITE ? populate(area, start, end, true) : -EINVAL;
	default:
		return 0;
	}
}

/* MADV_REMOVE: the object's own business, without our lock. */
static int remove_range(struct vmspace *vm, uintptr_t start, uintptr_t end)
{
	while (start < end) {
		struct vm_object *object = NULL;
		struct vm_area *area;
		uintptr_t to = end;
		uint64_t off = 0;
		int err = -EINVAL;

		mutex_lock(&vm->lock);
		area = area_find(vm, start);
		if (!area) {
			err = -ENOMEM;
		} else if (area->flags & VM_SHARED && area->object && !(area->flags & VM_LOCKED)) {
			err = area->prot & PT_WRITE ? 0 : -EACCES;
			object = area->object;
			object->ops->get(object);
			off = area->off + (start - area->region.start);
			to = MIN(end, area->region.end);
		}
		mutex_unlock(&vm->lock);
		if (!err)
			err = object->ops->punch ? object->ops->punch(object, off, to - start) : -EOPNOTSUPP;
		if (object)
			object->ops->put(object);
		if (err)
			return err;
		start = to;
	}
	return 0;
}

int vm_advise(struct vmspace *vm, uintptr_t addr, size_t len, enum vm_advice advice, unsigned set, unsigned clear)
{
	struct list dead = LIST_INIT(dead);
	bool hole = false;
	uintptr_t end;
	int err = 0;

	if (!range_is_valid(addr, len, &end))
		return IS_ALIGNED(addr, PAGE_SIZE) ? -ENOMEM : -EINVAL;
	if (advice == VM_ADVISE_REMOVE)
		return remove_range(vm, addr, end);
	mutex_lock(&vm->lock);
	while (addr < end && !err) {
		struct vm_area *area = area_find_from(vm, addr);
		uintptr_t to;

		if (!area || area->region.start >= end) {
			hole = true;
			break;
		}
		hole = hole || area->region.start > addr;
		addr = MAX(addr, area->region.start);
		to = MIN(end, area->region.end);
		err = advise_area(area, addr, to, advice, set, clear, &dead);
		addr = to;
	}
	mutex_unlock(&vm->lock);
	areas_free(&dead);
	return !err && hole ? -ENOMEM : err;
}

/* ---- mincore ---------------------------------------------------------------------------------------------------- */

struct resident {
	uintptr_t start;
	unsigned char *vec;
};

static void resident_entry(void *arg, pte_t *entry, uintptr_t va, size_t size)
{
	struct resident *resident = arg;

	(void)entry;
	memset(resident->vec + (va - resident->start) / PAGE_SIZE, 1, size / PAGE_SIZE);
}

static void resident_area(struct vm_area *area, uintptr_t start, uintptr_t end, unsigned char *vec)
{
	struct resident resident = { start, vec };
	struct vm_object *object = area->object;
	paddr_t pa;

	memset(vec, 0, (end - start) / PAGE_SIZE);
	for (size_t off = 0; object && off < end - start; off += PAGE_SIZE)
		vec[off / PAGE_SIZE] = !object->ops->resident ||
				       object->ops->resident(object, area->off + (start - area->region.start) + off);
	/* A visit goes by whole large pages; here only its part in the range counts. */
	for (; !object && start < end && !IS_ALIGNED(start, LARGE_PAGE_SIZE); start += PAGE_SIZE)
		vec[(start - resident.start) / PAGE_SIZE] = arch_pt_lookup(&area->vm->arch, start, &pa, NULL);
	for (; !object && start < end && !IS_ALIGNED(end, LARGE_PAGE_SIZE); end -= PAGE_SIZE)
		vec[(end - PAGE_SIZE - resident.start) / PAGE_SIZE] =
			arch_pt_lookup(&area->vm->arch, end - PAGE_SIZE, &pa, NULL);
	if (start < end)
		arch_pt_visit(&area->vm->arch, start, end, resident_entry, &resident);
}

int vm_resident(struct vmspace *vm, uintptr_t addr, size_t len, unsigned char *vec)
{
	uintptr_t end, start = addr;
	int err = 0;

	if (!range_is_valid(addr, len, &end))
		return IS_ALIGNED(addr, PAGE_SIZE) ? -ENOMEM : -EINVAL;
	mutex_lock(&vm->lock);
	while (addr < end) {
		struct vm_area *area = area_find(vm, addr);
		uintptr_t to;

		if (!area) {
			err = -ENOMEM;
			break;
		}
		to = MIN(end, area->region.end);
		resident_area(area, addr, to, vec + (addr - start) / PAGE_SIZE);
		addr = to;
	}
	mutex_unlock(&vm->lock);
	return err;
}

/* ---- msync ------------------------------------------------------------------------------------------------------ */

int vm_sync(struct vmspace *vm, uintptr_t addr, size_t len, bool wait, bool invalidate)
{
	bool hole = false;
	uintptr_t end;
	int err = 0;

	if (!range_is_valid(addr, len, &end))
		return IS_ALIGNED(addr, PAGE_SIZE) ? -ENOMEM : -EINVAL;
	while (addr < end && !err) {
		struct vm_object *object = NULL;
		struct vm_area *area;
		uint64_t off = 0, n = 0;

		mutex_lock(&vm->lock);
		area = area_find_from(vm, addr);
		if (area && area->region.start < end) {
			hole = hole || area->region.start > addr;
			addr = MAX(addr, area->region.start);
			n = MIN(end, area->region.end) - addr;
			off = area->off + (addr - area->region.start);
			err = invalidate && area->flags & VM_LOCKED ? -EBUSY : 0;
			if (wait && area->flags & VM_SHARED && area->object && area->object->ops->sync) {
				object = area->object;
				object->ops->get(object);
			}
			addr += n;
		} else {
			hole = true;
			addr = end;
		}
		mutex_unlock(&vm->lock);
		if (object) {
			err = err ? err : object->ops->sync(object, off, n);
			object->ops->put(object);
		}
	}
	return !err && hole ? -ENOMEM : err;
}

/* ---- mlock ------------------------------------------------------------------------------------------------------ */

static int lock_locked(struct vmspace *vm, uintptr_t addr, uintptr_t end, bool on, bool populate, struct list *dead)
{
	unsigned set = on ? VM_LOCKED : 0, clear = on ? 0 : VM_LOCKED;
	uintptr_t start = addr;
	int err = 0;

	while (addr < end && !err) {
		struct vm_area *area = area_find(vm, addr);
		uintptr_t to;

		if (!area)
			return -ENOMEM;
		to = MIN(end, area->region.end);
		err = set_flags(area, addr, to, set, clear, dead);
		addr = to;
	}
	for (addr = start; on && populate && addr < end && !err;) {
		struct vm_area *area = area_find(vm, addr);
		uintptr_t to = MIN(end, area->region.end);

		err = area->prot ? pages_populate(vm, area, addr, to, !(area->flags & VM_SHARED)) : -ENOMEM;
		err = err == -ENXIO || err == -EACCES ? -ENOMEM : err == -ENOMEM && area->prot ? -EAGAIN : err;
		addr = to;
	}
	return err;
}

int vm_lock(struct vmspace *vm, uintptr_t addr, size_t len, bool on, bool populate, uint64_t limit)
{
	struct list dead = LIST_INIT(dead);
	uintptr_t end;
	int err;

	len += addr % PAGE_SIZE;
	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	if (!range_is_valid(addr, len, &end))
		return len + PAGE_SIZE < len ? -EINVAL : -ENOMEM;
	mutex_lock(&vm->lock);
	if (on && vm->nr_locked + (end - addr) / PAGE_SIZE > limit >> PAGE_SHIFT)
		err = -ENOMEM;
	else
		err = lock_locked(vm, addr, end, on, populate, &dead);
	mutex_unlock(&vm->lock);
	areas_free(&dead);
	return err;
}

int vm_lock_all(struct vmspace *vm, bool on, bool future, bool populate, uint64_t limit)
{
	struct list dead = LIST_INIT(dead);
	uintptr_t va = VM_START;
	struct vm_area *area;
	int err = 0;

	mutex_lock(&vm->lock);
	if (on && vm->nr_mapped > limit >> PAGE_SHIFT)
		err = -ENOMEM;
	else
		vm->lock_future = future;
	while (!err && (on || !future) && (area = area_find_from(vm, va))) {
		va = area->region.end;
		/* What cannot be brought in, such as PROT_NONE, is no error here. */
		if (lock_locked(vm, area->region.start, va, on, populate, &dead) == -EAGAIN)
			err = -EAGAIN;
	}
	mutex_unlock(&vm->lock);
	areas_free(&dead);
	return err;
}
