/* EROFS: what files contain. Reads copy it from where it lies in the image, mappings show the image's own pages. */
#include "kernel/file/abi.h"
#include "kernel/fs/erofs_node.h"
#include "lib/errno.h"
#include "lib/string.h"

static int chunk_extent(const struct erofs_node *node, uint64_t off, struct erofs_extent *out)
{
	const struct erofs *fs = erofs_of(&node->vnode);
	uint64_t index = off >> node->chunk_shift, in_chunk = off - (index << node->chunk_shift);
	/* A size has fewer than 2^63 bytes, so there are less than 2^51 chunks. */
	const void *entry = erofs_at(fs, node->data_off + index * node->chunk_entry, node->chunk_entry);
	uint32_t block;

	if (!entry)
		return -EUCLEAN;
	if (node->chunk_entry == sizeof(struct erofs_chunk_index)) {
		const struct erofs_chunk_index *chunk = entry;

		block = chunk->block;
		if (chunk->device && block != EROFS_CHUNK_HOLE)
			return -EUCLEAN;
	} else {
		memcpy(&block, entry, sizeof(block));
	}
	out->len = MIN((1ul << node->chunk_shift) - in_chunk, node->vnode.size - off);
	out->bytes = NULL;
	if (block == EROFS_CHUNK_HOLE)
		return 0;
	out->bytes = erofs_at(fs, ((uint64_t)block << EROFS_BLOCK_SHIFT) + in_chunk, out->len);
	return out->bytes ? 0 : -EUCLEAN;
}

int erofs_extent(const struct erofs_node *node, uint64_t off, struct erofs_extent *out)
{
	const struct erofs *fs = erofs_of(&node->vnode);
	uint64_t size = node->vnode.size, tail;

	if (node->layout == EROFS_CHUNKED)
		return chunk_extent(node, off, out);
	out->len = size - off;
	out->bytes = erofs_at(fs, node->data_off + off, out->len);
	if (node->layout == EROFS_INLINE) {
		tail = ALIGN_DOWN(size - 1, (uint64_t)EROFS_BLOCK_SIZE);
		if (off < tail) {
			out->len = tail - off;
			out->bytes = erofs_at(fs, node->data_off + off, out->len);
		} else if (node->tail_off % EROFS_BLOCK_SIZE + (size - tail) > EROFS_BLOCK_SIZE) {
			return -EUCLEAN; /* would go on in the next block */
		} else {
			out->bytes = erofs_at(fs, node->tail_off + (off - tail), out->len);
		}
	}
	return out->bytes ? 0 : -EUCLEAN;
}

ssize_t erofs_read(struct vnode *vnode, struct uio *uio, int64_t pos)
{
	struct erofs_node *node = erofs_node_of(vnode);
	uint64_t at = (uint64_t)pos;
	ssize_t done = 0;

	while (uio->resid && at < vnode->size) {
		struct erofs_extent extent;
		ssize_t copied = erofs_extent(node, at, &extent);
		size_t len = MIN(extent.len, uio->resid);

		if (!copied)
			copied = extent.bytes ? uio_copy_out(uio, extent.bytes, len) : uio_zero_out(uio, len);
		if (copied < 0)
			return done ? done : copied;
		done += copied;
		at += (size_t)copied;
		if ((size_t)copied < len)
			break;
	}
	return done;
}

ssize_t erofs_readlink(struct vnode *vnode, char *buf, size_t size)
{
	size_t len = MIN(size, vnode->size), done;
	struct erofs_extent extent;
	int error;

	if (!S_ISLNK(vnode->mode))
		return -EINVAL;
	for (done = 0; done < len; done += extent.len) {
		error = erofs_extent(erofs_node_of(vnode), done, &extent);
		if (!error && !extent.bytes)
			error = -EUCLEAN;
		if (error)
			return error;
		extent.len = MIN(extent.len, len - done);
		memcpy(buf + done, extent.bytes, extent.len);
	}
	return (ssize_t)len;
}

/* ---- Mappings ---------------------------------------------------------------------------------------------------- */

static bool is_zero(const uint8_t *bytes, size_t len)
{
	uint64_t word = 0;
	size_t i = 0;

	for (; i < len && (len - i) % sizeof(word); i++)
		if (bytes[i])
			return false;
	for (; i < len; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		if (word)
			return false;
	}
	return true;
}

/* The page of the image that holds NODE's last one: behind the end of the file there must be zeros. */
static bool tail_is_in_place(const struct erofs_node *node, const struct erofs_extent *extent)
{
	const struct erofs *fs = erofs_of(&node->vnode);
	uint64_t off = (uint64_t)(extent->bytes - fs->base);

	return off % PAGE_SIZE == 0 && erofs_at(fs, off, PAGE_SIZE) &&
	       is_zero(extent->bytes + extent->len, PAGE_SIZE - extent->len);
}

/* A page of its own for BYTES, NULL when memory is short. */
static struct page *page_copy(const void *bytes, size_t len)
{
	struct page *page = page_alloc(0, 0);

	if (page) {
		uint8_t *to = page_to_virt(page);

		memcpy(to, bytes, len);
		memset(to + len, 0, PAGE_SIZE - len);
	}
	return page;
}

/* Settles once how the last page is shown. 0, -ENOMEM. */
static int tail_settle(struct erofs_node *node, const struct erofs_extent *extent)
{
	uintptr_t unknown = EROFS_TAIL_UNKNOWN, tail = EROFS_TAIL_IN_PLACE;

	if (!tail_is_in_place(node, extent)) {
		tail = (uintptr_t)page_copy(extent->bytes, extent->len);
		if (!tail)
			return -ENOMEM;
	}
	if (!__atomic_compare_exchange_n(&node->tail, &unknown, tail, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) &&
	    tail != EROFS_TAIL_IN_PLACE)
		page_free((struct page *)tail, 0);
	return 0;
}

void erofs_tail_free(struct erofs_node *node)
{
	if (node->tail > EROFS_TAIL_IN_PLACE)
		page_free((struct page *)node->tail, 0);
}

static int page_of_tail(struct erofs_node *node, const struct erofs_extent *extent, struct vm_page *out)
{
	uintptr_t tail = __atomic_load_n(&node->tail, __ATOMIC_ACQUIRE);
	int error;

	if (tail == EROFS_TAIL_UNKNOWN) {
		error = tail_settle(node, extent);
		if (error)
			return error;
		tail = __atomic_load_n(&node->tail, __ATOMIC_ACQUIRE);
	}
	if (tail == EROFS_TAIL_IN_PLACE) {
		out->pa = erofs_of(&node->vnode)->pa + (uint64_t)(extent->bytes - erofs_of(&node->vnode)->base);
		return 0;
	}
	out->page = (struct page *)tail;
	out->pa = page_to_phys(out->page);
	__atomic_fetch_add(&out->page->refs, 1, __ATOMIC_RELAXED);
	return 0;
}

/* How many whole pages lie in one piece with the one at OFF, which EXTENT begins with. */
static void run_set(const struct erofs_node *node, const struct erofs_extent *extent, uint64_t off, struct vm_page *out)
{
	bool to_end = off + extent->len == node->vnode.size;

	out->run = extent->len / PAGE_SIZE;
	if (extent->len % PAGE_SIZE && to_end && node->layout != EROFS_INLINE &&
	    __atomic_load_n(&node->tail, __ATOMIC_ACQUIRE) == EROFS_TAIL_IN_PLACE)
		out->run++;
	if (node->layout == EROFS_CHUNKED)
		off &= (1ul << node->chunk_shift) - 1;
	out->run_before = node->layout == EROFS_INLINE && to_end ? 0 : off / PAGE_SIZE;
}

static int object_page(struct vm_object *object, uint64_t off, bool write, struct vm_page *out)
{
	struct erofs_node *node = erofs_node_of(container_of(object, struct vnode, object));
	struct erofs_extent extent;
	int error;

	*out = (struct vm_page){ 0 };
	if (write)
		return -EIO; /* nobody can have opened it for writing */
	if (off >= node->vnode.size)
		return -ENXIO;
	error = erofs_extent(node, off, &extent);
	if (error)
		return -EIO;
	if (!extent.bytes) {
		out->page = page_alloc(0, PAGE_ZERO);
		out->pa = out->page ? page_to_phys(out->page) : 0;
		return out->page ? 0 : -ENOMEM;
	}
	if (extent.len < PAGE_SIZE)
		return page_of_tail(node, &extent, out);
	run_set(node, &extent, off, out);
	out->pa = erofs_of(&node->vnode)->pa + (uint64_t)(extent.bytes - erofs_of(&node->vnode)->base);
	return 0;
}

static void object_get(struct vm_object *object)
{
	vnode_get(container_of(object, struct vnode, object));
}

static void object_put(struct vm_object *object)
{
	vnode_put(container_of(object, struct vnode, object));
}

static void object_describe(struct vm_object *object, char *path, size_t size, uint64_t *dev, uint64_t *ino)
{
	vnode_describe(container_of(object, struct vnode, object), path, size, dev, ino);
}

const struct vm_object_ops erofs_object_ops = {
	.page = object_page,
	.get = object_get,
	.put = object_put,
	.describe = object_describe,
};
