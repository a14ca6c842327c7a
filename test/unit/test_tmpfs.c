/*
 * tmpfs and the names above it against the machine's own tmpfs: random calls are made in both, and must give the same
 * errors and leave the same trees, with the same contents; as different users where the test may change its ids.
 * Without a lower file system and over one; then with allocations that fail, where all that counts is that nothing is
 * lost or corrupted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#define iovec host_iovec /* the kernel has its own */
#include <fcntl.h>
#undef iovec
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#undef O_LARGEFILE
#define KERNEL_FILE_ABI_H /* the host's headers have the same names */
#define PATH_MAX 4096
#include "kernel/file/attr.h"
#include "kernel/file/change.h"
#include "kernel/file/dentry.h"
#include "kernel/file/vnode_file.h"
#include "kernel/fs/tmpfs.h"
#include "lib/util.h"
#include "test/unit/vfs_env.h"

#define NAMES 5
#define DEPTH 3
#define FILE_MAX 20000
#define ROUNDS 60

static struct fs_context context;
static char top[64];
static bool may_go_up; /* ".." cannot lead out of the tree on the host: there is a chroot(2) */
static bool failing;   /* allocations fail, the host is not asked */
static uint64_t seed;

static unsigned below(unsigned n)
{
	seed = seed * 6364136223846793005 + 1442695040888963407;
	return (unsigned)(seed >> 33) % n;
}

/* "/a/b", "a/../b/", ... */
static void random_path(char *path)
{
	unsigned depth = 1 + below(DEPTH), len = 0;

	if (below(2))
		path[len++] = '/';
	for (unsigned i = 0; i < depth; i++) {
		unsigned kind = below(40);

		if (kind == 0 && !may_go_up)
			kind = 1;

		if (i)
			path[len++] = '/';
		if (kind == 0)
			len += (unsigned)sprintf(path + len, "..");
		else if (kind == 1)
			len += (unsigned)sprintf(path + len, ".");
		else if (kind == 2)
			len += (unsigned)sprintf(path + len, "long-name-that-does-not-fit-into-a-dentry-itself-%u",
						 below(2));
		else
			path[len++] = (char)('a' + below(NAMES));
	}
	if (below(20) == 0)
		path[len++] = '/';
	path[len] = '\0';
}

/* The host's errno as a negative result. */
static long host(long result)
{
	return result < 0 ? -errno : result;
}

static void host_path(char *out, const char *path)
{
	sprintf(out, "%s/%s", top, path);
}

static int open_ours(const char *path, unsigned flags, uint32_t mode, struct file **file)
{
	return path_open(&context, NULL, path, flags, mode, file);
}

static void check(const char *what, const char *path, long ours, long theirs)
{
	if (failing || ours == theirs)
		return;
	fprintf(stderr, "%s %s: %ld, Linux: %ld (seed %lu)\n", what, path, ours, theirs, seed);
	fail();
}

static void op_open(const char *path, const char *theirs)
{
	static const unsigned flags[] = {
		O_RDONLY,
		O_RDWR,
		O_CREAT | O_RDWR,
		O_CREAT | O_EXCL | O_WRONLY,
		O_TRUNC | O_RDWR,
		O_CREAT | O_TRUNC | O_WRONLY,
		O_NOFOLLOW | O_RDONLY,
		O_DIRECTORY | O_RDONLY,
		O_CREAT | O_RDWR | O_NOFOLLOW,
	};
	unsigned flag = flags[below(ARRAY_SIZE(flags))];
	struct file *file;
	long result = open_ours(path, flag, 0644, &file);
	long fd = failing ? 0 : host(open(theirs, (int)flag, 0644));

	if (result == 0)
		file_put(file);
	if (fd >= 0 && !failing)
		close((int)fd);
	check("open", path, result, MIN(fd, 0));
}

static void fill(char *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (char)below(256);
}

static void op_write(const char *path, const char *theirs)
{
	size_t len = below(3) ? below(300) : below(9000);
	int64_t pos = below(FILE_MAX - 9000);
	static char buf[9000];
	struct file *file;
	long result = open_ours(path, O_WRONLY, 0, &file);
	long fd = failing ? 0 : host(open(theirs, O_WRONLY));

	check("open for write", path, result, MIN(fd, 0));
	fill(buf, len);
	if (result == 0) {
		result = env_write(file, buf, len, pos);
		file_put(file);
	}
	if (fd >= 0 && !failing) {
		check("write", path, result, host(pwrite((int)fd, buf, len, pos)));
		close((int)fd);
	}
}

static void op_truncate(const char *path, const char *theirs)
{
	int64_t size = below(FILE_MAX);
	struct file *file;
	long result = open_ours(path, O_WRONLY, 0, &file), fd;

	if (result == 0) {
		result = vnode_truncate(file->vnode, size, &context.cred);
		file_put(file);
	}
	if (failing)
		return;
	fd = host(open(theirs, O_WRONLY));
	check("truncate", path, result, fd < 0 ? fd : host(ftruncate((int)fd, size)));
	if (fd >= 0)
		close((int)fd);
}

static void op_allocate(const char *path, const char *theirs)
{
	static const int modes[] = { 0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
				     FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE };
	int mode = modes[below(ARRAY_SIZE(modes))];
	int64_t off = below(FILE_MAX - 9000), len = 1 + below(9000);
	struct file *file;
	long result = open_ours(path, O_WRONLY, 0, &file), fd;

	if (result == 0) {
		result = vnode_allocate(file->vnode, mode, off, len, &context.cred);
		file_put(file);
	}
	if (failing)
		return;
	fd = host(open(theirs, O_WRONLY));
	check("fallocate", path, result, fd < 0 ? fd : host(fallocate((int)fd, mode, off, len)));
	if (fd >= 0)
		close((int)fd);
}

static void op_mkdir(const char *path, const char *theirs)
{
	long result = path_create(&context, NULL, path, S_IFDIR | 0755, 0, NULL);

	check("mkdir", path, result, failing ? 0 : host(mkdir(theirs, 0755)));
}

static void op_mknod(const char *path, const char *theirs)
{
	long result = path_create(&context, NULL, path, S_IFSOCK | 0600, 0, NULL);

	check("mknod", path, result, failing ? 0 : host(mknod(theirs, S_IFSOCK | 0600, 0)));
}

static void op_symlink(const char *path, const char *theirs)
{
	char target[300];
	long result;

	do /* relative ones only: an absolute one means something else on the host */
		random_path(target);
	while (*target == '/' || strstr(target, ".."));
	result = path_create(&context, NULL, path, S_IFLNK | 0777, 0, target);
	check("symlink", path, result, failing ? 0 : host(symlink(target, theirs)));
}

static void op_unlink(const char *path, const char *theirs)
{
	long result = path_unlink(&context, NULL, path, false);

	check("unlink", path, result, failing ? 0 : host(unlink(theirs)));
}

static void op_rmdir(const char *path, const char *theirs)
{
	long result = path_unlink(&context, NULL, path, true);

	check("rmdir", path, result, failing ? 0 : host(rmdir(theirs)));
}

static void op_link(const char *path, const char *theirs)
{
	char from[300], their_from[400];
	struct walk walk;
	long result;

	random_path(from);
	host_path(their_from, from);
	result = path_walk(&context, NULL, from, 0, &walk);
	if (result == 0) {
		result = path_link(&context, dentry_vnode(walk.dentry), NULL, path);
		walk_done(&walk);
	}
	check("link", path, result, failing ? 0 : host(link(their_from, theirs)));
}

static void op_rename(const char *path, const char *theirs)
{
	static const unsigned all[] = { 0, 0, 0, RENAME_NOREPLACE_FLAG, RENAME_EXCHANGE_FLAG };
	unsigned flags = all[below(ARRAY_SIZE(all))];
	char from[300], their_from[400], what[800];
	long result;

	random_path(from);
	host_path(their_from, from);
	sprintf(what, "%s -> %s %u", from, path, flags);
	result = path_rename(&context, NULL, from, NULL, path, flags);
	check("rename", what, result,
	      failing ? 0 : host(syscall(SYS_renameat2, AT_FDCWD, their_from, AT_FDCWD, theirs, flags)));
}

static void op_chmod(const char *path, const char *theirs)
{
	uint32_t mode = 0700 | below(0100);
	struct walk walk;
	long result = path_walk(&context, NULL, path, WALK_FOLLOW, &walk);

	if (result == 0) {
		result = vnode_chmod(dentry_vnode(walk.dentry), &context.cred, mode);
		walk_done(&walk);
	}
	check("chmod", path, result, failing ? 0 : host(chmod(theirs, mode)));
}

static void compare_stat(const char *path, const char *theirs, unsigned walk_flags)
{
	struct vnode_attr attr;
	struct walk walk;
	struct stat st;
	long result = path_walk(&context, NULL, path, walk_flags, &walk);

	check("stat", path, result, host((walk_flags & WALK_FOLLOW ? stat : lstat)(theirs, &st)));
	if (result)
		return;
	assert_int_equal(vnode_getattr(dentry_vnode(walk.dentry), &attr), 0);
	walk_done(&walk);
	check("mode of", path, attr.mode, st.st_mode);
	if (!S_ISDIR(st.st_mode))
		check("size of", path, (long)attr.size, st.st_size);
	check("links of", path, attr.nlink, (long)st.st_nlink);
	check("owner of", path, attr.uid, st.st_uid);
	check("group of", path, attr.gid, st.st_gid);
}

static void op_chown(const char *path, const char *theirs)
{
	static const uint32_t ids[] = { 0, 1000, 1001, UINT32_MAX };
	uint32_t uid = ids[below(ARRAY_SIZE(ids))], gid = ids[below(ARRAY_SIZE(ids))];
	struct walk walk;
	long result = path_walk(&context, NULL, path, 0, &walk);

	if (result == 0) {
		result = vnode_chown(dentry_vnode(walk.dentry), &context.cred, uid, gid);
		walk_done(&walk);
	}
	check("chown", path, result, failing ? 0 : host(lchown(theirs, uid, gid)));
}

/* Modes that make a difference. */
static void op_chmod_special(const char *path, const char *theirs)
{
	static const uint32_t modes[] = { 0777, 0777, 01775, 02775, 0755, 0700, 0711, 0744, 06755, 02644, 0666 };
	uint32_t mode = modes[below(ARRAY_SIZE(modes))];
	struct walk walk;
	long result = path_walk(&context, NULL, path, WALK_FOLLOW, &walk);

	if (result == 0) {
		result = vnode_chmod(dentry_vnode(walk.dentry), &context.cred, mode);
		walk_done(&walk);
	}
	check("chmod", path, result, failing ? 0 : host(chmod(theirs, mode)));
}

static void op_access(const char *path, const char *theirs)
{
	unsigned mode = below(8); /* R_OK, W_OK, X_OK have the same values */
	struct walk walk;
	long result = path_walk(&context, NULL, path, WALK_FOLLOW, &walk);

	if (result == 0) {
		result = vnode_access(dentry_vnode(walk.dentry), &context.cred, mode);
		walk_done(&walk);
	}
	check("access", path, result, failing ? 0 : host(faccessat(AT_FDCWD, theirs, (int)mode, AT_EACCESS)));
}

static void op_stat(const char *path, const char *theirs)
{
	struct walk walk;

	if (!failing)
		compare_stat(path, theirs, below(2) ? WALK_FOLLOW : 0);
	else if (!path_walk(&context, NULL, path, WALK_FOLLOW, &walk))
		walk_done(&walk);
}

static void op_shrink(const char *path, const char *theirs)
{
	(void)path, (void)theirs;
	dentry_shrink(below(50));
}

/* Maps a page as a fault would. */
static void op_fault(const char *path, const char *theirs)
{
	struct vm_page page = { 0 };
	struct file *file;

	(void)theirs;
	if (open_ours(path, O_RDWR, 0, &file))
		return;
	if (file->vnode->object.ops &&
	    file->vnode->object.ops->page(&file->vnode->object, below(6) * PAGE_SIZE, false, &page) == 0 && page.page)
		page_put(page.page);
	file_put(file);
}

static void (*const ops[])(const char *path, const char *theirs) = {
	op_open,  op_open,    op_open,	 op_write,  op_write,  op_truncate,	 op_allocate, op_mkdir,	 op_mkdir,
	op_mknod, op_symlink, op_unlink, op_unlink, op_rmdir,  op_link,		 op_rename,   op_rename, op_chmod,
	op_stat,  op_stat,    op_shrink, op_fault,  op_access, op_chmod_special, op_chown,
};

/*
 * ---- Comparing trees
 * --------------------------------------------------------------------------------------------------
 */

struct names {
	struct dir_sink sink;
	char name[64][256];
	unsigned nr, room;
};

static bool names_entry(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type, uint64_t next)
{
	struct names *names = container_of(sink, struct names, sink);

	(void)ino, (void)type, (void)next;
	if (!names->room)
		return false;
	names->room--;
	assert_true(names->nr < 64);
	memcpy(names->name[names->nr], name, len);
	names->name[names->nr++][len] = '\0';
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* By a few entries at a time, as getdents with a small buffer. */
static void list_ours(const char *path, struct names *names)
{
	struct file *file;
	unsigned before;

	names->sink.entry = names_entry;
	names->nr = 0;
	assert_int_equal(open_ours(path, O_RDONLY | O_DIRECTORY, 0, &file), 0);
	do {
		before = names->nr;
		names->room = 1 + below(5);
		assert_int_equal(file_readdir(file, &names->sink), 0);
	} while (names->nr != before);
	file_put(file);
	qsort(names->name, names->nr, sizeof(names->name[0]), compare_names);
}

static void list_theirs(const char *path, struct names *names)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	assert_non_null(dir);
	names->nr = 0;
	while ((entry = readdir(dir)))
		strcpy(names->name[names->nr++], entry->d_name);
	closedir(dir);
	qsort(names->name, names->nr, sizeof(names->name[0]), compare_names);
}

static void compare_contents(const char *path, const char *theirs)
{
	static char ours_buf[FILE_MAX * 2], their_buf[FILE_MAX * 2];
	struct file *file;
	int fd = open(theirs, O_RDONLY);
	ssize_t n;

	assert_int_equal(open_ours(path, O_RDONLY, 0, &file), 0);
	n = env_read(file, ours_buf, sizeof(ours_buf), 0);
	assert_int_equal(n, read(fd, their_buf, sizeof(their_buf)));
	for (ssize_t i = 0; i < n; i++)
		if (ours_buf[i] != their_buf[i]) {
			fprintf(stderr, "%s differs at %zd of %zd (seed %lu)\n", path, i, n, seed);
			fail();
		}
	file_put(file);
	close(fd);
}

static void compare_tree(const char *path, const char *theirs)
{
	struct names *ours = malloc(sizeof(*ours)), *host_names = malloc(sizeof(*host_names));
	char a[1000], b[1100];
	struct stat st;

	list_ours(path, ours);
	list_theirs(theirs, host_names);
	assert_int_equal(ours->nr, host_names->nr);
	for (unsigned i = 0; i < ours->nr; i++) {
		assert_string_equal(ours->name[i], host_names->name[i]);
		if (*ours->name[i] == '.')
			continue;
		sprintf(a, "%s/%s", path, ours->name[i]);
		sprintf(b, "%s/%s", theirs, ours->name[i]);
		compare_stat(a, b, 0);
		assert_int_equal(lstat(b, &st), 0);
		if (S_ISREG(st.st_mode))
			compare_contents(a, b);
		else if (S_ISDIR(st.st_mode))
			compare_tree(a, b);
	}
	free(ours);
	free(host_names);
}

/*
 * ---- Runs
 * -------------------------------------------------------------------------------------------------------------
 */

static void become(uint32_t id)
{
	context.cred.uid = context.cred.euid = context.cred.fsuid = id;
	context.cred.gid = context.cred.egid = context.cred.fsgid = id;
	if (failing)
		return;
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(id), 0);
	assert_int_equal(seteuid(id), 0);
}

static void run_ops(unsigned n)
{
	char path[300], theirs[400];

	while (n--) {
		if (may_go_up)
			become(below(2) ? 1000 + below(2) : 0);
		random_path(path);
		host_path(theirs, path);
		if (failing)
			env_fail_after = below(4);
		ops[below(ARRAY_SIZE(ops))](path, theirs);
		env_fail_after = SIZE_MAX;
	}
	if (may_go_up)
		become(0);
}

static void begin(struct file_system *lower)
{
	struct file_system *fs;

	assert_int_equal(tmpfs_create(lower, 0, 0777, &fs), 0);
	env_context(&context, fs);
}

static void end(void)
{
	env_context_done(&context);
	assert_int_equal(env_nr_objects, 0);
	assert_int_equal(env_nr_pages, 0);
}

static void host_begin(void)
{
	umask(0);
	strcpy(top, "/dev/shm/drupe-XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(chmod(top, 0777), 0);
	may_go_up = geteuid() == 0;
}

/* In a process of its own, whose root the host's tree is if it may. */
static void run_child(void (*fn)(void), uint64_t seed_first)
{
	char command[200];
	int status;
	pid_t pid;

	seed = seed_first;
	host_begin();
	pid = fork();
	if (pid == 0) {
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		if (may_go_up) {
			assert_int_equal(chroot(top), 0);
			assert_int_equal(chdir("/"), 0);
			assert_int_equal(setgroups(0, NULL), 0);
			*top = '\0';
		}
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	sprintf(command, "rm -rf %.21s", top);
	assert_int_equal(system(command), 0);
	assert_int_equal(status, 0);
}

static void ops_and_compare(void)
{
	for (unsigned i = 0; i < 10; i++) {
		run_ops(200);
		compare_tree("/", *top ? top : "/");
	}
	end();
}

static void one_as_linux(void)
{
	begin(NULL);
	ops_and_compare();
}

/* Makes what was made so far the lower file system of a new one. */
static void put_below(void)
{
	struct file_system *lower = dentry_vnode(context.root)->fs;

	vnode_get(lower->root);
	env_context_done(&context);
	lower->read_only = true;
	begin(lower);
}

static void one_over_lower(void)
{
	begin(NULL);
	run_ops(400);
	put_below();
	compare_tree("/", *top ? top : "/");
	ops_and_compare();
}

static void as_linux(void **state)
{
	(void)state;
	for (unsigned round = 1; round <= ROUNDS; round++)
		run_child(one_as_linux, round);
}

static void over_lower(void **state)
{
	(void)state;
	for (unsigned round = 1; round <= ROUNDS; round++)
		run_child(one_over_lower, round * 1000);
}

static void allocations_fail(void **state)
{
	(void)state;
	failing = true;
	for (unsigned round = 1; round <= 200; round++) {
		seed = round;
		begin(NULL);
		run_ops(300);
		put_below();
		run_ops(1000);
		end();
	}
	failing = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_linux),
		cmocka_unit_test(over_lower),
		cmocka_unit_test(allocations_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
