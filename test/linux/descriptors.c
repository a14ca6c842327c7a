/* dup, dup2, dup3, fcntl, close_range, flock and record locks; truncate and fallocate. */
#include <sys/file.h>
#include <sys/resource.h>

#include "test/linux/util.h"

static void test_dup(void)
{
	int fd = make_file("file", "0123456789"), other;

	TOPIC("dup");
	other = DOES(dup(fd));
	EQUAL(fcntl(other, F_GETFD), 0);
	EQUAL(lseek(fd, 3, SEEK_SET), 3);
	EQUAL(lseek(other, 0, SEEK_CUR), 3);
	EQUAL(dup2(fd, 50), 50);
	EQUAL(dup2(fd, fd), fd);
	EQUAL(dup2(50, other), other);
	FAILS(dup2(999, 50), EBADF);
	FAILS(dup2(999, 999), EBADF);
	FAILS(syscall(SYS_dup2, fd, -1), EBADF);
	FAILS(syscall(SYS_dup2, fd, 1 << 30), EBADF);
	EQUAL(dup3(fd, 51, O_CLOEXEC), 51);
	EQUAL(fcntl(51, F_GETFD), FD_CLOEXEC);
	FAILS(dup3(fd, fd, 0), EINVAL);
	FAILS(syscall(SYS_dup3, fd, 51, O_APPEND), EINVAL);
	FAILS(dup(-1), EBADF);
	EQUAL(close(fd), 0);
	EQUAL(lseek(50, 0, SEEK_CUR), 3);
	close(50), close(51), close(other);
}

static void test_fcntl(void)
{
	int fd = make_file("file", "0123456789"), other, pipe_fd[2];

	TOPIC("fcntl");
	EQUAL(fcntl(fd, F_DUPFD, 100), 100);
	EQUAL(fcntl(fd, F_DUPFD, 100), 101);
	EQUAL(fcntl(fd, F_DUPFD_CLOEXEC, 100), 102);
	EQUAL(fcntl(102, F_GETFD), FD_CLOEXEC);
	EQUAL(fcntl(102, F_SETFD, 0), 0);
	EQUAL(fcntl(102, F_GETFD), 0);
	FAILS(fcntl(fd, F_DUPFD, -1), EINVAL);
	FAILS(fcntl(fd, F_DUPFD, 1 << 30), EINVAL);
	EQUAL(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK), 0);
	EQUAL(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK | O_ACCMODE), O_APPEND | O_NONBLOCK | O_RDWR);
	/* The flags belong to the open file, not to the descriptor. */
	EQUAL(fcntl(100, F_GETFL) & O_APPEND, O_APPEND);
	EQUAL(fcntl(fd, F_SETFL, O_WRONLY), 0);
	EQUAL(fcntl(fd, F_GETFL) & (O_APPEND | O_ACCMODE), O_RDWR);
	FAILS(fcntl(-1, F_GETFL), EBADF);
	FAILS(syscall(SYS_fcntl, fd, 9999, 0), EINVAL);
	EQUAL(pipe(pipe_fd), 0);
	EQUAL(fcntl(pipe_fd[0], F_GETPIPE_SZ), 65536);
	EQUAL(fcntl(pipe_fd[0], F_SETPIPE_SZ, 5000), 8192);
	EQUAL(fcntl(pipe_fd[1], F_GETPIPE_SZ), 8192);
	FAILS(fcntl(fd, F_GETPIPE_SZ), EBADF);
	other = fcntl(fd, F_GETOWN);
	EQUAL(other, 0);
	close(100), close(101), close(102), close(fd), close(pipe_fd[0]), close(pipe_fd[1]);
}

static void test_close_range(void)
{
	int fd = make_file("file", ""), i;

	TOPIC("close_range");
	for (i = 200; i < 210; i++)
		dup2(fd, i);
	EQUAL(syscall(SYS_close_range, 203, 205, 0), 0);
	FAILS(fcntl(203, F_GETFD), EBADF);
	FAILS(fcntl(205, F_GETFD), EBADF);
	EQUAL(fcntl(206, F_GETFD), 0);
	EQUAL(syscall(SYS_close_range, 200, 209, 4 /* CLOEXEC */), 0);
	EQUAL(fcntl(209, F_GETFD), FD_CLOEXEC);
	EQUAL(syscall(SYS_close_range, 200, ~0U, 0), 0);
	FAILS(fcntl(209, F_GETFD), EBADF);
	FAILS(syscall(SYS_close_range, 210, 200, 0), EINVAL);
	FAILS(syscall(SYS_close_range, 200, 210, 0x100), EINVAL);
	EQUAL(fcntl(fd, F_GETFD), 0);
	close(fd);
}

static void test_limit(void)
{
	struct rlimit old, few = { 20, 20 };
	int last = -1, fd;

	TOPIC("limit");
	getrlimit(RLIMIT_NOFILE, &old);
	few.rlim_max = old.rlim_max;
	EQUAL(setrlimit(RLIMIT_NOFILE, &few), 0);
	while ((fd = dup(1)) >= 0)
		last = fd;
	EQUAL(errno, EMFILE);
	EQUAL(last, 19);
	FAILS(open("file", O_RDONLY), EMFILE);
	FAILS(pipe((int[2]){ 0 }), EMFILE);
	FAILS(syscall(SYS_eventfd2, 0, 0), EMFILE);
	FAILS(dup2(1, 20), EBADF);
	FAILS(fcntl(1, F_DUPFD, 0), EMFILE);
	for (fd = 3; fd < 20; fd++)
		close(fd);
	EQUAL(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void test_locks(void)
{
	int a = make_file("lock", "0123456789"), b = open("lock", O_RDWR), ro = open("lock", O_RDONLY);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 4 };

	TOPIC("flock");
	EQUAL(flock(a, LOCK_EX), 0);
	FAILS(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	FAILS(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	INTERRUPTED(flock(b, LOCK_EX));
	EQUAL(flock(a, LOCK_SH), 0);
	EQUAL(flock(b, LOCK_SH | LOCK_NB), 0);
	FAILS(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	EQUAL(flock(b, LOCK_UN), 0);
	EQUAL(flock(dup(a), LOCK_UN), 0);
	EQUAL(flock(b, LOCK_EX | LOCK_NB), 0);
	EQUAL(flock(b, LOCK_UN), 0);
	FAILS(flock(a, 0), EINVAL);
	FAILS(flock(-1, LOCK_EX), EBADF);

	TOPIC("record locks");
	EQUAL(fcntl(a, F_SETLK, &lock), 0);
	/* One process: its own locks do not conflict. */
	EQUAL(fcntl(b, F_SETLK, &lock), 0);
	EQUAL(fcntl(b, F_GETLK, &lock), 0);
	EQUAL(lock.l_type, F_UNLCK);
	lock.l_type = F_WRLCK;
	FAILS(fcntl(ro, F_SETLK, &lock), EBADF);
	lock.l_type = 17;
	FAILS(fcntl(a, F_SETLK, &lock), EINVAL);
	lock.l_type = F_WRLCK;
	lock.l_start = -1;
	FAILS(fcntl(a, F_SETLK, &lock), EINVAL);
	EFAULTS(syscall(SYS_fcntl, a, F_SETLK, bad));
	EFAULTS(syscall(SYS_fcntl, a, F_GETLK, bad));

	TOPIC("open file description locks");
	lock = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 10 };
	EQUAL(fcntl(a, F_OFD_SETLK, &lock), 0);
	FAILS(fcntl(b, F_OFD_SETLK, &lock), EAGAIN);
	lock.l_start = 105;
	EQUAL(fcntl(b, F_OFD_GETLK, &lock), 0);
	CHECK(lock.l_type == F_WRLCK && lock.l_start == 100 && lock.l_len == 10 && lock.l_pid == -1);
	lock = (struct flock){ .l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 102, .l_len = 2 };
	EQUAL(fcntl(a, F_OFD_SETLK, &lock), 0);
	lock.l_type = F_WRLCK;
	EQUAL(fcntl(b, F_OFD_SETLK, &lock), 0);
	lock.l_len = 3;
	FAILS(fcntl(b, F_OFD_SETLK, &lock), EAGAIN);
	INTERRUPTED(fcntl(b, F_OFD_SETLKW, &lock));
	close(a), close(b), close(ro);
}

static void test_truncate(void)
{
	char text[8] = "";
	struct stat s;
	int fd = make_file("size", "0123456789"), ro = open("size", O_RDONLY);

	TOPIC("truncate");
	EQUAL(ftruncate(fd, 4), 0);
	EQUAL(pread(fd, text, 8, 0), 4);
	EQUAL(ftruncate(fd, 8), 0);
	EQUAL(pread(fd, text, 8, 0), 8);
	CHECK(memcmp(text, "0123\0\0\0\0", 8) == 0);
	EQUAL(truncate("size", 100000), 0);
	fstat(fd, &s);
	EQUAL(s.st_size, 100000);
	EQUAL(truncate("size", 0), 0);
	FAILS(truncate("none", 0), ENOENT);
	FAILS(truncate(".", 0), EISDIR);
	FAILS(truncate("size", -1), EINVAL);
	FAILS(ftruncate(fd, -1), EINVAL);
	FAILS(ftruncate(ro, 0), EINVAL);
	FAILS(ftruncate(-1, 0), EBADF);
	EFAULTS(syscall(SYS_truncate, bad, 0L));

	TOPIC("fallocate");
	EQUAL(fallocate(fd, 0, 0, 8192), 0);
	fstat(fd, &s);
	EQUAL(s.st_size, 8192);
	EQUAL(fallocate(fd, 1 /* KEEP_SIZE */, 0, 20000), 0);
	fstat(fd, &s);
	EQUAL(s.st_size, 8192);
	EQUAL(pwrite(fd, "abcdefgh", 8, 4092), 8);
	EQUAL(fallocate(fd, 3 /* PUNCH_HOLE | KEEP_SIZE */, 4096, 4096), 0);
	EQUAL(pread(fd, text, 8, 4092), 8);
	CHECK(memcmp(text, "abcd\0\0\0\0", 8) == 0);
	FAILS(fallocate(fd, 2, 0, 4096), EOPNOTSUPP);
	FAILS(fallocate(fd, 0, -1, 10), EINVAL);
	FAILS(fallocate(fd, 0, 0, 0), EINVAL);
	FAILS(fallocate(ro, 0, 0, 10), EBADF);
	EQUAL(fsync(fd), 0);
	EQUAL(fdatasync(fd), 0);
	FAILS(fsync(-1), EBADF);
	close(fd), close(ro);
}

int main(void)
{
	use_folder();
	test_dup();
	test_fcntl();
	test_close_range();
	test_limit();
	test_locks();
	test_truncate();
	return tap_done();
}
