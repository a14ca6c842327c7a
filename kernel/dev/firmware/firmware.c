/*
 * ACPI or MP table: who answers. Where the loader named the root of the ACPI tables, ACPI does if it has a MADT. Where it
 * did not, the MP table does if there is one: it is found with a few dozen looks on machines that have it, while a search
 * for ACPI tables that are not there reads 128 KiB.
 */
#include "kernel/dev/firmware/firmware.h"

#include "kernel/dev/firmware/table.h"

enum source {
	SOURCE_UNKNOWN,
	SOURCE_NONE,
	SOURCE_ACPI,
	SOURCE_MP,
};

void firmware_init(const struct bootinfo *bi)
{
	firmware_bootinfo = bi;
}

static enum source source_find(void)
{
	if (firmware_bootinfo->rsdp && acpi_has_madt())
		return SOURCE_ACPI;
	if (mp_is_there())
		return SOURCE_MP;
	return acpi_has_madt() ? SOURCE_ACPI : SOURCE_NONE;
}

static enum source source_get(void)
{
	static enum source source;

	if (source == SOURCE_UNKNOWN)
		source = source_find();
	return source;
}

void firmware_cpus_init(void)
{
	enum source source = source_get();

	if (source == SOURCE_ACPI)
		acpi_cpus_init();
	else if (source == SOURCE_MP)
		mp_cpus_init();
}

void firmware_isa_overrides_init(void)
{
	enum source source = source_get();

	if (source == SOURCE_ACPI)
		acpi_isa_overrides_init();
	else if (source == SOURCE_MP)
		mp_isa_overrides_init();
}

unsigned firmware_ioapics(struct firmware_ioapic *out, unsigned max)
{
	enum source source = source_get();

	if (source == SOURCE_ACPI)
		return acpi_ioapics(out, max);
	return source == SOURCE_MP ? mp_ioapics(out, max) : 0;
}

bool firmware_has_pic(void)
{
	return source_get() != SOURCE_ACPI || acpi_has_pic();
}
