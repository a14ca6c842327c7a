/* MP tables, real ones and hostile ones, and which of MP table and ACPI answers. */
#include "test/unit/physmem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Here for their state, which every test wants fresh. */
#include "kernel/dev/firmware/firmware.c"
#include "kernel/dev/firmware/mptable.c"

static struct bootinfo bi;
static uint32_t cpu_ids[CPU_MAX];
static unsigned nr_cpu_ids, cpu_room;
static unsigned override_gsi[16], override_flags[16], nr_overrides;
static bool acpi_there;
static unsigned acpi_asked;

int cpu_register(uint32_t apic_id)
{
	if (nr_cpu_ids == cpu_room)
		return -ENOSPC;
	cpu_ids[nr_cpu_ids++] = apic_id;
	return 0;
}

int irq_isa_override(unsigned isa, unsigned gsi, unsigned flags)
{
	assert_in_range(isa, 0, 15);
	override_gsi[isa] = gsi;
	override_flags[isa] = flags;
	nr_overrides++;
	return 0;
}

bool acpi_has_madt(void)
{
	acpi_asked++;
	return acpi_there;
}

void acpi_cpus_init(void)
{
	cpu_register(100);
}

void acpi_isa_overrides_init(void)
{
	irq_isa_override(1, 100, 0);
}

unsigned acpi_ioapics(struct firmware_ioapic *out, unsigned max)
{
	(void)out, (void)max;
	return 100;
}

bool acpi_has_pic(void)
{
	return false;
}

static void begin(void)
{
	memset(&mp, 0, sizeof(mp));
	source = SOURCE_UNKNOWN;
	nr_cpu_ids = nr_overrides = acpi_asked = 0;
	acpi_there = false;
	cpu_room = CPU_MAX;
	shim_log_text[0] = '\0';
}

static int setup(void **state)
{
	(void)state;
	physmem_reset();
	memset(&bi, 0, sizeof(bi));
	bi.mem[0] = (struct mem_range){ 0x1000, 0x9e000, MEM_RAM };
	bi.mem[1] = (struct mem_range){ 0x100000, 0x7f00000, MEM_RAM };
	bi.nr_mem = 2;
	firmware_init(&bi);
	begin();
	return 0;
}

/* As QEMU 7.2's qboot and SeaBIOS leave it. */
static void check_qemu(const char *path, unsigned n_cpus)
{
	struct firmware_ioapic ioapic = { 0 };
	size_t len;
	uint8_t *data = physmem_file(path, &len);

	setup(NULL);
	physmem_load(data + 1, len - 1);
	free(data);
	firmware_cpus_init();
	assert_int_equal(nr_cpu_ids, n_cpus);
	assert_int_equal(cpu_ids[n_cpus - 1], n_cpus - 1);
	assert_int_equal(firmware_ioapics(&ioapic, 1), 1);
	assert_int_equal(ioapic.address, 0xfec00000);
	firmware_isa_overrides_init();
	assert_int_equal(nr_overrides, 1);
	assert_int_equal(override_gsi[0], 2);
	assert_true(firmware_has_pic());
	assert_int_equal(acpi_asked, strstr(path, "microvm") ? 0 : 1);
	assert_string_equal(shim_log_text, "");
}

static void test_qemu(void **state)
{
	(void)state;
	check_qemu("test/fuzz/seeds/mptable/microvm-noacpi", 2);
	check_qemu("test/fuzz/seeds/mptable/microvm-smp4", 4);
	check_qemu("test/fuzz/seeds/mptable/q35", 1); /* one package of four */
}

enum { TABLE = 0x9f800, EBDA = 0x9fc00 };

static void put_pointer(paddr_t pa, uint32_t table, uint8_t feature)
{
	struct mp_pointer pointer = { "_MP_", table, 1, 4, 0, { feature } };

	pointer.checksum = -table_sum(&pointer, sizeof(pointer));
	physmem_write(pa, &pointer, sizeof(pointer));
}

static void put_mp(const void *entries, size_t len)
{
	uint8_t bytes[2048] = { 0 };
	struct mp_table *table = (void *)bytes;

	memcpy(table->signature, "PCMP", 4);
	table->length = sizeof(*table) + len;
	memcpy(table + 1, entries, len);
	table->checksum = -table_sum(table, table->length);
	physmem_write(TABLE, bytes, table->length);
	put_pointer(EBDA, TABLE, 0);
}

static const uint8_t mixed_entries[] = {
	0,
	3,
	20,
	3,
	[20] = /* CPU 3 */
	0,
	4,
	20,
	0,
	[40] = /* not enabled */
	1,
	0,
	'P',
	'C',
	'I',
	' ',
	' ',
	' ',
	1,
	1,
	'I',
	'S',
	'A',
	' ',
	' ',
	' ',
	2,
	8,
	0x11,
	0,
	0,
	0,
	0xc1,
	0xfe, /* not enabled */
	2,
	9,
	0x11,
	1,
	0,
	0,
	0xc0,
	0xfe,
	3,
	0,
	0,
	0,
	1,
	0,
	9,
	2, /* ISA 0 to pin 2 */
	3,
	0,
	0,
	0,
	1,
	1,
	9,
	1, /* as it is anyway */
	3,
	0,
	0xf,
	0,
	1,
	5,
	9,
	5, /* level, low */
	3,
	0,
	0,
	0,
	0,
	6,
	9,
	7, /* PCI */
	3,
	3,
	0,
	0,
	1,
	7,
	9,
	8, /* ExtINT */
	3,
	0,
	0,
	0,
	1,
	8,
	8,
	9, /* the other IOAPIC */
	3,
	0,
	0,
	0,
	1,
	16,
	9,
	9, /* no ISA line */
	4,
	3,
	0,
	0,
	1,
	0,
	0xff,
	0,
	77,
	0,
	0,
	0,
	0,
	0,
	0,
	0,
};

static void test_entries(void **state)
{
	struct firmware_ioapic ioapic = { 0 };

	(void)state;
	put_mp(mixed_entries, sizeof(mixed_entries));
	firmware_cpus_init();
	assert_int_equal(nr_cpu_ids, 1);
	assert_int_equal(cpu_ids[0], 3);
	assert_non_null(strstr(shim_log_text, "bad entry of type 77 at offset 180"));
	shim_log_text[0] = '\0';
	assert_int_equal(firmware_ioapics(&ioapic, 1), 1);
	assert_int_equal(ioapic.id, 9);
	assert_int_equal(firmware_ioapics(&ioapic, 0), 0);
	firmware_isa_overrides_init();
	assert_int_equal(nr_overrides, 2);
	assert_int_equal(override_gsi[0], 2);
	assert_int_equal(override_flags[5], IRQ_LEVEL | IRQ_ACTIVE_LOW);
	assert_string_equal(shim_log_text, "");
}

static void test_bad_entries(void **state)
{
	struct firmware_ioapic ioapic;

	(void)state;
	/* The IOAPIC in RAM; a CPU that is cut; more CPUs than there is room for. */
	put_mp((uint8_t[]){ 2, 9, 0x11, 1, 0, 0, 0x20, 0, 0, 3, 20, 3 }, 12);
	assert_int_equal(firmware_ioapics(&ioapic, 1), 0);
	assert_non_null(strstr(shim_log_text, "which is memory"));
	firmware_cpus_init();
	assert_int_equal(nr_cpu_ids, 0);
	begin();
	cpu_room = 0;
	put_mp((uint8_t[20]){ 0, 3, 20, 3 }, 20);
	firmware_cpus_init();
	assert_non_null(strstr(shim_log_text, "the others stay off"));
}

static void test_broken(void **state)
{
	static const uint32_t places[] = { 0x100000, 0x13ffff, 0x8000000 - 20, 0xfec00000, UINT32_MAX - 3 };

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		begin();
		put_pointer(EBDA, places[i], 0);
		firmware_cpus_init();
		assert_int_equal(nr_cpu_ids, 0);
		assert_non_null(strstr(shim_log_text, "outside of memory"));
	}
	begin();
	put_pointer(EBDA, 0x8000, 0);
	firmware_cpus_init();
	assert_non_null(strstr(shim_log_text, "wrong signature"));
	begin();
	put_mp("", 0);
	physmem_write(TABLE + 4, "\x2b\0", 2);
	firmware_cpus_init();
	assert_non_null(strstr(shim_log_text, "bad length at offset 4"));
	begin();
	put_mp("", 0);
	physmem_write(TABLE + 20, "x", 1);
	firmware_cpus_init();
	assert_non_null(strstr(shim_log_text, "bad checksum at offset 7"));
	assert_int_equal(nr_cpu_ids, 0);
}

static void test_default_configuration(void **state)
{
	struct firmware_ioapic ioapic = { 0 };

	(void)state;
	put_pointer(0xffff0, 0, 5);
	physmem_write(0xf0000, "_MP_ is not one", 16);
	firmware_cpus_init();
	assert_int_equal(nr_cpu_ids, 2);
	assert_int_equal(firmware_ioapics(&ioapic, 1), 1);
	assert_int_equal(ioapic.address, 0xfec00000);
	firmware_isa_overrides_init();
	assert_int_equal(override_gsi[0], 2);
	begin();
	put_pointer(0xffff0, 0, 0);
	firmware_cpus_init();
	assert_int_equal(nr_cpu_ids, 0);
}

static void test_who_answers(void **state)
{
	struct firmware_ioapic ioapic = { 0 };

	(void)state;
	/* Nobody. */
	firmware_cpus_init();
	firmware_isa_overrides_init();
	assert_int_equal(firmware_ioapics(&ioapic, 1), 0);
	assert_true(firmware_has_pic());
	assert_int_equal(nr_cpu_ids + nr_overrides, 0);
	/* ACPI, found by a search, where there is no MP table. */
	begin();
	acpi_there = true;
	firmware_cpus_init();
	assert_int_equal(cpu_ids[0], 100);
	assert_int_equal(firmware_ioapics(&ioapic, 1), 100);
	assert_false(firmware_has_pic());
	/* Both: ACPI where the loader told of it or the MP table is in ROM, else the MP table. */
	begin();
	put_pointer(0xf0000, 0, 5);
	acpi_there = true;
	firmware_cpus_init();
	assert_int_equal(cpu_ids[0], 100);
	begin();
	put_mp((uint8_t[20]){ 0, 3, 20, 3 }, 20);
	acpi_there = true;
	firmware_cpus_init();
	assert_int_equal(cpu_ids[0], 3);
	begin();
	acpi_there = true;
	bi.rsdp = 0xe0000;
	firmware_cpus_init();
	firmware_isa_overrides_init();
	assert_int_equal(cpu_ids[0], 100);
	assert_int_equal(override_gsi[1], 100);
	/* A loader that told of ACPI tables that are broken. */
	begin();
	firmware_cpus_init();
	assert_int_equal(cpu_ids[0], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_qemu, setup),
		cmocka_unit_test_setup(test_entries, setup),
		cmocka_unit_test_setup(test_bad_entries, setup),
		cmocka_unit_test_setup(test_broken, setup),
		cmocka_unit_test_setup(test_default_configuration, setup),
		cmocka_unit_test_setup(test_who_answers, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
