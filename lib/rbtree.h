/*
 * Red-black tree, intrusive, ordered by a caller's comparison. The leftmost node is cached: rb_first() is constant
 * time; insert, remove, next are O(log n). Equal keys are kept in insertion order. No locking, no allocation.
 *
 * A tree may keep in each node a summary of the subtree below it (such as the largest of something): `update` makes NODE's
 * summary from its own value and its children's, and is called wherever a subtree changes. NULL: no summaries.
 */
#ifndef LIB_RBTREE_H
#define LIB_RBTREE_H

#include "lib/util.h"

struct rb_node {
	struct rb_node *parent, *left, *right;
	bool red;
};

struct rb_tree {
	struct rb_node *root, *first;
	void (*update)(struct rb_node *node);
};

/* True when A sorts strictly before B. */
typedef bool rb_less(const struct rb_node *a, const struct rb_node *b);

/* NODE must not be in a tree. */
void rb_insert(struct rb_tree *tree, struct rb_node *node, rb_less *less);

/* NODE must be in TREE. */
void rb_remove(struct rb_tree *tree, struct rb_node *node);

/* NODE's own value has changed: makes the summaries on the way up anew. */
void rb_update(struct rb_tree *tree, struct rb_node *node);

static inline struct rb_node *rb_first(const struct rb_tree *tree)
{
	return tree->first; /* NOLINT(clang-analyzer-unix.Malloc): what was freed had been removed */
}

/* In order; NULL at the end. */
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);
struct rb_node *rb_last(const struct rb_tree *tree);

#endif
