/* CPUID leaves and bits (Intel SDM vol. 2A, CPUID; the hypervisor's leaves: Linux Documentation/virt/kvm/x86/cpuid.rst). */
#ifndef KERNEL_ARCH_X86_64_CPUID_H
#define KERNEL_ARCH_X86_64_CPUID_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch/x86_64/msr.h"

#define CPUID_1_ECX_SSE42 (1u << 20)
#define CPUID_1_ECX_X2APIC (1u << 21)
#define CPUID_1_ECX_TSC_DEADLINE (1u << 24)
#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_1_ECX_RDRAND (1u << 30)
#define CPUID_1_ECX_HYPERVISOR (1u << 31) /* 0 on bare metal */
#define CPUID_7_EBX_RDSEED (1u << 18)
#define CPUID_EXT_EDX_RDTSCP (1u << 27)
#define CPUID_POWER_EDX_INVARIANT_TSC (1u << 8)

/* First leaf of each range; its EAX is the last one. */
#define CPUID_BASIC 0u
#define CPUID_HYPERVISOR 0x40000000u
#define CPUID_EXTENDED 0x80000000u

#define CPUID_TOPOLOGY 0xbu
#define CPUID_TSC_RATIO 0x15u /* EBX/EAX: ratio of TSC and crystal; ECX: crystal in Hz, or 0 */
#define CPUID_FREQUENCY 0x16u /* EAX: base frequency in MHz */
#define CPUID_EXTENDED_FEATURES 0x80000001u
#define CPUID_POWER 0x80000007u	    /* EDX: invariant TSC */
#define CPUID_VM_TIMING 0x40000010u /* EAX: TSC in kHz, EBX: local APIC timer in kHz (VMware, QEMU with KVM) */

struct cpuid {
	uint32_t a, b, c, d;
};

/* All zero when the CPU does not have LEAF, which lies in the range of BASE. */
static inline struct cpuid cpuid_leaf(uint32_t base, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r = { 0, 0, 0, 0 };
	uint32_t last, b, c, d;

	cpuid(base, 0, &last, &b, &c, &d);
	if (leaf <= last)
		cpuid(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
	return r;
}

static inline uint32_t cpuid_1_ecx(void)
{
	uint32_t a, b, c, d;

	cpuid(1, 0, &a, &b, &c, &d);
	return c;
}

static inline bool cpuid_is_hypervisor(void)
{
	return cpuid_1_ecx() & CPUID_1_ECX_HYPERVISOR;
}

#endif
