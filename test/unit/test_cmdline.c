/* Command lines: words, quotes, repeated and overridden options, the program's part, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/util.h"

/* WANTED NULL: not found. */
static void check_get(const char *line, const char *key, const char *wanted)
{
	char value[32] = "unchanged";

	assert_int_equal(cmdline_get(line, key, value, sizeof(value)), wanted != NULL);
	assert_string_equal(value, wanted ? wanted : "unchanged");
}

static void test_words(void **state)
{
	(void)state;
	check_get("", "a", NULL);
	check_get("   \t\n", "a", NULL);
	check_get("quiet", "quiet", "");
	check_get("quiet=", "quiet", "");
	check_get("  a=1\tb=2\nc=3 ", "b", "2");
	check_get("a=1 a=2 b=3", "a", "2");
	check_get("ab=1", "a", NULL);
	check_get("a=1", "ab", NULL);
	check_get("a=b=c", "a", "b=c");
	check_get("=1 a=2", "", "1");
	check_get("log-level=1", "log_level", "1");
	check_get("log_level=1", "log-level", "1");
}

static void test_quotes(void **state)
{
	(void)state;
	check_get("a=\"two words\" b=1", "a", "two words");
	check_get("a=\"two words\" b=1", "b", "1");
	check_get("\"a=two words\" b=1", "a", "two words");
	check_get("\"a=two words\" b=1", "b", "1");
	check_get("\"two words\" b=1", "two words", "");
	check_get("a=\"b=1\"", "b", NULL);
	check_get("a=\"not closed b=1", "a", "not closed b=1");
	check_get("a=x\"y z\" b=1", "a", "x\"y z\"");
	check_get("a=\"\" b=1", "a", "");
	check_get("a=\"", "a", "");
	check_get("\"", "", "");
	check_get("\"\"", "", "");
	check_get("a=\"-- \" b=1", "b", "1");
	check_get("\"a=\"b\"", "a", "b");
	check_get("\"a=", "a", "");
	check_get("\"=\"", "", "");
}

static void test_program(void **state)
{
	(void)state;
	check_get("a=1 -- a=2", "a", "1");
	check_get("-- a=2", "a", NULL);
	check_get("--a=2", "--a", "2");
	assert_string_equal(cmdline_program("a=1 --  x \"y z\" -- b"), "x \"y z\" -- b");
	assert_string_equal(cmdline_program("--"), "");
	assert_string_equal(cmdline_program("a=1 --b c--"), "");
	assert_string_equal(cmdline_program(""), "");
	assert_string_equal(cmdline_program("a=\" -- \" -- p"), "p");
}

static void test_iteration(void **state)
{
	static const char line[] = "dev=1 x dev=2 dev=\"3 \" longest dev dev=12345678 dev=4 -- dev=5";
	static const char *const wanted[] = { "1", "2", "3 ", "", "4" };
	const char *at = line;
	char value[8];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_true(cmdline_next(&at, "dev", value, sizeof(value)));
		assert_string_equal(value, wanted[i]);
	}
	assert_false(cmdline_next(&at, "dev", value, sizeof(value)));
	assert_false(cmdline_next(&at, "dev", value, sizeof(value)));
	at = "a";
	assert_false(cmdline_next(&at, "a", value, 0)); /* no room even for an empty value */
}

static void check_number(const char *text, int result, uint64_t wanted)
{
	uint64_t value = 99;

	assert_int_equal(parse_u64(text, &value), result);
	assert_int_equal(value, result ? 99 : wanted);
}

static void test_numbers(void **state)
{
	static const char *const junk[] = { "",	   " 1",  "1 ",	 "-1",	"+1",  "x",	"0x", "0xg", "1x",   "k",
					    "1kk", "1kb", "1.5", "0b1", "12a", "0x1k2", "@",  "1@",  "\x80", "`" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(junk); i++)
		check_number(junk[i], -EINVAL, 0);
	check_number("0", 0, 0);
	check_number("007", 0, 7);
	check_number("0x0", 0, 0);
	check_number("0XfF", 0, 255);
	check_number("4k", 0, 4096);
	check_number("2M", 0, 2 << 20);
	check_number("0x10G", 0, 16ull << 30);
	check_number("3t", 0, 3ull << 40);
	check_number("18446744073709551615", 0, UINT64_MAX);
	check_number("18446744073709551616", -ERANGE, 0);
	check_number("0x10000000000000000", -ERANGE, 0);
	check_number("99999999999999999999999999", -ERANGE, 0);
	check_number("99999999999999999999999999z", -EINVAL, 0);
	check_number("16777215T", 0, 16777215ull << 40);
	check_number("16777216T", -ERANGE, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),	  cmocka_unit_test(test_quotes),  cmocka_unit_test(test_program),
		cmocka_unit_test(test_iteration), cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
