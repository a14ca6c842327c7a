/* The small tables that name one device each: HPET and MCFG. */
#include "kernel/core/log.h"
#include "kernel/dev/firmware/acpi.h"
#include "kernel/dev/firmware/dsdt.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/dev/firmware/table.h"
#include "lib/util.h"

uint64_t firmware_hpet(void)
{
	const struct acpi_hpet *hpet = (const struct acpi_hpet *)acpi_find("HPET");

	if (!hpet)
		return 0;
	if (hpet->header.length < sizeof(*hpet) || hpet->base.space != ACPI_SPACE_MEMORY ||
	    !table_is_device(hpet->base.address, KIB(1))) {
		log_warn("acpi: table HPET: no register block at offset %zu: ignored",
			 offsetof(struct acpi_hpet, base));
		return 0;
	}
	return hpet->base.address;
}

static bool mcfg_is_sound(const struct firmware_mcfg *e)
{
	uint64_t first = e->base + ((uint64_t)e->bus_first << 20);

	return e->bus_first <= e->bus_last && IS_ALIGNED(e->base, MIB(1)) && first >= e->base &&
	       table_is_device(first, (uint64_t)(e->bus_last - e->bus_first + 1) << 20);
}

/* A machine without the table (QEMU's microvm) may say it in the DSDT. */
static unsigned mcfg_from_dsdt(struct firmware_mcfg *out, unsigned max)
{
	return max > 0 && dsdt_ecam(out) && mcfg_is_sound(out) ? 1 : 0;
}

unsigned firmware_mcfg(struct firmware_mcfg *out, unsigned max)
{
	const struct acpi_mcfg *mcfg = (const struct acpi_mcfg *)acpi_find("MCFG");
	unsigned nr = 0;

	if (!mcfg)
		return mcfg_from_dsdt(out, max);
	for (size_t off = sizeof(*mcfg); nr < max && off + sizeof(struct acpi_mcfg_entry) <= mcfg->header.length;
	     off += sizeof(struct acpi_mcfg_entry)) {
		const struct acpi_mcfg_entry *e = (const void *)((const uint8_t *)mcfg + off);

		out[nr] = (struct firmware_mcfg){ e->base, e->segment, e->bus_first, e->bus_last };
		if (mcfg_is_sound(&out[nr]))
			nr++;
		else
			log_warn("acpi: table MCFG: segment %u at offset %zu is not device memory: ignored", e->segment,
				 off);
	}
	return nr;
}
