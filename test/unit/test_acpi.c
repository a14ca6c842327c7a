/* ACPI tables: those of QEMU's machines (test/fuzz/dump-tables), and what a hostile hypervisor might write. */
#include "test/unit/physmem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Here for their state, which every test wants fresh. */
#include "kernel/dev/firmware/acpi.c"
#include "kernel/dev/firmware/madt.c"

#include "lib/errno.h"

static const struct bootinfo bootinfo_template = {
	.mem = {
		{ 0x1000, 0x9e000, MEM_RAM },
		{ 0xf0000, 0x10000, MEM_RESERVED },
		{ 0x100000, 0x7ee0000, MEM_RAM },
		{ 0x7fe0000, 0x10000, MEM_ACPI },
		{ 0x7ff0000, 0x10000, MEM_RESERVED },
	},
	.nr_mem = 5,
};
static struct bootinfo bi;

static uint32_t cpu_ids[CPU_MAX + 1];
static unsigned nr_cpu_ids, cpu_room;
static unsigned override_gsi[16], override_flags[16], nr_overrides;

int cpu_register(uint32_t apic_id)
{
	for (unsigned i = 0; i < nr_cpu_ids; i++) {
		if (cpu_ids[i] == apic_id)
			return -EEXIST;
	}
	if (nr_cpu_ids == cpu_room)
		return -ENOSPC;
	cpu_ids[nr_cpu_ids++] = apic_id;
	return 0;
}

int irq_isa_override(unsigned isa, unsigned gsi, unsigned flags)
{
	if (isa >= 16)
		return -EINVAL;
	override_gsi[isa] = gsi;
	override_flags[isa] = flags;
	nr_overrides++;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	physmem_reset();
	memset(&root, 0, sizeof(root));
	memset(&madt, 0, sizeof(madt));
	bi = bootinfo_template;
	firmware_bootinfo = &bi;
	nr_cpu_ids = nr_overrides = 0;
	cpu_room = CPU_MAX;
	shim_log_text[0] = '\0';
	return 0;
}

static void load(const char *path, bool tell_rsdp)
{
	size_t len;
	uint8_t *data = physmem_file(path, &len);
	paddr_t rsdp = physmem_load(data + 1, len - 1);

	setup(NULL);
	physmem_load(data + 1, len - 1);
	bi.rsdp = tell_rsdp ? rsdp : 0;
	free(data);
}

/* ---- Synthetic tables ---- */

enum { RSDP = 0xe0000, XSDT = 0xe0100, MADT = 0xe1000, FADT = 0xe2000, DSDT = 0xe3000, OTHER = 0xe4000 };

static void put_table(paddr_t pa, const char *signature, const void *body, size_t len)
{
	uint8_t table[4096] = { 0 };
	struct acpi_header *header = (void *)table;

	memcpy(header->signature, signature, 4);
	header->length = sizeof(*header) + len;
	header->revision = 1;
	memcpy(header + 1, body, len);
	header->checksum = -table_sum(table, header->length);
	physmem_write(pa, table, header->length);
}

static void put_root(const uint64_t *entries, size_t n)
{
	struct acpi_rsdp rsdp = { .signature = "RSD PTR ", .revision = 2, .length = 36, .xsdt = XSDT };

	rsdp.checksum = -table_sum(&rsdp, 20);
	rsdp.extended_checksum = -table_sum(&rsdp, 36);
	physmem_write(RSDP, &rsdp, sizeof(rsdp));
	put_table(XSDT, "XSDT", entries, n * 8);
	bi.rsdp = RSDP;
}

static void poke(paddr_t pa, uint8_t value)
{
	physmem_write(pa, &value, 1);
}

static void put_madt(const void *entries, size_t len)
{
	uint8_t body[3000] = { 0, 0, 0xe0, 0xfe, MADT_PCAT_COMPAT };

	memcpy(body + 8, entries, len);
	put_table(MADT, "APIC", body, 8 + len);
	put_root((uint64_t[]){ MADT }, 1);
}

/* ---- Real machines ---- */

static void test_microvm(void **state)
{
	struct firmware_ioapic ioapics[4] = { 0 };
	struct firmware_mcfg mcfg[4] = { 0 };
	struct firmware_pm_timer timer;
	struct acpi_power power;

	(void)state;
	load("test/fuzz/seeds/acpi/microvm-smp4", true);
	assert_true(acpi_has_madt());
	acpi_cpus_init();
	assert_int_equal(nr_cpu_ids, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(cpu_ids[i], i);
	assert_int_equal(acpi_ioapics(ioapics, 4), 2);
	assert_int_equal(ioapics[0].address, 0xfec00000);
	assert_int_equal(ioapics[0].gsi_base, 0);
	assert_int_equal(ioapics[1].gsi_base, 24);
	acpi_isa_overrides_init();
	assert_int_equal(firmware_hpet(), 0);
	assert_int_equal(firmware_mcfg(mcfg, 4), 0);
	assert_false(firmware_pm_timer(&timer));
	assert_true(acpi_power(&power));
	assert_true(power.can_sleep);
	assert_int_equal(power.sleep_type_a, 5);
	assert_int_equal(power.sleep_control.address, 0xfea00200);
	assert_false(power.sleep_control.is_port);
	assert_int_equal(power.reset.address, 0xfea00202);
	assert_int_equal(power.reset_value, 0x42);
	assert_string_equal(shim_log_text, "");
}

static void check_pc(const char *path, unsigned n_cpus, unsigned pm_base, bool has_reset, bool has_mcfg)
{
	struct firmware_ioapic ioapics[4] = { 0 };
	struct firmware_mcfg mcfg[4] = { 0 };
	struct firmware_pm_timer timer;
	struct acpi_power power;

	load(path, true);
	assert_true(acpi_has_madt());
	assert_true(acpi_has_pic());
	acpi_cpus_init();
	assert_int_equal(nr_cpu_ids, n_cpus);
	assert_int_equal(acpi_ioapics(ioapics, 4), 1);
	acpi_isa_overrides_init();
	assert_int_equal(nr_overrides, 5);
	assert_int_equal(override_gsi[0], 2);
	assert_int_equal(override_flags[0], 0);
	assert_int_equal(override_gsi[9], 9);
	assert_int_equal(override_flags[9], IRQ_LEVEL);
	assert_int_equal(firmware_hpet(), 0xfed00000);
	assert_int_equal(firmware_mcfg(mcfg, 4), has_mcfg);
	if (has_mcfg) {
		assert_int_equal(mcfg[0].base, 0xb0000000);
		assert_int_equal(mcfg[0].bus_last, 255);
	}
	assert_true(firmware_pm_timer(&timer));
	assert_true(timer.is_port);
	assert_int_equal(timer.address, pm_base + 8);
	assert_int_equal(timer.bits, 24);
	assert_true(acpi_power(&power));
	assert_true(power.can_sleep);
	assert_int_equal(power.sleep_type_a, 0);
	assert_int_equal(power.pm1a.address, pm_base + 4);
	assert_int_equal(power.pm1b.address, 0);
	assert_int_equal(power.smi_command, 0xb2);
	assert_int_equal(power.reset.address, has_reset ? 0xcf9 : 0);
	assert_string_equal(shim_log_text, "");
}

static void test_pc(void **state)
{
	(void)state;
	check_pc("test/fuzz/seeds/acpi/pc", 2, 0x600, false, false);
}

static void test_q35(void **state)
{
	(void)state;
	check_pc("test/fuzz/seeds/acpi/q35", 4, 0x600, true, true);
}

/* The root pointer is found where a BIOS leaves it, behind one that is not sound. */
static void test_rsdp_search(void **state)
{
	(void)state;
	load("test/fuzz/seeds/acpi/pc", false);
	physmem_write(0xf1000, "RSD PTR not this one", 20);
	assert_true(acpi_has_madt());

	load("test/fuzz/seeds/acpi/pc", false);
	bi.rsdp = 0x5000;
	assert_true(acpi_has_madt());
	assert_non_null(strstr(shim_log_text, "RSDP"));

	setup(NULL);
	assert_false(acpi_has_madt());
	assert_string_equal(shim_log_text, "");

	/* In the EBDA, at the last place. */
	struct acpi_rsdp rsdp = { .signature = "RSD PTR ", .rsdt = 0xe8000 };
	const uint32_t entry = MADT;

	setup(NULL);
	put_madt("", 0);
	physmem_write(RSDP, (uint8_t[36]){ 0 }, 36);
	put_table(0xe8000, "RSDT", &entry, 4);
	rsdp.checksum = -table_sum(&rsdp, 20);
	physmem_write(0x9fc00 + 1008, &rsdp, 20);
	physmem_write(0x40e, "\xc0\x9f", 2);
	bi.rsdp = 0;
	assert_true(acpi_has_madt());
}

/* ---- Hostile tables ---- */

static void refuse_madt(const char *words)
{
	memset(&root, 0, sizeof(root));
	memset(&madt, 0, sizeof(madt));
	shim_log_text[0] = '\0';
	assert_false(acpi_has_madt());
	assert_non_null(strstr(shim_log_text, words));
	/* Named once. */
	shim_log_text[0] = '\0';
	assert_null(acpi_find("APIC"));
	assert_string_equal(shim_log_text, "");
}

static void test_broken_tables(void **state)
{
	(void)state;
	put_madt("\0\x08\0\0\x01\0\0\0", 8);
	poke(MADT + 40, 0x55);
	refuse_madt("APIC at 0xe1000: bad checksum at offset 9");

	static const uint32_t lengths[] = { 0, 35, ACPI_TABLE_MAX + 1, UINT32_MAX, PHYSMEM_IMAGE - MADT + 1 };

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		put_madt("", 0);
		physmem_write(MADT + 4, &lengths[i], 4);
		refuse_madt("APIC at 0xe1000: bad length at offset 4");
	}

	static const uint64_t places[] = { 0,	       PHYSMEM_IMAGE,  PHYSMEM_IMAGE - 8, 0x7fffff0,
					   0xfee00000, UINT64_MAX - 8, 1ul << 45,	  PHYS_MAX };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		put_root(&places[i], 1);
		refuse_madt("XSDT at ");
	}
	/* A header that begins in the last bytes of what the map names. */
	put_root((uint64_t[]){ 0x8000000 - 35 }, 1);
	refuse_madt("XSDT at 0x7ffffdd: entry outside of memory at offset 36");
	/* A table of two neighbouring ranges is sound, and the first broken one does not hide a good second. */
	put_root((uint64_t[]){ 0xe8000, 0x7ff0000 - 40 }, 2);
	put_table(0xe8000, "APIC", "12345678", 8);
	poke(0xe8000 + 36, 'x');
	put_table(0x7ff0000 - 40, "APIC", "\0\0\0\0\0\0\0\0", 8);
	memset(&root, 0, sizeof(root));
	memset(&madt, 0, sizeof(madt));
	assert_true(acpi_has_madt());
	/* A root that names itself, over and over. */
	put_root((uint64_t[]){ XSDT, XSDT, RSDP, XSDT }, 4);
	memset(&root, 0, sizeof(root));
	assert_null(acpi_find("APIC"));
}

static void test_broken_root(void **state)
{
	uint64_t many[400];

	(void)state;
	put_root((uint64_t[]){ MADT }, 1);
	poke(XSDT + 36, 1);
	assert_null(acpi_find("APIC"));
	assert_non_null(strstr(shim_log_text, "XSDT at 0xe0100: bad checksum"));
	/* More tables than any machine has: the rest does not count. */
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = i == 399 ? MADT : OTHER;
	put_madt("", 0);
	put_root(many, ARRAY_SIZE(many));
	memset(&root, 0, sizeof(root));
	assert_null(acpi_find("APIC"));
	/* Before firmware_init there are no tables. */
	firmware_bootinfo = NULL;
	memset(&root, 0, sizeof(root));
	assert_null(acpi_find("APIC"));
}

static void test_madt_entries(void **state)
{
	static const uint8_t entries[] = {
		0,   8,	 0,    7,  1, 0, 0,    0,				   /* CPU 7 */
		0,   8,	 1,    9,  0, 0, 0,    0,				   /* not enabled */
		9,   16, 0,    0,  0, 1, 0,    0,    1,	   0,	 0, 0, 2, 0, 0, 0, /* x2APIC 256 */
		9,   16, 0,    0,  7, 0, 0,    0,    1,	   0,	 0, 0, 2, 0, 0, 0, /* CPU 7 again */
		4,   6,	 0xff, 5,  0, 1,					   /* NMI */
		1,   12, 3,    0,  0, 0, 0xc0, 0xfe, 0,	   0,	 0, 0,		   /* IOAPIC */
		1,   12, 4,    0,  0, 0, 0x10, 0,    24,   0,	 0, 0,		   /* in RAM */
		2,   10, 0,    5,  5, 0, 0,    0,    0xf,  0,			   /* level, low */
		2,   10, 1,    6,  5, 0, 0,    0,    0xf,  0,			   /* not ISA */
		2,   10, 0,    16, 5, 0, 0,    0,    0xf,  0,			   /* no such line */
		200, 2,	 1,    11, 3, 0, 0,    0,    0xc0, 0xfe, 0, 0, 0,	   /* too short */
		0,   8,	 0,    8,  1, 0, 0,    0,
	};
	struct firmware_ioapic ioapics[4] = { 0 };

	(void)state;
	put_madt(entries, sizeof(entries));
	assert_true(acpi_has_madt());
	acpi_cpus_init();
	assert_non_null(strstr(shim_log_text, "entry of type 1 at offset 154 has 11 bytes"));
	assert_int_equal(nr_cpu_ids, 2);
	assert_int_equal(cpu_ids[0], 7);
	assert_int_equal(cpu_ids[1], 256);
	assert_int_equal(acpi_ioapics(ioapics, 4), 1);
	assert_non_null(strstr(shim_log_text, "IOAPIC 4 at 0x100000, which is memory"));
	assert_int_equal(ioapics[0].id, 3);
	assert_int_equal(acpi_ioapics(ioapics, 0), 0);
	acpi_isa_overrides_init();
	assert_int_equal(nr_overrides, 1);
	assert_int_equal(override_flags[5], IRQ_LEVEL | IRQ_ACTIVE_LOW);

	/* Entries of length 0 and 1 would never end. */
	for (uint8_t len = 0; len < 2; len++) {
		const uint8_t stuck[] = { 77, len, 0, 0 };

		setup(NULL);
		put_madt(stuck, sizeof(stuck));
		assert_true(acpi_has_madt());
		acpi_cpus_init();
		assert_non_null(strstr(shim_log_text, "offset 44"));
	}
}

static void test_too_many_cpus(void **state)
{
	uint8_t entries[300 * 8];

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		memcpy(entries + i * 8, (uint8_t[]){ 0, 8, 0, i, 1, 0, 0, 0 }, 8);
	put_madt(entries, sizeof(entries));
	cpu_room = 10;
	assert_true(acpi_has_madt());
	acpi_cpus_init();
	assert_int_equal(nr_cpu_ids, 10);
	assert_non_null(strstr(shim_log_text, "the others stay off"));
}

static void put_fadt(struct acpi_fadt *fadt, size_t len, const void *aml, size_t aml_len)
{
	fadt->dsdt = DSDT;
	put_table(FADT, "FACP", (const uint8_t *)fadt + sizeof(fadt->header), len - sizeof(fadt->header));
	put_table(DSDT, "DSDT", aml, aml_len);
	put_root((uint64_t[]){ FADT }, 1);
	memset(&root, 0, sizeof(root));
}

static void test_sleep_package(void **state)
{
	static const struct {
		const char *aml;
		size_t len;
		bool is_sound;
		uint8_t a, b;
	} cases[] = {
#define AML(text) text, sizeof(text) - 1
		{ AML("\x08_S5_\x12\x06\x04\x00\x00\x00\x00"), true, 0, 0 },
		{ AML("\x08_S5_\x12\x08\x04\x0a\x05\x0a\x06\x00\x00"), true, 5, 6 },
		{ AML("\x08\\_S5_\x12\x06\x02\x01\x0b\x07\x00"), true, 1, 7 },
		{ AML("\x08_S5_\x12\x47\x00\x01\x0c\x03\x00\x00\x00"), true, 3, 0 },
		{ AML("_S5_\x12\x06\x04\x00\x00"), false, 0, 0 },	  /* no NameOp */
		{ AML("\x08_S5_\x11\x06\x04\x00\x00"), false, 0, 0 },	  /* no package */
		{ AML("\x08_S5_\x12\x06\x00\x00\x00"), false, 0, 0 },	  /* of nothing */
		{ AML("\x08_S5_\x12\x06\x02\x0a\x08\x00"), false, 0, 0 }, /* 8 has 4 bits */
		{ AML("\x08_S5_\x12\x06\x02\x0d\x01\x00"), false, 0, 0 }, /* a string */
		{ AML("\x08_S5_\x12\xc6\x02"), false, 0, 0 },		  /* cut in the length */
		{ AML("\x08_S5_\x12\x06\x02\x00\x0a"), false, 0, 0 },	  /* cut in an element */
		{ AML("\x08_S5_\x12\x06\x02\x00"), false, 0, 0 },	  /* cut between elements */
		{ AML("\x08_S5_"), false, 0, 0 },
		{ AML("\x08_S5_\x11"
		      "\x08_S5_\x12\x06\x02\x01\x01"),
		  true, 1, 1 }, /* the second one is sound */
		{ AML("_"), false, 0, 0 },
		{ AML(""), false, 0, 0 },
#undef AML
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct acpi_fadt fadt = { .pm1a_control = 0x604 };
		struct acpi_power power;

		setup(NULL);
		put_fadt(&fadt, 116, cases[i].aml, cases[i].len);
		assert_true(acpi_power(&power));
		assert_int_equal(power.can_sleep, cases[i].is_sound);
		if (!power.can_sleep)
			assert_non_null(strstr(shim_log_text, "no \\_S5"));
		else
			assert_int_equal(power.sleep_type_a << 4 | power.sleep_type_b, cases[i].a << 4 | cases[i].b);
	}
}

/* Registers that lie in RAM, or at no port. */
static void test_register_places(void **state)
{
	struct acpi_fadt fadt = {
		.flags = FADT_RESET_SUPPORTED | FADT_TIMER_32BIT,
		.reset = { ACPI_SPACE_MEMORY, 8, 0, 0, 0x200000 },
		.x_pm1a_control = { ACPI_SPACE_MEMORY, 16, 0, 0, 0xfed40004 },
		.pm1a_control = 0x604,
		.pm1b_control = 0x10000,
		.x_pm_timer = { ACPI_SPACE_IO, 32, 0, 0, 0xfffc },
		.pm_timer = 0x608,
		.smi_command = 0x100b2,
	};
	struct firmware_pm_timer timer;
	struct acpi_power power;

	(void)state;
	put_fadt(&fadt, sizeof(fadt), "\x08_S5_\x12\x06\x04\x00\x00\x00\x00", 12);
	assert_true(acpi_power(&power));
	assert_int_equal(power.reset.address, 0);
	assert_int_equal(power.pm1a.address, 0xfed40004);
	assert_false(power.pm1a.is_port);
	assert_int_equal(power.pm1b.address, 0);
	assert_int_equal(power.smi_command, 0);
	assert_true(firmware_pm_timer(&timer));
	assert_int_equal(timer.address, 0xfffc);
	assert_int_equal(timer.bits, 32);

	fadt.x_pm_timer.address = 0xfffd;
	fadt.reset = (struct acpi_gas){ 2, 8, 0, 0, 0x1234 };
	put_fadt(&fadt, sizeof(fadt), "", 0);
	assert_false(firmware_pm_timer(&timer));
	assert_true(acpi_power(&power));
	assert_int_equal(power.reset.address, 0);
	assert_false(power.can_sleep);
}

static void test_mcfg_and_hpet(void **state)
{
	static const struct {
		uint64_t reserved;
		struct acpi_mcfg_entry entries[5];
	} mcfg = { 0,
		   {
			   { 0xe0000000, 0, 0, 255, 0 },
			   { 0x100000, 1, 0, 0, 0 },		      /* RAM */
			   { 0xe0000001, 2, 0, 0, 0 },		      /* not aligned */
			   { 0xe0000000, 3, 5, 4, 0 },		      /* ends before it begins */
			   { UINT64_MAX & ~0xffffful, 4, 1, 255, 0 }, /* wraps */
		   } };
	struct acpi_hpet hpet = { .base = { ACPI_SPACE_MEMORY, 64, 0, 0, 0x2000 } };
	struct firmware_mcfg out[8] = { 0 };

	(void)state;
	put_root((uint64_t[]){ OTHER, FADT }, 2);
	put_table(OTHER, "MCFG", &mcfg, sizeof(mcfg));
	put_table(FADT, "HPET", &hpet.event_timer_block_id, sizeof(hpet) - sizeof(hpet.header));
	assert_int_equal(firmware_mcfg(out, 8), 1);
	assert_int_equal(out[0].segment, 0);
	assert_int_equal(firmware_mcfg(out, 0), 0);
	assert_int_equal(firmware_hpet(), 0);
	assert_non_null(strstr(shim_log_text, "HPET"));
	put_table(OTHER, "MCFG", &mcfg, 4); /* shorter than its own header */
	assert_int_equal(firmware_mcfg(out, 8), 0);
}

static void test_sum(void **state)
{
	uint8_t bytes[4096];

	(void)state;
	srand(1);
	for (unsigned round = 0; round < 500; round++) {
		size_t off = rand() % 16, len = rand() % (round % 2 ? 40 : 4080);
		uint8_t sum = 0;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = round % 5 ? rand() : 0xff;
		for (size_t i = 0; i < len; i++)
			sum += bytes[off + i];
		assert_int_equal(table_sum(bytes + off, len), sum);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_sum, setup),
		cmocka_unit_test_setup(test_microvm, setup),
		cmocka_unit_test_setup(test_pc, setup),
		cmocka_unit_test_setup(test_q35, setup),
		cmocka_unit_test_setup(test_rsdp_search, setup),
		cmocka_unit_test_setup(test_broken_tables, setup),
		cmocka_unit_test_setup(test_broken_root, setup),
		cmocka_unit_test_setup(test_madt_entries, setup),
		cmocka_unit_test_setup(test_too_many_cpus, setup),
		cmocka_unit_test_setup(test_sleep_package, setup),
		cmocka_unit_test_setup(test_register_places, setup),
		cmocka_unit_test_setup(test_mcfg_and_hpet, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
