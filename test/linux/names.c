/* unlink, rename, renameat2, link, symlink, readlink, mknod. */
#include <limits.h>
#include <sys/sysmacros.h>

#include "test/linux/util.h"

#define NOREPLACE 1
#define EXCHANGE 2

static ino_t inode(const char *path)
{
	struct stat stat_of;

	return lstat(path, &stat_of) ? 0 : stat_of.st_ino;
}

static int links(const char *path)
{
	struct stat stat_of;

	return lstat(path, &stat_of) ? -1 : (int)stat_of.st_nlink;
}

static void test_unlink(void)
{
	char text[8];
	int fd = make_file("file", "content"), dir;
	struct stat stat_of;

	TOPIC("unlink");
	EQUAL(unlink("file"), 0);
	FAILS(unlink("file"), ENOENT);
	EQUAL(fstat(fd, &stat_of), 0);
	EQUAL(stat_of.st_nlink, 0);
	EQUAL(read(fd, text, 7), 7);
	CHECK(memcmp(text, "content", 7) == 0);
	EQUAL(write(fd, "more", 4), 4);
	close(fd);
	mkdir("dir", 0755);
	FAILS(unlink("dir"), EISDIR);
	FAILS(unlink("dir/"), EISDIR);
	FAILS(unlink(""), ENOENT);
	close(make_file("file", ""));
	FAILS(unlink("file/"), ENOTDIR);
	FAILS(unlink("file/x"), ENOTDIR);
	symlink("file", "link");
	EQUAL(unlink("link"), 0);
	EQUAL(access("file", F_OK), 0);
	dir = open("dir", O_RDONLY);
	FAILS(unlinkat(AT_FDCWD, "file", AT_REMOVEDIR), ENOTDIR);
	FAILS(unlinkat(AT_FDCWD, "file", 1), EINVAL);
	EQUAL(unlinkat(dir, "../file", 0), 0);
	EQUAL(unlinkat(AT_FDCWD, "dir", AT_REMOVEDIR), 0);
	FAILS(unlinkat(999, "file", 0), EBADF);
	EFAULTS(syscall(SYS_unlink, bad));
	EFAULTS(syscall(SYS_unlinkat, AT_FDCWD, bad, 0));
	close(dir);
}

static void test_link(void)
{
	TOPIC("link");
	close(make_file("one", "1"));
	EQUAL(link("one", "two"), 0);
	CHECK(inode("one") == inode("two"));
	EQUAL(links("one"), 2);
	FAILS(link("one", "two"), EEXIST);
	FAILS(link("none", "three"), ENOENT);
	FAILS(link("one", "none/three"), ENOENT);
	mkdir("dir", 0755);
	FAILS(link("dir", "dir2"), EPERM);
	FAILS(link("one", "dir"), EEXIST);
	FAILS(link("one", "/dev/null/x"), ENOTDIR);
	EQUAL(unlink("one"), 0);
	EQUAL(links("two"), 1);
	symlink("two", "soft");
	EQUAL(link("soft", "soft2"), 0);
	CHECK(inode("soft") == inode("soft2"));
	EQUAL(linkat(AT_FDCWD, "soft", AT_FDCWD, "hard", AT_SYMLINK_FOLLOW), 0);
	CHECK(inode("hard") == inode("two"));
	FAILS(linkat(AT_FDCWD, "two", AT_FDCWD, "x", 0x8000), EINVAL);
	int fd = open("two", O_RDONLY);
	EQUAL(linkat(fd, "", AT_FDCWD, "empty", AT_EMPTY_PATH), 0);
	CHECK(inode("empty") == inode("two"));
	close(fd);
	EFAULTS(syscall(SYS_link, bad, "x"));
	EFAULTS(syscall(SYS_link, "two", bad));
}

static void test_symlink(void)
{
	char text[64], longest[PATH_MAX + 2];

	TOPIC("symlink");
	EQUAL(symlink("any text /at all", "sym"), 0);
	EQUAL(readlink("sym", text, sizeof(text)), 16);
	CHECK(memcmp(text, "any text /at all", 16) == 0);
	EQUAL(readlink("sym", text, 3), 3);
	FAILS(syscall(SYS_readlink, "sym", text, 0), EINVAL);
	FAILS(syscall(SYS_readlink, "sym", text, -1), EINVAL);
	FAILS(readlink("two", text, sizeof(text)), EINVAL);
	FAILS(readlink("dir", text, sizeof(text)), EINVAL);
	FAILS(readlink("none", text, sizeof(text)), ENOENT);
	FAILS(readlink("two/x", text, sizeof(text)), ENOTDIR);
	FAILS(symlink("x", "sym"), EEXIST);
	FAILS(symlink("x", "none/sym"), ENOENT);
	FAILS(symlink("", "empty-target"), ENOENT);
	memset(longest, 'a', sizeof(longest));
	longest[PATH_MAX] = '\0';
	FAILS(symlink(longest, "too-long"), ENAMETOOLONG);
	EFAULTS(syscall(SYS_symlink, bad, "x"));
	EFAULTS(syscall(SYS_symlink, "x", bad));
	EFAULTS(syscall(SYS_readlink, "sym", bad, 10));
	EFAULTS(syscall(SYS_readlink, bad, text, 10));
}

static void test_rename(void)
{
	ino_t a, b;

	TOPIC("rename");
	close(make_file("a", "A"));
	close(make_file("b", "B"));
	a = inode("a");
	EQUAL(rename("a", "c"), 0);
	CHECK(inode("a") == 0 && inode("c") == a);
	EQUAL(rename("c", "b"), 0);
	CHECK(inode("b") == a && inode("c") == 0);
	EQUAL(rename("b", "b"), 0);
	link("b", "b2");
	/* Two names of one file: nothing happens. */
	EQUAL(rename("b", "b2"), 0);
	CHECK(inode("b") == a && inode("b2") == a);
	FAILS(rename("none", "x"), ENOENT);
	FAILS(rename("b", "none/x"), ENOENT);
	FAILS(rename("b", ""), ENOENT);
	FAILS(rename("b", "b2/x"), ENOTDIR);
	mkdir("full", 0755);
	mkdir("full/sub", 0755);
	mkdir("empty-dir", 0755);
	FAILS(rename("b", "empty-dir"), EISDIR);
	FAILS(rename("full", "b"), ENOTDIR);
	FAILS(rename("empty-dir", "full"), ENOTEMPTY);
	b = inode("full");
	EQUAL(rename("full", "empty-dir"), 0);
	CHECK(inode("empty-dir") == b && inode("empty-dir/sub") != 0);
	FAILS(rename("empty-dir", "empty-dir/sub/x"), EINVAL);
	FAILS(rename("empty-dir/sub", "empty-dir"), ENOTEMPTY);
	FAILS(rename("empty-dir/.", "x"), EBUSY);
	FAILS(rename("empty-dir/sub/..", "x"), EBUSY);
	FAILS(rename("b", "/proc/x"), EXDEV);
	FAILS(rename("b/", "x"), ENOTDIR);
	FAILS(rename("b", "x/"), ENOTDIR);
	EQUAL(rename("empty-dir/", "renamed/"), 0);
	EQUAL(rename("renamed/sub", "sub"), 0);
	EQUAL(inode("sub/..") == inode("."), 1);
	symlink("b", "sl");
	a = inode("sl");
	EQUAL(rename("sl", "sl2"), 0);
	CHECK(inode("sl2") == a);
	EFAULTS(syscall(SYS_rename, bad, "x"));
	EFAULTS(syscall(SYS_rename, "b", bad));
}

static long renameat2_of(const char *from, const char *to, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void test_renameat2(void)
{
	ino_t file, dir;

	TOPIC("renameat2");
	close(make_file("p", "P"));
	mkdir("q", 0755);
	mkdir("q/r", 0755);
	file = inode("p"), dir = inode("q");
	FAILS(renameat2_of("p", "q", NOREPLACE), EEXIST);
	EQUAL(renameat2_of("p", "p2", NOREPLACE), 0);
	EQUAL(renameat2_of("p2", "p", 0), 0);
	EQUAL(renameat2_of("p", "q", EXCHANGE), 0);
	CHECK(inode("q") == file && inode("p") == dir && inode("p/r") != 0);
	EQUAL(renameat2_of("p/r", "q", EXCHANGE), 0);
	CHECK(inode("p/r") == file);
	FAILS(renameat2_of("p", "none", EXCHANGE), ENOENT);
	FAILS(renameat2_of("p", "p/r", EXCHANGE), EINVAL);
	FAILS(renameat2_of("p/r", "p", EXCHANGE), EINVAL);
	FAILS(renameat2_of("p", "q", NOREPLACE | EXCHANGE), EINVAL);
	FAILS(renameat2_of("p", "q", 0x80), EINVAL);
	int fd = open("p", O_RDONLY);
	EQUAL(renameat(fd, "r", AT_FDCWD, "r-out"), 0);
	CHECK(inode("r-out") == file);
	FAILS(renameat(999, "r", AT_FDCWD, "x"), EBADF);
	close(fd);
}

static void test_mknod(void)
{
	struct stat stat_of;

	TOPIC("mknod");
	EQUAL(mknod("fifo", S_IFIFO | 0600, 0), 0);
	EQUAL(stat("fifo", &stat_of), 0);
	EQUAL(stat_of.st_mode, S_IFIFO | 0600);
	EQUAL(mknod("regular", S_IFREG | 0600, 0), 0);
	EQUAL(mknod("typeless", 0600, 0), 0);
	EQUAL(stat("typeless", &stat_of), 0);
	CHECK(S_ISREG(stat_of.st_mode));
	FAILS(mknod("fifo", S_IFIFO | 0600, 0), EEXIST);
	FAILS(mknod("bad-dir", S_IFDIR | 0600, 0), EPERM);
	FAILS(mknod("none/x", S_IFREG | 0600, 0), ENOENT);
	EFAULTS(syscall(SYS_mknod, bad, S_IFREG | 0600, 0));
	int fd = DOES(open("fifo", O_RDWR | O_NONBLOCK));
	EQUAL(write(fd, "abc", 3), 3);
	EQUAL(read(fd, &stat_of, 10), 3);
	close(fd);
	FAILS(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	fd = DOES(open("fifo", O_RDONLY | O_NONBLOCK));
	EQUAL(read(fd, &stat_of, 10), 0);
	close(fd);
}

int main(void)
{
	use_folder();
	test_unlink();
	test_link();
	test_symlink();
	test_rename();
	test_renameat2();
	test_mknod();
	return tap_done();
}
