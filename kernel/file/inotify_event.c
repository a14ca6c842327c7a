/* Events of what has a dentry; and what stands for inotify.c in an image that has no inotify. */
#include "kernel/file/dentry.h"
#include "kernel/file/inotify.h"
#include "lib/string.h"

__attribute__((weak)) unsigned inotify_nr_watches;

__attribute__((weak)) void inotify_event(struct vnode *dir, const char *name, size_t len, struct vnode *vnode,
					 uint32_t mask, uint32_t cookie)
{
	(void)dir, (void)name, (void)len, (void)vnode, (void)mask, (void)cookie;
}

uint32_t inotify_cookie(void)
{
	static uint32_t last; /* atomic */

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

void inotify_dentry_event(struct dentry *dentry, struct vnode *vnode, uint32_t mask)
{
	struct vnode *dir = NULL;
	char name[NAME_LEN_MAX + 1];
	size_t len = 0;

	name[0] = '\0';
	if (dentry) {
		spin_lock(&dentry_lock);
		if (dentry->parent && !dentry->deleted) {
			dir = dentry->parent->vnode;
			vnode_get(dir);
			len = dentry->len;
			memcpy(name, dentry->name, len);
		}
		spin_unlock(&dentry_lock);
	}
	inotify_event(dir, name, len, vnode, mask, 0);
	if (dir)
		vnode_put(dir);
}

void inotify_vnode_event(struct vnode *vnode, uint32_t mask)
{
	struct dentry *dentry;

	spin_lock(&dentry_lock);
	dentry = vnode->dentry;
	if (dentry)
		dentry_get_locked(dentry);
	spin_unlock(&dentry_lock);
	inotify_dentry_event(dentry, vnode, mask);
	if (dentry)
		dentry_put(dentry);
}
