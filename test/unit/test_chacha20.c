/* The ChaCha20 block function against RFC 8439's vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/chacha20.h"

/* RFC 8439, 2.3.2. */
static void test_rfc_2_3_2(void **state)
{
	static const uint8_t expected[64] = {
		0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4,
		0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e,
		0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2,
		0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
	};
	const uint32_t nonce[3] = { 0x09000000, 0x4a000000, 0 };
	uint32_t key[8];
	uint8_t out[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(key); i++)
		((uint8_t *)key)[i] = (uint8_t)i;
	chacha20_block(key, 1, nonce, out);
	assert_memory_equal(out, expected, sizeof(out));
}

/* RFC 8439, A.1, vectors 1 and 2: the zero key, counters 0 and 1; their first and last bytes. */
static void test_rfc_a_1(void **state)
{
	static const uint8_t first[8] = { 0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90 };
	static const uint8_t first_end[4] = { 0xb2, 0xee, 0x65, 0x86 };
	static const uint8_t second[8] = { 0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a };
	static const uint8_t second_end[4] = { 0x4b, 0x79, 0x4d, 0x6f };
	static const uint32_t key[8], nonce[3];
	uint8_t out[64];

	(void)state;
	chacha20_block(key, 0, nonce, out);
	assert_memory_equal(out, first, sizeof(first));
	assert_memory_equal(out + 60, first_end, sizeof(first_end));
	chacha20_block(key, 1, nonce, out);
	assert_memory_equal(out, second, sizeof(second));
	assert_memory_equal(out + 60, second_end, sizeof(second_end));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rfc_2_3_2), cmocka_unit_test(test_rfc_a_1) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
