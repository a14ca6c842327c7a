/* Open directories. Their positions: 0 is ".", 1 is "..", then what the file system calls N is N + 2. */
#include "kernel/file/abi.h"
#include "kernel/file/dentry.h"
#include "kernel/file/inotify.h"
#include "kernel/file/vnode_file.h"
#include "kernel/mem/slab.h"

#define DOTS 2

/* Passes on with positions of the file. */
struct offset_sink {
	struct dir_sink sink;
	struct dir_sink *to;
};

static bool offset_entry(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type,
			 uint64_t next)
{
	struct dir_sink *to = container_of(sink, struct offset_sink, sink)->to;

	return to->entry(to, name, len, ino, type, next + DOTS);
}

static bool dots(struct file *file, struct dir_sink *sink)
{
	if (file->pos == 0) {
		if (!sink->entry(sink, ".", 1, file->vnode->ino, DT_DIR, 1))
			return false;
		file->pos = 1;
	}
	if (file->pos == 1) {
		struct dentry *parent = file->dentry ? dentry_parent(file->dentry) : NULL;
		uint64_t ino = parent ? dentry_vnode(parent)->ino : file->vnode->ino;
		bool room = sink->entry(sink, "..", 2, ino, DT_DIR, 2);

		if (parent)
			dentry_put(parent);
		if (!room)
			return false;
		file->pos = 2;
	}
	return true;
}

int file_readdir(struct file *file, struct dir_sink *sink)
{
	struct offset_sink offset = { { offset_entry }, sink };
	struct vnode *vnode = file->vnode;
	uint64_t pos;
	int error = 0;

	if (file->ops != &dir_file_ops)
		return -ENOTDIR;
	if (file->dentry && unlikely(file->dentry->mount && file->dentry->mount->lazy))
		mount_lazy_all(file->dentry); /* their directories may be missing still */
	mutex_lock(&file->pos_lock);
	mutex_lock(&vnode->lock);
	if (file->dentry && file->dentry->deleted) {
		error = -ENOENT;
	} else if (dots(file, sink) && vnode->ops->readdir) {
		pos = (uint64_t)file->pos - DOTS;
		error = vnode->ops->readdir(vnode, &pos, &offset.sink);
		file->pos = (int64_t)(pos + DOTS);
	}
	mutex_unlock(&vnode->lock);
	mutex_unlock(&file->pos_lock);
	return error;
}

static ssize_t dir_file_read(struct file *file, struct uio *uio, int64_t *pos)
{
	(void)file, (void)uio, (void)pos;
	return -EISDIR;
}

static int64_t dir_file_seek(struct file *file, int64_t off, int whence)
{
	int64_t base = whence == SEEK_CUR ? file->pos : 0, pos;

	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	if (__builtin_add_overflow(base, off, &pos) || pos < 0)
		return -EINVAL;
	file->pos = pos;
	return pos;
}

static long dir_file_ioctl(struct file *file, unsigned request, unsigned long arg)
{
	(void)file, (void)request, (void)arg;
	return -ENOTTY;
}

static void dir_file_release(struct file *file)
{
	inotify_dentry(file->dentry, file->vnode, IN_CLOSE_NOWRITE);
	kfree(file);
}

const struct file_ops dir_file_ops = {
	.read = dir_file_read,
	.seek = dir_file_seek,
	.ioctl = dir_file_ioctl,
	.release = dir_file_release,
};
