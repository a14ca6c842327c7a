/* How a path is walked: dots, slashes, links, limits; chdir, fchdir, getcwd, access. */
#include <limits.h>

#include "test/linux/util.h"

static void test_dots(void)
{
	struct stat a, b;

	TOPIC("dots and slashes");
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	close(make_file("d/f", "f"));
	EQUAL(access("d/./e/../f", F_OK), 0);
	EQUAL(access("d//e///..//f", F_OK), 0);
	EQUAL(access("./././d", F_OK), 0);
	EQUAL(access("d/e/", F_OK), 0);
	FAILS(access("d/f/", F_OK), ENOTDIR);
	FAILS(access("d/f/.", F_OK), ENOTDIR);
	FAILS(access("d/f/..", F_OK), ENOTDIR);
	FAILS(access("d/none/..", F_OK), ENOENT);
	FAILS(access("", F_OK), ENOENT);
	EQUAL(stat("/..", &a), 0);
	EQUAL(stat("/", &b), 0);
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	EQUAL(stat("/../../../..//proc/../", &a), 0);
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	EQUAL(stat("/proc/..", &a), 0);
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	EQUAL(access("//tmp", F_OK), 0);
}

static void test_links(void)
{
	char name[20], target[20];
	int i;

	TOPIC("links");
	symlink("d", "to-dir");
	symlink("d/f", "to-file");
	symlink("../d", "d/back");
	symlink("loop2", "loop1");
	symlink("loop1", "loop2");
	symlink("self/x", "self");
	EQUAL(access("to-dir/f", F_OK), 0);
	EQUAL(access("to-dir/back/back/f", F_OK), 0);
	EQUAL(access("to-dir/e/../../d/f", F_OK), 0);
	EQUAL(access("to-dir/", F_OK), 0);
	FAILS(access("to-file/", F_OK), ENOTDIR);
	FAILS(access("to-file/x", F_OK), ENOTDIR);
	FAILS(access("loop1", F_OK), ELOOP);
	FAILS(access("loop1/x", F_OK), ELOOP);
	FAILS(access("self", F_OK), ELOOP);
	FAILS(open("loop1", O_RDWR | O_CREAT, 0600), ELOOP);
	symlink(util_folder, "absolute");
	EQUAL(access("absolute/d/f", F_OK), 0);
	/* Forty links are followed, not one more (path_resolution(7)). */
	close(make_file("chain0", "end"));
	for (i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "chain%d", i);
		snprintf(target, sizeof(target), "chain%d", i - 1);
		symlink(target, name);
	}
	EQUAL(access("chain40", F_OK), 0);
	FAILS(access("chain41", F_OK), ELOOP);
	struct stat stat_of;
	EQUAL(lstat("chain41", &stat_of), 0);
	CHECK(S_ISLNK(stat_of.st_mode));
	/* With a slash at its end a link is followed even by lstat. */
	EQUAL(lstat("to-dir/", &stat_of), 0);
	CHECK(S_ISDIR(stat_of.st_mode));
	symlink("new-by-link", "creates");
	int fd = DOES(open("creates", O_WRONLY | O_CREAT, 0600));
	close(fd);
	EQUAL(access("new-by-link", F_OK), 0);
}

static void test_limits(void)
{
	static char path[3 * PATH_MAX];
	char name[NAME_MAX + 2];
	int i;

	TOPIC("limits");
	memset(name, 'n', sizeof(name));
	name[NAME_MAX] = '\0';
	EQUAL(close(make_file(name, "x")), 0);
	EQUAL(access(name, F_OK), 0);
	name[NAME_MAX] = 'n';
	name[NAME_MAX + 1] = '\0';
	FAILS(access(name, F_OK), ENAMETOOLONG);
	FAILS(open(name, O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
	FAILS(mkdir(name, 0700), ENAMETOOLONG);
	FAILS(rename("d", name), ENAMETOOLONG);
	/* The longest path has PATH_MAX bytes with its end. */
	for (i = 0; i + 2 < PATH_MAX; i += 2)
		memcpy(path + i, "./", 3);
	memcpy(path + i, "d", 2);
	EQUAL(strlen(path), PATH_MAX - 1);
	EQUAL(access(path, F_OK), 0);
	memcpy(path + PATH_MAX - 2, "./", 3);
	FAILS(access(path, F_OK), ENAMETOOLONG);
	memset(path, 'x', sizeof(path) - 1);
	FAILS(access(path, F_OK), ENAMETOOLONG);
	FAILS(open(path, O_RDONLY), ENAMETOOLONG);
}

static void test_chdir(void)
{
	char buffer[PATH_MAX], deep[PATH_MAX];
	int fd, dir, i;

	TOPIC("chdir and getcwd");
	CHECK(getcwd(buffer, sizeof(buffer)) == buffer && strcmp(buffer, util_folder) == 0);
	EQUAL(syscall(SYS_getcwd, buffer, sizeof(buffer)), (long)strlen(util_folder) + 1);
	EQUAL(chdir("d/e"), 0);
	snprintf(deep, sizeof(deep), "%s/d/e", util_folder);
	CHECK(getcwd(buffer, sizeof(buffer)) == buffer && strcmp(buffer, deep) == 0);
	EQUAL(access("../f", F_OK), 0);
	EQUAL(chdir("../../to-dir"), 0);
	snprintf(deep, sizeof(deep), "%s/d", util_folder);
	CHECK(getcwd(buffer, sizeof(buffer)) == buffer && strcmp(buffer, deep) == 0);
	EQUAL(rename("../d", "../moved"), 0);
	snprintf(deep, sizeof(deep), "%s/moved", util_folder);
	CHECK(getcwd(buffer, sizeof(buffer)) == buffer && strcmp(buffer, deep) == 0);
	EQUAL(rename("../moved", "../d"), 0);
	EQUAL(chdir(".."), 0);
	FAILS(syscall(SYS_getcwd, buffer, 2), ERANGE);
	FAILS(syscall(SYS_getcwd, buffer, 0), ERANGE);
	EFAULTS(syscall(SYS_getcwd, bad, 4096));
	FAILS(chdir("none"), ENOENT);
	FAILS(chdir("d/f"), ENOTDIR);
	FAILS(chdir("loop1"), ELOOP);
	EFAULTS(syscall(SYS_chdir, bad));
	fd = open("d/f", O_RDONLY);
	FAILS(fchdir(fd), ENOTDIR);
	FAILS(fchdir(-1), EBADF);
	close(fd);
	dir = open("d", O_RDONLY);
	EQUAL(fchdir(dir), 0);
	EQUAL(access("f", F_OK), 0);
	close(dir);
	EQUAL(chdir("/"), 0);
	CHECK(getcwd(buffer, sizeof(buffer)) == buffer && strcmp(buffer, "/") == 0);
	EQUAL(syscall(SYS_getcwd, buffer, 2), 2);
	EQUAL(chdir(util_folder), 0);
	/* A path that grows beyond PATH_MAX by single steps. */
	memset(deep, 'z', 200);
	deep[200] = '\0';
	for (i = 0; i < 22; i++)
		if (mkdir(deep, 0755) || chdir(deep))
			break;
	EQUAL(i, 22);
	FAILS(syscall(SYS_getcwd, buffer, sizeof(buffer)), ENAMETOOLONG);
	for (; i > 0; i--)
		if (chdir("..") || rmdir(deep))
			break;
	EQUAL(i, 0);
	CHECK(getcwd(buffer, sizeof(buffer)) == buffer && strcmp(buffer, util_folder) == 0);
}

static void test_access(void)
{
	int dir = open("d", O_RDONLY), fd;

	TOPIC("access");
	EQUAL(access("d/f", R_OK | W_OK), 0);
	/* Root may run what has any x bit, and read and write all. */
	FAILS(access("d/f", X_OK), EACCES);
	EQUAL(chmod("d/f", 0001), 0);
	EQUAL(access("d/f", R_OK | W_OK | X_OK), 0);
	EQUAL(chmod("d/f", 0), 0);
	EQUAL(access("d/f", R_OK | W_OK), 0);
	EQUAL(access("d", X_OK), 0);
	FAILS(access("d/f", 8), EINVAL);
	FAILS(access("none", F_OK), ENOENT);
	EQUAL(faccessat(dir, "f", F_OK, 0), 0);
	FAILS(faccessat(999, "f", F_OK, 0), EBADF);
	EQUAL(syscall(SYS_faccessat2, AT_FDCWD, "loop1", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	FAILS(syscall(SYS_faccessat2, AT_FDCWD, "d/f", F_OK, 0x4000), EINVAL);
	fd = open("d/f", O_RDONLY);
	EQUAL(syscall(SYS_faccessat2, fd, "", R_OK, AT_EMPTY_PATH), 0);
	close(fd);
	EFAULTS(syscall(SYS_access, bad, F_OK));
	EFAULTS(syscall(SYS_faccessat, AT_FDCWD, bad, F_OK));
	close(dir);
}

int main(void)
{
	use_folder();
	test_dots();
	test_links();
	test_limits();
	test_chdir();
	test_access();
	return tap_done();
}
