/*
 * A console device: output for the log and the program, input as bytes. Drivers embed struct console; they know nothing
 * of who reads. Bytes go out as they came in: a line feed is not turned into a carriage return and a line feed, so that
 * what a program prints can be piped and compared.
 */
#ifndef KERNEL_DEV_CONSOLE_H
#define KERNEL_DEV_CONSOLE_H

#include <stddef.h>

#include "kernel/core/log.h"

struct console {
	struct log_sink sink; /* output; sink.name is the console's name on the command line (console=ttyS0) */
	/* Set by whoever wants input; called in interrupt context with bytes that arrived. NULL: input is dropped. */
	void (*input)(struct console *console, const char *bytes, size_t len);
	/* Starts interrupts for input; 0 or -Exxx. NULL: the device has no input. Threads only. */
	int (*input_start)(struct console *console);
	struct console *next;
};

/*
 * What a console driver puts into the image's table. CONSOLE_DRIVER(foo) defines console_driver_foo in section .consoles,
 * which the linker script keeps whole, between the symbols consoles_start and consoles_end.
 */
struct console_driver {
	const char *name; /* as on the command line */
	unsigned rating;  /* without a choice on the command line, the highest that is present serves */
	/* The device made ready, NULL when it is not there. Before any allocator works; once. */
	struct console *(*probe)(void);
};
#define CONSOLE_DRIVER(name)                                                                                           \
	const struct console_driver console_driver_##name                                                              \
		__attribute__((section(".consoles"), used, aligned(__alignof__(struct console_driver))))

/*
 * Registers the consoles that CMDLINE names (console=NAME, more than once if wanted; what follows a comma is for others
 * and ignored), or when none of them is there the best one that is. Needs no allocator. Once, on the boot CPU.
 */
void console_init(const char *cmdline);

void console_register(struct console *console);
/* The one that input is read from: the last that the command line names, as in Linux. NULL when there is none. */
struct console *console_first(void);

#endif
