/* Base address registers: PCI Local Bus Specification 3.0, 6.2.5.1. */
#include "kernel/arch/arch.h"
#include "kernel/core/log.h"
#include "kernel/dev/bus/pci.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/mem/vmap.h"
#include "lib/errno.h"

static unsigned nr_bars(const struct pci_device *pci)
{
	if (pci->header_type == PCI_HEADER_DEVICE)
		return PCI_BARS;
	return pci->header_type == PCI_HEADER_BRIDGE ? 2 : 0;
}

/* What the register holds after all ones were written to it; its value is put back. */
static uint32_t bar_mask(const struct pci_device *pci, unsigned reg, uint32_t value)
{
	uint32_t mask;

	pci_write32(pci, reg, ~0u);
	mask = pci_read32(pci, reg);
	pci_write32(pci, reg, value);
	return mask;
}

/* Returns how many registers the BAR takes. The length is the lowest address bit that can be set. */
static unsigned bar_init(struct pci_device *pci, unsigned i)
{
	unsigned reg = PCI_BAR0 + 4 * i;
	uint32_t value = pci_read32(pci, reg);
	uint32_t mask = bar_mask(pci, reg, value);
	struct pci_bar *bar = &pci->bars[i];
	uint64_t base, settable;

	bar->is_io = value & PCI_BAR_IO;
	bar->is_64 = !bar->is_io && (value & PCI_BAR_TYPE_MASK) == PCI_BAR_TYPE_64;
	bar->is_prefetchable = !bar->is_io && (value & PCI_BAR_PREFETCH);
	if (bar->is_io) {
		base = value & 0xffff & ~(uint64_t)PCI_BAR_FLAGS_IO;
		settable = mask & 0xffff & ~(uint64_t)PCI_BAR_FLAGS_IO;
	} else {
		base = value & ~(uint64_t)PCI_BAR_FLAGS_MEMORY;
		settable = mask & ~(uint64_t)PCI_BAR_FLAGS_MEMORY;
	}
	if (bar->is_64) {
		uint32_t high;

		if (i + 1 >= nr_bars(pci))
			return 1; /* its other half does not exist: len stays 0 */
		high = pci_read32(pci, reg + 4);
		base |= (uint64_t)high << 32;
		settable |= (uint64_t)bar_mask(pci, reg + 4, high) << 32;
	}
	bar->len = settable & -settable;
	bar->base = bar->len ? base & -bar->len : 0;
	return bar->is_64 ? 2 : 1;
}

void pci_bars_init(struct pci_device *pci)
{
	uint16_t command;

	if (pci->bars_known)
		return;
	command = pci_read16(pci, PCI_COMMAND);
	pci_write16(pci, PCI_COMMAND, command & (uint16_t) ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (unsigned i = 0; i < nr_bars(pci);)
		i += bar_init(pci, i);
	pci_write16(pci, PCI_COMMAND, command);
	pci->bars_known = true;
}

/* A memory BAR of any device that lies in [BASE, BASE+LEN); NULL when that is free. */
static const struct pci_bar *bar_overlapping(uint64_t base, uint64_t len)
{
	struct list *link;

	list_for_each(link, &pci_devices) {
		struct pci_device *pci = list_entry(link, struct pci_device, link);

		pci_bars_init(pci);
		for (unsigned i = 0; i < PCI_BARS; i++) {
			const struct pci_bar *bar = &pci->bars[i];

			if (bar->len && bar->base && !bar->is_io && bar->base < base + len &&
			    base < bar->base + bar->len)
				return bar;
		}
	}
	return NULL;
}

/* The lowest free place in WINDOW, 0 when there is none. Each step passes one BAR, so there are not more than BARs. */
static uint64_t place_find(const struct firmware_window *window, uint64_t len)
{
	uint64_t base = ALIGN_UP(window->base, len);

	while (base >= window->base && base - window->base < window->len &&
	       len <= window->len - (base - window->base)) {
		const struct pci_bar *bar = bar_overlapping(base, len);

		if (!bar)
			return base;
		base = ALIGN_UP(bar->base + bar->len, len);
	}
	return 0;
}

static int bar_assign(struct pci_device *pci, unsigned i)
{
	struct firmware_window windows[FIRMWARE_PCI_WINDOW_MAX];
	unsigned n = pci->on_root_bus ? firmware_pci_windows(windows, ARRAY_SIZE(windows)) : 0;
	struct pci_bar *bar = &pci->bars[i];

	for (unsigned w = 0; w < n && !bar->base; w++)
		if (bar->is_64 || windows[w].base + windows[w].len <= GIB(4))
			bar->base = place_find(&windows[w], bar->len);
	if (!bar->base) {
		log_warn("%s: no place for BAR %u of %#llx bytes", pci->device.name, i, (unsigned long long)bar->len);
		return -ENOSPC;
	}
	pci_write32(pci, PCI_BAR0 + 4 * i, (uint32_t)bar->base);
	if (bar->is_64)
		pci_write32(pci, PCI_BAR0 + 4 * (i + 1), (uint32_t)(bar->base >> 32));
	return 0;
}

int pci_enable(struct pci_device *pci)
{
	uint16_t command = pci_read16(pci, PCI_COMMAND) | PCI_COMMAND_MASTER;

	pci_bars_init(pci);
	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &pci->bars[i];

		if (!bar->len)
			continue;
		if (bar->is_io) {
			command |= bar->base ? PCI_COMMAND_IO : 0;
			continue;
		}
		if (!bar->base && bar_assign(pci, i) < 0)
			return -ENOSPC;
		command |= PCI_COMMAND_MEMORY;
	}
	pci_write16(pci, PCI_COMMAND, command);
	return 0;
}

void *pci_bar_map(struct pci_device *pci, unsigned nr, uint64_t off, size_t len)
{
	const struct pci_bar *bar = nr < PCI_BARS ? &pci->bars[nr] : NULL;
	uint64_t limit = arch_phys_limit();

	if (!bar || bar->is_io || !bar->base || len == 0 || off >= bar->len || len > bar->len - off)
		return NULL;
	if (bar->base >= limit || bar->len > limit - bar->base)
		return NULL;
	return vmap_device(bar->base + off, len);
}
