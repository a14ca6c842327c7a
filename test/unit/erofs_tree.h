/* A tree of all kinds of files, images that mkfs.erofs makes of it, and what the host says of its files. */
#ifndef TEST_UNIT_EROFS_TREE_H
#define TEST_UNIT_EROFS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TREE_MANY 5000 /* entries of the directory "many", and a few more */

extern char tree_root[64];
extern bool tree_has_xattrs; /* the host's file system can keep user.* */

/* For cmocka_run_group_tests. */
int tree_make(void **state);
int tree_remove(void **state);

struct image {
	uint8_t *bytes; /* from malloc */
	size_t len;
};
struct image image_make(const char *options);

struct tree_stat {
	unsigned mode, uid, gid, nlink;
	uint64_t ino;
	size_t size;
	uint64_t rdev;
	int64_t mtime;
	long mtime_nsec;
};
struct tree_stat tree_stat(const char *path);
size_t tree_count(const char *path); /* of entries in a directory */
ssize_t tree_readlink(const char *path, char *buf, size_t size);
ssize_t tree_xattr_list(const char *path, char *list, size_t size);
ssize_t tree_xattr_get(const char *path, const char *name, char *value, size_t size);

#endif
