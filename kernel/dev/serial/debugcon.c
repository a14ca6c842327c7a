/*
 * The debug port of Bochs and QEMU (-device isa-debugcon, or -debugcon): a write is a byte of output, a read returns the
 * port's own number when the device is there. Output only.
 */
#include "kernel/arch/arch.h"
#include "kernel/dev/console.h"

#define DEBUGCON_PORT 0xe9

static void debugcon_write(struct log_sink *sink, const char *text, size_t len)
{
	(void)sink;
	arch_out8_string(DEBUGCON_PORT, text, len);
}

static struct console debugcon = {
	.sink = { .name = "debugcon", .write = debugcon_write },
};

static struct console *debugcon_probe(void)
{
	return arch_in8(DEBUGCON_PORT) == DEBUGCON_PORT ? &debugcon : NULL;
}

CONSOLE_DRIVER(debugcon) = {
	.name = "debugcon",
	.rating = 100,
	.probe = debugcon_probe,
};
