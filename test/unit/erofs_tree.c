/* See erofs_tree.h. The host's side: its headers and the kernel's do not go together. */
#include "test/unit/erofs_tree.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

static char work[] = "build/unit/erofs-XXXXXX";
char tree_root[64];
bool tree_has_xattrs;

/* ---- The tree ---------------------------------------------------------------------------------------------------- */

static void put_file(const char *path, size_t len, unsigned seed)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < len; i++)
		fputc((int)(1 + (i * 7 + i / 251 + seed) % 255), file);
	fclose(file);
}

static void put_deep(const char *top)
{
	char path[3000];
	size_t len = strlen(strcpy(path, top));

	for (int i = 0; i < 60; i++) {
		len += (size_t)sprintf(path + len, "/level-%02d-of-a-deep-tree", i);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	strcpy(path + len, "/at the bottom");
	put_file(path, 5000, 1);
}

static void put_many(const char *dir)
{
	char path[512], name[300];

	assert_int_equal(mkdir(dir, 0755), 0);
	for (unsigned i = 0; i < TREE_MANY; i++) {
		snprintf(path, sizeof(path), "%s/%x-entry-%u", dir, i * 2654435761u, i);
		put_file(path, i % 17, i);
	}
	for (unsigned i = 240; i <= 254; i++) { /* mkfs.erofs 1.5 fails on 255 */
		memset(name, 'a' + (int)i % 26, i);
		name[i] = '\0';
		snprintf(path, sizeof(path), "%s/%s", dir, name);
		put_file(path, i, i);
	}
}

static void set_xattr(const char *path, const char *name, const char *value)
{
	int result = lsetxattr(path, name, value, strlen(value), 0);

	if (!strncmp(name, "user.", 5))
		tree_has_xattrs |= !result;
}

static void put_special(void)
{
	assert_int_equal(mkfifo("fifo", 0640), 0);
	assert_int_equal(symlink("sizes/5000", "link"), 0);
	assert_int_equal(symlink("/nowhere/at/all", "dangling"), 0);
	assert_int_equal(symlink(tree_root, "absolute"), 0);
	assert_int_equal(link("sizes/5000", "hard-1"), 0);
	assert_int_equal(link("sizes/5000", "many/hard-2"), 0);
	assert_int_equal(chmod("sizes/1", 06751), 0);
	if (geteuid() == 0) {
		assert_int_equal(mknod("null", S_IFCHR | 0666, makedev(1, 3)), 0);
		assert_int_equal(mknod("big", S_IFBLK | 0600, makedev(4000, 1000000)), 0);
		assert_int_equal(chown("sizes/1", 1000, 70000), 0);
		set_xattr("sizes/4096", "trusted.t", "of the system");
		set_xattr("sizes/4096", "security.s", "a label");
	}
}

int tree_make(void **state)
{
	static const size_t sizes[] = {
		0, 1, 60, 1000, 4000, 4095, 4096, 4097, 5000, 8191, 8192, 8193, 40960, 1234567
	};
	char path[128], target[4001];

	(void)state;
	assert_non_null(mkdtemp(work));
	snprintf(tree_root, sizeof(tree_root), "%s/tree", work);
	assert_int_equal(mkdir(tree_root, 0755), 0);
	assert_int_equal(chdir(tree_root), 0);
	assert_int_equal(mkdir("sizes", 0755), 0);
	assert_int_equal(mkdir("empty", 01777), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(path, sizeof(path), "sizes/%zu", sizes[i]);
		put_file(path, sizes[i], (unsigned)i);
		/* The same on all: mkfs.erofs shares it. One of its own beside it. */
		set_xattr(path, "user.shared", "the same everywhere, and long enough to be worth sharing");
		set_xattr(path, "user.own", path);
	}
	put_many("many");
	put_deep(".");
	put_special();
	memset(target, 'x', sizeof(target) - 1);
	target[sizeof(target) - 1] = '\0';
	assert_int_equal(symlink(target, "long-link"), 0);
	return chdir("../../../..");
}

int tree_remove(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", work);
	return getenv("KEEP_TREE") ? 0 : system(command);
}

/* ---- Images ------------------------------------------------------------------------------------------------------ */

struct image image_make(const char *options)
{
	char command[256], path[64];
	struct image image;
	FILE *file;

	snprintf(path, sizeof(path), "%s/image", work);
	snprintf(command, sizeof(command), "mkfs.erofs --quiet %s %s %s >/dev/null 2>&1", options, path, tree_root);
	assert_int_equal(system(command), 0);
	file = fopen(path, "r");
	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	image.len = (size_t)ftell(file);
	rewind(file);
	image.bytes = aligned_alloc(4096, (image.len + 4096 - 1) / 4096 * 4096);
	assert_int_equal(fread(image.bytes, 1, image.len, file), image.len);
	fclose(file);
	unlink(path);
	return image;
}

/* ---- Asking ------------------------------------------------------------------------------------------------------ */

struct tree_stat tree_stat(const char *path)
{
	struct stat stat;

	assert_int_equal(lstat(path, &stat), 0);
	return (struct tree_stat){ stat.st_mode,	stat.st_uid,	      stat.st_gid,  (unsigned)stat.st_nlink,
				   stat.st_ino,		(size_t)stat.st_size, stat.st_rdev, stat.st_mtim.tv_sec,
				   stat.st_mtim.tv_nsec };
}

size_t tree_count(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

ssize_t tree_readlink(const char *path, char *buf, size_t size)
{
	return readlink(path, buf, size);
}

ssize_t tree_xattr_list(const char *path, char *list, size_t size)
{
	return llistxattr(path, list, size);
}

ssize_t tree_xattr_get(const char *path, const char *name, char *value, size_t size)
{
	return lgetxattr(path, name, value, size);
}
