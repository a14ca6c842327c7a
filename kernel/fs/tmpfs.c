/* tmpfs: file systems, and what all their nodes have in common. See tmpfs_node.h. */
#include "kernel/file/abi.h"
#include "kernel/fs/tmpfs_node.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"

#define INO_FIRST 1u
#define INO_FIRST_OVER_LOWER (1ul << 31) /* beyond those of an EROFS of 64 GiB (a node each 32 bytes) */

bool tmpfs_charge(struct tmpfs *tmpfs, uint64_t n)
{
	if (__atomic_add_fetch(&tmpfs->nr_pages, n, __ATOMIC_RELAXED) <= tmpfs->nr_pages_max)
		return true;
	tmpfs_uncharge(tmpfs, n);
	return false;
}

void tmpfs_uncharge(struct tmpfs *tmpfs, uint64_t n)
{
	__atomic_fetch_sub(&tmpfs->nr_pages, n, __ATOMIC_RELAXED);
}

/* ---- Nodes ---------------------------------------------------------------------------------------------------------- */

static bool ino_less(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct tmpfs_node, by_ino)->vnode.ino <
	       container_of(b, struct tmpfs_node, by_ino)->vnode.ino;
}

void tmpfs_pin_locked(struct tmpfs_node *node)
{
	/* Not the root: the mount holds it, and its end is the end of all. */
	if (!node->indexed || node->pinned || &node->vnode == node->vnode.fs->root)
		return;
	node->pinned = true;
	vnode_get(&node->vnode);
}

bool tmpfs_unpin_locked(struct tmpfs_node *node)
{
	bool was_pinned = node->pinned;

	node->pinned = false;
	return was_pinned;
}

void tmpfs_pin(struct tmpfs_node *node)
{
	struct tmpfs *tmpfs = tmpfs_of(&node->vnode);

	if (!node->lower || READ_ONCE(node->pinned))
		return;
	spin_lock(&tmpfs->lock);
	if (node->vnode.nlink)
		tmpfs_pin_locked(node);
	spin_unlock(&tmpfs->lock);
}

static struct tmpfs_node *node_alloc(struct tmpfs *tmpfs, uint32_t mode, uint64_t ino)
{
	struct tmpfs_node *node = kzalloc(sizeof(*node));
	const struct vnode_ops *ops = &tmpfs_other_ops;

	if (!node)
		return NULL;
	if (S_ISDIR(mode))
		ops = &tmpfs_dir_ops;
	else if (S_ISREG(mode))
		ops = &tmpfs_file_ops;
	vnode_init(&node->vnode, ops, &tmpfs->fs, mode, ino);
	if (S_ISREG(mode)) {
		page_cache_init(&node->cache);
		vm_object_init(&node->vnode.object, &tmpfs_object_ops);
	}
	__atomic_fetch_add(&tmpfs->nr_nodes, 1, __ATOMIC_RELAXED);
	return node;
}

int tmpfs_node_create(struct tmpfs *tmpfs, const struct vnode_new *what, struct tmpfs_node **out)
{
	struct tmpfs_node *node;
	uint64_t ino = __atomic_fetch_add(&tmpfs->next_ino, 1, __ATOMIC_RELAXED);
	size_t len;

	node = node_alloc(tmpfs, what->mode, ino);
	if (!node)
		return -ENOSPC;
	node->vnode.uid = what->uid;
	node->vnode.gid = what->gid;
	node->vnode.rdev = what->rdev;
	node->vnode.nlink = S_ISDIR(what->mode) ? 1 : 0;
	node->vnode.atime = node->vnode.mtime = node->vnode.ctime = node->vnode.btime = file_time_now();
	if (what->target) {
		len = strlen(what->target);
		node->target = kmalloc(len + 1);
		if (!node->target) {
			vnode_put(&node->vnode);
			return -ENOSPC;
		}
		memcpy(node->target, what->target, len + 1);
		node->vnode.size = len;
	}
	*out = node;
	return 0;
}

/* True unless the last reference to NODE is gone. */
static bool get_unless_dying(struct tmpfs_node *node)
{
	uint32_t refs = __atomic_load_n(&node->vnode.refs, __ATOMIC_RELAXED);

	while (refs)
		if (__atomic_compare_exchange_n(&node->vnode.refs, &refs, refs + 1, true, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return true;
	return false;
}

static void unindex(struct tmpfs *tmpfs, struct tmpfs_node *node)
{
	rb_remove(&tmpfs->by_ino, &node->by_ino);
	node->indexed = false;
}

/* With a reference; NULL: there is none. tmpfs->lock held. */
static struct tmpfs_node *find_by_ino(struct tmpfs *tmpfs, uint64_t ino)
{
	struct rb_node *at = tmpfs->by_ino.root;

	while (at) {
		struct tmpfs_node *node = container_of(at, struct tmpfs_node, by_ino);

		if (node->vnode.ino == ino) {
			if (get_unless_dying(node))
				return node;
			unindex(tmpfs, node); /* before its release does */
			return NULL;
		}
		at = ino < node->vnode.ino ? at->left : at->right;
	}
	return NULL;
}

static struct tmpfs_node *node_alloc_over(struct tmpfs *tmpfs, struct vnode *lower, const struct vnode_attr *attr)
{
	struct tmpfs_node *node = node_alloc(tmpfs, attr->mode, attr->ino);

	if (!node)
		return NULL;
	node->lower = lower;
	node->lower_size = attr->size;
	node->vnode.nlink = attr->nlink;
	node->vnode.uid = attr->uid;
	node->vnode.gid = attr->gid;
	node->vnode.rdev = attr->rdev;
	node->vnode.size = attr->size;
	node->vnode.blocks = attr->blocks;
	node->vnode.atime = attr->atime;
	node->vnode.mtime = attr->mtime;
	node->vnode.ctime = attr->ctime;
	node->vnode.btime = attr->btime;
	return node;
}

int tmpfs_node_from_lower(struct tmpfs *tmpfs, struct vnode *lower, struct tmpfs_node **out)
{
	struct tmpfs_node *found, *node;
	struct vnode_attr attr;
	int error;

	spin_lock(&tmpfs->lock);
	found = find_by_ino(tmpfs, lower->ino);
	spin_unlock(&tmpfs->lock);
	if (found) {
		vnode_put(lower);
		*out = found;
		return 0;
	}
	error = vnode_getattr(lower, &attr);
	node = error ? NULL : node_alloc_over(tmpfs, lower, &attr);
	if (!node) {
		vnode_put(lower);
		return error ? error : -ENOMEM;
	}
	spin_lock(&tmpfs->lock);
	found = find_by_ino(tmpfs, attr.ino); /* another name of it was faster */
	if (!found) {
		rb_insert(&tmpfs->by_ino, &node->by_ino, ino_less);
		node->indexed = true;
	}
	spin_unlock(&tmpfs->lock);
	if (found)
		vnode_put(&node->vnode);
	*out = found ? found : node;
	return 0;
}

/* Nodes are freed one after the other, not in each other's release, however deep the tree. */
static void entries_free(struct tmpfs *tmpfs, struct tmpfs_entry *list)
{
	while (list) {
		struct tmpfs_entry *entry = list;
		struct tmpfs_node *node = entry->node;

		list = (void *)entry->by_name.parent;
		if (node && S_ISDIR(node->vnode.mode)) {
			spin_lock(&tmpfs->lock);
			list = tmpfs_dir_empty(&node->dir, list);
			spin_unlock(&tmpfs->lock);
		}
		if (node)
			vnode_put(&node->vnode);
		kfree(entry);
	}
}

/* The root is gone: nobody can come to what is pinned any more. */
static void unpin_all(struct tmpfs *tmpfs)
{
	struct tmpfs_entry *list = NULL;
	struct rb_node *at;

	for (;;) {
		struct tmpfs_node *node = NULL;

		spin_lock(&tmpfs->lock);
		for (at = rb_first(&tmpfs->by_ino); at && !node; at = rb_next(at)) {
			node = container_of(at, struct tmpfs_node, by_ino);
			if (!node->pinned)
				node = NULL;
		}
		if (node) {
			tmpfs_unpin_locked(node);
			if (S_ISDIR(node->vnode.mode))
				list = tmpfs_dir_empty(&node->dir, NULL);
		}
		spin_unlock(&tmpfs->lock);
		if (!node)
			return;
		entries_free(tmpfs, list);
		list = NULL;
		vnode_put(&node->vnode);
	}
}

static void tmpfs_free(struct tmpfs *tmpfs)
{
	if (tmpfs->lower)
		vnode_put(tmpfs->lower->root);
	if (tmpfs->fs.release)
		tmpfs->fs.release(&tmpfs->fs);
}

static void contents_free(struct tmpfs *tmpfs, struct tmpfs_node *node)
{
	struct tmpfs_entry *list;

	if (S_ISREG(node->vnode.mode)) {
		tmpfs_uncharge(tmpfs, page_cache_remove(&node->cache, 0, UINT64_MAX));
	} else if (S_ISDIR(node->vnode.mode)) {
		spin_lock(&tmpfs->lock);
		list = tmpfs_dir_empty(&node->dir, NULL);
		spin_unlock(&tmpfs->lock);
		entries_free(tmpfs, list);
	} else if (!node->lower) {
		kfree(node->target);
	}
	tmpfs_xattr_free_all(node->xattrs);
}

void tmpfs_release(struct vnode *vnode)
{
	struct tmpfs_node *node = node_of(vnode);
	struct tmpfs *tmpfs = tmpfs_of(vnode);

	spin_lock(&tmpfs->lock);
	if (node->indexed)
		unindex(tmpfs, node);
	spin_unlock(&tmpfs->lock);
	contents_free(tmpfs, node);
	if (vnode == tmpfs->fs.root)
		unpin_all(tmpfs);
	if (node->lower)
		vnode_put(node->lower);
	kfree(node);
	if (__atomic_sub_fetch(&tmpfs->nr_nodes, 1, __ATOMIC_ACQ_REL) == 0)
		tmpfs_free(tmpfs);
}

/* ---- Attributes ------------------------------------------------------------------------------------------------------ */

int tmpfs_setattr(struct vnode *vnode, const struct vnode_attr *attr, unsigned mask)
{
	int error = 0;

	if (mask & ATTR_SIZE) {
		error = S_ISREG(vnode->mode) ? tmpfs_truncate(vnode, attr->size) : -EINVAL;
		if (error)
			return error;
	}
	tmpfs_pin(node_of(vnode));
	if (mask & ATTR_MODE)
		vnode->mode = (vnode->mode & S_IFMT) | (attr->mode & 07777);
	if (mask & ATTR_UID)
		vnode->uid = attr->uid;
	if (mask & ATTR_GID)
		vnode->gid = attr->gid;
	if (mask & ATTR_ATIME)
		vnode->atime = attr->atime;
	if (mask & ATTR_MTIME)
		vnode->mtime = attr->mtime;
	if (mask & ATTR_CTIME)
		vnode->ctime = attr->ctime;
	return 0;
}

ssize_t tmpfs_readlink(struct vnode *vnode, char *buf, size_t size)
{
	struct tmpfs_node *node = node_of(vnode);
	size_t len = MIN(vnode->size, size);

	if (!S_ISLNK(vnode->mode))
		return -EINVAL;
	if (node->lower)
		return node->lower->ops->readlink ? node->lower->ops->readlink(node->lower, buf, size) : -EINVAL;
	memcpy(buf, node->target, len);
	return (ssize_t)len;
}

/* Symbolic links, devices, fifos, sockets. */
const struct vnode_ops tmpfs_other_ops = {
	.readlink = tmpfs_readlink,
	.setattr = tmpfs_setattr,
	.xattr_get = tmpfs_xattr_get,
	.xattr_set = tmpfs_xattr_set,
	.xattr_list = tmpfs_xattr_list,
	.release = tmpfs_release,
};

/* ---- File systems ----------------------------------------------------------------------------------------------------- */

static void tmpfs_stat(struct file_system *fs, struct fs_stat *out)
{
	struct tmpfs *tmpfs = container_of(fs, struct tmpfs, fs);
	uint64_t used = __atomic_load_n(&tmpfs->nr_pages, __ATOMIC_RELAXED);
	struct page_stats memory;

	page_stats(&memory);
	out->magic = TMPFS_MAGIC;
	out->block_size = PAGE_SIZE;
	out->blocks = tmpfs->nr_pages_max;
	out->blocks_free = out->blocks > used ? out->blocks - used : 0;
	out->files = memory.total;
	out->files_free = out->files > tmpfs->nr_nodes ? out->files - tmpfs->nr_nodes : 0;
}

static void release_allocated(struct file_system *fs)
{
	kfree(container_of(fs, struct tmpfs, fs));
}

static void setup(struct tmpfs *tmpfs, uint64_t size_max_bytes)
{
	struct page_stats memory;

	page_stats(&memory);
	spin_init(&tmpfs->lock, "tmpfs");
	tmpfs->fs.type = "tmpfs";
	tmpfs->fs.dev = file_system_dev();
	tmpfs->fs.stat = tmpfs_stat;
	tmpfs->next_ino = INO_FIRST;
	tmpfs->nr_pages_max = size_max_bytes ? ALIGN_UP(size_max_bytes, PAGE_SIZE) / PAGE_SIZE : memory.total / 2;
}

int tmpfs_create(struct file_system *lower, uint64_t size_max_bytes, uint32_t mode, struct file_system **out)
{
	struct tmpfs *tmpfs = kzalloc(sizeof(*tmpfs));
	struct vnode_new what = { .mode = S_IFDIR | (mode & 07777) };
	struct tmpfs_node *root;
	int error;

	if (!tmpfs)
		return -ENOMEM;
	setup(tmpfs, size_max_bytes);
	if (lower) {
		tmpfs->next_ino = INO_FIRST_OVER_LOWER;
		vnode_get(lower->root);
		error = tmpfs_node_from_lower(tmpfs, lower->root, &root);
	} else {
		error = tmpfs_node_create(tmpfs, &what, &root);
	}
	if (error) { /* nr_nodes may have come to 0, but without release nothing was freed by that */
		kfree(tmpfs);
		return -ENOMEM;
	}
	if (!lower)
		root->vnode.nlink = 2;
	tmpfs->lower = lower;
	tmpfs->fs.root = &root->vnode;
	tmpfs->fs.release = release_allocated;
	*out = &tmpfs->fs;
	return 0;
}

/* What files without a mounted file system belong to (memfd_create(2)). */
int tmpfs_file_create(const char *name, struct vnode **out)
{
	static struct tmpfs anonymous = { .lock = SPINLOCK_INIT("tmpfs"),
					  .fs = { .type = "tmpfs", .stat = tmpfs_stat } };
	struct vnode_new what = { .mode = S_IFREG | 0777 };
	struct tmpfs_node *node;
	int error;

	(void)name; /* is the dentry's */
	if (!__atomic_load_n(&anonymous.nr_pages_max, __ATOMIC_ACQUIRE)) {
		anonymous.fs.dev = file_system_dev();
		__atomic_store_n(&anonymous.nr_pages_max, UINT64_MAX / PAGE_SIZE, __ATOMIC_RELEASE);
	}
	error = tmpfs_node_create(&anonymous, &what, &node);
	if (error)
		return -ENOMEM;
	*out = &node->vnode;
	return 0;
}
