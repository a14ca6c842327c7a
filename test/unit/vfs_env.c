/* See vfs_env.h. */
#include "test/unit/vfs_env.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernel/core/clock.h"
#include "kernel/core/wait.h"
#include "kernel/file/dentry.h"
#include "kernel/file/fifo.h"
#include "kernel/file/pipe.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/uio.h"
#include "kernel/mem/vm_object.h"

size_t env_fail_after = SIZE_MAX, env_nr_objects, env_nr_pages;
unsigned env_nr_unmaps;

static bool may_alloc(void)
{
	if (env_fail_after == SIZE_MAX)
		return true;
	if (env_fail_after--)
		return true;
	env_fail_after = SIZE_MAX;
	return false;
}

void *kmalloc(size_t len)
{
	if (!may_alloc())
		return NULL;
	env_nr_objects++;
	return malloc(len);
}

void *kzalloc(size_t len)
{
	void *object = kmalloc(len);

	return object ? memset(object, 0, len) : NULL;
}

void kfree(void *object)
{
	if (object)
		env_nr_objects--;
	free(object);
}

struct slab_cache {
	size_t size;
};

struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align)
{
	struct slab_cache *cache = malloc(sizeof(*cache));

	(void)name, (void)align;
	cache->size = size;
	return cache;
}

void slab_cache_destroy(struct slab_cache *cache)
{
	free(cache);
}

void *slab_alloc(struct slab_cache *cache)
{
	return kmalloc(cache->size);
}

void slab_free(struct slab_cache *cache, void *object)
{
	(void)cache;
	kfree(object);
}

#define NR_PAGES 16384
static unsigned free_pages[NR_PAGES], nr_free;

static void pages_setup(void)
{
	if (arch_layout.physmap_base)
		return;
	arch_layout.physmap_base =
		(uintptr_t)mmap(NULL, NR_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	arch_layout.memmap_base = (uintptr_t)calloc(NR_PAGES, sizeof(struct page));
	for (unsigned i = 0; i < NR_PAGES; i++)
		free_pages[nr_free++] = i;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	struct page *page;

	assert(order == 0);
	pages_setup();
	if (!may_alloc() || !nr_free)
		return NULL;
	page = page_from_nr(free_pages[--nr_free]);
	assert(!page->refs);
	page->refs = 1;
	memset(page_to_virt(page), flags & PAGE_ZERO ? 0 : 0xa5, PAGE_SIZE);
	env_nr_pages++;
	return page;
}

void page_free(struct page *page, unsigned order)
{
	assert(order == 0 && page->refs <= 1);
	page->refs = 0;
	memset(page_to_virt(page), 0xdd, PAGE_SIZE);
	free_pages[nr_free++] = (unsigned)page_nr(page);
	env_nr_pages--;
}

void page_stats(struct page_stats *out)
{
	*out = (struct page_stats){ .total = NR_PAGES, .free = nr_free };
}

void mutex_init(struct mutex *mutex, const char *name)
{
	(void)name;
	mutex->owner = 0;
}

void mutex_lock(struct mutex *mutex)
{
	assert(!mutex->owner);
	mutex->owner = 1;
}

void mutex_unlock(struct mutex *mutex)
{
	assert(mutex->owner);
	mutex->owner = 0;
}

void spin_init(struct spinlock *lock, const char *name)
{
	(void)name;
	*lock = (struct spinlock){ 0 };
}

uint64_t clock_realtime(void)
{
	static uint64_t now = 1000 * NSEC_PER_SEC;

	return now += 1000;
}

void vm_object_init(struct vm_object *object, const struct vm_object_ops *ops)
{
	object->ops = ops;
	list_init(&object->mappings);
}

void vm_object_unmap(struct vm_object *object, uint64_t off, uint64_t len, bool private)
{
	(void)object, (void)off, (void)len, (void)private;
	env_nr_unmaps++;
}

static ssize_t copy(struct uio *uio, const void *src, void *dst, size_t len)
{
	size_t total = MIN(len, uio->resid), left = total;

	while (left) {
		size_t n = MIN(left, uio->iov->len - uio->done);
		char *at = (char *)uio->iov->base + uio->done;

		if (dst)
			dst = (char *)memcpy(dst, at, n) + n;
		else if (src)
			memcpy(at, src, n), src = (const char *)src + n;
		else
			memset(at, 0, n);
		uio->done += n;
		uio->resid -= n;
		left -= n;
		if (uio->done == uio->iov->len && uio->resid) {
			uio->iov++;
			uio->done = 0;
		}
	}
	return (ssize_t)total;
}

ssize_t uio_copy_out(struct uio *uio, const void *src, size_t len)
{
	return copy(uio, src, NULL, len);
}

ssize_t uio_zero_out(struct uio *uio, size_t len)
{
	return copy(uio, NULL, NULL, len);
}

ssize_t uio_copy_in(struct uio *uio, void *dst, size_t len)
{
	return copy(uio, NULL, dst, len);
}

void file_init(struct file *file, const struct file_ops *ops, unsigned flags)
{
	file->ops = ops;
	file->flags = flags;
	file->refs = 1;
}

void file_put_last(struct file *file)
{
	struct dentry *dentry = file->dentry;
	struct vnode *vnode = file->vnode;

	file->ops->release(file);
	if (dentry)
		dentry_put(dentry);
	if (vnode)
		vnode_put(vnode);
}

int pipe_open_again(struct file *file, unsigned flags, struct file **out)
{
	(void)file, (void)flags, (void)out;
	return -ENXIO;
}

int fifo_open(struct vnode *vnode, unsigned flags, struct file **out)
{
	(void)vnode, (void)flags, (void)out;
	return -ENXIO;
}

ssize_t env_read(struct file *file, void *buf, size_t len, int64_t pos)
{
	struct iovec iov;
	struct uio uio;

	uio_init(&uio, &iov, buf, len);
	return file->ops->read(file, &uio, &pos);
}

ssize_t env_write(struct file *file, const void *buf, size_t len, int64_t pos)
{
	struct iovec iov;
	struct uio uio;

	uio_init(&uio, &iov, (void *)buf, len);
	return file->ops->write(file, &uio, &pos);
}

void env_context(struct fs_context *context, struct file_system *fs)
{
	memset(context, 0, sizeof(*context));
	assert(path_mount_root(fs, &context->root) == 0);
	context->cwd = context->root;
	dentry_get(context->cwd);
}

void env_context_done(struct fs_context *context)
{
	struct mount *mount = context->root->mount;

	dentry_put(context->cwd);
	dentry_put(context->root);
	while (dentry_shrink(1000))
		;
	assert(mount->root->refs == 1);
	list_remove(&mount->link);
	dentry_put(mount->root);
	kfree(mount->source);
	kfree(mount);
}
