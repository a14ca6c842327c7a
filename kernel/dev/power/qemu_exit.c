/*
 * QEMU's isa-debug-exit (abi/exit.h): a byte written to its port ends QEMU. The device cannot be asked who it is, so this
 * looks for QEMU first, then for a port that reads as that device does: 0, where nothing at all reads as 0xff.
 */
#include <cpuid.h>

#include "abi/exit.h"
#include "kernel/arch/arch.h"
#include "kernel/dev/firmware/fw_cfg.h"
#include "kernel/dev/machine.h"
#include "lib/string.h"

/* CPUID leaf 1, ECX bit 31, and the leaves from 0x40000000 on: reserved for hypervisors (Intel SDM vol. 2, CPUID). */
#define CPUID_HYPERVISOR (1u << 31)
#define CPUID_HYPERVISOR_LEAF 0x40000000u

/*
 * Bare metal is left alone: these ports may be anything there. Under KVM it may be another monitor, on which a write to a
 * port without a device has no effect.
 */
static bool is_qemu(void)
{
	uint32_t ax, bx, cx, dx, name[3];

	__cpuid(1, ax, bx, cx, dx);
	if (!(cx & CPUID_HYPERVISOR))
		return false;
	__cpuid(CPUID_HYPERVISOR_LEAF, ax, name[0], name[1], name[2]);
	return !memcmp(name, "TCGTCGTCGTCG", 12) || !memcmp(name, "KVMKVMKVM\0\0\0", 12) || fw_cfg_is_there();
}

static void qemu_exit(int status)
{
	if (!is_qemu() || arch_in8(EXIT_PORT) != 0)
		return;
	arch_out8(EXIT_PORT, (uint8_t)status);
	machine_power_wait();
}

MACHINE_POWER(qemu_exit) = {
	.name = "qemu_exit",
	.rating = 300,
	.exit = qemu_exit,
};
