/* open(2): from a path to an open file, made first where O_CREAT or O_TMPFILE say so. */
#include "kernel/file/abi.h"
#include "kernel/file/access.h"
#include "kernel/file/attr.h"
#include "kernel/file/change.h"
#include "kernel/file/chardev.h"
#include "kernel/file/dentry.h"
#include "kernel/file/fifo.h"
#include "kernel/file/inotify.h"
#include "kernel/file/pipe.h"
#include "kernel/file/vnode_file.h"
#include "kernel/mem/slab.h"

#define O_TMPFILE_ALONE (O_TMPFILE & ~O_DIRECTORY)
/* What is about the call, not about the file that it gives. */
#define O_OF_CALL (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)
#define O_KNOWN                                                                                                        \
	(O_ACCMODE | O_OF_CALL | O_APPEND | O_NONBLOCK | O_SYNC | O_ASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY |     \
	 O_NOFOLLOW | O_NOATIME | O_PATH | O_TMPFILE)

/* open(2) of what this open is about. */
struct opening {
	struct fs_context *context;
	unsigned flags; /* O_* */
	uint32_t mode;
	unsigned walk_flags;
	struct file **out;
};

static int plain_open(const struct file_ops *ops, unsigned flags, struct file **out)
{
	struct file *file = kzalloc(sizeof(*file));

	if (!file)
		return -ENOMEM;
	file_init(file, ops, flags);
	*out = file;
	return 0;
}

/* A file of something that is not just bytes or names. */
static int special_open(struct vnode *vnode, unsigned flags, struct file **out)
{
	if (vnode->ops->open)
		return vnode->ops->open(vnode, flags, out);
	switch (vnode->mode & S_IFMT) {
	case S_IFIFO:
		return fifo_open(vnode, flags, out);
	case S_IFCHR:
		return chardev_open(vnode, flags, out);
	case S_IFLNK:
		return -ELOOP;
	default:
		return -ENXIO;
	}
}

int vnode_open(struct vnode *vnode, struct dentry *dentry, unsigned flags, struct file **out)
{
	unsigned kept = flags & O_KNOWN & ~(unsigned)O_OF_CALL;
	struct file *file;
	int error;

	if (unlikely(flags & O_PATH))
		error = plain_open(&path_file_ops, kept, &file);
	else if (S_ISREG(vnode->mode) && likely(!vnode->ops->open))
		error = plain_open(&vnode_file_ops, kept, &file);
	else if (S_ISDIR(vnode->mode) && !vnode->ops->open)
		error = plain_open(&dir_file_ops, kept, &file);
	else
		error = special_open(vnode, kept, &file);
	if (error)
		return error;
	if (!file->vnode) {
		vnode_get(vnode);
		file->vnode = vnode;
	}
	if (dentry && !file->dentry) {
		dentry_get(dentry);
		file->dentry = dentry;
	}
	if (!(flags & O_PATH))
		inotify_dentry(dentry, vnode, IN_OPEN);
	*out = file;
	return 0;
}

static unsigned access_of(unsigned flags)
{
	static const uint8_t access[4] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };

	return access[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0u);
}

static int opened(const struct opening *o, struct vnode *vnode, struct dentry *dentry)
{
	const struct cred *cred = &o->context->cred;
	int error = vnode_open(vnode, dentry, o->flags, o->out);

	if (error)
		return error;
	(*o->out)->keeps_setuid = cred->fsuid == 0;
	(*o->out)->keeps_setgid = cred->fsuid == 0 || cred_has_group(cred, vnode->gid);
	return 0;
}

/* Opens what was found; VNODE is held by the caller. */
static int open_found(const struct opening *o, struct vnode *vnode, struct dentry *dentry)
{
	int error;

	if (o->flags & O_PATH)
		return vnode_open(vnode, dentry, o->flags, o->out);
	if (o->flags & O_CREAT && o->flags & O_EXCL)
		return -EEXIST;
	if (S_ISLNK(vnode->mode))
		return -ELOOP;
	if (S_ISDIR(vnode->mode) && (access_of(o->flags) & MAY_WRITE || o->flags & O_CREAT))
		return -EISDIR;
	error = vnode_access(vnode, &o->context->cred, access_of(o->flags));
	if (error)
		return error;
	if (o->flags & O_NOATIME && !vnode_is_owner(vnode, &o->context->cred))
		return -EPERM;
	if (o->flags & O_TRUNC && S_ISREG(vnode->mode) && !vnode->ops->open) {
		error = vnode_truncate(vnode, 0, &o->context->cred);
		if (error)
			return error;
		inotify_dentry(dentry, vnode, IN_MODIFY);
	}
	return opened(o, vnode, dentry);
}

/* Opens through a magic link to a file that has no name. */
static int open_again(const struct opening *o, struct file *file)
{
	if (o->flags & O_CREAT && o->flags & O_EXCL)
		return -EEXIST;
	if (file->vnode)
		return open_found(o, file->vnode, NULL);
	return pipe_open_again(file, o->flags & O_KNOWN & ~(unsigned)O_OF_CALL, o->out);
}

static int open_existing(const struct opening *o, struct dentry *at, const char *path, unsigned walk_flags)
{
	struct walk walk;
	int error = path_walk(o->context, at, path, walk_flags, &walk);

	if (error)
		return error;
	if (walk.file)
		error = open_again(o, walk.file);
	else
		error = open_found(o, walk.dentry->vnode, walk.dentry);
	walk_done(&walk);
	return error;
}

/* The text of the link that DENTRY is, from kmalloc. */
static int link_text(struct vnode *vnode, char **out)
{
	char *text = kmalloc(PATH_LEN_MAX + 8);
	ssize_t len;

	if (!text)
		return -ENOMEM;
	len = vnode->ops->readlink ? vnode->ops->readlink(vnode, text, PATH_LEN_MAX) : -EINVAL;
	if (len == PATH_LEN_MAX || len <= 0) {
		kfree(text);
		return len < 0 ? (int)len : len ? -ENAMETOOLONG : -ENOENT;
	}
	text[len] = '\0';
	*out = text;
	return 0;
}

/*
 * Opens or makes the last name of WALK. *TARGET: it is a link whose text has to be walked from WALK's directory instead; from
 * kmalloc.
 */
static int create_last(const struct opening *o, const struct walk *walk, char **target)
{
	struct vnode *dir = walk->dentry->vnode;
	struct vnode_new what;
	struct dentry *dentry;
	bool made = false;
	int error;

	if (walk->last_is_dot || walk->trailing_slash)
		return -EISDIR;
	mutex_lock(&dir->lock);
	error = dentry_lookup(walk->dentry, walk->last, walk->last_len, &dentry);
	if (!error && !dentry->vnode) {
		what = vnode_new_in(o->context, dir, S_IFREG | (o->mode & 07777));
		error = dentry_create(&o->context->cred, walk->dentry, dentry, &what);
		made = !error;
		if (error)
			dentry_put(dentry);
	}
	mutex_unlock(&dir->lock);
	if (error)
		return error;
	if (made)
		error = opened(o, dentry->vnode, dentry);
	else if (S_ISLNK(dentry->vnode->mode) && !(o->flags & (O_NOFOLLOW | O_EXCL)))
		error = link_text(dentry->vnode, target);
	else
		error = open_found(o, dentry->vnode, dentry);
	dentry_put(dentry);
	return error;
}

static int open_create(const struct opening *o, struct dentry *at, const char *path)
{
	char *text = NULL, *target;
	struct dentry *base = NULL;
	struct walk walk;
	int error = -ELOOP;

	for (unsigned links = 0; links <= SYMLINK_MAX; links++) {
		target = NULL;
		error = path_walk(o->context, base ? base : at, text ? text : path,
				  (o->walk_flags & ~(unsigned)WALK_FOLLOW) | WALK_PARENT, &walk);
		if (!error)
			error = create_last(o, &walk, &target);
		kfree(text);
		text = target;
		if (base)
			dentry_put(base);
		base = NULL;
		if (!target) {
			walk_done(&walk);
			return error;
		}
		if (o->walk_flags & (WALK_NO_SYMLINKS | WALK_BENEATH | WALK_IN_ROOT)) {
			walk_done(&walk);
			kfree(text);
			return o->walk_flags & WALK_NO_SYMLINKS ? -ELOOP : -EXDEV;
		}
		base = walk.dentry; /* takes over the reference */
		error = -ELOOP;
	}
	kfree(text);
	dentry_put(base);
	return error;
}

/* O_TMPFILE: a file without a name in the directory PATH. */
static int open_unnamed(const struct opening *o, struct dentry *at, const char *path, unsigned walk_flags)
{
	struct vnode *dir, *vnode;
	struct vnode_new what;
	struct dentry *dentry;
	struct walk walk;
	int error;

	if (!(access_of(o->flags) & MAY_WRITE))
		return -EINVAL;
	error = path_walk(o->context, at, path, walk_flags | WALK_DIRECTORY, &walk);
	if (error)
		return error;
	dir = walk.dentry->vnode;
	error = access_create(dir, &o->context->cred);
	if (!error && !dir->ops->create_unnamed)
		error = -EOPNOTSUPP;
	if (error)
		goto out;
	what = vnode_new_in(o->context, dir, S_IFREG | (o->mode & 07777));
	mutex_lock(&dir->lock);
	error = dir->ops->create_unnamed(dir, &what, &vnode);
	mutex_unlock(&dir->lock);
	if (error)
		goto out;
	vnode->linkable = !(o->flags & O_EXCL);
	dentry = dentry_alloc_unnamed(walk.dentry, vnode);
	if (!dentry) {
		vnode_put(vnode);
		error = -ENOMEM;
		goto out;
	}
	error = vnode_open(vnode, dentry, o->flags & ~(unsigned)O_TMPFILE_ALONE, o->out);
	dentry_put(dentry);
out:
	walk_done(&walk);
	return error;
}

int path_open_walk(struct fs_context *context, struct dentry *at, const char *path, unsigned flags, uint32_t mode,
		   unsigned walk_flags, struct file **out)
{
	struct opening o = { context, flags & O_KNOWN, mode, walk_flags, out };
	int error;

	if (flags & O_PATH)
		o.flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	else if (o.flags & O_TMPFILE_ALONE && (o.flags & O_TMPFILE) != O_TMPFILE)
		return -EINVAL;
	if (!(o.flags & O_NOFOLLOW) && !(o.flags & O_CREAT && o.flags & O_EXCL))
		walk_flags |= WALK_FOLLOW;
	if (o.flags & O_TMPFILE_ALONE)
		return o.flags & O_CREAT ? -EINVAL : open_unnamed(&o, at, path, walk_flags);
	if (o.flags & O_DIRECTORY) {
		if (o.flags & O_CREAT)
			return -EINVAL;
		walk_flags |= WALK_DIRECTORY;
	}
	if (o.flags & O_CREAT)
		walk_flags |= WALK_CREATE;
	error = open_existing(&o, at, path, walk_flags);
	if (error != -ENOENT || !(o.flags & O_CREAT) || !*path)
		return error;
	return open_create(&o, at, path);
}

int path_open(struct fs_context *context, struct dentry *at, const char *path, unsigned flags, uint32_t mode,
	      struct file **out)
{
	return path_open_walk(context, at, path, flags, mode, 0, out);
}

int path_open_anonymous(struct vnode *vnode, const char *name, struct file **out)
{
	struct dentry *dentry = dentry_alloc_anonymous(name, vnode);
	int error;

	if (!dentry)
		return -ENOMEM;
	vnode_get(vnode);
	error = vnode_open(vnode, dentry, O_RDWR | O_LARGEFILE, out);
	dentry_put(dentry);
	return error;
}
