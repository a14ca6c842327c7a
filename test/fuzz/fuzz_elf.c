/* Any bytes as an ELF file; what is accepted keeps its promises. */
#include <stdlib.h>
#include <string.h>

#include "lib/elf.h"

static void expect(bool condition)
{
	if (!condition)
		abort();
}

static void program_check(const struct elf_program *program, uint64_t len)
{
	uint64_t end = program->start;

	expect(program->nr_segments > 0 && program->nr_segments <= ELF_SEGMENTS_MAX);
	expect(program->entry >= program->start && program->entry < program->end);
	expect(program->interp_off <= len && program->interp_len <= len - program->interp_off);
	for (unsigned i = 0; i < program->nr_segments; i++) {
		const struct elf_segment *segment = &program->segments[i];

		expect(segment->off <= len && segment->file_len <= len - segment->off);
		expect(segment->file_len <= segment->mem_len && segment->va + segment->mem_len <= program->end);
		expect((segment->va & ~4095ul) >= end);
		end = segment->va + segment->mem_len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct elf_program program;
	char header[ELF_HEADER_SIZE] = { 0 };
	uint64_t off;
	size_t phdrs_len;
	char *phdrs;

	memcpy(header, data, len < sizeof(header) ? len : sizeof(header));
	if (elf_header_check(header, len, &off, &phdrs_len))
		return 0;
	expect(off <= len && phdrs_len <= len - off);
	phdrs = malloc(phdrs_len);
	memcpy(phdrs, data + off, phdrs_len);
	if (!elf_program_read(header, phdrs, len, &program))
		program_check(&program, len);
	free(phdrs);
	return 0;
}
