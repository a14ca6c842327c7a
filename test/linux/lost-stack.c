/* A thread that has lost its stack pointer gets a signal, on its alternate stack; interrupts meanwhile do no harm. */
#include <setjmp.h>

#include "test/linux/util.h"

#include <signal.h>

static sigjmp_buf back;

static void on_fault(int signo)
{
	siglongjmp(back, signo);
}

/* Computes for a while with SP as the stack pointer, and pushes. */
static void lose(unsigned long sp)
{
	__asm__ volatile("mov %0, %%rsp\n"
			 "mov $100000000, %%ecx\n"
			 "1: dec %%ecx\n"
			 "jnz 1b\n"
			 "push %%rax\n" ::"r"(sp)
			 : "rcx", "memory");
}

int main(void)
{
	static const unsigned long pointers[] = { 0x10, 0xffff900000000000, 0xfffffffffffffff0, 0x8000000000000000 };
	static char stack[1 << 16];
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_ONSTACK };
	size_t i;

	DOES(sigaltstack(&alternate, NULL));
	DOES(sigaction(SIGSEGV, &action, NULL));
	DOES(sigaction(SIGBUS, &action, NULL));
	for (i = 0; i < COUNT(pointers); i++) {
		int signo = sigsetjmp(back, 1);

		if (!signo)
			lose(pointers[i]);
		/* SIGBUS for one that is not canonical; not all emulators tell it from others. */
		CHECK_AS(signo == SIGSEGV || signo == SIGBUS, "stack pointer %#lx", pointers[i]);
	}
	return tap_done();
}
