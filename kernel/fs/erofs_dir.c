/*
 * EROFS directories. Names are sorted over the whole directory, so a lookup is two binary searches: for the block by the first
 * name of each, then for the name in it.
 */
#include "kernel/file/abi.h"
#include "kernel/fs/erofs_node.h"
#include "lib/errno.h"
#include "lib/string.h"

/* A directory block whose entries' array lies inside of it; names are checked one by one. */
struct dir_block {
	const uint8_t *bytes;
	const struct erofs_dirent *entries;
	uint32_t len, n;
};

static int block_get(const struct erofs_node *dir, uint64_t index, struct dir_block *out)
{
	uint64_t off = index << EROFS_BLOCK_SHIFT, len = MIN(dir->vnode.size - off, (uint64_t)EROFS_BLOCK_SIZE);
	struct erofs_extent extent;
	uint32_t first;
	int error = erofs_extent(dir, off, &extent);

	if (error)
		return error;
	if (!extent.bytes || extent.len < len || len < sizeof(struct erofs_dirent))
		return -EUCLEAN;
	out->bytes = extent.bytes;
	out->entries = (const void *)extent.bytes;
	out->len = (uint32_t)len;
	first = out->entries->name_off;
	out->n = first / sizeof(struct erofs_dirent);
	return first < len && first && first % sizeof(struct erofs_dirent) == 0 ? 0 : -EUCLEAN;
}

/* The name of an entry: its length, or -EUCLEAN. */
static int name_of(const struct dir_block *block, uint32_t i, const char **name)
{
	uint32_t off = block->entries[i].name_off, len;
	uint32_t end = i + 1 < block->n ? block->entries[i + 1].name_off : block->len;

	if (off < block->n * sizeof(struct erofs_dirent) || end > block->len || off >= end)
		return -EUCLEAN;
	*name = (const char *)block->bytes + off;
	len = i + 1 < block->n ? end - off : (uint32_t)strnlen(*name, end - off);
	return len && len <= NAME_MAX ? (int)len : -EUCLEAN;
}

/* *ORDER: less than, equal to or greater than 0 as NAME is before, at or behind entry I. */
static int compare(const struct dir_block *block, uint32_t i, const char *name, size_t len, int *order)
{
	const char *entry;
	int entry_len = name_of(block, i, &entry);

	if (entry_len < 0)
		return entry_len;
	*order = memcmp(name, entry, MIN(len, (size_t)entry_len));
	if (!*order)
		*order = len < (size_t)entry_len ? -1 : len > (size_t)entry_len;
	return 0;
}

static int block_find(const struct dir_block *block, const char *name, size_t len, uint64_t *nid)
{
	uint32_t low = 0, high = block->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order, error = compare(block, middle, name, len, &order);

		if (error)
			return error;
		if (!order) {
			*nid = block->entries[middle].nid;
			return 0;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -ENOENT;
}

int erofs_dir_find(const struct erofs_node *dir, const char *name, size_t len, uint64_t *nid)
{
	uint64_t low = 0, high = (dir->vnode.size + EROFS_BLOCK_SIZE - 1) >> EROFS_BLOCK_SHIFT;
	struct dir_block block;
	int order, error;

	if (!high)
		return -ENOENT;
	/* The last block that does not begin behind NAME is in [low, high). */
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		error = block_get(dir, middle, &block);
		if (!error)
			error = compare(&block, 0, name, len, &order);
		if (error)
			return error;
		if (order < 0)
			high = middle;
		else
			low = middle;
	}
	error = block_get(dir, low, &block);
	return error ? error : block_find(&block, name, len, nid);
}

int erofs_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	struct erofs_node *node = erofs_node_of(dir);
	struct vnode *found;
	uint64_t nid;
	int error = erofs_dir_find(node, name, len, &nid);

	if (!error)
		error = erofs_node_get(erofs_of(dir), nid, &found);
	if (error)
		return error;
	/* A directory is only where its ".." leads, so that there are no loops. */
	if (found->ops->lookup && (erofs_node_of(found)->parent != node->nid || found == dir)) {
		vnode_put(found);
		return -EUCLEAN;
	}
	*out = found;
	return 0;
}

/* Enum erofs_type as a directory entry has it, to DT_* (readdir(3)). */
static unsigned type_of(unsigned type)
{
	static const uint8_t types[] = { DT_UNKNOWN, DT_REG, DT_DIR, DT_CHR, DT_BLK, DT_FIFO, DT_SOCK, DT_LNK };

	return type < ARRAY_SIZE(types) ? types[type] : 0;
}

/* Positions are offsets in the directory: block, entry. A block's entries from index I on; true: go on with the next. */
static int block_list(const struct dir_block *block, uint64_t start, uint32_t i, uint64_t *pos, struct dir_sink *sink)
{
	for (; i < block->n; i++) {
		uint64_t next =
			i + 1 < block->n ? start + (i + 1) * sizeof(struct erofs_dirent) : start + EROFS_BLOCK_SIZE;
		const char *name;
		int len = name_of(block, i, &name);

		if (len < 0 || memchr(name, '/', (size_t)len) || memchr(name, '\0', (size_t)len))
			return -EUCLEAN;
		if (!(name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'))) &&
		    !sink->entry(sink, name, (size_t)len, block->entries[i].nid, type_of(block->entries[i].type), next))
			return 1;
		*pos = next;
	}
	return 0;
}

int erofs_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	struct erofs_node *node = erofs_node_of(dir);
	int done = 0;

	while (!done && *pos < dir->size) {
		uint64_t index = *pos >> EROFS_BLOCK_SHIFT, in_block = *pos & (EROFS_BLOCK_SIZE - 1);
		struct dir_block block;

		done = block_get(node, index, &block);
		if (done)
			break;
		/* A position that nobody was given (lseek): the next entry, or the next block. */
		in_block = (in_block + sizeof(struct erofs_dirent) - 1) / sizeof(struct erofs_dirent);
		if (in_block >= block.n)
			*pos = (index + 1) << EROFS_BLOCK_SHIFT;
		else
			done = block_list(&block, index << EROFS_BLOCK_SHIFT, (uint32_t)in_block, pos, sink);
	}
	return done < 0 ? done : 0;
}
