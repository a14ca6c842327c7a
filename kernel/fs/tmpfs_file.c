/*
 * tmpfs: contents of regular files. A page of a file is the node's own, or while it was never changed the lower file's
 * (below lower_size), or a hole. Reads, writes and mappings all use the same own pages, so each sees what the others do.
 *
 * write, truncate and allocate hold vnode->lock. Reads and page faults do not: they look at size, then at pages. What a page
 * fault made of a file that was cut at the same time is noticed by the generation and taken back.
 */
#include "kernel/file/abi.h"
#include "kernel/fs/tmpfs_node.h"
#include "lib/string.h"

static inline bool is_lower(const struct tmpfs_node *node, uint64_t off)
{
	return off < READ_ONCE(node->lower_size);
}

/* The lower file's bytes of the page at OFF to BUF, zeros behind them. */
static int lower_page_read(struct tmpfs_node *node, uint64_t off, char *buf)
{
	size_t want = (size_t)MIN((uint64_t)PAGE_SIZE, node->lower_size - off), done = 0;

	while (done < want) {
		struct iovec iov;
		struct uio uio;
		ssize_t n;

		uio_init(&uio, &iov, buf + done, want - done);
		n = node->lower->ops->read(node->lower, &uio, (int64_t)(off + done));
		if (n < 0)
			return (int)n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	memset(buf + done, 0, PAGE_SIZE - done);
	return 0;
}

/* A page that is not in the file yet, contents undefined, charged for. */
static int page_take(struct tmpfs_node *node, struct page **out)
{
	struct tmpfs *tmpfs = tmpfs_of(&node->vnode);

	if (!tmpfs_charge(tmpfs, 1))
		return -ENOSPC;
	*out = page_alloc(0, 0);
	if (*out)
		return 0;
	tmpfs_uncharge(tmpfs, 1);
	return -ENOMEM;
}

/* For a page that page_take gave and that is not in the file. */
static void page_give(struct tmpfs_node *node, struct page *page)
{
	tmpfs_uncharge(tmpfs_of(&node->vnode), 1);
	page_put(page);
}

/* PAGE, filled, goes into the file, unless there is one: *PAGE is what is there then. Its reference stays the caller's. */
static int page_put_in(struct tmpfs_node *node, uint64_t index, struct page **page)
{
	struct page *found;
	int error = page_cache_add(&node->cache, index, *page, &found);

	if (!error)
		return 0;
	page_give(node, *page);
	*page = found;
	return error == -EEXIST ? 0 : error;
}

/* The own page at INDEX, made of the lower file's or of zeros if there is none yet; with a reference. */
static int page_make(struct tmpfs_node *node, uint64_t index, struct page **out)
{
	uint64_t off = index << PAGE_SHIFT;
	int error;

	*out = page_cache_get(&node->cache, index);
	if (*out)
		return 0;
	error = page_take(node, out);
	if (error)
		return error;
	if (is_lower(node, off))
		error = lower_page_read(node, off, page_to_virt(*out));
	else
		memset(page_to_virt(*out), 0, PAGE_SIZE);
	if (error) {
		page_give(node, *out);
		return error;
	}
	return page_put_in(node, index, out);
}

/* ---- Read ------------------------------------------------------------------------------------------------------------- */

/* How many bytes from POS on, LEN at most, have no own page. */
static size_t gap_len(struct tmpfs_node *node, uint64_t pos, size_t len)
{
	uint64_t next;

	if (!READ_ONCE(node->cache.nr_pages))
		return len;
	next = page_cache_next(&node->cache, pos >> PAGE_SHIFT);
	if (next > UINT64_MAX >> PAGE_SHIFT || next << PAGE_SHIFT <= pos) /* <=: one came just now */
		return next > UINT64_MAX >> PAGE_SHIFT ? len : MIN(len, PAGE_SIZE - pos % PAGE_SIZE);
	return MIN(len, (next << PAGE_SHIFT) - pos);
}

static ssize_t read_lower(struct tmpfs_node *node, struct uio *uio, uint64_t pos, size_t len)
{
	size_t resid = uio->resid;
	ssize_t n;

	uio->resid = len;
	n = node->lower->ops->read(node->lower, uio, (int64_t)pos);
	uio->resid += resid - len;
	return n;
}

/* Up to LEN bytes from POS on that lie in one page, or in a stretch without own pages. */
static ssize_t read_some(struct tmpfs_node *node, struct uio *uio, uint64_t pos, size_t len)
{
	size_t off = pos % PAGE_SIZE;
	struct page *page = page_cache_get(&node->cache, pos >> PAGE_SHIFT);
	uint64_t lower_size;
	ssize_t n;

	if (page) {
		n = uio_copy_out(uio, (char *)page_to_virt(page) + off, MIN(len, PAGE_SIZE - off));
		page_put(page);
		return n;
	}
	len = gap_len(node, pos, len);
	lower_size = READ_ONCE(node->lower_size);
	if (pos >= lower_size)
		return uio_zero_out(uio, len);
	n = read_lower(node, uio, pos, (size_t)MIN((uint64_t)len, lower_size - pos));
	return n ? n : -EIO; /* the lower file is shorter than it said */
}

static ssize_t tmpfs_read(struct vnode *vnode, struct uio *uio, int64_t pos)
{
	struct tmpfs_node *node = node_of(vnode);
	uint64_t size = READ_ONCE(vnode->size), at = (uint64_t)pos;
	size_t total = 0, left;

	if (at >= size)
		return 0;
	left = (size_t)MIN((uint64_t)uio->resid, size - at);
	while (left) {
		ssize_t n = read_some(node, uio, at, left);

		if (n <= 0)
			return total ? (ssize_t)total : n;
		total += (size_t)n;
		at += (size_t)n;
		left -= (size_t)n;
	}
	return (ssize_t)total;
}

/* ---- Write ------------------------------------------------------------------------------------------------------------ */

/* Fills PAGE, new, for N bytes of UIO at OFF in it: those, and around them what the file has there. How many of the N. */
static ssize_t page_fill(struct tmpfs_node *node, char *va, struct uio *uio, uint64_t base, size_t off, size_t n)
{
	ssize_t copied;

	if (is_lower(node, base) && n < PAGE_SIZE) {
		int error = lower_page_read(node, base, va);

		return error ? error : uio_copy_in(uio, va + off, n);
	}
	memset(va, 0, off);
	copied = uio_copy_in(uio, va + off, n);
	if (copied == (ssize_t)n || copied <= 0 || !is_lower(node, base)) {
		size_t end = off + (copied > 0 ? (size_t)copied : 0);

		memset(va + end, 0, PAGE_SIZE - end);
		return copied;
	}
	return -EFAULT; /* the whole page was to be replaced, but only part could be read: leaves the page as it was */
}

static ssize_t write_new_page(struct tmpfs_node *node, struct uio *uio, uint64_t index, size_t off, size_t n)
{
	uint64_t base = index << PAGE_SHIFT;
	bool over_lower = is_lower(node, base);
	struct page *mine, *page;
	ssize_t copied;
	int error = page_take(node, &mine);

	if (error)
		return -ENOSPC;
	copied = page_fill(node, page_to_virt(mine), uio, base, off, n);
	if (copied <= 0) {
		page_give(node, mine);
		return copied;
	}
	page = mine;
	error = page_cache_add(&node->cache, index, mine, &page);
	if (error == -EEXIST) { /* a page fault was faster */
		memcpy((char *)page_to_virt(page) + off, (char *)page_to_virt(mine) + off, (size_t)copied);
		page_give(node, mine);
	} else if (error) {
		page_give(node, mine);
		return -ENOSPC;
	}
	page_put(page);
	if (over_lower && !list_is_empty(&node->vnode.object.mappings))
		vm_object_unmap(&node->vnode.object, base, PAGE_SIZE, false);
	return copied;
}

static ssize_t write_page(struct tmpfs_node *node, struct uio *uio, uint64_t pos, size_t len)
{
	size_t off = pos % PAGE_SIZE, n = MIN(len, PAGE_SIZE - off);
	uint64_t index = pos >> PAGE_SHIFT;
	struct page *page = page_cache_get(&node->cache, index);
	ssize_t copied;

	if (!page)
		return write_new_page(node, uio, index, off, n);
	copied = uio_copy_in(uio, (char *)page_to_virt(page) + off, n);
	page_put(page);
	return copied;
}

static ssize_t tmpfs_write(struct vnode *vnode, struct uio *uio, int64_t pos)
{
	struct tmpfs_node *node = node_of(vnode);
	uint64_t at = (uint64_t)pos;
	size_t total = 0;

	tmpfs_pin(node);
	while (uio->resid) {
		ssize_t n = write_page(node, uio, at, uio->resid);

		if (n <= 0)
			return total ? (ssize_t)total : n;
		total += (size_t)n;
		at += (size_t)n;
		if (at > vnode->size)
			WRITE_ONCE(vnode->size, at);
	}
	return (ssize_t)total;
}

static int tmpfs_allocate(struct vnode *vnode, int mode, int64_t off, int64_t len);

/* ---- Mappings --------------------------------------------------------------------------------------------------------- */

static struct tmpfs_node *node_of_object(struct vm_object *object)
{
	return node_of(container_of(object, struct vnode, object));
}

/* Is set while a mapping may write what all see: then no lower page is shown, which would have to be exchanged under others. */
static bool may_show_lower(const struct tmpfs_node *node, uint64_t off, bool write)
{
	return !write && is_lower(node, off) && !node->vnode.write_mapped && node->lower->object.ops;
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
		error = page ? 0 : page_make(node, off >> PAGE_SHIFT, &page);
		if (error)
			return error == -ENOSPC ? -EIO : error;
		if (likely(__atomic_load_n(&node->generation, __ATOMIC_ACQUIRE) == generation))
			break;
		if (page_cache_remove_page(&node->cache, off >> PAGE_SHIFT, page))
			tmpfs_uncharge(tmpfs_of(&node->vnode), 1);
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

	return is_lower(node, off) || page_cache_next(&node->cache, off >> PAGE_SHIFT) == off >> PAGE_SHIFT;
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

/* ---- Truncation, holes ------------------------------------------------------------------------------------------------ */

/* [FROM, TO) in one page: zeros, as an own page where the lower file shows through. */
static int zero_part(struct tmpfs_node *node, uint64_t from, uint64_t to)
{
	struct page *page;
	int error;

	if (from == to)
		return 0;
	if (is_lower(node, from)) {
		error = page_make(node, from >> PAGE_SHIFT, &page);
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
}

int tmpfs_truncate(struct vnode *vnode, uint64_t size)
{
	struct tmpfs_node *node = node_of(vnode);
	uint64_t end = ALIGN_UP(size, (uint64_t)PAGE_SIZE);
	bool had_lower = is_lower(node, size);
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
		error = page_make(node, index, &page);
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
		if (is_lower(node, index << PAGE_SHIFT))
			continue;
		error = page_make(node, index, &page);
		if (error)
			return -ENOSPC;
		page_put(page);
	}
	return 0;
}

static int tmpfs_allocate(struct vnode *vnode, int mode, int64_t off, int64_t len)
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

static int64_t tmpfs_seek_data(struct vnode *vnode, int64_t off, bool hole)
{
	struct tmpfs_node *node = node_of(vnode);
	uint64_t size = READ_ONCE(vnode->size), at = (uint64_t)off, next;

	if (!hole) {
		if (is_lower(node, at))
			return off;
		next = page_cache_next(&node->cache, at >> PAGE_SHIFT);
		if (next > UINT64_MAX >> PAGE_SHIFT || next << PAGE_SHIFT >= size)
			return -ENXIO;
		return (int64_t)MAX(at, next << PAGE_SHIFT);
	}
	if (is_lower(node, at))
		at = ALIGN_UP(node->lower_size, (uint64_t)PAGE_SIZE);
	while (at < size && page_cache_next(&node->cache, at >> PAGE_SHIFT) == at >> PAGE_SHIFT)
		at = ALIGN_DOWN(at, (uint64_t)PAGE_SIZE) + PAGE_SIZE;
	return (int64_t)MIN(at, size);
}

const struct vnode_ops tmpfs_file_ops = {
	.read = tmpfs_read,
	.write = tmpfs_write,
	.getattr = tmpfs_getattr,
	.setattr = tmpfs_setattr,
	.allocate = tmpfs_allocate,
	.seek_data = tmpfs_seek_data,
	.xattr_get = tmpfs_xattr_get,
	.xattr_set = tmpfs_xattr_set,
	.xattr_list = tmpfs_xattr_list,
	.release = tmpfs_release,
};
