/*
 * Physical pages: a buddy allocator over sections of 2 MiB that come to life when they are first needed, so that start-up
 * time does not depend on how much memory there is. Per-CPU lists of single pages in front of it. All memory that it
 * hands out is in the direct map.
 */
#ifndef KERNEL_MEM_PAGE_H
#define KERNEL_MEM_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/arch.h"
#include "lib/list.h"

#define PAGE_ORDER_MAX 9 /* 2 MiB */

/* One per page of RAM, in the array at arch_layout.memmap_base, indexed by frame number. At most 64 bytes. */
struct page {
	struct list link; /* free list, or the owner's */
	uint32_t refs;
	uint8_t order;	/* of the block this page heads */
	uint8_t state;	/* enum page_state in page.c */
	uint16_t inuse; /* slab: objects handed out */
	void *owner;	/* slab cache, page cache mapping */
	void *freelist; /* slab */
};

enum page_flags {
	PAGE_ZERO = 1, /* contents all zero */
};

struct bootinfo;
/* Takes the RAM ranges of BI, less the image, the modules and the first page. Before this nothing below works. */
void page_init(const struct bootinfo *bi);

/* 2^ORDER pages, aligned to their size; NULL when there is no such block. Any context but NMI. refs is 1. */
struct page *page_alloc(unsigned order, unsigned flags);
/* As page_alloc(0), below 1 MiB (for the CPU start trampoline); 0 when there is none. */
paddr_t page_alloc_low(void);
void page_free(struct page *page, unsigned order);

paddr_t page_to_phys(const struct page *page);
struct page *page_from_phys(paddr_t pa); /* NULL when it is not RAM that has come to life */
void *page_to_virt(const struct page *page);
struct page *page_from_virt(const void *va);

/* arch_upcalls.table_page_alloc. */
paddr_t page_table_page_alloc(void);

struct page_stats {
	uint64_t total, free, untouched; /* in pages; untouched: in sections not yet alive, part of free */
};
void page_stats(struct page_stats *out);

#endif
