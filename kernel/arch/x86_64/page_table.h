/* Shared by the files that know what page tables look like: page_table.c, page_table_lower.c. */
#ifndef KERNEL_ARCH_X86_64_PAGE_TABLE_H
#define KERNEL_ARCH_X86_64_PAGE_TABLE_H

#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/image.h"

#define TABLE_ENTRIES 512
#define LEVEL_ROOT 3

static inline unsigned level_shift(unsigned level)
{
	return PAGE_SHIFT + 9 * level;
}

static inline unsigned table_index(uintptr_t va, unsigned level)
{
	return va >> level_shift(level) & (TABLE_ENTRIES - 1);
}

/* A zeroed page for a table; 0: no memory. */
paddr_t page_table_alloc(void);
/* The table below ENTRY, made on demand. NULL: no memory, or ENTRY is a large page. */
uint64_t *page_table_below(uint64_t *entry, bool make);

#endif
