/*
 * tmpfs: extended attributes (xattr(7)), a list per node. Values are copied under tmpfs->lock, in kernel memory on
 * both sides.
 */
#include "kernel/file/abi.h"
#include "kernel/fs/tmpfs_node.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"

static bool is_supported(const char *name)
{
	static const char *const prefixes[] = { "user.", "trusted.", "security." };

	for (unsigned i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* The link to the attribute NAME, or to the end. tmpfs->lock held. */
static struct tmpfs_xattr **find(struct tmpfs_node *node, const char *name)
{
	struct tmpfs_xattr **link = &node->xattrs;

	while (*link && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	return link;
}

ssize_t tmpfs_xattr_get(struct vnode *vnode, const char *name, void *value, size_t size)
{
	struct tmpfs *tmpfs = tmpfs_of(vnode);
	struct tmpfs_xattr *xattr;
	ssize_t len = -ENODATA;

	if (!is_supported(name))
		return -EOPNOTSUPP;
	spin_lock(&tmpfs->lock);
	xattr = *find(node_of(vnode), name);
	if (xattr && size && xattr->size > size) {
		len = -ERANGE;
	} else if (xattr) {
		len = (ssize_t)xattr->size;
		if (size)
			memcpy(value, xattr->value, xattr->size);
	}
	spin_unlock(&tmpfs->lock);
	return len;
}

static struct tmpfs_xattr *xattr_alloc(const char *name, const void *value, size_t size)
{
	size_t name_size = strlen(name) + 1;
	struct tmpfs_xattr *xattr = kmalloc(sizeof(*xattr) + name_size + size);

	if (!xattr)
		return NULL;
	*xattr = (struct tmpfs_xattr){ .size = size, .value = xattr->name + name_size };
	memcpy(xattr->name, name, name_size);
	memcpy(xattr->value, value, size);
	return xattr;
}

int tmpfs_xattr_set(struct vnode *vnode, const char *name, const void *value, size_t size, int flags)
{
	struct tmpfs *tmpfs = tmpfs_of(vnode);
	struct tmpfs_xattr **link, *old, *new = NULL;
	int error = 0;

	if (!is_supported(name))
		return -EOPNOTSUPP;
	if (value) {
		new = xattr_alloc(name, value, size);
		if (!new)
			return -ENOSPC;
	}
	tmpfs_pin(node_of(vnode));
	spin_lock(&tmpfs->lock);
	link = find(node_of(vnode), name);
	old = *link;
	if (old && flags & XATTR_CREATE)
		error = -EEXIST;
	else if (!old && (flags & XATTR_REPLACE || !value))
		error = -ENODATA;
	if (error) {
		old = new;
	} else if (new) {
		new->next = old ? old->next : NULL;
		*link = new;
	} else {
		*link = old->next;
	}
	spin_unlock(&tmpfs->lock);
	kfree(old);
	return error;
}

ssize_t tmpfs_xattr_list(struct vnode *vnode, char *list, size_t size)
{
	struct tmpfs *tmpfs = tmpfs_of(vnode);
	size_t used = 0;

	spin_lock(&tmpfs->lock);
	for (struct tmpfs_xattr *xattr = node_of(vnode)->xattrs; xattr; xattr = xattr->next) {
		size_t len = (size_t)(xattr->value - xattr->name);

		if (size && used + len <= size)
			memcpy(list + used, xattr->name, len);
		used += len;
	}
	spin_unlock(&tmpfs->lock);
	return size && used > size ? -ERANGE : (ssize_t)used;
}

void tmpfs_xattr_free_all(struct tmpfs_xattr *xattr)
{
	for (struct tmpfs_xattr *next; xattr; xattr = next) {
		next = xattr->next;
		kfree(xattr);
	}
}
