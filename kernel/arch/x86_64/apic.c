/*
 * The local APIC: acknowledge, inter-processor interrupts (Intel SDM vol. 3, chapter 11). Through MSRs in x2APIC mode where
 * the CPU has it, else through its page, which is mapped behind the image. Its timer is in apic_timer.c.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/apic_reg.h"
#include "kernel/arch/x86_64/cpuid.h"
#include "lib/util.h"

volatile uint32_t *apic_page __attribute__((section(".bss.protected")));

/* The page after the image's end stays unmapped; the one after that lies under the image's own page tables. */
static void page_map(paddr_t pa)
{
	uintptr_t va = arch_layout.image_virt + arch_layout.image_len + PAGE_SIZE;

	if (arch_pt_map(&arch_kernel_aspace, va, pa, PAGE_SIZE, PT_READ | PT_WRITE | PT_UNCACHED))
		arch_upcalls.panic(NULL, "local APIC: no page table to map %#lx", pa);
	apic_page = (volatile uint32_t *)va;
}

/*
 * All lines of the 8259 pair off. Firmware leaves its timer on, and a request that is under way when LINT0 is masked would
 * be delivered later without a vector. The driver of the pair, if there is one, switches on what it needs.
 */
static void pic_mask(void)
{
	arch_out8(0x21, 0xff);
	arch_out8(0xa1, 0xff);
}

/*
 * Firmware may have left these on, for its own handlers. The version register says how many entries there are, less one; they
 * came in this order (11.5.1).
 */
static void firmware_entries_mask(void)
{
	static const uint16_t entries[] = { APIC_LVT_PERFORMANCE, APIC_LVT_THERMAL, APIC_LVT_CMCI };
	unsigned last = apic_read(APIC_VERSION) >> 16 & 0xff;

	for (unsigned i = 0; i < ARRAY_SIZE(entries) && last >= 4 + i; i++)
		apic_write(entries[i], APIC_LVT_MASKED);
}

void arch_apic_init(void)
{
	uint64_t base = read_msr(MSR_APIC_BASE);
	uint64_t mode = base | APIC_BASE_ENABLE;

	if (base & APIC_BASE_BOOT_CPU)
		pic_mask();
	/* The way to x2APIC leads through xAPIC: 11.12.1. */
	if (cpuid_1_ecx() & CPUID_1_ECX_X2APIC)
		mode |= APIC_BASE_X2APIC;
	if (!(base & APIC_BASE_ENABLE))
		write_msr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	if (mode != base)
		write_msr(MSR_APIC_BASE, mode);
	if (!(mode & APIC_BASE_X2APIC) && !apic_page)
		page_map(base & APIC_BASE_ADDRESS);

	arch_vector_open(VECTOR_SPURIOUS);
	arch_vector_open(VECTOR_ERROR);
	apic_write(APIC_SPURIOUS, APIC_SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_TASK_PRIORITY, 0);
	apic_write(APIC_LVT_LINT0, APIC_LVT_MASKED);
	apic_write(APIC_LVT_LINT1, APIC_DELIVER_NMI);
	apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
	firmware_entries_mask();
	apic_timer_init();
}

uint32_t arch_apic_id(void)
{
	uint32_t id = apic_read(APIC_ID);

	return apic_page ? id >> 24 : id;
}

void arch_irq_line_enable(void)
{
	apic_write(APIC_LVT_LINT0, APIC_DELIVER_EXTINT);
}

void arch_irq_ack(void)
{
	apic_write(APIC_EOI, 0);
}

int apic_in_service(void)
{
	/* Before arch_apic_init there may be no way to ask, and interrupts were never enabled. */
	if (!apic_page && !(read_msr(MSR_APIC_BASE) & APIC_BASE_X2APIC))
		return -1;
	for (int i = 7; i >= 0; i--) {
		uint32_t bits = apic_read(APIC_IN_SERVICE + (unsigned)i * 16);

		if (bits)
			return i * 32 + 31 - __builtin_clz(bits);
	}
	return -1;
}

void apic_command(uint32_t apic_id, uint32_t command)
{
	unsigned long flags;

	if (!apic_page) {
		/* Unlike a store to the page, this MSR write may pass stores before it; LFENCE holds it: 11.12.3. */
		__asm__ volatile("mfence; lfence" ::: "memory");
		write_msr(MSR_X2APIC + APIC_COMMAND / 16, (uint64_t)apic_id << 32 | command);
		return;
	}
	/* Two halves: no interrupt handler may send between them. */
	flags = arch_irq_save();
	while (apic_read(APIC_COMMAND) & APIC_COMMAND_PENDING)
		arch_cpu_relax();
	apic_write(APIC_COMMAND_HIGH, apic_id << 24);
	apic_write(APIC_COMMAND, command);
	arch_irq_restore(flags);
}

void arch_ipi_send(uint32_t apic_id, unsigned vector)
{
	apic_command(apic_id, APIC_COMMAND_ASSERT | vector);
}

void arch_ipi_send_nmi(uint32_t apic_id)
{
	apic_command(apic_id, APIC_COMMAND_ASSERT | APIC_DELIVER_NMI);
}
