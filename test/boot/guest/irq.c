/* Vectors, messages, lines, masks, sharing and freeing of interrupts, without any device but the local APIC. */
#include "kernel/arch/x86_64/apic.h"
#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/core/irq.h"
#include "kernel/core/lock.h"
#include "lib/errno.h"
#include "test/boot/guest/tap.h"

#define LINE 10 /* an ISA line without a device on all of QEMU's machines */

static unsigned nr_handled, handled_on; /* atomic */
static bool claims = true;

static bool handler(struct irq *irq)
{
	(void)irq;
	__atomic_store_n(&handled_on, cpu_self(), __ATOMIC_RELAXED);
	if (arch_irq_is_enabled() || percpu_read(preempt_count) == 0)
		return false;
	__atomic_fetch_add(&nr_handled, 1, __ATOMIC_RELEASE);
	return claims;
}

static bool handled(unsigned n)
{
	uint64_t deadline = clock_monotonic() + 5 * NSEC_PER_SEC;

	while (__atomic_load_n(&nr_handled, __ATOMIC_ACQUIRE) < n && clock_monotonic() < deadline)
		arch_cpu_relax();
	return __atomic_load_n(&nr_handled, __ATOMIC_ACQUIRE) == n;
}

/* The local APIC raises the vector as the device's message would. */
static void raise(const struct irq *irq)
{
	arch_ipi_send(cpus[irq->cpu].apic_id, irq->vector);
}

static void messages(void)
{
	struct irq irq = { .handler = handler, .name = "message" };
	struct msi_message message;
	struct irq_stats before, after;

	for (unsigned cpu = 0; cpu < nr_cpus_online; cpu++) {
		irq.cpu = cpu;
		nr_handled = 0;
		TAP_EQUAL(irq_request_msi(&irq, &message), 0, "a message for CPU %u", cpu);
		TAP_CHECK(message.address == (0xfee00000 | cpus[cpu].apic_id << 12) && message.data == irq.vector,
			  "its address and data name CPU and vector");
		irq_stats(cpu, &before);
		raise(&irq);
		TAP_CHECK(handled(1) && handled_on == cpu, "the handler runs on CPU %u, interrupts and preemption off",
			  cpu);
		irq_free(&irq);
		irq_stats(cpu, &after);
		TAP_CHECK(after.device > before.device, "it is counted there");
		TAP_EQUAL(irq.count, 1, "and by its owner");
	}
	irq.cpu = CPU_MAX;
	TAP_CHECK(irq_request_msi(&irq, &message) == 0 && irq.cpu == 0,
		  "a CPU that is not there: the boot CPU takes it");
	irq_free(&irq);
}

static void no_owner(void)
{
	struct irq irq = { .handler = handler, .name = "gone" };
	struct irq_stats before, after;
	struct msi_message message;

	irq_request_msi(&irq, &message);
	irq_free(&irq);
	nr_handled = 0;
	irq_stats(0, &before);
	for (unsigned i = 0; i < 200; i++)
		raise(&irq);
	clock_delay(10 * NSEC_PER_USEC);
	irq_stats(0, &after);
	TAP_CHECK(after.device > before.device && nr_handled == 0, "interrupts without an owner are survived");
}

static void exhaust(void)
{
	static struct irq irqs[VECTOR_IRQ_LAST - VECTOR_IRQ_FIRST - IRQ_FIXED_VECTORS + 2];
	struct msi_message message;
	unsigned n = 0;
	bool distinct = true;

	while (n < ARRAY_SIZE(irqs)) {
		irqs[n].handler = handler;
		irqs[n].name = "many";
		if (irq_request_msi(&irqs[n], &message) != 0)
			break;
		n++;
	}
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < i; j++)
			distinct &= irqs[i].vector != irqs[j].vector;
	TAP_EQUAL(n, ARRAY_SIZE(irqs) - 1, "every vector can be had");
	TAP_CHECK(distinct, "and only once");
	TAP_EQUAL(irq_request_msi(&irqs[n], &message), -ENOSPC, "then there is none left");
	nr_handled = 0;
	for (unsigned i = 0; i < n; i++)
		raise(&irqs[i]);
	TAP_CHECK(handled(n), "each of them reaches its handler");
	while (n-- > 0)
		irq_free(&irqs[n]);
	TAP_EQUAL(irq_request_msi(&irqs[0], &message), 0, "one is to be had again");
	irq_free(&irqs[0]);
}

static void lines(void)
{
	struct irq first = { .handler = handler, .name = "first" }, second = { .handler = handler, .name = "second" };
	int err = irq_request_isa(&first, LINE, IRQ_LEVEL);

	if (err == -ENODEV) {
		tap_skip("lines", "no controller");
		return;
	}
	TAP_EQUAL(err, 0, "ISA line %u: %s", LINE, first.chip->name);
	tap_note("ISA line %u is GSI %u, flags %u, vector %#x", LINE, first.gsi, first.flags, first.vector);
	TAP_EQUAL(irq_request_isa(&second, LINE, IRQ_LEVEL), first.flags & IRQ_LEVEL ? 0 : -EBUSY,
		  "a level line is shared, an edge line is not");
	if (first.flags & IRQ_LEVEL) {
		TAP_EQUAL(second.vector, first.vector, "both have the same vector");
		irq_mask(&second);
		irq_mask(&first);
		irq_unmask(&second);
		irq_unmask(&first);
		irq_free(&second);
	}
	irq_free(&first);
	TAP_EQUAL(irq_request_isa(&first, LINE, IRQ_LEVEL), 0, "a line that was freed can be had again");
	irq_free(&first);
	TAP_EQUAL(irq_request_gsi(&first, 100000, 0), -ENODEV, "a line that no controller has");
	TAP_EQUAL(irq_request_isa(&first, 16, 0), -ENODEV, "there are 16 ISA lines");
}

/*
 * As firmware may leave them pending: below, among and above those of devices, and more than once. What comes later is
 * delivered only if each was acknowledged.
 */
static void stray(void)
{
	static const uint8_t closed[] = { 0x20, VECTOR_IRQ_FIRST - 1, VECTOR_IRQ_LAST, VECTOR_ERROR - 1, 0x20 };
	struct irq_stats stats;

	for (unsigned cpu = 0; cpu < nr_cpus_online; cpu++) {
		irq_stats(cpu, &stats);
		TAP_EQUAL(stats.stray, 0, "nothing stray on CPU %u", cpu);
		for (unsigned i = 0; i < ARRAY_SIZE(closed); i++) {
			uint64_t deadline = clock_monotonic() + 5 * NSEC_PER_SEC;

			arch_ipi_send(cpus[cpu].apic_id, closed[i]);
			do
				irq_stats(cpu, &stats);
			while (stats.stray <= i && clock_monotonic() < deadline);
			TAP_EQUAL(stats.stray, i + 1, "vector %#x, which nobody has opened, is survived", closed[i]);
		}
	}
}

/* Local sources that firmware had switched on for itself are off once the local APIC is ours. The timer stops by it, too. */
static void firmware_leftovers(void)
{
	static const uint16_t entries[] = { APIC_LVT_PERFORMANCE, APIC_LVT_THERMAL };

	for (unsigned i = 0; i < ARRAY_SIZE(entries); i++)
		apic_write(entries[i], VECTOR_IRQ_LAST);
	arch_apic_init();
	for (unsigned i = 0; i < ARRAY_SIZE(entries); i++)
		TAP_CHECK(apic_read(entries[i]) & APIC_LVT_MASKED, "firmware's local interrupt %#x is masked",
			  entries[i]);
}

int main(void)
{
	cpu_wait_online();
	stray(); /* first: exhaust opens them all */
	messages();
	no_owner();
	exhaust();
	lines();
	firmware_leftovers();
	return tap_done();
}
