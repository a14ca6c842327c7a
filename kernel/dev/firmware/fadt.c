/* The fixed hardware of ACPI: PM timer, and the registers that end the machine (ACPI 6.4, 5.2.9 and 4.8). */
#include "kernel/core/log.h"
#include "kernel/dev/firmware/acpi.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/dev/firmware/table.h"
#include "lib/string.h"
#include "lib/util.h"

/* Fields that an older, shorter FADT does not have read as 0. */
static bool fadt_read(struct acpi_fadt *out)
{
	const struct acpi_header *table = acpi_find("FACP");

	memset(out, 0, sizeof(*out));
	if (!table)
		return false;
	memcpy(out, table, MIN((size_t)table->length, sizeof(*out)));
	return true;
}

/* A register of LEN bytes; the zero register where it is neither at a port nor in device memory. */
static struct acpi_register register_at(const struct acpi_gas *gas, unsigned len)
{
	if (gas->space == ACPI_SPACE_IO && gas->address && gas->address <= 0x10000 - len)
		return (struct acpi_register){ gas->address, true };
	if (gas->space == ACPI_SPACE_MEMORY && table_is_device(gas->address, len))
		return (struct acpi_register){ gas->address, false };
	return (struct acpi_register){ 0, false };
}

/* The 64-bit field rules where it is not zero, else the port in the 32-bit one (5.2.9, "X_PM1a_CNT_BLK"). */
static struct acpi_register block_at(const struct acpi_gas *x, uint32_t port, unsigned len)
{
	const struct acpi_gas old = { .space = ACPI_SPACE_IO, .address = port };

	return register_at(x->address ? x : &old, len);
}

bool firmware_pm_timer(struct firmware_pm_timer *out)
{
	struct acpi_fadt fadt;
	struct acpi_register timer;

	if (!fadt_read(&fadt) || (fadt.flags & FADT_HARDWARE_REDUCED))
		return false;
	timer = block_at(&fadt.x_pm_timer, fadt.pm_timer, 4);
	out->address = timer.address;
	out->is_port = timer.is_port;
	out->bits = fadt.flags & FADT_TIMER_32BIT ? 32 : 24;
	return timer.address;
}

/*
 * One integer of a package (ACPI 6.4, 20.2.3): its value in *VALUE, what follows it returned. NULL when it is no constant of
 * at most 3 bits, as SLP_TYP is, or does not end before END.
 */
static const uint8_t *aml_sleep_type(const uint8_t *p, const uint8_t *end, uint8_t *value)
{
	static const uint8_t size[] = { [0x0a] = 1, [0x0b] = 2, [0x0c] = 4 }; /* BytePrefix, WordPrefix, DWordPrefix */
	size_t len;

	if (p >= end)
		return NULL;
	if (*p <= 1) { /* ZeroOp, OneOp */
		*value = *p;
		return p + 1;
	}
	len = *p < ARRAY_SIZE(size) ? size[*p] : 0;
	if (!len || len >= (size_t)(end - p) || p[1] > 7)
		return NULL;
	*value = p[1];
	return p + 1 + len;
}

/* P follows the name _S5_: PackageOp, PkgLength of 1 to 4 bytes, NumElements, elements (20.2.5.4, 20.2.4). */
static bool aml_sleep_package(const uint8_t *p, const uint8_t *end, struct acpi_power *out)
{
	size_t head;

	if (end - p < 2 || p[0] != 0x12)
		return false;
	head = 2 + (p[1] >> 6);
	if ((size_t)(end - p) <= head || p[head] < 1)
		return false;
	out->sleep_type_b = 0;
	if (p[head] == 1)
		return aml_sleep_type(p + head + 1, end, &out->sleep_type_a);
	p = aml_sleep_type(p + head + 1, end, &out->sleep_type_a);
	return p && aml_sleep_type(p, end, &out->sleep_type_b);
}

/*
 * Looks for Name(_S5_, Package(){...}) in the bytes of the DSDT. There is no interpreter here, and none is needed: the
 * object is a constant on every machine that has it at all (7.4.2 asks for a package of integers).
 */
static bool aml_find_s5(const uint8_t *aml, size_t len, struct acpi_power *out)
{
	const uint8_t *p = aml + 1, *end = aml + len;

	while (end - p > 4 && (p = memchr(p, '_', (size_t)(end - p - 4)))) {
		bool is_name = p[-1] == 0x08 || (p[-1] == '\\' && p - aml >= 2 && p[-2] == 0x08); /* NameOp */

		if (is_name && table_is(p, "_S5_") && aml_sleep_package(p + 4, end, out))
			return true;
		p++;
	}
	return false;
}

static void sleep_read(const struct acpi_fadt *fadt, struct acpi_power *out)
{
	uint64_t pa = fadt->x_dsdt ? fadt->x_dsdt : fadt->dsdt;
	const struct acpi_header *dsdt = pa ? acpi_table_at(pa, "DSDT") : NULL;

	if (fadt->flags & FADT_HARDWARE_REDUCED) {
		out->sleep_control = register_at(&fadt->sleep_control, 1);
	} else {
		out->pm1a = block_at(&fadt->x_pm1a_control, fadt->pm1a_control, 2);
		out->pm1b = block_at(&fadt->x_pm1b_control, fadt->pm1b_control, 2);
		if (fadt->smi_command && fadt->smi_command <= 0xffff) {
			out->smi_command = (uint16_t)fadt->smi_command;
			out->acpi_enable = fadt->acpi_enable;
		}
	}
	if (!dsdt || !(out->sleep_control.address || out->pm1a.address))
		return;
	out->can_sleep = aml_find_s5((const uint8_t *)(dsdt + 1), dsdt->length - (uint32_t)sizeof(*dsdt), out);
	if (!out->can_sleep)
		log_warn("acpi: table DSDT at 0x%llx: no \\_S5: no power-off", (unsigned long long)pa);
}

bool acpi_power(struct acpi_power *out)
{
	struct acpi_fadt fadt;

	memset(out, 0, sizeof(*out));
	if (!fadt_read(&fadt))
		return false;
	if (fadt.flags & FADT_RESET_SUPPORTED) {
		out->reset = register_at(&fadt.reset, 1);
		out->reset_value = fadt.reset_value;
	}
	sleep_read(&fadt, out);
	return true;
}
