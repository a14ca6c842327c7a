/*
 * tmpfs: regular files cut, extended, with holes (truncate(2), fallocate(2), lseek(2)). vnode->lock is held, but for
 * tmpfs_seek_data.
 */
#include "kernel/file/abi.h"
#include "kernel/fs/tmpfs_node.h"
#include "lib/string.h"

/* [FROM, TO) in one page: zeros, as an own page where the lower file shows through. */
static int zero_part(struct tmpfs_node *node, uint64_t from, uint64_t to)
{
	struct page *page;
	int error;

	if (from == to)
		return 0;
	if (tmpfs_is_lower(node, from)) {
		error = tmpfs_page_make(node, from >> PAGE_SHIFT, &page);
		if (error)
			return error;
	} else {
		page = page_cache_get(&node->cache, from >> PAGE_SHIFT);
		if (!page)
			return 0;
	}
	memset((char *)page_to_virt(page) + from % PAGE_SIZE, 0, to - from);
	page_put(page);
	return 0;
}

static void pages_remove(struct tmpfs_node *node, uint64_t first, uint64_t last)
{
	__atomic_fetch_add(&node->generation, 1, __ATOMIC_RELEASE);
	tmpfs_uncharge(tmpfs_of(&node->vnode), page_cache_remove(&node->cache, first, last));
	tmpfs_blocks_set(node);
}

int tmpfs_truncate(struct vnode *vnode, uint64_t size)
{
	struct tmpfs_node *node = node_of(vnode);
	uint64_t end = ALIGN_UP(size, (uint64_t)PAGE_SIZE);
	bool had_lower = tmpfs_is_lower(node, size);
	int error;

	tmpfs_pin(node);
	if (size >= vnode->size) {
		WRITE_ONCE(vnode->size, size);
		return 0;
	}
	if (size % PAGE_SIZE) {
		error = zero_part(node, size, end);
		if (error)
			return error;
	}
	if (node->lower_size > size)
		WRITE_ONCE(node->lower_size, ALIGN_DOWN(size, (uint64_t)PAGE_SIZE));
	WRITE_ONCE(vnode->size, size);
	pages_remove(node, end >> PAGE_SHIFT, UINT64_MAX);
	if (!list_is_empty(&vnode->object.mappings)) {
		if (had_lower && size % PAGE_SIZE) /* the last page is an own one now */
			vm_object_unmap(&vnode->object, end - PAGE_SIZE, PAGE_SIZE, false);
		vm_object_unmap(&vnode->object, end, UINT64_MAX, true);
	}
	return 0;
}

/* Whole pages [FIRST, LAST] read as zeros from now on. */
static int punch_pages(struct tmpfs_node *node, uint64_t first, uint64_t last)
{
	uint64_t lower_end = ALIGN_UP(node->lower_size, (uint64_t)PAGE_SIZE) >> PAGE_SHIFT;
	struct page *page;
	int error;

	if (first < lower_end && last + 1 >= lower_end) {
		WRITE_ONCE(node->lower_size, first << PAGE_SHIFT);
		lower_end = first;
	}
	if (first >= lower_end) {
		pages_remove(node, first, last);
		return 0;
	}
	for (uint64_t index = first; index <= last; index++) { /* the lower file goes on behind: zeros in front of it */
		error = tmpfs_page_make(node, index, &page);
		if (error)
			return error;
		memset(page_to_virt(page), 0, PAGE_SIZE);
		page_put(page);
	}
	return 0;
}

static int punch(struct tmpfs_node *node, uint64_t off, uint64_t end)
{
	uint64_t first = ALIGN_UP(off, (uint64_t)PAGE_SIZE), last = ALIGN_DOWN(end, (uint64_t)PAGE_SIZE);
	int error;

	if (first > last) /* inside of one page */
		return zero_part(node, off, end);
	error = zero_part(node, off, first);
	if (!error)
		error = zero_part(node, last, end);
	if (!error && first < last)
		error = punch_pages(node, first >> PAGE_SHIFT, (last >> PAGE_SHIFT) - 1);
	if (!list_is_empty(&node->vnode.object.mappings)) {
		first = ALIGN_DOWN(off, (uint64_t)PAGE_SIZE);
		vm_object_unmap(&node->vnode.object, first, ALIGN_UP(end, (uint64_t)PAGE_SIZE) - first, true);
	}
	return error;
}

static int reserve(struct tmpfs_node *node, uint64_t off, uint64_t end)
{
	struct tmpfs *tmpfs = tmpfs_of(&node->vnode);
	uint64_t first = off >> PAGE_SHIFT, last = (end - 1) >> PAGE_SHIFT;
	struct page *page;
	int error;

	if (last - first >= tmpfs->nr_pages_max)
		return -ENOSPC;
	for (uint64_t index = first; index <= last; index++) {
		if (tmpfs_is_lower(node, index << PAGE_SHIFT))
			continue;
		error = tmpfs_page_make(node, index, &page);
		if (error)
			return -ENOSPC;
		page_put(page);
	}
	return 0;
}

int tmpfs_allocate(struct vnode *vnode, int mode, int64_t off, int64_t len)
{
	struct tmpfs_node *node = node_of(vnode);
	uint64_t begin = (uint64_t)off, end = begin + (uint64_t)len;
	int error = 0;

	tmpfs_pin(node);
	switch (mode & ~FALLOC_FL_KEEP_SIZE) {
	case FALLOC_FL_PUNCH_HOLE:
		return punch(node, begin, end);
	case FALLOC_FL_ZERO_RANGE:
		error = punch(node, begin, end);
		break;
	case 0:
	case FALLOC_FL_UNSHARE_RANGE:
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (!error)
		error = reserve(node, begin, end);
	if (!error && !(mode & FALLOC_FL_KEEP_SIZE) && end > vnode->size)
		WRITE_ONCE(vnode->size, end);
	return error;
}

int64_t tmpfs_seek_data(struct vnode *vnode, int64_t off, bool hole)
{
	struct tmpfs_node *node = node_of(vnode);
	uint64_t size = READ_ONCE(vnode->size), at = (uint64_t)off, next;

	if (!hole) {
		if (tmpfs_is_lower(node, at))
			return off;
		next = page_cache_next(&node->cache, at >> PAGE_SHIFT);
		if (next > UINT64_MAX >> PAGE_SHIFT || next << PAGE_SHIFT >= size)
			return -ENXIO;
		return (int64_t)MAX(at, next << PAGE_SHIFT);
	}
	if (tmpfs_is_lower(node, at))
		at = ALIGN_UP(node->lower_size, (uint64_t)PAGE_SIZE);
	while (at < size && page_cache_next(&node->cache, at >> PAGE_SHIFT) == at >> PAGE_SHIFT)
		at = ALIGN_DOWN(at, (uint64_t)PAGE_SIZE) + PAGE_SIZE;
	return (int64_t)MIN(at, size);
}
