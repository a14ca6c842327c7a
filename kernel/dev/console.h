/*
 * A console device: output for the log and the program, input as bytes. Drivers embed struct console and register it; they
 * know nothing of who reads.
 */
#ifndef KERNEL_DEV_CONSOLE_H
#define KERNEL_DEV_CONSOLE_H

#include <stddef.h>

#include "kernel/core/log.h"

struct console {
	struct log_sink sink; /* output; sink.name is the console's name on the command line (console=ttyS0) */
	/* Set by whoever wants input; called in interrupt context with bytes that arrived. NULL: input is dropped. */
	void (*input)(struct console *console, const char *bytes, size_t len);
	/* Starts interrupts for input; 0 or -Exxx. NULL: the device has no input. */
	int (*input_start)(struct console *console);
	struct console *next;
};

void console_register(struct console *console);
struct console *console_first(void);

#endif
