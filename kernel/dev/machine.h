/* Ways out of the machine: drivers and firmware tables register how, the kernel asks once. */
#ifndef KERNEL_DEV_MACHINE_H
#define KERNEL_DEV_MACHINE_H

#include <stdint.h>

struct machine_power {
	struct machine_power *next;
	const char *name;
	unsigned rating; /* higher is tried first */
	/* Each returns when it did not work. NULL: it has no such way. */
	void (*power_off)(void);
	void (*reset)(void);
};
void machine_power_register(struct machine_power *power);

/*
 * Ends the machine. STATUS != 0 goes to the exit device when the monitor has one (abi/exit.h); then power-off; then the
 * CPU stops with a line that says so. Any context.
 */
void machine_exit(int status) __attribute__((noreturn));
void machine_reset(void) __attribute__((noreturn));

#endif
