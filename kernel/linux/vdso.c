#include "kernel/linux/vdso.h"

#include "kernel/core/clock.h"
#include "kernel/core/random.h"
#include "kernel/linux/vdso/vdso_data.h"
#include "kernel/mem/vmspace.h"
#include "lib/errno.h"
#include "lib/string.h"

/* A range of whole pages of the image, as an object that can be mapped. It is always there, so nobody counts references. */
struct image_object {
	struct vm_object object;
	const char *name, *start;
	size_t len;
};

extern const char vdso_image_start[], vdso_image_end[]; /* vdso_image.S */

static union {
	struct vdso_data data;
	char page[PAGE_SIZE];
} vvar __attribute__((aligned(PAGE_SIZE)));
_Static_assert(sizeof(vvar) == PAGE_SIZE && VDSO_PAGE_SIZE == PAGE_SIZE, "vdso.ld: the page before the code");

static struct image_object data_object, code_object;
static struct mutex set_up_lock = { .queue = WAIT_QUEUE_INIT(set_up_lock.queue) };
/* Under it: */
static bool is_set_up;

static int image_page(struct vm_object *object, uint64_t off, bool write, struct vm_page *out)
{
	struct image_object *image = container_of(object, struct image_object, object);

	if (write)
		return -EIO;
	if (off >= image->len)
		return -ENXIO;
	*out = (struct vm_page){
		.pa = arch_layout.image_phys + ((uintptr_t)image->start - arch_layout.image_virt) + off,
	};
	return 0;
}

static void image_ref(struct vm_object *object)
{
	(void)object;
}

static void image_describe(struct vm_object *object, char *path, size_t size, uint64_t *dev, uint64_t *ino)
{
	strlcpy(path, container_of(object, struct image_object, object)->name, size);
	*dev = *ino = 0;
}

static const struct vm_object_ops image_ops = {
	.page = image_page,
	.get = image_ref,
	.put = image_ref,
	.describe = image_describe,
};

static void object_init(struct image_object *image, const char *name, const char *start, size_t len)
{
	vm_object_init(&image->object, &image_ops);
	image->name = name;
	image->start = start;
	image->len = len;
}

/* Under set_up_lock. The clock is told where its page is, and asked nothing. */
static void set_up(void)
{
	object_init(&data_object, "[vvar]", vvar.page, sizeof(vvar));
	object_init(&code_object, "[vdso]", vdso_image_start, (size_t)(vdso_image_end - vdso_image_start));
	vvar.data.has_cpu_nr = arch_app_has_cpu_nr();
	clock_publish(&vvar.data.clock);
	is_set_up = true;
}

/* Above the stack and in reach of the page table that its end has: so it costs none. */
static uintptr_t place_choose(const struct vmspace *vm, size_t len)
{
	uintptr_t start = ALIGN_UP(vm->stack_top, PAGE_SIZE);
	uintptr_t end = MIN(ALIGN_UP(start + len, LARGE_PAGE_SIZE), VM_END);

	if (start + len > end)
		return 0;
	return start + random_layout_below((end - start - len) / PAGE_SIZE + 1) * PAGE_SIZE;
}

int vdso_map(struct vmspace *vm, uintptr_t *base)
{
	uintptr_t data, code;
	size_t len;
	int err;

	mutex_lock(&set_up_lock);
	if (!is_set_up)
		set_up();
	mutex_unlock(&set_up_lock);
	len = data_object.len + code_object.len;
	data = place_choose(vm, len);
	/* First room for both, then the second in its half of it. A copy of the data, made by a write, would stand still. */
	err = vm_map(vm, &data, len, PT_READ, VM_SPECIAL | VM_READ_ONLY, &data_object.object, 0);
	if (err)
		return err;
	code = data + data_object.len;
	err = vm_map(vm, &code, code_object.len, PT_READ | PT_EXEC, VM_SPECIAL | VM_FIXED, &code_object.object, 0);
	if (err)
		vm_unmap(vm, data, len);
	else
		*base = code;
	return err;
}
