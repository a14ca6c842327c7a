/* EROFS against the tree that mkfs.erofs made the image of: all kinds of files, all layouts; damaged images; short memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/file/abi.h"
#include "kernel/fs/erofs.h"
#include "kernel/fs/erofs_node.h"
#include "lib/checksum.h"
#include "lib/errno.h"
#include "test/unit/erofs_tree.h"
#include "test/unit/shim/heap.h"
#include "test/unit/shim/shim.h"

#define TEST_PA 0x40000000ul

uint32_t arch_crc32c(uint32_t crc, const void *buf, size_t len)
{
	return crc32c(crc, buf, len);
}

static struct file_system *image_mount(const struct image *image)
{
	struct file_system *fs = NULL;

	assert_int_equal(erofs_create(TEST_PA, image->bytes, image->len, &fs), 0);
	assert_non_null(fs);
	return fs;
}

/* ---- Comparing --------------------------------------------------------------------------------------------------- */

/* Hard links: which vnode a host inode is. All vnodes are kept until the end, so that it stays the same one. */
static struct seen {
	uint64_t ino;
	struct vnode *vnode;
} seen[TREE_MANY * 2];
static size_t nr_seen;
static bool check_times;

static void seen_check(uint64_t ino, struct vnode *vnode)
{
	for (size_t i = 0; i < nr_seen; i++)
		assert_int_equal(seen[i].ino == ino, seen[i].vnode == vnode);
	assert_true(nr_seen < sizeof(seen) / sizeof(seen[0]));
	vnode_get(vnode);
	seen[nr_seen++] = (struct seen){ ino, vnode };
}

static void seen_put(void)
{
	while (nr_seen)
		vnode_put(seen[--nr_seen].vnode);
}

static ssize_t read_at(struct vnode *vnode, void *buf, size_t len, int64_t pos)
{
	struct iovec iov;
	struct uio uio;

	uio_init(&uio, &iov, buf, len);
	return vnode->ops->read(vnode, &uio, pos);
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void compare_pages(const struct image *image, struct vnode *vnode, const char *bytes)
{
	static const char zeros[PAGE_SIZE];
	uint64_t size = vnode->size;
	struct vm_page page;

	for (uint64_t off = 0; off < size; off += PAGE_SIZE) {
		size_t len = size - off < PAGE_SIZE ? size - off : PAGE_SIZE;
		const char *at;

		assert_int_equal(vnode->object.ops->page(&vnode->object, off, false, &page), 0);
		assert_int_equal(page.pa % PAGE_SIZE, 0);
		if (page.page) {
			at = page_to_virt(page.page);
			assert_int_equal(page.pa, page_to_phys(page.page));
		} else {
			assert_in_range(page.pa, TEST_PA, TEST_PA + image->len - PAGE_SIZE);
			at = (const char *)image->bytes + (page.pa - TEST_PA);
		}
		assert_memory_equal(at, bytes + off, len);
		if (page.run)
			assert_memory_equal(at, bytes + off, min_size(page.run * PAGE_SIZE, size - off));
		assert_true(page.run_before * PAGE_SIZE <= off);
		assert_memory_equal(at - page.run_before * PAGE_SIZE, bytes + off - page.run_before * PAGE_SIZE,
				    page.run_before * PAGE_SIZE);
		assert_memory_equal(at + len, zeros, PAGE_SIZE - len);
		if (page.page && !__atomic_sub_fetch(&page.page->refs, 1, __ATOMIC_RELAXED))
			page_free(page.page, 0);
	}
	size = (size + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
	assert_int_equal(vnode->object.ops->page(&vnode->object, size, false, &page), -ENXIO);
	assert_int_equal(vnode->object.ops->page(&vnode->object, 0, true, &page), -EIO);
}

static void compare_contents(const struct image *image, const char *path, struct vnode *vnode)
{
	static char want[1300000], got[1300000];
	FILE *file = fopen(path, "r");
	size_t len = fread(want, 1, sizeof(want), file);

	fclose(file);
	assert_int_equal(read_at(vnode, got, sizeof(got), 0), len);
	assert_memory_equal(got, want, len);
	for (size_t pos = 1; pos < len + 5000; pos += 1 + len / 7) {
		size_t left = pos < len ? len - pos : 0, n = left < 4100 ? left : 4100;

		assert_int_equal(read_at(vnode, got, 4100, (int64_t)pos), n);
		assert_memory_equal(got, want + pos, n);
	}
	assert_int_equal(read_at(vnode, got, 1, INT64_MAX - 1), 0);
	compare_pages(image, vnode, want);
}

static void compare_xattrs(const char *path, struct vnode *vnode)
{
	char list[1000], mine[1000], value[1000], got[1000];
	ssize_t len = tree_xattr_list(path, list, sizeof(list)), mine_len;
	size_t wanted = 0;

	mine_len = vnode->ops->xattr_list(vnode, mine, sizeof(mine));
	assert_true(mine_len >= 0);
	assert_int_equal(vnode->ops->xattr_list(vnode, NULL, 0), mine_len);
	if (mine_len > 1)
		assert_int_equal(vnode->ops->xattr_list(vnode, mine, (size_t)mine_len - 1), -ERANGE);
	for (char *name = list; name < list + len; name += strlen(name) + 1) {
		ssize_t value_len = tree_xattr_get(path, name, value, sizeof(value));

		if (!strncmp(name, "system.", 7))
			continue;
		wanted += strlen(name) + 1;
		assert_int_equal(vnode->ops->xattr_get(vnode, name, NULL, 0), value_len);
		assert_int_equal(vnode->ops->xattr_get(vnode, name, got, sizeof(got)), value_len);
		assert_memory_equal(got, value, (size_t)value_len);
		assert_int_equal(vnode->ops->xattr_get(vnode, name, got, 1), value_len > 1 ? -ERANGE : value_len);
	}
	assert_int_equal(mine_len, wanted);
	assert_int_equal(vnode->ops->xattr_get(vnode, "user.none", NULL, 0), -ENODATA);
	assert_int_equal(vnode->ops->xattr_get(vnode, "user.own2", NULL, 0), -ENODATA);
	assert_int_equal(vnode->ops->xattr_get(vnode, "", NULL, 0), -ENODATA);
}

static void compare_attributes(const struct tree_stat *want, struct vnode *vnode)
{
	assert_int_equal(vnode->mode, want->mode);
	assert_int_equal(vnode->uid, want->uid);
	assert_int_equal(vnode->gid, want->gid);
	assert_int_equal(vnode->nlink, want->nlink);
	if (S_ISREG(want->mode) || S_ISLNK(want->mode))
		assert_int_equal(vnode->size, want->size);
	if (S_ISCHR(want->mode) || S_ISBLK(want->mode))
		assert_int_equal(vnode->rdev, want->rdev);
	if (check_times) {
		assert_int_equal(vnode->mtime.sec, want->mtime);
		assert_int_equal(vnode->mtime.nsec, want->mtime_nsec);
	}
}

struct list_sink {
	struct dir_sink sink;
	char (*names)[256];
	unsigned *types;
	uint64_t *next;
	size_t n, room;
};

static bool list_entry_take(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type,
			    uint64_t next)
{
	struct list_sink *list = (struct list_sink *)sink;

	assert_in_range(len, 1, 255);
	(void)ino;
	if (list->n == list->room)
		return false;
	memcpy(list->names[list->n], name, len);
	list->names[list->n][len] = '\0';
	list->types[list->n] = type;
	list->next[list->n++] = next;
	return true;
}

/* All names that readdir gives, asked for a few at a time. */
static size_t list_all(struct vnode *dir, char (*names)[256], unsigned *types, size_t step)
{
	static uint64_t next[TREE_MANY + 100];
	struct list_sink list = { { list_entry_take }, names, types, next, 0, 0 };
	uint64_t pos = 0;
	size_t before;

	do {
		before = list.n;
		list.room = list.n + step;
		assert_true(list.room < TREE_MANY + 100 + step);
		assert_int_equal(dir->ops->readdir(dir, &pos, &list.sink), 0);
		if (list.n > before)
			assert_true(pos >= next[list.n - 1]);
	} while (list.n > before);
	return list.n;
}

static void compare_dir(const struct image *image, const char *path, struct vnode *dir);

static void compare_entry(const struct image *image, const char *path, const char *name, struct vnode *dir,
			  unsigned type)
{
	char full[8192], want[4097], got[4097];
	struct vnode *vnode;
	struct tree_stat stat;

	snprintf(full, sizeof(full), "%s/%s", path, name);
	stat = tree_stat(full);
	assert_int_equal(dir->ops->lookup(dir, name, strlen(name), &vnode), 0);
	assert_int_equal(type, stat.mode >> 12);
	compare_attributes(&stat, vnode);
	compare_xattrs(full, vnode);
	if (stat.nlink > 1 && !S_ISDIR(stat.mode))
		seen_check(stat.ino, vnode);
	if (S_ISREG(stat.mode))
		compare_contents(image, full, vnode);
	if (S_ISDIR(stat.mode))
		compare_dir(image, full, vnode);
	if (S_ISLNK(stat.mode)) {
		ssize_t len = tree_readlink(full, want, sizeof(want));

		assert_int_equal(vnode->ops->readlink(vnode, got, sizeof(got)), len);
		assert_memory_equal(want, got, (size_t)len);
		assert_int_equal(vnode->ops->readlink(vnode, got, 3), 3);
	} else if (!S_ISDIR(stat.mode)) {
		assert_int_equal(vnode->ops->readlink(vnode, got, 3), -EINVAL);
	}
	vnode_put(vnode);
}

static void compare_dir(const struct image *image, const char *path, struct vnode *dir)
{
	char(*names)[256] = malloc((TREE_MANY + 200) * sizeof(*names));
	unsigned *types = malloc((TREE_MANY + 200) * sizeof(*types));
	size_t n = list_all(dir, names, types, strlen(path) % 5 + 1), wanted = tree_count(path);
	struct vnode *vnode;

	assert_int_equal(n, wanted);
	assert_int_equal(list_all(dir, names, types, TREE_MANY), n);
	for (size_t i = 0; i < n; i++) {
		if (i)
			assert_true(strcmp(names[i - 1], names[i]) < 0);
		compare_entry(image, path, names[i], dir, types[i]);
	}
	assert_int_equal(dir->ops->lookup(dir, "\001", 1, &vnode), -ENOENT);
	assert_int_equal(dir->ops->lookup(dir, "\377\377", 2, &vnode), -ENOENT);
	assert_int_equal(dir->ops->lookup(dir, "nam", 3, &vnode), -ENOENT);
	free(names);
	free(types);
}

static void compare_with(const char *options, bool times)
{
	struct image image = image_make(options);
	struct file_system *fs = image_mount(&image);
	size_t objects = heap_objects;
	struct vnode *again;

	check_times = times;
	assert_true(fs->read_only);
	compare_dir(&image, tree_root, fs->root);
	seen_put();
	assert_int_equal(heap_objects, objects);
	assert_int_equal(heap_pages, 0);
	assert_int_equal(fs->root->ops->lookup(fs->root, "empty", 5, &again), 0);
	vnode_put(again);
	vnode_put(fs->root);
	assert_int_equal(heap_objects, objects - 2);
	free(image.bytes);
}

static void test_inline(void **state)
{
	(void)state;
	compare_with("", false);
}

static void test_plain(void **state)
{
	(void)state;
	compare_with("-Enoinline_data", false);
}

static void test_extended(void **state)
{
	(void)state;
	compare_with("-Eforce-inode-extended", true);
}

static void test_no_checksum(void **state)
{
	(void)state;
	compare_with("-Enosbcrc,noinline_data,force-inode-extended", true);
}

static void test_chunks(void **state)
{
	(void)state;
	compare_with("--chunksize=4096 -Eforce-inode-blockmap", false);
	compare_with("--chunksize=16384 -Eforce-chunk-indexes", false);
}

static void test_shared_xattrs(void **state)
{
	(void)state;
	if (!tree_has_xattrs)
		skip();
	compare_with("-x1", false);
	compare_with("-x100 -Eforce-inode-extended", true);
}

/* ---- What is refused --------------------------------------------------------------------------------------------- */

static int mount_error(const struct image *image)
{
	struct file_system *fs;
	size_t objects = heap_objects;
	int error = erofs_create(TEST_PA, image->bytes, image->len, &fs);

	if (!error)
		vnode_put(fs->root);
	assert_int_equal(heap_objects, objects);
	return error;
}

static struct erofs_super *super_of(const struct image *image)
{
	return (struct erofs_super *)(image->bytes + EROFS_SUPER_OFFSET);
}

static void test_refused(void **state)
{
	struct image image = image_make("-Enosbcrc,noinline_data"), cut = image;
	struct erofs_super *super = super_of(&image), saved = *super;

	(void)state;
	for (cut.len = 0; cut.len < image.len; cut.len += 1 + cut.len / 3)
		assert_int_equal(mount_error(&cut), -EINVAL);
	assert_int_equal(mount_error(&image), 0);
	super->magic++;
	assert_int_equal(mount_error(&image), -EINVAL);
	*super = saved;
	super->block_shift = 9;
	assert_int_equal(mount_error(&image), -EINVAL);
	assert_non_null(strstr(shim_log_text, "4096"));
	*super = saved;
	super->feature_incompat = EROFS_INCOMPAT_FRAGMENTS;
	assert_int_equal(mount_error(&image), -EINVAL);
	assert_non_null(strstr(shim_log_text, "fragments"));
	super->feature_incompat = 0x40000000;
	assert_int_equal(mount_error(&image), -EINVAL);
	assert_non_null(strstr(shim_log_text, "unknown"));
	*super = saved;
	super->root_nid = 0xfff0;
	assert_int_equal(mount_error(&image), -EINVAL);
	*super = saved;
	super->meta_block = UINT32_MAX;
	assert_int_equal(mount_error(&image), -EINVAL);
	free(image.bytes);
}

static void test_checksum(void **state)
{
	struct image image = image_make("");

	(void)state;
	assert_int_equal(crc32c(UINT32_MAX, "123456789", 9) ^ UINT32_MAX, 0xe3069283); /* RFC 3720, B.4 names others */
	assert_int_equal(mount_error(&image), 0);
	super_of(&image)->volume_name[3] ^= 1;
	assert_int_equal(mount_error(&image), -EINVAL);
	assert_non_null(strstr(shim_log_text, "checksum"));
	super_of(&image)->volume_name[3] ^= 1;
	image.bytes[4000] ^= 0x80;
	assert_int_equal(mount_error(&image), -EINVAL);
	free(image.bytes);
}

/* A directory that is made to show its grandparent, a parent that claims to be its own child. */
static void test_loops(void **state)
{
	struct image image = image_make("-Enosbcrc");
	struct file_system *fs = image_mount(&image);
	struct erofs_node *node = erofs_node_of(fs->root);
	struct erofs_extent extent;
	struct erofs_dirent *entries;
	struct vnode *found;
	unsigned refused = 0;

	(void)state;
	assert_int_equal(erofs_extent(node, 0, &extent), 0);
	entries = (struct erofs_dirent *)extent.bytes;
	for (unsigned i = 0; i < entries[0].name_off / 12u; i++)
		if (entries[i].nid != node->nid)
			entries[i].nid = node->nid;
	refused += fs->root->ops->lookup(fs->root, "many", 4, &found) == -EUCLEAN;
	refused += fs->root->ops->lookup(fs->root, "fifo", 4, &found) == -EUCLEAN;
	assert_int_equal(refused, 2);
	vnode_put(fs->root);
	free(image.bytes);
}

/* Zeros behind the end of a file are made, not believed. */
static void test_dirty_tail(void **state)
{
	struct image image = image_make("-Enoinline_data");
	struct file_system *fs = image_mount(&image);
	struct vnode *dir, *file, *same;
	struct erofs_extent extent;
	static char bytes[5000];

	(void)state;
	assert_int_equal(fs->root->ops->lookup(fs->root, "sizes", 5, &dir), 0);
	assert_int_equal(dir->ops->lookup(dir, "5000", 4, &file), 0);
	assert_int_equal(dir->ops->lookup(dir, "5000", 4, &same), 0);
	assert_ptr_equal(file, same);
	vnode_put(same);
	assert_int_equal(erofs_extent(erofs_node_of(file), 0, &extent), 0);
	assert_int_equal(extent.len, 5000);
	image.bytes[extent.bytes - image.bytes + 8191] = 'x';
	assert_int_equal(read_at(file, bytes, sizeof(bytes), 0), 5000);
	compare_pages(&image, file, bytes);
	compare_pages(&image, file, bytes);
	assert_int_equal(heap_pages, 1);
	vnode_put(file);
	assert_int_equal(heap_pages, 0);
	vnode_put(dir);
	vnode_put(fs->root);
	free(image.bytes);
}

static void test_no_memory(void **state)
{
	struct image image = image_make("");
	size_t objects = heap_objects;
	struct file_system *fs;
	struct vnode *found;
	struct vm_page page;

	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		heap_fail_at = i;
		assert_int_equal(erofs_create(TEST_PA, image.bytes, image.len, &fs), -ENOMEM);
	}
	heap_fail_at = 3;
	assert_int_equal(erofs_create(TEST_PA, image.bytes, image.len, &fs), 0);
	heap_fail_at = 1;
	assert_int_equal(fs->root->ops->lookup(fs->root, "sizes", 5, &found), -ENOMEM);
	heap_fail_at = 0;
	assert_int_equal(fs->root->ops->lookup(fs->root, "hard-1", 6, &found), 0);
	heap_fail_at = 1;
	assert_int_equal(found->object.ops->page(&found->object, 4096, false, &page), -ENOMEM);
	heap_fail_at = 0;
	vnode_put(found);
	vnode_put(fs->root);
	assert_int_equal(heap_objects, objects);
	free(image.bytes);
}

static void test_compressed(void **state)
{
	struct image image = image_make("-zlz4");

	(void)state;
	assert_int_equal(mount_error(&image), 0);
	free(image.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inline),	  cmocka_unit_test(test_plain),
		cmocka_unit_test(test_extended),  cmocka_unit_test(test_no_checksum),
		cmocka_unit_test(test_chunks),	  cmocka_unit_test(test_shared_xattrs),
		cmocka_unit_test(test_refused),	  cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_loops),	  cmocka_unit_test(test_dirty_tail),
		cmocka_unit_test(test_no_memory), cmocka_unit_test(test_compressed),
	};

	return cmocka_run_group_tests(tests, tree_make, tree_remove);
}
