/* Pipes: blocking and not, atomic writes, ends that close, threads; AF_UNIX socketpair; sendfile, splice, tee. */
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "test/linux/util.h"

static int fd[2];
static volatile sig_atomic_t broken;

static void on_broken(int nr)
{
	(void)nr;
	broken++;
}

static void test_plain(void)
{
	char text[64] = "";
	int left;

	TOPIC("plain");
	EQUAL(pipe(fd), 0);
	EQUAL(write(fd[1], "hello", 5), 5);
	EQUAL(ioctl(fd[0], FIONREAD, &left), 0);
	EQUAL(left, 5);
	EQUAL(read(fd[0], text, 2), 2);
	EQUAL(read(fd[0], text, 64), 3);
	FAILS(write(fd[0], "x", 1), EBADF);
	FAILS(read(fd[1], text, 1), EBADF);
	EFAULTS(write(fd[1], bad, 1));
	EQUAL(write(fd[1], "z", 1), 1);
	EFAULTS(read(fd[0], bad, 1));
	EQUAL(read(fd[0], text, 5), 1);
	CHECK(text[0] == 'z');
	EQUAL(write(fd[1], "", 0), 0);
	EQUAL(close(fd[1]), 0);
	EQUAL(read(fd[0], text, 5), 0);
	close(fd[0]);
	EFAULTS(syscall(SYS_pipe, bad));
	EFAULTS(syscall(SYS_pipe2, bad, 0));
	FAILS(pipe2(fd, O_CREAT), EINVAL);
	EQUAL(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0);
	CHECK(fcntl(fd[0], F_GETFD) == FD_CLOEXEC && (fcntl(fd[1], F_GETFL) & O_NONBLOCK));
	close(fd[0]), close(fd[1]);
}

static void test_nonblocking(void)
{
	static char block[70000];
	int size, i;

	TOPIC("nonblocking");
	EQUAL(pipe2(fd, O_NONBLOCK), 0);
	FAILS(read(fd[0], block, 1), EAGAIN);
	size = fcntl(fd[1], F_GETPIPE_SZ);
	EQUAL(write(fd[1], block, sizeof(block)), size);
	FAILS(write(fd[1], "x", 1), EAGAIN);
	/* A write of at most PIPE_BUF bytes is whole or nothing. */
	EQUAL(read(fd[0], block, 4000), 4000);
	FAILS(write(fd[1], block, 4096), EAGAIN);
	EQUAL(read(fd[0], block, 96), 96);
	EQUAL(write(fd[1], block, 4096), 4096);
	for (i = 0; read(fd[0], block, 1000) > 0; i++)
		;
	CHECK(i >= 65);
	close(fd[0]), close(fd[1]);
}

static void test_broken(void)
{
	TOPIC("broken");
	signal(SIGPIPE, on_broken);
	EQUAL(pipe(fd), 0);
	close(fd[0]);
	FAILS(write(fd[1], "x", 1), EPIPE);
	EQUAL(broken, 1);
	signal(SIGPIPE, SIG_IGN);
	FAILS(write(fd[1], "x", 1), EPIPE);
	EQUAL(broken, 1);
	EQUAL(write(fd[1], "", 0), 0);
	close(fd[1]);
}

static void test_signals(void)
{
	char text[8];

	TOPIC("signals");
	EQUAL(pipe(fd), 0);
	INTERRUPTED(read(fd[0], text, 1));
	RESTARTED(read(fd[0], text, 8), 1, fd[1]);
	EQUAL(ticks >= 3, 1);
	close(fd[0]), close(fd[1]);
}

static void *write_blocks(void *argument)
{
	char block[4096];
	int i;

	memset(block, (int)(intptr_t)argument, sizeof(block));
	for (i = 0; i < 60; i++)
		if (write(fd[1], block, sizeof(block)) != sizeof(block))
			return argument;
	return NULL;
}

static void *write_large(void *argument)
{
	static char block[300000];

	memset(block, 'L', sizeof(block));
	*(ssize_t *)argument = write(fd[1], block, sizeof(block));
	close(fd[1]);
	return NULL;
}

static void test_threads(void)
{
	static char block[4096];
	pthread_t thread[3];
	ssize_t wrote = 0, len;
	size_t total = 0, have;
	int torn = 0;
	intptr_t i;

	TOPIC("threads");
	EQUAL(pipe(fd), 0);
	for (i = 0; i < 3; i++)
		thread[i] = spawn(write_blocks, (void *)('a' + i));
	for (i = 0; i < 180; i++) {
		for (have = 0; have < sizeof(block); have += (size_t)len)
			if ((len = read(fd[0], block + have, sizeof(block) - have)) <= 0)
				break;
		torn += memchr(block, block[0] ^ 1, sizeof(block)) != NULL || block[0] != block[4095];
	}
	EQUAL(torn, 0);
	for (i = 0; i < 3; i++)
		torn += join(thread[i]) != NULL;
	EQUAL(torn, 0);
	thread[0] = spawn(write_large, &wrote);
	while ((len = read(fd[0], block, sizeof(block))) > 0)
		total += (size_t)len;
	join(thread[0]);
	EQUAL(wrote, 300000);
	EQUAL(total, 300000);
	close(fd[0]);
}

static void test_socketpair(void)
{
	char text[64];
	int pair[2];

	TOPIC("socketpair");
	EQUAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	EQUAL(write(pair[0], "ping", 4), 4);
	EQUAL(read(pair[1], text, 64), 4);
	EQUAL(write(pair[1], "pong!", 5), 5);
	EQUAL(recv(pair[0], text, 3, MSG_PEEK), 3);
	EQUAL(read(pair[0], text, 64), 5);
	FAILS(recv(pair[0], text, 1, MSG_DONTWAIT), EAGAIN);
	INTERRUPTED(read(pair[0], text, 1));
	EQUAL(shutdown(pair[0], SHUT_WR), 0);
	EQUAL(read(pair[1], text, 1), 0);
	FAILS(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	FAILS(lseek(pair[0], 0, SEEK_SET), ESPIPE);
	close(pair[0]);
	FAILS(send(pair[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	close(pair[1]);
	EQUAL(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	EQUAL(write(pair[0], "one", 3), 3);
	EQUAL(write(pair[0], "three", 5), 5);
	EQUAL(read(pair[1], text, 64), 3);
	EQUAL(read(pair[1], text, 2), 2);
	FAILS(read(pair[1], text, 64), EAGAIN);
	close(pair[0]), close(pair[1]);
	EFAULTS(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, bad));
}

static void test_sendfile(void)
{
	char text[64] = "";
	off_t at = 4;
	int in = make_file("in", "0123456789"), out = make_file("out", "");

	TOPIC("sendfile");
	EQUAL(pipe(fd), 0);
	EQUAL(sendfile(out, in, &at, 100), 6);
	EQUAL(at, 10);
	EQUAL(lseek(in, 0, SEEK_CUR), 0);
	EQUAL(sendfile(fd[1], in, NULL, 3), 3);
	EQUAL(lseek(in, 0, SEEK_CUR), 3);
	EQUAL(read(fd[0], text, 64), 3);
	EQUAL(pread(out, text, 64, 0), 6);
	CHECK(memcmp(text, "456789", 6) == 0);
	FAILS(sendfile(-1, in, NULL, 1), EBADF);
	FAILS(sendfile(out, fd[0], &at, 1), ESPIPE);
	EFAULTS(syscall(SYS_sendfile, out, in, bad, 1));
	EQUAL(copy_file_range(in, NULL, out, NULL, 2, 0), 2);
	close(in), close(out), close(fd[0]), close(fd[1]);
}

static void test_splice(void)
{
	char text[64] = "";
	int other[2], in = make_file("in", "0123456789");

	TOPIC("splice and tee");
	EQUAL(pipe(fd), 0);
	EQUAL(pipe(other), 0);
	EQUAL(splice(in, NULL, fd[1], NULL, 4, 0), 4);
	EQUAL(tee(fd[0], other[1], 10, 0), 4);
	EQUAL(read(fd[0], text, 64), 4);
	EQUAL(read(other[0], text, 64), 4);
	CHECK(memcmp(text, "0123", 4) == 0);
	struct iovec one = { "spliced", 7 };
	EQUAL(vmsplice(fd[1], &one, 1, 0), 7);
	EQUAL(splice(fd[0], NULL, other[1], NULL, 64, 0), 7);
	EQUAL(read(other[0], text, 64), 7);
	FAILS(splice(in, NULL, in, NULL, 1, 0), EINVAL);
	FAILS(splice(-1, NULL, fd[1], NULL, 1, 0), EBADF);
	close(fd[0]), close(fd[1]), close(other[0]), close(other[1]), close(in);
}

int main(void)
{
	use_folder();
	test_plain();
	test_nonblocking();
	test_broken();
	test_signals();
	test_threads();
	test_socketpair();
	test_sendfile();
	test_splice();
	return tap_done();
}
