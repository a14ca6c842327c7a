/* What the files of the local APIC share. */
#ifndef KERNEL_ARCH_X86_64_APIC_H
#define KERNEL_ARCH_X86_64_APIC_H

#include <stdint.h>

#include "kernel/arch/x86_64/apic_reg.h"
#include "kernel/arch/x86_64/msr.h"

/* The register page; NULL in x2APIC mode, where registers are MSRs. */
extern volatile uint32_t *apic_page;

static inline uint32_t apic_read(unsigned reg)
{
	return apic_page ? apic_page[reg / 4] : (uint32_t)read_msr(MSR_X2APIC + reg / 16);
}

static inline void apic_write(unsigned reg, uint32_t value)
{
	if (apic_page)
		apic_page[reg / 4] = value;
	else
		write_msr(MSR_X2APIC + reg / 16, value);
}

/* Sends COMMAND (low half of the command register) to one CPU, or to those that its shorthand names. Any context. */
void apic_command(uint32_t apic_id, uint32_t command);

/* The vector that this CPU has taken and not acknowledged yet, the highest of them; -1: none. Interrupts disabled. */
int apic_in_service(void);

/* This CPU's timer, from arch_apic_init. */
void apic_timer_init(void);

#endif
