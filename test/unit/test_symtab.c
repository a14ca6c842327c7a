/* The symbol table: a hand-made one that is right, the same damaged in every place, and one that explodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/symtab.h"
#include "lib/symtab.h"

static uint8_t code_of(char c)
{
	const char *literals = SYMTAB_LITERALS;

	return (uint8_t)(strchr(&literals[1], c) - literals);
}

static uint8_t table[512];
static size_t table_len;

static void put(uint8_t byte)
{
	table[table_len++] = byte;
}

static void put_name(const char *name)
{
	for (; *name; name++)
		put(*name >= '0' && *name <= '9' ? (uint8_t)(SYMTAB_TOKEN_FIRST + *name - '0') : code_of(*name));
}

/* Digits in the names are tokens: 0 = "al", 1 = "lo", 2 = "loc", 3 = "re", 4 = "e" and the end. */
static int make_table(void **state)
{
	const struct symtab_header header = { SYMTAB_MAGIC, 0x2000, 4, 5, 0 };

	(void)state;
	memset(table, 0, sizeof(table));
	memcpy(table, &header, sizeof(header));
	table_len = sizeof(header);
	put_name("al"); /* 0 */
	put_name("lo");
	put_name("1c"); /* 2: "loc" */
	put_name("re");
	put(code_of('e')), put(0); /* 4: ends a name */
	put(2 * (0x100 / 16));
	put_name("page_02"), put(0);
	put(2 * (0x20 / 16));
	put_name("page_f34");
	put(2 * 3 + 1); /* an odd distance of 3 */
	put_name("x"), put(0);
	put(0x80 | (2 * (0x1000 / 16) & 0x7f)), put(2 * (0x1000 / 16) >> 7);
	put_name("y"), put(0);
	return 0;
}

static void expect(uint32_t offset, const char *name, uint32_t start)
{
	char got[SYMTAB_NAME_MAX + 1];
	uint32_t got_start;

	if (!symtab_lookup(table, table_len, offset, got, sizeof(got), &got_start)) {
		assert_null(name);
		return;
	}
	assert_non_null(name);
	assert_string_equal(got, name);
	assert_int_equal(got_start, start);
}

static void test_lookup(void **state)
{
	char cut[5];
	uint32_t start;

	(void)state;
	expect(0, NULL, 0);
	expect(0xff, NULL, 0);
	expect(0x100, "page_alloc", 0x100);
	expect(0x11f, "page_alloc", 0x100);
	expect(0x120, "page_free", 0x120);
	expect(0x123, "x", 0x123);
	expect(0x1122, "x", 0x123);
	expect(0x1123, "y", 0x1123);
	expect(0x1fff, "y", 0x1123);
	expect(0x2000, NULL, 0);
	expect(UINT32_MAX, NULL, 0);
	assert_true(symtab_lookup(table, table_len, 0x100, cut, sizeof(cut), &start));
	assert_string_equal(cut, "page");
	assert_true(symtab_lookup(table, table_len, 0x100, cut, 1, &start));
	assert_string_equal(cut, "");
}

static void test_damaged(void **state)
{
	char name[SYMTAB_NAME_MAX + 1];
	size_t whole = table_len;
	uint32_t start;

	(void)state;
	for (size_t len = 0; len < whole; len++) {
		uint8_t *copy = malloc(len ? len : 1); /* so that the sanitizer sees its end */

		memcpy(copy, table, len);
		assert_false(symtab_lookup(copy, len, 0x1fff, name, sizeof(name), &start));
		free(copy);
	}
	for (size_t i = 0; i < whole; i++) {
		for (unsigned flip = 1; flip < 256; flip++) {
			table[i] ^= (uint8_t)flip;
			if (symtab_lookup(table, table_len, 0x1fff, name, sizeof(name), &start))
				assert_true(strlen(name) < sizeof(name));
			table[i] ^= (uint8_t)flip;
		}
	}
}

/* Each token twice the one before: 2^190 characters. */
static void test_exploding(void **state)
{
	const struct symtab_header header = { SYMTAB_MAGIC, 0x2000, 1, SYMTAB_TOKEN_MAX, 0 };
	char name[SYMTAB_NAME_MAX + 1];
	uint32_t start;

	(void)state;
	memcpy(table, &header, sizeof(header));
	table_len = sizeof(header);
	for (unsigned i = 0; i < SYMTAB_TOKEN_MAX; i++) {
		put((uint8_t)(SYMTAB_TOKEN_FIRST + i - 1));
		put((uint8_t)(SYMTAB_TOKEN_FIRST + i - 1));
	}
	put(0);
	put(255), put(0);
	assert_false(symtab_lookup(table, table_len, 0x100, name, sizeof(name), &start));
	assert_false(symtab_lookup(NULL, 0, 0x100, name, sizeof(name), &start));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lookup, make_table),
		cmocka_unit_test_setup(test_damaged, make_table),
		cmocka_unit_test(test_exploding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
