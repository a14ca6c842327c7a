/* Private to kernel/dev/firmware. */
#ifndef KERNEL_DEV_FIRMWARE_DSDT_H
#define KERNEL_DEV_FIRMWARE_DSDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The byte code of the DSDT, LEN bytes; NULL when there is none that is sound. */
const uint8_t *dsdt_code(size_t *len);

/* The first PCI host bridge's configuration space, as the DSDT has it; false: it says nothing. Not checked any further. */
struct firmware_mcfg;
bool dsdt_ecam(struct firmware_mcfg *out);

#endif
