/* The program's arguments, from what follows -- on the command line. */
#ifndef KERNEL_INIT_ARGS_H
#define KERNEL_INIT_ARGS_H

#define ARGS_MAX 64

struct args {
	int argc;
	char **argv; /* argv[argc] is NULL */
};

/*
 * Splits the program's part of CMDLINE into words: white space separates them outside of double quotes, which are removed. A
 * backslash gives a double quote or a backslash behind it as it is.
 * argv[0] is "main". Words past ARGS_MAX are dropped, with a log line; so are, silently and where there is no ACPI, devices
 * (virtio_mmio.device=) at the end of the line, which the monitor wrote. ARGS points to static memory: once, at boot.
 */
void args_parse(struct args *args, const char *cmdline);

#endif
