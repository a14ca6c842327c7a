/*
 * The root of the ACPI tables, and tables by name. A table is looked up and checked when it is asked for, so an image that
 * asks for none reads none.
 */
#ifndef KERNEL_DEV_FIRMWARE_ACPI_H
#define KERNEL_DEV_FIRMWARE_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/dev/firmware/acpi_reg.h"

/* No table is believed to be longer. */
#define ACPI_TABLE_MAX (4u << 20)

/*
 * The table with the 4 bytes of SIGNATURE, length and checksum sound, header.length bytes readable for good. NULL when
 * there is none, or after a log line when there is only a broken one.
 */
const struct acpi_header *acpi_find(const char *signature);

/* As acpi_find, for a table at a known address (the DSDT). */
const struct acpi_header *acpi_table_at(uint64_t pa, const char *signature);

/* A register of the fixed hardware that can be reached: address 0 when it is not there. */
struct acpi_register {
	uint64_t address;
	bool is_port; /* I/O port, else memory */
};

/* What a way out of the machine needs to know, from FADT and DSDT. */
struct acpi_power {
	bool can_sleep;			    /* S5 is known: sleep_type_*, and pm1a or sleep_control */
	uint8_t sleep_type_a, sleep_type_b; /* SLP_TYP of \_S5 (ACPI 6.4, 7.4.2.6) */
	struct acpi_register pm1a, pm1b;    /* control registers, 16 bits (4.8.3.2.1) */
	struct acpi_register sleep_control; /* of hardware-reduced ACPI, 8 bits (4.8.3.7) */
	uint16_t smi_command;		    /* port that turns ACPI mode on, 0: it is on for good (4.8.2.5) */
	uint8_t acpi_enable;		    /* what to write there */
	struct acpi_register reset;	    /* 8 bits (4.8.3.6) */
	uint8_t reset_value;
};
/* False when there is no FADT. Any context. */
bool acpi_power(struct acpi_power *out);

#endif
