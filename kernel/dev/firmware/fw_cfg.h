/*
 * QEMU's firmware configuration device, by its ports (QEMU docs/specs/fw_cfg.rst): what the monitor says of itself, without a
 * table to look for and to check.
 */
#ifndef KERNEL_DEV_FIRMWARE_FW_CFG_H
#define KERNEL_DEV_FIRMWARE_FW_CFG_H

#include <stdbool.h>
#include <stdint.h>

/* True on QEMU, on a machine type that has the device. Bare metal is left alone: the ports may be anything there. */
bool fw_cfg_is_there(void);

/* How many CPUs run when the machine starts; 0 when there is no such device. */
uint16_t fw_cfg_nr_cpus(void);

#endif
