/* chmod, chown, umask, utimensat and their relatives, as root. */
#include <sys/time.h>
#include <utime.h>

#include "test/linux/util.h"

static mode_t mode_of(const char *path)
{
	struct stat stat_of;

	return lstat(path, &stat_of) ? 0 : stat_of.st_mode & 07777;
}

static void test_chmod(void)
{
	int fd = make_file("file", "x");

	TOPIC("chmod");
	EQUAL(chmod("file", 0), 0);
	EQUAL(mode_of("file"), 0);
	EQUAL(chmod("file", 07777), 0);
	EQUAL(mode_of("file"), 07777);
	EQUAL(chmod("file", 0170644), 0);
	EQUAL(mode_of("file"), 0644);
	EQUAL(fchmod(fd, 0600), 0);
	EQUAL(mode_of("file"), 0600);
	symlink("file", "link");
	EQUAL(chmod("link", 0640), 0);
	EQUAL(mode_of("file"), 0640);
	EQUAL(mode_of("link"), 0777);
	EQUAL(syscall(SYS_fchmodat, AT_FDCWD, "file", 0604), 0);
	EQUAL(mode_of("file"), 0604);
	FAILS(chmod("none", 0600), ENOENT);
	FAILS(chmod("file/x", 0600), ENOTDIR);
	FAILS(fchmod(-1, 0600), EBADF);
	EFAULTS(syscall(SYS_chmod, bad, 0600));
	/* A write takes the set-user-id bit away, but not from root. */
	EQUAL(chmod("file", 04755), 0);
	EQUAL(write(fd, "y", 1), 1);
	EQUAL(mode_of("file"), 04755);
	close(fd);
}

static void test_chown(void)
{
	struct stat s;
	int fd = open("file", O_RDONLY);

	TOPIC("chown");
	EQUAL(chown("file", 12, 34), 0);
	stat("file", &s);
	CHECK(s.st_uid == 12 && s.st_gid == 34);
	EQUAL(chown("file", (uid_t)-1, 56), 0);
	stat("file", &s);
	CHECK(s.st_uid == 12 && s.st_gid == 56);
	EQUAL(fchown(fd, 78, (gid_t)-1), 0);
	stat("file", &s);
	CHECK(s.st_uid == 78 && s.st_gid == 56);
	EQUAL(lchown("link", 9, 9), 0);
	lstat("link", &s);
	CHECK(s.st_uid == 9 && s.st_gid == 9);
	EQUAL(chown("link", 1, 2), 0);
	stat("file", &s);
	CHECK(s.st_uid == 1 && s.st_gid == 2);
	/* The owner changes: no set-user-id any more. */
	EQUAL(chmod("file", 06755), 0);
	EQUAL(chown("file", 3, 3), 0);
	EQUAL(mode_of("file"), 0755);
	EQUAL(fchownat(AT_FDCWD, "link", 5, 6, AT_SYMLINK_NOFOLLOW), 0);
	lstat("link", &s);
	CHECK(s.st_uid == 5 && s.st_gid == 6);
	EQUAL(fchownat(fd, "", 7, 8, AT_EMPTY_PATH), 0);
	fstat(fd, &s);
	CHECK(s.st_uid == 7 && s.st_gid == 8);
	FAILS(fchownat(AT_FDCWD, "file", 0, 0, 0x4000), EINVAL);
	FAILS(chown("none", 0, 0), ENOENT);
	FAILS(fchown(-1, 0, 0), EBADF);
	EFAULTS(syscall(SYS_chown, bad, 0, 0));
	EFAULTS(syscall(SYS_lchown, bad, 0, 0));
	close(fd);
}

static void test_umask(void)
{
	TOPIC("umask");
	EQUAL(umask(0777), 022);
	EQUAL(umask(07777), 0777);
	EQUAL(umask(0), 0777);
	close(open("all", O_WRONLY | O_CREAT, 0666));
	EQUAL(mode_of("all"), 0666);
	EQUAL(umask(022), 0);
}

static void test_utimensat(void)
{
	struct timespec times[2] = { { 1000, 123456789 }, { 2000, 987654321 } };
	struct stat s, before;
	int fd = open("file", O_RDONLY);

	TOPIC("utimensat");
	EQUAL(utimensat(AT_FDCWD, "file", times, 0), 0);
	stat("file", &s);
	CHECK(s.st_atim.tv_sec == 1000 && s.st_mtim.tv_sec == 2000);
	CHECK(s.st_atim.tv_nsec == 123456789 && s.st_mtim.tv_nsec == 987654321);
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = UTIME_NOW;
	EQUAL(futimens(fd, times), 0);
	stat("file", &s);
	CHECK(s.st_atim.tv_sec == 1000 && s.st_mtim.tv_sec > 1000000000);
	times[1].tv_nsec = UTIME_OMIT;
	stat("file", &before);
	EQUAL(utimensat(AT_FDCWD, "file", times, 0), 0);
	stat("file", &s);
	CHECK(memcmp(&before, &s, sizeof(s)) == 0);
	EQUAL(utimensat(AT_FDCWD, "file", NULL, 0), 0);
	stat("file", &s);
	CHECK(s.st_atim.tv_sec > 1000000000);
	times[0] = times[1] = (struct timespec){ 77, 0 };
	EQUAL(utimensat(AT_FDCWD, "link", times, AT_SYMLINK_NOFOLLOW), 0);
	lstat("link", &s);
	EQUAL(s.st_mtim.tv_sec, 77);
	stat("file", &s);
	CHECK(s.st_mtim.tv_sec != 77);
	times[0].tv_nsec = 1000000000;
	FAILS(utimensat(AT_FDCWD, "file", times, 0), EINVAL);
	times[0].tv_nsec = -1;
	FAILS(utimensat(AT_FDCWD, "file", times, 0), EINVAL);
	FAILS(utimensat(AT_FDCWD, "none", NULL, 0), ENOENT);
	FAILS(utimensat(AT_FDCWD, "file", NULL, 0x4000), EINVAL);
	FAILS(utimensat(999, "file", NULL, 0), EBADF);
	EFAULTS(syscall(SYS_utimensat, AT_FDCWD, bad, NULL, 0));
	EFAULTS(syscall(SYS_utimensat, AT_FDCWD, "file", bad, 0));
	struct utimbuf old = { 5, 6 };
	EQUAL(utime("file", &old), 0);
	stat("file", &s);
	CHECK(s.st_atim.tv_sec == 5 && s.st_mtim.tv_sec == 6);
	struct timeval micro[2] = { { 7, 8 }, { 9, 10 } };
	EQUAL(utimes("file", micro), 0);
	stat("file", &s);
	CHECK(s.st_atim.tv_sec == 7 && s.st_mtim.tv_sec == 9 && s.st_mtim.tv_nsec == 10000);
	micro[0].tv_usec = 1000000;
	FAILS(syscall(SYS_utimes, "file", micro), EINVAL);
	close(fd);
}

int main(void)
{
	use_folder();
	test_chmod();
	test_chown();
	test_umask();
	test_utimensat();
	return tap_done();
}
