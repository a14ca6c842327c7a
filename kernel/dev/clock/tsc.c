/*
 * The CPU's time-stamp counter (Intel SDM vol. 3, 18.17). Its frequency comes from the hypervisor's timing leaf, or from
 * CPUID 0x15 where that tells the crystal; else it is measured.
 *
 * Whether it runs at one rate and in step on all CPUs: hypervisors see to that, or give a clock of their own; bare metal
 * says so with the invariant TSC bit (18.17.1), firmware starting the CPUs together. Without the bit it is read under lock.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpuid.h"
#include "kernel/core/clock.h"
#include "lib/muldiv.h"

static int tsc_probe(struct clock_source *source)
{
	bool virtual = cpuid_is_hypervisor();
	struct cpuid ratio;

	if (!virtual && !(cpuid_leaf(CPUID_EXTENDED, CPUID_POWER, 0).d & CPUID_POWER_EDX_INVARIANT_TSC))
		source->flags |= CLOCK_UNSYNCED;
	if (virtual)
		source->hz = cpuid_leaf(CPUID_HYPERVISOR, CPUID_VM_TIMING, 0).a * 1000ul;
	ratio = cpuid_leaf(CPUID_BASIC, CPUID_TSC_RATIO, 0);
	if (!source->hz && ratio.a && ratio.b && ratio.c)
		source->hz = mul_div(ratio.c, ratio.b, ratio.a);
	if (!source->hz)
		source->hz_rough = (cpuid_leaf(CPUID_BASIC, CPUID_FREQUENCY, 0).a & 0xffff) * 1000000ul;
	return 0;
}

static uint64_t tsc_read(void)
{
	return arch_ticks_ordered();
}

CLOCK_SOURCE(tsc) = {
	.name = "tsc",
	.rating = 300,
	.flags = CLOCK_TICKS | CLOCK_FROM_RESET,
	.bits = 64,
	.probe = tsc_probe,
	.read = tsc_read,
};
