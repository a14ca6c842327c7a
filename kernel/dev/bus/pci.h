/*
 * PCI: devices found on the buses, their BARs, capabilities, interrupts. A driver names pci_bus and gets a struct device that
 * is inside a struct pci_device. Everything in configuration space is the device's word and not trusted.
 * Threads only; one thread at a time for each device.
 */
#ifndef KERNEL_DEV_BUS_PCI_H
#define KERNEL_DEV_BUS_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/core/irq.h"
#include "kernel/dev/bus/driver.h"
#include "kernel/dev/bus/pci_config.h"
#include "kernel/dev/bus/pci_reg.h"
#include "lib/list.h"
#include "lib/util.h"

#define PCI_BARS 6

struct pci_bar {
	uint64_t base; /* 0: nobody has given it a place */
	uint64_t len;  /* 0: there is no such BAR; else a power of two */
	bool is_io, is_64, is_prefetchable;
};

struct pci_device {
	struct device device;
	struct list link; /* pci_devices */
	struct pci_address address;
	uint8_t header_type; /* PCI_HEADER_* */
	bool bars_known;
	bool on_root_bus;
	struct pci_bar bars[PCI_BARS]; /* after pci_bars_init */
	uint8_t msix;		       /* offset of the capability; 0 before pci_msix_init */
	unsigned nr_msix;
	volatile uint32_t *msix_table;
};

extern struct bus pci_bus;
/* Every function found, bridges included, in the order of bus, device and function; struct pci_device.link. */
extern struct list pci_devices;

static inline struct pci_device *pci_device_of(struct device *device)
{
	return container_of(device, struct pci_device, device);
}

static inline uint8_t pci_read8(const struct pci_device *pci, unsigned off)
{
	return (uint8_t)pci_config_read(pci->address, off, 1);
}

static inline uint16_t pci_read16(const struct pci_device *pci, unsigned off)
{
	return (uint16_t)pci_config_read(pci->address, off, 2);
}

static inline uint32_t pci_read32(const struct pci_device *pci, unsigned off)
{
	return pci_config_read(pci->address, off, 4);
}

static inline void pci_write16(const struct pci_device *pci, unsigned off, uint16_t value)
{
	pci_config_write(pci->address, off, 2, value);
}

static inline void pci_write32(const struct pci_device *pci, unsigned off, uint32_t value)
{
	pci_config_write(pci->address, off, 4, value);
}

/* Offsets of the capabilities with ID, at most MAX of them, into OUT; returns how many. Each lies in 0x40..0xfc. */
unsigned pci_capabilities(const struct pci_device *pci, uint8_t id, uint8_t *out, unsigned max);

/* Finds out base and length of each BAR. The device does not answer meanwhile, so before it is used; harmless again. */
void pci_bars_init(struct pci_device *pci);
/*
 * Makes the device answer at its BARs and lets it write to memory. A memory BAR without a place is given one in the
 * window that the firmware names. 0, -ENOSPC when there is no place.
 */
int pci_enable(struct pci_device *pci);
/*
 * [OFF, OFF+LEN) of memory BAR number NR, mapped uncached; vmap_device_unmap gives it back. NULL when the BAR is no memory,
 * has no place or is shorter than that, or memory is short.
 */
void *pci_bar_map(struct pci_device *pci, unsigned nr, uint64_t off, size_t len);

/*
 * Interrupts; irq as in irq_request_msi. After pci_enable. One way for a device: MSI-X, else MSI, else its line.
 *
 * pci_msix_init: turns MSI-X on, all entries masked; returns how many there are, -ENODEV (no such capability), -EINVAL (a
 * table outside of its BAR), -ENOMEM.
 */
int pci_msix_init(struct pci_device *pci);
int pci_msix_request(struct pci_device *pci, unsigned entry, struct irq *irq); /* -EINVAL: no such entry */
void pci_msix_mask(struct pci_device *pci, unsigned entry, bool masked);       /* any context */
void pci_msix_free(struct pci_device *pci, unsigned entry, struct irq *irq);
/* One message. -ENODEV: no such capability. */
int pci_msi_request(struct pci_device *pci, struct irq *irq);
void pci_msi_free(struct pci_device *pci, struct irq *irq);
/* The line that the firmware has routed, shared with others. -ENODEV: it has none. irq_free gives it back. */
int pci_line_request(struct pci_device *pci, struct irq *irq);

#endif
