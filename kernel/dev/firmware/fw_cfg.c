#include "kernel/dev/firmware/fw_cfg.h"

#include <cpuid.h>

#include "kernel/arch/arch.h"

#define PORT_SELECTOR 0x510
#define PORT_DATA 0x511

/* Items (QEMU include/standard-headers/linux/qemu_fw_cfg.h). */
#define ITEM_SIGNATURE 0
#define ITEM_NR_CPUS 5

/* CPUID leaf 1, ECX bit 31: reserved for hypervisors (Intel SDM vol. 2, CPUID). */
#define CPUID_HYPERVISOR (1u << 31)

/* The first four bytes of ITEM, little-endian. */
static uint32_t item_read(uint16_t item)
{
	uint32_t value = 0;

	arch_out16(PORT_SELECTOR, item);
	for (unsigned shift = 0; shift < 32; shift += 8)
		value |= (uint32_t)arch_in8(PORT_DATA) << shift;
	return value;
}

bool fw_cfg_is_there(void)
{
	uint32_t ax, bx, cx, dx;

	__cpuid(1, ax, bx, cx, dx);
	return cx & CPUID_HYPERVISOR && item_read(ITEM_SIGNATURE) == 0x554d4551; /* "QEMU" */
}

uint16_t fw_cfg_nr_cpus(void)
{
	return fw_cfg_is_there() ? (uint16_t)item_read(ITEM_NR_CPUS) : 0;
}
