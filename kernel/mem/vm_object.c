#include "kernel/mem/vm_object.h"

#include "kernel/mem/vm_area.h"

void vm_object_init(struct vm_object *object, const struct vm_object_ops *ops)
{
	object->ops = ops;
	spin_init(&object->lock, "vm_object");
	list_init(&object->mappings);
}

/* One vm_object_unmap at a time, so that one cannot take away another's marks. Taken before vmspace locks. */
static struct wait_queue pass_queue = WAIT_QUEUE_INIT(pass_queue);
static bool pass_running; /* atomic */
static uint64_t pass;	  /* of the one that runs */

/* An area that this pass has not seen, marked; its vmspace, with a reference, and an address in it. NULL: no more. */
static struct vmspace *next_mapping(struct vm_object *object, uintptr_t *va)
{
	struct vmspace *vm = NULL;
	struct list *link;

	spin_lock(&object->lock);
	list_for_each(link, &object->mappings) {
		struct vm_area *area = list_entry(link, struct vm_area, object_link);

		if (area->pass == pass)
			break;
		/* Those seen stand at the end, so that none is passed twice. */
		area->pass = pass;
		list_remove(link);
		list_push_back(&object->mappings, link);
		vm = area->vm;
		*va = READ_ONCE(area->region.start);
		vmspace_get(vm);
		break;
	}
	spin_unlock(&object->lock);
	return vm;
}

struct forget {
	struct vm_gather gather;
	bool private;
};

static void forget_page(void *arg, pte_t *entry, uintptr_t va, size_t size)
{
	struct forget *forget = arg;
	pte_t old = *entry;

	if (pte_is_private(old) && !forget->private)
		return;
	WRITE_ONCE(*entry, 0);
	gather_entry(&forget->gather, old, va, size);
}

/* Takes [OFF, END) of AREA's object out of AREA. */
static void forget_range(struct vm_area *area, uint64_t off, uint64_t end, bool private)
{
	uint64_t from = MAX(off, area->off), to = MIN(end, area->off + area_len(area));
	struct forget forget = { .private = private };

	if (from >= to)
		return;
	gather_init(&forget.gather, area->vm);
	arch_pt_visit(&area->vm->arch, area->region.start + (from - area->off), area->region.start + (to - area->off),
		      forget_page, &forget);
	gather_finish(&forget.gather);
}

void vm_object_unmap(struct vm_object *object, uint64_t off, uint64_t len, bool private)
{
	uint64_t end = len > UINT64_MAX - off ? UINT64_MAX : off + len;
	struct vmspace *vm;
	uintptr_t va;

	if (list_is_empty(&object->mappings))
		return;
	wait_event(&pass_queue, !__atomic_exchange_n(&pass_running, true, __ATOMIC_ACQUIRE));
	pass++;
	while ((vm = next_mapping(object, &va))) {
		mutex_lock(&vm->lock);
		/*
		 * The area may be another one by now. Then what shows the object is new, so this pass has not seen it and
		 * will; or it is older than that, and the object's new state is what it shows.
		 */
		struct vm_area *area = area_find(vm, va);
		if (area && area->object == object)
			forget_range(area, off, end, private);
		mutex_unlock(&vm->lock);
		vmspace_put(vm);
	}
	__atomic_store_n(&pass_running, false, __ATOMIC_RELEASE);
	wait_wake(&pass_queue, 1);
}
