/*
 * Every question that a driver asks of the ACPI tables. Input: a byte of flags (1: tell where the first record is, as a
 * loader tells the RSDP; 2: make the checksums right first), then records of physical memory (test/unit/physmem.h).
 */
#include <stdlib.h>
#include <string.h>

#include "test/unit/physmem.h"

/* Here for their state. */
#include "kernel/dev/firmware/acpi.c"
#include "kernel/dev/firmware/madt.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct bootinfo bi = {
	.mem = {
		{ 0x1000, 0x9e000, MEM_RAM },
		{ 0xf0000, 0x10000, MEM_RESERVED },
		{ 0x100000, 0x7ee0000, MEM_RAM },
		{ 0x7fe0000, 0x20000, MEM_RESERVED },
	},
	.nr_mem = 4,
};

int cpu_register(uint32_t apic_id)
{
	(void)apic_id;
	return 0;
}

int irq_isa_override(unsigned isa, unsigned gsi, unsigned flags)
{
	(void)gsi, (void)flags;
	return isa < 16 ? 0 : -EINVAL;
}

/* Sets the byte at CHECKSUM so that the LEN bytes at PA sum to 0. */
static void fix_sum(paddr_t pa, uint32_t len, paddr_t checksum)
{
	static uint8_t bytes[1 << 16];

	if (len > sizeof(bytes) || pa >= PHYSMEM_SIZE - sizeof(bytes))
		return;
	physmem_write(checksum, "", 1);
	physmem_read(bytes, pa, len);
	bytes[0] = (uint8_t)-table_sum(bytes, len);
	physmem_write(checksum, bytes, 1);
}

static void fix_table(paddr_t pa)
{
	uint32_t len = 0;

	if (pa < PHYSMEM_SIZE - 8)
		physmem_read(&len, pa + 4, 4);
	fix_sum(pa, len, pa + 9);
}

/* Follows the pointers as a reader would, with no care for more than this memory's bounds. */
static void fix_tables(paddr_t rsdp_pa)
{
	struct acpi_rsdp rsdp;
	struct acpi_header header;
	struct acpi_fadt fadt;
	bool wide;
	paddr_t table;

	physmem_read(&rsdp, rsdp_pa, sizeof(rsdp));
	wide = rsdp.revision >= 2 && rsdp.xsdt;
	table = wide ? rsdp.xsdt : rsdp.rsdt;
	if (table < PHYSMEM_SIZE - sizeof(header)) {
		physmem_read(&header, table, sizeof(header));
		for (uint32_t off = sizeof(header); off + 8 <= header.length && off < 256; off += wide ? 8 : 4) {
			uint64_t entry = 0;

			if (table + off < PHYSMEM_SIZE - 8)
				physmem_read(&entry, table + off, wide ? 8 : 4);
			fix_table(entry);
			if (entry >= PHYSMEM_SIZE - sizeof(fadt))
				continue;
			physmem_read(&fadt, entry, sizeof(fadt));
			if (table_is(fadt.header.signature, "FACP"))
				fix_table(fadt.header.length >= 148 && fadt.x_dsdt ? fadt.x_dsdt : fadt.dsdt);
		}
		fix_table(table);
	}
	fix_sum(rsdp_pa, 20, rsdp_pa + 8);
	fix_sum(rsdp_pa, 36, rsdp_pa + 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct firmware_ioapic ioapics[FIRMWARE_IOAPIC_MAX];
	struct firmware_mcfg mcfg[FIRMWARE_MCFG_MAX];
	struct firmware_pm_timer timer;
	struct acpi_power power;
	paddr_t first;

	if (!len)
		return 0;
	physmem_reset();
	memset(&root, 0, sizeof(root));
	memset(&madt, 0, sizeof(madt));
	first = physmem_load(data + 1, len - 1);
	if (data[0] & 2 && first && first < PHYSMEM_SIZE - sizeof(struct acpi_rsdp))
		fix_tables(first);
	bi.rsdp = data[0] & 1 ? first : 0;
	firmware_bootinfo = &bi;
	if (acpi_has_madt()) {
		acpi_cpus_init();
		acpi_isa_overrides_init();
		acpi_has_pic();
		if (acpi_ioapics(ioapics, FIRMWARE_IOAPIC_MAX) > FIRMWARE_IOAPIC_MAX)
			abort();
	}
	firmware_hpet();
	if (firmware_mcfg(mcfg, FIRMWARE_MCFG_MAX) > FIRMWARE_MCFG_MAX)
		abort();
	firmware_pm_timer(&timer);
	if (acpi_power(&power) && power.can_sleep && (power.sleep_type_a > 7 || power.sleep_type_b > 7))
		abort();
	return 0;
}
