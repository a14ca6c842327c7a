/*
 * Interrupts that drivers ask for. A driver embeds a struct irq, asks for a line (GSI) or a message (MSI, MSI-X), and
 * gets its handler called in hard interrupt context: interrupts disabled, preemption disabled, must not sleep.
 */
#ifndef KERNEL_CORE_IRQ_H
#define KERNEL_CORE_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct irq;
struct trapframe;

/* A controller of lines: IOAPIC, 8259. gsi is its own numbering as ACPI has it (ACPI 6.4, 5.2.13). */
struct irq_chip {
	const char *name;
	int (*route)(struct irq *irq); /* program irq->gsi, flags, vector, cpu; leaves it masked */
	void (*mask)(struct irq *irq);
	void (*unmask)(struct irq *irq);
	void (*ack)(struct irq *irq); /* after the handler; NULL: arch_irq_ack */
};

enum irq_flags {
	IRQ_LEVEL = 1,	    /* else edge */
	IRQ_ACTIVE_LOW = 2, /* else high */
};

struct irq {
	void (*handler)(struct irq *irq);
	const char *name;
	struct irq_chip *chip; /* NULL: message signalled */
	unsigned gsi, flags;
	unsigned cpu; /* logical CPU that takes it; the caller's wish, 0 if it does not care */
	uint8_t vector;
	struct irq *shared; /* next handler on the same level-triggered line */
};

struct msi_message {
	uint64_t address;
	uint32_t data;
};

/* handler, name and cpu are set by the caller. 0, -ENOSPC (no vector left), -ENODEV (no controller), -EBUSY (edge line taken). */
int irq_request_gsi(struct irq *irq, unsigned gsi, unsigned flags);
/* The ISA line 0..15, through the overrides that ACPI or the MP table gave (irq_isa_override). */
int irq_request_isa(struct irq *irq, unsigned isa);
/* MESSAGE is what the driver writes into the device (Intel SDM vol. 3, 11.11). */
int irq_request_msi(struct irq *irq, struct msi_message *message);
/* Masks it and waits until its handler runs on no CPU. */
void irq_free(struct irq *irq);
void irq_mask(struct irq *irq);
void irq_unmask(struct irq *irq);

/* For controllers: CHIP serves GSIs [base, base+n). For firmware tables: ISA line goes to GSI with FLAGS. */
int irq_chip_register(struct irq_chip *chip, unsigned gsi_base, unsigned n);
int irq_isa_override(unsigned isa, unsigned gsi, unsigned flags);

/* arch_upcalls.irq: dispatches timer, calls, reschedule and device vectors. */
void irq_dispatch(struct trapframe *frame);

#endif
