/* lib/string.c under names of its own, every length and offset up to a few words against the host's functions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define memcpy drupe_memcpy
#define memmove drupe_memmove
#define memset drupe_memset
#define memcmp drupe_memcmp
#define memchr drupe_memchr
#define strlen drupe_strlen
#define strnlen drupe_strnlen
#define strcmp drupe_strcmp
#define strncmp drupe_strncmp
#define strchr drupe_strchr
#define strlcpy drupe_strlcpy
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strlcpy
#undef LIB_STRING_H

void *memmove(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

#define MAX_LEN 70
#define ROOM 192

static uint8_t expected[ROOM], got[ROOM];

static void fill(void)
{
	for (unsigned i = 0; i < ROOM; i++)
		expected[i] = got[i] = (uint8_t)(i * 7 + 1);
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static void test_copy(void **state)
{
	(void)state;
	for (unsigned len = 0; len <= MAX_LEN; len++) {
		for (unsigned off = 0; off < 16; off++) {
			fill();
			memmove(expected + 80 + off, expected + off, len);
			assert_ptr_equal(drupe_memcpy(got + 80 + off, got + off, len), got + 80 + off);
			assert_memory_equal(got, expected, ROOM);
		}
	}
}

static void test_move(void **state)
{
	(void)state;
	for (unsigned len = 0; len <= MAX_LEN; len++) {
		for (unsigned from = 0; from < 24; from++) {
			for (unsigned to = 0; to < 24; to++) {
				fill();
				memmove(expected + to, expected + from, len);
				assert_ptr_equal(drupe_memmove(got + to, got + from, len), got + to);
				assert_memory_equal(got, expected, ROOM);
			}
		}
	}
}

static void test_set(void **state)
{
	(void)state;
	for (unsigned len = 0; len <= MAX_LEN; len++) {
		for (unsigned off = 0; off < 16; off++) {
			fill();
			memset(expected + off, 0x1a5, len);
			assert_ptr_equal(drupe_memset(got + off, 0x1a5, len), got + off);
			assert_memory_equal(got, expected, ROOM);
		}
	}
}

static void test_compare(void **state)
{
	static const char found[] = "abcabc";

	(void)state;
	for (unsigned len = 0; len <= 40; len++) {
		for (unsigned at = 0; at <= len; at++) {
			fill();
			got[at] = (uint8_t)(at % 2 ? 0xff : 0);
			assert_int_equal(sign(drupe_memcmp(expected, got, len)), sign(memcmp(expected, got, len)));
		}
	}
	assert_true(drupe_memcmp("\xff", "\x01", 1) > 0);
	assert_ptr_equal(drupe_memchr(found, 'c', 6), found + 2);
	assert_null(drupe_memchr("abc", 'c', 2));
	assert_null(drupe_memchr("", 0, 0));
}

static void test_strings(void **state)
{
	const char *text = "kernel", *hit = drupe_strchr(text, 'n');
	char small[4];

	(void)state;
	assert_int_equal(drupe_strlen(""), 0);
	assert_int_equal(drupe_strlen(text), 6);
	assert_int_equal(drupe_strnlen(text, 3), 3);
	assert_int_equal(drupe_strnlen(text, 60), 6);
	assert_true(drupe_strcmp("a", "b") < 0 && drupe_strcmp("b", "a") > 0 && drupe_strcmp("ab", "a") > 0);
	assert_true(drupe_strcmp("\x80", "a") > 0);
	assert_int_equal(drupe_strcmp("same", "same"), 0);
	assert_int_equal(drupe_strncmp("same", "sane", 2), 0);
	assert_true(drupe_strncmp("same", "sane", 3) < 0);
	assert_int_equal(drupe_strncmp("a", "a", 9), 0);
	assert_ptr_equal(hit, text + 3);
	assert_ptr_equal(drupe_strchr(text, 0), text + 6);
	assert_null(drupe_strchr(text, 'z'));
	assert_int_equal(drupe_strlcpy(small, text, sizeof(small)), 6);
	assert_string_equal(small, "ker");
	assert_int_equal(drupe_strlcpy(small, "ab", sizeof(small)), 2);
	assert_string_equal(small, "ab");
	assert_int_equal(drupe_strlcpy(small, "ab", 0), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),	cmocka_unit_test(test_move),	cmocka_unit_test(test_set),
		cmocka_unit_test(test_compare), cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
