/*
 * drupe-symtab IMAGE TABLE: reads the functions of a linked image and writes the symbol table (abi/symtab.h) as assembler text
 * for a second link of the same image.
 *
 * The names are compressed by byte pairs: the two neighbouring codes that occur together most often become one new code, again
 * and again, until the codes are used up or a new one would not pay.
 */
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/symtab.h"

#define NR_CODES (SYMTAB_TOKEN_FIRST + SYMTAB_TOKEN_MAX)

struct symbol {
	uint64_t address;
	char name[SYMTAB_NAME_MAX + 1];
	bool local;
	uint8_t codes[SYMTAB_NAME_MAX + 1]; /* the name, compressed, with its NUL */
	size_t nr_codes;
};

struct image {
	struct symbol *symbols;
	size_t nr_symbols, room;
	uint64_t base, text_end;
};

static const char literals[] = SYMTAB_LITERALS;
static uint8_t tokens[SYMTAB_TOKEN_MAX][2];
static size_t nr_tokens;

static void symbol_add(struct image *image, const char *name, const GElf_Sym *sym)
{
	struct symbol *symbol;

	if (image->nr_symbols == image->room) {
		image->room = image->room ? 2 * image->room : 256;
		image->symbols = reallocarray(image->symbols, image->room, sizeof(*image->symbols));
		if (!image->symbols)
			err(1, "symbols");
	}
	symbol = &image->symbols[image->nr_symbols++];
	memset(symbol, 0, sizeof(*symbol));
	symbol->address = sym->st_value;
	symbol->local = GELF_ST_BIND(sym->st_info) == STB_LOCAL;
	snprintf(symbol->name, sizeof(symbol->name), "%s", name);
}

/* A function, or a label in assembler code; not the linker script's marks, which stand at a section's edges. */
static bool is_code(Elf *elf, const GElf_Sym *sym, const char *name)
{
	Elf_Scn *section;
	GElf_Shdr header;

	if (!*name || name[0] == '.' || sym->st_shndx == SHN_UNDEF || sym->st_shndx >= SHN_LORESERVE)
		return false;
	section = elf_getscn(elf, sym->st_shndx);
	if (!section || !gelf_getshdr(section, &header) || !(header.sh_flags & SHF_EXECINSTR))
		return false;
	return GELF_ST_TYPE(sym->st_info) == STT_FUNC || GELF_ST_TYPE(sym->st_info) == STT_NOTYPE;
}

static void read_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, struct image *image, const char *path)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;

	if (!data)
		errx(1, "%s: symbol table: %s", path, elf_errmsg(-1));
	for (size_t i = 0; i < n; i++) {
		GElf_Sym sym;
		const char *name;

		if (!gelf_getsym(data, (int)i, &sym))
			errx(1, "%s: symbol %zu: %s", path, i, elf_errmsg(-1));
		name = elf_strptr(elf, header->sh_link, sym.st_name);
		if (!name)
			errx(1, "%s: name of symbol %zu: %s", path, i, elf_errmsg(-1));
		if (!strcmp(name, "image_start"))
			image->base = sym.st_value;
		else if (!strcmp(name, "text_end"))
			image->text_end = sym.st_value;
		else if (is_code(elf, &sym, name))
			symbol_add(image, name, &sym);
	}
}

static void read_image(const char *path, struct image *image)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	Elf *elf;

	if (fd < 0)
		err(1, "%s", path);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		errx(1, "%s: not an ELF file", path);
	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header))
			errx(1, "%s: section header: %s", path, elf_errmsg(-1));
		if (header.sh_type == SHT_SYMTAB)
			read_symbols(elf, section, &header, image, path);
	}
	if (!image->base || image->text_end <= image->base)
		errx(1, "%s: no symbols image_start and text_end: not a linked image, or stripped", path);
	elf_end(elf);
	close(fd);
}

/* By address; of several names for one address the global one first, then by name so that builds can be repeated. */
static int compare_symbols(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->local != y->local)
		return x->local ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void sort_symbols(struct image *image)
{
	size_t n = 0;

	qsort(image->symbols, image->nr_symbols, sizeof(*image->symbols), compare_symbols);
	for (size_t i = 0; i < image->nr_symbols; i++) {
		struct symbol *symbol = &image->symbols[i];

		if (symbol->address < image->base || symbol->address >= image->text_end ||
		    (n && image->symbols[n - 1].address == symbol->address))
			continue;
		image->symbols[n++] = *symbol;
	}
	image->nr_symbols = n;
	if (n > UINT16_MAX)
		errx(1, "%zu functions are more than the table can hold", n);
}

static void encode_plain(struct symbol *symbol)
{
	symbol->nr_codes = strlen(symbol->name) + 1;
	for (size_t i = 0; i + 1 < symbol->nr_codes; i++) {
		const char *literal = strchr(&literals[1], symbol->name[i]);

		symbol->codes[i] = literal ? (uint8_t)(literal - literals) : 1; /* '_' for what has no code */
	}
}

/* The pair that occurs most often; how often. Nothing may follow a NUL, so no pair begins with one. */
static unsigned best_pair(const struct image *image, uint8_t pair[2])
{
	static unsigned count[NR_CODES][NR_CODES];
	unsigned best = 0;

	memset(count, 0, sizeof(count));
	for (size_t s = 0; s < image->nr_symbols; s++) {
		const struct symbol *symbol = &image->symbols[s];

		for (size_t i = 0; i + 1 < symbol->nr_codes; i++)
			count[symbol->codes[i]][symbol->codes[i + 1]]++;
	}
	for (unsigned a = 0; a < NR_CODES; a++)
		for (unsigned b = 0; b < NR_CODES; b++)
			if (count[a][b] > best) {
				best = count[a][b];
				pair[0] = (uint8_t)a;
				pair[1] = (uint8_t)b;
			}
	return best;
}

static void replace_pair(struct symbol *symbol, const uint8_t pair[2], uint8_t code)
{
	size_t n = 0;

	for (size_t i = 0; i < symbol->nr_codes; i++) {
		if (i + 1 < symbol->nr_codes && symbol->codes[i] == pair[0] && symbol->codes[i + 1] == pair[1]) {
			symbol->codes[n++] = code;
			i++;
		} else {
			symbol->codes[n++] = symbol->codes[i];
		}
	}
	symbol->nr_codes = n;
}

static void compress(struct image *image)
{
	for (size_t i = 0; i < image->nr_symbols; i++)
		encode_plain(&image->symbols[i]);
	/* A token costs its two bytes. */
	while (nr_tokens < SYMTAB_TOKEN_MAX && best_pair(image, tokens[nr_tokens]) > 2) {
		for (size_t i = 0; i < image->nr_symbols; i++)
			replace_pair(&image->symbols[i], tokens[nr_tokens], (uint8_t)(SYMTAB_TOKEN_FIRST + nr_tokens));
		nr_tokens++;
	}
}

static void write_byte(FILE *out, unsigned byte)
{
	fprintf(out, "\t.byte %u\n", byte);
}

static void write_uleb128(FILE *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		write_byte(out, (unsigned)(value & 0x7f) | 0x80);
	write_byte(out, (unsigned)value);
}

static void write_distance(FILE *out, uint64_t distance)
{
	write_uleb128(out, distance % 16 ? 2 * distance + 1 : 2 * (distance / 16));
}

static void write_table(const struct image *image, const char *path)
{
	FILE *out = fopen(path, "w");
	uint64_t last = image->base;

	if (!out)
		err(1, "%s", path);
	fprintf(out, "\t.section .symtab_guest,\"a\",@progbits\n\t.long %u, %u\n\t.short %zu\n\t.byte %zu, 0\n",
		SYMTAB_MAGIC, (unsigned)(image->text_end - image->base), image->nr_symbols, nr_tokens);
	for (size_t i = 0; i < nr_tokens; i++) {
		write_byte(out, tokens[i][0]);
		write_byte(out, tokens[i][1]);
	}
	for (size_t i = 0; i < image->nr_symbols; i++) {
		const struct symbol *symbol = &image->symbols[i];

		write_distance(out, symbol->address - last);
		for (size_t c = 0; c < symbol->nr_codes; c++)
			write_byte(out, symbol->codes[c]);
		last = symbol->address;
	}
	fprintf(out, "\t.section .note.GNU-stack,\"\",@progbits\n");
	if (ferror(out) || fclose(out))
		err(1, "%s", path);
}

int main(int argc, char **argv)
{
	struct image image = { 0 };

	if (argc != 3)
		errx(2, "usage: drupe-symtab IMAGE TABLE.S");
	read_image(argv[1], &image);
	sort_symbols(&image);
	compress(&image);
	write_table(&image, argv[2]);
	free(image.symbols);
	return 0;
}
