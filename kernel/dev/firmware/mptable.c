/*
 * CPUs, the IOAPIC and the routing of ISA lines from the MP table of machines without ACPI (Intel MultiProcessor
 * Specification 1.4). GSIs are pins of the first IOAPIC; the table does not say how many pins it has, so nothing can be
 * said of a second one, and it is left alone.
 */
#include "kernel/core/cpu.h"
#include "kernel/core/irq.h"
#include "kernel/core/log.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/dev/firmware/mptable_reg.h"
#include "kernel/dev/firmware/table.h"
#include "lib/errno.h"
#include "lib/util.h"

#define ISA_LINES 16
#define DEFAULT_IOAPIC 0xfec00000u /* of the default configurations (5.1), as their two CPUs 0 and 1 */

static struct {
	const uint8_t *entries; /* NULL: a default configuration */
	unsigned len;		/* up to the first broken entry */
} mp;

/* The floating pointer in [PA, PA+LEN), which names a sound table or a default configuration. */
static const struct mp_pointer *pointer_scan(paddr_t pa, size_t len)
{
	const uint8_t *area = pa ? table_window(pa, len) : NULL;
	const uint8_t *p = area;

	while (p && (p = table_scan(p, area + len, "_MP_"))) {
		const struct mp_pointer *pointer = (const struct mp_pointer *)p;

		if (pointer->length == 1 && !table_sum(pointer, sizeof(*pointer)))
			return pointer;
		p += 16;
	}
	return NULL;
}

static bool table_check(uint32_t pa)
{
	const struct mp_table *table = table_window(pa, sizeof(*table));
	const char *what = "outside of memory";
	unsigned offset = 0;

	if (table && !table_is(table->signature, "PCMP")) {
		what = "wrong signature";
	} else if (table && (table->length < sizeof(*table) || !table_window(pa, table->length))) {
		what = "bad length";
		offset = offsetof(struct mp_table, length);
	} else if (table && table_sum(table, table->length)) {
		what = "bad checksum";
		offset = offsetof(struct mp_table, checksum);
	} else if (table) {
		mp.entries = (const uint8_t *)(table + 1);
		mp.len = table->length - (unsigned)sizeof(*table);
		return true;
	}
	log_warn("mp: table PCMP at 0x%x: %s at offset %u: ignored", pa, what, offset);
	return false;
}

static bool pointer_check(const struct mp_pointer *pointer)
{
	return pointer && (pointer->table ? table_check(pointer->table) : pointer->feature[0] != 0);
}

/* The places of 4, "MP Configuration Table": EBDA and last KiB of base memory here, ROM below. */
bool mp_find_low(void)
{
	paddr_t ebda = table_ebda();
	const struct mp_pointer *pointer = pointer_scan(ebda, KIB(1));

	if (!pointer && ebda != KIB(639))
		pointer = pointer_scan(KIB(639), KIB(1));
	return pointer_check(pointer);
}

bool mp_find_rom(void)
{
	return pointer_check(pointer_scan(0xf0000, 0x10000));
}

/* As madt_next: the entry at *OFF, which moves past it. NULL at the end, and for good where an entry is broken. */
static const uint8_t *entry_next(unsigned *off)
{
	const uint8_t *entry = mp.entries + *off;
	unsigned len;

	if (*off >= mp.len)
		return NULL;
	len = entry[0] == MP_CPU ? sizeof(struct mp_cpu) : sizeof(struct mp_bus);
	if (entry[0] > MP_LOCAL_INTERRUPT || len > mp.len - *off) {
		log_warn("mp: table PCMP: bad entry of type %u at offset %zu: ignoring what follows", entry[0],
			 sizeof(struct mp_table) + *off);
		mp.len = *off;
		return NULL;
	}
	*off += len;
	return entry;
}

void mp_cpus_init(void)
{
	const uint8_t *entry;
	int err = 0;

	if (!mp.entries) {
		cpu_register(0);
		cpu_register(1);
		return;
	}
	for (unsigned off = 0; err != -ENOSPC && (entry = entry_next(&off));) {
		const struct mp_cpu *cpu = (const struct mp_cpu *)entry;

		if (entry[0] == MP_CPU && (cpu->flags & MP_CPU_ENABLED))
			err = cpu_register(cpu->apic_id);
	}
	if (err == -ENOSPC)
		log_warn("mp: more than %d CPUs: the others stay off", CPU_MAX);
}

/* The first enabled one; NULL when there is none. */
static const struct mp_ioapic *ioapic_find(void)
{
	const uint8_t *entry;

	for (unsigned off = 0; (entry = entry_next(&off));) {
		const struct mp_ioapic *ioapic = (const struct mp_ioapic *)entry;

		if (entry[0] == MP_IOAPIC && (ioapic->flags & MP_IOAPIC_ENABLED))
			return ioapic;
	}
	return NULL;
}

unsigned mp_ioapics(struct firmware_ioapic *out, unsigned max)
{
	const struct mp_ioapic *ioapic = mp.entries ? ioapic_find() : NULL;
	uint32_t address = mp.entries ? (ioapic ? ioapic->address : 0) : DEFAULT_IOAPIC;

	if (!max || !address)
		return 0;
	if (!table_is_device(address, PAGE_SIZE)) {
		log_warn("mp: table PCMP: IOAPIC at 0x%x, which is memory: ignored", address);
		return 0;
	}
	*out = (struct firmware_ioapic){ address, 0, ioapic ? ioapic->id : 0 };
	return 1;
}

static bool entry_is_isa_bus(const uint8_t *entry)
{
	return entry[0] == MP_BUS && table_is(((const struct mp_bus *)entry)->name, "ISA ");
}

/* Flags as in the MADT (4.3.4, table 4-10): bits 0-1 polarity, 2-3 trigger mode, 0: as the bus has it. */
static void override_init(const struct mp_interrupt *irq)
{
	unsigned flags = 0;

	if ((irq->flags & 3) == 3)
		flags |= IRQ_ACTIVE_LOW;
	if ((irq->flags >> 2 & 3) == 3)
		flags |= IRQ_LEVEL;
	if ((irq->pin != irq->line || flags) && irq_isa_override(irq->line, irq->pin, flags))
		log_warn("mp: table PCMP: line %u to pin %u: ignored", irq->line, irq->pin);
}

void mp_isa_overrides_init(void)
{
	const struct mp_ioapic *ioapic = mp.entries ? ioapic_find() : NULL;
	uint8_t is_isa[256] = { 0 };
	const uint8_t *entry;

	if (!mp.entries)
		irq_isa_override(0, 2, 0); /* the timer is at pin 2 (figures 5-1 and 5-2) */
	for (unsigned off = 0; ioapic && (entry = entry_next(&off));)
		is_isa[entry[1]] |= entry_is_isa_bus(entry);
	for (unsigned off = 0; ioapic && (entry = entry_next(&off));) {
		const struct mp_interrupt *irq = (const struct mp_interrupt *)entry;

		if (entry[0] == MP_IO_INTERRUPT && irq->kind == MP_KIND_VECTORED && irq->ioapic == ioapic->id &&
		    irq->line < ISA_LINES && is_isa[irq->bus])
			override_init(irq);
	}
}
