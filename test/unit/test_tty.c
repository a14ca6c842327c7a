/* The line discipline against the host's own, key by key: what is shown, what is read; then random keys in all modes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/core/clock.h"
#include "kernel/file/abi.h"
#include "kernel/file/tty.h"
#include "kernel/file/vnode.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/user.h"
#include "test/unit/shim/heap.h"
#include "test/unit/tty_host.h"

/* ---- What stands under it ------------------------------------------------------------------------------------------ */

static struct thread thread;
struct thread *thread_current_ = &thread;
uintptr_t user_end = UINTPTR_MAX;

void wait_queue_init(struct wait_queue *queue)
{
	list_init(&queue->waiters);
}

unsigned wait_wake(struct wait_queue *queue, unsigned n)
{
	(void)queue, (void)n;
	return 0;
}

void wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	(void)queue, (void)waiter;
}

void wait_remove(struct wait_queue *queue, struct waiter *waiter)
{
	(void)queue, (void)waiter;
}

/* Nobody types while the test waits: a signal ends it. */
void sched_block(void)
{
	thread.work |= THREAD_WORK_SIGNAL;
}

static uint64_t now;

int wait_block_until(uint64_t deadline)
{
	now = deadline;
	return -ETIMEDOUT;
}

uint64_t clock_monotonic(void)
{
	return now;
}

void poll_source_init(struct poll_source *source)
{
	list_init(&source->watches);
}

void poll_notify_slow(struct poll_source *source, unsigned events)
{
	(void)source, (void)events;
}

void file_init(struct file *file, const struct file_ops *ops, unsigned flags)
{
	file->ops = ops;
	file->flags = flags;
}

int vnode_getattr(struct vnode *vnode, struct vnode_attr *attr)
{
	(void)vnode, (void)attr;
	return 0;
}

int user_read(void *dst, const void *src, size_t len)
{
	memcpy(dst, src, len);
	return 0;
}

int user_write(void *dst, const void *src, size_t len)
{
	memcpy(dst, src, len);
	return 0;
}

/* ---- Both terminals ------------------------------------------------------------------------------------------------ */

static char shown[20000];
static size_t nr_shown;
static int signals[65], session = 7;
static struct tty tty;
static struct file *file;

static void take_output(struct tty *of, const char *bytes, size_t len)
{
	(void)of;
	assert_true(nr_shown + len <= sizeof(shown));
	memcpy(shown + nr_shown, bytes, len);
	nr_shown += len;
}

static int input_start(struct tty *of)
{
	(void)of;
	return 0;
}

static void take_signal(int pgrp, int signo)
{
	assert_int_equal(pgrp, 7);
	signals[signo]++;
}

static void caller(struct tty_caller *out)
{
	*out = (struct tty_caller){ 7, 7, session };
}

static int session_of(int pgrp)
{
	return pgrp == 7 || pgrp == 8 ? 7 : pgrp == 9 ? 9 : -ESRCH;
}

static void getattr(struct tty *of, struct vnode_attr *attr)
{
	(void)of;
	attr->mode = S_IFCHR;
}

static const struct tty_ops ops = { take_output, input_start, take_signal, caller, session_of, getattr };

static ssize_t our_read(char *buf, size_t len)
{
	struct iovec iov;
	struct uio uio;

	uio_init(&uio, &iov, buf, len);
	return file->ops->read(file, &uio, NULL);
}

static ssize_t our_write(const char *buf, size_t len)
{
	struct iovec iov;
	struct uio uio;

	uio_init(&uio, &iov, (void *)buf, len);
	return file->ops->write(file, &uio, NULL);
}

static long ioctl(unsigned request, const void *arg)
{
	return file->ops->ioctl(file, request, (unsigned long)arg);
}

static int setup(void **state)
{
	char c;

	(void)state;
	memset(&tty, 0, sizeof(tty));
	memset(signals, 0, sizeof(signals));
	nr_shown = 0;
	thread.work = 0;
	tty_init(&tty, &ops, "/dev/console");
	assert_int_equal(tty_open(&tty, O_RDWR | O_NONBLOCK, &file), 0);
	assert_int_equal(our_read(&c, 1), -EAGAIN); /* begins to listen */
	if (!tty_host_open())
		skip();
	tty_host_set(&tty.termios, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tty_host_close();
	file->ops->release(file);
	kfree(tty.ring);
	assert_int_equal(heap_objects, 0);
	return 0;
}

static void set_both(const struct linux_termios *termios)
{
	assert_int_equal(ioctl(TCSETS, termios), 0);
	tty_host_set(termios, false);
}

/* The host's kernel works on what was typed when it gets to it. */
#define PATIENCE 500

static void compare_shown(void)
{
	static char host[sizeof(shown)];
	size_t n = tty_host_shown(host, sizeof(host));

	for (unsigned tries = 0; n < nr_shown && tries < PATIENCE; tries++) {
		tty_host_wait();
		n += tty_host_shown(host + n, sizeof(host) - n);
	}
	if (n != nr_shown || memcmp(host, shown, n))
		fprintf(stderr, "host shows %zu \"%.*s\"\nours  %zu \"%.*s\"\n", n, (int)n, host, nr_shown,
			(int)nr_shown, shown);
	assert_int_equal(nr_shown, n);
	assert_memory_equal(shown, host, n);
	nr_shown = 0;
}

/* Up to each key that may be a signal: for that the host drops what it has not yet shown. */
static void type(const char *bytes, size_t len)
{
	while (len) {
		size_t n = 0;

		while (n < len && bytes[n] != '\003' && bytes[n] != '\034')
			n++;
		n += !n;
		tty_input(&tty, bytes, n);
		tty_host_type(bytes, n);
		compare_shown();
		bytes += n;
		len -= n;
	}
}

/* Reads SIZE bytes at most; how many came. */
static ssize_t compare_read(size_t size)
{
	static char ours[8192], host[8192];
	ssize_t n = tty_host_read(host, size), mine = our_read(ours, size);

	if (n != mine)
		fprintf(stderr, "read %zu: host %ld \"%.*s\" ours %ld \"%.*s\"\n", size, n, (int)(n > 0 ? n : 0), host,
			mine, (int)(mine > 0 ? mine : 0), ours);
	assert_int_equal(mine, n);
	if (n > 0)
		assert_memory_equal(ours, host, (size_t)n);
	return n;
}

static void compare_available(void)
{
	int n = 0;

	assert_int_equal(ioctl(FIONREAD, &n), 0);
	for (unsigned tries = 0; n != tty_host_available() && tries < PATIENCE; tries++)
		tty_host_wait();
	assert_int_equal(n, tty_host_available());
}

static void type_text(const char *text)
{
	type(text, strlen(text));
	compare_available();
}

/* ---- Tests ----------------------------------------------------------------------------------------------------------- */

static void test_lines(void **state)
{
	(void)state;
	type_text("hello\n");
	assert_int_equal(compare_read(100), 6);
	assert_int_equal(compare_read(100), -EAGAIN);
	type_text("one\rtwo\nthr");
	assert_int_equal(compare_read(2), 2);
	assert_int_equal(compare_read(100), 2);
	assert_int_equal(compare_read(100), 4);
	assert_int_equal(compare_read(100), -EAGAIN);
	type_text("ee\n");
	assert_int_equal(compare_read(100), 6);
}

static void test_editing(void **state)
{
	static const char *const keys[] = {
		"abx\177c\n",	   "wrong\025right\n", "one two  three\027four\n", "\177\177x\n",
		"a\003b\n",	   "q\034r\n",	       "ctrl\001\002\177.\n",	   "lit\026\003\026\004\n",
		"again\022more\n", "z\026\177\177\n",  "foo-bar_baz \027\n",	   "\025\n"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		type_text(keys[i]);
		compare_read(1000);
		compare_read(1000);
	}
}

static void test_end_of_file(void **state)
{
	(void)state;
	type_text("\004");
	assert_int_equal(compare_read(10), 0);
	assert_int_equal(compare_read(10), -EAGAIN);
	type_text("part\004");
	assert_int_equal(compare_read(10), 4);
	assert_int_equal(compare_read(10), -EAGAIN);
	type_text("full\004next\n");
	assert_int_equal(compare_read(4), 4);
	assert_int_equal(compare_read(10), 5);
	type_text("a\n\004b\n");
	assert_int_equal(compare_read(10), 2);
	assert_int_equal(compare_read(10), 0);
	assert_int_equal(compare_read(10), 2);
}

static void test_raw(void **state)
{
	struct linux_termios raw = tty.termios;

	(void)state;
	raw.iflag = 0;
	raw.lflag = 0;
	set_both(&raw);
	type_text("a\003\004\177\r\n");
	assert_int_equal(compare_read(2), 2);
	assert_int_equal(compare_read(100), 4);
	assert_int_equal(compare_read(100), -EAGAIN);
	raw.cc[VMIN] = 0;
	set_both(&raw);
	assert_int_equal(compare_read(100), 0);
}

static void test_modes_change(void **state)
{
	struct linux_termios termios = tty.termios;

	(void)state;
	type_text("partial");
	termios.lflag &= ~(uint32_t)ICANON;
	set_both(&termios);
	compare_available();
	assert_int_equal(compare_read(3), 3);
	termios.lflag |= ICANON;
	set_both(&termios);
	assert_int_equal(compare_read(100), 4);
	type_text("x\n");
	assert_int_equal(compare_read(100), 2);
	type_text("dropped\n");
	assert_int_equal(ioctl(TCSETSF, &termios), 0);
	tty_host_set(&termios, true);
	assert_int_equal(compare_read(100), -EAGAIN);
}

static void test_long_line(void **state)
{
	static char keys[6000];

	(void)state;
	memset(keys, 'k', sizeof(keys));
	tty_input(&tty, keys, sizeof(keys));
	assert_int_equal(our_read(keys, sizeof(keys)), -EAGAIN);
	tty_input(&tty, "\n", 1);
	assert_int_equal(our_read(keys, sizeof(keys)), 4096);
	assert_int_equal(keys[4094], 'k');
	assert_int_equal(keys[4095], '\n');
}

static void test_output(void **state)
{
	static const char text[] = "one\ntwo\r\nthree";
	struct linux_termios termios = tty.termios;

	(void)state;
	assert_int_equal(our_write(text, sizeof(text)), sizeof(text));
	tty_host_write(text, sizeof(text));
	compare_shown();
	termios.oflag |= ONLCR;
	set_both(&termios);
	assert_int_equal(our_write(text, sizeof(text)), sizeof(text));
	tty_host_write(text, sizeof(text));
	compare_shown();
	type_text("echo\n");
	termios.oflag |= OCRNL;
	set_both(&termios);
	assert_int_equal(our_write(text, sizeof(text)), sizeof(text));
	tty_host_write(text, sizeof(text));
	compare_shown();
	tty_input(&tty, "\023", 1);
	assert_int_equal(our_write(text, sizeof(text)), -EAGAIN);
	assert_false(file->ops->poll(file) & EV_OUT);
	tty_input(&tty, "\021", 1);
	assert_int_equal(our_write(text, sizeof(text)), sizeof(text));
}

/* Keys that matter, more often than others; no tab, whose width depends on where the line began on the screen. */
static char random_key(void)
{
	static const char special[] = "\003\004\025\026\027\022\177\r\n\n\n\001\033 _-.";

	return rand() % 3 ? (char)('a' + rand() % 26) : special[(size_t)rand() % (sizeof(special) - 1)];
}

static void test_random(void **state)
{
	static const uint32_t lflags[] = { ISIG, ICANON, ECHO, ECHOE, ECHOK, ECHONL, NOFLSH, ECHOCTL, ECHOKE, IEXTEN };
	static const uint32_t iflags[] = { IGNCR, ICRNL, INLCR, ISTRIP, IUTF8 };
	struct linux_termios start = tty.termios;

	(void)state;
	srand(20);
	for (unsigned round = 0; round < 250; round++) {
		struct linux_termios termios = start;
		char keys[60];
		size_t n = 1 + (size_t)rand() % sizeof(keys);

		for (size_t i = 0; i < ARRAY_SIZE(lflags); i++)
			if (rand() % 4 == 0)
				termios.lflag ^= lflags[i];
		for (size_t i = 0; i < ARRAY_SIZE(iflags); i++)
			if (rand() % 4 == 0)
				termios.iflag ^= iflags[i];
		assert_int_equal(ioctl(TCSETSF, &termios), 0);
		tty_host_set(&termios, true);
		for (size_t i = 0; i < n; i++)
			keys[i] = random_key();
		type(keys, n);
		compare_available();
		while (compare_read(1 + (size_t)rand() % 40) >= 0 && rand() % 50)
			;
	}
}

static void test_blocking(void **state)
{
	struct linux_termios termios = tty.termios;
	char buf[10];

	(void)state;
	file->flags &= ~(unsigned)O_NONBLOCK;
	assert_int_equal(our_read(buf, sizeof(buf)), -ERESTARTSYS);
	thread.work = 0;
	termios.lflag &= ~(uint32_t)ICANON;
	termios.cc[VMIN] = 0;
	termios.cc[VTIME] = 5;
	now = 1000;
	assert_int_equal(ioctl(TCSETS, &termios), 0);
	assert_int_equal(our_read(buf, sizeof(buf)), 0);
	assert_int_equal(now, 1000 + 500000000);
	termios.cc[VMIN] = 3;
	assert_int_equal(ioctl(TCSETS, &termios), 0);
	tty_input(&tty, "xy", 2);
	assert_int_equal(our_read(buf, sizeof(buf)), 2); /* the time between two bytes is up */
	tty_input(&tty, "xyz", 3);
	assert_true(file->ops->poll(file) & EV_IN);
	assert_int_equal(our_read(buf, 2), 2);
}

static void test_sessions(void **state)
{
	struct linux_winsize winsize = { 24, 80, 0, 0 }, got = { 0 };
	int value = 8, none = 10, other = 9;

	(void)state;
	assert_int_equal(ioctl(TIOCGPGRP, &value), -ENOTTY);
	assert_int_equal(ioctl(TIOCGSID, &value), -ENOTTY);
	assert_int_equal(ioctl(TIOCSCTTY, NULL), 0);
	assert_int_equal(ioctl(TIOCGSID, &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(ioctl(TIOCSPGRP, &none), -ESRCH);
	assert_int_equal(ioctl(TIOCSPGRP, &other), -EPERM);
	tty_input(&tty, "\003\034\032", 3);
	assert_int_equal(signals[2] + signals[3] + signals[20], 3);
	assert_int_equal(ioctl(TIOCSWINSZ, &winsize), 0);
	assert_int_equal(ioctl(TIOCSWINSZ, &winsize), 0);
	assert_int_equal(signals[28], 1);
	assert_int_equal(ioctl(TIOCGWINSZ, &got), 0);
	assert_memory_equal(&got, &winsize, sizeof(got));
	value = 8;
	assert_int_equal(ioctl(TIOCSPGRP, &value), 0);
	value = 0;
	assert_int_equal(ioctl(TIOCGPGRP, &value), 0);
	assert_int_equal(value, 8);
	session = 9;
	assert_int_equal(ioctl(TIOCGPGRP, &value), -ENOTTY);
	assert_int_equal(ioctl(TIOCSCTTY, NULL), -EPERM);
	session = 7;
	value = 7;
	assert_int_equal(ioctl(TIOCSPGRP, &value), 0);
	assert_int_equal(ioctl(TIOCNOTTY, NULL), 0);
	assert_int_equal(signals[1], 1);
	assert_int_equal(ioctl(TIOCGSID, &value), -ENOTTY);
	assert_int_equal(ioctl(0x12345, NULL), -ENOTTY);
	assert_int_equal(ioctl(TCFLSH, (void *)3), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_editing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end_of_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_raw, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_output, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random, setup, teardown),
		cmocka_unit_test_setup_teardown(test_blocking, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sessions, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
