/* Instructions that only a kernel may run: SIGSEGV, si_code SI_KERNEL. A program in ring 0 does not get these. */
#include "test/linux/util.h"

int main(void)
{
	catch_faults();
	FAULTS(asm volatile("mov %%cr3, %%rax" ::: "rax"), SIGSEGV, SI_KERNEL, 0);
	FAULTS(asm volatile("mov $0x10, %%ecx; rdmsr" ::: "rax", "rcx", "rdx"), SIGSEGV, SI_KERNEL, 0);
	FAULTS(asm volatile("mov $0x80, %%edx; in %%dx, %%al" ::: "rax", "rdx"), SIGSEGV, SI_KERNEL, 0);
	FAULTS(asm volatile("cli; sti" ::: "memory"), SIGSEGV, SI_KERNEL, 0);
	FAULTS(asm volatile("hlt"), SIGSEGV, SI_KERNEL, 0);
	return tap_done();
}
