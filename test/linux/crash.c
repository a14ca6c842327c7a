/* Ends itself by a fault: crash KIND. What the kernel then says is what the test reads. */
#include "test/linux/util.h"

static int data[16] = { 0xc3 };
static char alternate[65536];

static __attribute__((noinline)) int recurse(int n)
{
	volatile char frame[4096];

	frame[0] = (char)n;
	return n < 0 ? 0 : recurse(n + 1) + frame[0];
}

static void on_fault(int nr, siginfo_t *info, void *context)
{
	(void)context;
	printf("handler: signal %d, code %d\n", nr, info->si_code);
	fflush(stdout);
	_exit(5);
}

static void handle(int flags)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | flags };

	sigaction(SIGSEGV, &action, NULL);
}

static void stack(void)
{
	recurse(0);
}

static void *in_thread(void *argument)
{
	recurse(0);
	return argument;
}

static void thread_stack(void)
{
	join(spawn(in_thread, NULL));
}

static void other_stack(void)
{
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };

	sigaltstack(&stack, NULL);
	handle(SA_ONSTACK);
	recurse(0);
}

/* The handler has no room: it is not called again and again. */
static void no_stack(void)
{
	handle(0);
	recurse(0);
}

static void null_call(void)
{
	((void (*volatile)(void))NULL)();
}

static void data_call(void)
{
	((void (*)(void))data)();
}

static void code_write(void)
{
	poke((void *)code_write, 1);
}

static void kernel_read(void)
{
	peek(KERNEL_HALF);
}

static void kernel_call(void)
{
	((void (*)(void))KERNEL_HALF)();
}

static void not_canonical(void)
{
	peek((void *)0x8000000000000000);
}

static void stack_pointer(void)
{
	__asm__ volatile("xor %%esp, %%esp; push %%rax" ::: "memory");
}

static void stack_pointer_call(void)
{
	__asm__ volatile("xor %%esp, %%esp; mov $39, %%eax; syscall; ud2" ::: "memory");
}

static void bad_sigreturn(void)
{
	__asm__ volatile("xor %%esp, %%esp; mov $15, %%eax; syscall" ::: "memory");
}

static void bad_selector(void)
{
	__asm__ volatile("mov %0, %%ds" ::"r"(0x1234));
}

static void far_return(void)
{
	__asm__ volatile("pushq $0x1234; pushq $0; lretq");
}

static void old_call(void)
{
	__asm__ volatile("int $0x80");
}

static void single_step(void)
{
	__asm__ volatile("pushf; orl $0x100, (%%rsp); popf; nop; nop" ::: "memory");
}

static void not_aligned(void)
{
	__asm__ volatile("movaps %%xmm0, (%0)" ::"r"(alternate + 1) : "memory");
}

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{ "stack", stack },
	{ "thread-stack", thread_stack },
	{ "other-stack", other_stack },
	{ "no-stack", no_stack },
	{ "null-call", null_call },
	{ "data-call", data_call },
	{ "code-write", code_write },
	{ "kernel-read", kernel_read },
	{ "kernel-call", kernel_call },
	{ "not-canonical", not_canonical },
	{ "stack-pointer", stack_pointer },
	{ "stack-pointer-call", stack_pointer_call },
	{ "bad-sigreturn", bad_sigreturn },
	{ "bad-selector", bad_selector },
	{ "far-return", far_return },
	{ "old-call", old_call },
	{ "single-step", single_step },
	{ "not-aligned", not_aligned },
	{ "abort", abort },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < COUNT(kinds); i++)
		if (argc > 1 && strcmp(argv[1], kinds[i].name) == 0)
			kinds[i].run();
	return 2;
}
