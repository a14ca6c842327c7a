/* read, write, pread, pwrite, readv, writev, preadv, pwritev, preadv2, pwritev2 on files. */
#include <limits.h>
#include <sys/uio.h>

#include "test/linux/util.h"

static void test_plain(void)
{
	char text[64] = "";
	int fd = make_file("plain", "0123456789");

	TOPIC("plain");
	EQUAL(read(fd, text, 4), 4);
	EQUAL(read(fd, text + 4, 60), 6);
	CHECK(memcmp(text, "0123456789", 10) == 0);
	EQUAL(read(fd, text, 1), 0);
	EQUAL(read(fd, text, 0), 0);
	EQUAL(write(fd, "", 0), 0);
	EQUAL(write(fd, "ab", 2), 2);
	EQUAL(lseek(fd, 0, SEEK_CUR), 12);
	EQUAL(lseek(fd, 5, SEEK_SET), 5);
	EQUAL(write(fd, "xy", 2), 2);
	EQUAL(pread(fd, text, 64, 3), 9);
	CHECK(memcmp(text, "34xy789ab", 9) == 0);
	EQUAL(lseek(fd, 0, SEEK_CUR), 7);
	EQUAL(pwrite(fd, "Z", 1, 20), 1);
	EQUAL(pread(fd, text, 64, 12), 9);
	CHECK(memcmp(text, "\0\0\0\0\0\0\0\0Z", 9) == 0);
	EQUAL(pread(fd, text, 64, 1000), 0);
	FAILS(pread(fd, text, 1, -1), EINVAL);
	FAILS(pwrite(fd, text, 1, -1), EINVAL);
	close(fd);
	FAILS(read(fd, text, 1), EBADF);
	FAILS(write(fd, text, 1), EBADF);
	FAILS(read(-1, text, 1), EBADF);
	FAILS(read(INT_MAX, text, 1), EBADF);
	FAILS(pread(fd, text, 1, 0), EBADF);
}

static void test_large(void)
{
	size_t size = 300000, i;
	unsigned char *block = malloc(size), *back = malloc(size);
	int fd = make_file("large", "");

	TOPIC("large");
	for (i = 0; i < size; i++)
		block[i] = (unsigned char)(i * 7 + i / 253);
	EQUAL(write(fd, block, size), 300000);
	EQUAL(pread(fd, back, size, 0), 300000);
	CHECK(memcmp(block, back, size) == 0);
	EQUAL(pread(fd, back, 8192, 4095), 8192);
	CHECK(memcmp(block + 4095, back, 8192) == 0);
	EQUAL(pwrite(fd, "boundary", 8, 8188), 8);
	EQUAL(pread(fd, back, 10, 8187), 10);
	CHECK(memcmp(back + 1, "boundary", 8) == 0 && back[0] == block[8187] && back[9] == block[8196]);
	close(fd);
	free(block);
	free(back);
}

static void test_vectors(void)
{
	char a[4] = "", b[8] = "", c[16] = "";
	struct iovec vector[3] = { { a, 3 }, { b, 0 }, { c, 10 } };
	static struct iovec many[1025];
	int fd = make_file("vector", "abcdefghijklm");
	size_t i;

	TOPIC("vectors");
	EQUAL(readv(fd, vector, 3), 13);
	CHECK(memcmp(a, "abc", 3) == 0 && memcmp(c, "defghijklm", 10) == 0);
	EQUAL(readv(fd, vector, 3), 0);
	EQUAL(lseek(fd, 0, SEEK_SET), 0);
	EQUAL(readv(fd, vector, 0), 0);
	FAILS(syscall(SYS_readv, fd, vector, -1), EINVAL);
	FAILS(readv(fd, many, 1025), EINVAL);
	for (i = 0; i < COUNT(many); i++)
		many[i] = (struct iovec){ "v", 1 };
	EQUAL(writev(fd, many, 1024), 1024);
	FAILS(writev(fd, many, 1025), EINVAL);
	many[1].iov_len = (size_t)-1;
	FAILS(writev(fd, many, 2), EINVAL);
	FAILS(readv(fd, many, 2), EINVAL);
	EQUAL(preadv(fd, vector, 3, 1020), 4);
	CHECK(memcmp(a, "vvv", 3) == 0 && c[0] == 'v');
	vector[0] = (struct iovec){ "12", 2 };
	vector[1] = (struct iovec){ "345", 3 };
	EQUAL(pwritev(fd, vector, 2, 100), 5);
	EQUAL(pread(fd, c, 5, 100), 5);
	CHECK(memcmp(c, "12345", 5) == 0);
	FAILS(preadv(fd, vector, 2, -5), EINVAL);
	EFAULTS(readv(fd, bad, 1));
	EFAULTS(writev(fd, bad, 1));
	EFAULTS(syscall(SYS_preadv, fd, bad, 1, 0, 0));
	EFAULTS(syscall(SYS_pwritev, fd, bad, 1, 0, 0));
	EQUAL(writev(fd, UNMAPPED, 0), 0);
	close(fd);
	FAILS(readv(fd, vector, 1), EBADF);
	FAILS(writev(fd, vector, 1), EBADF);
}

static void test_vectors2(void)
{
	char text[8] = "";
	struct iovec one = { text, 4 };
	int fd = make_file("vector2", "abcdefgh");
	long high = 0;

	TOPIC("preadv2");
	EQUAL(syscall(SYS_preadv2, fd, &one, 1, 2, high, 0), 4);
	CHECK(memcmp(text, "cdef", 4) == 0);
	/* Offset -1 is the file's own. */
	EQUAL(syscall(SYS_preadv2, fd, &one, 1, -1L, -1L, 0), 4);
	EQUAL(lseek(fd, 0, SEEK_CUR), 4);
	FAILS(syscall(SYS_preadv2, fd, &one, 1, 0, high, 0x40000000), EOPNOTSUPP);
	memcpy(text, "1234", 4);
	EQUAL(syscall(SYS_pwritev2, fd, &one, 1, 0, high, 0x10 /* RWF_APPEND */), 4);
	EQUAL(lseek(fd, 0, SEEK_END), 12);
	EQUAL(syscall(SYS_pwritev2, fd, &one, 1, 0, high, 0x2 /* RWF_DSYNC */), 4);
	FAILS(syscall(SYS_preadv2, fd, &one, 1, -2L, -1L, 0), EINVAL);
	close(fd);
}

static void test_bad_memory(void)
{
	int fd = make_file("bad", "0123456789abcdef");
	char *end = edge(4), text[8];

	TOPIC("bad memory");
	EFAULTS(read(fd, bad, 1));
	EFAULTS(pread(fd, bad, 1, 0));
	EFAULTS(write(fd, bad, 1));
	EFAULTS(pwrite(fd, bad, 1, 0));
	EQUAL(read(fd, UNMAPPED, 0), 0);
	EQUAL(lseek(fd, 0, SEEK_CUR), 0);
	/* What fits before the bad page is done. */
	EQUAL(read(fd, end, 8), 4);
	CHECK(memcmp(end, "0123", 4) == 0);
	EQUAL(lseek(fd, 0, SEEK_CUR), 4);
	EQUAL(pread(fd, text, 1, 4), 1);
	memcpy(end, "WXYZ", 4);
	EQUAL(pwrite(fd, end, 4, 8), 4);
	FAILS(pwrite(fd, end + 4, 4, 8), EFAULT);
	EQUAL(pread(fd, text, 4, 8), 4);
	CHECK(memcmp(text, "WXYZ", 4) == 0);
	FAILS(syscall(SYS_read, fd, -1L, 1L << 40), EFAULT);
	FAILS(syscall(SYS_write, fd, text, 1L << 63), EFAULT);
	FAILS(syscall(SYS_read, fd, text, -1L), EFAULT);
	close(fd);
	/* The descriptor is asked first. */
	FAILS(read(-1, UNMAPPED, 1), EBADF);
	/* A read-only page cannot be read into. */
	fd = open("bad", O_RDONLY);
	char *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FAILS(read(fd, page, 1), EFAULT);
	mprotect(page, PAGE, PROT_READ | PROT_WRITE);
	EQUAL(read(fd, page, 1), 1);
	close(fd);
}

static void test_other_files(void)
{
	int pipe_fd[2];
	char text[4];

	TOPIC("no seeking");
	DOES(pipe(pipe_fd));
	FAILS(pread(pipe_fd[0], text, 1, 0), ESPIPE);
	FAILS(pwrite(pipe_fd[1], text, 1, 0), ESPIPE);
	FAILS(lseek(pipe_fd[0], 0, SEEK_SET), ESPIPE);
	struct iovec one = { text, 1 };
	FAILS(preadv(pipe_fd[0], &one, 1, 0), ESPIPE);
	FAILS(pwritev(pipe_fd[1], &one, 1, 0), ESPIPE);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void *append_lines(void *argument)
{
	int fd = open("together", O_WRONLY | O_APPEND), i;
	char line[33];

	memset(line, (int)(intptr_t)argument, sizeof(line) - 1);
	line[32] = '\n';
	for (i = 0; i < 50; i++)
		if (write(fd, line, sizeof(line)) != sizeof(line))
			return argument;
	close(fd);
	return NULL;
}

static void test_threads(void)
{
	pthread_t thread[4];
	char line[33];
	int fd = make_file("together", ""), whole = 0, failed = 0;
	intptr_t i;

	TOPIC("threads");
	for (i = 0; i < 4; i++)
		thread[i] = spawn(append_lines, (void *)('a' + i));
	for (i = 0; i < 4; i++)
		failed += join(thread[i]) != NULL;
	EQUAL(failed, 0);
	while (read(fd, line, sizeof(line)) == sizeof(line))
		whole += line[0] == line[31] && line[32] == '\n';
	EQUAL(whole, 200);
	close(fd);
}

int main(void)
{
	use_folder();
	test_plain();
	test_large();
	test_vectors();
	test_vectors2();
	test_bad_memory();
	test_other_files();
	test_threads();
	return tap_done();
}
