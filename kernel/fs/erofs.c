/* EROFS: the superblock, and the nodes that are in use. Mounting reads these two only: superblock and root node. */
#include "kernel/fs/erofs.h"

#include "kernel/core/log.h"
#include "kernel/file/abi.h"
#include "kernel/fs/erofs_node.h"
#include "kernel/mem/slab.h"
#include "lib/errno.h"
#include "lib/string.h"

static void node_release(struct vnode *vnode);

static const struct vnode_ops node_ops = {
	.readlink = erofs_readlink,
	.read = erofs_read,
	.xattr_get = erofs_xattr_get,
	.xattr_list = erofs_xattr_list,
	.release = node_release,
};

static const struct vnode_ops dir_ops = {
	.lookup = erofs_lookup,
	.readdir = erofs_readdir,
	.xattr_get = erofs_xattr_get,
	.xattr_list = erofs_xattr_list,
	.release = node_release,
};

/* ---- Nodes ------------------------------------------------------------------------------------------------------- */

static bool node_less(const struct rb_node *a, const struct rb_node *b)
{
	return container_of(a, struct erofs_node, link)->nid < container_of(b, struct erofs_node, link)->nid;
}

static void node_uncache(struct erofs *fs, struct erofs_node *node)
{
	if (node->cached)
		rb_remove(&fs->nodes, &node->link);
	node->cached = false;
}

/* With a reference. One whose last reference has just gone is on its way to node_release: it leaves the tree here. */
static struct erofs_node *node_find_locked(struct erofs *fs, uint64_t nid)
{
	struct rb_node *at = fs->nodes.root;

	while (at) {
		struct erofs_node *node = container_of(at, struct erofs_node, link);

		if (nid == node->nid) {
			uint32_t refs = __atomic_load_n(&node->vnode.refs, __ATOMIC_RELAXED);

			while (refs && !__atomic_compare_exchange_n(&node->vnode.refs, &refs, refs + 1, true,
								    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
				;
			if (refs)
				return node;
			node_uncache(fs, node);
			return NULL;
		}
		at = nid < node->nid ? at->left : at->right;
	}
	return NULL;
}

static void node_free(struct erofs_node *node)
{
	erofs_tail_free(node);
	kfree(node);
}

static void node_release(struct vnode *vnode)
{
	struct erofs *fs = erofs_of(vnode);

	spin_lock(&fs->lock);
	node_uncache(fs, erofs_node_of(vnode));
	spin_unlock(&fs->lock);
	node_free(erofs_node_of(vnode));
}

/* What both forms of a node on disk say. */
struct node_fields {
	uint16_t format, xattr_count, mode;
	uint32_t nlink, uid, gid, data;
	uint64_t size;
	struct file_time mtime;
	uint64_t end; /* offset of what follows the node */
};

static int node_fields_read(const struct erofs *fs, uint64_t off, struct node_fields *out)
{
	const struct erofs_node_compact *compact = erofs_at(fs, off, sizeof(*compact));
	const struct erofs_node_extended *extended;

	if (!compact)
		return -EUCLEAN;
	if (!(compact->format & EROFS_NODE_EXTENDED)) {
		*out = (struct node_fields){ compact->format, compact->xattr_count,  compact->mode, compact->nlink,
					     compact->uid,    compact->gid,	     compact->data, compact->size,
					     fs->build_time,  off + sizeof(*compact) };
		return 0;
	}
	extended = erofs_at(fs, off, sizeof(*extended));
	if (!extended)
		return -EUCLEAN;
	*out = (struct node_fields){ extended->format,
				     extended->xattr_count,
				     extended->mode,
				     extended->nlink,
				     extended->uid,
				     extended->gid,
				     extended->data,
				     extended->size,
				     { (int64_t)extended->mtime, MIN(extended->mtime_nsec, 999999999u) },
				     off + sizeof(*extended) };
	return 0;
}

/* A regular file, directory or symbolic link: where its contents are. What it says of them is looked at when they are read. */
static int node_data_set(struct erofs_node *node, const struct node_fields *fields)
{
	uint64_t end = fields->end + node->xattr_len;

	node->layout = EROFS_NODE_LAYOUT(fields->format);
	node->data_off = (uint64_t)fields->data << EROFS_BLOCK_SHIFT;
	node->tail_off = end;
	switch (node->layout) {
	case EROFS_PLAIN:
	case EROFS_INLINE:
		/* There are no holes: the size is less than the image's. So a hostile one ends loops soon. */
		return fields->size <= erofs_of(&node->vnode)->len ? 0 : -EUCLEAN;
	case EROFS_CHUNKED:
		if (fields->data & ~EROFS_CHUNK_KNOWN) {
			log_err("erofs: node %lu: unknown kind of chunks %#x", node->nid, fields->data);
			return -EOPNOTSUPP;
		}
		node->chunk_shift = EROFS_BLOCK_SHIFT + EROFS_CHUNK_SHIFT(fields->data);
		node->chunk_entry = fields->data & EROFS_CHUNK_INDEXED ? sizeof(struct erofs_chunk_index) : 4;
		node->data_off = ALIGN_UP(end, node->chunk_entry);
		return fields->size <= INT64_MAX && S_ISREG(fields->mode) ? 0 : -EUCLEAN;
	}
	log_err("erofs: node %lu: its data is %s", node->nid,
		node->layout < EROFS_CHUNKED ? "compressed, which is not supported" : "of an unknown layout");
	return -EOPNOTSUPP;
}

static int node_fill(struct erofs_node *node, struct erofs *fs, const struct node_fields *fields)
{
	uint32_t kind = fields->mode & S_IFMT;
	struct vnode *vnode = &node->vnode;
	int error = 0;

	vnode_init(vnode, kind == S_IFDIR ? &dir_ops : &node_ops, &fs->fs, fields->mode, node->nid);
	vnode->nlink = fields->nlink;
	vnode->uid = fields->uid;
	vnode->gid = fields->gid;
	vnode->atime = vnode->mtime = vnode->ctime = fields->mtime;
	node->xattr_off = fields->end;
	if (fields->xattr_count)
		node->xattr_len = sizeof(struct erofs_xattr_header) + 4 * (fields->xattr_count - 1u);
	switch (kind) {
	case S_IFIFO:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFSOCK:
		vnode->rdev = kind == S_IFCHR || kind == S_IFBLK ? fields->data : 0; /* as dev_encode */
		return 0;
	case S_IFDIR:
	case S_IFREG:
	case S_IFLNK:
		vnode->size = fields->size;
		vnode->blocks = ALIGN_UP(fields->size, (uint64_t)EROFS_BLOCK_SIZE) / 512;
		error = node_data_set(node, fields);
		break;
	default:
		return -EUCLEAN;
	}
	if (!error && kind == S_IFDIR)
		error = erofs_dir_find(node, "..", 2, &node->parent);
	if (!error && kind == S_IFREG)
		vm_object_init(&vnode->object, &erofs_object_ops);
	return error == -ENOENT ? -EUCLEAN : error;
}

static int node_create(struct erofs *fs, uint64_t nid, struct erofs_node **out)
{
	struct erofs_node *node;
	struct node_fields fields;
	int error;

	if (nid >= fs->len / EROFS_NODE_SLOT)
		return -EUCLEAN;
	error = node_fields_read(fs, fs->meta_off + nid * EROFS_NODE_SLOT, &fields);
	if (error)
		return error;
	node = kzalloc(sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->nid = nid;
	error = node_fill(node, fs, &fields);
	if (error)
		kfree(node);
	else
		*out = node;
	return error;
}

int erofs_node_get(struct erofs *fs, uint64_t nid, struct vnode **out)
{
	struct erofs_node *node, *fresh = NULL;
	int error;

	spin_lock(&fs->lock);
	node = node_find_locked(fs, nid);
	spin_unlock(&fs->lock);
	if (!node) {
		error = node_create(fs, nid, &fresh);
		if (error)
			return error;
		spin_lock(&fs->lock);
		node = node_find_locked(fs, nid);
		if (!node) {
			node = fresh;
			fresh = NULL;
			rb_insert(&fs->nodes, &node->link, node_less);
			node->cached = true;
		}
		spin_unlock(&fs->lock);
		if (fresh)
			node_free(fresh);
	}
	*out = &node->vnode;
	return 0;
}

/* ---- The file system --------------------------------------------------------------------------------------------- */

static int features_check(uint32_t features)
{
	static const char *const names[] = { NULL,
					     "compression configurations or big clusters",
					     NULL,
					     "more than one device",
					     "compressed tails in nodes (ztailpacking)",
					     "fragments or deduplication",
					     "long attribute name prefixes",
					     "48-bit block numbers",
					     "a metadata node (metabox)" };
	unsigned bit;

	for (bit = 0; bit < 32; bit++) {
		if (!(features >> bit & 1) || (bit < ARRAY_SIZE(names) && !names[bit]))
			continue;
		log_err("erofs: the image uses %s (feature bit %u), which is not supported",
			bit < ARRAY_SIZE(names) ? names[bit] : "an unknown feature", bit);
		return -EINVAL;
	}
	return 0;
}

static uint32_t checksum_of(const uint8_t *super, size_t len)
{
	static const uint32_t zero;
	uint32_t crc;

	crc = arch_crc32c(UINT32_MAX, super, offsetof(struct erofs_super, checksum));
	crc = arch_crc32c(crc, &zero, sizeof(zero));
	return arch_crc32c(crc, super + 8, len - 8);
}

static int super_check(const struct erofs *fs)
{
	const struct erofs_super *super = erofs_at(fs, EROFS_SUPER_OFFSET, EROFS_BLOCK_SIZE - EROFS_SUPER_OFFSET);
	uint32_t sum;

	if (!super) {
		log_err("erofs: %lu bytes are too few for an image", fs->len);
		return -EINVAL;
	}
	if (super->magic != EROFS_MAGIC) {
		log_err("erofs: no EROFS: %#x instead of its magic number at offset %u", super->magic,
			EROFS_SUPER_OFFSET);
		return -EINVAL;
	}
	if (super->block_shift != EROFS_BLOCK_SHIFT || super->dir_block_shift) {
		log_err("erofs: blocks of 2^%u bytes, directory blocks 2^%u times that; only 4096 and 4096 are supported",
			super->block_shift, super->dir_block_shift);
		return -EINVAL;
	}
	if (super->feature_compat & EROFS_COMPAT_CHECKSUM) {
		sum = checksum_of((const uint8_t *)super, EROFS_BLOCK_SIZE - EROFS_SUPER_OFFSET);
		if (sum != super->checksum) {
			log_err("erofs: damaged superblock: checksum %#x at offset %u, but it is %#x", super->checksum,
				EROFS_SUPER_OFFSET + 4, sum);
			return -EINVAL;
		}
	}
	if ((uint64_t)super->blocks << EROFS_BLOCK_SHIFT > fs->len) {
		log_err("erofs: the image is cut off: %lu bytes of %lu", fs->len,
			(uint64_t)super->blocks << EROFS_BLOCK_SHIFT);
		return -EINVAL;
	}
	return features_check(super->feature_incompat);
}

static void erofs_stat(struct file_system *file_system, struct fs_stat *out)
{
	struct erofs *fs = container_of(file_system, struct erofs, fs);

	out->magic = EROFS_MAGIC;
	out->block_size = EROFS_BLOCK_SIZE;
	out->blocks = fs->blocks;
	out->files = fs->inos;
}

static void erofs_release(struct file_system *file_system)
{
	kfree(container_of(file_system, struct erofs, fs));
}

static int root_get(struct erofs *fs, uint64_t nid)
{
	struct vnode *root;
	int error = erofs_node_get(fs, nid, &root);

	if (!error && (!S_ISDIR(root->mode) || erofs_node_of(root)->parent != nid)) {
		vnode_put(root); /* not fs.root yet, with which the file system would go */
		error = -EUCLEAN;
	}
	if (error)
		log_err("erofs: node %lu at offset %lu is no root directory (error %d)", nid,
			fs->meta_off + nid * EROFS_NODE_SLOT, -error);
	else
		fs->fs.root = root;
	return error == -EUCLEAN ? -EINVAL : error;
}

int erofs_create(paddr_t pa, const void *va, size_t len, struct file_system **out)
{
	const struct erofs_super *super = (const void *)((const uint8_t *)va + EROFS_SUPER_OFFSET);
	struct erofs *fs = kzalloc(sizeof(*fs));
	int error;

	if (!fs)
		return -ENOMEM;
	fs->base = va;
	fs->len = MIN(len, (size_t)INT64_MAX);
	fs->pa = pa;
	fs->fs = (struct file_system){
		.type = "erofs", .read_only = true, .stat = erofs_stat, .release = erofs_release
	};
	spin_init(&fs->lock, "erofs");
	error = IS_ALIGNED(pa, PAGE_SIZE) ? super_check(fs) : -EINVAL;
	if (error)
		goto out_free;
	fs->meta_off = (uint64_t)super->meta_block << EROFS_BLOCK_SHIFT;
	fs->xattr_off = (uint64_t)super->xattr_block << EROFS_BLOCK_SHIFT;
	fs->build_time = (struct file_time){ (int64_t)super->build_time, MIN(super->build_time_nsec, 999999999u) };
	fs->blocks = super->blocks;
	fs->inos = super->inos;
	fs->fs.dev = file_system_dev();
	error = root_get(fs, super->root_nid);
	if (error)
		goto out_free;
	*out = &fs->fs;
	return 0;
out_free:
	kfree(fs);
	return error;
}
