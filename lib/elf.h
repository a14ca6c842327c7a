/*
 * ELF64 executables for x86-64, as a program loader reads them (gABI 4.1, chapters 4 and 5; psABI x86-64). The file is hostile:
 * every number that the caller gets from here has been checked against the file's length and against each other.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The largest e_phnum that is accepted, and so the largest program header table. */
#define ELF_SEGMENTS_MAX 64
#define ELF_HEADER_SIZE 64
#define ELF_PHDR_SIZE 56

enum elf_flags { ELF_EXEC = 1, ELF_WRITE = 2, ELF_READ = 4 }; /* p_flags */

struct elf_segment {
	uint64_t va, off, file_len, mem_len; /* va and off agree modulo the page size */
	unsigned flags;			     /* enum elf_flags */
};

struct elf_program {
	bool is_pie; /* ET_DYN: addresses are relative to where it is put */
	uint64_t entry;
	uint64_t phdr_va; /* where the program headers are in memory; 0: in no segment */
	unsigned nr_phdr;
	uint64_t start, end;		 /* page-aligned bounds of all segments */
	uint64_t align;			 /* the largest that a segment asks for, a power of two, at least a page */
	bool stack_exec;		 /* PT_GNU_STACK asks for it */
	uint64_t interp_off, interp_len; /* path of the interpreter in the file, terminator included; len 0: none */
	unsigned nr_segments;
	struct elf_segment segments[ELF_SEGMENTS_MAX]; /* PT_LOAD, ascending, no two share a page */
};

/*
 * What the first ELF_HEADER_SIZE BYTES say of the program header table, in a file of FILE_LEN bytes: where it is and how long.
 * NULL, or what is wrong in a few words ("not an ELF file").
 */
const char *elf_header_check(const void *bytes, uint64_t file_len, uint64_t *phdrs_off, size_t *phdrs_len);
/* Fills PROGRAM from the same bytes and its program headers. NULL, or what is wrong. */
const char *elf_program_read(const void *bytes, const void *phdrs, uint64_t file_len, struct elf_program *program);

#endif
