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

/* Values that memory which was never written is unlikely to hold. */
enum page_state {
	PAGE_NONE = 0,	    /* not the head of a block: inside of one, or not RAM */
	PAGE_FREE = 0xf1,   /* on a free list of the buddy allocator */
	PAGE_CACHED = 0xc5, /* on a CPU's list of single pages */
	PAGE_USED = 0xa7,   /* handed out */
	PAGE_SLAB = 0x5b,   /* handed out, and the slab allocator's (every page of a slab) */
};

/*
 * One per page of RAM, in the array at arch_layout.memmap_base, indexed by frame number: 16 KiB for a section. An entry
 * means something only for the head of a block (for a slab: for each of its pages). The rest is never read, so it needs
 * no clearing when a section comes to life.
 */
struct page {
	struct list link; /* free list, or the owner's */
	void *owner;	  /* slab cache, page cache mapping */
	union {
		uint32_t refs;
		struct {
			uint16_t inuse; /* slab: objects that are not in this page's own free list */
			uint16_t fresh; /* slab: objects from here on were never handed out */
		};
	};
	uint16_t freelist; /* slab: index of the first free object */
	uint8_t order;	   /* of the block this page heads */
	uint8_t state;	   /* enum page_state */
};
_Static_assert(sizeof(struct page) == 32, "section.c maps 16 KiB of struct page for each section");

enum page_flags {
	PAGE_ZERO = 1, /* contents all zero */
};

struct bootinfo;
/*
 * Takes the RAM ranges of BI, less the image, the modules and the first 64 KiB. Before this nothing below works. Only
 * notes the ranges: no memory is touched.
 */
void page_init(const struct bootinfo *bi);

/* 2^ORDER pages, aligned to their size; NULL when there is no such block. Any context but NMI. refs is 1. */
struct page *page_alloc(unsigned order, unsigned flags);
/* As page_alloc(0), from 64 KiB to 1 MiB, for the code that other CPUs start with; 0 when there is none. */
paddr_t page_alloc_low(void);
/*
 * PAGE as page_alloc returned it, with the same ORDER. A block that is not handed out is a bug: panics. Any context
 * but NMI.
 */
void page_free(struct page *page, unsigned order);
/* Makes single pages, each to be freed by itself, of a block from page_alloc(ORDER). */
void page_split(struct page *page, unsigned order);
/*
 * References to a single page that several hold (a file's page and who maps it). page_put gives the page back with
 * the last of them.
 * page_get: the caller has one, or keeps the page from losing its last.
 */
static inline void page_get(struct page *page)
{
	__atomic_fetch_add(&page->refs, 1, __ATOMIC_RELAXED);
}
static inline void page_put(struct page *page)
{
	/* The only holder needs no atomic operation: nobody else can make or drop a reference. */
	if (__atomic_load_n(&page->refs, __ATOMIC_ACQUIRE) == 1 ||
	    __atomic_fetch_sub(&page->refs, 1, __ATOMIC_ACQ_REL) == 1)
		page_free(page, 0);
}
/* Gives this CPU's list of single pages back to the buddy allocator. */
void page_drain(void);

static inline struct page *page_from_nr(uint64_t nr)
{
	return (struct page *)arch_layout.memmap_base + nr;
}

static inline uint64_t page_nr(const struct page *page)
{
	return page - (struct page *)arch_layout.memmap_base;
}

static inline paddr_t page_to_phys(const struct page *page)
{
	return page_nr(page) << PAGE_SHIFT;
}

static inline void *page_to_virt(const struct page *page)
{
	return arch_phys_to_virt(page_to_phys(page));
}

/* VA is an address in the direct map, in memory that this allocator handed out. */
static inline struct page *page_from_virt(const void *va)
{
	return page_from_nr(arch_virt_to_phys(va) >> PAGE_SHIFT);
}

struct page *page_from_phys(paddr_t pa); /* NULL when it is not RAM that has come to life */

/*
 * arch_upcalls.table_page_alloc: takes from a pool of its own, so that it may be called under any lock, the page
 * allocator's own included. Whoever is about to change page tables tops the pool up first, outside of locks that
 * arch_physmap_add may take: at least PAGE_TABLE_RESERVE pages are in it then, unless memory is short.
 */
#define PAGE_TABLE_RESERVE 8
paddr_t page_table_page_alloc(void);
void page_table_page_free(paddr_t pa);
void page_table_reserve(void);

struct page_stats {
	uint64_t total, free, untouched; /* in pages; untouched: in sections not yet alive, part of free */
};
void page_stats(struct page_stats *out);
/* Pages that are free, without those on CPUs' lists; cheap and a little out of date. page_total: all that there are. */
uint64_t page_nr_free(void);
uint64_t page_nr_total(void);

#endif
