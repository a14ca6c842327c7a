/* Where the machine lets PCI devices live in memory. */
#ifndef KERNEL_DEV_BUS_PCI_WINDOW_H
#define KERNEL_DEV_BUS_PCI_WINDOW_H

#include <stdint.h>

struct pci_window {
	uint64_t base, len; /* no wrap, not empty */
};

#define PCI_WINDOW_MAX 4
/* Fills OUT with the memory windows of the root bus, at most MAX; returns how many. 0: nobody says. Threads only. */
unsigned pci_windows(struct pci_window *out, unsigned max);

#endif
