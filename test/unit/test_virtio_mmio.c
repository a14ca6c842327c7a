/* Where virtio-mmio devices are: the command line's words, AML's bytes, and what is refused of both. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/boot/bootinfo.h"
#include "kernel/core/irq.h"
#include "kernel/dev/firmware/aml.h"
#include "kernel/dev/firmware/dsdt.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/dev/firmware/table.h"
#include "kernel/dev/firmware/virtio_mmio.h"
#include "lib/errno.h"
#include "lib/util.h"

static struct bootinfo bootinfo;
const struct bootinfo *firmware_bootinfo = &bootinfo;
static bool has_acpi;
static uint8_t code[1024];
static size_t code_len;

const uint8_t *dsdt_code(size_t *len)
{
	*len = code_len;
	return code_len ? code : NULL;
}

bool firmware_has_acpi(void)
{
	return has_acpi;
}

bool table_is_device(paddr_t pa, size_t len)
{
	return pa >= 0xa0000000 && len <= GIB(1);
}

static void code_add(const void *bytes, size_t len)
{
	assert_true(code_len + len <= sizeof(code));
	memcpy(code + code_len, bytes, len);
	code_len += len;
}

/* As QEMU's microvm writes it: _HID, _UID, _CCA, _CRS. */
static void device_add(uint32_t base, uint8_t gsi, uint8_t flags)
{
	uint8_t memory[] = { 0x86, 9, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0 };
	const uint8_t interrupt[] = { 0x89, 6, 0, flags, 1, gsi, 0, 0, 0, 0x79, 0 };

	memcpy(memory + 4, &base, 4);
	code_add("\x5b\x82\x47VR00\x08_HID\rLNRO0005", 22);
	code_add("", 1);
	code_add("\x08_UID", 5);
	code_add("\x08_CRS\x11\x1a\x0a\x17", 9);
	code_add(memory, sizeof(memory));
	code_add(interrupt, sizeof(interrupt));
}

static int reset(void **state)
{
	(void)state;
	code_len = 0;
	has_acpi = false;
	bootinfo.cmdline[0] = '\0';
	return 0;
}

static void test_option(void **state)
{
	static const struct {
		const char *text;
		uint64_t len, base;
		unsigned gsi;
		bool is_isa;
	} good[] = {
		{ "512@0xfeb00e00:12", 512, 0xfeb00e00, 12, true },
		{ "4K@0xd0000000:5", 4096, 0xd0000000, 5, true },
		{ "0x1000@0xD0000000:0x18:3", 4096, 0xd0000000, 24, false },
		{ "1m@3489660928:16:0", 1 << 20, 0xd0000000, 16, false },
		{ "1G@0xc0000000:010", 1 << 30, 0xc0000000, 10, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct firmware_virtio_mmio place = { 0 };
		char text[80];

		strcpy(text, good[i].text);
		assert_int_equal(virtio_mmio_option_parse(text, &place), 0);
		assert_int_equal(place.len, good[i].len);
		assert_int_equal(place.base, good[i].base);
		assert_int_equal(place.gsi, good[i].gsi);
		assert_int_equal(place.is_isa, good[i].is_isa);
	}
}

static void test_option_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"4K",
		"4K@",
		"4K@0x",
		"4K@0xd0000000",
		"4K@0xd0000000:",
		"4K@0xd0000000: 5",
		"4K@0xd0000000:5:",
		"4K@0xd0000000:5x",
		"4K@0xd0000000:5:1:2",
		"4K@0xd0000000:65536",
		"4K@0xd0000000:-1",
		"-4K@0xd0000000:5",
		"4P@0xd0000000:5",
		"4KK@0xd0000000:5",
		"0@0xd0000000:5",
		"4K@0:5",
		"4K@0x10000000000000000:5",
		"18446744073709551616@0xd0000000:5",
		"18446744073709551615G@0xd0000000:5",
		"4K@0xffffffffffffffff:5",
		"K@0xd0000000:5",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct firmware_virtio_mmio place;
		char text[80];

		strcpy(text, bad[i]);
		if (virtio_mmio_option_parse(text, &place) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void test_cmdline(void **state)
{
	struct firmware_virtio_mmio out[4];

	(void)state;
	strcpy(bootinfo.cmdline,
	       "a virtio_mmio.device=512@0xfeb00000:5 virtio_mmio.device=oops  xvirtio_mmio.device=1@2:3 "
	       "virtio_mmio.device=512@0x1000:5 -- b virtio_mmio.device=512@0xfeb00200:6");
	assert_int_equal(firmware_virtio_mmio(out, 4), 2); /* 0x1000 is memory */
	assert_int_equal(out[0].base, 0xfeb00000);
	assert_int_equal(out[1].base, 0xfeb00200);
	assert_int_equal(firmware_virtio_mmio(out, 1), 1);
	has_acpi = true; /* then the second one is a word of the program's */
	assert_int_equal(firmware_virtio_mmio(out, 4), 1);
}

static void test_dsdt(void **state)
{
	struct firmware_virtio_mmio out[4];

	(void)state;
	code_add("junk", 4);
	device_add(0xfeb00000, 16, 0x09);
	device_add(0xfeb00200, 17, 0x03);
	device_add(0xfeb00400, 18, 0x05);
	strcpy(bootinfo.cmdline, "virtio_mmio.device=512@0xfeb00200:6");
	assert_int_equal(firmware_virtio_mmio(out, 4), 3);
	assert_int_equal(out[0].base, 0xfeb00200); /* the command line's word counts */
	assert_int_equal(out[0].gsi, 6);
	assert_int_equal(out[1].base, 0xfeb00000);
	assert_int_equal(out[1].len, 512);
	assert_int_equal(out[1].gsi, 16);
	assert_int_equal(out[1].irq_flags, IRQ_LEVEL);
	assert_int_equal(out[2].irq_flags, IRQ_LEVEL | IRQ_ACTIVE_LOW);
	assert_int_equal(firmware_virtio_mmio(out, 2), 2);
}

/* Cut anywhere, it is found whole or not at all. */
static void test_dsdt_cut(void **state)
{
	struct firmware_virtio_mmio out[2];
	size_t whole;

	(void)state;
	device_add(0xfeb00000, 16, 0x09);
	whole = code_len - 2; /* the end tag is not looked at */
	for (code_len = 0; code_len < whole; code_len++)
		assert_int_equal(firmware_virtio_mmio(out, 2), 0);
	assert_int_equal(firmware_virtio_mmio(out, 2), 1);
}

/* A device without resources does not get those of the next. */
static void test_dsdt_no_resources(void **state)
{
	struct firmware_virtio_mmio out[2];

	(void)state;
	code_add("LNRO0005", 9);
	device_add(0xfeb00000, 16, 0x09);
	assert_int_equal(firmware_virtio_mmio(out, 2), 1);
}

static void window_add(uint8_t type, uint32_t lowest, uint32_t highest, uint32_t translation, uint32_t len)
{
	const uint8_t head[] = { 0x87, 23, 0, type, 0x0c, 0x01, 0, 0, 0, 0 };
	const uint32_t body[] = { lowest, highest, translation, len };

	code_add(head, sizeof(head));
	code_add(body, sizeof(body));
}

static void test_pci_windows(void **state)
{
	static const uint8_t large[] = { 0x8a, 43, 0, 0, 0x0c, 0x01 };
	const uint64_t body[] = { 0, 0x8000000000, 0xffffffffff, 0, 0x8000000000 };
	struct firmware_window out[4];

	(void)state;
	window_add(0, 0xd0000000, 0xd0ffffff, 0, 0x1000000); /* before the bridge */
	assert_int_equal(aml_pci_windows(code, code_len, out, 4), 0);
	code_add("\x08_HID\x0c\x41\xd0\x0a\x08", 10);
	code_add(large, sizeof(large));
	code_add(body, sizeof(body));
	window_add(1, 0xc0000000, 0xc0ffffff, 0, 0x1000000);	      /* I/O ports */
	window_add(0, 0xa0000, 0xbffff, 0, 0x20000);		      /* VGA */
	window_add(0, 0xc0000000, 0xc0ffffff, 0, 0x2000000);	      /* does not add up */
	window_add(0, 0xc0000000, 0xc0ffffff, 0x80000000, 0x1000000); /* other addresses on the bus */
	window_add(0, 0xc0000000, 0xbfffffff, 0, 0);
	window_add(0, 0xc0000000, 0xdfffffff, 0, 0x20000000);
	assert_int_equal(aml_pci_windows(code, code_len, out, 4), 2);
	assert_int_equal(out[0].base, 0xc0000000);
	assert_int_equal(out[0].len, 0x20000000);
	assert_int_equal(out[1].base, 0x8000000000);
	assert_int_equal(out[1].len, 0x8000000000);
	assert_int_equal(aml_pci_windows(code, code_len, out, 1), 1);
	assert_int_equal(aml_pci_windows(code, code_len - 1, out, 4), 1);
}

static void bridge_add(void)
{
	code_add("\x08_HID\x0c\x41\xd0\x0a\x08", 10);
}

static void test_pci_ecam(void **state)
{
	static const uint8_t buses[] = { 0x88, 13, 0, 2, 0x0c, 0, 0, 0, 1, 0, 0x7f, 0, 0, 0, 0x7f, 0 };
	struct firmware_mcfg out;
	size_t whole;

	(void)state;
	code_add("\x08_CBA\x0c\x00\x00\x00\xe0", 10); /* before the bridge */
	bridge_add();
	assert_false(aml_pci_ecam(code, code_len, &out));
	whole = code_len + 12;
	code_add("\x14\x0a_CBA\x00\xa4\x0c\x00\x00\x00\xe0", 13);
	for (size_t len = 0; len <= whole; len++)
		assert_false(aml_pci_ecam(code, len, &out));
	assert_true(aml_pci_ecam(code, code_len, &out));
	assert_int_equal(out.base, 0xe0000000);
	assert_int_equal(out.bus_first, 0);
	assert_int_equal(out.bus_last, 255);
	code_add(buses, sizeof(buses));
	assert_true(aml_pci_ecam(code, code_len, &out));
	assert_int_equal(out.bus_first, 1);
	assert_int_equal(out.bus_last, 0x7f);
	code_len = 0;
	code_add("\x08_HID\x0dPNP0A08", 14);
	code_add("\x08_CBA\x0e\x00\x00\x00\xe0\x01\x00\x00\x00", 14);
	assert_true(aml_pci_ecam(code, code_len, &out));
	assert_int_equal(out.base, 0x1e0000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_option, reset),	 cmocka_unit_test_setup(test_option_refused, reset),
		cmocka_unit_test_setup(test_cmdline, reset),	 cmocka_unit_test_setup(test_dsdt, reset),
		cmocka_unit_test_setup(test_dsdt_cut, reset),	 cmocka_unit_test_setup(test_dsdt_no_resources, reset),
		cmocka_unit_test_setup(test_pci_windows, reset), cmocka_unit_test_setup(test_pci_ecam, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
