/*
 * Names made, removed, moved. Every change holds the lock of the directory (both, in the order of their addresses, for a rename
 * between two), looks the names up in the cache under it, asks the file system, and then tells the cache.
 */
#include "kernel/file/change.h"

#include "kernel/file/abi.h"
#include "kernel/file/access.h"
#include "kernel/file/dentry.h"
#include "kernel/file/inotify.h"

/* Covers the tree against two renames of directories that together would make a circle. Taken before any vnode's lock. */
static struct mutex rename_lock = { .queue = WAIT_QUEUE_INIT(rename_lock.queue) };

struct vnode_new vnode_new_in(const struct fs_context *context, const struct vnode *dir, uint32_t mode)
{
	struct vnode_new what = { .uid = context->cred.fsuid, .gid = context->cred.fsgid };

	what.mode = S_ISLNK(mode) ? mode : mode & ~(context->umask & 0777);
	if (dir->mode & S_ISGID) {
		what.gid = dir->gid;
		if (S_ISDIR(mode))
			what.mode |= S_ISGID;
	}
	return what;
}

int dentry_create(const struct cred *cred, struct dentry *dir, struct dentry *dentry, const struct vnode_new *what)
{
	struct vnode *vnode, *dir_vnode = dir->vnode;
	int error = access_create(dir_vnode, cred);

	if (error)
		return error;
	if (dir->deleted)
		return -ENOENT;
	if (!dir_vnode->ops->create)
		return dir_vnode->fs->read_only ? -EROFS : -EPERM;
	error = dir_vnode->ops->create(dir_vnode, dentry->name, dentry->len, what, &vnode);
	if (error)
		return error;
	dentry_instantiate(dentry, vnode);
	inotify_name(dir_vnode, dentry->name, dentry->len, vnode, IN_CREATE);
	vnode_put(vnode);
	return 0;
}

/* The last name of PATH, looked up with its directory locked: to be ended with last_done. */
struct last {
	struct walk walk;
	struct vnode *dir;
	struct dentry *dentry;
};

static void last_done(struct last *last)
{
	mutex_unlock(&last->dir->lock);
	dentry_put(last->dentry);
	walk_done(&last->walk);
}

/* What rmdir(2) says to a path that ends in "." or "..", or is "/". */
static int rmdir_dot_error(const struct walk *walk)
{
	if (!walk->last_len)
		return -EBUSY;
	return walk->last_len == 1 ? -EINVAL : -ENOTEMPTY;
}

/* DOT_ERROR: for a path that ends in . or .., or is "/"; 0: as rmdir. */
static int last_find(struct last *last, struct fs_context *context, struct dentry *at, const char *path, int dot_error)
{
	int error = path_walk(context, at, path, WALK_PARENT, &last->walk);

	if (error)
		return error;
	if (last->walk.last_is_dot) {
		error = dot_error ? dot_error : rmdir_dot_error(&last->walk);
		walk_done(&last->walk);
		return error;
	}
	last->dir = last->walk.dentry->vnode;
	mutex_lock(&last->dir->lock);
	error = dentry_lookup(last->walk.dentry, last->walk.last, last->walk.last_len, &last->dentry);
	if (error) {
		mutex_unlock(&last->dir->lock);
		walk_done(&last->walk);
	}
	return error;
}

int path_create(struct fs_context *context, struct dentry *at, const char *path, uint32_t mode, uint64_t rdev,
		const char *target)
{
	struct vnode_new what;
	struct last last;
	int error = last_find(&last, context, at, path, -EEXIST);

	if (error)
		return error;
	if (last.dentry->vnode) {
		error = -EEXIST;
	} else if (last.walk.trailing_slash && !S_ISDIR(mode)) {
		error = -ENOENT;
	} else {
		what = vnode_new_in(context, last.dir, mode);
		what.rdev = rdev;
		what.target = target;
		error = dentry_create(&context->cred, last.walk.dentry, last.dentry, &what);
	}
	last_done(&last);
	return error;
}

/* What unlink(2) and rmdir(2) find wrong. */
static int check_unlink(const struct cred *cred, const struct last *last, bool directory)
{
	struct vnode *victim = last->dentry->vnode;
	int error;

	if (!victim)
		return -ENOENT;
	if (!directory && last->walk.trailing_slash)
		return S_ISDIR(victim->mode) ? -EISDIR : -ENOTDIR;
	error = access_remove(last->dir, victim, cred);
	if (error)
		return error;
	if (directory && !S_ISDIR(victim->mode))
		return -ENOTDIR;
	if (!directory && S_ISDIR(victim->mode))
		return -EISDIR;
	if (READ_ONCE(last->dentry->mounted))
		return -EBUSY;
	return last->dir->ops->unlink ? 0 : -EPERM;
}

int path_unlink(struct fs_context *context, struct dentry *at, const char *path, bool directory)
{
	struct vnode *victim;
	struct last last;
	int error = last_find(&last, context, at, path, directory ? 0 : -EISDIR);

	if (error)
		return error;
	error = check_unlink(&context->cred, &last, directory);
	victim = last.dentry->vnode;
	if (!error)
		error = last.dir->ops->unlink(last.dir, last.dentry->name, last.dentry->len, victim);
	if (!error) {
		inotify_name(last.dir, last.dentry->name, last.dentry->len, victim, IN_DELETE);
		inotify_name(NULL, NULL, 0, victim, victim->nlink ? IN_ATTRIB : IN_DELETE_SELF);
		dentry_delete(last.dentry);
	}
	last_done(&last);
	return error;
}

/* The sysctl fs.protected_hardlinks, on as everywhere today (proc(5)). */
static int check_link_source(const struct vnode *source, const struct cred *cred)
{
	uint32_t group_exec = S_ISGID | S_IXGRP;

	if (vnode_is_owner(source, cred))
		return 0;
	if (!S_ISREG(source->mode) || source->mode & S_ISUID || (source->mode & group_exec) == group_exec)
		return -EPERM;
	return vnode_access(source, cred, MAY_READ | MAY_WRITE) ? -EPERM : 0;
}

int path_link(struct fs_context *context, struct vnode *source, struct dentry *at, const char *path)
{
	struct last last;
	int error = last_find(&last, context, at, path, -EEXIST);

	if (error)
		return error;
	if (last.dentry->vnode)
		error = -EEXIST;
	else if (last.walk.trailing_slash)
		error = -ENOENT;
	else if (last.dir->fs != source->fs)
		error = -EXDEV;
	else
		error = check_link_source(source, &context->cred);
	if (!error)
		error = access_create(last.dir, &context->cred);
	if (!error && (last.walk.dentry->deleted || (!source->nlink && !source->linkable)))
		error = -ENOENT;
	if (!error && (S_ISDIR(source->mode) || !last.dir->ops->link))
		error = -EPERM;
	if (!error)
		error = last.dir->ops->link(last.dir, last.dentry->name, last.dentry->len, source);
	if (!error) {
		dentry_instantiate(last.dentry, source);
		inotify_name(NULL, NULL, 0, source, IN_ATTRIB);
		inotify_name(last.dir, last.dentry->name, last.dentry->len, source, IN_CREATE);
	}
	last_done(&last);
	return error;
}

/* ---- Rename ----------------------------------------------------------------------------------------------------------- */

struct renaming {
	const struct cred *cred;
	struct walk from_walk, to_walk;
	struct vnode *from_dir, *to_dir;
	struct dentry *from, *to; /* with references */
	unsigned flags;
};

static void dirs_lock(struct renaming *r)
{
	struct vnode *first = r->from_dir < r->to_dir ? r->from_dir : r->to_dir;
	struct vnode *second = r->from_dir < r->to_dir ? r->to_dir : r->from_dir;

	mutex_lock(&first->lock);
	if (first != second)
		mutex_lock(&second->lock);
}

static void dirs_unlock(struct renaming *r)
{
	if (r->from_dir != r->to_dir)
		mutex_unlock(&r->to_dir->lock);
	mutex_unlock(&r->from_dir->lock);
}

/* ABOVE is DENTRY or one of the directories that it is in. */
static bool is_above(const struct dentry *above, const struct dentry *dentry)
{
	bool found;

	spin_lock(&dentry_lock);
	while (dentry && dentry != above)
		dentry = dentry->parent;
	found = dentry == above;
	spin_unlock(&dentry_lock);
	return found;
}

/* What the slashes behind the names say, which comes before anything else. */
static int check_slashes(const struct renaming *r, const struct vnode *source, const struct vnode *victim)
{
	bool from_slash = r->from_walk.trailing_slash, to_slash = r->to_walk.trailing_slash;
	bool exchange = r->flags & RENAME_EXCHANGE_FLAG;

	if (exchange && !S_ISDIR(victim->mode) && to_slash)
		return -ENOTDIR;
	return !S_ISDIR(source->mode) && (from_slash || (to_slash && !exchange)) ? -ENOTDIR : 0;
}

static int check_types(const struct renaming *r, const struct vnode *source, const struct vnode *victim)
{
	if (!victim || r->flags & RENAME_EXCHANGE_FLAG)
		return 0;
	if (S_ISDIR(source->mode) && !S_ISDIR(victim->mode))
		return -ENOTDIR;
	return !S_ISDIR(source->mode) && S_ISDIR(victim->mode) ? -EISDIR : 0;
}

static int check_rights(const struct renaming *r, struct vnode *source, struct vnode *victim)
{
	int error = access_remove(r->from_dir, source, r->cred);

	if (!error && victim)
		error = access_remove(r->to_dir, victim, r->cred);
	else if (!error)
		error = access_create(r->to_dir, r->cred);
	if (!error)
		error = check_types(r, source, victim);
	/* The name ".." in a directory that moves is written too. */
	if (!error && r->from_dir != r->to_dir && S_ISDIR(source->mode))
		error = vnode_access(source, r->cred, MAY_WRITE);
	if (!error && r->from_dir != r->to_dir && victim && S_ISDIR(victim->mode) && r->flags & RENAME_EXCHANGE_FLAG)
		error = vnode_access(victim, r->cred, MAY_WRITE);
	return error;
}

/* 0, 1 (nothing to do), or an error. */
static int check_rename(const struct renaming *r)
{
	struct vnode *source = r->from->vnode, *victim = r->to->vnode;
	int error;

	if (!source)
		return -ENOENT;
	if (victim && r->flags & RENAME_NOREPLACE_FLAG)
		return -EEXIST;
	if (!victim && r->flags & RENAME_EXCHANGE_FLAG)
		return -ENOENT;
	error = check_slashes(r, source, victim);
	if (error)
		return error;
	if (is_above(r->from, r->to_walk.dentry))
		return -EINVAL;
	if (is_above(r->to, r->from_walk.dentry))
		return r->flags & RENAME_EXCHANGE_FLAG ? -EINVAL : -ENOTEMPTY;
	if (source == victim)
		return 1;
	error = check_rights(r, source, victim);
	if (error)
		return error;
	if (READ_ONCE(r->from->mounted) || READ_ONCE(r->to->mounted))
		return -EBUSY;
	if (r->to_walk.dentry->deleted)
		return -ENOENT;
	return r->from_dir->ops->rename ? 0 : -EPERM;
}

static void rename_notify(const struct renaming *r, struct vnode *source, struct vnode *victim, const char *old_name,
			  size_t old_len)
{
	uint32_t cookie = inotify_cookie();
	bool exchange = r->flags & RENAME_EXCHANGE_FLAG;

	inotify_event(r->from_dir, old_name, old_len, source, IN_MOVED_FROM, cookie);
	inotify_event(r->to_dir, r->from->name, r->from->len, source, IN_MOVED_TO, cookie);
	inotify_event(NULL, NULL, 0, source, IN_MOVE_SELF, 0);
	if (victim && !exchange)
		inotify_event(NULL, NULL, 0, victim, victim->nlink ? IN_ATTRIB : IN_DELETE_SELF, 0);
	if (!exchange)
		return;
	cookie = inotify_cookie();
	inotify_event(r->to_dir, r->from->name, r->from->len, victim, IN_MOVED_FROM, cookie);
	inotify_event(r->from_dir, old_name, old_len, victim, IN_MOVED_TO, cookie);
	inotify_event(NULL, NULL, 0, victim, IN_MOVE_SELF, 0);
}

/* Both names are looked up, both directories locked. */
static int rename_locked(struct renaming *r)
{
	struct vnode *source = r->from->vnode, *victim = r->to->vnode;
	int error = check_rename(r);

	if (error)
		return error > 0 ? 0 : error;
	error = r->from_dir->ops->rename(r->from_dir, r->from->name, r->from->len, source, r->to_dir, r->to->name,
					 r->to->len, victim, r->flags);
	if (error)
		return error;
	dentry_move(r->from, r->to, r->flags & RENAME_EXCHANGE_FLAG);
	if (inotify_is_active())
		rename_notify(r, source, victim, r->from_walk.last, r->from_walk.last_len);
	return 0;
}

static int rename_walked(struct renaming *r)
{
	int error;

	if (r->from_dir->fs != r->to_dir->fs)
		return -EXDEV;
	if (r->from_walk.last_is_dot || r->to_walk.last_is_dot)
		return r->flags & RENAME_NOREPLACE_FLAG && !r->from_walk.last_is_dot ? -EEXIST : -EBUSY;
	mutex_lock(&rename_lock);
	dirs_lock(r);
	error = dentry_lookup(r->from_walk.dentry, r->from_walk.last, r->from_walk.last_len, &r->from);
	if (!error)
		error = dentry_lookup(r->to_walk.dentry, r->to_walk.last, r->to_walk.last_len, &r->to);
	if (!error)
		error = rename_locked(r);
	dirs_unlock(r);
	mutex_unlock(&rename_lock);
	if (r->from)
		dentry_put(r->from);
	if (r->to)
		dentry_put(r->to);
	return error;
}

int path_rename(struct fs_context *context, struct dentry *from_at, const char *from, struct dentry *to_at,
		const char *to, unsigned flags)
{
	struct renaming r = { .cred = &context->cred, .flags = flags };
	int error = path_walk(context, from_at, from, WALK_PARENT, &r.from_walk);

	if (error)
		return error;
	error = path_walk(context, to_at, to, WALK_PARENT, &r.to_walk);
	if (!error) {
		r.from_dir = r.from_walk.dentry->vnode;
		r.to_dir = r.to_walk.dentry->vnode;
		error = rename_walked(&r);
		walk_done(&r.to_walk);
	}
	walk_done(&r.from_walk);
	return error;
}
