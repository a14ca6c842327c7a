/* Instructions of the x86-64 that the vDSO needs (Intel SDM vol. 2). */
#ifndef KERNEL_LINUX_VDSO_VDSO_CPU_H
#define KERNEL_LINUX_VDSO_VDSO_CPU_H

#include <stdint.h>

/* The counter that the clock runs on, read as the kernel reads it: after all that stands before it in the program. */
static inline uint64_t vdso_ticks(void)
{
	uint64_t lo, hi; /* it clears their upper halves */

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return hi << 32 | lo;
}

/* IA32_TSC_AUX: number of the CPU in bits 0 to 11, of its node above. */
static inline uint32_t vdso_cpu_nr(void)
{
	uint32_t lo, hi, aux;

	__asm__ volatile("rdtscp" : "=a"(lo), "=d"(hi), "=c"(aux));
	return aux;
}

/* psABI, A.2.1. Calls of fewer arguments leave the rest alone. */
static inline long vdso_syscall(long nr, long a, long b, long c)
{
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "0"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

#endif
