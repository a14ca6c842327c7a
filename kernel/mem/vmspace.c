#include "kernel/mem/vmspace.h"

#include "kernel/core/random.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/vm_area.h"
#include "lib/errno.h"

/*
 * Where things lie, as Linux has them: the stack within 16 GiB of the top, and below a distance that lets it grow
 * far, the mappings,
 * at one of 2^28 pages (arch/x86/mm/mmap.c).
 */
#define STACK_RANDOM_PAGES (1ul << 22)
#define MMAP_RANDOM_PAGES (1ul << 28)
#define STACK_ROOM (128ul << 20)
#define STACK_LIMIT (8ul << 20)

int vmspace_create(struct vmspace **out)
{
	struct vmspace *vm = kzalloc(sizeof(*vm));
	uintptr_t below = VM_END - STACK_RANDOM_PAGES * PAGE_SIZE - STACK_ROOM - STACK_GAP;

	if (!vm)
		return -ENOMEM;
	if (arch_aspace_create(&vm->arch)) {
		kfree(vm);
		return -ENOMEM;
	}
	aspace_init(&vm->as, &vm->arch);
	vm->as.regions.update = area_update;
	mutex_init(&vm->lock, "vmspace");
	vm->refs = 1;
	vm->limit_as = vm->limit_data = UINT64_MAX;
	vm->limit_stack = STACK_LIMIT;
	vm->limit_memlock = UINT64_MAX;
	vm->stack_top = VM_END - random_layout_below(STACK_RANDOM_PAGES) * PAGE_SIZE;
	vm->mmap_top = below - random_layout_below(MMAP_RANDOM_PAGES) * PAGE_SIZE;
	*out = vm;
	return 0;
}

void vmspace_get(struct vmspace *vm)
{
	__atomic_fetch_add(&vm->refs, 1, __ATOMIC_RELAXED);
}

static void vmspace_destroy(struct vmspace *vm)
{
	struct list dead = LIST_INIT(dead);
	struct vm_gather gather;
	struct rb_node *node;

	mutex_lock(&vm->lock);
	gather_init(&gather, vm);
	while ((node = rb_first(&vm->as.regions))) {
		gather_pages(&gather, area_of(node)->region.start, area_of(node)->region.end);
		area_remove(area_of(node), &dead);
	}
	gather_range(&gather, 0, VM_END);
	arch_pt_prune(&vm->arch, 0, VM_END + PAGE_SIZE, gather_table, &gather);
	gather_finish(&gather);
	mutex_unlock(&vm->lock);
	areas_free(&dead);
	arch_aspace_destroy(&vm->arch);
	kfree(vm);
}

void vmspace_put(struct vmspace *vm)
{
	if (__atomic_fetch_sub(&vm->refs, 1, __ATOMIC_ACQ_REL) == 1)
		vmspace_destroy(vm);
}

int vm_shared_at(struct vmspace *vm, uintptr_t addr, paddr_t *pa)
{
	struct vm_area *area;
	int found = 0;

	mutex_lock(&vm->lock);
	area = area_find(vm, addr);
	if (area && area->flags & VM_SHARED)
		found = arch_pt_lookup(&vm->arch, addr, pa, NULL) ? 1 : -EAGAIN;
	mutex_unlock(&vm->lock);
	return found;
}
