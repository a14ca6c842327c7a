/* Memory that is shared and has no name: what MAP_SHARED with MAP_ANONYMOUS shows. */
#include "kernel/core/wait.h"
#include "kernel/mem/page_index.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/vm_object.h"
#include "lib/errno.h"
#include "lib/string.h"

struct shared {
	struct vm_object object;
	uint32_t refs;	   /* atomic */
	struct mutex lock; /* covers pages; inside of vmspace locks */
	struct page_index pages;
	uint64_t size;
};

static struct shared *shared_of(struct vm_object *object)
{
	return container_of(object, struct shared, object);
}

/* A page that is not there yet. */
static int page_make(struct shared *shared, uint64_t index, struct page **out)
{
	struct page *page = page_alloc(0, PAGE_ZERO);
	int err;

	if (!page)
		return -ENOMEM;
	err = page_index_insert(&shared->pages, index, page);
	if (err)
		page_free(page, 0);
	*out = page;
	return err;
}

static int shared_page(struct vm_object *object, uint64_t off, bool write, struct vm_page *out)
{
	struct shared *shared = shared_of(object);
	struct page *page;
	int err = 0;

	(void)write;
	if (off >= shared->size)
		return -ENXIO;
	mutex_lock(&shared->lock);
	page = page_index_lookup(&shared->pages, off >> PAGE_SHIFT);
	if (!page)
		err = page_make(shared, off >> PAGE_SHIFT, &page);
	if (!err) {
		page_get(page);
		out->page = page;
		out->pa = page_to_phys(page);
	}
	mutex_unlock(&shared->lock);
	return err;
}

static void shared_get(struct vm_object *object)
{
	__atomic_fetch_add(&shared_of(object)->refs, 1, __ATOMIC_RELAXED);
}

/* Forgets the pages [INDEX, END). */
static void pages_drop(struct shared *shared, uint64_t index, uint64_t end)
{
	struct page *page;

	while ((page = page_index_next(&shared->pages, &index)) && index < end) {
		page_index_remove(&shared->pages, index);
		page_put(page);
	}
}

static void shared_put(struct vm_object *object)
{
	struct shared *shared = shared_of(object);

	if (__atomic_fetch_sub(&shared->refs, 1, __ATOMIC_ACQ_REL) > 1)
		return;
	pages_drop(shared, 0, UINT64_MAX);
	kfree(shared);
}

static bool shared_resident(struct vm_object *object, uint64_t off)
{
	struct shared *shared = shared_of(object);
	bool resident;

	mutex_lock(&shared->lock);
	resident = page_index_lookup(&shared->pages, off >> PAGE_SHIFT);
	mutex_unlock(&shared->lock);
	return resident;
}

static int shared_punch(struct vm_object *object, uint64_t off, uint64_t len)
{
	struct shared *shared = shared_of(object);

	mutex_lock(&shared->lock);
	pages_drop(shared, off >> PAGE_SHIFT, (off + len) >> PAGE_SHIFT);
	mutex_unlock(&shared->lock);
	/* What was mapped before is still the old page: only now can nobody map it again. */
	vm_object_unmap(object, off, len, true);
	return 0;
}

static void shared_describe(struct vm_object *object, char *path, size_t size, uint64_t *dev, uint64_t *ino)
{
	strlcpy(path, "/dev/zero (deleted)", size);
	*dev = 1;
	*ino = (uintptr_t)object >> 6 & 0xffffff;
}

static const struct vm_object_ops shared_ops = {
	.page = shared_page,
	.resident = shared_resident,
	.punch = shared_punch,
	.get = shared_get,
	.put = shared_put,
	.describe = shared_describe,
};

struct vm_object *vm_shared_create(uint64_t size)
{
	struct shared *shared = kzalloc(sizeof(*shared));

	if (!shared)
		return NULL;
	vm_object_init(&shared->object, &shared_ops);
	mutex_init(&shared->lock, "shared memory");
	shared->refs = 1;
	shared->size = size;
	return &shared->object;
}
