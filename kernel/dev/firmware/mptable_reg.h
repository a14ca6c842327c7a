/* Layouts of the Intel MultiProcessor Specification 1.4, chapter 4. Little endian, packed, aligned to nothing. */
#ifndef KERNEL_DEV_FIRMWARE_MPTABLE_REG_H
#define KERNEL_DEV_FIRMWARE_MPTABLE_REG_H

#include <stdint.h>

#define MP_PACKED __attribute__((packed))

/* 4.1, floating pointer structure */
struct mp_pointer {
	char signature[4]; /* "_MP_" */
	uint32_t table;	   /* 0: no table, but the default configuration of feature[0] */
	uint8_t length;	   /* in units of 16 bytes: 1 */
	uint8_t revision, checksum, feature[5];
} MP_PACKED;

/* 4.2, configuration table header; entries follow */
struct mp_table {
	char signature[4]; /* "PCMP" */
	uint16_t length;   /* of header and entries */
	uint8_t revision, checksum;
	char oem_id[8], product_id[12];
	uint32_t oem_table;
	uint16_t oem_table_len, nr_entries;
	uint32_t local_apic;
	uint16_t extended_len;
	uint8_t extended_checksum, reserved;
} MP_PACKED;

enum mp_type {
	MP_CPU = 0,
	MP_BUS = 1,
	MP_IOAPIC = 2,
	MP_IO_INTERRUPT = 3,
	MP_LOCAL_INTERRUPT = 4,
};
/* 4.3.1 */
struct mp_cpu {
	uint8_t type, apic_id, apic_version, flags;
	uint32_t signature, features, reserved[2];
} MP_PACKED;
#define MP_CPU_ENABLED 1u
/* 4.3.2 */
struct mp_bus {
	uint8_t type, id;
	char name[6];
} MP_PACKED;
/* 4.3.3 */
struct mp_ioapic {
	uint8_t type, id, version, flags;
	uint32_t address;
} MP_PACKED;
#define MP_IOAPIC_ENABLED 1u
/* 4.3.4 */
struct mp_interrupt {
	uint8_t type, kind;
	uint16_t flags;
	uint8_t bus, line, ioapic, pin;
} MP_PACKED;
#define MP_KIND_VECTORED 0

#endif
