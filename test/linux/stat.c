/* stat, lstat, fstat, newfstatat, statx, statfs. */
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "test/linux/util.h"

/* statx(2): what is asked of it here, at the offsets of the kernel's ABI. */
struct extended {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, spare0;
	uint64_t ino, size, blocks, attributes_mask;
	struct {
		int64_t sec;
		uint32_t nsec, spare;
	} atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t more[14];
};

static void test_stat(void)
{
	struct stat a, b, l;
	int fd = make_file("file", "0123456789"), pipe_fd[2];

	TOPIC("stat");
	EQUAL(stat("file", &a), 0);
	EQUAL(fstat(fd, &b), 0);
	CHECK(a.st_ino == b.st_ino && a.st_dev == b.st_dev && a.st_ino != 0);
	EQUAL(a.st_mode, S_IFREG | 0644);
	EQUAL(a.st_nlink, 1);
	EQUAL(a.st_size, 10);
	CHECK(a.st_uid == getuid() && a.st_gid == getgid());
	CHECK(a.st_blksize >= 512);
	CHECK(a.st_mtim.tv_sec > 1500000000);
	CHECK(a.st_mtim.tv_sec <= now_ns(CLOCK_REALTIME) / 1000000000);
	symlink("file", "link");
	EQUAL(stat("link", &b), 0);
	CHECK(b.st_ino == a.st_ino);
	EQUAL(lstat("link", &l), 0);
	EQUAL(l.st_mode, S_IFLNK | 0777);
	EQUAL(l.st_size, 4);
	CHECK(l.st_ino != a.st_ino);
	symlink("none", "dangling");
	FAILS(stat("dangling", &b), ENOENT);
	EQUAL(lstat("dangling", &b), 0);
	mkdir("dir", 0755);
	mkdir("dir/a", 0755);
	EQUAL(stat("dir", &b), 0);
	CHECK(S_ISDIR(b.st_mode));
	EQUAL(stat("dir/a/..", &l), 0);
	CHECK(l.st_ino == b.st_ino);
	EQUAL(stat("/dev/null", &b), 0);
	CHECK(S_ISCHR(b.st_mode) && major(b.st_rdev) == 1 && minor(b.st_rdev) == 3);
	EQUAL(pipe(pipe_fd), 0);
	EQUAL(fstat(pipe_fd[0], &b), 0);
	CHECK(S_ISFIFO(b.st_mode));
	FAILS(stat("none", &b), ENOENT);
	FAILS(stat("", &b), ENOENT);
	FAILS(stat("file/x", &b), ENOTDIR);
	FAILS(fstat(-1, &b), EBADF);
	FAILS(fstat(999, &b), EBADF);
	EFAULTS(syscall(SYS_stat, bad, &b));
	EFAULTS(syscall(SYS_stat, "file", bad));
	EFAULTS(syscall(SYS_lstat, "file", bad));
	EFAULTS(syscall(SYS_fstat, fd, bad));
	FAILS(syscall(SYS_fstat, fd, edge(100)), EFAULT);
	EQUAL(syscall(SYS_fstat, fd, edge(144)), 0);
	close(fd);
}

static void test_fstatat(void)
{
	struct stat a, b;
	int dir = open("dir", O_RDONLY), fd = open("file", O_RDONLY);

	TOPIC("fstatat");
	EQUAL(fstatat(dir, "../file", &a, 0), 0);
	EQUAL(a.st_size, 10);
	EQUAL(fstatat(AT_FDCWD, "link", &b, AT_SYMLINK_NOFOLLOW), 0);
	CHECK(S_ISLNK(b.st_mode));
	EQUAL(fstatat(fd, "", &b, AT_EMPTY_PATH), 0);
	CHECK(a.st_ino == b.st_ino);
	EQUAL(fstatat(AT_FDCWD, "", &b, AT_EMPTY_PATH), 0);
	CHECK(S_ISDIR(b.st_mode));
	FAILS(fstatat(fd, "", &b, 0), ENOENT);
	FAILS(fstatat(fd, "x", &b, 0), ENOTDIR);
	FAILS(fstatat(999, "x", &b, 0), EBADF);
	FAILS(syscall(SYS_newfstatat, AT_FDCWD, "file", &b, 0x80000), EINVAL);
	EFAULTS(syscall(SYS_newfstatat, AT_FDCWD, bad, &b, 0));
	EFAULTS(syscall(SYS_newfstatat, AT_FDCWD, "file", bad, 0));
	EQUAL(fstatat(999, "/", &b, 0), 0);
	close(dir);
	close(fd);
}

static void test_statx(void)
{
	struct extended x;
	struct stat s;
	int fd = open("file", O_RDONLY);

	TOPIC("statx");
	memset(&x, 0xff, sizeof(x));
	EQUAL(syscall(SYS_statx, AT_FDCWD, "file", 0, 0x7ff, &x), 0);
	EQUAL(stat("file", &s), 0);
	EQUAL(x.mask & 0x7ff, 0x7ff);
	EQUAL(x.mode, S_IFREG | 0644);
	EQUAL(x.size, 10);
	CHECK(x.ino == s.st_ino && x.nlink == s.st_nlink && x.blocks == (uint64_t)s.st_blocks);
	CHECK(x.mtime.sec == s.st_mtim.tv_sec && x.mtime.nsec == (uint32_t)s.st_mtim.tv_nsec);
	CHECK(makedev(x.dev_major, x.dev_minor) == s.st_dev);
	EQUAL(syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0x7ff, &x), 0);
	CHECK(x.ino == s.st_ino);
	EQUAL(syscall(SYS_statx, AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, 0x7ff, &x), 0);
	CHECK(S_ISLNK(x.mode));
	EQUAL(syscall(SYS_statx, AT_FDCWD, "/dev/zero", 0, 0x7ff, &x), 0);
	CHECK(x.rdev_major == 1 && x.rdev_minor == 5);
	FAILS(syscall(SYS_statx, AT_FDCWD, "none", 0, 0x7ff, &x), ENOENT);
	FAILS(syscall(SYS_statx, AT_FDCWD, "file", 0x80000, 0x7ff, &x), EINVAL);
	FAILS(syscall(SYS_statx, AT_FDCWD, "file", 0x6000, 0x7ff, &x), EINVAL);
	FAILS(syscall(SYS_statx, AT_FDCWD, "file", 0, 0x80000000, &x), EINVAL);
	FAILS(syscall(SYS_statx, 999, "file", 0, 0x7ff, &x), EBADF);
	EFAULTS(syscall(SYS_statx, AT_FDCWD, bad, 0, 0x7ff, &x));
	EFAULTS(syscall(SYS_statx, AT_FDCWD, "file", 0, 0x7ff, bad));
	close(fd);
}

static void test_statfs(void)
{
	struct statfs fs;
	int fd = open("file", O_RDONLY);

	TOPIC("statfs");
	EQUAL(statfs(".", &fs), 0);
	CHECK(fs.f_bsize >= 512 && fs.f_blocks > 0 && fs.f_bfree <= fs.f_blocks && fs.f_bavail <= fs.f_bfree);
	EQUAL(fs.f_namelen, 255);
	EQUAL(fstatfs(fd, &fs), 0);
	EQUAL(statfs("/proc", &fs), 0);
	EQUAL(fs.f_type, 0x9fa0);
	FAILS(statfs("none", &fs), ENOENT);
	FAILS(statfs("file/x", &fs), ENOTDIR);
	FAILS(fstatfs(-1, &fs), EBADF);
	EFAULTS(syscall(SYS_statfs, bad, &fs));
	EFAULTS(syscall(SYS_statfs, ".", bad));
	EFAULTS(syscall(SYS_fstatfs, fd, bad));
	close(fd);
}

static void test_times(void)
{
	struct stat before, after;
	char text[4];
	int fd = make_file("timed", "x");

	TOPIC("times");
	fstat(fd, &before);
	sleep_ms(30);
	EQUAL(write(fd, "abc", 3), 3);
	EQUAL(fstat(fd, &after), 0);
	CHECK(after.st_mtim.tv_sec > before.st_mtim.tv_sec || after.st_mtim.tv_nsec > before.st_mtim.tv_nsec);
	CHECK(after.st_ctim.tv_sec > before.st_ctim.tv_sec || after.st_ctim.tv_nsec > before.st_ctim.tv_nsec);
	before = after;
	EQUAL(pread(fd, text, 1, 0), 1);
	EQUAL(fstat(fd, &after), 0);
	CHECK(memcmp(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim)) == 0);
	sleep_ms(30);
	EQUAL(chmod("timed", 0600), 0);
	EQUAL(fstat(fd, &after), 0);
	CHECK(memcmp(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim)) == 0);
	CHECK(memcmp(&before.st_ctim, &after.st_ctim, sizeof(before.st_ctim)) != 0);
	stat(".", &before);
	sleep_ms(30);
	close(make_file("another", ""));
	EQUAL(stat(".", &after), 0);
	CHECK(memcmp(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim)) != 0);
	close(fd);
}

int main(void)
{
	use_folder();
	test_stat();
	test_fstatat();
	test_statx();
	test_statfs();
	test_times();
	return tap_done();
}
