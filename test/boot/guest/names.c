/*
 * Names and files in memory, in an image: several threads make, move, look up and remove in the same directories
 * while the cache is shrunk under them; nothing may be lost or left. What each call means is
 * test/unit/test_tmpfs.c's. Prints how many ticks common calls take, which with -icount shift=0 are instructions.
 */
#include "kernel/core/thread.h"
#include "kernel/file/abi.h"
#include "kernel/file/attr.h"
#include "kernel/file/change.h"
#include "kernel/file/dentry.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/file/vnode_file.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "test/boot/guest/tap.h"

static struct fs_context context;

static bool make(const char *path, uint32_t mode)
{
	return path_create(&context, NULL, path, mode, 0, NULL) == 0;
}

static void test_setup(void)
{
	struct file_system *fs;
	struct dentry *root;
	struct walk walk;

	spin_init(&context.lock, "fs_context");
	TAP_EQUAL(tmpfs_create(NULL, 0, 0755, &fs), 0, "a tmpfs");
	TAP_EQUAL(path_mount_root(fs, &root), 0, "is mounted as /");
	dentry_get(root);
	context.root = context.cwd = root;
	TAP_CHECK(make("/a", S_IFDIR | 0755) && make("/a/b", S_IFDIR | 0755) && make("/a/b/c", S_IFREG | 0644),
		  "directories and a file");
	TAP_EQUAL(path_walk(&context, NULL, "/a/b/c", 0, &walk), 0, "are found");
	walk_done(&walk);
}

/*
 * ---- Several threads
 * ---------------------------------------------------------------------------------------------------
 */

#define NR_THREADS 4
#define ROUNDS 2000

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static void random_name(char *path, size_t size, uint32_t *seed)
{
	uint32_t n = next(seed);

	if (n & 1)
		fmt_format(path, size, "/t/%c", 'a' + n / 2 % 4);
	else
		fmt_format(path, size, "/t/%c/%c", 'a' + n / 2 % 4, 'a' + n / 8 % 4);
}

static void one_call(uint32_t kind, const char *path, const char *other)
{
	struct file *file;
	struct walk walk;

	switch (kind % 8) {
	case 0:
	case 1:
		if (!path_open(&context, NULL, path, O_CREAT | O_RDWR, 0644, &file))
			file_put(file);
		break;
	case 2:
		path_unlink(&context, NULL, path, false);
		break;
	case 3:
		make(path, S_IFDIR | 0755);
		break;
	case 4:
		path_unlink(&context, NULL, path, true);
		break;
	case 5:
		path_rename(&context, NULL, path, NULL, other, next(&kind) % 2 ? RENAME_EXCHANGE_FLAG : 0);
		break;
	case 6:
		dentry_shrink(kind % 5);
		break;
	default:
		if (!path_walk(&context, NULL, path, WALK_FOLLOW, &walk))
			walk_done(&walk);
	}
}

static int worker(void *arg)
{
	uint32_t seed = (uint32_t)(uintptr_t)arg;
	char path[16], other[16];

	for (unsigned i = 0; i < ROUNDS; i++) {
		random_name(path, sizeof(path), &seed);
		random_name(other, sizeof(other), &seed);
		one_call(next(&seed), path, other);
	}
	return 0;
}

/* Takes the first name of a directory. */
struct first_sink {
	struct dir_sink sink;
	char *to;
};

static bool first_entry(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type,
			uint64_t position)
{
	struct first_sink *first = container_of(sink, struct first_sink, sink);

	(void)ino, (void)type, (void)position;
	if (name[0] == '.')
		return true;
	if (*first->to)
		return false;
	first->to[0] = '/';
	memcpy(first->to + 1, name, len);
	first->to[1 + len] = '\0';
	return true;
}

/* Removes the tree at PATH, which has room for the longest path in it, one name after the other. */
static bool remove_tree(char *path)
{
	size_t top = strlen(path), len;
	struct file *file;

	for (;;) {
		struct first_sink first = { { first_entry }, path + strlen(path) };

		if (path_open(&context, NULL, path, O_RDONLY | O_DIRECTORY, 0, &file))
			return false;
		file_readdir(file, &first.sink);
		file_put(file);
		if (*first.to && path_unlink(&context, NULL, path, false) == -EISDIR)
			continue; /* down */
		if (!*first.to && path_unlink(&context, NULL, path, true))
			return false;
		len = strlen(path);
		if (len == top)
			return true;
		while (path[--len] != '/')
			;
		path[len] = '\0'; /* up */
	}
}

static void test_threads(void)
{
	static char path[PATH_LEN_MAX] = "/t";
	struct thread *threads[NR_THREADS];
	struct walk walk;

	make("/t", S_IFDIR | 0777);
	for (uintptr_t i = 0; i < NR_THREADS; i++)
		thread_create(&threads[i], "worker", worker, (void *)(i + 1), 0);
	for (unsigned i = 0; i < NR_THREADS; i++)
		thread_join(threads[i]);
	TAP_CHECK(remove_tree(path), "what four threads did at once can be removed");
	TAP_EQUAL(path_walk(&context, NULL, "/t", 0, &walk), -ENOENT, "and is gone");
}

/*
 * ---- Costs
 * ---------------------------------------------------------------------------------------------------------------
 */

#define TIMES 1000

static void report(const char *what, uint64_t ticks)
{
	tap_note("%s: %lu ticks", what, (unsigned long)(ticks / TIMES));
}

static void test_costs(void)
{
	struct vnode_attr attr;
	struct file *file = NULL;
	struct walk walk;
	uint64_t begin = arch_ticks();

	for (unsigned i = 0; i < TIMES; i++) {
		if (path_walk(&context, NULL, "/a/b/c", WALK_FOLLOW, &walk))
			break;
		vnode_getattr(dentry_vnode(walk.dentry), &attr);
		walk_done(&walk);
	}
	report("path_walk(\"/a/b/c\"), getattr", arch_ticks() - begin);
	begin = arch_ticks();
	for (unsigned i = 0; i < TIMES; i++)
		path_walk(&context, NULL, "/a/b/nothing", 0, &walk);
	report("path_walk of a name that is not there", arch_ticks() - begin);
	begin = arch_ticks();
	for (unsigned i = 0; i < TIMES; i++) {
		path_open(&context, NULL, "/a/b/c", O_RDWR, 0, &file);
		file_put(file);
	}
	report("path_open, file_put", arch_ticks() - begin);
	begin = arch_ticks();
	for (unsigned i = 0; i < TIMES; i++) {
		path_open(&context, NULL, "/a/b/new", O_RDWR | O_CREAT, 0644, &file);
		file_put(file);
		path_unlink(&context, NULL, "/a/b/new", false);
	}
	report("create, close, unlink", arch_ticks() - begin);
}

static void test_transfer_costs(void)
{
	struct file *file;
	struct iovec iov;
	struct uio uio;
	static char buf[65536];
	uint64_t begin;

	TAP_EQUAL(path_open(&context, NULL, "/a/b/c", O_RDWR, 0, &file), 0, "a file to write to");
	for (unsigned len = 1; len <= sizeof(buf); len *= 256) {
		begin = arch_ticks();
		for (unsigned i = 0; i < TIMES; i++) {
			file->pos = 0;
			uio_init(&uio, &iov, buf, len);
			file_write(file, &uio, NULL);
		}
		report(len == 1 ? "write of 1 byte" : len == 256 ? "of 256" : "of 64 KiB", arch_ticks() - begin);
		begin = arch_ticks();
		for (unsigned i = 0; i < TIMES; i++) {
			file->pos = 0;
			uio_init(&uio, &iov, buf, len);
			file_read(file, &uio, NULL);
		}
		report(len == 1 ? "read of 1 byte" : len == 256 ? "of 256" : "of 64 KiB", arch_ticks() - begin);
	}
	file_put(file);
}

int main(void)
{
	test_setup();
	test_threads();
	test_costs();
	test_transfer_costs();
	return tap_done();
}
