/*
 * EROFS images: whatever they say, everything that can be reached from the root is walked, within bounds, and nothing outside
 * of the image is touched. The input is the image, its checksum made right first; it is put into memory of exactly its length.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/fs/erofs.h"
#include "kernel/fs/erofs_node.h"
#include "lib/checksum.h"
#include "lib/util.h"
#include "test/unit/shim/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define DEPTH_MAX 8

uint32_t arch_crc32c(uint32_t crc, const void *buf, size_t len)
{
	return crc32c(crc, buf, len);
}

static unsigned budget;

struct names_sink {
	struct dir_sink sink;
	char names[64][256];
	size_t lens[64], n;
};

static bool name_take(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type, uint64_t next)
{
	struct names_sink *names = (struct names_sink *)sink;

	(void)ino, (void)type, (void)next;
	if (len < 1 || len > 255)
		abort();
	if (names->n == ARRAY_SIZE(names->names))
		return false;
	memcpy(names->names[names->n], name, len);
	names->lens[names->n++] = len;
	return true;
}

static void read_some(struct vnode *vnode)
{
	static char buf[20000];
	static const int64_t places[] = { 0, 1, 4095, 4096, 65536, INT64_MAX / 2 };
	struct iovec iov;
	struct uio uio;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		uio_init(&uio, &iov, buf, sizeof(buf));
		vnode->ops->read(vnode, &uio, places[i]);
		if (vnode->size > sizeof(buf)) {
			uio_init(&uio, &iov, buf, sizeof(buf));
			vnode->ops->read(vnode, &uio, (int64_t)(vnode->size - sizeof(buf) / 2));
		}
	}
}

static void map_some(struct vnode *vnode, const uint8_t *image, size_t len)
{
	struct vm_page page;
	uint64_t sum = 0;

	for (unsigned i = 0; vnode->object.ops && i < 6; i++) {
		uint64_t off = ALIGN_DOWN(vnode->size - 1, PAGE_SIZE) - i * PAGE_SIZE;

		if (vnode->object.ops->page(&vnode->object, off, false, &page))
			continue;
		if (!page.page)
			for (size_t at = 0; at < PAGE_SIZE; at++)
				sum += image[page.pa - PAGE_SIZE + at];
		else if (!__atomic_sub_fetch(&page.page->refs, 1, __ATOMIC_RELAXED))
			page_free(page.page, 0);
		if (!page.page && page.pa > len)
			abort();
	}
	__asm__ volatile("" ::"r"(sum));
}

static void attributes_some(struct vnode *vnode)
{
	char list[300], value[100];
	ssize_t len = vnode->ops->xattr_list(vnode, list, sizeof(list));

	vnode->ops->xattr_list(vnode, NULL, 0);
	for (ssize_t at = 0; at < len; at += (ssize_t)strnlen(list + at, (size_t)(len - at)) + 1)
		if (memchr(list + at, '\0', (size_t)(len - at)))
			vnode->ops->xattr_get(vnode, list + at, value, sizeof(value));
}

static void walk(struct vnode *vnode, unsigned depth, const uint8_t *image, size_t len)
{
	struct names_sink *names;
	char target[256];
	uint64_t pos = 0;

	attributes_some(vnode);
	if (!vnode->ops->lookup) {
		vnode->ops->readlink(vnode, target, sizeof(target));
		read_some(vnode);
		map_some(vnode, image, len);
		return;
	}
	names = calloc(1, sizeof(*names));
	names->sink.entry = name_take;
	vnode->ops->readdir(vnode, &pos, &names->sink);
	for (size_t i = 0; i < names->n && depth < DEPTH_MAX && budget; i++) {
		struct vnode *child;

		budget--;
		if (vnode->ops->lookup(vnode, names->names[i], names->lens[i], &child))
			continue;
		walk(child, depth + 1, image, len);
		vnode_put(child);
	}
	free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *exact = len ? malloc(len) : NULL;
	struct file_system *fs;

	if (!exact)
		return 0;
	memcpy(exact, data, len);
	if (len >= EROFS_BLOCK_SIZE) {
		struct erofs_super *super = (struct erofs_super *)(exact + EROFS_SUPER_OFFSET);

		super->feature_compat &= ~EROFS_COMPAT_CHECKSUM;
		super->blocks = MIN(super->blocks, (uint32_t)(len >> EROFS_BLOCK_SHIFT));
	}
	budget = 300;
	if (!erofs_create(PAGE_SIZE, exact, len, &fs)) {
		walk(fs->root, 0, exact, len);
		vnode_put(fs->root);
	}
	if (heap_objects || heap_pages)
		abort();
	free(exact);
	return 0;
}
