/* The first function at the final addresses. */
#ifndef KERNEL_INIT_MAIN_H
#define KERNEL_INIT_MAIN_H

#include <stdint.h>

/* arch_upcalls.start. ENTRY: enum boot_entry; INFO: the boot protocol's register. */
void kernel_start(unsigned entry, uint64_t info) __attribute__((noreturn));

struct bootinfo;
/* What the loader said; for a main that is part of the kernel. */
const struct bootinfo *boot_info(void);

#endif
