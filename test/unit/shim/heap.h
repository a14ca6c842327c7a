/*
 * Memory for unit tests and fuzzers of code above kernel/mem: kmalloc is malloc, so that the sanitizers see each object, and
 * pages come from a small arena (page_alloc of order 0 only). A test makes the N-th allocation fail by heap_fail_at.
 */
#ifndef TEST_UNIT_SHIM_HEAP_H
#define TEST_UNIT_SHIM_HEAP_H

#include <stddef.h>

extern unsigned
	heap_fail_at; /* counts down at each allocation; the one that reaches 0 and all after it fail. 0: none */
extern size_t heap_objects, heap_pages; /* in use */

#endif
