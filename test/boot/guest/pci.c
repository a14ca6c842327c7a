/*
 * Devices on PCI and virtio-mmio, as notes that test_devices.py reads, and interrupts from those that can be told to raise
 * one: QEMU's edu (MSI, its line) and e1000e (MSI-X).
 */
#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/core/irq.h"
#include "kernel/dev/bus/pci.h"
#include "kernel/dev/bus/virtio_mmio.h"
#include "kernel/mem/vmap.h"
#include "test/boot/guest/tap.h"

/* QEMU, docs/specs/edu.txt: 32-bit registers in BAR 0. */
enum {
	EDU_ID = 0x00,
	EDU_FACTORIAL = 0x08,
	EDU_STATUS = 0x20,
	EDU_IRQ_STATUS = 0x24,
	EDU_IRQ_RAISE = 0x60,
	EDU_IRQ_ACK = 0x64,
	EDU_STATUS_COMPUTING = 0x01,
	EDU_STATUS_IRQ = 0x80,
};

/* Intel 82574 data sheet, 10.2.4: in BAR 0. */
enum {
	E1000E_ICS = 0x00c8, /* raises causes */
	E1000E_IMS = 0x00d0, /* enables them */
	E1000E_IMC = 0x00d8, /* disables them */
	E1000E_IVAR = 0x00e4,
	E1000E_CAUSE_LINK = 1 << 2,
	E1000E_CAUSE_OTHER = 1 << 24,
	E1000E_IVAR_OTHER_TO_1 = (0x8 | 1) << 16,
};

static volatile uint32_t *regs;
static unsigned nr_interrupts; /* atomic */

static void reg_write(unsigned reg, uint32_t value)
{
	regs[reg / sizeof(*regs)] = value;
}

static uint32_t reg_read(unsigned reg)
{
	return regs[reg / sizeof(*regs)];
}

static bool edu_interrupt(struct irq *irq)
{
	uint32_t status = reg_read(EDU_IRQ_STATUS);

	(void)irq;
	if (!status)
		return false;
	reg_write(EDU_IRQ_ACK, status);
	__atomic_fetch_add(&nr_interrupts, 1, __ATOMIC_RELAXED);
	return true;
}

static bool count_interrupt(struct irq *irq)
{
	(void)irq;
	__atomic_fetch_add(&nr_interrupts, 1, __ATOMIC_RELAXED);
	return true;
}

static bool interrupts_come(unsigned n)
{
	uint64_t deadline = clock_monotonic() + 5 * NSEC_PER_SEC;

	while (__atomic_load_n(&nr_interrupts, __ATOMIC_RELAXED) < n && clock_monotonic() < deadline)
		arch_cpu_relax();
	return __atomic_load_n(&nr_interrupts, __ATOMIC_RELAXED) == n;
}

static struct pci_device *find(uint16_t vendor, uint16_t device)
{
	struct list *link;

	list_for_each(link, &pci_devices) {
		struct pci_device *pci = list_entry(link, struct pci_device, link);

		if (pci->device.id.vendor == vendor && pci->device.id.device == device)
			return pci;
	}
	return NULL;
}

static void pci_list(void)
{
	unsigned n = 0;
	struct list *link;

	bus_scan(&pci_bus);
	list_for_each(link, &pci_devices) {
		struct pci_device *pci = list_entry(link, struct pci_device, link);

		n++;
		tap_note("pci %s %04x:%04x class %06x", pci->device.name, pci->device.id.vendor, pci->device.id.device,
			 pci->device.id.class);
	}
	tap_note("pci devices: %u", n);
	TAP_CHECK(pci_bus.scanned, "PCI was scanned");
}

static void virtio_mmio_list(void)
{
	unsigned n = 0;
	struct list *link;

	bus_scan(&virtio_mmio_bus);
	list_for_each(link, &virtio_mmio_devices) {
		struct virtio_mmio_device *virtio = list_entry(link, struct virtio_mmio_device, link);

		n++;
		tap_note("%s type %u version %u line %u %s", virtio->device.name, virtio->device.id.device,
			 virtio->version, virtio->place.gsi, virtio->place.irq_flags & IRQ_LEVEL ? "level" : "edge");
	}
	tap_note("virtio-mmio devices: %u", n);
	TAP_CHECK(virtio_mmio_bus.scanned, "virtio-mmio was scanned");
}

static void edu_message(struct pci_device *pci)
{
	struct irq irq = { .handler = edu_interrupt, .name = "edu", .cpu = nr_cpus_online - 1 };

	nr_interrupts = 0;
	TAP_EQUAL(pci_msi_request(pci, &irq), 0, "edu: MSI on CPU %u", irq.cpu);
	reg_write(EDU_IRQ_RAISE, 0x1234);
	TAP_CHECK(interrupts_come(1), "edu: a raised interrupt comes");
	reg_write(EDU_STATUS, EDU_STATUS_IRQ);
	reg_write(EDU_FACTORIAL, 10);
	TAP_CHECK(interrupts_come(2), "edu: the end of a computation interrupts");
	TAP_EQUAL(reg_read(EDU_FACTORIAL), 3628800, "edu: 10!");
	TAP_EQUAL(irq.count, 2, "edu: two interrupts counted");
	reg_write(EDU_STATUS, 0);
	pci_msi_free(pci, &irq);
}

static void edu_line(struct pci_device *pci)
{
	struct irq irq = { .handler = edu_interrupt, .name = "edu-line" };
	int err = pci_line_request(pci, &irq);

	nr_interrupts = 0;
	if (err) {
		tap_skip("edu: its line", "the firmware routed none");
		return;
	}
	for (unsigned n = 1; n <= 3; n++) {
		reg_write(EDU_IRQ_RAISE, n);
		TAP_CHECK(interrupts_come(n), "edu: interrupt %u on line %u (%s)", n, irq.gsi, irq.chip->name);
	}
	irq_mask(&irq);
	reg_write(EDU_IRQ_RAISE, 1);
	clock_delay(100 * NSEC_PER_USEC);
	TAP_EQUAL(nr_interrupts, 3, "edu: none while the line is masked");
	irq_unmask(&irq);
	TAP_CHECK(interrupts_come(4), "edu: it comes when the mask goes");
	irq_free(&irq);
}

/* Nobody answers for a line that stays up. */
static bool ignore_interrupt(struct irq *irq)
{
	(void)irq;
	__atomic_fetch_add(&nr_interrupts, 1, __ATOMIC_RELAXED);
	return false;
}

static void edu_stuck_line(struct pci_device *pci)
{
	struct irq irq = { .handler = ignore_interrupt, .name = "edu-stuck" };
	unsigned n;

	nr_interrupts = 0;
	if (pci_line_request(pci, &irq) != 0)
		return;
	reg_write(EDU_IRQ_RAISE, 1);
	clock_delay(10 * NSEC_PER_MSEC);
	n = __atomic_load_n(&nr_interrupts, __ATOMIC_RELAXED);
	TAP_EQUAL(n, 100, "edu: a line that nobody answers for is masked");
	irq_free(&irq);
	reg_write(EDU_IRQ_ACK, 1);
}

static void edu_test(void)
{
	struct pci_device *pci = find(0x1234, 0x11e8);

	if (!pci) {
		tap_skip("edu", "no such device");
		return;
	}
	TAP_EQUAL(pci_enable(pci), 0, "edu: enabled");
	tap_note("edu BAR 0 at %#llx, %#llx bytes", (unsigned long long)pci->bars[0].base,
		 (unsigned long long)pci->bars[0].len);
	regs = pci_bar_map(pci, 0, 0, 0x1000);
	if (!TAP_CHECK(regs != NULL, "edu: BAR 0 mapped"))
		return;
	TAP_EQUAL(reg_read(EDU_ID), 0x010000ed, "edu: identification");
	edu_line(pci);
	edu_stuck_line(pci);
	edu_message(pci);
	vmap_device_unmap((void *)(uintptr_t)regs);
}

static void e1000e_test(void)
{
	struct pci_device *pci = find(0x8086, 0x10d3);
	struct irq irq = { .handler = count_interrupt, .name = "e1000e" };

	if (!pci) {
		tap_skip("e1000e", "no such device");
		return;
	}
	TAP_EQUAL(pci_enable(pci), 0, "e1000e: enabled");
	regs = pci_bar_map(pci, 0, 0, 0x1000);
	if (!TAP_CHECK(regs != NULL, "e1000e: BAR 0 mapped"))
		return;
	TAP_EQUAL(pci_msix_init(pci), 5, "e1000e: MSI-X entries");
	nr_interrupts = 0;
	TAP_EQUAL(pci_msix_request(pci, 1, &irq), 0, "e1000e: entry 1");
	reg_write(E1000E_IVAR, E1000E_IVAR_OTHER_TO_1);
	reg_write(E1000E_IMS, E1000E_CAUSE_OTHER | E1000E_CAUSE_LINK);
	reg_write(E1000E_ICS, E1000E_CAUSE_OTHER | E1000E_CAUSE_LINK);
	TAP_CHECK(interrupts_come(1), "e1000e: an interrupt by MSI-X");
	reg_write(E1000E_IMC, ~0u);
	pci_msix_free(pci, 1, &irq);
	vmap_device_unmap((void *)(uintptr_t)regs);
}

int main(void)
{
	cpu_wait_online();
	pci_list();
	virtio_mmio_list();
	edu_test();
	e1000e_test();
	return tap_done();
}
