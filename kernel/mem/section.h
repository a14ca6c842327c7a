/*
 * Which memory there is, and bringing it to life one section (2 MiB, aligned) at a time: making it reachable in the direct
 * map, giving it its struct pages, and putting it on the free lists. Private to kernel/mem; covered by page_lock of page.c.
 */
#ifndef KERNEL_MEM_SECTION_H
#define KERNEL_MEM_SECTION_H

#include "kernel/mem/page.h"

#define SECTION_PAGES 512

struct bootinfo;
void section_init(const struct bootinfo *bi);
/* Brings memory to life that may hold a block of ORDER. False when there is none left, or page tables run out. */
bool section_grow(unsigned order);
/* The same for memory below 1 MiB. */
bool section_grow_low(void);
/* True when frame NR is RAM whose section is alive. */
bool section_is_alive(uint64_t nr);

/* In pages: all that section_init took over; what is not alive yet. */
extern uint64_t section_total, section_untouched;

#endif
