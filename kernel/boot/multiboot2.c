/*
 * Multiboot2: GRUB, under BIOS and UEFI. The loader leaves the physical address of the boot information in EBX: a header
 * and a list of tags, each 8-byte aligned (Multiboot2 Specification 2.0, 3.6).
 */
#include "kernel/boot/bootinfo.h"
#include "kernel/boot/phys.h"
#include "kernel/core/log.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

/* The specification has no limit. Tags of a real loader take a few KiB; a frame buffer or ELF symbols may add more. */
#define MB2_SIZE_MAX MIB(1)

enum mb2_tag_type {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_MODULE = 3,
	MB2_BASIC_MEMINFO = 4,
	MB2_MMAP = 6,
	MB2_ACPI_OLD = 14,
	MB2_ACPI_NEW = 15,
	MB2_EFI_MMAP = 17,
};

struct mb2_tag {
	uint32_t type, size; /* size counts this header, not the padding after the tag */
};

struct mb2_mmap_entry {
	uint64_t base, len;
	uint32_t type, reserved;
};

/* UEFI 2.9, 7.2.3, EFI_MEMORY_DESCRIPTOR. */
struct efi_memory_descriptor {
	uint32_t type, pad;
	uint64_t phys, virt, nr_pages, attributes;
};

/* What the walk over the tags found, by the tag's address; NULL: there is none, or it is too short to be one. */
struct mb2_found {
	const uint32_t *meminfo, *mmap, *efi_mmap;
};

static void read_cmdline(const char *text, size_t len, struct bootinfo *bi)
{
	size_t n = strnlen(text, len);

	if (n >= sizeof(bi->cmdline)) {
		log_warn("multiboot2: the command line is cut");
		n = sizeof(bi->cmdline) - 1;
	}
	memcpy(bi->cmdline, text, n);
	bi->cmdline[n] = '\0';
}

static void read_module(const uint32_t *tag, size_t len, struct bootinfo *bi)
{
	const char *text = (const char *)&tag[4];
	uint32_t start = tag[2], end = tag[3];

	if (end < start || bootinfo_add_module(bi, start, end - start, text, strnlen(text, len - 16)))
		log_warn("multiboot2: module 0x%x-0x%x does not fit: ignored", start, end);
}

/*
 * The tag holds a copy of the RSDP, in memory that the map calls free. The ACPI code reads it when somebody asks, so its
 * pages leave the free memory. The copy of ACPI 2.0 (tag 15) is the better one.
 */
static void read_rsdp(uint32_t type, uint64_t pa, size_t len, struct bootinfo *bi)
{
	uint64_t page = ALIGN_DOWN(pa, PAGE_SIZE);

	if (type == MB2_ACPI_OLD && bi->rsdp)
		return;
	if (!bootinfo_add_mem(bi, page, ALIGN_UP(pa + len, PAGE_SIZE) - page, MEM_ACPI))
		bi->rsdp = pa;
}

static void read_tag(const uint32_t *tag, size_t len, uint64_t pa, struct bootinfo *bi, struct mb2_found *found)
{
	switch (tag[0]) {
	case MB2_CMDLINE:
		read_cmdline((const char *)&tag[2], len - 8, bi);
		break;
	case MB2_MODULE:
		if (len >= 16)
			read_module(tag, len, bi);
		break;
	case MB2_BASIC_MEMINFO:
		if (len >= 16)
			found->meminfo = tag;
		break;
	case MB2_MMAP:
		if (len >= 16)
			found->mmap = tag;
		break;
	case MB2_EFI_MMAP:
		if (len >= 16)
			found->efi_mmap = tag;
		break;
	case MB2_ACPI_OLD:
	case MB2_ACPI_NEW:
		if (len >= 8 + 20)
			read_rsdp(tag[0], pa + 8, len - 8, bi);
		break;
	}
}

static void add_mem(struct bootinfo *bi, uint64_t base, uint64_t len, uint32_t type)
{
	if (bootinfo_add_mem(bi, base, len, type))
		log_warn("multiboot2: memory 0x%llx+0x%llx does not fit in the map: ignored", (unsigned long long)base,
			 (unsigned long long)len);
}

/* Both kinds of map: size of one entry at +8 (at least ENTRY_MIN, a multiple of 8), its version at +12, then entries. */
static size_t map_entry_size(const uint32_t *tag, size_t entry_min)
{
	if (tag[2] >= entry_min && IS_ALIGNED(tag[2], 8u))
		return tag[2];
	log_warn("multiboot2: memory map (tag %u) with entries of %u bytes: ignored", tag[0], tag[2]);
	return 0;
}

static void read_mmap(const uint32_t *tag, struct bootinfo *bi)
{
	size_t size = map_entry_size(tag, sizeof(struct mb2_mmap_entry));

	for (size_t off = 16; size && off <= tag[1] && size <= tag[1] - off; off += size) {
		const struct mb2_mmap_entry *entry = (const void *)((const char *)tag + off);

		add_mem(bi, entry->base, entry->len, entry->type);
	}
}

/* UEFI 2.9, table 7-6 "Memory Type Usage after ExitBootServices()". */
static enum mem_type efi_mem_type(uint32_t type)
{
	switch (type) {
	case 1: /* EfiLoaderCode */
	case 2: /* EfiLoaderData */
	case 3: /* EfiBootServicesCode */
	case 4: /* EfiBootServicesData */
	case 7: /* EfiConventionalMemory */
		return MEM_RAM;
	case 8: /* EfiUnusableMemory */
		return MEM_UNUSABLE;
	case 9: /* EfiACPIReclaimMemory */
		return MEM_ACPI;
	case 10: /* EfiACPIMemoryNVS */
		return MEM_NVS;
	default:
		return MEM_RESERVED;
	}
}

/*
 * UEFI maps have well over a hundred descriptors; neighbours of one type are joined before they are added. What follows a
 * full map is left out, so the memory there is not used.
 */
static void read_efi_mmap(const uint32_t *tag, struct bootinfo *bi)
{
	size_t size = map_entry_size(tag, sizeof(struct efi_memory_descriptor));
	struct mem_range run = { 0, 0, MEM_RAM };

	for (size_t off = 16; size && off <= tag[1] && size <= tag[1] - off; off += size) {
		const struct efi_memory_descriptor *d = (const void *)((const char *)tag + off);
		enum mem_type type = efi_mem_type(d->type);
		uint64_t len;

		if (__builtin_mul_overflow(d->nr_pages, 4096, &len) || d->phys + len < d->phys)
			continue;
		if (type == run.type && d->phys == run.base + run.len) {
			run.len += len;
		} else {
			add_mem(bi, run.base, run.len, run.type);
			run = (struct mem_range){ d->phys, len, type };
		}
	}
	add_mem(bi, run.base, run.len, run.type);
}

/* Kibibytes below 640 KiB, and from 1 MiB up to the first hole (3.6.4). */
static void read_meminfo(const uint32_t *tag, struct bootinfo *bi)
{
	add_mem(bi, 0, KIB(MIN(tag[2], 640u)), MEM_RAM);
	add_mem(bi, MIB(1), KIB(tag[3]), MEM_RAM);
}

static int multiboot2_fill(uint64_t info, struct bootinfo *bi)
{
	const uint32_t *head = IS_ALIGNED(info, 8) ? phys_window(info, 8) : NULL;
	uint32_t total = head ? head[0] : 0;
	struct mb2_found found = { 0 };
	const char *base;

	base = total >= 16 && total <= MB2_SIZE_MAX ? phys_window(info, total) : NULL;
	if (!base) {
		log_err("multiboot2: no boot information at 0x%llx (%u bytes)", (unsigned long long)info, total);
		return -EINVAL;
	}
	for (size_t off = 8; off <= total - sizeof(struct mb2_tag);) {
		const struct mb2_tag *tag = (const void *)(base + off);

		if (tag->size < sizeof(*tag) || tag->size > total - off) {
			log_warn("multiboot2: tag %u at offset %zu has %u bytes: ignoring what follows", tag->type, off,
				 tag->size);
			break;
		}
		if (tag->type == MB2_END)
			break;
		read_tag((const uint32_t *)tag, tag->size, info + off, bi, &found);
		off = ALIGN_UP(off + tag->size, 8);
	}
	if (found.mmap)
		read_mmap(found.mmap, bi);
	else if (found.efi_mmap)
		read_efi_mmap(found.efi_mmap, bi);
	else if (found.meminfo)
		read_meminfo(found.meminfo, bi);
	return 0;
}

BOOT_PROTOCOL(multiboot2) = {
	.name = "multiboot2",
	.entry = BOOT_ENTRY_MULTIBOOT2,
	.fill = multiboot2_fill,
};
