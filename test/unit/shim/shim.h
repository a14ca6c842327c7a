/*
 * What stands under kernel code in unit tests and fuzzers. Every function and variable of shim.c is weak: a test that links
 * the real one, or defines its own, gets that. panic() records its text in shim_panic_text; under cmocka it is a failed
 * assertion (expect_assert_failure() catches it), in a fuzzer it aborts.
 */
#ifndef TEST_UNIT_SHIM_H
#define TEST_UNIT_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern bool shim_irq_enabled;
extern char shim_panic_text[512];
extern char shim_log_text[512]; /* the last line that was logged */

uint64_t shim_ticks(void);				      /* counts up by one */
uint32_t shim_in(uint16_t port, unsigned bytes);	      /* all ones, as from a port without a device */
void shim_out(uint16_t port, unsigned bytes, uint32_t value); /* nothing */

#endif
