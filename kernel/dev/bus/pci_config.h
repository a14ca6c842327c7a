/*
 * Raw access to PCI configuration space: memory-mapped (ECAM) where the firmware's tables name it, else by the two ports
 * of configuration mechanism 1. Below pci.c; drivers use pci.h.
 */
#ifndef KERNEL_DEV_BUS_PCI_CONFIG_H
#define KERNEL_DEV_BUS_PCI_CONFIG_H

#include <stdint.h>

struct pci_address {
	uint16_t segment;
	uint8_t bus;
	uint8_t function; /* device << 3 | function */
};

/*
 * Fills OUT with the first bus of each segment, at most MAX; returns how many. 0: no PCI. Threads, once, before the
 * functions below.
 */
#define PCI_ROOT_MAX 8
unsigned pci_config_init(struct pci_address *out, unsigned max);

/* SIZE 1, 2 or 4, OFF a multiple of it. What is not there reads as all ones and ignores writes. Threads only. */
uint32_t pci_config_read(struct pci_address address, unsigned off, unsigned size);
void pci_config_write(struct pci_address address, unsigned off, unsigned size, uint32_t value);

#endif
