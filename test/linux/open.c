/* open, openat, creat: every flag, and the errors of open(2). */
#include "test/linux/util.h"

static void test_create(void)
{
	int fd;
	struct stat stat;

	TOPIC("create");
	FAILS(open("none", O_RDONLY), ENOENT);
	FAILS(open("", O_RDONLY), ENOENT);
	fd = DOES(open("file", O_RDWR | O_CREAT, 0640));
	fstat(fd, &stat);
	EQUAL(stat.st_mode, S_IFREG | 0640);
	EQUAL(stat.st_size, 0);
	EQUAL(write(fd, "abcdef", 6), 6);
	close(fd);
	FAILS(open("file", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	symlink("nowhere", "dangling");
	FAILS(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	FAILS(open("dangling", O_RDONLY), ENOENT);
	fd = DOES(open("dangling", O_RDWR | O_CREAT, 0600));
	CHECK(access("nowhere", F_OK) == 0);
	close(fd);
	FAILS(open("none/file", O_RDWR | O_CREAT, 0600), ENOENT);
	FAILS(open("file/file", O_RDWR | O_CREAT, 0600), ENOTDIR);
	FAILS(open("new/", O_RDWR | O_CREAT, 0600), EISDIR);
	FAILS(open("file/", O_RDONLY), ENOTDIR);
	umask(027);
	fd = DOES(creat("masked", 0777));
	fstat(fd, &stat);
	EQUAL(stat.st_mode & 07777, 0750);
	FAILS(read(fd, &stat, 1), EBADF);
	close(fd);
	umask(022);
	fd = DOES(open("no-access", O_RDWR | O_CREAT | O_EXCL, 0));
	EQUAL(write(fd, "x", 1), 1);
	close(fd);
}

static void test_truncate_append(void)
{
	char text[16] = "";
	int fd;
	struct stat stat;

	TOPIC("truncate and append");
	close(make_file("log", "12345"));
	fd = DOES(open("log", O_RDWR | O_APPEND));
	EQUAL(write(fd, "67", 2), 2);
	EQUAL(lseek(fd, 0, SEEK_CUR), 7);
	EQUAL(lseek(fd, 0, SEEK_SET), 0);
	EQUAL(write(fd, "8", 1), 1);
	EQUAL(pread(fd, text, sizeof(text), 0), 8);
	CHECK(strcmp(text, "12345678") == 0);
	/* Linux appends even then (pwrite(2), BUGS). */
	EQUAL(pwrite(fd, "9", 1, 0), 1);
	EQUAL(pread(fd, text, sizeof(text), 0), 9);
	CHECK(text[0] == '1' && text[8] == '9');
	close(fd);
	fd = DOES(open("log", O_WRONLY | O_TRUNC));
	fstat(fd, &stat);
	EQUAL(stat.st_size, 0);
	close(fd);
	close(make_file("log", "12345"));
	fd = DOES(open("log", O_RDONLY));
	FAILS(write(fd, "x", 1), EBADF);
	close(fd);
	fd = DOES(open("log", O_WRONLY));
	FAILS(read(fd, text, 1), EBADF);
	close(fd);
	fd = DOES(open("log", O_ACCMODE));
	FAILS(read(fd, text, 1), EBADF);
	FAILS(write(fd, text, 1), EBADF);
	close(fd);
}

static void test_directory(void)
{
	int dir, fd;
	struct stat stat;

	TOPIC("directory");
	mkdir("dir", 0755);
	close(make_file("dir/inside", "in"));
	dir = DOES(open("dir", O_RDONLY | O_DIRECTORY));
	FAILS(read(dir, &stat, 1), EISDIR);
	FAILS(write(dir, "x", 1), EBADF);
	FAILS(open("dir", O_RDWR), EISDIR);
	FAILS(open("dir", O_WRONLY), EISDIR);
	FAILS(open("dir", O_RDONLY | O_CREAT, 0600), EISDIR);
	FAILS(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
	fd = DOES(openat(dir, "inside", O_RDONLY));
	close(fd);
	fd = DOES(openat(dir, "../file", O_RDONLY));
	close(fd);
	fd = DOES(openat(AT_FDCWD, "dir/inside", O_RDONLY));
	FAILS(openat(fd, "inside", O_RDONLY), ENOTDIR);
	FAILS(openat(999, "inside", O_RDONLY), EBADF);
	close(fd);
	/* An absolute path does not ask for the descriptor. */
	fd = DOES(openat(999, "/proc", O_RDONLY));
	close(fd);
	fd = DOES(open("dir/.", O_RDONLY));
	close(fd);
	fd = DOES(open("dir/", O_RDONLY | O_DIRECTORY));
	close(fd);
	rmdir("dir/sub");
	mkdir("gone", 0755);
	fd = open("gone", O_RDONLY | O_DIRECTORY);
	rmdir("gone");
	FAILS(openat(fd, "file", O_RDWR | O_CREAT, 0600), ENOENT);
	close(fd);
	close(dir);
}

static void test_nofollow_path(void)
{
	int fd, other;
	char text[16];
	struct stat stat;

	TOPIC("nofollow and path");
	symlink("file", "link");
	FAILS(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
	fd = DOES(open("file", O_RDONLY | O_NOFOLLOW));
	close(fd);
	fd = DOES(open("link", O_PATH | O_NOFOLLOW));
	EQUAL(fstat(fd, &stat), 0);
	CHECK(S_ISLNK(stat.st_mode));
	EQUAL(readlinkat(fd, "", text, sizeof(text)), 4);
	close(fd);
	fd = DOES(open("link", O_PATH));
	EQUAL(fstat(fd, &stat), 0);
	CHECK(S_ISREG(stat.st_mode));
	FAILS(read(fd, text, 1), EBADF);
	FAILS(write(fd, text, 1), EBADF);
	FAILS(lseek(fd, 0, SEEK_SET), EBADF);
	FAILS(syscall(SYS_fchmod, fd, 0600), EBADF);
	FAILS(ftruncate(fd, 0), EBADF);
	FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), EBADF);
	CHECK((fcntl(fd, F_GETFL) & O_PATH) != 0);
	other = DOES(dup(fd));
	close(other);
	snprintf(text, sizeof(text), "%d", fd);
	char proc[40];
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	other = DOES(open(proc, O_RDONLY));
	EQUAL(read(other, text, 6), 6);
	close(other);
	close(fd);
	fd = DOES(open("dir", O_PATH | O_DIRECTORY));
	other = DOES(openat(fd, "inside", O_RDONLY));
	close(other);
	EQUAL(fchdir(fd), 0);
	CHECK(access("inside", F_OK) == 0);
	CHECK(chdir("..") == 0);
	close(fd);
}

static void test_tmpfile(void)
{
	char text[16] = "", proc[40];
	struct stat stat;
	int fd;

	TOPIC("tmpfile");
	fd = DOES(open(".", O_TMPFILE | O_RDWR, 0600));
	if (fd < 0)
		return;
	EQUAL(fstat(fd, &stat), 0);
	EQUAL(stat.st_nlink, 0);
	CHECK(S_ISREG(stat.st_mode));
	EQUAL(write(fd, "temporary", 9), 9);
	EQUAL(pread(fd, text, sizeof(text), 0), 9);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	EQUAL(linkat(AT_FDCWD, proc, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), 0);
	EQUAL(fstat(fd, &stat), 0);
	EQUAL(stat.st_nlink, 1);
	EQUAL(access("named", F_OK), 0);
	close(fd);
	FAILS(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	FAILS(open("file", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
	fd = DOES(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	FAILS(linkat(AT_FDCWD, proc, AT_FDCWD, "never", AT_SYMLINK_FOLLOW), ENOENT);
	close(fd);
}

static void test_descriptors(void)
{
	int low, fd;

	TOPIC("descriptors");
	fd = DOES(open("file", O_RDONLY | O_CLOEXEC));
	EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	low = fd;
	close(fd);
	fd = open("file", O_RDWR | O_APPEND | O_NONBLOCK);
	EQUAL(fd, low);
	EQUAL(fcntl(fd, F_GETFD), 0);
	EQUAL(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_CREAT), O_RDWR | O_APPEND | O_NONBLOCK);
	EQUAL(close(fd), 0);
	FAILS(close(fd), EBADF);
	FAILS(close(-1), EBADF);
	fd = open("file", O_RDONLY | O_SYNC);
	CHECK((fcntl(fd, F_GETFL) & O_SYNC) == O_SYNC);
	close(fd);
}

static void test_pointers(void)
{
	char *end = edge(4);

	TOPIC("pointers");
	EFAULTS(syscall(SYS_open, bad, O_RDONLY));
	EFAULTS(syscall(SYS_openat, AT_FDCWD, bad, O_RDONLY));
	memcpy(end, "file", 4);
	/* The string has no end before the page that may not be touched. */
	FAILS(open(end, O_RDONLY), EFAULT);
	end = edge(5);
	memcpy(end, "file", 5);
	CHECK(open(end, O_RDONLY) >= 0);
	FAILS(syscall(SYS_openat2, AT_FDCWD, "file", "", 0), EINVAL);
}

static void test_openat2(void)
{
	struct {
		uint64_t flags, mode, resolve, more;
	} how = { O_RDONLY, 0, 0, 0 };
	int fd;

	TOPIC("openat2");
	fd = DOES((int)syscall(SYS_openat2, AT_FDCWD, "link", &how, 24));
	close(fd);
	how.mode = 0600;
	FAILS(syscall(SYS_openat2, AT_FDCWD, "file", &how, 24), EINVAL);
	how.mode = 0;
	how.flags = 1ULL << 40;
	FAILS(syscall(SYS_openat2, AT_FDCWD, "file", &how, 24), EINVAL);
	how.flags = O_RDONLY;
	how.resolve = 0x04; /* RESOLVE_NO_SYMLINKS */
	FAILS(syscall(SYS_openat2, AT_FDCWD, "link", &how, 24), ELOOP);
	how.resolve = 0x08; /* RESOLVE_BENEATH */
	FAILS(syscall(SYS_openat2, AT_FDCWD, "../x", &how, 24), EXDEV);
	FAILS(syscall(SYS_openat2, AT_FDCWD, "/proc", &how, 24), EXDEV);
	fd = DOES((int)syscall(SYS_openat2, AT_FDCWD, "dir/../file", &how, 24));
	close(fd);
	how.resolve = 0x10; /* RESOLVE_IN_ROOT */
	FAILS(syscall(SYS_openat2, AT_FDCWD, "/proc", &how, 24), ENOENT);
	fd = DOES((int)syscall(SYS_openat2, AT_FDCWD, "/../file", &how, 24));
	close(fd);
	how.resolve = 0;
	fd = DOES((int)syscall(SYS_openat2, AT_FDCWD, "file", &how, 32));
	close(fd);
	how.more = 1;
	FAILS(syscall(SYS_openat2, AT_FDCWD, "file", &how, 32), E2BIG);
	FAILS(syscall(SYS_openat2, AT_FDCWD, "file", &how, 8), EINVAL);
	EFAULTS(syscall(SYS_openat2, AT_FDCWD, "file", bad, 24));
}

int main(void)
{
	use_folder();
	test_create();
	test_truncate_append();
	test_directory();
	test_nofollow_path();
	test_tmpfile();
	test_descriptors();
	test_pointers();
	test_openat2();
	return tap_done();
}
