/* Any bytes as a symbol table; the first four choose the offset and the room for the name. */
#include <stdlib.h>
#include <string.h>

#include "lib/symtab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint32_t choice, start;
	size_t size;
	char *name;

	if (len < sizeof(choice))
		return 0;
	memcpy(&choice, data, sizeof(choice));
	size = choice % 80 + 1;
	name = malloc(size);
	if (symtab_lookup(data + sizeof(choice), len - sizeof(choice), choice / 80, name, size, &start) &&
	    (strnlen(name, size) == size || start > choice / 80))
		abort();
	free(name);
	return 0;
}
