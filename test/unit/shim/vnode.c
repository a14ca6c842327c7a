/* What file systems need of kernel/file and kernel/mem, in its simplest form. Weak, as in shim.c. */
#include <string.h>

#include "kernel/file/vnode.h"
#include "lib/list.h"

#define WEAK __attribute__((weak))

WEAK void spin_init(struct spinlock *lock, const char *name)
{
	(void)name;
	memset(lock, 0, sizeof(*lock));
}

WEAK void mutex_init(struct mutex *mutex, const char *name)
{
	(void)name;
	memset(mutex, 0, sizeof(*mutex));
}

WEAK void mutex_lock(struct mutex *mutex)
{
	mutex->owner = 1;
}

WEAK void mutex_unlock(struct mutex *mutex)
{
	mutex->owner = 0;
}

WEAK void vm_object_init(struct vm_object *object, const struct vm_object_ops *ops)
{
	object->ops = ops;
	list_init(&object->mappings);
}

WEAK void vnode_init(struct vnode *vnode, const struct vnode_ops *ops, struct file_system *fs, uint32_t mode,
		     uint64_t ino)
{
	vnode->ops = ops;
	vnode->fs = fs;
	vnode->mode = mode;
	vnode->ino = ino;
	vnode->refs = 1;
	vnode->nlink = 1;
}

WEAK void vnode_put_last(struct vnode *vnode)
{
	struct file_system *fs = vnode->fs;
	bool root = vnode == fs->root;

	vnode->ops->release(vnode);
	if (root && fs->release)
		fs->release(fs);
}

WEAK uint64_t file_system_dev(void)
{
	static uint64_t last;

	return ++last;
}

WEAK ssize_t uio_copy_out(struct uio *uio, const void *src, size_t len)
{
	len = MIN(len, uio->resid);
	memcpy((char *)uio->iov->base + uio->done, src, len);
	uio->done += len;
	uio->resid -= len;
	return (ssize_t)len;
}

WEAK ssize_t uio_zero_out(struct uio *uio, size_t len)
{
	len = MIN(len, uio->resid);
	memset((char *)uio->iov->base + uio->done, 0, len);
	uio->done += len;
	uio->resid -= len;
	return (ssize_t)len;
}

WEAK ssize_t uio_copy_in(struct uio *uio, void *dst, size_t len)
{
	len = MIN(len, uio->resid);
	memcpy(dst, (const char *)uio->iov->base + uio->done, len);
	uio->done += len;
	uio->resid -= len;
	return (ssize_t)len;
}

WEAK void vnode_describe(struct vnode *vnode, char *path, size_t size, uint64_t *dev, uint64_t *ino)
{
	(void)path, (void)size;
	*dev = vnode->fs->dev;
	*ino = vnode->ino;
}
