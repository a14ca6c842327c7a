/*
 * The MP table. Input: a byte of flags (2: make the checksums right first), then records of physical memory, of which the
 * first is the floating pointer and the second the table (test/unit/physmem.h).
 */
#include <stdlib.h>
#include <string.h>

#include "test/unit/physmem.h"

/* Here for its state. */
#include "kernel/dev/firmware/mptable.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct bootinfo bi = {
	.mem = { { 0x1000, 0x9e000, MEM_RAM }, { 0x100000, 0x7f00000, MEM_RAM } },
	.nr_mem = 2,
};

int cpu_register(uint32_t apic_id)
{
	return apic_id < 256 ? 0 : -EEXIST;
}

int irq_isa_override(unsigned isa, unsigned gsi, unsigned flags)
{
	(void)gsi, (void)flags;
	if (isa >= 16)
		abort();
	return 0;
}

static void fix_sums(paddr_t at)
{
	uint8_t bytes[1 << 16];
	struct mp_pointer pointer;
	uint16_t len;

	if (!at || at > PHYSMEM_SIZE - sizeof(pointer))
		return;
	physmem_write(at + 10, "", 1);
	physmem_read(&pointer, at, sizeof(pointer));
	pointer.checksum = (uint8_t)-table_sum(&pointer, sizeof(pointer));
	physmem_write(at + 10, &pointer.checksum, 1);
	if (pointer.table > PHYSMEM_SIZE - sizeof(bytes))
		return;
	physmem_read(&len, pointer.table + 4, 2);
	physmem_write(pointer.table + 7, "", 1);
	physmem_read(bytes, pointer.table, len);
	bytes[0] = (uint8_t)-table_sum(bytes, len);
	physmem_write(pointer.table + 7, bytes, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct firmware_ioapic ioapics[2];
	paddr_t first;

	if (!len)
		return 0;
	physmem_reset();
	memset(&mp, 0, sizeof(mp));
	first = physmem_load(data + 1, len - 1);
	if (data[0] & 2)
		fix_sums(first);
	firmware_bootinfo = &bi;
	if (mp_find_low() || mp_find_rom()) {
		mp_cpus_init();
		mp_isa_overrides_init();
		if (mp_ioapics(ioapics, 2) > 2)
			abort();
	}
	return 0;
}
