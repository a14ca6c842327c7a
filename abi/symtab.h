/*
 * The symbol table that an image carries for its own panic reports: the functions of the linked image, by address. Made by
 * drupe-symtab from the linked ELF, put into section .symtab_guest, read by lib/symtab.c. About seven bytes a function.
 *
 *	struct symtab_header
 *	uint8_t tokens[nr_tokens][2]
 *	one record for each of nr_symbols, in the order of addresses:
 *		distance of its address from the one before (the first: from the image's first byte), as ULEB128 (DWARF 5, 7.6)
 *		of twice a sixteenth of it, where that is a whole number, else of twice it plus 1: most functions begin at
 *		a multiple of 16, and so most distances take one byte
 *		its name: codes, expanded until a NUL comes out
 *
 * A code below SYMTAB_TOKEN_FIRST is a character, SYMTAB_LITERALS[code]. Any other stands for two codes, tokens[code -
 * SYMTAB_TOKEN_FIRST]. Both of them are below it, so expansion ends. NUL (code 0) ends a name, and may be in a token only as
 * its end.
 */
#ifndef ABI_SYMTAB_H
#define ABI_SYMTAB_H

#include <stdint.h>

#define SYMTAB_MAGIC 0x31535944u /* "DYS1" */
#define SYMTAB_LITERALS "\0_.$0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SYMTAB_TOKEN_FIRST 66u
#define SYMTAB_TOKEN_MAX 190u
#define SYMTAB_NAME_MAX 63 /* longer names are cut */

struct symtab_header {
	uint32_t magic;
	uint32_t text_end; /* distance of the end of the code from the image's first byte */
	uint16_t nr_symbols;
	uint8_t nr_tokens;
	uint8_t unused;
};

#endif
