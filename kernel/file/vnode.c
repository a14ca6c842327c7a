/* What all vnodes have in common. */
#include "kernel/file/vnode.h"

#include "kernel/core/clock.h"
#include "kernel/file/abi.h"

void vnode_init(struct vnode *vnode, const struct vnode_ops *ops, struct file_system *fs, uint32_t mode, uint64_t ino)
{
	vnode->ops = ops;
	vnode->fs = fs;
	vnode->refs = 1;
	vnode->mode = mode;
	vnode->ino = ino;
	vnode->nlink = 1;
	vnode->seals = F_SEAL_SEAL;
	mutex_init(&vnode->lock, "vnode");
}

void vnode_put_last(struct vnode *vnode)
{
	vnode->ops->release(vnode);
}

int vnode_getattr(struct vnode *vnode, struct vnode_attr *attr)
{
	*attr = (struct vnode_attr){
		.mode = vnode->mode,
		.nlink = vnode->nlink,
		.uid = vnode->uid,
		.gid = vnode->gid,
		.rdev = vnode->rdev,
		.ino = vnode->ino,
		.dev = vnode->fs ? vnode->fs->dev : 0,
		.size = vnode->size,
		.blocks = vnode->blocks,
		.block_size = 4096,
		.atime = vnode->atime,
		.mtime = vnode->mtime,
		.ctime = vnode->ctime,
		.btime = vnode->btime,
	};
	return vnode->ops->getattr ? vnode->ops->getattr(vnode, attr) : 0;
}

struct file_time file_time_now(void)
{
	uint64_t now = clock_realtime();

	return (struct file_time){ (int64_t)(now / NSEC_PER_SEC), (uint32_t)(now % NSEC_PER_SEC) };
}

/* Major number 0, as Linux has it for file systems without a device. */
uint64_t file_system_dev(void)
{
	static unsigned last = 16; /* atomic */

	return dev_encode(0, __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED));
}
