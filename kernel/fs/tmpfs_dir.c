/*
 * tmpfs: names. The directory's own entries by name; a name without one is the lower directory's. What changes two
 * things at once (a name and a link count, two names) does so under tmpfs->lock, with the memory that it needs taken
 * before.
 */
#include "kernel/file/abi.h"
#include "kernel/fs/tmpfs_node.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"

#define ENTRY_SIZE 20 /* what Linux's tmpfs counts for a name in st_size of a directory */

static int name_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, MIN(a_len, b_len));

	if (order)
		return order;
	return a_len < b_len ? -1 : a_len > b_len;
}

static bool name_less(const struct rb_node *a, const struct rb_node *b)
{
	const struct tmpfs_entry *x = container_of(a, struct tmpfs_entry, by_name);
	const struct tmpfs_entry *y = container_of(b, struct tmpfs_entry, by_name);

	return name_compare(x->name, x->len, y->name, y->len) < 0;
}

static bool cookie_less(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct tmpfs_entry, by_cookie)->cookie <
	       container_of(b, struct tmpfs_entry, by_cookie)->cookie;
}

struct tmpfs_entry *tmpfs_entry_find(const struct tmpfs_dir *dir, const char *name, size_t len)
{
	struct rb_node *at = dir->names.root;

	while (at) {
		struct tmpfs_entry *entry = container_of(at, struct tmpfs_entry, by_name);
		int order = name_compare(name, len, entry->name, entry->len);

		if (!order)
			return entry;
		at = order < 0 ? at->left : at->right;
	}
	return NULL;
}

/* All under tmpfs->lock: an entry's ways in and out of the trees. */

/* ENTRY, in the tree of names or new, becomes NODE's; the reference to NODE goes over. */
static void entry_set(struct tmpfs_node *dir, struct tmpfs_entry *entry, struct tmpfs_node *node)
{
	if (!entry->node) {
		entry->cookie = ++dir->dir.last_cookie;
		rb_insert(&dir->dir.cookies, &entry->by_cookie, cookie_less);
		dir->dir.nr_own++;
		dir->vnode.size += ENTRY_SIZE;
	}
	entry->node = node;
}

/* ENTRY names nothing any more: a whiteout, or gone and *FREE_IT. Its reference to the node goes to the caller. */
static void entry_clear(struct tmpfs_node *dir, struct tmpfs_entry *entry, struct tmpfs_entry **free_it)
{
	rb_remove(&dir->dir.cookies, &entry->by_cookie);
	dir->dir.nr_own--;
	dir->vnode.size -= ENTRY_SIZE;
	entry->node = NULL;
	if (entry->over_lower)
		return;
	rb_remove(&dir->dir.names, &entry->by_name);
	*free_it = entry;
}

static void entry_insert(struct tmpfs_node *dir, struct tmpfs_entry *entry, bool over_lower)
{
	entry->over_lower = over_lower;
	rb_insert(&dir->dir.names, &entry->by_name, name_less);
}

static struct tmpfs_entry *entry_alloc(const char *name, size_t len)
{
	struct tmpfs_entry *entry = kmalloc(sizeof(*entry) + len);

	if (!entry)
		return NULL;
	*entry = (struct tmpfs_entry){ .len = (uint16_t)len };
	memcpy(entry->name, name, len);
	return entry;
}

struct tmpfs_entry *tmpfs_dir_empty(struct tmpfs_dir *dir, struct tmpfs_entry *list)
{
	struct rb_node *at;

	while ((at = rb_first(&dir->names))) {
		struct tmpfs_entry *entry = container_of(at, struct tmpfs_entry, by_name);

		rb_remove(&dir->names, at);
		at->parent = (void *)list;
		list = entry;
	}
	*dir = (struct tmpfs_dir){ .last_cookie = dir->last_cookie };
	return list;
}

static void changed(struct tmpfs_node *dir)
{
	dir->vnode.mtime = dir->vnode.ctime = file_time_now();
}

/*
 * ---- Lookup
 * -----------------------------------------------------------------------------------------------------------
 */

static int lower_lookup(struct tmpfs_node *dir, const char *name, size_t len, struct vnode **out)
{
	if (!dir->lower || !dir->lower->ops->lookup)
		return -ENOENT;
	return dir->lower->ops->lookup(dir->lower, name, len, out);
}

static int tmpfs_lookup(struct vnode *dir_vnode, const char *name, size_t len, struct vnode **out)
{
	struct tmpfs_node *dir = node_of(dir_vnode), *node = NULL;
	struct tmpfs *tmpfs = tmpfs_of(dir_vnode);
	struct tmpfs_entry *entry;
	struct vnode *lower;
	int error;

	spin_lock(&tmpfs->lock);
	entry = tmpfs_entry_find(&dir->dir, name, len);
	if (entry && entry->node) {
		node = entry->node;
		vnode_get(&node->vnode);
	}
	spin_unlock(&tmpfs->lock);
	if (!entry) {
		error = lower_lookup(dir, name, len, &lower);
		if (!error)
			error = tmpfs_node_from_lower(tmpfs, lower, &node);
		if (error)
			return error;
	}
	if (!node)
		return -ENOENT;
	*out = &node->vnode;
	return 0;
}

/*
 * ---- New names
 * --------------------------------------------------------------------------------------------------------
 */

/*
 * NODE, whose reference goes over, gets the name in SPARE, an entry not yet used, or in the whiteout that is there;
 * frees SPARE.
 */
static int name_add(struct tmpfs_node *dir, struct tmpfs_entry *spare, struct tmpfs_node *node)
{
	struct tmpfs *tmpfs = tmpfs_of(&dir->vnode);
	struct tmpfs_entry *entry;

	spin_lock(&tmpfs->lock);
	if (!dir->vnode.nlink) {
		spin_unlock(&tmpfs->lock);
		kfree(spare);
		return -ENOENT;
	}
	entry = tmpfs_entry_find(&dir->dir, spare->name, spare->len);
	if (!entry) {
		entry = spare;
		spare = NULL;
		entry_insert(dir, entry, false);
	}
	entry_set(dir, entry, node);
	node->vnode.nlink++;
	if (S_ISDIR(node->vnode.mode))
		dir->vnode.nlink++;
	tmpfs_pin_locked(dir);
	changed(dir);
	spin_unlock(&tmpfs->lock);
	kfree(spare);
	return 0;
}

static int tmpfs_create_name(struct vnode *dir, const char *name, size_t len, const struct vnode_new *what,
			     struct vnode **out)
{
	struct tmpfs_entry *spare = entry_alloc(name, len);
	struct tmpfs_node *node;
	int error;

	if (!spare)
		return -ENOSPC;
	error = tmpfs_node_create(tmpfs_of(dir), what, &node);
	if (error) {
		kfree(spare);
		return error;
	}
	vnode_get(&node->vnode); /* the entry's */
	error = name_add(node_of(dir), spare, node);
	if (error) {
		vnode_put(&node->vnode);
		vnode_put(&node->vnode);
		return error;
	}
	*out = &node->vnode;
	return 0;
}

static int tmpfs_create_unnamed(struct vnode *dir, const struct vnode_new *what, struct vnode **out)
{
	struct tmpfs_node *node;
	int error = tmpfs_node_create(tmpfs_of(dir), what, &node);

	if (!error)
		*out = &node->vnode;
	return error;
}

static int tmpfs_link(struct vnode *dir, const char *name, size_t len, struct vnode *vnode)
{
	struct tmpfs_node *node = node_of(vnode);
	struct tmpfs_entry *spare;
	int error;

	spare = entry_alloc(name, len);
	if (!spare)
		return -ENOSPC;
	tmpfs_pin(node);
	vnode_get(vnode);
	error = name_add(node_of(dir), spare, node);
	if (error)
		vnode_put(vnode);
	else
		vnode->ctime = file_time_now();
	return error;
}

/*
 * ---- Names that go
 * -----------------------------------------------------------------------------------------------------
 */

/* What has to be given back once tmpfs->lock is free. */
struct leftovers {
	struct tmpfs_entry *entries[3];
	struct vnode *vnodes[3];
	unsigned nr_entries, nr_vnodes;
};

static void leave_vnode(struct leftovers *left, struct tmpfs_node *node)
{
	left->vnodes[left->nr_vnodes++] = &node->vnode;
}

static void leftovers_free(struct leftovers *left)
{
	while (left->nr_entries)
		kfree(left->entries[--left->nr_entries]);
	while (left->nr_vnodes)
		vnode_put(left->vnodes[--left->nr_vnodes]);
}

/* NODE lost a name in DIR. tmpfs->lock held. */
static void name_lost(struct tmpfs_node *dir, struct tmpfs_node *node, struct leftovers *left)
{
	if (S_ISDIR(node->vnode.mode)) {
		node->vnode.nlink = 0;
		dir->vnode.nlink--;
	} else if (node->vnode.nlink) {
		node->vnode.nlink--;
	}
	node->vnode.ctime = file_time_now();
	if (node->vnode.nlink)
		tmpfs_pin_locked(node);
	else if (tmpfs_unpin_locked(node))
		leave_vnode(left, node);
}

/*
 * What the name of SPARE stands for in DIR goes away; *SPARE becomes the whiteout if one is needed and there is none,
 * else is left. tmpfs->lock held.
 */
static void name_remove(struct tmpfs_node *dir, struct tmpfs_entry **spare, struct leftovers *left)
{
	struct tmpfs_entry *entry = tmpfs_entry_find(&dir->dir, (*spare)->name, (*spare)->len), *gone = NULL;

	if (!entry) {
		entry_insert(dir, *spare, true);
		*spare = NULL;
	} else if (entry->node) {
		leave_vnode(left, entry->node);
		entry_clear(dir, entry, &gone);
		if (gone)
			left->entries[left->nr_entries++] = gone;
	}
}

static int tmpfs_unlink(struct vnode *dir_vnode, const char *name, size_t len, struct vnode *victim)
{
	struct tmpfs_node *dir = node_of(dir_vnode), *node = node_of(victim);
	struct tmpfs *tmpfs = tmpfs_of(dir_vnode);
	struct tmpfs_entry *spare;
	struct leftovers left = { 0 };

	if (S_ISDIR(victim->mode) && !tmpfs_dir_is_empty(victim))
		return -ENOTEMPTY;
	spare = entry_alloc(name, len);
	if (!spare)
		return -ENOSPC;
	spin_lock(&tmpfs->lock);
	if (S_ISDIR(victim->mode) && node->dir.nr_own) { /* since it was looked through */
		spin_unlock(&tmpfs->lock);
		kfree(spare);
		return -ENOTEMPTY;
	}
	name_remove(dir, &spare, &left);
	name_lost(dir, node, &left);
	tmpfs_pin_locked(dir);
	changed(dir);
	spin_unlock(&tmpfs->lock);
	kfree(spare);
	leftovers_free(&left);
	return 0;
}

/*
 * ---- Rename
 * ------------------------------------------------------------------------------------------------------------
 */

/*
 * The name of *SPARE in DIR becomes NODE's (a reference is taken), whatever it was. EXISTED: it named something.
 * tmpfs->lock held.
 */
static void name_replace(struct tmpfs_node *dir, struct tmpfs_entry **spare, struct tmpfs_node *node, bool existed,
			 struct leftovers *left)
{
	struct tmpfs_entry *entry = tmpfs_entry_find(&dir->dir, (*spare)->name, (*spare)->len);

	vnode_get(&node->vnode);
	if (!entry) {
		entry = *spare;
		*spare = NULL;
		entry_insert(dir, entry, existed); /* it existed without an entry: the lower directory's */
	} else if (entry->node) {
		leave_vnode(left, entry->node);
	}
	entry_set(dir, entry, node);
}

static void rename_exchange(struct tmpfs_node *from, struct tmpfs_entry **from_spare, struct tmpfs_node *source,
			    struct tmpfs_node *to, struct tmpfs_entry **to_spare, struct tmpfs_node *victim,
			    struct leftovers *left)
{
	bool source_is_dir = S_ISDIR(source->vnode.mode), victim_is_dir = S_ISDIR(victim->vnode.mode);

	name_replace(to, to_spare, source, true, left);
	name_replace(from, from_spare, victim, true, left);
	victim->vnode.ctime = file_time_now();
	if (source_is_dir != victim_is_dir) {
		to->vnode.nlink += source_is_dir ? 1u : -1u;
		from->vnode.nlink += source_is_dir ? -1u : 1u;
	}
}

static void rename_over(struct tmpfs_node *from, struct tmpfs_entry **from_spare, struct tmpfs_node *source,
			struct tmpfs_node *to, struct tmpfs_entry **to_spare, struct tmpfs_node *victim,
			struct leftovers *left)
{
	name_replace(to, to_spare, source, victim != NULL, left);
	name_remove(from, from_spare, left);
	if (victim)
		name_lost(to, victim, left);
	if (S_ISDIR(source->vnode.mode)) {
		to->vnode.nlink++;
		from->vnode.nlink--;
	}
}

static int tmpfs_rename(struct vnode *from_vnode, const char *from_name, size_t from_len, struct vnode *source,
			struct vnode *to_vnode, const char *to_name, size_t to_len, struct vnode *victim,
			unsigned flags)
{
	struct tmpfs_node *from = node_of(from_vnode), *to = node_of(to_vnode);
	struct tmpfs *tmpfs = tmpfs_of(from_vnode);
	struct tmpfs_entry *from_spare, *to_spare;
	struct leftovers left = { 0 };
	bool exchange = flags & RENAME_EXCHANGE_FLAG;
	bool over_dir = victim && !exchange && S_ISDIR(victim->mode);
	int error = 0;

	if (over_dir && !tmpfs_dir_is_empty(victim))
		return -ENOTEMPTY;
	from_spare = entry_alloc(from_name, from_len);
	to_spare = entry_alloc(to_name, to_len);
	if (!from_spare || !to_spare) {
		error = -ENOSPC;
		goto out;
	}
	spin_lock(&tmpfs->lock);
	if (!to->vnode.nlink)
		error = -ENOENT;
	else if (over_dir && node_of(victim)->dir.nr_own)
		error = -ENOTEMPTY;
	else if (exchange)
		rename_exchange(from, &from_spare, node_of(source), to, &to_spare, node_of(victim), &left);
	else
		rename_over(from, &from_spare, node_of(source), to, &to_spare, victim ? node_of(victim) : NULL, &left);
	if (!error) {
		source->ctime = file_time_now();
		tmpfs_pin_locked(from);
		tmpfs_pin_locked(to);
		tmpfs_pin_locked(node_of(source));
		changed(from);
		changed(to);
	}
	spin_unlock(&tmpfs->lock);
out:
	kfree(from_spare);
	kfree(to_spare);
	leftovers_free(&left);
	return error;
}

const struct vnode_ops tmpfs_dir_ops = {
	.lookup = tmpfs_lookup,
	.create = tmpfs_create_name,
	.create_unnamed = tmpfs_create_unnamed,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rename = tmpfs_rename,
	.readdir = tmpfs_readdir,
	.setattr = tmpfs_setattr,
	.xattr_get = tmpfs_xattr_get,
	.xattr_set = tmpfs_xattr_set,
	.xattr_list = tmpfs_xattr_list,
	.release = tmpfs_release,
};
