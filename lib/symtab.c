/*
 * Reads the symbol table from its beginning to the record that is wanted: a few hundred short records, in a kernel that is
 * about to end.
 */
#include "lib/symtab.h"

#include "abi/symtab.h"
#include "lib/string.h"
#include "lib/util.h"

_Static_assert(sizeof(SYMTAB_LITERALS) == SYMTAB_TOKEN_FIRST + 1, "one code for each character");

struct reader {
	const uint8_t *tokens; /* pairs */
	unsigned nr_tokens;
	const uint8_t *at, *end;
	bool damaged;
};

static uint8_t read_byte(struct reader *r)
{
	if (r->at == r->end) {
		r->damaged = true;
		return 0;
	}
	return *r->at++;
}

static uint32_t read_uleb128(struct reader *r)
{
	uint32_t value = 0;
	unsigned shift = 0;
	uint8_t byte;

	do {
		byte = read_byte(r);
		if (shift > 28) {
			r->damaged = true;
			return 0;
		}
		value |= (uint32_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return value;
}

static uint32_t read_distance(struct reader *r)
{
	uint32_t value = read_uleb128(r);

	return value & 1 ? value >> 1 : value / 2 * 16;
}

/*
 * Reads one name to NAME, which has room for SIZE > 0 bytes. Codes that wait for their turn are on a stack: each is below the
 * one that it came from, so there are never more than tokens. A name longer than the format allows is damage too, so that a
 * table of tokens that double each other costs no time.
 */
static void read_name(struct reader *r, char *name, size_t size)
{
	uint8_t waiting[SYMTAB_TOKEN_MAX + 1], code;
	unsigned n = 0;
	size_t len = 0;

	while (!r->damaged && len <= SYMTAB_NAME_MAX) {
		const uint8_t *pair;

		code = n ? waiting[--n] : read_byte(r);
		while (code >= SYMTAB_TOKEN_FIRST && !r->damaged) {
			pair = &r->tokens[(code - SYMTAB_TOKEN_FIRST) * 2];
			if (code - SYMTAB_TOKEN_FIRST >= r->nr_tokens || pair[0] >= code || pair[1] >= code) {
				r->damaged = true;
				return;
			}
			waiting[n++] = pair[1];
			code = pair[0];
		}
		if (len < size)
			name[len] = len + 1 < size ? SYMTAB_LITERALS[code] : '\0';
		len++;
		if (!code) {
			r->damaged |= n != 0;
			return;
		}
	}
	r->damaged = true;
}

/* False when the header does not fit the table. */
static bool reader_init(struct reader *r, const void *table, size_t len, struct symtab_header *header)
{
	const uint8_t *bytes = table;
	size_t tokens_len;

	if (len < sizeof(*header))
		return false;
	memcpy(header, table, sizeof(*header));
	tokens_len = 2u * header->nr_tokens;
	if (header->magic != SYMTAB_MAGIC || header->nr_tokens > SYMTAB_TOKEN_MAX || len - sizeof(*header) < tokens_len)
		return false;
	r->tokens = bytes + sizeof(*header);
	r->nr_tokens = header->nr_tokens;
	r->at = r->tokens + tokens_len;
	r->end = bytes + len;
	r->damaged = false;
	return true;
}

bool symtab_lookup(const void *table, size_t len, uint32_t offset, char *name, size_t size, uint32_t *start)
{
	struct symtab_header header;
	struct reader r;
	uint64_t address = 0;
	bool found = false;

	if (!reader_init(&r, table, len, &header) || offset >= header.text_end)
		return false;
	for (unsigned i = 0; i < header.nr_symbols && !r.damaged; i++) {
		address += read_distance(&r);
		if (r.damaged || address > offset)
			break;
		*start = (uint32_t)address;
		read_name(&r, name, size);
		found = true;
	}
	return found && !r.damaged;
}
