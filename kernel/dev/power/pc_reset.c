/*
 * The resets that PCs have without any table: the keyboard controller's, then the chipset's. A port that reads as all ones
 * has no device.
 */
#include "kernel/arch/arch.h"
#include "kernel/dev/machine.h"

#define I8042_STATUS 0x64
#define I8042_COMMAND 0x64
#define I8042_INPUT_FULL 0x02
#define I8042_PULSE_RESET 0xfe /* output port bit 0 low for a moment: the CPU's reset line */

/* Reset control register (Intel ICH9 data sheet, 13.7.5): system reset or full reset, done when bit 2 rises. */
#define RESET_CONTROL 0xcf9
#define RESET_SYSTEM 0x02
#define RESET_CPU 0x04

static void i8042_reset(void)
{
	uint8_t status = arch_in8(I8042_STATUS);

	for (unsigned i = 0; i < 10000 && status != 0xff && status & I8042_INPUT_FULL; i++)
		status = arch_in8(I8042_STATUS);
	if (status == 0xff)
		return;
	arch_out8(I8042_COMMAND, I8042_PULSE_RESET);
	machine_power_wait();
}

static void chipset_reset(void)
{
	if (arch_in8(RESET_CONTROL) == 0xff)
		return;
	arch_out8(RESET_CONTROL, RESET_SYSTEM);
	arch_out8(RESET_CONTROL, RESET_SYSTEM | RESET_CPU);
	machine_power_wait();
}

static void pc_reset(void)
{
	i8042_reset();
	chipset_reset();
}

MACHINE_POWER(pc_reset) = {
	.name = "pc_reset",
	.rating = 100,
	.reset = pc_reset,
};
