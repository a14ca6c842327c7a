/*
 * System calls in an image: the table holds the handlers that are linked in, here two of this file's own, and no others;
 * tracing writes to the console, and survives pointers that lead nowhere. The rest is test/unit/test_syscall.c's.
 */
#include "kernel/arch/arch.h"
#include "kernel/linux/syscall.h"
#include "kernel/linux/syscall_handlers.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "test/boot/guest/tap.h"

static char console[4096]; /* what went to the console while `capture` was registered */
static size_t console_len;

static void capture_write(struct log_sink *sink, const char *text, size_t len)
{
	(void)sink;
	len = MIN(len, sizeof(console) - 1 - console_len);
	memcpy(console + console_len, text, len);
	console_len += len;
}

static struct log_sink capture = { .name = "capture", .write = capture_write };

static bool console_has(const char *text)
{
	for (size_t i = 0; console[i]; i++)
		if (strncmp(console + i, text, strlen(text)) == 0)
			return true;
	return false;
}

long sys_semget(int key, int nsems, int flags)
{
	return key == -1 && nsems == 2 && flags == 3 ? 44 : -EINVAL;
}

long sys_mq_unlink(const char *name)
{
	return name ? 0 : -EFAULT;
}

static long call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c)
{
	struct trapframe frame = { .ax = nr, .di = a, .si = b, .dx = c };

	return syscall_dispatch(&frame);
}

static void test_dispatch(void)
{
	unsigned present = 0;

	for (unsigned nr = 0; nr < syscall_table_len; nr++)
		present += syscall_table[nr] != NULL;
	TAP_EQUAL(present, 2, "the table has the two handlers that are linked in");
	TAP_EQUAL(call(NR_semget, UINT32_MAX, 2, 3), 44, "a call reaches its handler with its arguments");
	TAP_EQUAL(call(NR_read, 0, 0, 0), -ENOSYS, "a handler that is not linked in");
	TAP_EQUAL(call(NR_vserver, 0, 0, 0), -ENOSYS, "a call that will never be there");
	TAP_EQUAL(call(UINT64_MAX, 0, 0, 0), -ENOSYS, "a number that is no call");
}

static void test_trace(void)
{
	syscall_trace_init("trace=syscalls");
	log_sink_register(&capture);
	TAP_EQUAL(call(NR_mq_unlink, (uintptr_t) "/queue", 0, 0), 0, "a call while tracing");
	TAP_EQUAL(call(NR_mq_unlink, 0x10, 0, 0), 0, "a string in the lowest page");
	TAP_EQUAL(call(NR_mq_unlink, 0x8000000000000000, 0, 0), 0, "a string at an address that no CPU has");
	TAP_EQUAL(call(NR_mq_unlink, 0, 0, 0), -EFAULT, "no string");
	TAP_CHECK(console_has("[0] mq_unlink(\"/queue\") = 0 <"), "the line of the first");
	TAP_CHECK(console_has("[0] mq_unlink(0x10) = 0 <"), "the line of the second");
	TAP_CHECK(console_has("[0] mq_unlink(0x8000000000000000) = 0 <"), "the line of the third");
	TAP_CHECK(console_has("[0] mq_unlink(NULL) = -EFAULT <"), "the line of the last");
}

int main(void)
{
	test_dispatch();
	test_trace();
	return tap_done();
}
