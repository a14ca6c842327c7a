/*
 * The inside of EROFS. Private to kernel/fs/erofs*.c: erofs.c (superblock, nodes), erofs_data.c (contents), erofs_dir.c,
 * erofs_xattr.c.
 *
 * Nothing that the image says is believed: every read of it goes through erofs_at or erofs_extent, which know its length. What
 * does not fit together is -EUCLEAN, as in Linux.
 */
#ifndef KERNEL_FS_EROFS_NODE_H
#define KERNEL_FS_EROFS_NODE_H

#include "kernel/file/vnode.h"
#include "kernel/fs/erofs_reg.h"
#include "lib/rbtree.h"
#include "lib/util.h"

struct erofs {
	struct file_system fs;
	const uint8_t *base; /* the image */
	uint64_t len;
	paddr_t pa; /* of base; page-aligned */
	uint64_t meta_off, xattr_off;
	struct file_time build_time;
	uint64_t blocks, inos;
	/* Covers nodes, struct erofs_node.cached, and that a node's count of references does not leave 0 again. */
	struct spinlock lock;
	struct rb_tree nodes; /* those in use, struct erofs_node.link by nid: one number, one vnode */
};

struct erofs_node {
	struct vnode vnode;
	struct rb_node link;
	bool cached; /* in erofs.nodes */
	uint8_t layout;
	uint8_t chunk_shift; /* CHUNKED: log2 of bytes */
	uint8_t chunk_entry; /* CHUNKED: bytes of an entry */
	uint64_t nid;
	uint64_t parent;    /* of a directory: what its ".." says, so that none is in two places */
	uint64_t xattr_off; /* in the image, as those below */
	uint32_t xattr_len; /* 0: no attributes */
	uint64_t data_off;  /* PLAIN, INLINE: of the first block; CHUNKED: of the entries */
	uint64_t tail_off;  /* INLINE: of what follows the node */
	uintptr_t
		tail; /* atomic; the page that mappings see at the end of the file: enum erofs_tail, or a struct page * */
};

enum erofs_tail {
	EROFS_TAIL_UNKNOWN = 0,
	EROFS_TAIL_IN_PLACE = 1, /* in the image, zeros behind the end */
};

/* The one check: LEN bytes at OFF of the image, NULL when they are not all in it. */
static inline const void *erofs_at(const struct erofs *fs, uint64_t off, uint64_t len)
{
	return off <= fs->len && len <= fs->len - off ? fs->base + off : NULL;
}

static inline struct erofs *erofs_of(const struct vnode *vnode)
{
	return container_of(vnode->fs, struct erofs, fs);
}

static inline struct erofs_node *erofs_node_of(struct vnode *vnode)
{
	return container_of(vnode, struct erofs_node, vnode);
}

/* Contents that lie in one piece. */
struct erofs_extent {
	const uint8_t *bytes; /* NULL: a hole, zeros */
	uint64_t len;
};
/* The piece of NODE's contents from OFF (less than its size) on, at least one byte. 0, -EUCLEAN. */
int erofs_extent(const struct erofs_node *node, uint64_t off, struct erofs_extent *out);

/* The vnode of NID, with a reference. 0, -EUCLEAN, -EOPNOTSUPP, -ENOMEM. */
int erofs_node_get(struct erofs *fs, uint64_t nid, struct vnode **out);

/* For struct vnode_ops and struct vm_object_ops; erofs_dir.c, erofs_data.c, erofs_xattr.c. */
int erofs_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out);
int erofs_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink);
/* The number that NAME has in the directory. 0, -ENOENT, -EUCLEAN. */
int erofs_dir_find(const struct erofs_node *dir, const char *name, size_t len, uint64_t *nid);
ssize_t erofs_read(struct vnode *vnode, struct uio *uio, int64_t pos);
ssize_t erofs_readlink(struct vnode *vnode, char *buf, size_t size);
ssize_t erofs_xattr_get(struct vnode *vnode, const char *name, void *value, size_t size);
ssize_t erofs_xattr_list(struct vnode *vnode, char *list, size_t size);
extern const struct vm_object_ops erofs_object_ops;
/* Gives up what erofs_object_ops.page keeps. */
void erofs_tail_free(struct erofs_node *node);

#endif
