/*
 * What ACPI and MP tables share: reading them where they may be, summing them, looking for their signatures. Private to
 * kernel/dev/firmware.
 */
#ifndef KERNEL_DEV_FIRMWARE_TABLE_H
#define KERNEL_DEV_FIRMWARE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/boot/bootinfo.h"
#include "kernel/boot/phys.h"

/* What firmware_init got. */
extern const struct bootinfo *firmware_bootinfo;

/*
 * As phys_window, but only where a table can be: below 1 MiB, or in memory that the boot loader's map names, whatever its
 * type. A pointer to anywhere else gives NULL: reading device registers may have effects.
 */
const void *table_window(paddr_t pa, size_t len);

/* True when device registers may be at [PA, PA+LEN): not 0, addressable, not in RAM (so not in the kernel either). */
bool table_is_device(paddr_t pa, size_t len);

/* Sum of all bytes modulo 256: 0 for a sound table. */
uint8_t table_sum(const void *table, size_t len);

/* First multiple of 16 bytes from P on, before END, that begins with the 4 bytes of SIGNATURE; NULL when there is none. */
const uint8_t *table_scan(const uint8_t *p, const uint8_t *end, const char *signature);

/* True when the 4 bytes at P are SIGNATURE. */
static inline bool table_is(const void *p, const char *signature)
{
	uint32_t a, b;

	__builtin_memcpy(&a, p, sizeof(a));
	__builtin_memcpy(&b, signature, sizeof(b));
	return a == b;
}

/* Physical address of the extended BIOS data area, from the BIOS data area's word at 0x40e; 0 when there is none. */
paddr_t table_ebda(void);

/* Which of the two answers: firmware.c decides, once. An MP table is looked for in low memory, or in the BIOS ROM. */
bool acpi_has_madt(void);
bool mp_find_low(void);
bool mp_find_rom(void);

/* Each answers as the function of firmware.h after which it is named; one of the three above was true. */
struct firmware_ioapic;
void acpi_cpus_init(void);
void acpi_isa_overrides_init(void);
unsigned acpi_ioapics(struct firmware_ioapic *out, unsigned max);
bool acpi_has_pic(void);
void mp_cpus_init(void);
void mp_isa_overrides_init(void);
unsigned mp_ioapics(struct firmware_ioapic *out, unsigned max);

#endif
