/* See signal_frame_host.h. */
#include "test/unit/signal_frame_host.h"

#include <cpuid.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static void (*handler_fn)(uintptr_t sp, const uint64_t regs[HOST_REGS]);

static void handler(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint64_t regs[HOST_REGS];

	(void)sig, (void)info;
	memcpy(regs, uc->uc_mcontext.gregs, sizeof(regs)); /* in the kernel's order */
	handler_fn((uintptr_t)uc, regs);
}

void host_signal_frame(void (*fn)(uintptr_t sp, const uint64_t regs[HOST_REGS]))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	handler_fn = fn;
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
}

uint64_t host_saved[8], host_landed[HOST_REGS];

void host_sigreturn_asm(uintptr_t sp);
__asm__(".text\n"
	"host_sigreturn_asm:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, host_saved(%rip)\n"
	"	mov %rdi, %rsp\n"
	"	mov $15, %eax\n"
	"	syscall\n"
	"	ud2\n"
	".globl host_landing\n"
	"host_landing:\n"
	"	mov %r8, host_landed(%rip); mov %r9, 8+host_landed(%rip); mov %r10, 16+host_landed(%rip)\n"
	"	mov %r11, 24+host_landed(%rip); mov %r12, 32+host_landed(%rip); mov %r13, 40+host_landed(%rip)\n"
	"	mov %r14, 48+host_landed(%rip); mov %r15, 56+host_landed(%rip); mov %rdi, 64+host_landed(%rip)\n"
	"	mov %rsi, 72+host_landed(%rip); mov %rbp, 80+host_landed(%rip); mov %rbx, 88+host_landed(%rip)\n"
	"	mov %rdx, 96+host_landed(%rip); mov %rax, 104+host_landed(%rip); mov %rcx, 112+host_landed(%rip)\n"
	"	mov %rsp, 120+host_landed(%rip)\n"
	"	mov host_saved(%rip), %rsp\n"
	"	pushf; pop 136+host_landed(%rip); cld\n"
	"	lea host_landing(%rip), %rax; mov %rax, 128+host_landed(%rip)\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n");

void host_sigreturn(uintptr_t sp, uint64_t regs[HOST_REGS])
{
	host_sigreturn_asm(sp);
	memcpy(regs, host_landed, sizeof(host_landed));
}

size_t host_xsave_size(void)
{
	unsigned a, b, c, d;

	__cpuid_count(0xd, 0, a, b, c, d);
	return b;
}

uint64_t host_xsave_features(void)
{
	unsigned low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

void host_xsave(void *area)
{
	__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
}

void host_xrstor(const void *area)
{
	__asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(-1), "d"(-1) : "memory");
}

#define FRAME_UC 8
size_t host_offset_mask(void)
{
	return FRAME_UC + offsetof(ucontext_t, uc_sigmask);
}

size_t host_offset_stack(void)
{
	return FRAME_UC + offsetof(ucontext_t, uc_stack);
}

size_t host_offset_gregs(void)
{
	return FRAME_UC + offsetof(ucontext_t, uc_mcontext.gregs);
}

size_t host_offset_fpstate(void)
{
	return FRAME_UC + offsetof(ucontext_t, uc_mcontext.fpregs);
}
