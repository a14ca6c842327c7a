/*
 * Open regular files: the position, O_APPEND, time stamps, seals; the bytes are the file system's. Reads take no
 * lock. Lock order: file->pos_lock, vnode->lock, then what copying to and from the application takes.
 */
#include "kernel/file/vnode_file.h"

#include "kernel/file/abi.h"
#include "kernel/file/attr.h"
#include "kernel/file/inotify.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/vmspace.h"

static bool time_is_after(struct file_time a, struct file_time b)
{
	return a.sec > b.sec || (a.sec == b.sec && a.nsec > b.nsec);
}

/* As mount option relatime has it (mount(8)), less the once a day. */
static inline void accessed(struct file *file, struct vnode *vnode)
{
	if (time_is_after(vnode->atime, vnode->mtime) && time_is_after(vnode->atime, vnode->ctime))
		return;
	if (file->flags & O_NOATIME || vnode->fs->read_only || vnode->fs->mount_flags & MS_NOATIME)
		return;
	vnode->atime = file_time_now();
}

static ssize_t vnode_file_read(struct file *file, struct uio *uio, int64_t *pos)
{
	struct vnode *vnode = file->vnode;
	ssize_t n;

	if (unlikely(!vnode->ops->read))
		return -EINVAL;
	n = vnode->ops->read(vnode, uio, *pos);
	if (n < 0)
		return n;
	*pos += n;
	accessed(file, vnode);
	if (n)
		inotify_dentry(file->dentry, vnode, IN_ACCESS);
	return n;
}

/* Cuts UIO to what the limit leaves behind POS. */
static int limit_apply(struct uio *uio, uint64_t pos)
{
	if (likely(pos + uio->resid <= uio->file_max))
		return 0;
	if (pos >= uio->file_max)
		return -EFBIG;
	uio->resid = uio->file_max - pos;
	return 0;
}

static int may_write_at(const struct vnode *vnode, struct uio *uio, int64_t pos)
{
	uint64_t end = (uint64_t)pos + uio->resid;

	if (unlikely(limit_apply(uio, (uint64_t)pos)))
		return -EFBIG;
	if (pos == INT64_MAX || end > INT64_MAX)
		return -EFBIG;
	if (likely(!(vnode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_GROW))))
		return 0;
	if (vnode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	return end > vnode->size ? -EPERM : 0;
}

static ssize_t vnode_file_write(struct file *file, struct uio *uio, int64_t *pos)
{
	struct vnode *vnode = file->vnode;
	ssize_t n;

	if (unlikely(!vnode->ops->write))
		return -EINVAL;
	if (!uio->resid)
		return 0;
	mutex_lock(&vnode->lock);
	if (file->flags & O_APPEND)
		*pos = (int64_t)vnode->size;
	n = may_write_at(vnode, uio, *pos);
	if (!n)
		n = vnode->ops->write(vnode, uio, *pos);
	if (n > 0) {
		*pos += n;
		vnode->mtime = vnode->ctime = file_time_now();
		if (unlikely(vnode->mode & (S_ISUID | S_ISGID) && !file->keeps_setuid))
			vnode_drop_privilege_bits(vnode, file->keeps_setgid);
	}
	mutex_unlock(&vnode->lock);
	if (n > 0)
		inotify_dentry(file->dentry, vnode, IN_MODIFY);
	return n;
}

static int64_t seek_data(struct vnode *vnode, int64_t off, bool hole)
{
	int64_t size = (int64_t)vnode->size;

	if (off < 0 || off >= size)
		return -ENXIO;
	if (vnode->ops->seek_data)
		return vnode->ops->seek_data(vnode, off, hole);
	return hole ? size : off;
}

/* The new position, not yet set. */
static int64_t seek_target(struct file *file, int64_t off, int whence)
{
	int64_t base = 0, sum;

	switch (whence) {
	case SEEK_DATA:
	case SEEK_HOLE:
		return seek_data(file->vnode, off, whence == SEEK_HOLE);
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = file->pos;
		break;
	case SEEK_END:
		base = (int64_t)file->vnode->size;
		break;
	default:
		return -EINVAL;
	}
	return __builtin_add_overflow(base, off, &sum) || sum < 0 ? -EINVAL : sum;
}

static int64_t vnode_file_seek(struct file *file, int64_t off, int whence)
{
	int64_t pos = seek_target(file, off, whence);

	if (pos >= 0)
		file->pos = pos;
	return pos;
}

static long vnode_file_ioctl(struct file *file, unsigned request, unsigned long arg)
{
	(void)file, (void)request, (void)arg;
	return -ENOTTY;
}

static struct vm_object *vnode_file_mmap(struct file *file, unsigned prot, unsigned vm_flags, int *error)
{
	struct vnode *vnode = file->vnode;
	bool shared_write = vm_flags & VM_SHARED && prot & PT_WRITE;

	*error = -EACCES;
	if ((file->flags & O_ACCMODE) == O_WRONLY || (shared_write && (file->flags & O_ACCMODE) != O_RDWR))
		return NULL;
	*error = -EPERM;
	if (shared_write && vnode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return NULL;
	*error = -ENODEV;
	if (!vnode->object.ops)
		return NULL;
	if (vm_flags & VM_SHARED && (file->flags & O_ACCMODE) == O_RDWR && !READ_ONCE(vnode->write_mapped)) {
		/* It may be made writable later: what is shown from now on must be what will be written to. */
		WRITE_ONCE(vnode->write_mapped, true);
		vm_object_unmap(&vnode->object, 0, UINT64_MAX, false);
	}
	*error = 0;
	return &vnode->object;
}

static void vnode_file_release(struct file *file)
{
	bool written = (file->flags & O_ACCMODE) != O_RDONLY;

	if (!(file->flags & O_PATH))
		inotify_dentry(file->dentry, file->vnode, written ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	kfree(file);
}

const struct file_ops vnode_file_ops = {
	.read = vnode_file_read,
	.write = vnode_file_write,
	.seek = vnode_file_seek,
	.ioctl = vnode_file_ioctl,
	.mmap_object = vnode_file_mmap,
	.release = vnode_file_release,
};

const struct file_ops path_file_ops = {
	.release = vnode_file_release,
};
