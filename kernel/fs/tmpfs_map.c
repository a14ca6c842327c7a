/* tmpfs: what mappings of regular files show. Called with a vmspace locked, so without vnode->lock: see tmpfs_file.c. */
#include "kernel/file/abi.h"
#include "kernel/fs/tmpfs_node.h"

static struct tmpfs_node *node_of_object(struct vm_object *object)
{
	return node_of(container_of(object, struct vnode, object));
}

/* Is set while a mapping may write what all see: then no lower page is shown, which would have to be exchanged under others. */
static bool may_show_lower(const struct tmpfs_node *node, uint64_t off, bool write)
{
	return !write && tmpfs_is_lower(node, off) && !node->vnode.write_mapped && node->lower->object.ops;
}

/* The lower file's page, and those around it that may be mapped with it: which have no own page in front. */
static int lower_page(struct tmpfs_node *node, uint64_t off, struct vm_page *out)
{
	uint64_t index = off >> PAGE_SHIFT, end = ALIGN_UP(node->lower_size, (uint64_t)PAGE_SIZE) >> PAGE_SHIFT;
	int error = node->lower->object.ops->page(&node->lower->object, off, false, out);

	if (error || out->page)
		return error;
	if (READ_ONCE(node->cache.nr_pages)) {
		end = MIN(end, page_cache_next(&node->cache, index));
		out->run_before = 0;
	}
	out->run = end > index ? MIN(out->run, end - index) : 0;
	return 0;
}

static int object_page(struct vm_object *object, uint64_t off, bool write, struct vm_page *out)
{
	struct tmpfs_node *node = node_of_object(object);
	struct page *page;
	unsigned generation;
	int error;

	if (write)
		tmpfs_pin(node);
	for (;;) {
		generation = __atomic_load_n(&node->generation, __ATOMIC_ACQUIRE);
		if (off >= READ_ONCE(node->vnode.size))
			return -ENXIO;
		page = page_cache_get(&node->cache, off >> PAGE_SHIFT);
		if (!page && may_show_lower(node, off, write))
			return lower_page(node, off, out);
		error = page ? 0 : tmpfs_page_make(node, off >> PAGE_SHIFT, &page);
		if (error)
			return error == -ENOSPC ? -EIO : error;
		if (likely(__atomic_load_n(&node->generation, __ATOMIC_ACQUIRE) == generation))
			break;
		if (page_cache_remove_page(&node->cache, off >> PAGE_SHIFT, page))
			tmpfs_uncharge(tmpfs_of(&node->vnode), 1);
		tmpfs_blocks_set(node);
		page_put(page);
	}
	if (write)
		node->vnode.mtime = node->vnode.ctime = file_time_now();
	out->pa = page_to_phys(page);
	out->page = page;
	return 0;
}

static bool object_resident(struct vm_object *object, uint64_t off)
{
	struct tmpfs_node *node = node_of_object(object);

	return tmpfs_is_lower(node, off) || page_cache_next(&node->cache, off >> PAGE_SHIFT) == off >> PAGE_SHIFT;
}

static int object_punch(struct vm_object *object, uint64_t off, uint64_t len)
{
	struct vnode *vnode = &node_of_object(object)->vnode;
	uint64_t size;
	int error = 0;

	mutex_lock(&vnode->lock);
	size = ALIGN_UP(vnode->size, (uint64_t)PAGE_SIZE);
	if (off < size)
		error = tmpfs_allocate(vnode, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (int64_t)off,
				       (int64_t)MIN(len, size - off));
	mutex_unlock(&vnode->lock);
	return error;
}

static void object_get(struct vm_object *object)
{
	vnode_get(&node_of_object(object)->vnode);
}

static void object_put(struct vm_object *object)
{
	vnode_put(&node_of_object(object)->vnode);
}

static void object_describe(struct vm_object *object, char *path, size_t size, uint64_t *dev, uint64_t *ino)
{
	vnode_describe(&node_of_object(object)->vnode, path, size, dev, ino);
}

const struct vm_object_ops tmpfs_object_ops = {
	.page = object_page,
	.resident = object_resident,
	.punch = object_punch,
	.get = object_get,
	.put = object_put,
	.describe = object_describe,
};
