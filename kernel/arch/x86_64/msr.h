/* Privileged registers and CPUID, one instruction each. */
#ifndef KERNEL_ARCH_X86_64_MSR_H
#define KERNEL_ARCH_X86_64_MSR_H

#include <stdint.h>

#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_TSC_AUX 0xc0000103

static inline uint64_t read_msr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void write_msr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	__asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(subleaf));
}

#define CONTROL_REGISTER(nr)                                                                                           \
	static inline uint64_t read_cr##nr(void)                                                                       \
	{                                                                                                              \
		uint64_t value;                                                                                        \
                                                                                                                       \
		__asm__ volatile("mov %%cr" #nr ", %0" : "=r"(value)::"memory");                                       \
		return value;                                                                                          \
	}                                                                                                              \
	static inline void write_cr##nr(uint64_t value)                                                                \
	{                                                                                                              \
		__asm__ volatile("mov %0, %%cr" #nr ::"r"(value) : "memory");                                          \
	}

CONTROL_REGISTER(0)
CONTROL_REGISTER(2)
CONTROL_REGISTER(3)
CONTROL_REGISTER(4)
#undef CONTROL_REGISTER

#endif
