/* Loads an ELF64 file by its program headers (System V ABI, chapter 5), and finds its PVH entry. */
#include "test/boot/loader/loader.h"

struct elf_header {
	unsigned char ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

struct elf_note {
	uint32_t namesz, descsz, type;
};

enum { PT_LOAD = 1, PT_NOTE = 4, EM_X86_64 = 62, NOTE_PHYS32_ENTRY = 18 };

extern char loader_begin[];

static uint32_t find_pvh_entry(const char *at, const char *end)
{
	while ((size_t)(end - at) >= sizeof(struct elf_note)) {
		const struct elf_note *note = (const void *)at;
		const char *name = at + sizeof(*note);
		const char *value = name + ((note->namesz + 3) & ~3u);

		if (note->type == NOTE_PHYS32_ENTRY && note->namesz == 4 && !memcmp(name, "Xen", 4))
			return *(const uint32_t *)value;
		at = value + ((note->descsz + 3) & ~3u);
	}
	return 0;
}

static void load_segment(const struct elf_segment *segment, const char *file)
{
	char *to = (char *)(uintptr_t)segment->paddr;

	if (segment->paddr < 0x100000 || segment->paddr + segment->memsz > (uintptr_t)loader_begin)
		fail("a segment is not between 1 MiB and the loader");
	memcpy(to, file + segment->offset, (size_t)segment->filesz);
	memset(to + segment->filesz, 0, (size_t)(segment->memsz - segment->filesz));
}

struct elf_image elf_load(const struct machine *machine)
{
	const char *file = (const char *)(uintptr_t)machine->module;
	const struct elf_header *header = (const void *)file;
	const struct elf_segment *segments = (const void *)(file + header->phoff);
	struct elf_image image = { .entry = (uint32_t)header->entry };

	if (machine->module_len < sizeof(*header) || memcmp(header->ident, "\177ELF\2\1", 6) ||
	    header->machine != EM_X86_64 || header->phentsize != sizeof(*segments) ||
	    header->phoff + header->phnum * sizeof(*segments) > machine->module_len)
		fail("the module is no ELF64 file for x86-64");
	for (unsigned i = 0; i < header->phnum; i++) {
		if (segments[i].offset + segments[i].filesz > machine->module_len)
			fail("a segment reaches past the end of the file");
		if (segments[i].type == PT_LOAD)
			load_segment(&segments[i], file);
		if (segments[i].type == PT_NOTE && !image.pvh_entry)
			image.pvh_entry = find_pvh_entry(file + segments[i].offset,
							 file + segments[i].offset + segments[i].filesz);
	}
	return image;
}
