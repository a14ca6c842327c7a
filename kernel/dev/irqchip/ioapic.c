/*
 * The I/O APIC (Intel 82093AA data sheet, section 3.2, for the registers): routes the lines that ACPI numbers as GSIs. Calls
 * come from core/irq.c under its lock, which also serialises the index and data registers.
 */
#include "kernel/core/cpu.h"
#include "kernel/core/irq.h"
#include "kernel/core/log.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/mem/vmap.h"
#include "lib/errno.h"
#include "lib/util.h"

enum {
	IOAPIC_INDEX = 0x00, /* IOREGSEL, IOWIN: offsets in bytes */
	IOAPIC_DATA = 0x10,
	IOAPIC_WINDOW_LEN = 0x14,

	IOAPIC_VERSION = 0x01, /* register numbers */
	IOAPIC_REDIRECT = 0x10,

	VERSION_LAST_SHIFT = 16, /* highest entry, 8 bits */
	REDIRECT_ACTIVE_LOW = 1 << 13,
	REDIRECT_LEVEL = 1 << 15,
	REDIRECT_MASKED = 1 << 16,
	REDIRECT_APIC_ID_SHIFT = 24, /* in the upper half; physical destination, fixed delivery */
	APIC_ID_MAX = 0xfe,

	LINES_MAX = 240, /* the version register's field cannot mean more */
};

struct ioapic {
	struct irq_chip chip;
	volatile uint8_t *regs;
	unsigned gsi_base;
};

static struct ioapic ioapics[FIRMWARE_IOAPIC_MAX];

static uint32_t ioapic_read(const struct ioapic *ioapic, unsigned reg)
{
	*(volatile uint32_t *)(ioapic->regs + IOAPIC_INDEX) = reg;
	return *(volatile uint32_t *)(ioapic->regs + IOAPIC_DATA);
}

static void ioapic_write(const struct ioapic *ioapic, unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)(ioapic->regs + IOAPIC_INDEX) = reg;
	*(volatile uint32_t *)(ioapic->regs + IOAPIC_DATA) = value;
}

/* Number of the lower half of a line's redirection entry; the upper half is the next. */
static unsigned redirect_reg(unsigned line)
{
	return IOAPIC_REDIRECT + 2 * line;
}

static const struct ioapic *ioapic_of(const struct irq *irq)
{
	return container_of(irq->chip, struct ioapic, chip);
}

static int ioapic_route(struct irq *irq)
{
	const struct ioapic *ioapic = ioapic_of(irq);
	unsigned reg = redirect_reg(irq->gsi - ioapic->gsi_base);
	uint32_t low = irq->vector | REDIRECT_MASKED;

	if (cpus[irq->cpu].apic_id > APIC_ID_MAX)
		irq->cpu = 0;
	if (irq->flags & IRQ_LEVEL)
		low |= REDIRECT_LEVEL;
	if (irq->flags & IRQ_ACTIVE_LOW)
		low |= REDIRECT_ACTIVE_LOW;
	ioapic_write(ioapic, reg, low);
	ioapic_write(ioapic, reg + 1, cpus[irq->cpu].apic_id << REDIRECT_APIC_ID_SHIFT);
	return 0;
}

static void ioapic_mask(struct irq *irq)
{
	const struct ioapic *ioapic = ioapic_of(irq);
	unsigned reg = redirect_reg(irq->gsi - ioapic->gsi_base);

	ioapic_write(ioapic, reg, ioapic_read(ioapic, reg) | REDIRECT_MASKED);
}

static void ioapic_unmask(struct irq *irq)
{
	const struct ioapic *ioapic = ioapic_of(irq);
	unsigned reg = redirect_reg(irq->gsi - ioapic->gsi_base);

	ioapic_write(ioapic, reg, ioapic_read(ioapic, reg) & ~(uint32_t)REDIRECT_MASKED);
}

/* 0, or -ENODEV when nothing answers at the address that the tables gave. */
static int ioapic_setup(struct ioapic *ioapic, const struct firmware_ioapic *found)
{
	uint32_t version;
	unsigned lines;

	ioapic->regs = vmap_device(found->address, IOAPIC_WINDOW_LEN);
	if (!ioapic->regs)
		return -ENODEV;
	version = ioapic_read(ioapic, IOAPIC_VERSION);
	lines = (version >> VERSION_LAST_SHIFT & 0xff) + 1;
	if (version == 0 || lines > LINES_MAX) {
		log_warn("ioapic: nothing usable at %#llx", (unsigned long long)found->address);
		vmap_device_unmap((void *)(uintptr_t)ioapic->regs);
		return -ENODEV;
	}
	for (unsigned line = 0; line < lines; line++)
		ioapic_write(ioapic, redirect_reg(line), REDIRECT_MASKED);
	ioapic->gsi_base = found->gsi_base;
	ioapic->chip = (struct irq_chip){
		.name = "ioapic",
		.route = ioapic_route,
		.mask = ioapic_mask,
		.unmask = ioapic_unmask,
	};
	return irq_chip_register(&ioapic->chip, found->gsi_base, lines);
}

static int ioapic_probe(void)
{
	struct firmware_ioapic found[FIRMWARE_IOAPIC_MAX];
	unsigned n = firmware_ioapics(found, ARRAY_SIZE(found));
	unsigned nr_ready = 0;

	for (unsigned i = 0; i < n; i++)
		if (ioapic_setup(&ioapics[nr_ready], &found[i]) == 0)
			nr_ready++;
	if (nr_ready == 0)
		return -ENODEV;
	firmware_isa_overrides_init();
	return 0;
}

IRQ_CHIP_DRIVER(ioapic) = {
	.name = "ioapic",
	.rating = 200,
	.probe = ioapic_probe,
};
