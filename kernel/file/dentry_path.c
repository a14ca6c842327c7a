/* From a dentry back to its path. */
#include "kernel/file/dentry.h"
#include "lib/string.h"

struct dentry *dentry_parent(struct dentry *dentry)
{
	struct dentry *at = dentry;

	spin_lock(&dentry_lock);
	while (!at->parent && at->mount && at->mount->at)
		at = at->mount->at;
	at = at->parent ? at->parent : dentry;
	dentry_get_locked(at);
	spin_unlock(&dentry_lock);
	return at;
}

bool dentry_is_deleted(const struct dentry *dentry)
{
	return READ_ONCE(dentry->deleted);
}

/* dentry_lock too: a walk reads the places where it begins under that alone. */
static void place_set(struct fs_context *context, struct dentry **place, struct dentry *dentry)
{
	struct dentry *old;

	spin_lock(&dentry_lock);
	spin_lock(&context->lock);
	old = *place;
	*place = dentry;
	spin_unlock(&context->lock);
	spin_unlock(&dentry_lock);
	if (old)
		dentry_put(old);
}

void path_cwd_set(struct fs_context *context, struct dentry *dentry)
{
	place_set(context, &context->cwd, dentry);
}

void path_root_set(struct fs_context *context, struct dentry *dentry)
{
	place_set(context, &context->root, dentry);
}

static char *prepend(char *begin, char *buf, const char *text, size_t len)
{
	if (!begin || (size_t)(begin - buf) < len)
		return NULL;
	return memcpy(begin - len, text, len);
}

/* dentry_lock held. */
static char *prepend_all(const struct dentry *root, const struct dentry *at, char *begin, char *buf, bool *reachable)
{
	*reachable = true;
	while (begin && at != root) {
		if (at->parent) {
			begin = prepend(begin, buf, at->name, at->len);
			begin = prepend(begin, buf, "/", 1);
			at = at->parent;
		} else if (at->mount && at->mount->at) {
			at = at->mount->at;
		} else {
			if (at->len) { /* of no directory: memfd_create(2) */
				begin = prepend(begin, buf, at->name, at->len);
				begin = prepend(begin, buf, "/", 1);
			}
			*reachable = !root || at->len;
			break;
		}
	}
	return begin;
}

char *path_of(struct dentry *root, struct dentry *dentry, char *buf, size_t size, bool *reachable)
{
	char *end = buf + size, *begin = prepend(end, buf, "", 1);
	bool is_reachable;

	spin_lock(&dentry_lock);
	if (dentry->deleted)
		begin = prepend(begin, buf, " (deleted)", 10);
	begin = prepend_all(root, dentry, begin, buf, &is_reachable);
	spin_unlock(&dentry_lock);
	if (begin && (*begin != '/'))
		begin = prepend(begin, buf, "/", 1);
	if (reachable)
		*reachable = is_reachable;
	return begin;
}

void vnode_describe(struct vnode *vnode, char *path, size_t size, uint64_t *dev, uint64_t *ino)
{
	struct dentry *dentry;
	char *begin = NULL;

	*dev = vnode->fs ? vnode->fs->dev : 0;
	*ino = vnode->ino;
	spin_lock(&dentry_lock);
	dentry = vnode->dentry;
	if (dentry)
		dentry_get_locked(dentry);
	spin_unlock(&dentry_lock);
	if (dentry) {
		begin = path_of(NULL, dentry, path, size, NULL);
		dentry_put(dentry);
	}
	if (begin)
		memmove(path, begin, (size_t)(path + size - begin));
	else if (size)
		*path = '\0';
}
