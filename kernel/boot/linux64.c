/*
 * The 64-bit entry of the Linux boot protocol, which Firecracker uses: the loader leaves the physical address of the "zero
 * page", struct boot_params, in RSI (Linux Documentation/x86/boot.rst, "64-bit Boot Protocol", and zero-page.rst for the
 * offsets). The zero page is packed, so its fields are read by offset.
 */
#include "kernel/boot/bootinfo.h"
#include "kernel/boot/phys.h"
#include "kernel/core/log.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

enum zero_page_offset {
	ZP_ACPI_RSDP_ADDR = 0x070,
	ZP_EXT_RAMDISK_IMAGE = 0x0c0,
	ZP_EXT_RAMDISK_SIZE = 0x0c4,
	ZP_EXT_CMD_LINE_PTR = 0x0c8,
	ZP_E820_ENTRIES = 0x1e8,
	ZP_HEADER_MAGIC = 0x202,
	ZP_RAMDISK_IMAGE = 0x218,
	ZP_RAMDISK_SIZE = 0x21c,
	ZP_CMD_LINE_PTR = 0x228,
	ZP_SETUP_DATA = 0x250,
	ZP_E820_TABLE = 0x2d0,
	ZP_SIZE = 0x1000,
};

#define ZP_MAGIC 0x53726448u /* "HdrS" */
#define E820_ENTRY_SIZE 20u  /* u64 address, u64 length, u32 type, packed */
#define E820_ENTRIES_MAX 128u
#define SETUP_DATA_NODES_MAX 64

enum setup_data_type {
	SETUP_E820_EXT = 1,
	SETUP_RNG_SEED = 9,
};

struct setup_data {
	uint64_t next;
	uint32_t type, len; /* len: of the data that follows */
} __attribute__((packed));

static uint32_t get32(const uint8_t *p)
{
	uint32_t value;

	__builtin_memcpy(&value, p, sizeof(value));
	return value;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

/* A field whose upper half came later in the protocol's life, at an offset of its own. */
static uint64_t get_split(const uint8_t *zp, enum zero_page_offset low, enum zero_page_offset high)
{
	return get32(zp + low) | (uint64_t)get32(zp + high) << 32;
}

static void read_e820(const uint8_t *table, unsigned n, struct bootinfo *bi)
{
	for (unsigned i = 0; i < n; i++, table += E820_ENTRY_SIZE) {
		if (bootinfo_add_mem(bi, get64(table), get64(table + 8), get32(table + 16)))
			log_warn("linux64: e820 entry %u does not fit in the map: ignored", i);
	}
}

/* The seed is used once: it does not stay where the loader put it. */
static void read_seed(uint64_t pa, size_t len, struct bootinfo *bi)
{
	const uint8_t *data;

	len = MIN(len, sizeof(bi->seed));
	data = phys_window(pa, len);
	if (!data)
		return;
	memcpy(bi->seed, data, len);
	bi->seed_len = len;
	memset(arch_phys_to_virt(pa), 0, len);
}

static void read_setup_data_node(uint64_t data_pa, const struct setup_data *node, struct bootinfo *bi)
{
	unsigned n = MIN(node->len / E820_ENTRY_SIZE, E820_ENTRIES_MAX);
	const uint8_t *table;

	switch (node->type) {
	case SETUP_E820_EXT:
		table = phys_window(data_pa, n * E820_ENTRY_SIZE);
		if (table)
			read_e820(table, n, bi);
		break;
	case SETUP_RNG_SEED:
		read_seed(data_pa, node->len, bi);
		break;
	}
}

/* A list in physical memory that may well run in a circle: followed for a bounded number of nodes. */
static void read_setup_data(uint64_t pa, struct bootinfo *bi)
{
	for (unsigned nodes = 0; pa; nodes++) {
		const struct setup_data *node = phys_window(pa, sizeof(*node));
		uint64_t next;

		if (!node || nodes == SETUP_DATA_NODES_MAX) {
			log_warn("linux64: setup_data node %u at 0x%llx: ignoring the rest of the list", nodes,
				 (unsigned long long)pa);
			return;
		}
		next = node->next;
		read_setup_data_node(pa + sizeof(*node), node, bi);
		pa = next;
	}
}

static int linux64_fill(uint64_t info, struct bootinfo *bi)
{
	const uint8_t *zp = phys_window(info, ZP_SIZE);
	uint64_t cmdline, ramdisk, ramdisk_len;

	if (!zp || get32(zp + ZP_HEADER_MAGIC) != ZP_MAGIC) {
		log_err("linux64: no boot_params with a setup header at 0x%llx", (unsigned long long)info);
		return -EINVAL;
	}
	bi->rsdp = get64(zp + ZP_ACPI_RSDP_ADDR);
	cmdline = get_split(zp, ZP_CMD_LINE_PTR, ZP_EXT_CMD_LINE_PTR);
	if (cmdline && phys_read_string(bi->cmdline, sizeof(bi->cmdline), cmdline) < 0)
		log_warn("linux64: the command line is cut");
	ramdisk = get_split(zp, ZP_RAMDISK_IMAGE, ZP_EXT_RAMDISK_IMAGE);
	ramdisk_len = get_split(zp, ZP_RAMDISK_SIZE, ZP_EXT_RAMDISK_SIZE);
	if (ramdisk && ramdisk_len && bootinfo_add_module(bi, ramdisk, ramdisk_len, NULL, 0))
		log_warn("linux64: initial RAM disk does not fit: ignored");
	if (zp[ZP_E820_ENTRIES] > E820_ENTRIES_MAX)
		log_warn("linux64: e820 map has %u entries, taking %u", zp[ZP_E820_ENTRIES], E820_ENTRIES_MAX);
	read_e820(zp + ZP_E820_TABLE, MIN(zp[ZP_E820_ENTRIES], E820_ENTRIES_MAX), bi);
	read_setup_data(get64(zp + ZP_SETUP_DATA), bi);
	return 0;
}

BOOT_PROTOCOL(linux64) = {
	.name = "linux64",
	.entry = BOOT_ENTRY_LINUX64,
	.fill = linux64_fill,
};
