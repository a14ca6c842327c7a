/*
 * ACPI or MP table: who answers. Where the loader named the root of the ACPI tables, ACPI does if it has a MADT. Where it
 * did not, an MP table in low memory does: there it is found with a few dozen looks, by monitors that write no ACPI tables,
 * while a search for ACPI tables that are not there reads 128 KiB. An MP table in a BIOS ROM comes last: it is there
 * beside ACPI tables, and names one CPU of each package.
 */
#include "kernel/dev/firmware/firmware.h"

#include "kernel/dev/firmware/fw_cfg.h"
#include "kernel/dev/firmware/table.h"
#include "lib/cmdline.h"

static enum source {
	SOURCE_UNKNOWN,
	SOURCE_NONE,
	SOURCE_ACPI,
	SOURCE_MP,
} source; /* SOURCE_UNKNOWN until somebody asks */

void firmware_init(const struct bootinfo *bi)
{
	firmware_bootinfo = bi;
}

static enum source source_find(void)
{
	if (firmware_bootinfo->rsdp && acpi_has_madt())
		return SOURCE_ACPI;
	if (mp_find_low())
		return SOURCE_MP;
	if (acpi_has_madt())
		return SOURCE_ACPI;
	return mp_find_rom() ? SOURCE_MP : SOURCE_NONE;
}

static enum source source_get(void)
{
	if (source == SOURCE_UNKNOWN)
		source = source_find();
	return source;
}

bool firmware_has_acpi(void)
{
	return source_get() == SOURCE_ACPI;
}

void firmware_cpus_init(void)
{
	/* QEMU says without any table that there is nobody to look for. */
	if (fw_cfg_nr_cpus() == 1)
		return;
	if (source_get() == SOURCE_ACPI)
		acpi_cpus_init();
	else if (source == SOURCE_MP)
		mp_cpus_init();
}

void firmware_isa_overrides_init(void)
{
	if (source_get() == SOURCE_ACPI)
		acpi_isa_overrides_init();
	else if (source == SOURCE_MP)
		mp_isa_overrides_init();
}

unsigned firmware_ioapics(struct firmware_ioapic *out, unsigned max)
{
	char unused[8];

	if (cmdline_get(firmware_bootinfo->cmdline, "noapic", unused, sizeof(unused)))
		return 0;
	if (source_get() == SOURCE_ACPI)
		return acpi_ioapics(out, max);
	return source == SOURCE_MP ? mp_ioapics(out, max) : 0;
}

bool firmware_has_pic(void)
{
	return source_get() != SOURCE_ACPI || acpi_has_pic();
}
