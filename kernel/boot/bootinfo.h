/*
 * What every boot protocol hands to the kernel: one struct, the same whoever started us. A protocol is one file that
 * registers a struct boot_protocol and only fills struct bootinfo; nothing else reads the protocol's own tables.
 * All addresses here are physical; lengths are in bytes.
 */
#ifndef KERNEL_BOOT_BOOTINFO_H
#define KERNEL_BOOT_BOOTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOTINFO_MEM_MAX 128
#define BOOTINFO_MODULE_MAX 16
#define BOOTINFO_CMDLINE_MAX 4096

/* ACPI 6.4, table 15-10 "Address Range Types"; the PVH and multiboot2 maps use the same numbers. */
enum mem_type {
	MEM_RAM = 1,
	MEM_RESERVED = 2,
	MEM_ACPI = 3,
	MEM_NVS = 4,
	MEM_UNUSABLE = 5,
};

struct mem_range {
	uint64_t base, len;
	enum mem_type type;
};

struct boot_module {
	uint64_t base, len;
	const char *cmdline; /* inside bootinfo.module_text; never NULL */
};

struct bootinfo {
	const char *protocol;			/* "pvh", "multiboot2", "linux64" */
	struct mem_range mem[BOOTINFO_MEM_MAX]; /* after bootinfo_fill: sorted, no overlaps, RAM page-aligned */
	unsigned nr_mem;
	struct boot_module modules[BOOTINFO_MODULE_MAX];
	unsigned nr_modules;
	uint64_t rsdp;	  /* 0: the protocol did not say; the ACPI code then scans for it */
	uint8_t seed[64]; /* entropy from the loader; wiped once random_init has taken it */
	unsigned seed_len;
	char cmdline[BOOTINFO_CMDLINE_MAX];
	char module_text[1024];
	size_t module_text_len; /* used, terminators included */
};

/* How the machine entered the image; start.S sets it. */
enum boot_entry {
	BOOT_ENTRY_PVH = 1,
	BOOT_ENTRY_MULTIBOOT2 = 2,
	BOOT_ENTRY_LINUX64 = 3,
};

struct boot_protocol {
	const char *name;
	enum boot_entry entry;
	/* INFO is what the loader left in EBX or RSI. 0, or -EINVAL after a log line that says what is wrong. */
	int (*fill)(uint64_t info, struct bootinfo *bi);
};

/* Puts a protocol into the image's table: linking its object is what enables it. */
#define BOOT_PROTOCOL(name)                                                                                            \
	const struct boot_protocol boot_protocol_##name                                                                \
		__attribute__((section(".boot_protocols"), used, aligned(__alignof__(struct boot_protocol))))

/*
 * Finds the protocol for ENTRY, fills BI (all zero on entry), and makes the memory map sane: sorted, overlaps resolved in
 * favour of the less usable type, RAM trimmed to whole pages, ranges beyond the CPU's physical address width dropped, the
 * first page never RAM. Panics are the caller's: returns 0, -ENODEV (protocol not linked in), -EINVAL (after a log line).
 */
int bootinfo_fill(enum boot_entry entry, uint64_t info, struct bootinfo *bi);

/*
 * Adds a range to BI->mem; -ENOSPC when full, -EINVAL when it wraps. An empty range is left out, a type that enum mem_type
 * does not know becomes MEM_RESERVED. For boot protocols, before the map is made sane.
 */
int bootinfo_add_mem(struct bootinfo *bi, uint64_t base, uint64_t len, uint32_t type);

/*
 * Adds a module; TEXT may be NULL, needs no terminator, and is cut where BI->module_text ends. -ENOSPC when full, -EINVAL
 * when the module wraps or touches the kernel's image.
 */
int bootinfo_add_module(struct bootinfo *bi, uint64_t base, uint64_t len, const char *text, size_t text_len);

#endif
