/* Pseudo file systems: looking up and listing constant, added and dynamic entries; text that is made, grows, fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/file/abi.h"
#include "kernel/fs/pseudo.h"
#include "kernel/mem/vmap.h"
#include "lib/errno.h"
#include "test/unit/shim/heap.h"

void *vmap_alloc(size_t len)
{
	return calloc(1, len);
}

void vmap_free(void *va)
{
	free(va);
}

struct file_time file_time_now(void)
{
	return (struct file_time){ 1000, 5 };
}

void file_init(struct file *file, const struct file_ops *ops, unsigned flags)
{
	file->ops = ops;
	file->flags = flags;
}

/* ---- A tree ---------------------------------------------------------------------------------------------------------- */

static size_t text_len = 10;
static unsigned nr_made;

static int text_make(struct pseudo_text *out, uint64_t key)
{
	nr_made++;
	if (key == 13)
		return -ESRCH;
	pseudo_printf(out, "key %lu\n", key);
	while (out->len < text_len && !out->failed)
		pseudo_printf(out, "%08zu\n", out->len);
	return 0;
}

static char stored[4096];

static ssize_t store(const char *buf, size_t len, uint64_t key)
{
	assert_int_equal(strlen(buf), len);
	memcpy(stored, buf, len + 1);
	return key == 4 ? -EINVAL : (ssize_t)len;
}

static ssize_t read_link(char *buf, size_t size, uint64_t key)
{
	return snprintf(buf, size, "to %lu", key);
}

static int follow(struct dentry **dentry, struct file **file, uint64_t key)
{
	(void)file;
	*dentry = (struct dentry *)key;
	return 0;
}

static int owner(struct vnode_attr *attr, uint64_t key)
{
	attr->uid = (uint32_t)key;
	attr->mode = S_IFREG | 0400;
	return key == 11 ? -ENOENT : 0;
}

static const struct pseudo_ops text_ops = { .text = text_make, .store = store };
static const struct pseudo_ops owner_ops = { .text = text_make, .getattr = owner };
static const struct pseudo_ops link_ops = { .readlink = read_link, .follow = follow };
static const struct pseudo_entry numbered_entries[] = {
	{ .name = "link", .mode = S_IFLNK | 0777, .ops = &link_ops },
	{ .name = "owned", .mode = S_IFREG | 0444, .ops = &owner_ops },
	{ .name = "text", .mode = S_IFREG | 0644, .ops = &text_ops },
	{ 0 },
};
static const struct pseudo_entry numbered = { .name = "N", .mode = S_IFDIR | 0555, .children = numbered_entries };

/* Even numbers below 40. */
static int even_lookup(const char *name, size_t len, uint64_t key, const struct pseudo_entry **entry,
		       uint64_t *entry_key)
{
	assert_int_equal(key, 0);
	if (!pseudo_number(name, len, entry_key) || *entry_key % 2 || *entry_key >= 40)
		return -ENOENT;
	*entry = &numbered;
	return 0;
}

static int even_list(uint64_t *pos, struct dir_sink *sink, uint64_t key)
{
	char name[8];

	(void)key;
	for (; *pos < 20; ++*pos) {
		size_t len = (size_t)snprintf(name, sizeof(name), "%lu", *pos * 2);

		if (!sink->entry(sink, name, len, 0, DT_DIR, *pos + 1))
			break;
	}
	return 0;
}

static const struct pseudo_ops even_ops = { .dir_lookup = even_lookup, .dir_list = even_list };
static const struct pseudo_entry sub_entries[] = { { 0 } };
static const struct pseudo_entry root_entries[] = {
	{ .name = "fixed", .mode = S_IFREG | 0444, .content = "always\n" },
	{ .name = "link", .mode = S_IFLNK | 0777, .content = "fixed" },
	{ .name = "null", .mode = S_IFCHR | 0666, .rdev = 0x103 },
	{ .name = "sub", .mode = S_IFDIR | 0755, .children = sub_entries },
	{ .name = "text", .mode = S_IFREG | 0644, .ops = &text_ops },
	{ 0 },
};
static const struct pseudo_entry root = {
	.name = "root", .mode = S_IFDIR | 0555, .ops = &even_ops, .children = root_entries
};

static struct file_system *fs;

static int setup(void **state)
{
	(void)state;
	text_len = 10;
	nr_made = 0;
	return pseudo_create("test", PROC_SUPER_MAGIC, &root, &fs);
}

static int teardown(void **state)
{
	(void)state;
	vnode_put(fs->root);
	assert_int_equal(heap_objects, 0);
	return 0;
}

static struct vnode *find_in(struct vnode *dir, const char *name)
{
	struct vnode *vnode = NULL;

	assert_int_equal(dir->ops->lookup(dir, name, strlen(name), &vnode), 0);
	return vnode;
}

/* a/b/c from the root on. */
static struct vnode *find(const char *path)
{
	struct vnode *at = fs->root, *next;
	char copy[100], *name, *rest = copy;

	vnode_get(at);
	strcpy(copy, path);
	while ((name = strsep(&rest, "/"))) {
		next = find_in(at, name);
		vnode_put(at);
		at = next;
	}
	return at;
}

/* ---- Listing --------------------------------------------------------------------------------------------------------- */

struct list_sink {
	struct dir_sink sink;
	char text[1000];
	unsigned room;
	struct vnode *dir;
};

static bool list_take(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type, uint64_t next)
{
	struct list_sink *list = (struct list_sink *)sink;
	char terminated[100];
	struct vnode *vnode;

	if (!list->room)
		return false;
	list->room--;
	assert_true(next > 0 && next < 1ul << 62);
	snprintf(terminated, sizeof(terminated), "%.*s", (int)len, name);
	vnode = find_in(list->dir, terminated);
	assert_int_equal(vnode->ino, ino);
	assert_int_equal(S_DT(vnode->mode), type);
	vnode_put(vnode);
	strcat(strcat(list->text, terminated), " ");
	return true;
}

static void check_list(struct vnode *dir, unsigned step, const char *want)
{
	struct list_sink list = { .sink = { list_take }, .dir = dir };
	uint64_t pos = 0;

	do {
		list.room = step;
		assert_int_equal(dir->ops->readdir(dir, &pos, &list.sink), 0);
	} while (!list.room);
	assert_string_equal(list.text, want);
}

static void test_names(void **state)
{
	static const char *const none[] = {
		"", "fixe", "fixedx", "1", "40", "02", "-2", "99999999999999999999", "sub/x"
	};
	static const struct pseudo_entry late = { .name = "late", .mode = S_IFREG | 0444, .content = "x" };
	static const char all[] =
		"fixed link null sub text late 0 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 32 34 36 38 ";
	struct vnode *vnode, *again;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_int_equal(fs->root->ops->lookup(fs->root, none[i], strlen(none[i]), &vnode), -ENOENT);
	assert_int_equal(pseudo_add(fs, "", &late), 0);
	assert_int_equal(pseudo_add(fs, "", &late), -EEXIST);
	assert_int_equal(pseudo_add(fs, "sub", &late), 0);
	assert_int_equal(pseudo_add(fs, "new/deep", &late), 0);
	assert_int_equal(pseudo_add(fs, "new/other", &late), 0);
	vnode = find("new/deep/late");
	again = find("new/deep/late");
	assert_int_equal(vnode->ino, again->ino);
	vnode_put(again);
	vnode_put(vnode);
	vnode = find("new");
	check_list(vnode, 1, "deep other ");
	vnode_put(vnode);
	vnode = find("sub");
	check_list(vnode, 5, "late ");
	assert_int_equal(vnode->nlink, 2);
	vnode_put(vnode);
	for (unsigned step = 1; step < 30; step++) {
		char with_new[sizeof(all) + 4];

		snprintf(with_new, sizeof(with_new), "%.*snew %s", 30, all, all + 30);
		check_list(fs->root, step, with_new);
	}
	assert_int_equal(fs->root->ops->create(fs->root, "x", 1, NULL, &vnode), -ENOENT);
}

static void test_keys(void **state)
{
	struct dentry *dentry;
	struct vnode *vnode = find("12/link");
	struct file *file;
	char buf[20];

	(void)state;
	assert_true(vnode->uncached);
	assert_int_equal(vnode->ops->readlink(vnode, buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "to 12", 5);
	assert_int_equal(vnode->ops->follow(vnode, &dentry, &file), 0);
	assert_int_equal((uintptr_t)dentry, 12);
	vnode_put(vnode);
	vnode = find("6/owned");
	assert_int_equal(vnode->uid, 6);
	assert_int_equal(vnode->mode, S_IFREG | 0400);
	assert_int_equal(vnode->ops->setattr(vnode, &(struct vnode_attr){ .mode = 0 }, ATTR_MODE), -EPERM);
	assert_int_equal(vnode->ops->setattr(vnode, &(struct vnode_attr){ 0 }, ATTR_SIZE | ATTR_MTIME), 0);
	vnode_put(vnode);
	vnode = find("link");
	assert_null(vnode->ops->follow);
	assert_int_equal(vnode->ops->readlink(vnode, buf, 3), 3);
	assert_int_equal(vnode->size, 5);
	vnode_put(vnode);
	vnode = find("null");
	assert_null(vnode->ops->open);
	assert_int_equal(vnode->rdev, 0x103);
	vnode_put(vnode);
}

/* ---- Contents -------------------------------------------------------------------------------------------------------- */

static struct file *open_file(const char *path)
{
	struct vnode *vnode = find(path);
	struct file *file;

	assert_int_equal(vnode->ops->open(vnode, O_RDWR, &file), 0);
	file->vnode = vnode;
	return file;
}

static void close_file(struct file *file)
{
	struct vnode *vnode = file->vnode;

	file->ops->release(file);
	vnode_put(vnode);
}

static ssize_t do_read(struct file *file, char *buf, size_t len)
{
	struct iovec iov;
	struct uio uio;

	uio_init(&uio, &iov, buf, len);
	return file->ops->read(file, &uio, &file->pos);
}

static ssize_t do_write(struct file *file, const char *buf, size_t len)
{
	struct iovec iov;
	struct uio uio;

	uio_init(&uio, &iov, (void *)buf, len);
	return file->ops->write(file, &uio, &file->pos);
}

static void test_text(void **state)
{
	static const size_t lengths[] = { 10, 255, 256, 257, 5000, 70000, 3000000 };
	char *buf = malloc(4000000);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct file *file = open_file("2/text");
		size_t done = 0, rest;
		ssize_t n;

		text_len = lengths[i];
		nr_made = 0;
		while ((n = do_read(file, buf + done, 1 + done / 3)) > 0)
			done += (size_t)n;
		assert_int_equal(n, 0);
		assert_int_equal(nr_made, 1);
		assert_true(done >= text_len && done < text_len + 20);
		assert_memory_equal(buf, "key 2\n", 6);
		for (size_t at = 6; at + 9 <= done; at += 9)
			assert_int_equal(strtoul(buf + at, NULL, 10), at);
		rest = done;
		assert_int_equal(file->ops->seek(file, 0, SEEK_SET), 0);
		assert_int_equal(do_read(file, buf, 4000000), rest);
		assert_int_equal(nr_made, 2);
		assert_int_equal(file->ops->seek(file, 0, SEEK_END), -EINVAL);
		assert_int_equal(file->ops->seek(file, -1, SEEK_SET), -EINVAL);
		close_file(file);
	}
	free(buf);
}

static void test_failing(void **state)
{
	struct file *file = open_file("2/text");
	char buf[2000];

	(void)state;
	text_len = 1000;
	for (unsigned i = 1; i <= 2; i++) { /* what was got is kept, so each gets further */
		heap_fail_at = i;
		assert_int_equal(do_read(file, buf, sizeof(buf)), -ENOMEM);
		heap_fail_at = 0;
	}
	assert_true(do_read(file, buf, sizeof(buf)) >= 1000);
	heap_fail_at = 1;
	assert_int_equal(do_write(file, "x", 1), -ENOMEM);
	heap_fail_at = 0;
	close_file(file);
}

static void test_store(void **state)
{
	struct file *file = open_file("2/text");
	static char large[10000];

	(void)state;
	assert_int_equal(do_write(file, "value\n", 6), 6);
	assert_string_equal(stored, "value\n");
	memset(large, 'l', sizeof(large));
	assert_int_equal(do_write(file, large, sizeof(large)), 4095);
	close_file(file);
	file = open_file("4/text");
	assert_int_equal(do_write(file, "x", 1), -EINVAL);
	close_file(file);
	file = open_file("fixed");
	assert_int_equal(do_write(file, "x", 1), -EIO);
	assert_int_equal(do_read(file, large, 3), 3);
	assert_int_equal(do_read(file, large + 3, 100), 4);
	assert_int_equal(do_read(file, large + 7, 100), 0);
	assert_memory_equal(large, "always\n", 7);
	close_file(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
