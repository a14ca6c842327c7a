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

#define IRQ_FIXED_VECTORS 16

/* A controller of lines: IOAPIC, 8259. gsi is its own numbering as ACPI has it (ACPI 6.4, 5.2.13). */
struct irq_chip {
	const char *name;
	int (*route)(struct irq *irq); /* program irq->gsi, flags, vector, cpu; leaves it masked. -EINVAL: cannot */
	void (*mask)(struct irq *irq);
	void (*unmask)(struct irq *irq);
	/* After the handlers, and also when there are none. NULL: arch_irq_ack. */
	void (*ack)(unsigned vector);
	/*
	 * Not 0: line N of the chip always comes in at vector_base + N (8259); these lie in the IRQ_FIXED_VECTORS vectors
	 * from VECTOR_IRQ_FIRST on. Else a vector is allocated for each line.
	 */
	unsigned vector_base;
};

/*
 * What a controller's driver puts into the image's table. IRQ_CHIP_DRIVER(foo) defines irq_chip_driver_foo in section
 * .irq_chips, which the linker script keeps whole, between the symbols irq_chips_start and irq_chips_end.
 */
struct irq_chip_driver {
	const char *name;
	unsigned rating; /* tried from the highest down, until one is there */
	/*
	 * Sets the hardware up and registers it (irq_chip_register, irq_isa_override). In a thread, at the first request
	 * of a line, so that an image that asks for none pays nothing. 0, or -ENODEV when there is no such controller.
	 */
	int (*probe)(void);
};
#define IRQ_CHIP_DRIVER(name)                                                                                          \
	const struct irq_chip_driver irq_chip_driver_##name                                                            \
		__attribute__((section(".irq_chips"), used, aligned(__alignof__(struct irq_chip_driver))))

enum irq_flags {
	IRQ_LEVEL = 1,	    /* else edge */
	IRQ_ACTIVE_LOW = 2, /* else high */
};

struct irq {
	/* Returns true when its device had asked for it. A level line that nobody asked for 100 times over is masked. */
	bool (*handler)(struct irq *irq);
	const char *name;
	unsigned cpu; /* logical CPU that takes it; the caller's wish, 0 if it does not care */
	/* The rest is set by irq_request_*. */
	struct irq_chip *chip; /* NULL: message signalled */
	unsigned gsi, flags;
	uint8_t vector;
	bool masked;
	uint32_t count;	    /* how often the handler returned true */
	struct irq *shared; /* next handler on the same level-triggered line */
};

/* What the driver writes into the device (Intel SDM vol. 3, 11.11). */
struct msi_message {
	uint64_t address;
	uint32_t data;
};

/*
 * handler, name and cpu are set by the caller; the irq must stay until irq_free. Threads only. 0, -ENOSPC (no vector
 * left), -ENODEV (no controller has that line), -EBUSY (edge line taken, or shared with other flags).
 */
int irq_request_gsi(struct irq *irq, unsigned gsi, unsigned flags);
/*
 * The ISA line 0..15, to where the firmware tables say that it goes (irq_isa_override). FLAGS count where they say nothing:
 * 0 for ISA devices, IRQ_LEVEL | IRQ_ACTIVE_LOW for a line of PCI.
 */
int irq_request_isa(struct irq *irq, unsigned isa, unsigned flags);
/* Any context. 0, -ENOSPC. Masking a message is the device's own matter: irq_mask is for lines. */
int irq_request_msi(struct irq *irq, struct msi_message *message);
/* Masks it and waits until its handler runs on no CPU. Not from a handler. A message's device must have stopped sending. */
void irq_free(struct irq *irq);
/* A line that is shared is masked while any of its irqs is. Any context; nothing waits for a running handler. */
void irq_mask(struct irq *irq);
void irq_unmask(struct irq *irq);

/* For controllers: CHIP serves GSIs [base, base+n). 0, -ENOSPC. */
int irq_chip_register(struct irq_chip *chip, unsigned gsi_base, unsigned n);
/* For firmware tables: ISA line goes to GSI with FLAGS. 0, -EINVAL (no such line). */
int irq_isa_override(unsigned isa, unsigned gsi, unsigned flags);

/* arch_upcalls.irq: dispatches timer, calls, reschedule and device vectors. */
void irq_dispatch(struct trapframe *frame);
/* arch_upcalls.stray: logs the first one on each CPU, and forgets it. */
void irq_stray(unsigned vector);

/* Interrupts taken so far, by CPU. */
struct irq_stats {
	unsigned timer, call, reschedule, device;
	unsigned spurious, error; /* the local APIC's own */
	unsigned stray;		  /* on a vector that nobody has opened */
};
void irq_stats(unsigned cpu, struct irq_stats *out);

#endif
