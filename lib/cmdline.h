/*
 * The kernel's command line: words as Linux has them (Documentation/admin-guide/kernel-parameters.rst).
 *
 *	loglevel=7 quiet console=ttyS0 init="two words" "key=two words" -- these are the program's
 *
 * Words are separated by white space outside of double quotes; a quote that is not closed reaches to the end. Quotes around a
 * whole word or a whole value are removed. In keys '-' and '_' are the same. The word -- ends the kernel's options.
 */
#ifndef LIB_CMDLINE_H
#define LIB_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The next option KEY from *LINE on: puts its value into VALUE ("" where the word has no '='), moves *LINE past it, true. False
 * when there is none any more. An option whose value does not fit into SIZE bytes is passed over: half of it means
 * something else.
 *
 *	for (at = line; cmdline_next(&at, "virtio_mmio.device", value, sizeof(value));)
 */
bool cmdline_next(const char **line, const char *key, char *value, size_t size);

/* The last option KEY, as it overrides those before it; VALUE as above, unchanged when false. */
bool cmdline_get(const char *line, const char *key, char *value, size_t size);

/* What follows --, without the white space in front of it: inside LINE, "" where there is none. */
const char *cmdline_program(const char *line);

/*
 * All of TEXT as a number: decimal or 0x and hexadecimal, then perhaps one of k, K, m, M, g, G, t, T for powers of 1024.
 * -EINVAL: no number, or something after it; -ERANGE: more than 64 bits. *VALUE is unchanged then.
 */
int parse_u64(const char *text, uint64_t *value);

#endif
