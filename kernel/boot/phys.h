/*
 * Bounded reads of physical memory that a loader or the firmware filled: everything that a boot protocol or a firmware
 * table points to goes through here. Whoever wrote the pointer is not trusted, and what is read may not stay the same
 * between two reads, so copy what is checked.
 */
#ifndef KERNEL_BOOT_PHYS_H
#define KERNEL_BOOT_PHYS_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/arch.h"

/*
 * Where [PA, PA+LEN) can be read; it need not be aligned. NULL when it is empty, begins at 0, wraps, touches the kernel's
 * own image, or is beyond what the CPU can address.
 */
const void *phys_window(paddr_t pa, size_t len);

/*
 * Copies the NUL-terminated string at PA into DST, at most SIZE - 1 characters, and terminates it; SIZE > 0. The length of
 * what is in DST; -E2BIG when the string was longer, -EFAULT when it runs into what cannot be read (DST keeps what came
 * before). Reads no page after the one with the terminator.
 */
int phys_read_string(char *dst, size_t size, paddr_t pa);

#endif
