/* Layouts of ACPI tables (ACPI Specification 6.4, chapter 5). Little endian, packed, aligned to nothing. */
#ifndef KERNEL_DEV_FIRMWARE_ACPI_REG_H
#define KERNEL_DEV_FIRMWARE_ACPI_REG_H

#include <stdint.h>

#define ACPI_PACKED __attribute__((packed))

/* 5.2.5.3. The first 20 bytes are ACPI 1.0's and have the first checksum; revision 2 and later have it all. */
struct acpi_rsdp {
	char signature[8]; /* "RSD PTR " */
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} ACPI_PACKED;
#define ACPI_RSDP_V1_SIZE 20

/* 5.2.6 */
struct acpi_header {
	char signature[4];
	uint32_t length; /* of the whole table */
	uint8_t revision, checksum;
	char oem_id[6], oem_table_id[8];
	uint32_t oem_revision, creator_id, creator_revision;
} ACPI_PACKED;

/* 5.2.3.2 Generic Address Structure */
enum acpi_space {
	ACPI_SPACE_MEMORY = 0,
	ACPI_SPACE_IO = 1,
};
struct acpi_gas {
	uint8_t space, bit_width, bit_offset, access_size;
	uint64_t address;
} ACPI_PACKED;

/* 5.2.12 MADT, with the entries that follow it: type, length, and the rest by type */
struct acpi_madt {
	struct acpi_header header;
	uint32_t local_apic, flags;
} ACPI_PACKED;
#define MADT_PCAT_COMPAT 1u

enum madt_type {
	MADT_LOCAL_APIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LOCAL_X2APIC = 9,
};
struct madt_entry {
	uint8_t type, length;
} ACPI_PACKED;
struct madt_local_apic {
	struct madt_entry entry;
	uint8_t processor_uid, apic_id;
	uint32_t flags;
} ACPI_PACKED;
struct madt_ioapic {
	struct madt_entry entry;
	uint8_t id, reserved;
	uint32_t address, gsi_base;
} ACPI_PACKED;
struct madt_override {
	struct madt_entry entry;
	uint8_t bus, source;
	uint32_t gsi;
	uint16_t flags;
} ACPI_PACKED;
struct madt_local_x2apic {
	struct madt_entry entry;
	uint16_t reserved;
	uint32_t x2apic_id, flags, processor_uid;
} ACPI_PACKED;
#define MADT_CPU_ENABLED 1u

/* 5.2.9 */
struct acpi_fadt {
	struct acpi_header header;
	uint32_t facs, dsdt;
	uint8_t reserved_44, preferred_profile;
	uint16_t sci_interrupt;
	uint32_t smi_command;
	uint8_t acpi_enable, acpi_disable, s4bios, pstate_control;
	uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0, gpe1;
	uint8_t pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len, gpe0_len, gpe1_len, gpe1_base, cst;
	uint16_t c2_latency, c3_latency, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alarm, month_alarm, century;
	uint16_t boot_architecture;
	uint8_t reserved_111;
	uint32_t flags;
	struct acpi_gas reset;
	uint8_t reset_value;
	uint16_t arm_boot_architecture;
	uint8_t minor_revision;
	uint64_t x_facs, x_dsdt;
	struct acpi_gas x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control, x_pm_timer;
	struct acpi_gas x_gpe0, x_gpe1;
	struct acpi_gas sleep_control, sleep_status;
} ACPI_PACKED;
_Static_assert(sizeof(struct acpi_fadt) == 268, "FADT without the hypervisor identity");
#define FADT_TIMER_32BIT (1u << 8)
#define FADT_RESET_SUPPORTED (1u << 10)
#define FADT_HARDWARE_REDUCED (1u << 20)

/* IA-PC HPET Specification 1.0a, 3.2.4 */
struct acpi_hpet {
	struct acpi_header header;
	uint32_t event_timer_block_id;
	struct acpi_gas base;
	uint8_t number;
	uint16_t minimum_tick;
	uint8_t page_protection;
} ACPI_PACKED;

/* PCI Firmware Specification 3.3, 4.1.2: header, 8 reserved bytes, then these */
struct acpi_mcfg {
	struct acpi_header header;
	uint64_t reserved;
} ACPI_PACKED;
struct acpi_mcfg_entry {
	uint64_t base;
	uint16_t segment;
	uint8_t bus_first, bus_last;
	uint32_t reserved;
} ACPI_PACKED;

#endif
