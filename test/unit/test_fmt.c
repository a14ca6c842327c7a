/* Formatted text against the host's snprintf: every combination of flags, widths, precisions, lengths and some values. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/fmt.h"
#include "lib/util.h"

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat"

#define CHECK(format, ...)                                                                                             \
	do {                                                                                                           \
		char want_[128], got_[128];                                                                            \
		int want_len_ = snprintf(want_, sizeof(want_), format, __VA_ARGS__);                                   \
		int got_len_ = fmt_format(got_, sizeof(got_), format, __VA_ARGS__);                                    \
		if (want_len_ != got_len_ || strcmp(want_, got_))                                                      \
			fail_msg("\"%s\": \"%s\" (%d), not \"%s\" (%d)", format, got_, got_len_, want_, want_len_);    \
	} while (0)

static const char *const widths[] = { "", "1", "7", "24" };
static const char *const precisions[] = { "", ".", ".0", ".1", ".5", ".23" };

/* Calls check(flags + width + precision) for each. */
static void each_spec(void (*check)(const char *spec))
{
	char spec[32];

	for (unsigned flags = 0; flags < 32; flags++)
		for (unsigned w = 0; w < ARRAY_SIZE(widths); w++)
			for (unsigned p = 0; p < ARRAY_SIZE(precisions); p++) {
				snprintf(spec, sizeof(spec), "%s%s%s%s%s%s%s", flags & 1 ? "-" : "",
					 flags & 2 ? "0" : "", flags & 4 ? "#" : "", flags & 8 ? "+" : "",
					 flags & 16 ? " " : "", widths[w], precisions[p]);
				check(spec);
			}
}

static void check_integers(const char *spec)
{
	static const uint64_t values[] = {
		0, 1, 7, 8, 42, 255, 0x80, 0x8000, 0x7fffffff, 0x80000000, UINT32_MAX, INT64_MAX, 1ull << 63, UINT64_MAX
	};
	char format[48];

	for (const char *c = "diuxXo"; *c; c++)
		for (unsigned v = 0; v < ARRAY_SIZE(values); v++) {
			snprintf(format, sizeof(format), "<%%%s%c>", spec, *c);
			CHECK(format, (unsigned)values[v]);
			snprintf(format, sizeof(format), "<%%%shh%c>", spec, *c);
			CHECK(format, (unsigned char)values[v]);
			snprintf(format, sizeof(format), "<%%%sh%c>", spec, *c);
			CHECK(format, (unsigned short)values[v]);
			snprintf(format, sizeof(format), "<%%%sl%c>", spec, *c);
			CHECK(format, (unsigned long)values[v]);
			snprintf(format, sizeof(format), "<%%%sll%c>", spec, *c);
			CHECK(format, (unsigned long long)values[v]);
			snprintf(format, sizeof(format), "<%%%sz%c>", spec, *c);
			CHECK(format, (size_t)values[v]);
		}
}

static void test_integers(void **state)
{
	(void)state;
	each_spec(check_integers);
}

static void check_text(const char *spec)
{
	char format[48];

	if (strpbrk(spec, "#+ 0"))
		return; /* no meaning in C for %s and %c */
	snprintf(format, sizeof(format), "<%%%ss>", spec);
	CHECK(format, "");
	CHECK(format, "drupe");
	snprintf(format, sizeof(format), "<%%%sc>", strchr(spec, '.') ? "" : spec);
	CHECK(format, 'x');
}

static void test_text(void **state)
{
	const char *volatile nothing = NULL;

	(void)state;
	each_spec(check_text);
	CHECK("%s|%s", "two", "words");
	CHECK("100%% of %s", "it");
	CHECK("%p", (void *)0xdeadbeef1234);
	CHECK("%20p|%-20p|", (void *)0x1234, (void *)0x1234);
	CHECK("%*d|%*d|%.*d|%.*d", 8, 42, -8, 42, 5, 42, -5, 42);
	CHECK("%.*s", 3, "abcdef");
	CHECK("%s", nothing);
	CHECK("no conversion%s", "");
}

static void test_bounds(void **state)
{
	char buf[8], exact[6], unterminated[3] = { 'a', 'b', 'c' };

	(void)state;
	memset(buf, '#', sizeof(buf));
	assert_int_equal(fmt_format(buf, 4, "%d-%s", 12, "long"), 7);
	assert_memory_equal(buf, "12-\0####", 8);
	assert_int_equal(fmt_format(buf, 1, "xyz"), 3);
	assert_string_equal(buf, "");
	assert_int_equal(fmt_format(NULL, 0, "%08x", 1u), 8);
	assert_int_equal(fmt_format(exact, sizeof(exact), "%s", "drupe"), 5);
	assert_string_equal(exact, "drupe");
	assert_int_equal(fmt_format(buf, sizeof(buf), "%.3s", unterminated), 3);
	assert_int_equal(fmt_format(buf, sizeof(buf), "%1000d", 1), 1000);
	assert_string_equal(buf, "       ");
}

static void test_unknown(void **state)
{
	char buf[32];

	(void)state;
	fmt_format(buf, sizeof(buf), "a %5.2y b %");
	assert_string_equal(buf, "a %5.2y b %");
	fmt_format(buf, sizeof(buf), "%d %q %d", 1, 2);
	assert_string_equal(buf, "1 %q 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
