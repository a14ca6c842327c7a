#include "lib/chacha20.h"

#include "lib/string.h"

static inline uint32_t rotate_left(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

/* RFC 8439, 2.1. */
#define QUARTER_ROUND(a, b, c, d)                                                                                      \
	do {                                                                                                           \
		a += b, d = rotate_left(d ^ a, 16);                                                                    \
		c += d, b = rotate_left(b ^ c, 12);                                                                    \
		a += b, d = rotate_left(d ^ a, 8);                                                                     \
		c += d, b = rotate_left(b ^ c, 7);                                                                     \
	} while (0)

void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3], uint8_t out[CHACHA20_BLOCK_LEN])
{
	/* "expand 32-byte k" */
	uint32_t start[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }, x[16];

	memcpy(start + 4, key, 32);
	start[12] = counter;
	memcpy(start + 13, nonce, 12);
	memcpy(x, start, sizeof(x));
	for (unsigned i = 0; i < 10; i++) {
		QUARTER_ROUND(x[0], x[4], x[8], x[12]);
		QUARTER_ROUND(x[1], x[5], x[9], x[13]);
		QUARTER_ROUND(x[2], x[6], x[10], x[14]);
		QUARTER_ROUND(x[3], x[7], x[11], x[15]);
		QUARTER_ROUND(x[0], x[5], x[10], x[15]);
		QUARTER_ROUND(x[1], x[6], x[11], x[12]);
		QUARTER_ROUND(x[2], x[7], x[8], x[13]);
		QUARTER_ROUND(x[3], x[4], x[9], x[14]);
	}
	/* Little-endian words, as the CPU stores them. */
	for (unsigned i = 0; i < 16; i++)
		x[i] += start[i];
	memcpy(out, x, sizeof(x));
}
