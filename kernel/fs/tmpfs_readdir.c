/*
 * tmpfs: what a directory lists. First its own entries, by cookies that only grow, so that a position stays right
 * whatever goes or comes meanwhile; then those of the lower directory that have no own entry, at the lower one's
 * positions.
 */
#include "kernel/file/abi.h"
#include "kernel/fs/tmpfs_node.h"
#include "lib/string.h"

#define LOWER_POS (1ul << 62)

/* An own entry, copied: nothing is told to a sink under a spinlock. */
struct listed {
	char name[NAME_MAX];
	size_t len;
	uint64_t ino, cookie;
	unsigned type;
};

/* The first own entry with a cookie larger than AFTER. False: there is none. */
static bool own_after(struct tmpfs_node *dir, uint64_t after, struct listed *out)
{
	struct tmpfs *tmpfs = tmpfs_of(&dir->vnode);
	struct tmpfs_entry *entry, *best = NULL;
	struct rb_node *at;

	spin_lock(&tmpfs->lock);
	for (at = dir->dir.cookies.root; at;) {
		entry = container_of(at, struct tmpfs_entry, by_cookie);
		if (entry->cookie > after)
			best = entry;
		at = entry->cookie > after ? at->left : at->right;
	}
	if (best) {
		memcpy(out->name, best->name, best->len);
		out->len = best->len;
		out->ino = best->node->vnode.ino;
		out->type = S_DT(best->node->vnode.mode);
		out->cookie = best->cookie;
	}
	spin_unlock(&tmpfs->lock);
	return best;
}

/* Passes on the lower directory's entries. */
struct merge_sink {
	struct dir_sink sink;
	struct dir_sink *to; /* NULL: only looks whether there is one */
	struct tmpfs_node *dir;
	uint64_t pos; /* behind the last one that was taken or passed over */
	bool found, full;
};

static bool has_own(struct tmpfs_node *dir, const char *name, size_t len)
{
	struct tmpfs *tmpfs = tmpfs_of(&dir->vnode);
	bool found;

	spin_lock(&tmpfs->lock);
	found = tmpfs_entry_find(&dir->dir, name, len);
	spin_unlock(&tmpfs->lock);
	return found;
}

static bool merge_entry(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type, uint64_t next)
{
	struct merge_sink *merge = container_of(sink, struct merge_sink, sink);

	if (!has_own(merge->dir, name, len)) {
		merge->found = true;
		if (!merge->to || !merge->to->entry(merge->to, name, len, ino, type, LOWER_POS | next)) {
			merge->full = true;
			return false;
		}
	}
	merge->pos = next;
	return true;
}

int tmpfs_readdir(struct vnode *vnode, uint64_t *pos, struct dir_sink *sink)
{
	struct tmpfs_node *dir = node_of(vnode);
	struct merge_sink merge = { { merge_entry }, sink, dir, 0, false, false };
	struct listed own;
	uint64_t lower_pos;
	int error;

	while (*pos < LOWER_POS && own_after(dir, *pos, &own)) {
		if (!sink->entry(sink, own.name, own.len, own.ino, own.type, own.cookie))
			return 0;
		*pos = own.cookie;
	}
	if (!dir->lower || !dir->lower->ops->readdir)
		return 0;
	if (*pos < LOWER_POS)
		*pos = LOWER_POS;
	lower_pos = merge.pos = *pos & ~LOWER_POS;
	error = dir->lower->ops->readdir(dir->lower, &lower_pos, &merge.sink);
	*pos = LOWER_POS | (merge.full ? merge.pos : lower_pos);
	return error;
}

bool tmpfs_dir_is_empty(struct vnode *vnode)
{
	struct tmpfs_node *dir = node_of(vnode);
	struct merge_sink merge = { { merge_entry }, NULL, dir, 0, false, false };
	uint64_t pos = 0;

	if (READ_ONCE(dir->dir.nr_own))
		return false;
	if (dir->lower && dir->lower->ops->readdir && dir->lower->ops->readdir(dir->lower, &pos, &merge.sink))
		return false;
	return !merge.found;
}
