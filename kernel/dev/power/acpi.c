/*
 * Power-off and reset as the ACPI tables describe them (ACPI 6.4: 4.8.3.2 PM1 control registers, 4.8.3.7 sleep control
 * register, 4.8.3.6 reset register). Reads the tables when it is asked, so it costs nothing before.
 */
#include "kernel/boot/phys.h"
#include "kernel/dev/firmware/acpi.h"
#include "kernel/dev/machine.h"
#include "lib/util.h"

#define PM1_SCI_ENABLED 0x0001u
#define PM1_SLEEP_TYPE(type) ((uint32_t)(type) << 10)
#define PM1_SLEEP_ENABLE 0x2000u
#define SLEEP_CONTROL_TYPE(type) ((uint32_t)(type) << 2)
#define SLEEP_CONTROL_ENABLE 0x20u

/*
 * Memory registers are reached through the direct map: unlike a mapping of their own that needs no lock and no memory. The
 * firmware's MTRRs make device memory uncached whatever the page tables say (Intel SDM vol. 3, 12.11.7.2).
 */
static void register_write(const struct acpi_register *reg, unsigned bytes, uint32_t value)
{
	if (reg->is_port) {
		if (bytes == 1)
			arch_out8((uint16_t)reg->address, (uint8_t)value);
		else
			arch_out16((uint16_t)reg->address, (uint16_t)value);
	} else {
		volatile uint8_t *p = arch_phys_to_virt(reg->address);

		if (!phys_window(reg->address, bytes))
			return;
		if (bytes == 1)
			*p = (uint8_t)value;
		else
			*(volatile uint16_t *)p = (uint16_t)value;
	}
}

static uint16_t register_read16(const struct acpi_register *reg)
{
	const volatile uint16_t *p;

	if (reg->is_port)
		return arch_in16((uint16_t)reg->address);
	p = phys_window(reg->address, 2);
	return p ? *p : 0;
}

/* Sleep is only possible in ACPI mode, which a BIOS need not have turned on (4.8.2.5); it takes a moment. */
static void acpi_mode_enter(const struct acpi_power *power)
{
	if (!power->smi_command || !power->acpi_enable || register_read16(&power->pm1a) & PM1_SCI_ENABLED)
		return;
	arch_out8(power->smi_command, power->acpi_enable);
	for (unsigned i = 0; i < 100000 && !(register_read16(&power->pm1a) & PM1_SCI_ENABLED); i++)
		arch_cpu_relax();
}

static void pm1_sleep(const struct acpi_register *pm1, uint8_t type)
{
	uint32_t value = register_read16(pm1) & ~(PM1_SLEEP_TYPE(7) | PM1_SLEEP_ENABLE);

	register_write(pm1, 2, value | PM1_SLEEP_TYPE(type) | PM1_SLEEP_ENABLE);
}

static void acpi_power_off(void)
{
	struct acpi_power power;

	if (!acpi_power(&power) || !power.can_sleep)
		return;
	if (power.sleep_control.address) {
		register_write(&power.sleep_control, 1, SLEEP_CONTROL_TYPE(power.sleep_type_a) | SLEEP_CONTROL_ENABLE);
	} else {
		acpi_mode_enter(&power);
		pm1_sleep(&power.pm1a, power.sleep_type_a);
		if (power.pm1b.address)
			pm1_sleep(&power.pm1b, power.sleep_type_b);
	}
	machine_power_wait();
}

static void acpi_reset(void)
{
	struct acpi_power power;

	if (!acpi_power(&power) || !power.reset.address)
		return;
	register_write(&power.reset, 1, power.reset_value);
	machine_power_wait();
}

MACHINE_POWER(acpi) = {
	.name = "acpi",
	.rating = 200,
	.power_off = acpi_power_off,
	.reset = acpi_reset,
};
