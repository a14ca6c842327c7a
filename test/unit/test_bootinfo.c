/* Boot protocols and the memory map: what loaders really leave, and what they should not. */
#include "test/unit/physmem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/boot/bootinfo.h"
#include "kernel/boot/phys.h"
#include "lib/errno.h"

extern const struct boot_protocol boot_protocol_pvh, boot_protocol_multiboot2, boot_protocol_linux64;
extern struct boot_protocol boot_protocols_start[3];

/* What the linker script does for an image. */
struct boot_protocol boot_protocols_start[3];
__asm__(".globl boot_protocols_end\n.set boot_protocols_end, boot_protocols_start + 72");
_Static_assert(sizeof(boot_protocols_start) == 72, "the symbol above");

static struct bootinfo bi;

static int setup(void **state)
{
	(void)state;
	physmem_reset();
	memset(&bi, 0, sizeof(bi));
	boot_protocols_start[0] = boot_protocol_pvh;
	boot_protocols_start[1] = boot_protocol_multiboot2;
	boot_protocols_start[2] = boot_protocol_linux64;
	shim_log_text[0] = '\0';
	return 0;
}

static void assert_mem(unsigned i, uint64_t base, uint64_t len, enum mem_type type)
{
	assert_in_range(i, 0, bi.nr_mem - 1);
	assert_int_equal(bi.mem[i].base, base);
	assert_int_equal(bi.mem[i].len, len);
	assert_int_equal(bi.mem[i].type, type);
}

/* ---- PVH ---- */

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};
struct memmap_entry {
	uint64_t addr, size;
	uint32_t type, reserved;
};

enum { INFO = 0x8000, MEMMAP = 0x9000, TEXT = 0xa000, MODULES = 0xb000 };

static const struct start_info good = { 0x336ec578, 1, 0, 0, 0, TEXT, 0xf5a00, MEMMAP, 1, 0 };
static const struct memmap_entry ram = { 0, 64 << 20, 1, 0 };

static int pvh(struct start_info si, const struct memmap_entry *map, size_t n)
{
	physmem_write(MEMMAP, map, n * sizeof(*map));
	si.memmap_entries = n;
	physmem_write(INFO, &si, sizeof(si));
	return bootinfo_fill(BOOT_ENTRY_PVH, INFO, &bi);
}

/* As QEMU 7.2's qboot hands it over on a microvm with 128 MiB. */
static void test_pvh_microvm(void **state)
{
	static const struct memmap_entry map[] = {
		{ 0, 0x9fc00, 1, 0 },	    { 0x9fc00, 0x400, 2, 0 },	   { 0xd0000, 0x20000, 4, 0 },
		{ 0xf0000, 0x10000, 2, 0 }, { 0x100000, 0x7f00000, 1, 0 }, { 0, 0, 0, 0 },
	};

	(void)state;
	physmem_write(TEXT, "hello=world", 12);
	assert_int_equal(pvh(good, map, 6), 0);
	assert_string_equal(bi.protocol, "pvh");
	assert_string_equal(bi.cmdline, "hello=world");
	assert_int_equal(bi.rsdp, 0xf5a00);
	assert_int_equal(bi.nr_mem, 5);
	assert_mem(0, 0x1000, 0x9e000, MEM_RAM);
	assert_mem(1, 0x9fc00, 0x400, MEM_RESERVED);
	assert_mem(2, 0xd0000, 0x20000, MEM_NVS);
	assert_mem(4, 0x100000, 0x7f00000, MEM_RAM);
	assert_string_equal(shim_log_text, "");
}

static void test_pvh_refuses(void **state)
{
	struct start_info si = good;

	(void)state;
	si.magic++;
	assert_int_equal(pvh(si, &ram, 1), -EINVAL);
	assert_non_null(strstr(shim_log_text, "no start info"));
	si = good;
	si.version = 0;
	assert_int_equal(pvh(si, &ram, 1), -EINVAL);
	assert_non_null(strstr(shim_log_text, "version 0"));
	si = good;
	si.memmap = PHYSMEM_IMAGE;
	assert_int_equal(pvh(si, &ram, 1), -EINVAL);
	assert_non_null(strstr(shim_log_text, "memory map"));
	si.memmap = UINT64_MAX - 8;
	assert_int_equal(pvh(si, &ram, 1), -EINVAL);
	assert_int_equal(bootinfo_fill(BOOT_ENTRY_PVH, 0, &bi), -EINVAL);
	assert_int_equal(bootinfo_fill(BOOT_ENTRY_PVH, PHYSMEM_IMAGE - 8, &bi), -EINVAL);
	assert_int_equal(bootinfo_fill((enum boot_entry)9, INFO, &bi), -ENODEV);
}

static void test_cmdline_bounds(void **state)
{
	struct start_info si = good;
	char text[3 * 4096];

	(void)state;
	memset(text, 'x', sizeof(text));
	physmem_write(0x20ff0, text, sizeof(text));
	si.cmdline = 0x20ff0;
	assert_int_equal(pvh(si, &ram, 1), 0);
	assert_int_equal(strlen(bi.cmdline), BOOTINFO_CMDLINE_MAX - 1);
	assert_non_null(strstr(shim_log_text, "cut"));

	/* A string that runs into the kernel's image keeps what comes before. */
	memset(&bi, 0, sizeof(bi));
	physmem_write(PHYSMEM_IMAGE - 16, text, 16);
	si.cmdline = PHYSMEM_IMAGE - 16;
	assert_int_equal(pvh(si, &ram, 1), 0);
	assert_int_equal(strlen(bi.cmdline), 16);
}

static void test_modules(void **state)
{
	const uint64_t modules[][4] = {
		{ 0x400000, 100, TEXT, 0 },
		{ PHYSMEM_IMAGE - 50, 100, TEXT, 0 }, /* touches the image */
		{ UINT64_MAX - 5, 100, TEXT, 0 },     /* wraps */
		{ 0x500000, 200, 0, 0 },
	};
	struct start_info si = good;

	(void)state;
	physmem_write(TEXT, "disk", 5);
	physmem_write(MODULES, modules, sizeof(modules));
	si.modlist = MODULES;
	si.nr_modules = 4;
	assert_int_equal(pvh(si, &ram, 1), 0);
	assert_int_equal(bi.nr_modules, 2);
	assert_int_equal(bi.modules[0].base, 0x400000);
	assert_string_equal(bi.modules[0].cmdline, "disk");
	assert_int_equal(bi.modules[1].len, 200);
	assert_string_equal(bi.modules[1].cmdline, "");

	memset(&bi, 0, sizeof(bi));
	si.nr_modules = UINT32_MAX;
	assert_int_equal(pvh(si, &ram, 1), 0);
	assert_in_range(bi.nr_modules, 2, BOOTINFO_MODULE_MAX);
}

/* More text than module_text holds is cut, and every cmdline stays a string inside of it. */
static void test_module_text(void **state)
{
	char text[400];

	(void)state;
	memset(text, 'm', sizeof(text));
	for (unsigned i = 0; i < BOOTINFO_MODULE_MAX; i++)
		assert_int_equal(bootinfo_add_module(&bi, 0x400000, 10, text, sizeof(text)), 0);
	assert_int_equal(bootinfo_add_module(&bi, 0x400000, 10, text, 1), -ENOSPC);
	for (unsigned i = 0; i < BOOTINFO_MODULE_MAX; i++) {
		assert_in_range((uintptr_t)bi.modules[i].cmdline, (uintptr_t)bi.module_text,
				(uintptr_t)bi.module_text + sizeof(bi.module_text) - 1);
		assert_true(bi.modules[i].cmdline + strlen(bi.modules[i].cmdline) <
			    bi.module_text + sizeof(bi.module_text));
	}
	assert_int_equal(strlen(bi.modules[0].cmdline), 400);
	assert_int_equal(strlen(bi.modules[2].cmdline), 1024 - 2 * 401 - 1);
	assert_string_equal(bi.modules[9].cmdline, "");
}

/* ---- The memory map ---- */

static void test_map_overlaps(void **state)
{
	static const struct memmap_entry map[] = {
		{ 0x5000800, 0x1000, 3, 0 }, /* in the middle of RAM, not page-aligned */
		{ 0x1000000, 0x8000000, 1, 0 },
		{ 0x2000000, 0x100000, 2, 0 },
		{ 0x2080000, 0x100000, 4, 0 }, /* loses to what is reserved */
		{ 0x0, 0x2000, 1, 0 },
		{ 0x8fff000, 0x3000, 1, 0 },	   /* overlaps the end of RAM */
		{ 0x2000000, 0x1000, 77, 0 },	   /* unknown: reserved */
		{ UINT64_MAX - 10, 0x1000, 1, 0 }, /* wraps: left out */
		{ PHYSMEM_LIMIT - 0x1000, 0x2000, 1, 0 },
		{ PHYSMEM_LIMIT, 0x2000, 1, 0 },
	};

	(void)state;
	assert_int_equal(pvh(good, map, 10), 0);
	assert_int_equal(bi.nr_mem, 8);
	assert_mem(0, 0x1000, 0x1000, MEM_RAM);
	assert_mem(1, 0x1000000, 0x1000000, MEM_RAM);
	assert_mem(2, 0x2000000, 0x100000, MEM_RESERVED);
	assert_mem(3, 0x2100000, 0x80000, MEM_NVS);
	assert_mem(4, 0x2180000, 0x2e80000, MEM_RAM);
	assert_mem(5, 0x5000800, 0x1000, MEM_ACPI);
	assert_mem(6, 0x5002000, 0x4000000, MEM_RAM);
	assert_mem(7, PHYSMEM_LIMIT - 0x1000, 0x1000, MEM_RAM);
}

static void test_map_without_ram(void **state)
{
	static const struct memmap_entry map[] = { { 0, 0xfff, 1, 0 },
						   { 0x100000, 0x100000, 2, 0 },
						   { 0x300001, 0x1ffe, 1, 0 } };

	(void)state;
	assert_int_equal(pvh(good, map, 3), -EINVAL);
	assert_non_null(strstr(shim_log_text, "no usable RAM"));
}

/* 128 holes in one block of RAM make 257 ranges: what does not fit is not RAM. */
static void test_map_fragments(void **state)
{
	struct memmap_entry map[128];

	(void)state;
	map[0] = ram;
	for (unsigned i = 1; i < 128; i++)
		map[i] = (struct memmap_entry){ i * 0x10000, 0x1000, 2, 0 };
	assert_int_equal(pvh(good, map, 128), 0);
	assert_int_equal(bi.nr_mem, BOOTINFO_MEM_MAX);
	assert_non_null(strstr(shim_log_text, "fragmented"));
	for (unsigned i = 0; i < bi.nr_mem; i++)
		assert_int_equal(bi.mem[i].type, i % 2 ? MEM_RESERVED : MEM_RAM);
}

/* Random maps in units of half a page, against the rule applied to each unit. */
static void test_map_random(void **state)
{
	static const uint8_t rank[] = { 0, 1, 4, 2, 3, 5 };
	enum { UNIT = 0x800, UNITS = 64 };

	(void)state;
	srand(1);
	for (unsigned round = 0; round < 3000; round++) {
		uint8_t want[UNITS] = { 0 }, got[UNITS] = { 0 };
		unsigned n = 1 + rand() % 10;
		bool has_ram = false;

		setup(NULL);
		for (unsigned i = 0; i < n; i++) {
			unsigned from = rand() % UNITS, len = rand() % (UNITS - from) / (1 + rand() % 4),
				 type = 1 + rand() % 5;

			assert_int_equal(bootinfo_add_mem(&bi, from * UNIT, len * UNIT, type), 0);
			for (unsigned u = from; u < from + len; u++)
				want[u] = rank[type] > rank[want[u]] ? type : want[u];
		}
		/* RAM only in whole pages, and not in the first. */
		for (unsigned u = 0; u < UNITS; u += 2) {
			bool whole = u && want[u] == MEM_RAM && want[u + 1] == MEM_RAM;

			has_ram |= whole;
			for (unsigned k = u; k < u + 2; k++)
				want[k] = want[k] == MEM_RAM && !whole ? 0 : want[k];
		}
		struct memmap_entry map[10] = { 0 };
		unsigned nr = bi.nr_mem;

		for (unsigned i = 0; i < nr; i++)
			map[i] = (struct memmap_entry){ bi.mem[i].base, bi.mem[i].len, bi.mem[i].type, 0 };
		memset(&bi, 0, sizeof(bi));
		assert_int_equal(pvh(good, map, nr ? nr : 1), has_ram ? 0 : -EINVAL);
		for (unsigned i = 0; i < bi.nr_mem; i++) {
			assert_true(!i || bi.mem[i].base >= bi.mem[i - 1].base + bi.mem[i - 1].len);
			for (unsigned u = bi.mem[i].base / UNIT; u < (bi.mem[i].base + bi.mem[i].len) / UNIT; u++)
				got[u] = bi.mem[i].type;
		}
		assert_memory_equal(got, want, sizeof(want));
	}
}

/* ---- Multiboot2 ---- */

static uint8_t mb2[4096];
static size_t mb2_len;

static void *mb2_tag(uint32_t type, uint32_t len)
{
	uint8_t *tag = mb2 + mb2_len;

	memcpy(tag, &type, 4);
	memcpy(tag + 4, &(uint32_t){ len + 8 }, 4);
	mb2_len = (mb2_len + 8 + len + 7) & ~7ul;
	return tag + 8;
}

static void mb2_begin(void)
{
	memset(mb2, 0, sizeof(mb2));
	mb2_len = 8;
	memset(&bi, 0, sizeof(bi));
}

static int mb2_fill(void)
{
	mb2_tag(0, 0);
	memcpy(mb2, &mb2_len, 4);
	physmem_write(INFO, mb2, mb2_len);
	return bootinfo_fill(BOOT_ENTRY_MULTIBOOT2, INFO, &bi);
}

static void mb2_mmap(const struct memmap_entry *map, uint32_t n)
{
	uint32_t *tag = mb2_tag(6, 8 + n * sizeof(*map));

	tag[0] = sizeof(*map);
	memcpy(tag + 2, map, n * sizeof(*map));
}

static void test_multiboot2(void **state)
{
	uint32_t module[2] = { 0x400000, 0x401234 };
	char *tag;

	(void)state;
	mb2_begin();
	memcpy(mb2_tag(1, 8), "a=1 b=2", 8);
	tag = mb2_tag(3, 8 + 5);
	memcpy(tag, module, 8);
	memcpy(tag + 8, "disk", 5);
	memcpy(mb2_tag(14, 20), "old", 3);
	size_t at = mb2_len;
	memcpy(mb2_tag(15, 36), "new", 3);
	mb2_mmap(&ram, 1);
	assert_int_equal(mb2_fill(), 0);
	assert_string_equal(bi.cmdline, "a=1 b=2");
	assert_int_equal(bi.nr_modules, 1);
	assert_int_equal(bi.modules[0].base, 0x400000);
	assert_int_equal(bi.modules[0].len, 0x1234);
	assert_string_equal(bi.modules[0].cmdline, "disk");
	assert_int_equal(bi.rsdp, INFO + at + 8);
	/* The page with the RSDP is no longer RAM. */
	assert_int_equal(bi.nr_mem, 3);
	assert_mem(0, 0x1000, INFO - 0x1000, MEM_RAM);
	assert_mem(1, INFO, 0x1000, MEM_ACPI);
	assert_mem(2, INFO + 0x1000, (64 << 20) - INFO - 0x1000, MEM_RAM);
}

static void test_multiboot2_efi(void **state)
{
	uint64_t d[][6] = {
		/* type, physical, virtual, pages, attributes, more than the UEFI 2.9 descriptor */
		{ 7, 0x1000, 0, 0x9f, 0, 0 },
		{ 1, 0x100000, 0, 0x100, 0, 0 },
		{ 3, 0x200000, 0, 0x100, 0, 0 },
		{ 9, 0x300000, 0, 0x10, 0, 0 },
		{ 8, 0x310000, 0, 0x10, 0, 0 },
		{ 10, 0x320000, 0, 1, 0, 0 },
		{ 11, 0xfec00000, 0, 1, 0, 0 },
		{ 7, 0, 0, UINT64_MAX / 4096 + 1, 0, 0 },
		{ 7, UINT64_MAX & ~0xffful, 0, 2, 0, 0 },
	};
	uint32_t *tag;

	(void)state;
	mb2_begin();
	tag = mb2_tag(17, 8 + sizeof(d));
	tag[0] = sizeof(d[0]);
	memcpy(tag + 2, d, sizeof(d));
	assert_int_equal(mb2_fill(), 0);
	assert_int_equal(bi.nr_mem, 6);
	assert_mem(0, 0x1000, 0x9f000, MEM_RAM);
	assert_mem(1, 0x100000, 0x200000, MEM_RAM);
	assert_mem(2, 0x300000, 0x10000, MEM_ACPI);
	assert_mem(3, 0x310000, 0x10000, MEM_UNUSABLE);
	assert_mem(4, 0x320000, 0x1000, MEM_NVS);
	assert_mem(5, 0xfec00000, 0x1000, MEM_RESERVED);

	/* The BIOS kind rules where both are there. */
	mb2_begin();
	tag = mb2_tag(17, 8 + sizeof(d));
	tag[0] = sizeof(d[0]);
	memcpy(tag + 2, d, sizeof(d));
	mb2_mmap(&ram, 1);
	assert_int_equal(mb2_fill(), 0);
	assert_int_equal(bi.nr_mem, 1);
}

static void test_multiboot2_meminfo(void **state)
{
	uint32_t *tag;

	(void)state;
	mb2_begin();
	tag = mb2_tag(4, 8);
	tag[0] = 639;
	tag[1] = 127 * 1024;
	assert_int_equal(mb2_fill(), 0);
	assert_mem(0, 0x1000, 0x9e000, MEM_RAM);
	assert_mem(1, 0x100000, 127 << 20, MEM_RAM);
}

static void test_multiboot2_refuses(void **state)
{
	uint32_t head[4] = { 0, 0, 0, 8 };

	(void)state;
	physmem_write(INFO, head, sizeof(head));
	assert_int_equal(bootinfo_fill(BOOT_ENTRY_MULTIBOOT2, INFO, &bi), -EINVAL);
	head[0] = UINT32_MAX;
	physmem_write(INFO, head, sizeof(head));
	assert_int_equal(bootinfo_fill(BOOT_ENTRY_MULTIBOOT2, INFO, &bi), -EINVAL);
	assert_int_equal(bootinfo_fill(BOOT_ENTRY_MULTIBOOT2, INFO + 4, &bi), -EINVAL);

	/* A tag that reaches out of the information ends it: what came before stands. */
	mb2_begin();
	mb2_mmap(&ram, 1);
	memcpy((uint8_t *)mb2_tag(1, 8) - 4, &(uint32_t){ 5000 }, 4);
	assert_int_equal(mb2_fill(), 0);
	assert_non_null(strstr(shim_log_text, "tag 1"));
	assert_int_equal(bi.nr_mem, 1);
	mb2_begin();
	memcpy((uint8_t *)mb2_tag(1, 8) - 4, &(uint32_t){ 0 }, 4);
	mb2_mmap(&ram, 1);
	assert_int_equal(mb2_fill(), -EINVAL);

	/* Entries of no size, and of one that is no multiple of 8. */
	for (uint32_t size = 0; size <= 25; size += 25) {
		mb2_begin();
		*(uint32_t *)mb2_tag(6, 64) = size;
		assert_int_equal(mb2_fill(), -EINVAL);
	}
	/* A module that ends before it begins. */
	mb2_begin();
	mb2_mmap(&ram, 1);
	memcpy(mb2_tag(3, 8), (uint32_t[]){ 0x500000, 0x400000 }, 8);
	assert_int_equal(mb2_fill(), 0);
	assert_int_equal(bi.nr_modules, 0);
}

/* ---- Linux, 64 bits ---- */

static uint8_t zp[4096];

static void put(size_t off, uint64_t value, size_t len)
{
	memcpy(zp + off, &value, len);
}

static int linux64(void)
{
	memset(&bi, 0, sizeof(bi));
	physmem_write(INFO, zp, sizeof(zp));
	return bootinfo_fill(BOOT_ENTRY_LINUX64, INFO, &bi);
}

static void zp_begin(void)
{
	memset(zp, 0, sizeof(zp));
	put(0x202, 0x53726448, 4);
	put(0x1e8, 1, 1);
	put(0x2d0, 0x100000, 8);
	put(0x2d8, 64 << 20, 8);
	put(0x2e0, 1, 4);
}

static void test_linux64(void **state)
{
	static const uint64_t ext[] = { 0, 1 | 20ull << 32, 0x8000000, 0x1000000, 2 };
	struct {
		uint64_t next;
		uint32_t type, len;
		uint8_t seed[32];
	} seed = { 0xd000, 9, 32, "0123456789abcdef" }, wiped;

	(void)state;
	zp_begin();
	put(0x70, 0xe0000, 8);
	put(0x228, TEXT, 4);
	put(0x218, 0x400000, 4);
	put(0x21c, 0x1000, 4);
	put(0x250, 0xc000, 8);
	physmem_write(TEXT, "console=ttyS0", 14);
	physmem_write(0xc000, &seed, sizeof(seed));
	physmem_write(0xd000, ext, 36);
	assert_int_equal(linux64(), 0);
	assert_int_equal(bi.rsdp, 0xe0000);
	assert_string_equal(bi.cmdline, "console=ttyS0");
	assert_int_equal(bi.nr_modules, 1);
	assert_int_equal(bi.modules[0].len, 0x1000);
	assert_int_equal(bi.seed_len, 32);
	assert_memory_equal(bi.seed, seed.seed, 32);
	physmem_read(&wiped, 0xc000, sizeof(wiped));
	memset(seed.seed, 0, sizeof(seed.seed));
	assert_memory_equal(&wiped, &seed, sizeof(seed));
	assert_int_equal(bi.nr_mem, 2);
	assert_mem(0, 0x100000, 64 << 20, MEM_RAM);
	assert_mem(1, 0x8000000, 0x1000000, MEM_RESERVED);
}

static void test_linux64_refuses(void **state)
{
	const uint64_t loop[] = { 0xc000, 77 };
	const uint64_t long_seed[] = { 0, 9 | 0xffffffffull << 32 };

	(void)state;
	memset(zp, 0, sizeof(zp));
	assert_int_equal(linux64(), -EINVAL);
	assert_non_null(strstr(shim_log_text, "boot_params"));
	zp_begin();
	put(0x250, 0xc000, 8);
	physmem_write(0xc000, loop, sizeof(loop));
	assert_int_equal(linux64(), 0);
	assert_non_null(strstr(shim_log_text, "setup_data node 64"));
	physmem_write(0xc000, long_seed, sizeof(long_seed));
	assert_int_equal(linux64(), 0);
	assert_int_equal(bi.seed_len, sizeof(bi.seed));
	put(0x250, PHYSMEM_IMAGE, 8);
	assert_int_equal(linux64(), 0);
	assert_non_null(strstr(shim_log_text, "setup_data node 0"));
	put(0x1e8, 255, 1); /* more entries than the table has room for */
	assert_int_equal(linux64(), 0);
	assert_int_equal(bootinfo_fill(BOOT_ENTRY_LINUX64, PHYSMEM_IMAGE - 1, &bi), -EINVAL);
}

static void test_phys_window(void **state)
{
	(void)state;
	assert_null(phys_window(0, 1));
	assert_null(phys_window(0x1000, 0));
	assert_null(phys_window(UINT64_MAX, 2));
	assert_null(phys_window(PHYS_MAX - 1, 2));
	assert_null(phys_window(PHYSMEM_IMAGE - 1, 2));
	assert_null(phys_window(PHYSMEM_IMAGE + PHYSMEM_IMAGE_LEN - 1, 1));
	assert_non_null(phys_window(PHYSMEM_IMAGE - 1, 1));
	assert_non_null(phys_window(PHYSMEM_IMAGE + PHYSMEM_IMAGE_LEN, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_phys_window, setup),
		cmocka_unit_test_setup(test_pvh_microvm, setup),
		cmocka_unit_test_setup(test_pvh_refuses, setup),
		cmocka_unit_test_setup(test_cmdline_bounds, setup),
		cmocka_unit_test_setup(test_modules, setup),
		cmocka_unit_test_setup(test_module_text, setup),
		cmocka_unit_test_setup(test_map_overlaps, setup),
		cmocka_unit_test_setup(test_map_without_ram, setup),
		cmocka_unit_test_setup(test_map_fragments, setup),
		cmocka_unit_test_setup(test_map_random, setup),
		cmocka_unit_test_setup(test_multiboot2, setup),
		cmocka_unit_test_setup(test_multiboot2_efi, setup),
		cmocka_unit_test_setup(test_multiboot2_meminfo, setup),
		cmocka_unit_test_setup(test_multiboot2_refuses, setup),
		cmocka_unit_test_setup(test_linux64, setup),
		cmocka_unit_test_setup(test_linux64_refuses, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
