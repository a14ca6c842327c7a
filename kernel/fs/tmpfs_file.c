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

	if (!error) {
		tmpfs_blocks_set(node);
		return 0;
	}
	page_give(node, *page);
	*page = found;
	return error == -EEXIST ? 0 : error;
}

int tmpfs_page_make(struct tmpfs_node *node, uint64_t index, struct page **out)
{
	uint64_t off = index << PAGE_SHIFT;
	int error;

	*out = page_cache_get(&node->cache, index);
	if (*out)
		return 0;
	error = page_take(node, out);
	if (error)
		return error;
	if (tmpfs_is_lower(node, off))
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

	if (tmpfs_is_lower(node, base) && n < PAGE_SIZE) {
		int error = lower_page_read(node, base, va);

		return error ? error : uio_copy_in(uio, va + off, n);
	}
	memset(va, 0, off);
	copied = uio_copy_in(uio, va + off, n);
	if (copied == (ssize_t)n || copied <= 0 || !tmpfs_is_lower(node, base)) {
		size_t end = off + (copied > 0 ? (size_t)copied : 0);

		memset(va + end, 0, PAGE_SIZE - end);
		return copied;
	}
	return -EFAULT; /* the whole page was to be replaced, but only part could be read: leaves the page as it was */
}

static ssize_t write_new_page(struct tmpfs_node *node, struct uio *uio, uint64_t index, size_t off, size_t n)
{
	uint64_t base = index << PAGE_SHIFT;
	bool over_lower = tmpfs_is_lower(node, base);
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
	tmpfs_blocks_set(node);
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

const struct vnode_ops tmpfs_file_ops = {
	.read = tmpfs_read,
	.write = tmpfs_write,
	.setattr = tmpfs_setattr,
	.allocate = tmpfs_allocate,
	.seek_data = tmpfs_seek_data,
	.xattr_get = tmpfs_xattr_get,
	.xattr_set = tmpfs_xattr_set,
	.xattr_list = tmpfs_xattr_list,
	.release = tmpfs_release,
};
