/* Products of 128 bits, divided, without the compiler's run-time library. */
#ifndef LIB_MULDIV_H
#define LIB_MULDIV_H

#include <stdint.h>

/* A * B / C, rounded down; UINT64_MAX when that does not fit or C is 0. */
uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c);

#endif
