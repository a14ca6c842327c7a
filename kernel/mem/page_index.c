#include "kernel/mem/page_index.h"

#include "kernel/core/panic.h"
#include "kernel/mem/slab.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

#define WAY_BITS 6
#define WAYS (1u << WAY_BITS)
#define LEVELS_MAX 11 /* 64 bits of index */

struct node {
	uint64_t used; /* bit: slot is not NULL */
	void *slots[WAYS];
};

/* Made by the first who needs a node. */
static struct slab_cache *node_cache;

static struct node *node_alloc(void)
{
	struct slab_cache *cache = __atomic_load_n(&node_cache, __ATOMIC_ACQUIRE), *none = NULL;
	struct node *node;

	if (unlikely(!cache)) {
		cache = slab_cache_create("page index", sizeof(struct node), 0);
		if (!cache)
			return NULL;
		if (!__atomic_compare_exchange_n(&node_cache, &none, cache, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_ACQUIRE)) {
			slab_cache_destroy(cache);
			cache = none;
		}
	}
	node = slab_alloc(cache);
	if (node)
		memset(node, 0, sizeof(*node));
	return node;
}

static void node_free(struct node *node)
{
	slab_free(node_cache, node);
}

/* The slot of INDEX in a node at LEVEL: level 1 holds items. */
static unsigned slot_of(uint64_t index, unsigned level)
{
	return index >> (WAY_BITS * (level - 1)) & (WAYS - 1);
}

static bool fits(const struct page_index *tree, uint64_t index)
{
	return tree->levels == LEVELS_MAX || !(index >> (WAY_BITS * tree->levels));
}

static void slot_set(struct node *node, unsigned slot, void *what)
{
	node->slots[slot] = what;
	node->used |= 1ull << slot;
}

/* Puts nodes on top until INDEX fits. Whatever it has grown by stays valid when memory runs out. */
static int grow(struct page_index *tree, uint64_t index)
{
	while (!fits(tree, index)) {
		struct node *node;

		if (tree->root) {
			node = node_alloc();
			if (!node)
				return -ENOMEM;
			slot_set(node, 0, tree->root);
			tree->root = node;
		}
		tree->levels++;
	}
	return 0;
}

/* Takes away nodes on top that hold nothing but their first slot, and empty ones on the way to INDEX. */
static void shrink(struct page_index *tree)
{
	while (tree->levels) {
		struct node *node = tree->root;

		if (node && node->used != 1)
			return;
		tree->root = node ? node->slots[0] : NULL;
		tree->levels--;
		if (node)
			node_free(node);
	}
}

int page_index_insert(struct page_index *tree, uint64_t index, void *item)
{
	void **link = &tree->root;
	struct node *parent = NULL;
	unsigned slot = 0;

	if (grow(tree, index))
		goto no_memory;
	for (unsigned level = tree->levels; level; level--) {
		if (!*link) {
			struct node *node = node_alloc();

			if (!node)
				goto no_memory;
			if (parent)
				slot_set(parent, slot, node);
			else
				*link = node;
		}
		parent = *link;
		slot = slot_of(index, level);
		link = &parent->slots[slot];
	}
	if (*link)
		return -EEXIST;
	*link = item;
	if (parent)
		parent->used |= 1ull << slot;
	tree->count++;
	return 0;
no_memory:
	/* Nodes without an item may be on the way now. */
	page_index_remove(tree, index);
	return -ENOMEM;
}

static void **item_slot(const struct page_index *tree, uint64_t index)
{
	void *at = tree->root;
	void **link = (void **)(uintptr_t)&tree->root;

	if (!fits(tree, index))
		return NULL;
	for (unsigned level = tree->levels; level; level--) {
		if (!at)
			return NULL;
		link = &((struct node *)at)->slots[slot_of(index, level)];
		at = *link;
	}
	return link;
}

void *page_index_lookup(const struct page_index *tree, uint64_t index)
{
	void **link = item_slot(tree, index);

	return link ? *link : NULL;
}

void *page_index_replace(struct page_index *tree, uint64_t index, void *item)
{
	void **link = item_slot(tree, index), *old = link ? *link : NULL;

	if (old)
		*link = item;
	return old;
}

void *page_index_remove(struct page_index *tree, uint64_t index)
{
	void **path[LEVELS_MAX + 1], *item;
	void **link = &tree->root;
	unsigned level;

	if (!fits(tree, index))
		return NULL;
	for (level = tree->levels; level && *link; level--) {
		path[level] = link;
		link = &((struct node *)*link)->slots[slot_of(index, level)];
	}
	item = level ? NULL : *link;
	*link = item ? NULL : *link;
	tree->count -= !!item;
	/* Upwards, as long as what hangs in the slot below is gone. */
	while (++level <= tree->levels && !*link) {
		struct node *node = *path[level];

		node->used &= ~(1ull << slot_of(index, level));
		link = path[level];
		if (node->used)
			break;
		node_free(node);
		*link = NULL;
	}
	shrink(tree);
	return item;
}

/* The lowest item in the subtree of LEVEL at AT that is not before *INDEX (counted within the subtree). */
static void *next_below(const struct node *node, unsigned level, uint64_t *index)
{
	unsigned first = slot_of(*index, level), shift = WAY_BITS * (level - 1);
	uint64_t used = node->used >> first << first;

	for (; used; used &= used - 1) {
		unsigned slot = __builtin_ctzll(used);
		uint64_t rest = slot == first ? *index & ((1ull << shift) - 1) : 0;
		void *item = node->slots[slot];

		if (level > 1)
			item = next_below(item, level - 1, &rest);
		if (item) {
			*index = (uint64_t)slot << shift | rest;
			return item;
		}
	}
	return NULL;
}

void *page_index_next(const struct page_index *tree, uint64_t *index)
{
	if (!tree->root || !fits(tree, *index))
		return NULL;
	return tree->levels ? next_below(tree->root, tree->levels, index) : tree->root;
}
