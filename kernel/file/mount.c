/* Mounts: which dentry shows which file system. */
#include "kernel/core/log.h"
#include "kernel/file/abi.h"
#include "kernel/file/dentry.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"

static struct list mounts = LIST_INIT(mounts); /* in the order in which they were made; under dentry_lock */

static void mount_free(struct mount *mount)
{
	kfree(mount->source);
	kfree(mount);
}

/* FS's root reference goes to the mount, when 0. */
static int mount_alloc(struct file_system *fs, const char *source, unsigned flags, struct mount **out)
{
	size_t len = strlen(source) + 1;
	struct mount *mount = kzalloc(sizeof(*mount));

	if (!mount)
		return -ENOMEM;
	mount->source = kmalloc(len);
	if (!mount->source) {
		kfree(mount);
		return -ENOMEM;
	}
	memcpy(mount->source, source, len);
	mount->root = dentry_alloc_root(fs->root);
	if (!mount->root) {
		mount_free(mount);
		return -ENOMEM;
	}
	mount->fs = fs;
	mount->flags = flags;
	mount->root->mount = mount;
	fs->mount_flags = flags;
	fs->read_only |= (flags & MS_RDONLY) != 0;
	*out = mount;
	return 0;
}

int path_mount_root(struct file_system *fs, struct dentry **root)
{
	struct mount *mount;
	int error = mount_alloc(fs, "rootfs", fs->read_only ? MS_RDONLY : 0, &mount);

	if (error)
		return error;
	dentry_get(mount->root);
	*root = mount->root;
	spin_lock(&dentry_lock);
	list_push_back(&mounts, &mount->link);
	spin_unlock(&dentry_lock);
	return 0;
}

int path_mount(struct dentry *dentry, struct file_system *fs, const char *source, unsigned flags)
{
	struct mount *mount;
	int error;

	if (!dentry->vnode || !S_ISDIR(dentry->vnode->mode))
		return -ENOTDIR;
	error = mount_alloc(fs, source, flags, &mount);
	if (error)
		return error;
	spin_lock(&dentry_lock);
	if (dentry->mounted || dentry->deleted) {
		error = dentry->mounted ? -EBUSY : -ENOENT;
	} else {
		dentry_get_locked(dentry);
		mount->at = dentry;
		dentry->mounted = mount;
		dentry_kind_set(dentry);
		list_push_back(&mounts, &mount->link);
	}
	if (error) {
		dentry_forget_vnode(mount->root);
		mount->root->vnode = NULL; /* the caller keeps FS */
	}
	spin_unlock(&dentry_lock);
	if (!error)
		return 0;
	dentry_put(mount->root);
	mount_free(mount);
	return error;
}

/* ---- Lazy ones --------------------------------------------------------------------------------------------------- */

void path_mount_lazy(struct dentry *dir, struct lazy_mount *lazy)
{
	spin_lock(&dentry_lock);
	dir->mount->lazy = lazy;
	spin_unlock(&dentry_lock);
}

/* The one called NAME, off the list; NULL: there is none. */
static struct lazy_mount *lazy_take(struct mount *mount, const char *name, size_t len)
{
	struct lazy_mount **at, *lazy;

	spin_lock(&dentry_lock);
	for (at = &mount->lazy; (lazy = *at); at = &lazy->next)
		if (strlen(lazy->name) == len && !memcmp(lazy->name, name, len))
			break;
	if (lazy)
		*at = lazy->next;
	spin_unlock(&dentry_lock);
	return lazy;
}

static int lazy_dir_make(struct dentry *dentry)
{
	static const struct vnode_new what = { .mode = S_IFDIR | 0755 };
	struct vnode *dir = dentry->parent->vnode, *vnode;
	int error = dir->ops->create ? dir->ops->create(dir, dentry->name, dentry->len, &what, &vnode) : -EROFS;

	if (error)
		return error;
	dentry_instantiate(dentry, vnode);
	vnode_put(vnode);
	return 0;
}

void mount_lazy(struct dentry *dentry)
{
	struct lazy_mount *lazy = lazy_take(dentry->parent->mount, dentry->name, dentry->len);
	struct file_system *fs;
	int error = 0;

	if (!lazy)
		return;
	if (!dentry->vnode)
		error = lazy_dir_make(dentry);
	if (!error)
		error = lazy->create(&fs);
	if (!error) {
		error = path_mount(dentry, fs, lazy->source, lazy->flags);
		if (error)
			vnode_put(fs->root);
	}
	if (error)
		log_warn("mount: %s: error %d", lazy->name, -error);
	else if (lazy->mounted)
		lazy->mounted(dentry->mounted->root);
}

void mount_lazy_all(struct dentry *dir)
{
	struct lazy_mount *lazy;
	struct dentry *dentry;

	while ((lazy = READ_ONCE(dir->mount->lazy))) {
		size_t len = strlen(lazy->name);

		mutex_lock(&dir->vnode->lock);
		if (!dentry_lookup(dir, lazy->name, len, &dentry))
			dentry_put(dentry);
		mutex_unlock(&dir->vnode->lock);
		lazy_take(dir->mount, lazy->name, len); /* looked up, so gone; unless there was no memory for it */
	}
}

/* ---- Changes and reports ----------------------------------------------------------------------------------------- */

/* Nothing is mounted below MOUNT, and only the cache uses its dentries. dentry_lock held. */
static bool is_busy(const struct mount *mount)
{
	struct list *pos;

	list_for_each(pos, &mounts) {
		const struct mount *other = list_entry(pos, struct mount, link);

		if (other->at && other->at->vnode->fs == mount->fs)
			return true;
	}
	return mount->root->refs > 1;
}

int path_unmount(struct dentry *dentry, unsigned flags)
{
	struct mount *mount = dentry->mount;
	int error = 0;

	if (dentry->parent || !mount || !mount->at)
		return -EINVAL;
	while (dentry_shrink(UINT32_MAX)) /* names of this file system that are only cached hold its root */
		;
	spin_lock(&dentry_lock);
	mount->root->refs--; /* the caller's */
	if (!mount->at || mount->at->mounted != mount)
		error = -EINVAL;
	else if (is_busy(mount) && !(flags & MNT_DETACH))
		error = -EBUSY;
	mount->root->refs++;
	if (!error) {
		list_remove(&mount->link);
		mount->at->mounted = NULL;
		dentry_kind_set(mount->at);
		mount->root->mount = NULL;
	}
	spin_unlock(&dentry_lock);
	if (error)
		return error;
	dentry_put(mount->at);
	dentry_put(mount->root);
	mount_free(mount);
	return 0;
}

int path_remount(struct dentry *dentry, unsigned flags)
{
	struct mount *mount;
	int error = -EINVAL;

	spin_lock(&dentry_lock);
	mount = dentry->parent ? NULL : dentry->mount;
	if (mount) {
		mount->flags = mount->fs->mount_flags = flags;
		mount->fs->read_only = flags & MS_RDONLY;
		error = 0;
	}
	spin_unlock(&dentry_lock);
	return error;
}

void path_for_each_mount(void (*fn)(struct dentry *at, struct file_system *fs, const char *source, unsigned flags,
				    void *arg),
			 void *arg)
{
	char source[64];

	for (unsigned i = 0;; i++) {
		struct mount copy = { 0 };
		struct list *pos;
		unsigned n = i;

		spin_lock(&dentry_lock);
		list_for_each(pos, &mounts) {
			if (n--)
				continue;
			copy = *list_entry(pos, struct mount, link);
			strlcpy(source, copy.source, sizeof(source));
			dentry_get_locked(copy.root);
			break;
		}
		spin_unlock(&dentry_lock);
		if (!copy.root)
			return;
		mount_lazy_all(copy.root);
		fn(copy.root, copy.fs, source, copy.flags, arg);
		dentry_put(copy.root);
	}
}
