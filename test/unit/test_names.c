/*
 * Names where the machine cannot be asked: mounts, the way back to a path, limited walks, lists that change, pages of a
 * lower file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/file/abi.h"
#include "kernel/file/attr.h"
#include "kernel/file/change.h"
#include "kernel/file/dentry.h"
#include "kernel/file/vnode_file.h"
#include "kernel/fs/tmpfs.h"
#include "test/unit/vfs_env.h"

static struct fs_context context;

static void make(const char *path, uint32_t mode, const char *target)
{
	assert_int_equal(path_create(&context, NULL, path, mode, 0, target), 0);
}

static int setup(void **state)
{
	struct file_system *fs;

	(void)state;
	assert_int_equal(tmpfs_create(NULL, 0, 0755, &fs), 0);
	env_context(&context, fs);
	make("/a", S_IFDIR | 0755, NULL);
	make("/a/b", S_IFDIR | 0755, NULL);
	make("/a/b/file", S_IFREG | 0644, NULL);
	make("/a/up", S_IFLNK | 0777, "../a/b");
	make("/a/top", S_IFLNK | 0777, "/a");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	env_context_done(&context);
	assert_int_equal(env_nr_objects, 0);
	assert_int_equal(env_nr_pages, 0);
	return 0;
}

static int walk(struct dentry *at, const char *path, unsigned flags)
{
	struct walk w;
	int error = path_walk(&context, at, path, flags, &w);

	if (!error)
		walk_done(&w);
	return error;
}

static struct dentry *find(const char *path)
{
	struct walk w;

	assert_int_equal(path_walk(&context, NULL, path, 0, &w), 0);
	return w.dentry;
}

static void assert_path(struct dentry *root, struct dentry *dentry, const char *expected)
{
	char buf[100];

	assert_string_equal(path_of(root, dentry, buf, sizeof(buf), NULL), expected);
}

static void paths(void **state)
{
	struct dentry *file = find("/a/b/file"), *dir = find("/a");
	bool reachable;
	char buf[100];

	(void)state;
	assert_path(NULL, file, "/a/b/file");
	assert_path(context.root, context.root, "/");
	assert_path(dir, file, "/b/file");
	assert_path(dir, dir, "/");
	path_of(file, dir, buf, sizeof(buf), &reachable);
	assert_false(reachable);
	assert_null(path_of(NULL, file, buf, 9, NULL));
	assert_int_equal(path_unlink(&context, NULL, "/a/b/file", false), 0);
	assert_path(NULL, file, "/a/b/file (deleted)");
	make("/a/b/file", S_IFREG | 0644, NULL);
	assert_int_equal(path_rename(&context, NULL, "/a/b", NULL, "/moved", 0), 0);
	dentry_put(file);
	file = find("/moved/file");
	assert_path(NULL, file, "/moved/file");
	dentry_put(file);
	dentry_put(dir);
}

static void limited_walks(void **state)
{
	struct dentry *a = find("/a");

	(void)state;
	assert_int_equal(walk(a, "b/../b/file", WALK_BENEATH), 0);
	assert_int_equal(walk(a, "../a", WALK_BENEATH), -EXDEV);
	assert_int_equal(walk(a, "/a", WALK_BENEATH), -EXDEV);
	assert_int_equal(walk(a, "top/b", WALK_BENEATH), -EXDEV);
	assert_int_equal(walk(a, "up", WALK_BENEATH | WALK_FOLLOW), -EXDEV);
	assert_int_equal(walk(a, "/b/file", WALK_IN_ROOT), 0);
	assert_int_equal(walk(a, "/../../b/file", WALK_IN_ROOT), 0);
	assert_int_equal(walk(a, "/top", WALK_IN_ROOT | WALK_FOLLOW), -ENOENT);
	assert_int_equal(walk(a, "up/file", WALK_NO_SYMLINKS), -ELOOP);
	assert_int_equal(walk(a, "up", WALK_NO_SYMLINKS), 0);
	assert_int_equal(walk(a, "", 0), -ENOENT);
	assert_int_equal(walk(a, "", WALK_EMPTY), 0);
	assert_int_equal(walk(a, "b/file", WALK_DIRECTORY), -ENOTDIR);
	assert_int_equal(walk(a, "b/file/", 0), -ENOTDIR);
	assert_int_equal(walk(a, "b/file", WALK_CACHED), 0);
	while (dentry_shrink(100))
		;
	assert_int_equal(walk(a, "b/file", WALK_CACHED), -EAGAIN);
	dentry_put(a);
}

static struct dentry *mount_at(const char *path)
{
	struct dentry *at = find(path);
	struct file_system *fs;

	assert_int_equal(tmpfs_create(NULL, 0, 0755, &fs), 0);
	assert_int_equal(path_mount(at, fs, "none", 0), 0);
	dentry_put(at);
	return find(path);
}

static void mounts(void **state)
{
	struct dentry *root, *inner, *parent;

	(void)state;
	root = mount_at("/a/b");
	assert_int_equal(walk(NULL, "/a/b/file", 0), -ENOENT);
	make("/a/b/inside", S_IFDIR | 0755, NULL);
	inner = find("/a/b/inside");
	assert_path(context.root, inner, "/a/b/inside");
	assert_int_equal(walk(inner, "../../b/inside/..", 0), 0);
	assert_int_equal(walk(inner, "../..", WALK_NO_XDEV), -EXDEV);
	assert_int_equal(walk(NULL, "/a/b", WALK_NO_XDEV), -EXDEV);
	parent = dentry_parent(root);
	assert_path(NULL, parent, "/a");
	dentry_put(parent);
	assert_int_equal(path_unlink(&context, NULL, "/a/b", true), -EBUSY);
	assert_int_equal(path_rename(&context, NULL, "/a/b", NULL, "/x", 0), -EBUSY);
	assert_int_equal(path_rename(&context, NULL, "/a/b/inside", NULL, "/x", 0), -EXDEV);
	assert_int_equal(path_unmount(root, 0), -EBUSY);
	assert_int_equal(path_unmount(inner, 0), -EINVAL);
	dentry_put(inner);
	assert_int_equal(path_remount(root, MS_RDONLY), 0);
	assert_int_equal(path_create(&context, NULL, "/a/b/no", S_IFREG | 0644, 0, NULL), -EROFS);
	assert_int_equal(path_unmount(root, 0), 0);
	dentry_put(root);
	assert_int_equal(walk(NULL, "/a/b/file", 0), 0);
	assert_int_equal(path_unmount(context.root, 0), -EINVAL);
	root = mount_at("/a/b");
	assert_int_equal(path_unmount(root, MNT_DETACH), 0);
	dentry_put(root);
}

/* ---- Lists that change -------------------------------------------------------------------------------------------------- */

struct seen {
	struct dir_sink sink;
	unsigned count[64], nr, room;
};

static bool seen_entry(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type, uint64_t next)
{
	struct seen *seen = container_of(sink, struct seen, sink);

	(void)len, (void)ino, (void)type, (void)next;
	if (!seen->room--)
		return false;
	seen->nr++;
	if (name[0] == 'n')
		seen->count[atoi(name + 1)]++;
	return true;
}

static void list_while_it_changes(struct fs_context *in)
{
	struct seen seen = { .sink = { seen_entry } };
	struct file *file;
	char path[20];
	unsigned removed = 0, before;

	assert_int_equal(path_open(in, NULL, "/n", O_RDONLY | O_DIRECTORY, 0, &file), 0);
	do {
		before = seen.nr;
		seen.room = 7;
		assert_int_equal(file_readdir(file, &seen.sink), 0);
		for (unsigned i = 0; i < 3 && removed < 64; i++, removed += 2) { /* the even ones, listed or not */
			sprintf(path, "/n/n%u", removed);
			assert_int_equal(path_unlink(in, NULL, path, false), 0);
		}
	} while (seen.nr != before);
	file_put(file);
	for (unsigned i = 1; i < 64; i += 2) /* what stayed is listed once */
		assert_int_equal(seen.count[i], 1);
	for (unsigned i = 0; i < 64; i += 2)
		assert_true(seen.count[i] <= 1);
}

static void many_files(void)
{
	char path[20];

	make("/n", S_IFDIR | 0755, NULL);
	for (unsigned i = 0; i < 64; i++) {
		sprintf(path, "/n/n%u", i);
		make(path, S_IFREG | 0644, NULL);
	}
}

/* Makes what there is the lower file system of a new root. */
static void put_below(void)
{
	struct file_system *lower = dentry_vnode(context.root)->fs, *fs;

	vnode_get(lower->root);
	env_context_done(&context);
	lower->read_only = true;
	assert_int_equal(tmpfs_create(lower, 0, 0755, &fs), 0);
	env_context(&context, fs);
}

static void lists(void **state)
{
	(void)state;
	many_files();
	list_while_it_changes(&context);
}

static void lists_over_lower(void **state)
{
	(void)state;
	many_files();
	put_below();
	list_while_it_changes(&context);
}

/* ---- Pages -------------------------------------------------------------------------------------------------------------- */

static struct file *open_file(const char *path)
{
	struct file *file;

	assert_int_equal(path_open(&context, NULL, path, O_RDWR | O_CREAT, 0644, &file), 0);
	return file;
}

static char *fault(struct file *file, uint64_t off, bool write, struct vm_page *page)
{
	struct vm_object *object = &file->vnode->object;

	*page = (struct vm_page){ 0 };
	assert_int_equal(object->ops->page(object, off, write, page), 0);
	return arch_phys_to_virt(page->pa);
}

static void pages(void **state)
{
	struct vm_page lower, own, again;
	struct file *file = open_file("/f");
	char buf[10] = "", *at;
	struct vm_object *object;

	(void)state;
	assert_int_equal(env_write(file, "lower", 5, 0), 5);
	assert_int_equal(env_write(file, "end", 3, 2 * PAGE_SIZE), 3);
	file_put(file);
	put_below();
	file = open_file("/f");
	object = &file->vnode->object;
	at = fault(file, 0, false, &lower);
	assert_memory_equal(at, "lower", 5);
	list_push_back(&object->mappings, &(struct list){ 0 }); /* somebody maps it */
	env_nr_unmaps = 0;
	assert_int_equal(env_write(file, "UP", 2, 0), 2);
	assert_int_equal(env_nr_unmaps, 1); /* who mapped the lower page has to ask again */
	list_init(&object->mappings);
	assert_memory_equal(at, "lower", 5);
	at = fault(file, 0, false, &own);
	assert_memory_equal(at, "UPwer", 5);
	assert_ptr_equal(at, fault(file, 0, true, &again));
	memcpy(at, "mapped", 6); /* a store through a shared mapping */ // NOLINT: a file has no terminator
	assert_int_equal(env_read(file, buf, 6, 0), 6);
	assert_string_equal(buf, "mapped");
	assert_int_equal(vnode_truncate(file->vnode, 3, &context.cred), 0);
	assert_int_equal(vnode_truncate(file->vnode, 3 * PAGE_SIZE, &context.cred), 0);
	assert_int_equal(env_read(file, buf, 3, 2 * PAGE_SIZE), 3);
	assert_memory_equal(buf, "\0\0\0", 3); /* not the lower file's again */
	assert_memory_equal(at, "map\0\0\0", 6);
	assert_int_equal(object->ops->page(object, 3 * PAGE_SIZE, false, &(struct vm_page){ 0 }), -ENXIO);
	page_put(lower.page);
	page_put(own.page);
	page_put(again.page);
	file_put(file);
}

static void space(void **state)
{
	struct file_system *fs;
	struct dentry *at = find("/a/b"), *root;
	struct fs_stat stat = { 0 };
	struct file *file;
	static char buf[5 * PAGE_SIZE];

	(void)state;
	assert_int_equal(tmpfs_create(NULL, 3 * PAGE_SIZE, 0755, &fs), 0);
	assert_int_equal(path_mount(at, fs, "none", 0), 0);
	dentry_put(at);
	file = open_file("/a/b/f");
	assert_int_equal(env_write(file, buf, sizeof(buf), 0), 3 * PAGE_SIZE);
	assert_int_equal(env_write(file, buf, 1, 3 * PAGE_SIZE), -ENOSPC);
	fs->stat(fs, &stat);
	assert_int_equal(stat.blocks_free, 0);
	assert_int_equal(vnode_allocate(file->vnode, 0, 0, INT64_MAX, &context.cred), -ENOSPC);
	assert_int_equal(vnode_truncate(file->vnode, 1, &context.cred), 0);
	fs->stat(fs, &stat);
	assert_int_equal(stat.blocks_free, 2);
	file_put(file);
	assert_int_equal(path_unlink(&context, NULL, "/a/b/f", false), 0);
	root = find("/a/b");
	assert_int_equal(path_unmount(root, 0), 0);
	dentry_put(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths, setup, teardown),
		cmocka_unit_test_setup_teardown(limited_walks, setup, teardown),
		cmocka_unit_test_setup_teardown(mounts, setup, teardown),
		cmocka_unit_test_setup_teardown(lists, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_over_lower, setup, teardown),
		cmocka_unit_test_setup_teardown(pages, setup, teardown),
		cmocka_unit_test_setup_teardown(space, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
