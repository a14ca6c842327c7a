/* The radix tree of pages against an array, and with allocations that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/mem/page_index.h"
#include "kernel/mem/slab.h"
#include "lib/errno.h"
#include "lib/util.h"

static size_t node_size;
static unsigned nr_nodes, fail_in;

struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align)
{
	(void)name, (void)align;
	node_size = size;
	return (struct slab_cache *)&node_size;
}

void slab_cache_destroy(struct slab_cache *cache)
{
	(void)cache;
}

void *slab_alloc(struct slab_cache *cache)
{
	(void)cache;
	if (fail_in && !--fail_in)
		return NULL;
	nr_nodes++;
	return malloc(node_size);
}

void slab_free(struct slab_cache *cache, void *object)
{
	(void)cache;
	nr_nodes--;
	free(object);
}

static char things[2048];

/* A few indexes close together, and far apart. */
static uint64_t index_of(unsigned i)
{
	return i < 1024 ? i : i < 1536 ? 1ull << ((i - 1024) % 52 + 10) | (i - 1024) / 52 : UINT64_MAX - (i - 1536);
}

static void test_model(void **state)
{
	struct page_index tree = { 0 };
	uint64_t count = 0;

	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		unsigned i = (unsigned)rand() % (round / 5000 % 2 ? 2 : ARRAY_SIZE(things));
		void *item = page_index_lookup(&tree, index_of(i));
		int err;

		if (rand() % 3 == 0) {
			assert_ptr_equal(page_index_remove(&tree, index_of(i)), item);
			count -= !!item;
			continue;
		}
		fail_in = (unsigned)rand() % 8;
		err = page_index_insert(&tree, index_of(i), &things[i]);
		assert_true(item ? err == -EEXIST || err == -ENOMEM : err == 0 || (fail_in == 0 && err == -ENOMEM));
		count += !err;
		fail_in = 0;
		assert_int_equal(tree.count, count);
	}
	for (uint64_t at = 0; page_index_next(&tree, &at); count--)
		assert_non_null(page_index_remove(&tree, at));
	assert_int_equal(count, 0);
	assert_int_equal(nr_nodes, 0);
	assert_null(tree.root);
}

static void test_order(void **state)
{
	static const uint64_t at[] = { 0, 1, 63, 64, 4095, 4096, 1ull << 40, UINT64_MAX - 1, UINT64_MAX };
	struct page_index tree = { 0 };
	uint64_t index = 0;

	(void)state;
	assert_null(page_index_next(&tree, &index));
	for (unsigned i = ARRAY_SIZE(at); i-- > 0;)
		assert_int_equal(page_index_insert(&tree, at[i], &things[i]), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++, index++) {
		assert_ptr_equal(page_index_next(&tree, &index), &things[i]);
		assert_int_equal(index, at[i]);
	}
	index = 65;
	assert_ptr_equal(page_index_next(&tree, &index), &things[4]);
	assert_null(page_index_replace(&tree, 65, &things[0]));
	assert_ptr_equal(page_index_replace(&tree, 64, &things[9]), &things[3]);
	assert_ptr_equal(page_index_lookup(&tree, 64), &things[9]);
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++)
		page_index_remove(&tree, at[i]);
	assert_int_equal(nr_nodes, 0);
}

/* One item at index 0 costs no node, and a tree that has shrunk to that gives its nodes back. */
static void test_small(void **state)
{
	struct page_index tree = { 0 };

	(void)state;
	assert_int_equal(page_index_insert(&tree, 0, &things[0]), 0);
	assert_int_equal(nr_nodes, 0);
	assert_int_equal(page_index_insert(&tree, 1ull << 50, &things[1]), 0);
	assert_true(nr_nodes > 8);
	fail_in = 3;
	assert_int_equal(page_index_insert(&tree, 1ull << 40, &things[1]), -ENOMEM);
	assert_ptr_equal(page_index_remove(&tree, 1ull << 50), &things[1]);
	assert_int_equal(nr_nodes, 0);
	assert_ptr_equal(page_index_remove(&tree, 0), &things[0]);
	fail_in = 1;
	assert_int_equal(page_index_insert(&tree, 7, &things[1]), -ENOMEM);
	assert_int_equal(tree.levels, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
