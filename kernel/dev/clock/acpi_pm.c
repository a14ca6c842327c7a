/* The ACPI power management timer (ACPI 6.4, 4.8.2.1): a counter of 24 or 32 bits at 3.579545 MHz. */
#include "kernel/arch/arch.h"
#include "kernel/core/clock.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/mem/vmap.h"
#include "lib/errno.h"

static uint16_t port;
static const volatile uint32_t *memory;

static uint64_t acpi_pm_read(void)
{
	return memory ? *memory : arch_in32(port);
}

static int acpi_pm_probe(struct clock_source *source)
{
	struct firmware_pm_timer timer;

	if (port || memory)
		return 0;
	if (!firmware_pm_timer(&timer))
		return -ENODEV;
	if (!timer.is_port)
		memory = vmap_device(timer.address, sizeof(*memory));
	else
		port = (uint16_t)timer.address;
	source->bits = timer.bits;
	return port || memory ? 0 : -ENODEV;
}

CLOCK_SOURCE(acpi_pm) = {
	.name = "acpi_pm",
	.rating = 200,
	.flags = CLOCK_THREAD,
	.bits = 24,
	.hz = 3579545,
	.probe = acpi_pm_probe,
	.read = acpi_pm_read,
};
