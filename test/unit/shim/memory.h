/*
 * Physical memory and page tables for tests of kernel/mem: sparse host mappings stand for the direct map and for the array
 * of struct page. What was not made reachable (arch_physmap_add, arch_pt_map) faults on access, as it would in a guest.
 */
#ifndef TEST_UNIT_SHIM_MEMORY_H
#define TEST_UNIT_SHIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/boot/bootinfo.h"

/* A fresh machine: nothing mapped, no RAM in memory_bootinfo, the image at 1 MiB, 200 KiB long. */
void memory_reset(void);
void memory_add(uint64_t base, uint64_t len);
extern struct bootinfo memory_bootinfo;

/* From now on the N-th request for a table page (1: the next) and all after it fail; 0: none does. */
extern unsigned memory_table_fail_at;
/* How many table pages the architecture's own pool holds before it asks arch_upcalls. */
extern unsigned memory_static_tables;
extern unsigned memory_tables;	 /* table pages in use */
extern unsigned memory_mappings; /* 4 KiB pages mapped outside of the direct map */
extern unsigned memory_shootdowns;

#define MEMORY_PHYS_LIMIT (1ull << 37)

#endif
