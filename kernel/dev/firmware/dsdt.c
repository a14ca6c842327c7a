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

bool dsdt_ecam(struct firmware_mcfg *out)
{
	size_t len;
	const uint8_t *code = dsdt_code(&len);

	return code && aml_pci_ecam(code, len, out);
}

/* Where devices can be, and not where their configuration space is: the DSDT reserves that with the same descriptors. */
static bool is_free(const struct firmware_window *window, const struct firmware_mcfg *mcfgs, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint64_t base = mcfgs[i].base + ((uint64_t)mcfgs[i].bus_first << 20);
		uint64_t end = mcfgs[i].base + ((uint64_t)mcfgs[i].bus_last + 1) * MIB(1);

		if (window->base < end && base < window->base + window->len)
			return false;
	}
	return table_is_device(window->base, window->len);
}

unsigned firmware_pci_windows(struct firmware_window *out, unsigned max)
{
	struct firmware_mcfg mcfgs[FIRMWARE_MCFG_MAX];
	unsigned nr_mcfgs = firmware_mcfg(mcfgs, ARRAY_SIZE(mcfgs));
	size_t len;
	const uint8_t *code = dsdt_code(&len);
	unsigned n = code ? aml_pci_windows(code, len, out, max) : 0;
	unsigned nr_kept = 0;

	for (unsigned i = 0; i < n; i++)
		if (is_free(&out[i], mcfgs, nr_mcfgs))
			out[nr_kept++] = out[i];
	return nr_kept;
}
