/* What drivers of buses want to know from the DSDT: ACPI 6.4, 5.2.9 (where it is) and 5.2.11.1. */
#include "kernel/dev/firmware/acpi.h"
#include "kernel/dev/firmware/aml.h"
#include "kernel/dev/firmware/dsdt.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/dev/firmware/table.h"
#include "lib/string.h"
#include "lib/util.h"

const uint8_t *dsdt_code(size_t *len)
{
	const struct acpi_header *header = acpi_find("FACP"), *dsdt;
	struct acpi_fadt fadt = { 0 };
	uint64_t pa;

	if (!header)
		return NULL;
	memcpy(&fadt, header, MIN((size_t)header->length, sizeof(fadt)));
	pa = fadt.x_dsdt ? fadt.x_dsdt : fadt.dsdt;
	dsdt = pa ? acpi_table_at(pa, "DSDT") : NULL;
	if (!dsdt)
		return NULL;
	*len = dsdt->length - sizeof(*dsdt);
	return (const uint8_t *)(dsdt + 1);
}

unsigned firmware_pci_windows(struct firmware_window *out, unsigned max)
{
	size_t len;
	const uint8_t *code = dsdt_code(&len);
	unsigned n = code ? aml_pci_windows(code, len, out, max) : 0;
	unsigned nr_kept = 0;

	for (unsigned i = 0; i < n; i++)
		if (table_is_device(out[i].base, out[i].len))
			out[nr_kept++] = out[i];
	return nr_kept;
}
