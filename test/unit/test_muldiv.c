/* mul_div against the compiler's own 128-bit division. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/muldiv.h"

static uint64_t random_width(void)
{
	uint64_t value = (uint64_t)mrand48() << 32 ^ (uint64_t)mrand48();

	return value >> (mrand48() & 63);
}

static void test_random(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t a = random_width(), b = random_width(), c = random_width();
		unsigned __int128 expected = c ? (unsigned __int128)a * b / c : UINT64_MAX;

		if (expected > UINT64_MAX)
			expected = UINT64_MAX;
		assert_true(mul_div(a, b, c) == (uint64_t)expected);
	}
}

static void test_edges(void **state)
{
	(void)state;
	assert_true(mul_div(0, 0, 0) == UINT64_MAX);
	assert_true(mul_div(1, 1, 0) == UINT64_MAX);
	assert_true(mul_div(0, UINT64_MAX, 1) == 0);
	assert_true(mul_div(UINT64_MAX, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
	assert_true(mul_div(UINT64_MAX, UINT64_MAX - 1, UINT64_MAX) == UINT64_MAX - 1);
	assert_true(mul_div(UINT64_MAX, 2, 1) == UINT64_MAX);
	assert_true(mul_div(1ul << 63, 2, 1ul << 63) == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
