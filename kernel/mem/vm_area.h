/*
 * The areas of an address space, and what is done to their pages. Private to kernel/mem; vm->lock is held throughout.
 *
 * An area is a range with one protection, one set of flags, and one object behind it. The areas are a tree by
 * address; each knows the
 * gap before it and the largest gap below it in the tree, so that a free place is found in as many steps as the tree is deep.
 */
#ifndef KERNEL_MEM_VM_AREA_H
#define KERNEL_MEM_VM_AREA_H

#include "kernel/mem/vmspace.h"
#include "lib/list.h"

struct vm_area {
	struct region region;
	uintptr_t gap, gap_max; /* free bytes before the area; the largest in the subtree */
	struct vmspace *vm;
	struct vm_object *object; /* with a reference; NULL: private anonymous */
	uint64_t off;		  /* in the object, of region.start */
	struct list object_link;  /* object->mappings, under object->lock */
	uint64_t pass;		  /* of vm_object_unmap, under object->lock */
	unsigned flags, prot;	  /* enum vm_flags without those for vm_map alone; PT_* */
};

#define AREAS_MAX 65530		    /* Linux's vm.max_map_count */
#define STACK_GAP (256 * PAGE_SIZE) /* below what grows */
/* Of enum vm_flags, what an area keeps. */
#define AREA_FLAGS                                                                                                     \
	(VM_SHARED | VM_NORESERVE | VM_GROWSDOWN | VM_LOCKED | VM_STACK | VM_BRK | VM_SPECIAL | VM_HUGE | VM_NOHUGE |  \
	 VM_RANDOM | VM_READ_ONLY)

static inline struct vm_area *area_of(struct rb_node *node)
{
	return node ? container_of(node, struct vm_area, region.node) : NULL;
}

static inline uintptr_t area_len(const struct vm_area *area)
{
	return area->region.end - area->region.start;
}

static inline struct vm_area *area_next(const struct vm_area *area)
{
	return area_of(rb_next(&area->region.node));
}

static inline struct vm_area *area_prev(const struct vm_area *area)
{
	return area_of(rb_prev(&area->region.node));
}

/* The first area that ends after VA; NULL at the end. */
struct vm_area *area_find_from(const struct vmspace *vm, uintptr_t va);
/* The area that holds VA; NULL. */
static inline struct vm_area *area_find(const struct vmspace *vm, uintptr_t va)
{
	struct vm_area *area = area_find_from(vm, va);

	return area && area->region.start <= va ? area : NULL;
}

/* NULL: no memory, or too many. The area is linked where nothing is; takes a reference to OBJECT. */
struct vm_area *area_create(struct vmspace *vm, uintptr_t start, uintptr_t end, unsigned prot, unsigned flags,
			    struct vm_object *object, uint64_t off);
/* Out of the tree and off its object's list; to DEAD, whose areas areas_free frees after vm->lock was given up. */
void area_remove(struct vm_area *area, struct list *dead);
void areas_free(struct list *dead);
/* Moves a bound of AREA; nothing else is where it grows to. */
void area_resize(struct vm_area *area, uintptr_t start, uintptr_t end);
/* Cuts AREA at VA, inside of it: AREA keeps the lower part. 0, -ENOMEM. */
int area_split(struct vm_area *area, uintptr_t va);
/* Cuts what reaches across START or END, and large pages too. 0, -ENOMEM. */
int areas_cut(struct vmspace *vm, uintptr_t start, uintptr_t end);
/* Joins AREA with its neighbours as far as they are alike; AREA or what it has become. */
struct vm_area *area_merge(struct vm_area *area, struct list *dead);
/* Changes protection and flags, and what is counted of them. */
void area_change(struct vm_area *area, unsigned prot, unsigned flags);

/* rb_tree.update of the tree of areas. */
void area_update(struct rb_node *node);
/* The highest free place for LEN bytes in [LOW, HIGH), page-aligned; 0: none. */
uintptr_t gap_find(const struct vmspace *vm, size_t len, uintptr_t low, uintptr_t high);
/* True when nothing is in [START, END), nor a stack that keeps a distance from it. */
bool gap_is_free(const struct vmspace *vm, uintptr_t start, uintptr_t end);

/* True when [ADDR, ADDR+LEN) is page-aligned in ADDR and in the range that applications have; *END is its end in pages. */
static inline bool range_is_valid(uintptr_t addr, size_t len, uintptr_t *end)
{
	if (!IS_ALIGNED(addr, PAGE_SIZE) || addr > VM_END || len > VM_END - addr)
		return false;
	*end = addr + ALIGN_UP(len, PAGE_SIZE);
	return true;
}

/* ---- Pages ------------------------------------------------------------------------------------------------------ */

/* Pages and tables that are no longer linked anywhere, to be freed once no TLB can hold them. */
struct vm_gather {
	struct vmspace *vm;
	uintptr_t start, end;	/* what to flush; end 0: nothing was mapped */
	struct page *exclusive; /* whose only reference is ours: chained by link.next */
	struct page *large;	/* likewise, 2 MiB blocks */
	paddr_t tables;		/* chained by their first word */
	struct page *shared[32];
	unsigned nr_shared;
};

void gather_init(struct vm_gather *gather, struct vmspace *vm);
/* Entries of [VA, VA+LEN) have lost something that a TLB may still hold. */
static inline void gather_range(struct vm_gather *gather, uintptr_t va, size_t len)
{
	gather->start = MIN(gather->start, va);
	gather->end = MAX(gather->end, va + len);
}
/* ENTRY, which mapped SIZE bytes at VA, is gone. */
void gather_entry(struct vm_gather *gather, pte_t entry, uintptr_t va, size_t size);
/* Takes out all entries of [START, END). */
void gather_pages(struct vm_gather *gather, uintptr_t start, uintptr_t end);
void gather_table(void *arg, paddr_t table);
/* Flushes, then frees. */
void gather_finish(struct vm_gather *gather);

/* Makes [START, END) present, for writing where that is allowed. 0, or vm_fault's error. */
int pages_populate(struct vmspace *vm, struct vm_area *area, uintptr_t start, uintptr_t end, bool write);
/* As vm_fault, locked, without growing. */
int fault_locked(struct vmspace *vm, struct vm_area *area, uintptr_t va, enum vm_access access);
/* Below START of all that is near enough to one that grows: makes room for VA in AREA. 0, -EFAULT, -ENOMEM. */
int stack_grow(struct vm_area *area, uintptr_t va);
/* Whether NR more pages (and of them NR_DATA private writable) may be mapped. */
bool limits_allow(const struct vmspace *vm, uint64_t nr, uint64_t nr_data);
/* Whether a new mapping of LEN bytes is one that memory could ever back (Linux's overcommit_memory 0). */
bool commit_allows(size_t len, unsigned prot, unsigned flags);
static inline bool area_is_data(unsigned prot, unsigned flags)
{
	return prot & PT_WRITE && !(flags & (VM_SHARED | VM_GROWSDOWN));
}
/* vm_unmap, locked; removed areas go to DEAD. */
int unmap_locked(struct vmspace *vm, uintptr_t start, uintptr_t end, struct list *dead);

#endif
