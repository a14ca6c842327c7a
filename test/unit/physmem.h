/*
 * Physical memory for tests of what a loader or the firmware left in it. Only what arch_physmap_add has covered may be
 * touched: AddressSanitizer reports every other access. The kernel's image lies at 1 MiB and is never to be asked for.
 */
#ifndef TEST_UNIT_PHYSMEM_H
#define TEST_UNIT_PHYSMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/arch.h"

#define PHYSMEM_SIZE (256ul << 20)
#define PHYSMEM_LIMIT                                                                                                  \
	(1ul << 40) /* arch_phys_limit; what lies between is addressable, but arch_physmap_add refuses it */
#define PHYSMEM_IMAGE (1ul << 20)
#define PHYSMEM_IMAGE_LEN (1ul << 18)

/* Zeroes what was written and covers everything again. Before the first test too. */
void physmem_reset(void);
/* False when it does not lie in the memory. */
bool physmem_write(paddr_t pa, const void *data, size_t len);
void physmem_read(void *data, paddr_t pa, size_t len);

/*
 * Reads the format of the seeds: a list of { u32 address, u32 len, bytes }, the last one possibly cut. Returns the first
 * address, 0 when there is no record.
 */
paddr_t physmem_load(const uint8_t *records, size_t len);

/* A whole file below the repository's root; *LEN is its length. Ends the test when it cannot be read. */
uint8_t *physmem_file(const char *path, size_t *len);

#endif
