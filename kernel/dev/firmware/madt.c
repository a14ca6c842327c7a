/* CPUs, IOAPICs and the routing of ISA lines from the MADT (ACPI 6.4, 5.2.12). */
#include "kernel/core/cpu.h"
#include "kernel/core/irq.h"
#include "kernel/core/log.h"
#include "kernel/dev/firmware/acpi.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/dev/firmware/table.h"
#include "lib/errno.h"
#include "lib/util.h"

/* Bounds the work that a hostile table can ask for; real ones have 16 bytes for each CPU. */
#define MADT_MAX (64u << 10)

static struct {
	const struct acpi_madt *table; /* NULL: there is none */
	unsigned len;		       /* up to the first broken entry */
	bool is_known;
} madt;

bool acpi_has_madt(void)
{
	if (!madt.is_known) {
		const struct acpi_madt *table = (const struct acpi_madt *)acpi_find("APIC");

		madt.is_known = true;
		if (table && table->header.length >= sizeof(*table)) {
			madt.table = table;
			madt.len = MIN(table->header.length, MADT_MAX);
		}
	}
	return madt.table;
}

/*
 * The entry at *OFF, which it then moves past it; *OFF 0 is the first. NULL at the end. An entry that reaches out of the
 * table, or is too short for its type, ends the table for good.
 */
static const struct madt_entry *madt_next(unsigned *off)
{
	static const uint8_t len_min[] = {
		[MADT_LOCAL_APIC] = sizeof(struct madt_local_apic),
		[MADT_IOAPIC] = sizeof(struct madt_ioapic),
		[MADT_OVERRIDE] = sizeof(struct madt_override),
		[MADT_LOCAL_X2APIC] = sizeof(struct madt_local_x2apic),
	};
	const struct madt_entry *entry;
	unsigned at = *off ? *off : sizeof(*madt.table), room = madt.len - at;

	if (room < sizeof(*entry))
		return NULL;
	entry = (const struct madt_entry *)((const uint8_t *)madt.table + at);
	if (entry->length < sizeof(*entry) || entry->length > room ||
	    (entry->type < ARRAY_SIZE(len_min) && entry->length < len_min[entry->type])) {
		log_warn("acpi: table APIC: entry of type %u at offset %u has %u bytes: ignoring what follows",
			 entry->type, at, entry->length);
		madt.len = at;
		return NULL;
	}
	*off = at + entry->length;
	return entry;
}

void acpi_cpus_init(void)
{
	const struct madt_entry *entry;
	int err = 0;

	for (unsigned off = 0; err != -ENOSPC && (entry = madt_next(&off));) {
		uint32_t id, flags;

		if (entry->type == MADT_LOCAL_APIC) {
			id = ((const struct madt_local_apic *)entry)->apic_id;
			flags = ((const struct madt_local_apic *)entry)->flags;
		} else if (entry->type == MADT_LOCAL_X2APIC) {
			id = ((const struct madt_local_x2apic *)entry)->x2apic_id;
			flags = ((const struct madt_local_x2apic *)entry)->flags;
		} else {
			continue;
		}
		/* The boot CPU is in the table too, and a CPU may be there twice, in both forms: -EEXIST. */
		if (flags & MADT_CPU_ENABLED)
			err = cpu_register(id);
	}
	if (err == -ENOSPC)
		log_warn("acpi: more than %d CPUs: the others stay off", CPU_MAX);
}

/* Bits 0-1 polarity, 2-3 trigger mode; 0 is what the bus has, which for ISA is active high, edge (table 5-26). */
static void override_init(const struct madt_override *o)
{
	unsigned flags = 0;

	if ((o->flags & 3) == 3)
		flags |= IRQ_ACTIVE_LOW;
	if ((o->flags >> 2 & 3) == 3)
		flags |= IRQ_LEVEL;
	if (o->bus || irq_isa_override(o->source, o->gsi, flags))
		log_warn("acpi: table APIC: override of bus %u line %u to GSI %u: ignored", o->bus, o->source, o->gsi);
}

void acpi_isa_overrides_init(void)
{
	const struct madt_entry *entry;

	for (unsigned off = 0; (entry = madt_next(&off));) {
		if (entry->type == MADT_OVERRIDE)
			override_init((const struct madt_override *)entry);
	}
}

unsigned acpi_ioapics(struct firmware_ioapic *out, unsigned max)
{
	const struct madt_entry *entry;
	unsigned nr = 0;

	for (unsigned off = 0; nr < max && (entry = madt_next(&off));) {
		const struct madt_ioapic *ioapic = (const struct madt_ioapic *)entry;

		if (entry->type != MADT_IOAPIC)
			continue;
		if (table_is_device(ioapic->address, PAGE_SIZE))
			out[nr++] = (struct firmware_ioapic){ ioapic->address, ioapic->gsi_base, ioapic->id };
		else
			log_warn("acpi: table APIC: IOAPIC %u at 0x%x, which is memory: ignored", ioapic->id,
				 ioapic->address);
	}
	return nr;
}

bool acpi_has_pic(void)
{
	return madt.table->flags & MADT_PCAT_COMPAT;
}
