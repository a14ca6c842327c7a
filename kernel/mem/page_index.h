/*
 * From a page's number in a file, or in anything that has pages, to a pointer: a radix tree with 64 ways, as deep as the
 * largest index that it holds needs. One item at index 0 needs no node at all.
 *
 * No lock inside: the caller's covers all calls. Allocates from the slab allocator, so any context that may do that.
 */
#ifndef KERNEL_MEM_PAGE_INDEX_H
#define KERNEL_MEM_PAGE_INDEX_H

#include <stddef.h>
#include <stdint.h>

/* All zero is an empty one. */
struct page_index {
	void *root;	 /* the item at index 0 itself when levels is 0 */
	unsigned levels; /* of nodes */
	uint64_t count;	 /* items */
};

/* ITEM is not NULL. 0, -EEXIST when there is one already, -ENOMEM. */
int page_index_insert(struct page_index *tree, uint64_t index, void *item);
/* NULL: none. */
void *page_index_lookup(const struct page_index *tree, uint64_t index);
/* The item that stood there, NULL when there was none. Gives nodes back that became empty. */
void *page_index_remove(struct page_index *tree, uint64_t index);
/* Puts ITEM where there is one already, which it returns; NULL: there is none, and nothing is changed. */
void *page_index_replace(struct page_index *tree, uint64_t index, void *item);
/*
 * The first item at *INDEX or after it, and its index; NULL when there is none. To empty a tree or the end of it: next and
 * remove in turn.
 */
void *page_index_next(const struct page_index *tree, uint64_t *index);

#endif
