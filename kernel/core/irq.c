#include "kernel/core/irq.h"

#include "kernel/arch/arch.h"
#include "kernel/core/cpu.h"
#include "kernel/core/lock.h"
#include "kernel/core/log.h"
#include "kernel/core/random.h"
#include "kernel/core/thread.h"
#include "kernel/core/timer.h"
#include "kernel/core/wait.h"
#include "lib/errno.h"
#include "lib/util.h"

/* From there on vectors are allocated; those before are for a controller that cannot choose (struct irq_chip.vector_base). */
#define VECTOR_ALLOC_FIRST (VECTOR_IRQ_FIRST + IRQ_FIXED_VECTORS)
#define NR_VECTORS (VECTOR_IRQ_LAST - VECTOR_IRQ_FIRST + 1)
#define CHIPS_MAX 16
#define ISA_LINES 16
#define UNHANDLED_MAX 100
/* Device interrupts on one CPU between two contributions to the random generator. */
#define NOISE_PERIOD 64

/*
 * One for each vector that devices may have. irqs, and the list behind it, change under irq_lock and are read by
 * dispatch without it: running makes that safe, see irq_free.
 */
struct vector {
	struct irq *irqs;
	struct irq_chip *chip; /* NULL: message signalled, or free */
	uint16_t running;      /* CPUs that are in its handlers; atomic */
	uint16_t unhandled;    /* in a row */
};

struct chip_range {
	struct irq_chip *chip;
	unsigned base, n;
};

struct isa_line {
	bool overridden;
	uint8_t flags;
	unsigned gsi;
};

static struct spinlock irq_lock = SPINLOCK_INIT("irq"); /* covers what follows, and each struct irq's shared, masked */
static struct vector vectors[NR_VECTORS];
static struct chip_range chips[CHIPS_MAX];
static unsigned nr_chips;
static struct isa_line isa_lines[ISA_LINES];
static unsigned vector_cursor; /* counts allocations, so that a freed vector rests */

static struct mutex chips_probe_lock = { .queue = WAIT_QUEUE_INIT(chips_probe_lock.queue) }; /* covers chips_probed */
static bool chips_probed;

static PERCPU(struct irq_stats, stats);
static PERCPU(uint64_t, noise);

extern const struct irq_chip_driver irq_chips_start[], irq_chips_end[];

static struct vector *vector_get(unsigned nr)
{
	return &vectors[nr - VECTOR_IRQ_FIRST];
}

/* ---- Controllers ------------------------------------------------------------------------------------------------ */

static int chips_probe_best(void)
{
	unsigned below = ~0u;

	for (;;) {
		const struct irq_chip_driver *best = NULL;

		for (const struct irq_chip_driver *driver = irq_chips_start; driver < irq_chips_end; driver++)
			if (driver->rating < below && (!best || driver->rating > best->rating))
				best = driver;
		if (!best)
			return -ENODEV;
		if (best->probe() == 0)
			return 0;
		below = best->rating;
	}
}

static void chips_probe(void)
{
	if (__atomic_load_n(&chips_probed, __ATOMIC_ACQUIRE))
		return;
	mutex_lock(&chips_probe_lock);
	if (!chips_probed && chips_probe_best() < 0)
		log_warn("irq: no interrupt controller for device lines");
	__atomic_store_n(&chips_probed, true, __ATOMIC_RELEASE);
	mutex_unlock(&chips_probe_lock);
}

int irq_chip_register(struct irq_chip *chip, unsigned gsi_base, unsigned n)
{
	unsigned long flags = spin_lock_irqsave(&irq_lock);
	int err = -ENOSPC;

	if (nr_chips < CHIPS_MAX) {
		chips[nr_chips++] = (struct chip_range){ .chip = chip, .base = gsi_base, .n = n };
		err = 0;
		/* All of them, since an 8259 sends a spurious interrupt on lines that nobody has asked for. */
		for (unsigned i = 0; chip->vector_base && i < n; i++) {
			vector_get(chip->vector_base + i)->chip = chip;
			arch_vector_open(chip->vector_base + i);
		}
	}
	spin_unlock_irqrestore(&irq_lock, flags);
	return err;
}

int irq_isa_override(unsigned isa, unsigned gsi, unsigned flags)
{
	if (isa >= ISA_LINES)
		return -EINVAL;
	isa_lines[isa] = (struct isa_line){ .overridden = true, .gsi = gsi, .flags = (uint8_t)flags };
	return 0;
}

static const struct chip_range *chip_find_locked(unsigned gsi)
{
	for (unsigned i = 0; i < nr_chips; i++)
		if (gsi - chips[i].base < chips[i].n)
			return &chips[i];
	return NULL;
}

/* ---- Requests --------------------------------------------------------------------------------------------------- */

/* A vector that is free, 0 when there is none. */
static unsigned vector_alloc_locked(void)
{
	const unsigned n = VECTOR_IRQ_LAST - VECTOR_ALLOC_FIRST + 1;

	for (unsigned i = 0; i < n; i++) {
		unsigned nr = VECTOR_ALLOC_FIRST + vector_cursor++ % n;
		const struct vector *vector = vector_get(nr);

		if (!vector->irqs && !__atomic_load_n(&vector->running, __ATOMIC_RELAXED))
			return nr;
	}
	return 0;
}

static void irq_prepare(struct irq *irq, struct irq_chip *chip, unsigned gsi, unsigned flags)
{
	irq->chip = chip;
	irq->gsi = gsi;
	irq->flags = flags;
	irq->masked = false;
	irq->count = 0;
	irq->shared = NULL;
	if (irq->cpu >= nr_cpus || !cpus[irq->cpu].online)
		irq->cpu = 0;
}

static void vector_attach_locked(struct irq *irq, unsigned nr)
{
	struct vector *vector = vector_get(nr);

	irq->vector = (uint8_t)nr;
	vector->chip = irq->chip;
	vector->unhandled = 0;
	arch_vector_open(nr);
	__atomic_store_n(&vector->irqs, irq, __ATOMIC_RELEASE);
}

static struct irq *line_find_locked(const struct irq_chip *chip, unsigned gsi)
{
	for (unsigned i = 0; i < NR_VECTORS; i++)
		if (vectors[i].irqs && vectors[i].chip == chip && vectors[i].irqs->gsi == gsi)
			return vectors[i].irqs;
	return NULL;
}

static int line_share_locked(struct irq *first, struct irq *irq)
{
	if (!(irq->flags & IRQ_LEVEL) || irq->flags != first->flags)
		return -EBUSY;
	irq->vector = first->vector;
	irq->cpu = first->cpu;
	while (first->shared)
		first = first->shared;
	__atomic_store_n(&first->shared, irq, __ATOMIC_RELEASE);
	return 0;
}

static int line_open_locked(struct irq *irq, const struct chip_range *range)
{
	struct irq_chip *chip = range->chip;
	unsigned nr = chip->vector_base ? chip->vector_base + (irq->gsi - range->base) : vector_alloc_locked();
	int err;

	if (nr == 0)
		return -ENOSPC;
	vector_attach_locked(irq, nr);
	err = chip->route(irq);
	if (err)
		vector_get(nr)->irqs = NULL;
	else
		chip->unmask(irq);
	return err;
}

int irq_request_gsi(struct irq *irq, unsigned gsi, unsigned flags)
{
	const struct chip_range *range;
	unsigned long saved;
	int err = -ENODEV;

	chips_probe();
	saved = spin_lock_irqsave(&irq_lock);
	range = chip_find_locked(gsi);
	if (range) {
		struct irq *first = line_find_locked(range->chip, gsi);

		irq_prepare(irq, range->chip, gsi, flags);
		err = first ? line_share_locked(first, irq) : line_open_locked(irq, range);
	}
	spin_unlock_irqrestore(&irq_lock, saved);
	return err;
}

int irq_request_isa(struct irq *irq, unsigned isa, unsigned flags)
{
	if (isa >= ISA_LINES)
		return -ENODEV;
	chips_probe(); /* it learns the overrides */
	if (isa_lines[isa].overridden)
		return irq_request_gsi(irq, isa_lines[isa].gsi, isa_lines[isa].flags);
	return irq_request_gsi(irq, isa, flags);
}

int irq_request_msi(struct irq *irq, struct msi_message *message)
{
	unsigned long saved = spin_lock_irqsave(&irq_lock);
	unsigned nr = vector_alloc_locked();

	if (nr != 0) {
		irq_prepare(irq, NULL, 0, 0);
		/* The message has 8 bits for the APIC id: a CPU beyond leaves it to the boot CPU. */
		if (cpus[irq->cpu].apic_id > ARCH_MSI_APIC_ID_MAX)
			irq->cpu = 0;
		vector_attach_locked(irq, nr);
		arch_msi_encode(cpus[irq->cpu].apic_id, nr, &message->address, &message->data);
	}
	spin_unlock_irqrestore(&irq_lock, saved);
	return nr != 0 ? 0 : -ENOSPC;
}

/* The line's mask follows from the wishes of those who share it. */
static void line_mask_update_locked(const struct vector *vector)
{
	struct irq *first = vector->irqs;

	for (struct irq *irq = first; irq; irq = irq->shared) {
		if (irq->masked) {
			vector->chip->mask(first);
			return;
		}
	}
	vector->chip->unmask(first);
}

static void irq_mask_set(struct irq *irq, bool masked)
{
	unsigned long saved;

	if (!irq->chip)
		return;
	saved = spin_lock_irqsave(&irq_lock);
	irq->masked = masked;
	line_mask_update_locked(vector_get(irq->vector));
	spin_unlock_irqrestore(&irq_lock, saved);
}

void irq_mask(struct irq *irq)
{
	irq_mask_set(irq, true);
}

void irq_unmask(struct irq *irq)
{
	irq_mask_set(irq, false);
}

/* Dispatch counts itself in before it reads the list, we look at the count after we changed it: one sees the other. */
void irq_free(struct irq *irq)
{
	struct vector *vector = vector_get(irq->vector);
	unsigned long saved = spin_lock_irqsave(&irq_lock);
	struct irq **link = &vector->irqs;

	while (*link != irq)
		link = &(*link)->shared;
	if (irq->chip && vector->irqs == irq && !irq->shared)
		irq->chip->mask(irq);
	__atomic_store_n(link, irq->shared, __ATOMIC_SEQ_CST);
	if (irq->chip && vector->irqs)
		line_mask_update_locked(vector);
	spin_unlock_irqrestore(&irq_lock, saved);
	while (__atomic_load_n(&vector->running, __ATOMIC_SEQ_CST))
		arch_cpu_relax();
}

/* ---- Dispatch --------------------------------------------------------------------------------------------------- */

/* The moments at which devices interrupt are noise; collected cheaply, handed over now and then. */
static void noise_collect(unsigned nr, unsigned nr_device)
{
	uint64_t *mine = percpu_this(noise);

	*mine = (*mine << 7 | *mine >> 57) ^ arch_ticks() ^ nr;
	if (nr_device % NOISE_PERIOD == 0)
		random_add(mine, sizeof(*mine));
}

/* A level line that stays up although nobody wants it would let the CPU do nothing else. */
__attribute__((cold)) static void unhandled_note(struct vector *vector, unsigned nr)
{
	unsigned long saved = spin_lock_irqsave(&irq_lock);
	struct irq *irq = vector->irqs;

	vector->unhandled++;
	if (vector->unhandled == 1 && !irq && !vector->chip) {
		log_warn("irq: vector %#x came without an owner", nr);
	} else if (vector->unhandled >= UNHANDLED_MAX && irq && irq->chip && (irq->flags & IRQ_LEVEL)) {
		irq->chip->mask(irq);
		vector->unhandled = 0;
		log_warn("irq: %s: line %u is stuck, masked", irq->name, irq->gsi);
	}
	spin_unlock_irqrestore(&irq_lock, saved);
}

static void device_interrupt(unsigned nr)
{
	struct vector *vector = vector_get(nr);
	bool handled = false;

	__atomic_fetch_add(&vector->running, 1, __ATOMIC_SEQ_CST);
	for (struct irq *irq = __atomic_load_n(&vector->irqs, __ATOMIC_SEQ_CST); irq;
	     irq = __atomic_load_n(&irq->shared, __ATOMIC_ACQUIRE)) {
		if (irq->handler(irq)) {
			irq->count++;
			handled = true;
		}
	}
	if (likely(handled))
		vector->unhandled = 0;
	else
		unhandled_note(vector, nr);
	if (vector->chip && vector->chip->ack)
		vector->chip->ack(nr);
	else
		arch_irq_ack();
	__atomic_fetch_sub(&vector->running, 1, __ATOMIC_SEQ_CST);
	noise_collect(nr, ++percpu_this(stats)->device);
}

/* The local APIC's own complaint (Intel SDM vol. 3, 11.5.3): of a vector that was sent or received and is not legal. */
__attribute__((cold)) static void error_interrupt(void)
{
	if (percpu_this(stats)->error++ == 0)
		log_warn("irq: local APIC of CPU %u reports an error", cpu_self());
	arch_irq_ack();
}

void irq_dispatch(struct trapframe *frame)
{
	struct irq_stats *mine = percpu_this(stats);
	unsigned nr = (unsigned)frame->vector;

	irq_enter();
	switch (nr) {
	case VECTOR_TIMER:
		mine->timer++;
		arch_irq_ack();
		timer_interrupt();
		break;
	case VECTOR_RESCHEDULE:
		mine->reschedule++;
		arch_irq_ack();
		sched_reschedule_ipi();
		break;
	case VECTOR_CALL:
		mine->call++;
		arch_irq_ack();
		cpu_call_interrupt();
		break;
	case VECTOR_SPURIOUS: /* must not be acknowledged: Intel SDM vol. 3, 11.9 */
		mine->spurious++;
		break;
	case VECTOR_ERROR:
		error_interrupt();
		break;
	default:
		device_interrupt(nr);
	}
	irq_exit();
	sched_preempt_irq();
}

void irq_stray(unsigned vector)
{
	irq_enter();
	if (percpu_this(stats)->stray++ == 0)
		log_warn("irq: vector %#x, which nobody has opened, came on CPU %u", vector, cpu_self());
	arch_irq_ack();
	irq_exit();
}

void irq_stats(unsigned cpu, struct irq_stats *out)
{
	*out = *percpu_at(cpus[cpu].percpu_delta, stats);
}
