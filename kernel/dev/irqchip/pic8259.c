/*
 * The pair of 8259A of a PC, for machines without an I/O APIC (Intel 8259A data sheet; the pairing and the edge/level
 * registers: Intel ICH10 data sheet, 13.4). Lines come in at fixed vectors, on the boot CPU. Calls come from core/irq.c
 * under its lock.
 */
#include "kernel/arch/arch.h"
#include "kernel/core/cpu.h"
#include "kernel/core/irq.h"
#include "kernel/core/lock.h"
#include "kernel/dev/firmware/firmware.h"
#include "lib/errno.h"

enum {
	MASTER_COMMAND = 0x20,
	MASTER_DATA = 0x21,
	SLAVE_COMMAND = 0xa0,
	SLAVE_DATA = 0xa1,
	EDGE_LEVEL = 0x4d0, /* ELCR1, ELCR2: a set bit makes the line level triggered */

	ICW1_INIT_ICW4 = 0x11,
	ICW3_MASTER = 0x04, /* the slave is on line 2 */
	ICW3_SLAVE = 0x02,
	ICW4_8086 = 0x01,
	OCW2_EOI = 0x60, /* of the line in the lower 3 bits */
	OCW3_READ_ISR = 0x0b,

	LINES = IRQ_FIXED_VECTORS,
	SLAVE_LINE = 2,
	VECTOR_BASE = VECTOR_IRQ_FIRST, /* a multiple of 8 */
	ELCR_SETTABLE = 0xdef8,		/* not the timer, keyboard, slave, RTC and FPU lines */
};

static uint16_t masked = 0xffff; /* what the mask registers hold */

static void masks_write(void)
{
	arch_out8(SLAVE_DATA, (uint8_t)(masked >> 8));
	arch_out8(MASTER_DATA, (uint8_t)masked);
}

static int pic8259_route(struct irq *irq)
{
	uint16_t bit = (uint16_t)(1u << irq->gsi);
	uint16_t port = (uint16_t)(EDGE_LEVEL + irq->gsi / 8);
	uint8_t level = arch_in8(port);

	if (irq->gsi == SLAVE_LINE)
		return -EINVAL;
	if (bit & ELCR_SETTABLE) {
		uint8_t port_bit = (uint8_t)(1u << irq->gsi % 8);

		arch_out8(port, irq->flags & IRQ_LEVEL ? level | port_bit : level & (uint8_t)~port_bit);
	}
	irq->cpu = 0;
	return 0;
}

static void pic8259_mask(struct irq *irq)
{
	masked |= (uint16_t)(1u << irq->gsi);
	masks_write();
}

static void pic8259_unmask(struct irq *irq)
{
	masked &= (uint16_t) ~(1u << irq->gsi);
	if (irq->gsi >= 8)
		masked &= (uint16_t) ~(1u << SLAVE_LINE);
	masks_write();
}

/* A line that went away before the CPU asked which it was comes in as line 7 of its chip, not in service. */
static bool is_spurious(unsigned line, uint16_t command_port)
{
	if (line % 8 != 7)
		return false;
	arch_out8(command_port, OCW3_READ_ISR);
	return !(arch_in8(command_port) & 0x80);
}

static void pic8259_ack(unsigned vector)
{
	unsigned line = vector - VECTOR_BASE;

	if (line >= 8) {
		if (!is_spurious(line, SLAVE_COMMAND))
			arch_out8(SLAVE_COMMAND, (uint8_t)(OCW2_EOI | (line - 8)));
		arch_out8(MASTER_COMMAND, OCW2_EOI | SLAVE_LINE);
	} else if (!is_spurious(line, MASTER_COMMAND)) {
		arch_out8(MASTER_COMMAND, (uint8_t)(OCW2_EOI | line));
	}
}

static struct irq_chip pic8259 = {
	.name = "8259",
	.route = pic8259_route,
	.mask = pic8259_mask,
	.unmask = pic8259_unmask,
	.ack = pic8259_ack,
	.vector_base = VECTOR_BASE,
};

static void controller_init(uint16_t command_port, uint8_t vector, uint8_t icw3)
{
	arch_out8(command_port, ICW1_INIT_ICW4);
	arch_out8(command_port + 1, vector);
	arch_out8(command_port + 1, icw3);
	arch_out8(command_port + 1, ICW4_8086);
}

static void line_enable(void *unused)
{
	(void)unused;
	arch_irq_line_enable();
}

/* The pair's output is wired to the boot CPU, and this thread may run on another. */
static void boot_cpu_line_enable(void)
{
	preempt_disable();
	if (cpu_self() == 0)
		line_enable(NULL);
	else
		cpu_call(0, line_enable, NULL);
	preempt_enable();
}

static int pic8259_probe(void)
{
	if (!firmware_has_pic())
		return -ENODEV;
	controller_init(MASTER_COMMAND, VECTOR_BASE, ICW3_MASTER);
	controller_init(SLAVE_COMMAND, VECTOR_BASE + 8, ICW3_SLAVE);
	masks_write();
	if (arch_in8(MASTER_DATA) != (uint8_t)masked)
		return -ENODEV;
	boot_cpu_line_enable();
	return irq_chip_register(&pic8259, 0, LINES);
}

IRQ_CHIP_DRIVER(pic8259) = {
	.name = "pic8259",
	.rating = 100,
	.probe = pic8259_probe,
};
