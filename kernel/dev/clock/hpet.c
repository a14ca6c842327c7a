/*
 * The high precision event timer's main counter (IA-PC HPET specification 1.0a, 2.3), of which 32 bits are used: not all
 * of them have more, and a 64-bit reading is not atomic on all machines.
 */
#include "kernel/arch/arch.h"
#include "kernel/core/clock.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/mem/vmap.h"
#include "lib/errno.h"

/* Indices of 32-bit words. */
#define HPET_PERIOD (0x04 / 4) /* of the counter, in 10^-15 s */
#define HPET_CONFIG (0x10 / 4)
#define HPET_COUNTER (0xf0 / 4)
#define HPET_LEN 1024

#define CONFIG_ENABLE 1
#define PERIOD_MAX 100000000u /* 2.3.4: at least 10 MHz */

static volatile uint32_t *hpet;

static uint64_t hpet_read(void)
{
	return hpet[HPET_COUNTER];
}

static int hpet_probe(struct clock_source *source)
{
	uint64_t address;
	uint32_t period;

	if (hpet)
		return 0;
	address = firmware_hpet();
	if (!address)
		return -ENODEV;
	hpet = vmap_device(address, HPET_LEN);
	if (!hpet)
		return -ENODEV;
	period = hpet[HPET_PERIOD];
	if (!period || period > PERIOD_MAX) {
		vmap_device_unmap((void *)hpet);
		hpet = NULL;
		return -ENODEV;
	}
	hpet[HPET_CONFIG] |= CONFIG_ENABLE;
	source->hz = 1000000000000000ul / period;
	return 0;
}

CLOCK_SOURCE(hpet) = {
	.name = "hpet",
	.rating = 250,
	.flags = CLOCK_THREAD,
	.bits = 32,
	.probe = hpet_probe,
	.read = hpet_read,
};
