/* The red-black tree against a sorted array, with its invariants checked after every change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/rbtree.h"

#define NR_ITEMS 300
#define NR_KEYS 100 /* fewer than items: equal keys occur */

struct item {
	struct rb_node node;
	unsigned key, order; /* order: when it was inserted */
	bool in_tree;
};

static struct item items[NR_ITEMS];

static struct item *item_of(const struct rb_node *node)
{
	return container_of((struct rb_node *)(uintptr_t)node, struct item, node);
}

static bool item_less(const struct rb_node *a, const struct rb_node *b)
{
	return item_of(a)->key < item_of(b)->key;
}

/* Black height of NODE's subtree. */
static unsigned check_subtree(const struct rb_node *node, const struct rb_node *parent)
{
	unsigned left, right;

	if (!node)
		return 1;
	assert_ptr_equal(node->parent, parent);
	if (node->red)
		assert_false(parent->red || (node->left && node->left->red) || (node->right && node->right->red));
	left = check_subtree(node->left, node);
	right = check_subtree(node->right, node);
	assert_int_equal(left, right);
	return left + !node->red;
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;

	return x->key != y->key ? (x->key < y->key ? -1 : 1) : x->order < y->order ? -1 : 1;
}

static void check_tree(const struct rb_tree *tree)
{
	struct item *sorted[NR_ITEMS];
	struct rb_node *node;
	size_t n = 0, i;

	if (tree->root)
		assert_false(tree->root->red);
	check_subtree(tree->root, NULL);
	for (i = 0; i < NR_ITEMS; i++)
		if (items[i].in_tree)
			sorted[n++] = &items[i];
	qsort(sorted, n, sizeof(sorted[0]), compare_items);
	for (i = 0, node = rb_first(tree); node; node = rb_next(node), i++)
		assert_ptr_equal(item_of(node), sorted[i]);
	assert_int_equal(i, n);
	for (node = rb_last(tree); node; node = rb_prev(node))
		assert_ptr_equal(item_of(node), sorted[--i]);
	assert_int_equal(i, 0);
}

static void test_random_changes(void **state)
{
	struct rb_tree tree = { 0 };
	unsigned order = 0, round;

	(void)state;
	srand(1);
	memset(items, 0, sizeof(items));
	for (round = 0; round < 8000; round++) {
		/* Phases of growing and of shrinking, so that both small and large trees occur. */
		bool grow = rand() % 10 < (round / 1000 % 2 ? 3 : 7);
		struct item *item = &items[rand() % NR_ITEMS];

		if (grow == item->in_tree)
			continue;
		if (grow) {
			item->key = (unsigned)rand() % NR_KEYS;
			item->order = order++;
			rb_insert(&tree, &item->node, item_less);
		} else {
			rb_remove(&tree, &item->node);
		}
		item->in_tree = grow;
		check_tree(&tree);
	}
}

/* Keys in order, as timers often come, drained from the front. */
static void test_queue(void **state)
{
	struct rb_tree tree = { 0 };
	unsigned i;

	(void)state;
	memset(items, 0, sizeof(items));
	for (i = 0; i < NR_ITEMS; i++) {
		items[i] = (struct item){ .key = i, .in_tree = true };
		rb_insert(&tree, &items[i].node, item_less);
	}
	for (i = 0; i < NR_ITEMS; i++) {
		assert_ptr_equal(rb_first(&tree), &items[i].node);
		rb_remove(&tree, rb_first(&tree));
		items[i].in_tree = false;
		check_tree(&tree);
	}
	assert_null(rb_first(&tree));
	assert_null(rb_last(&tree));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_changes),
		cmocka_unit_test(test_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
