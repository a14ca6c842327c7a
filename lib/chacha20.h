/*
 * The ChaCha20 block function (RFC 8439, 2.3): 64 bytes of key stream from a key, a block counter and a nonce. Constant time:
 * no branch and no table. Uses no absolute address, so it runs before the image is relocated too.
 */
#ifndef LIB_CHACHA20_H
#define LIB_CHACHA20_H

#include <stdint.h>

#define CHACHA20_KEY_LEN 32
#define CHACHA20_BLOCK_LEN 64

/* OUT overlaps neither KEY nor NONCE. */
void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3], uint8_t out[CHACHA20_BLOCK_LEN]);

#endif
