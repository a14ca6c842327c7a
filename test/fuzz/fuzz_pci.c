/* PCI devices that say what the input says, something else each time they are asked: enumeration, BARs, MSI-X. */
#include <stdlib.h>
#include <string.h>

#include "kernel/dev/bus/pci.c"

#include "kernel/dev/firmware/firmware.h"
#include "kernel/mem/vmap.h"
#include "lib/errno.h"

static const uint8_t *input;
static size_t input_len;
static uint8_t *mapped[2];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static uint32_t next(unsigned size)
{
	uint32_t value = ~0u;

	if (input_len >= size) {
		memcpy(&value, input, size);
		input += size;
		input_len -= size;
	} else {
		input_len = 0;
	}
	return value;
}

unsigned pci_config_init(struct pci_address *out, unsigned max)
{
	(void)max;
	out[0] = (struct pci_address){ 0 };
	return 1;
}

uint32_t pci_config_read(struct pci_address address, unsigned off, unsigned size)
{
	(void)address;
	if (off % size != 0)
		abort();
	return next(size);
}

void pci_config_write(struct pci_address address, unsigned off, unsigned size, uint32_t value)
{
	(void)address, (void)value;
	if (off % size != 0)
		abort();
}

void *kzalloc(size_t len)
{
	return calloc(1, len);
}

/* Exactly as long as asked for, so that a step outside is seen. */
void *vmap_device(paddr_t pa, size_t len)
{
	if (pa >= arch_phys_limit() || len > arch_phys_limit() - pa)
		abort();
	if (len > 1 << 16)
		return NULL;
	free(mapped[0]);
	mapped[0] = mapped[1];
	mapped[1] = malloc(len);
	return mapped[1];
}

uint64_t arch_phys_limit(void)
{
	return 1ull << 40;
}

unsigned firmware_pci_windows(struct firmware_window *out, unsigned max)
{
	(void)max;
	out[0] = (struct firmware_window){ .base = 0xc0000000, .len = 0x20000000 };
	return 1;
}

int irq_request_msi(struct irq *irq, struct msi_message *message)
{
	irq->chip = NULL;
	*message = (struct msi_message){ .address = 0xfee00000, .data = 0x30 };
	return 0;
}

void irq_free(struct irq *irq)
{
	irq->handler = NULL;
}

int irq_request_isa(struct irq *irq, unsigned isa, unsigned flags)
{
	(void)irq, (void)flags;
	return isa < 16 ? 0 : -ENODEV;
}

void device_bind(struct device *device)
{
	struct pci_device *pci = pci_device_of(device);
	struct irq irq = { 0 };
	uint8_t out[8];
	int n;

	if (pci_capabilities(pci, PCI_CAPABILITY_VENDOR, out, sizeof(out)) > sizeof(out) || pci_enable(pci) != 0)
		return;
	n = pci_msix_init(pci);
	if (n > 0) {
		pci_msix_request(pci, (unsigned)n - 1, &irq);
		pci_msix_free(pci, (unsigned)n - 1, &irq);
	} else if (pci_msi_request(pci, &irq) == 0) {
		pci_msi_free(pci, &irq);
	}
	pci_line_request(pci, &irq);
	/* Only the newest table is kept mapped here. */
	pci->msix_table = NULL;
	pci->nr_msix = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	input = data;
	input_len = len;
	pci_scan();
	while (!list_is_empty(&pci_devices))
		free(list_entry(list_pop_front(&pci_devices), struct pci_device, link));
	nr_devices = 0;
	return 0;
}
