/*
 * Red-black tree. The invariants that insert and remove restore: the root is black; a red node has black children; every
 * path from a node down to a missing child passes the same number of black nodes. A missing child (NULL) is black.
 * Both walks up come in two mirrored shapes; child() picks a side so that each is written once.
 */
#include "lib/rbtree.h"

static inline bool is_red(const struct rb_node *node)
{
	return node && node->red;
}

static inline struct rb_node **child(struct rb_node *node, bool right)
{
	return right ? &node->right : &node->left;
}

static inline bool is_right(const struct rb_node *node)
{
	return node->parent->right == node;
}

/* Puts NEW (may be NULL) where OLD hangs. */
static void replace(struct rb_tree *tree, struct rb_node *old, struct rb_node *new)
{
	if (!old->parent)
		tree->root = new;
	else
		*child(old->parent, is_right(old)) = new;
	if (new)
		new->parent = old->parent;
}

/* NODE goes down to its RIGHT (or left) side; its child of the other side takes its place. */
static void rotate(struct rb_tree *tree, struct rb_node *node, bool right)
{
	struct rb_node *up = *child(node, !right), *moved = *child(up, right);

	replace(tree, node, up);
	*child(up, right) = node;
	node->parent = up;
	*child(node, !right) = moved;
	if (moved)
		moved->parent = node;
	if (tree->update) {
		tree->update(node);
		tree->update(up);
	}
}

void rb_update(struct rb_tree *tree, struct rb_node *node)
{
	for (; node; node = node->parent)
		tree->update(node);
}

/* NODE is red; its parent may be too. */
static void insert_fix(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *parent, *grand, *uncle;
	bool side;

	while (is_red(parent = node->parent)) {
		grand = parent->parent; /* there is one: the root is black */
		side = is_right(parent);
		uncle = *child(grand, !side);
		if (is_red(uncle)) {
			parent->red = uncle->red = false;
			grand->red = true;
			node = grand;
			continue;
		}
		if (is_right(node) != side) {
			rotate(tree, parent, side);
			parent = node;
		}
		parent->red = false;
		grand->red = true;
		rotate(tree, grand, !side);
		break;
	}
	tree->root->red = false;
}

void rb_insert(struct rb_tree *tree, struct rb_node *node, rb_less *less)
{
	struct rb_node **link = &tree->root, *parent = NULL;
	bool leftmost = true;

	while (*link) {
		parent = *link;
		if (less(node, parent)) {
			link = &parent->left;
		} else {
			link = &parent->right;
			leftmost = false;
		}
	}
	*node = (struct rb_node){ .parent = parent, .red = true };
	*link = node;
	if (leftmost)
		tree->first = node;
	if (tree->update)
		rb_update(tree, node);
	insert_fix(tree, node);
}

/* The SIDE subtree of PARENT is one black node short. */
/* NOLINTBEGIN(clang-analyzer-core.NullDereference): the analyser does not know that the black heights are equal. */
static void remove_fix(struct rb_tree *tree, struct rb_node *parent, bool side)
{
	struct rb_node *node, *sibling;

	for (;;) {
		sibling = *child(parent, !side); /* there is one: its side has a black node more */
		if (sibling->red) {
			sibling->red = false;
			parent->red = true;
			rotate(tree, parent, side);
			sibling = *child(parent, !side);
		}
		if (is_red(sibling->left) || is_red(sibling->right))
			break;
		sibling->red = true;
		node = parent;
		parent = node->parent;
		if (node->red || !parent) {
			node->red = false;
			return;
		}
		side = is_right(node);
	}
	if (!is_red(*child(sibling, !side))) {
		(*child(sibling, side))->red = false;
		sibling->red = true;
		rotate(tree, sibling, !side);
		sibling = *child(parent, !side);
	}
	sibling->red = parent->red;
	parent->red = false;
	(*child(sibling, !side))->red = false;
	rotate(tree, parent, side);
}
/* NOLINTEND(clang-analyzer-core.NullDereference) */

void rb_remove(struct rb_tree *tree, struct rb_node *node)
{
	struct rb_node *next = rb_next(node), *only, *parent;
	bool black, side;

	if (tree->first == node)
		tree->first = next;
	if (node->left && node->right) {
		/* NEXT, which has no left child, gives up its own place and takes NODE's. */
		black = !next->red;
		only = next->right;
		parent = next->parent == node ? next : next->parent;
		side = next->parent == node;
		if (!side) {
			replace(tree, next, only);
			next->right = node->right;
			next->right->parent = next;
		}
		replace(tree, node, next);
		next->left = node->left;
		next->left->parent = next;
		next->red = node->red;
	} else {
		black = !node->red;
		only = node->left ? node->left : node->right;
		parent = node->parent;
		side = parent && is_right(node);
		replace(tree, node, only);
	}
	if (tree->update)
		rb_update(tree, parent);
	if (!black)
		return;
	if (is_red(only))
		only->red = false;
	else if (parent)
		remove_fix(tree, parent, side);
}

static struct rb_node *outermost(struct rb_node *node, bool right)
{
	while (node && *child(node, right))
		node = *child(node, right);
	return node;
}

static struct rb_node *step(const struct rb_node *node, bool right)
{
	struct rb_node *at = (struct rb_node *)(uintptr_t)node;

	if (*child(at, right))
		return outermost(*child(at, right), !right);
	while (at->parent && is_right(at) == right)
		at = at->parent;
	return at->parent;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	return step(node, true);
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	return step(node, false);
}

struct rb_node *rb_last(const struct rb_tree *tree)
{
	return outermost(tree->root, true);
}
