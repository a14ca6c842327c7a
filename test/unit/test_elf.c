/* lib/elf.c: a small program that is right, headers with one lie each, and this test's own file. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/elf.h"

#define FILE_LEN 0x4000

static struct {
	Elf64_Ehdr header;
	Elf64_Phdr phdrs[4];
} file;
static struct elf_program program;

static int make_file(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	file.header = (Elf64_Ehdr){
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_entry = 0x1234,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 4,
	};
	file.phdrs[0] = (Elf64_Phdr){ PT_INTERP, PF_R, 0x200, 0x200, 0x200, 28, 28, 1 };
	file.phdrs[1] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0, 0, 0, 0x2000, 0x2000, 0x1000 };
	file.phdrs[2] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, 0x2e00, 0x3e00, 0x3e00, 0x300, 0x1800, 0x10000 };
	file.phdrs[3] = (Elf64_Phdr){ PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16 };
	return 0;
}

/* What is wrong with the file as it is now, NULL: nothing. */
static const char *read_file(void)
{
	uint64_t off;
	size_t len;
	const char *wrong = elf_header_check(&file.header, FILE_LEN, &off, &len);

	if (wrong)
		return wrong;
	assert_true(off <= FILE_LEN && len <= FILE_LEN - off);
	return elf_program_read(&file.header, file.phdrs, FILE_LEN, &program);
}

static void test_right(void **state)
{
	(void)state;
	assert_null(read_file());
	assert_true(program.is_pie);
	assert_int_equal(program.entry, 0x1234);
	assert_int_equal(program.nr_segments, 2);
	assert_int_equal(program.start, 0);
	assert_int_equal(program.end, 0x6000);
	assert_int_equal(program.align, 0x10000);
	assert_int_equal(program.phdr_va, sizeof(Elf64_Ehdr));
	assert_int_equal(program.interp_off, 0x200);
	assert_int_equal(program.interp_len, 28);
	assert_false(program.stack_exec);
	assert_int_equal(program.segments[1].mem_len, 0x1800);
	file.phdrs[3].p_flags |= PF_X;
	assert_null(read_file());
	assert_true(program.stack_exec);
}

/* Every word of a lie replaces SIZE bytes at FIELD. */
struct lie {
	size_t field, size;
	uint64_t value;
	const char *says;
};
#define HEADER(member, value, says)                                                                                    \
	{                                                                                                              \
		offsetof(Elf64_Ehdr, member), sizeof(file.header.member), value, says                                  \
	}
#define PHDR(n, member, value, says)                                                                                   \
	{                                                                                                              \
		sizeof(Elf64_Ehdr) + (n) * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, member),                          \
			sizeof(file.phdrs[0].member), value, says                                                      \
	}

static const struct lie lies[] = {
	{ 0, 4, 0x21212323, "not an ELF file" },
	{ EI_CLASS, 1, ELFCLASS32, "64-bit" },
	{ EI_DATA, 1, ELFDATA2MSB, "64-bit" },
	HEADER(e_machine, EM_AARCH64, "arm64"),
	HEADER(e_machine, EM_386, "32-bit x86"),
	HEADER(e_machine, EM_RISCV, "another machine"),
	HEADER(e_type, ET_REL, "not an executable"),
	HEADER(e_phnum, 0, "program headers"),
	HEADER(e_phnum, 65535, "program headers"),
	HEADER(e_phentsize, 32, "program headers"),
	HEADER(e_phoff, UINT64_MAX - 8, "past the end"),
	HEADER(e_phoff, FILE_LEN - 8, "past the end"),
	HEADER(e_entry, 0x6000, "entry point"),
	HEADER(e_entry, UINT64_MAX, "entry point"),
	PHDR(1, p_filesz, 0x2001, "larger in the file"),
	PHDR(1, p_offset, UINT64_MAX - 0xfff, "past the end"),
	PHDR(2, p_filesz, UINT64_MAX, "larger in the file"),
	PHDR(2, p_memsz, UINT64_MAX, "outside of the address space"),
	PHDR(2, p_vaddr, 0xfffffffffffffe00, "outside of the address space"),
	PHDR(2, p_vaddr, 0x3e08, "differ within a page"),
	PHDR(2, p_vaddr, 0x1e00, "overlap"),
	PHDR(2, p_align, 0x3000, "alignment"),
	PHDR(2, p_align, 1ull << 40, "alignment"),
	PHDR(0, p_filesz, 0, "interpreter"),
	PHDR(0, p_filesz, 1 << 20, "interpreter"),
	PHDR(0, p_offset, FILE_LEN, "interpreter"),
	PHDR(3, p_type, PT_INTERP, "more than one"),
};

static void test_lies(void **state)
{
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		const char *wrong;

		make_file(state);
		memcpy((char *)&file + lies[i].field, &lies[i].value, lies[i].size);
		wrong = read_file();
		if (!wrong || !strstr(wrong, lies[i].says))
			fail_msg("lie %zu: expected \"%s\", got \"%s\"", i, lies[i].says, wrong ? wrong : "nothing");
	}
}

static void test_short(void **state)
{
	uint64_t off;
	size_t len;

	(void)state;
	assert_non_null(elf_header_check(&file.header, ELF_HEADER_SIZE - 1, &off, &len));
	file.phdrs[1].p_type = file.phdrs[2].p_type = PT_NULL;
	assert_string_equal(read_file(), "nothing to load");
}

static void test_real(void **state)
{
	static char bytes[4096];
	FILE *self = fopen("/proc/self/exe", "rb");
	uint64_t off;
	size_t len;

	(void)state;
	assert_non_null(self);
	assert_int_equal(fread(bytes, 1, sizeof(bytes), self), sizeof(bytes));
	fseek(self, 0, SEEK_END);
	assert_null(elf_header_check(bytes, (uint64_t)ftell(self), &off, &len));
	assert_true(off + len <= sizeof(bytes));
	assert_null(elf_program_read(bytes, bytes + off, (uint64_t)ftell(self), &program));
	assert_true(program.interp_len > 0 && program.nr_segments >= 2);
	fclose(self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_right, make_file),
		cmocka_unit_test_setup(test_lies, make_file),
		cmocka_unit_test_setup(test_short, make_file),
		cmocka_unit_test(test_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
