/*
 * The programmable interval timer (Intel 8254 data sheet): channel 0 counts down from 65536, once, in mode 0. Its output
 * then says for good whether it has reached 0, and it goes on counting modulo 65536. Its interrupt stays masked.
 */
#include "kernel/arch/arch.h"
#include "kernel/core/clock.h"
#include "lib/errno.h"

#define PIT_COUNTER 0x40
#define PIT_COMMAND 0x43
#define COMMAND_MODE_0 0x30    /* channel 0, low byte then high byte, mode 0, binary */
#define COMMAND_READ_BACK 0xc2 /* channel 0, latch status and count */
#define STATUS_OUT 0x80	       /* has reached 0 */
#define STATUS_NOT_LOADED 0x40 /* has not begun to count */
#define STATUS_PROGRAMMED 0x3f /* what COMMAND_MODE_0 set */

static uint8_t status;

static uint64_t pit_read(void)
{
	uint16_t count;

	arch_out8(PIT_COMMAND, COMMAND_READ_BACK);
	status = arch_in8(PIT_COUNTER);
	count = arch_in8(PIT_COUNTER);
	count |= (uint16_t)(arch_in8(PIT_COUNTER) << 8);
	return status & STATUS_NOT_LOADED ? 0 : (uint16_t)-count;
}

static bool pit_wrapped(void)
{
	return status & STATUS_OUT;
}

static int pit_probe(struct clock_source *source)
{
	(void)source;
	arch_out8(PIT_COMMAND, COMMAND_MODE_0);
	arch_out8(PIT_COUNTER, 0);
	arch_out8(PIT_COUNTER, 0);
	pit_read();
	return (status & STATUS_PROGRAMMED) == COMMAND_MODE_0 ? 0 : -ENODEV;
}

CLOCK_SOURCE(pit) = {
	.name = "pit",
	.rating = 110,
	.bits = 16,
	.hz = 1193182,
	.probe = pit_probe,
	.read = pit_read,
	.wrapped = pit_wrapped,
};
