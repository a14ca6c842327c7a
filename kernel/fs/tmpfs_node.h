/*
 * The inside of tmpfs. Private to tmpfs.c (file systems and nodes), tmpfs_dir.c (names), tmpfs_readdir.c,
 * tmpfs_file.c, tmpfs_map.c, tmpfs_hole.c (contents), tmpfs_xattr.c.
 *
 * A node is made from the lower file system's when its name is first looked up, and is found again by the lower inode
 * number as long as it lives. It lives while somebody uses it; once it differs from the lower one it is pinned, which
 * is a reference of the file system's own. A directory keeps entries only for names that differ: new ones, and
 * whiteouts for lower names that are gone. So what is only read costs nothing that lasts.
 */
#ifndef KERNEL_FS_TMPFS_NODE_H
#define KERNEL_FS_TMPFS_NODE_H

#include "kernel/fs/cache.h"
#include "kernel/fs/tmpfs.h"
#include "lib/rbtree.h"

struct tmpfs {
	struct file_system fs;
	struct file_system *lower; /* NULL: none */
	/*
	 * Covers entries of all directories, nlink, the nodes by inode number, pins, xattrs. Nothing sleeps under it.
	 */
	struct spinlock lock;
	struct rb_tree by_ino; /* struct tmpfs_node.by_ino: nodes that have a lower one */
	uint64_t next_ino;
	/* Atomic. */
	uint64_t nr_nodes; /* that exist; the root's existence counts for the whole */
	uint64_t nr_pages, nr_pages_max;
};

/* A name of a directory, from kmalloc. Under tmpfs->lock. */
struct tmpfs_entry {
	struct rb_node by_name, by_cookie;
	struct tmpfs_node *node; /* with a reference; NULL: a whiteout, what the lower directory has is gone */
	uint64_t cookie;	 /* its place for readdir: later ones are larger */
	bool over_lower;	 /* the lower directory has this name */
	uint16_t len;
	char name[];
};

struct tmpfs_xattr {
	struct tmpfs_xattr *next;
	size_t size;
	char *value; /* behind the name */
	char name[];
};

struct tmpfs_dir {
	struct rb_tree names, cookies; /* all entries; those that are no whiteouts */
	uint64_t last_cookie;
	size_t nr_own; /* entries that are no whiteouts */
};

struct tmpfs_node {
	struct vnode vnode;
	struct vnode *lower;   /* with a reference; NULL: has none */
	uint64_t lower_size;   /* bytes of the lower file that still count: its size, or less and page-aligned */
	unsigned generation;   /* atomic; of what was cut out of the file: see file_page() */
	struct rb_node by_ino; /* key: vnode.ino */
	bool indexed, pinned;
	union {
		struct tmpfs_dir dir;
		struct page_cache cache;
		char *target; /* of a symbolic link that has no lower one; from kmalloc */
	};
	struct tmpfs_xattr *xattrs;
};

static inline struct tmpfs *tmpfs_of(const struct vnode *vnode)
{
	return container_of(vnode->fs, struct tmpfs, fs);
}

static inline struct tmpfs_node *node_of(const struct vnode *vnode)
{
	return container_of(vnode, struct tmpfs_node, vnode);
}

/* A new node, nlink 0 (1 for a directory's own "."). -ENOSPC. */
int tmpfs_node_create(struct tmpfs *tmpfs, const struct vnode_new *what, struct tmpfs_node **out);
/* The node for LOWER, whose reference it takes over (also when it fails). -ENOMEM. */
int tmpfs_node_from_lower(struct tmpfs *tmpfs, struct vnode *lower, struct tmpfs_node **out);
/* The node is no longer what the lower one is. Any of its locks may be held, but not tmpfs->lock. */
void tmpfs_pin(struct tmpfs_node *node);
/* tmpfs->lock held. */
void tmpfs_pin_locked(struct tmpfs_node *node);
/* tmpfs->lock held. True: the caller puts a reference of the vnode once the lock is free. */
bool tmpfs_unpin_locked(struct tmpfs_node *node);

/* N pages more are used. False: that would be too many. */
bool tmpfs_charge(struct tmpfs *tmpfs, uint64_t n);
void tmpfs_uncharge(struct tmpfs *tmpfs, uint64_t n);

extern const struct vnode_ops tmpfs_dir_ops, tmpfs_file_ops, tmpfs_other_ops;
extern const struct vm_object_ops tmpfs_object_ops;

/* tmpfs_dir.c. All entries leave DIR; a list by by_name.parent. tmpfs->lock held. */
struct tmpfs_entry *tmpfs_dir_empty(struct tmpfs_dir *dir, struct tmpfs_entry *list);
struct tmpfs_entry *tmpfs_entry_find(const struct tmpfs_dir *dir, const char *name, size_t len);
int tmpfs_readdir(struct vnode *vnode, uint64_t *pos, struct dir_sink *sink);
bool tmpfs_dir_is_empty(struct vnode *vnode);

/* The page at OFF is the lower file's, if the node has no own one. */
static inline bool tmpfs_is_lower(const struct tmpfs_node *node, uint64_t off)
{
	return off < READ_ONCE(node->lower_size);
}

/* tmpfs_file.c: the own page at INDEX, made of the lower file's or of zeros if there is none yet; with a reference. */
int tmpfs_page_make(struct tmpfs_node *node, uint64_t index, struct page **out);

/* tmpfs_hole.c */
int tmpfs_truncate(struct vnode *vnode, uint64_t size);
int tmpfs_allocate(struct vnode *vnode, int mode, int64_t off, int64_t len);
int64_t tmpfs_seek_data(struct vnode *vnode, int64_t off, bool hole);

/* tmpfs_xattr.c */
ssize_t tmpfs_xattr_get(struct vnode *vnode, const char *name, void *value, size_t size);
int tmpfs_xattr_set(struct vnode *vnode, const char *name, const void *value, size_t size, int flags);
ssize_t tmpfs_xattr_list(struct vnode *vnode, char *list, size_t size);
void tmpfs_xattr_free_all(struct tmpfs_xattr *xattr);

/* After pages or lower_size changed. Two at once may leave what the first saw, until the next. */
static inline void tmpfs_blocks_set(struct tmpfs_node *node)
{
	node->vnode.blocks = node->cache.nr_pages * (PAGE_SIZE / 512) + (node->lower_size + 511) / 512;
}

/* tmpfs.c: of all kinds of nodes. */
int tmpfs_setattr(struct vnode *vnode, const struct vnode_attr *attr, unsigned mask);
ssize_t tmpfs_readlink(struct vnode *vnode, char *buf, size_t size);
void tmpfs_release(struct vnode *vnode);

#endif
