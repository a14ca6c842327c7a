/* Message signalled interrupts: PCI Local Bus Specification 3.0, 6.8; and the interrupt line. */
#include "kernel/core/irq.h"
#include "kernel/dev/bus/pci.h"
#include "kernel/mem/vmap.h"
#include "lib/errno.h"

enum msix_word {
	MSIX_ADDRESS,
	MSIX_ADDRESS_HIGH,
	MSIX_DATA,
	MSIX_CONTROL,
	MSIX_WORDS,
};

static void command_set(const struct pci_device *pci, uint16_t bits)
{
	pci_write16(pci, PCI_COMMAND, pci_read16(pci, PCI_COMMAND) | bits);
}

static volatile uint32_t *msix_entry(const struct pci_device *pci, unsigned entry)
{
	return pci->msix_table + entry * MSIX_WORDS;
}

int pci_msix_init(struct pci_device *pci)
{
	uint16_t control;
	uint32_t table;
	unsigned n;

	if (pci->msix_table)
		return (int)pci->nr_msix;
	if (pci_capabilities(pci, PCI_CAPABILITY_MSIX, &pci->msix, 1) == 0)
		return -ENODEV;
	control = pci_read16(pci, pci->msix + PCI_MSIX_CONTROL);
	table = pci_read32(pci, pci->msix + PCI_MSIX_TABLE);
	n = (control & PCI_MSIX_CONTROL_LAST) + 1u;
	pci->msix_table = pci_bar_map(pci, table & PCI_MSIX_TABLE_BAR, table & ~(uint32_t)PCI_MSIX_TABLE_BAR,
				      n * PCI_MSIX_ENTRY_LEN);
	if (!pci->msix_table)
		return -EINVAL;
	pci->nr_msix = n;
	/* Nothing gets out between turning it on and masking each entry. */
	control |= PCI_MSIX_CONTROL_ENABLE;
	pci_write16(pci, pci->msix + PCI_MSIX_CONTROL, control | PCI_MSIX_CONTROL_MASK_ALL);
	for (unsigned i = 0; i < n; i++)
		msix_entry(pci, i)[MSIX_CONTROL] = PCI_MSIX_ENTRY_MASKED;
	command_set(pci, PCI_COMMAND_INTX_DISABLE);
	pci_write16(pci, pci->msix + PCI_MSIX_CONTROL, control & (uint16_t)~PCI_MSIX_CONTROL_MASK_ALL);
	return (int)n;
}

void pci_msix_mask(struct pci_device *pci, unsigned entry, bool masked)
{
	msix_entry(pci, entry)[MSIX_CONTROL] = masked ? PCI_MSIX_ENTRY_MASKED : 0;
	(void)msix_entry(pci, entry)[MSIX_CONTROL]; /* the read comes back when the write has arrived */
}

int pci_msix_request(struct pci_device *pci, unsigned entry, struct irq *irq)
{
	struct msi_message message;
	volatile uint32_t *words;
	int err;

	if (entry >= pci->nr_msix)
		return -EINVAL;
	err = irq_request_msi(irq, &message);
	if (err)
		return err;
	words = msix_entry(pci, entry);
	words[MSIX_ADDRESS] = (uint32_t)message.address;
	words[MSIX_ADDRESS_HIGH] = (uint32_t)(message.address >> 32);
	words[MSIX_DATA] = message.data;
	pci_msix_mask(pci, entry, false);
	return 0;
}

void pci_msix_free(struct pci_device *pci, unsigned entry, struct irq *irq)
{
	pci_msix_mask(pci, entry, true);
	irq_free(irq);
}

int pci_msi_request(struct pci_device *pci, struct irq *irq)
{
	struct msi_message message;
	uint16_t control;
	uint8_t off;
	int err;

	if (pci_capabilities(pci, PCI_CAPABILITY_MSI, &off, 1) == 0)
		return -ENODEV;
	control = pci_read16(pci, off + PCI_MSI_CONTROL);
	err = irq_request_msi(irq, &message);
	if (err)
		return err;
	pci_write32(pci, off + PCI_MSI_ADDRESS, (uint32_t)message.address);
	if (control & PCI_MSI_CONTROL_64) {
		pci_write32(pci, off + PCI_MSI_ADDRESS_HIGH, (uint32_t)(message.address >> 32));
		pci_write16(pci, off + PCI_MSI_DATA_64, (uint16_t)message.data);
	} else {
		pci_write16(pci, off + PCI_MSI_DATA_32, (uint16_t)message.data);
	}
	control &= (uint16_t)~PCI_MSI_CONTROL_COUNT;
	command_set(pci, PCI_COMMAND_INTX_DISABLE);
	pci_write16(pci, off + PCI_MSI_CONTROL, control | PCI_MSI_CONTROL_ENABLE);
	return 0;
}

void pci_msi_free(struct pci_device *pci, struct irq *irq)
{
	uint8_t off;

	if (pci_capabilities(pci, PCI_CAPABILITY_MSI, &off, 1) == 1)
		pci_write16(pci, off + PCI_MSI_CONTROL,
			    pci_read16(pci, off + PCI_MSI_CONTROL) & (uint16_t)~PCI_MSI_CONTROL_ENABLE);
	irq_free(irq);
}

int pci_line_request(struct pci_device *pci, struct irq *irq)
{
	uint8_t line = pci_read8(pci, PCI_IRQ_LINE);

	if (pci_read8(pci, PCI_IRQ_PIN) == 0 || line == 0) /* 0: as it was at reset */
		return -ENODEV;
	pci_write16(pci, PCI_COMMAND, pci_read16(pci, PCI_COMMAND) & (uint16_t)~PCI_COMMAND_INTX_DISABLE);
	return irq_request_isa(irq, line, IRQ_LEVEL | IRQ_ACTIVE_LOW);
}
