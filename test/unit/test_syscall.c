/* System calls: dispatch through a table of the test's own, what is missing, the lines of trace=syscalls, names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/arch/arch.h"
#include "kernel/core/clock.h"
#include "kernel/core/log.h"
#include "kernel/core/thread.h"
#include "kernel/linux/syscall.h"
#include "kernel/linux/syscall_handlers.h"
#include "lib/errno.h"
#include "lib/util.h"

#define TABLE_LEN 300

static unsigned long seen[6];
static unsigned nr_calls, nr_logged;
static long result;
static char logged[256], shown[1024];
static struct thread thread = { .id = 12 };
static uint64_t now;

struct thread *thread_current_ = &thread;

static long fake(unsigned long a, unsigned long b, unsigned long c, unsigned long d, unsigned long e, unsigned long f)
{
	memcpy(seen, (unsigned long[]){ a, b, c, d, e, f }, sizeof(seen));
	nr_calls++;
	now += 1234567;
	return result;
}

/* As the program's handlers: fewer and narrower parameters than the table's type has. */
static long fake_narrow(unsigned fd, int value)
{
	return fd == 0xfffffff0 && value == -1;
}

syscall_fn *const syscall_table[TABLE_LEN] = {
	[NR_write] = fake,
	[NR_mmap] = fake,
	[NR_umask] = fake,
	[NR_exit] = fake,
	[NR_setxattr] = fake,
	[NR_openat] = fake,
	[NR_close] = (syscall_fn *)(void (*)(void))fake_narrow,
	[NR_ppoll] = fake,
	[NR_lseek] = fake,
	[NR_getuid] = fake,
};
const unsigned syscall_table_len = TABLE_LEN;
unsigned syscall_limit = TABLE_LEN;

void log_vwrite(enum log_level level, const char *format, va_list args)
{
	assert_true(level <= LOG_NOTICE);
	nr_logged++;
	vsnprintf(logged, sizeof(logged), format, args);
}

void log_raw(const char *text, size_t len)
{
	size_t have = strlen(shown);

	assert_true(len && text[len - 1] == '\n' && have + len < sizeof(shown));
	memcpy(shown + have, text, len);
	shown[have + len] = '\0';
}

uint64_t clock_monotonic(void)
{
	return now;
}

/* The first 64 KiB are not mapped, as in a guest, nor is what follows this page. */
static char page[4096] __attribute__((aligned(4096)));

int arch_probe_read(void *dst, const void *src, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char *at = (const char *)src + i;

		if ((uintptr_t)at < 0x10000 || at == page + sizeof(page) || (uintptr_t)at > 1ul << 47)
			return -EFAULT;
		((char *)dst)[i] = *at;
	}
	return 0;
}

static int reset(void **state)
{
	(void)state;
	memset(seen, 0, sizeof(seen));
	nr_calls = nr_logged = 0;
	result = 0;
	logged[0] = shown[0] = '\0';
	syscall_hook_set(NULL);
	return 0;
}

/* The registers of system call NR; what its result is. */
static long call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct trapframe frame = { .ax = nr, .di = a, .si = b, .dx = c, .r10 = d, .r8 = e, .r9 = f, .cx = 7, .ip = 8 };

	frame.ax = (uint64_t)syscall_dispatch(&frame);
	assert_true(frame.di == a && frame.si == b && frame.dx == c && frame.r10 == d && frame.r8 == e &&
		    frame.r9 == f);
	assert_true(frame.cx == 7 && frame.ip == 8);
	return (long)frame.ax;
}

static void test_arguments(void **state)
{
	(void)state;
	result = -123456789012;
	assert_int_equal(call(NR_write, 1, 2, 3, 4, 5, 0xffffffffffffffff), -123456789012);
	assert_int_equal(nr_calls, 1);
	assert_memory_equal(seen, ((unsigned long[]){ 1, 2, 3, 4, 5, 0xffffffffffffffff }), sizeof(seen));
	/* Only the lower half of rax is the number. */
	assert_int_equal(call(0xabcdef0000000000 | NR_write, 1, 0, 0, 0, 0, 0), -123456789012);
	assert_int_equal(call(NR_close, 0xdeadbeeffffffff0, 0xdeadbeefffffffff, 0, 0, 0, 0), 1);
	assert_int_equal(nr_calls, 2);
	assert_int_equal(nr_logged, 0);
}

static void test_missing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(call(NR_read, 1, 2, 3, 4, 5, 6), -ENOSYS);
	assert_int_equal(nr_logged, 1);
	assert_string_equal(logged, "system call read (0) is not there");
	assert_int_equal(call(NR_openat2, 0, 0, 0, 0, 0, 0), -ENOSYS); /* past the table, but with a name */
	assert_string_equal(logged, "system call openat2 (437) is not there");
	assert_int_equal(call(400, 0, 0, 0, 0, 0, 0), -ENOSYS);
	assert_string_equal(logged, "system call ? (400) is not there");
	assert_int_equal(nr_logged, 3);
	assert_int_equal(nr_calls, 0);
}

static void test_wild_numbers(void **state)
{
	static const uint64_t wild[] = {
		511, 512, 0x7fffffff, 0x80000000, 0xffffffff, 0x40000000 | NR_write, UINT64_MAX
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(wild); i++)
		assert_int_equal(call(wild[i], 0, 0, 0, 0, 0, 0), -ENOSYS);
	assert_int_equal(nr_logged, 1); /* those that have no bit of their own share one */
	assert_int_equal(nr_calls, 0);
}

static void trace(const char *cmdline)
{
	syscall_trace_init(cmdline);
}

static void check_line(const char *line)
{
	assert_string_equal(shown, line);
	shown[0] = '\0';
}

static void test_trace_option(void **state)
{
	(void)state;
	trace("");
	trace("quiet -- trace=syscalls");
	call(NR_write, 0, 0, 0, 0, 0, 0);
	assert_string_equal(shown, "");
	assert_int_equal(nr_logged, 0);
	trace("trace=packets");
	assert_int_equal(nr_logged, 1);
	assert_string_equal(logged, "command line: trace=packets is neither trace=syscalls nor trace=syscalls,entry");
	call(NR_write, 0, 0, 0, 0, 0, 0);
	assert_string_equal(shown, "");
	trace("trace=syscalls");
	call(NR_write, 0, 0, 0, 0, 0, 0);
	assert_int_equal(nr_calls, 3);
	assert_string_not_equal(shown, "");
}

static void test_trace_words(void **state)
{
	(void)state;
	trace("trace=syscalls");
	result = 0x7f0012340000;
	assert_int_equal(call(NR_mmap, 0, 8192, 3, 0x22, 0xffffffff, 0), result);
	check_line("[12] mmap(NULL, 8192, 0x3, 0x22, -1, NULL) = 0x7f0012340000 <1234 us>\n");
	assert_int_equal(call(NR_mmap, 0x10000, 8192, 3, 0x22, 0xffffffff, 0), result);
	check_line("[12] mmap(0x10000, 8192, 0x3, 0x22, -1, NULL) = 0x7f0012340000 <1234 us>\n");
	result = 18;
	assert_int_equal(call(NR_umask, 0777, 0, 0, 0, 0, 0), 18);
	check_line("[12] umask(0777) = 18 <1234 us>\n");
	result = -ENXIO;
	assert_int_equal(call(NR_lseek, 3, (uint64_t)-5, 0xffffffff00000004, 0, 0, 0), -ENXIO);
	check_line("[12] lseek(3, -5, 4) = -ENXIO <1234 us>\n");
	result = -ERESTARTSYS;
	call(NR_ppoll, 0x20000, 2, 0, 0x30000, 8, 0);
	check_line("[12] ppoll(0x20000, 2, NULL, 0x30000, 8) = -ERESTARTSYS <1234 us>\n");
	result = -4095; /* an error's range, but no error's number */
	call(NR_getuid, 0, 0, 0, 0, 0, 0);
	check_line("[12] getuid() = -4095 <1234 us>\n");
	result = -5000;
	call(NR_getuid, 0, 0, 0, 0, 0, 0);
	check_line("[12] getuid() = -5000 <1234 us>\n");
}

static void test_trace_strings(void **state)
{
	static const char path[] = "/etc/ld.so.cache", longest[] = "/tmp/abcdefghijklmnopqrstuvwxyz1";
	static const char too_long[] = "/tmp/abcdefghijklmnopqrstuvwxyz12", odd[] = "\"\\\n\x01\xff\t";

	(void)state;
	trace("trace=syscalls");
	result = 3;
	call(NR_openat, 0xffffff9c, (uintptr_t)path, 0x80000, 0, 0, 0);
	check_line("[12] openat(AT_FDCWD, \"/etc/ld.so.cache\", 0x80000, 0) = 3 <1234 us>\n");
	call(NR_openat, 4, (uintptr_t)longest, 0x41, 0644, 0, 0);
	check_line("[12] openat(4, \"/tmp/abcdefghijklmnopqrstuvwxyz1\", 0x41, 0644) = 3 <1234 us>\n");
	call(NR_openat, 4, (uintptr_t)too_long, 0, 0, 0, 0);
	check_line("[12] openat(4, \"/tmp/abcdefghijklmnopqrstuvwxyz1\"..., 0, 0) = 3 <1234 us>\n");
	call(NR_openat, 4, (uintptr_t)odd, 0, 0, 0, 0);
	check_line("[12] openat(4, \"\\\"\\\\\\n\\x01\\xff\\t\", 0, 0) = 3 <1234 us>\n");
	call(NR_openat, 4, 0, 0, 0, 0, 0);
	check_line("[12] openat(4, NULL, 0, 0) = 3 <1234 us>\n");
	call(NR_openat, 4, 0x8000000000000000, 0, 0, 0, 0);
	check_line("[12] openat(4, 0x8000000000000000, 0, 0) = 3 <1234 us>\n");
}

static void test_trace_edge(void **state)
{
	char *at = page + sizeof(page) - 4;
	char wanted[128];

	(void)state;
	trace("trace=syscalls");
	result = 4;
	strcpy(at, "end");
	call(NR_openat, 4, (uintptr_t)at, 0, 0, 0, 0);
	check_line("[12] openat(4, \"end\", 0, 0) = 4 <1234 us>\n");
	call(NR_write, 1, (uintptr_t)at, 4, 0, 0, 0); /* a NUL is a byte of a buffer like others */
	check_line("[12] write(1, \"end\\x00\", 4) = 4 <1234 us>\n");
	call(NR_write, 1, (uintptr_t)at, 5, 0, 0, 0);
	snprintf(wanted, sizeof(wanted), "[12] write(1, %p, 5) = 4 <1234 us>\n", (void *)at);
	check_line(wanted);
	call(NR_write, 1, (uintptr_t)at, 0, 0, 0, 0);
	check_line("[12] write(1, \"\", 0) = 4 <1234 us>\n");
	call(NR_write, 1, (uintptr_t)page, SIZE_MAX, 0, 0, 0);
	assert_non_null(strstr(shown, "\\x00\"..., 18446744073709551615) = 4 <1234 us>\n"));
}

/* Two strings and a buffer that are escaped throughout: the end is cut, the line still ends. */
static void test_trace_cut(void **state)
{
	char bytes[100];
	size_t len;

	(void)state;
	trace("trace=syscalls");
	memset(bytes, 0x80, sizeof(bytes));
	call(NR_setxattr, (uintptr_t)bytes, (uintptr_t)bytes, (uintptr_t)bytes, 100, 0, 0);
	len = strlen(shown);
	assert_true(len > 300 && shown[len - 1] == '\n' && strchr(shown, '\n') == shown + len - 1);
}

static void test_trace_unknown(void **state)
{
	(void)state;
	trace("trace=syscalls");
	assert_int_equal(call(401, 1, 2, 3, 4, 0, 0x60), -ENOSYS);
	check_line("[12] 401(0x1, 0x2, 0x3, 0x4, NULL, 0x60) = -ENOSYS <0 us>\n");
	assert_string_equal(logged, "system call ? (401) is not there");
}

static void test_trace_entry(void **state)
{
	(void)state;
	trace("trace=syscalls");
	call(NR_exit, 3, 0, 0, 0, 0, 0);
	assert_non_null(strstr(shown, "[12] exit(3) = ?\n"));
	shown[0] = '\0';
	trace("trace=syscalls,entry");
	call(NR_umask, 022, 0, 0, 0, 0, 0);
	check_line("[12] umask(022) ...\n[12] umask(022) = 0 <1234 us>\n");
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(syscall_name(0), "read");
	assert_string_equal(syscall_name(334), "rseq");
	assert_string_equal(syscall_name(435), "clone3");
	assert_string_equal(syscall_name(350), "?");
	assert_string_equal(syscall_name(UINT32_MAX), "?");
	assert_string_equal(syscall_kinds(NR_openat), "lfsxo");
	assert_string_equal(syscall_kinds(NR_write), "lfbz");
	assert_string_equal(syscall_kinds(350), "lpppppp");
	assert_string_equal(errno_name(ENOENT), "ENOENT");
	assert_string_equal(errno_name(EAGAIN), "EAGAIN");
	assert_string_equal(errno_name(EHWPOISON), "EHWPOISON");
	assert_string_equal(errno_name(ERESTART_RESTARTBLOCK), "ERESTART_RESTARTBLOCK");
	assert_string_equal(errno_name(0), "");
	assert_string_equal(errno_name(41), "");
	assert_string_equal(errno_name(UINT32_MAX), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_arguments, reset),	   cmocka_unit_test_setup(test_missing, reset),
		cmocka_unit_test_setup(test_wild_numbers, reset),  cmocka_unit_test_setup(test_trace_option, reset),
		cmocka_unit_test_setup(test_trace_words, reset),   cmocka_unit_test_setup(test_trace_strings, reset),
		cmocka_unit_test_setup(test_trace_edge, reset),	   cmocka_unit_test_setup(test_trace_cut, reset),
		cmocka_unit_test_setup(test_trace_unknown, reset), cmocka_unit_test_setup(test_trace_entry, reset),
		cmocka_unit_test_setup(test_names, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
