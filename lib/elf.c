#include "lib/elf.h"

#include "lib/string.h"
#include "lib/util.h"

#define ELF_PAGE 4096ul
/* No address of a program is above; so sums of two never wrap. */
#define ADDRESS_MAX (1ul << 47)
#define INTERP_MAX 4096
#define ALIGN_MAX (1ul << 30)

struct header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
_Static_assert(sizeof(struct header) == ELF_HEADER_SIZE, "gABI: Elf64_Ehdr");

struct phdr {
	uint32_t type, flags;
	uint64_t off, va, pa, file_len, mem_len, align;
};
_Static_assert(sizeof(struct phdr) == ELF_PHDR_SIZE, "gABI: Elf64_Phdr");

enum { ET_EXEC = 2, ET_DYN = 3, EM_X86_64 = 62, EM_AARCH64 = 183, EM_386 = 3 };
enum { PT_LOAD = 1, PT_INTERP = 3, PT_PHDR = 6, PT_GNU_STACK = 0x6474e551 };

static const char *machine_check(const struct header *header)
{
	if (header->machine == EM_X86_64)
		return NULL;
	return header->machine == EM_AARCH64 ? "a program for arm64"
	       : header->machine == EM_386   ? "a program for 32-bit x86"
					     : "a program for another machine";
}

const char *elf_header_check(const void *bytes, uint64_t file_len, uint64_t *phdrs_off, size_t *phdrs_len)
{
	struct header header;
	const char *wrong;

	if (file_len < sizeof(header))
		return "too short for an ELF file";
	memcpy(&header, bytes, sizeof(header));
	if (memcmp(header.ident, "\177ELF", 4) != 0)
		return "not an ELF file";
	wrong = machine_check(&header);
	if (wrong)
		return wrong;
	if (header.ident[4] != 2 || header.ident[5] != 1 || header.ident[6] != 1)
		return "not a 64-bit little-endian ELF file";
	if (header.type != ET_EXEC && header.type != ET_DYN)
		return "not an executable file";
	if (header.phentsize != ELF_PHDR_SIZE || header.phnum == 0 || header.phnum > ELF_SEGMENTS_MAX)
		return "program headers of an unknown size or number";
	*phdrs_off = header.phoff;
	*phdrs_len = (size_t)header.phnum * ELF_PHDR_SIZE;
	if (header.phoff > file_len || *phdrs_len > file_len - header.phoff)
		return "program headers past the end of the file";
	return NULL;
}

static const char *load_check(const struct phdr *phdr, uint64_t file_len, uint64_t previous_end)
{
	if (phdr->file_len > phdr->mem_len)
		return "a segment is larger in the file than in memory";
	if (phdr->off > file_len || phdr->file_len > file_len - phdr->off)
		return "a segment past the end of the file";
	if (phdr->va >= ADDRESS_MAX || phdr->mem_len >= ADDRESS_MAX)
		return "a segment outside of the address space";
	if ((phdr->va - phdr->off) % ELF_PAGE)
		return "a segment whose address and offset differ within a page";
	if (phdr->align > ALIGN_MAX || phdr->align & (phdr->align - 1))
		return "a segment with an alignment that is no power of two or too large";
	if (ALIGN_DOWN(phdr->va, ELF_PAGE) < previous_end)
		return "segments that overlap or are out of order";
	return NULL;
}

static const char *load_add(struct elf_program *program, const struct phdr *phdr, uint64_t file_len)
{
	const char *wrong = load_check(phdr, file_len, program->end);

	if (wrong || !phdr->mem_len)
		return wrong;
	if (!program->nr_segments)
		program->start = ALIGN_DOWN(phdr->va, ELF_PAGE);
	program->end = ALIGN_UP(phdr->va + phdr->mem_len, ELF_PAGE);
	program->align = MAX(program->align, phdr->align);
	program->segments[program->nr_segments++] = (struct elf_segment){
		.va = phdr->va,
		.off = phdr->off,
		.file_len = phdr->file_len,
		.mem_len = phdr->mem_len,
		.flags = phdr->flags & (ELF_EXEC | ELF_WRITE | ELF_READ),
	};
	return NULL;
}

static const char *interp_add(struct elf_program *program, const struct phdr *phdr, uint64_t file_len)
{
	if (program->interp_len)
		return "more than one interpreter";
	if (phdr->file_len < 2 || phdr->file_len > INTERP_MAX || phdr->off > file_len ||
	    phdr->file_len > file_len - phdr->off)
		return "an interpreter's path of a strange length";
	program->interp_off = phdr->off;
	program->interp_len = phdr->file_len;
	return NULL;
}

static const char *phdr_add(struct elf_program *program, const struct phdr *phdr, uint64_t file_len)
{
	switch (phdr->type) {
	case PT_LOAD:
		return load_add(program, phdr, file_len);
	case PT_INTERP:
		return interp_add(program, phdr, file_len);
	case PT_GNU_STACK:
		program->stack_exec = phdr->flags & ELF_EXEC;
		return NULL;
	default:
		return NULL;
	}
}

/* Where the table lies in memory: in the segment that has its part of the file. */
static uint64_t phdrs_find(const struct elf_program *program, uint64_t off, size_t len)
{
	for (unsigned i = 0; i < program->nr_segments; i++) {
		const struct elf_segment *segment = &program->segments[i];

		if (off >= segment->off && off - segment->off <= segment->file_len &&
		    len <= segment->file_len - (off - segment->off))
			return segment->va + (off - segment->off);
	}
	return 0;
}

const char *elf_program_read(const void *bytes, const void *phdrs, uint64_t file_len, struct elf_program *program)
{
	struct header header;
	struct phdr phdr;

	memcpy(&header, bytes, sizeof(header));
	memset(program, 0, sizeof(*program));
	program->is_pie = header.type == ET_DYN;
	program->entry = header.entry;
	program->nr_phdr = header.phnum;
	program->align = ELF_PAGE;
	for (unsigned i = 0; i < header.phnum; i++) {
		const char *wrong;

		memcpy(&phdr, (const char *)phdrs + i * sizeof(phdr), sizeof(phdr));
		wrong = phdr_add(program, &phdr, file_len);
		if (wrong)
			return wrong;
	}
	if (!program->nr_segments)
		return "nothing to load";
	if (program->entry < program->start || program->entry >= program->end)
		return "an entry point outside of its segments";
	program->phdr_va = phdrs_find(program, header.phoff, (size_t)header.phnum * sizeof(phdr));
	return NULL;
}
