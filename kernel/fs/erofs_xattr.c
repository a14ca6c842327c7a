/* EROFS extended attributes (xattr(7)): those of a node, behind it, and those that nodes share, in an area of their own. */
#include "kernel/fs/erofs_node.h"
#include "lib/errno.h"
#include "lib/string.h"

struct xattr {
	const char *prefix, *name; /* NAME without a terminator */
	size_t prefix_len, name_len;
	const void *value;
	size_t value_len;
};

/* Where a walk through the attributes of a node is: the shared ones first. */
struct xattr_walk {
	const struct erofs *fs;
	const uint32_t *shared; /* not aligned beyond 4, which nodes are */
	unsigned nr_shared, next_shared;
	uint64_t off, end; /* of the node's own entries */
};

/* 1: there are some; 0: none. */
static int walk_begin(const struct erofs_node *node, struct xattr_walk *walk)
{
	const struct erofs *fs = erofs_of(&node->vnode);
	const struct erofs_xattr_header *header = erofs_at(fs, node->xattr_off, node->xattr_len);
	uint64_t shared_len;

	if (!node->xattr_len)
		return 0;
	if (!header)
		return -EUCLEAN;
	shared_len = 4ul * header->shared_count;
	if (sizeof(*header) + shared_len > node->xattr_len)
		return -EUCLEAN;
	*walk = (struct xattr_walk){ .fs = fs,
				     .shared = (const uint32_t *)(const void *)(header + 1),
				     .nr_shared = header->shared_count,
				     .off = node->xattr_off + sizeof(*header) + shared_len,
				     .end = node->xattr_off + node->xattr_len };
	return 1;
}

static const char *prefix_of(unsigned index)
{
	static const char *const prefixes[] = { [1] = "user.", [4] = "trusted.", [6] = "security." };

	return index < ARRAY_SIZE(prefixes) ? prefixes[index] : NULL;
}

/* The entry at OFF of the image, which must end at END at the latest. Its length with padding, or -EUCLEAN. */
static int entry_read(const struct erofs *fs, uint64_t off, uint64_t end, struct xattr *out)
{
	const struct erofs_xattr_entry *entry = erofs_at(fs, off, sizeof(*entry));
	uint64_t len;

	if (!entry || end < off + sizeof(*entry))
		return -EUCLEAN;
	len = sizeof(*entry) + entry->name_len + entry->value_len;
	if (len > end - off || !erofs_at(fs, off, len))
		return -EUCLEAN;
	out->prefix = prefix_of(entry->name_index);
	out->prefix_len = out->prefix ? strlen(out->prefix) : 0;
	out->name = (const char *)(entry + 1);
	out->name_len = entry->name_len;
	out->value = out->name + out->name_len;
	out->value_len = entry->value_len;
	return (int)ALIGN_UP(len, 4ul);
}

/* The next one: 1, 0 at the end. Kinds that programs do not see here (access control lists) are passed over. */
static int walk_next(struct xattr_walk *walk, struct xattr *out)
{
	int len;

	do {
		if (walk->next_shared < walk->nr_shared) {
			uint64_t at = walk->fs->xattr_off + 4ul * walk->shared[walk->next_shared++];

			len = entry_read(walk->fs, at, walk->fs->len, out);
		} else if (walk->off < walk->end) {
			len = entry_read(walk->fs, walk->off, walk->end, out);
			walk->off += len > 0 ? (unsigned)len : 0;
		} else {
			return 0;
		}
		if (len < 0)
			return len;
	} while (!out->prefix);
	return 1;
}

static bool is_named(const struct xattr *xattr, const char *name, size_t len)
{
	return len == xattr->prefix_len + xattr->name_len && !memcmp(name, xattr->prefix, xattr->prefix_len) &&
	       !memcmp(name + xattr->prefix_len, xattr->name, xattr->name_len);
}

ssize_t erofs_xattr_get(struct vnode *vnode, const char *name, void *value, size_t size)
{
	size_t len = strlen(name);
	struct xattr_walk walk;
	struct xattr xattr;
	int more = walk_begin(erofs_node_of(vnode), &walk);

	while (more > 0) {
		more = walk_next(&walk, &xattr);
		if (more <= 0 || !is_named(&xattr, name, len))
			continue;
		if (size && size < xattr.value_len)
			return -ERANGE;
		if (size)
			memcpy(value, xattr.value, xattr.value_len);
		return (ssize_t)xattr.value_len;
	}
	return more < 0 ? more : -ENODATA;
}

ssize_t erofs_xattr_list(struct vnode *vnode, char *list, size_t size)
{
	struct xattr_walk walk;
	struct xattr xattr;
	size_t done = 0;
	int more = walk_begin(erofs_node_of(vnode), &walk);

	while (more > 0) {
		size_t len;

		more = walk_next(&walk, &xattr);
		if (more <= 0)
			continue;
		len = xattr.prefix_len + xattr.name_len + 1;
		if (size && len > size - done)
			return -ERANGE;
		if (size) {
			memcpy(list + done, xattr.prefix, xattr.prefix_len);
			memcpy(list + done + xattr.prefix_len, xattr.name, xattr.name_len);
			list[done + len - 1] = '\0';
		}
		done += len;
	}
	return more < 0 ? more : (ssize_t)done;
}
