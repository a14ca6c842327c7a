/* Names for addresses, from the table that abi/symtab.h describes. No allocation; safe with any table and any offset. */
#ifndef LIB_SYMTAB_H
#define LIB_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The function that OFFSET (from the image's first byte) is in. Then NAME gets its name, cut to SIZE - 1 bytes (SIZE > 0),
 * *START its first byte's offset. False where no function begins before OFFSET, past the code, or in a damaged table.
 */
bool symtab_lookup(const void *table, size_t len, uint32_t offset, char *name, size_t size, uint32_t *start);

#endif
