/* The panic report: what it says, and what becomes of a second panic, on this CPU and on another one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The file itself, so that each test can begin without a panic. */
#include "kernel/core/panic.c"

/* abi/symtab.h: code of an image of 4 KiB, function "ab" at 0x100, "cd" at 0x200. 14 is the code of 'a'. */
__asm__(".section .rodata\n"
	".globl symtab_start, symtab_end\n"
	"symtab_start: .long 0x31535944, 0x1000; .short 2; .byte 0, 0\n"
	".byte 0x20, 14, 15, 0, 0x20, 16, 17, 0\n"
	"symtab_end: .text\n");

#define IMAGE 0xffffff0000000000ul

struct thread *thread_current_;
static char text[4000];
static jmp_buf end;
static int exit_status;
static unsigned nr_nmi_sent;
static uint32_t nmi_sent_to;
static bool fault_in_report;
static uintptr_t return_on_stack = IMAGE + 0x105;

enum { EXITED = 1, HALTED, RESET };

void log_vwrite(enum log_level level, const char *format, va_list args)
{
	size_t len = strlen(text);

	assert_int_equal(level, LOG_EMERG);
	fmt_vformat(text + len, sizeof(text) - len - 1, format, args);
	strcat(text, "\n");
}

void log_panic_begin(void)
{
}

void log_panic_dump(void)
{
	strcat(text, "(ring)\n");
}

unsigned arch_backtrace(uintptr_t bp, uintptr_t *addresses, unsigned max)
{
	(void)bp, (void)max;
	if (fault_in_report)
		panic("second %d", 2);
	addresses[0] = IMAGE + 0x200; /* the return address of a call that ends "ab" */
	addresses[1] = IMAGE + 0x210;
	addresses[2] = 0x1234;
	return 3;
}

bool arch_pt_lookup(struct arch_aspace *as, uintptr_t va, paddr_t *pa, unsigned *prot)
{
	(void)as, (void)pa;
	*prot = PT_READ | PT_EXEC;
	return va >= IMAGE && va < IMAGE + 0x1000;
}

int arch_probe_read(void *dst, const void *src, size_t len)
{
	if (src == (void *)0x5000) {
		memcpy(dst, &return_on_stack, len);
		return 0;
	}
	if ((uintptr_t)src >= IMAGE && (uintptr_t)src < IMAGE + 0x1000) {
		memset(dst, 0x90, len);
		return 0;
	}
	if (thread_current_ && src == thread_current_->name) {
		memcpy(dst, src, len);
		return 0;
	}
	return -1;
}

void arch_ipi_send_nmi(uint32_t apic_id)
{
	nmi_sent_to = apic_id;
	nr_nmi_sent++;
}

void arch_cpu_halt(void)
{
	longjmp(end, HALTED);
}

void arch_machine_reset(void)
{
	longjmp(end, RESET);
}

static void exit_machine(int status)
{
	exit_status = status;
	longjmp(end, EXITED);
}

static int reset(void **state)
{
	(void)state;
	text[0] = '\0';
	arch_layout.image_virt = IMAGE;
	arch_layout.image_len = 0x2000;
	arch_layout.slide = IMAGE - 0x100000;
	panic_exit = exit_machine;
	panic_cpu = depth = 0;
	nr_nmi_sent = 0;
	cpu_self_nr = 0;
	nr_cpus = 3;
	for (unsigned i = 0; i < nr_cpus; i++)
		cpus[i] = (struct cpu){ .nr = i, .apic_id = i + 10, .online = i == 0 };
	exit_status = -1;
	fault_in_report = false;
	thread_current_ = NULL;
	shim_irq_enabled = true;
	return 0;
}

static void check_line(const char *line)
{
	if (!strstr(text, line))
		fail_msg("no \"%s\" in:\n%s", line, text);
}

static void test_report(void **state)
{
	static struct thread thread = { .name = "worker" };

	(void)state;
	cpus[2].online = true;
	thread_current_ = &thread;
	if (!setjmp(end))
		panic("reason %d", 42);
	assert_int_equal(exit_status, EXIT_PANIC);
	assert_int_equal(nr_nmi_sent, 1); /* not to one that is not up yet, which could not take it */
	assert_int_equal(nmi_sent_to, 12);
	assert_false(shim_irq_enabled);
	assert_memory_equal(text, "panic: reason 42\n", 17);
	check_line("CPU 0, thread \"worker\"; image at 0xffffff0000000000, linked for 0x100000\n");
	check_line("  #0   ffffff0000000200 ab+0x100\n");
	check_line("  #1   ffffff0000000210 cd+0x10\n");
	check_line("  #2   0000000000001234\n");
	check_line("(ring)\n");
}

static void test_frame(void **state)
{
	const struct trapframe frame = { .ip = IMAGE + 0x104, .ax = 0xabc, .sp = 0x5000, .vector = 13 };

	(void)state;
	if (!setjmp(end))
		panic_frame(&frame, "fault");
	assert_int_equal(nr_nmi_sent, 0);
	check_line("  rip  ffffff0000000104 ab+0x4\n");
	check_line("rax 0000000000000abc");
	check_line("  code 90 90 90 90 90 90 90 90 90 90 90 90 <90> 90");
	assert_null(strstr(text, "from"));
}

static void test_jump_to_nowhere(void **state)
{
	const struct trapframe frame = { .ip = 0, .sp = 0x5000, .vector = 14 };

	(void)state;
	if (!setjmp(end))
		panic_frame(&frame, "fault");
	check_line("  rip  0000000000000000\n");
	check_line("?? <?"
		   "?> ??");
	check_line("  from ffffff0000000105 ab+0x5\n");
}

static void test_panic_in_report(void **state)
{
	int how;

	(void)state;
	fault_in_report = true;
	if (!setjmp(end))
		panic("first");
	assert_int_equal(exit_status, EXIT_PANIC);
	check_line("panic: first\n");
	check_line("panic: again, while reporting the first: second 2\n");
	/* And when that fails as well. */
	how = setjmp(end);
	if (!how)
		panic("third");
	assert_int_equal(how, RESET);
}

static void test_panic_on_two(void **state)
{
	int how;

	(void)state;
	if (!setjmp(end))
		panic("first");
	cpu_self_nr = 1;
	text[0] = '\0';
	how = setjmp(end);
	if (!how)
		panic("other");
	assert_int_equal(how, HALTED);
	assert_string_equal(text, "");
	how = setjmp(end);
	if (!how)
		panic_nmi(NULL);
	assert_int_equal(how, HALTED);
	cpu_self_nr = 0;
	panic_nmi(NULL); /* the one that reports goes on */
}

static void test_no_way_out(void **state)
{
	int how;

	(void)state;
	panic_exit = NULL;
	panic_nmi(NULL); /* no panic: a stray NMI is ignored */
	how = setjmp(end);
	if (!how)
		__stack_chk_fail();
	assert_int_equal(how, RESET);
	check_line("stack smashed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_report, reset),
		cmocka_unit_test_setup(test_frame, reset),
		cmocka_unit_test_setup(test_jump_to_nowhere, reset),
		cmocka_unit_test_setup(test_panic_in_report, reset),
		cmocka_unit_test_setup(test_panic_on_two, reset),
		cmocka_unit_test_setup(test_no_way_out, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
