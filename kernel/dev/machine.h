/* Ways out of the machine. A driver in kernel/dev/power/ is one way; the kernel asks for the end once, here. */
#ifndef KERNEL_DEV_MACHINE_H
#define KERNEL_DEV_MACHINE_H

#include <stdint.h>

/*
 * What such a driver puts into the image's table. MACHINE_POWER(foo) defines machine_power_foo in section .machine_power,
 * which the linker script keeps whole, between the symbols machine_power_start and machine_power_end. NULL: the driver
 * has no such way. Each function returns when it did not work, and is called with interrupts disabled, perhaps from a
 * panic: it takes no lock and finds its device itself.
 */
struct machine_power {
	const char *name;
	unsigned rating; /* the highest is tried first */
	/* Ends the machine and tells the monitor STATUS, 1 to 127. */
	void (*exit)(int status);
	void (*power_off)(void);
	void (*reset)(void);
};
#define MACHINE_POWER(name)                                                                                            \
	const struct machine_power machine_power_##name                                                                \
		__attribute__((section(".machine_power"), used, aligned(__alignof__(struct machine_power))))

/* For those drivers: after the register was written that ends the machine, lets it happen; returns after about 1/2 s. */
void machine_power_wait(void);

/* Makes the end of a panic machine_exit. Nothing else: the ways out are looked for when one is needed. */
void machine_init(void);

/*
 * Ends the machine, after a log line with STATUS. A STATUS other than 0 goes to the exit device when the monitor has one
 * (abi/exit.h); what is not in 1 to 127 goes there as 126. Else power-off; where there is none, a reset, which a monitor
 * can be told to take for an end (QEMU -no-reboot). Any context.
 */
void machine_exit(int status) __attribute__((noreturn));
void machine_reset(void) __attribute__((noreturn));

#endif
