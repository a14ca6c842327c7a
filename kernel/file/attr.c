/* See attr.h. */
#include "kernel/file/attr.h"

#include "kernel/file/abi.h"
#include "kernel/file/access.h"
#include "kernel/file/inotify.h"

int file_getattr(struct file *file, struct vnode_attr *attr)
{
	*attr = (struct vnode_attr){ .mode = 0600, .nlink = 1, .block_size = 4096 };
	if (file->ops->getattr)
		return file->ops->getattr(file, attr);
	return file->vnode ? vnode_getattr(file->vnode, attr) : 0;
}

int vnode_setattr(struct vnode *vnode, struct vnode_attr *attr, unsigned mask)
{
	int error;

	if (vnode->fs && vnode->fs->read_only)
		return -EROFS;
	if (!vnode->ops->setattr)
		return -EPERM;
	mutex_lock(&vnode->lock);
	if (!(mask & ATTR_CTIME))
		attr->ctime = file_time_now();
	error = vnode->ops->setattr(vnode, attr, mask | ATTR_CTIME);
	mutex_unlock(&vnode->lock);
	if (!error)
		inotify_vnode(vnode, IN_ATTRIB);
	return error;
}

static uint32_t privilege_bits(const struct vnode *vnode, bool in_group)
{
	return vnode->mode & (S_ISUID | (vnode->mode & S_IXGRP || !in_group ? S_ISGID : 0u));
}

static bool is_in_group(const struct vnode *vnode, const struct cred *cred)
{
	return cred->fsuid == 0 || cred_has_group(cred, vnode->gid);
}

void vnode_drop_privilege_bits(struct vnode *vnode, bool in_group)
{
	uint32_t gone = privilege_bits(vnode, in_group);
	struct vnode_attr attr = { .mode = vnode->mode & ~gone };

	if (gone && vnode->ops->setattr)
		vnode->ops->setattr(vnode, &attr, ATTR_MODE);
}

int vnode_truncate(struct vnode *vnode, int64_t size, const struct cred *cred)
{
	struct vnode_attr attr = { .size = (uint64_t)size };
	int error = 0;

	if (!vnode->ops->setattr)
		return -EINVAL;
	mutex_lock(&vnode->lock);
	if (attr.size != vnode->size && vnode->seals & (attr.size < vnode->size ? F_SEAL_SHRINK : F_SEAL_GROW))
		error = -EPERM;
	attr.mtime = attr.ctime = file_time_now();
	if (!error)
		error = vnode->ops->setattr(vnode, &attr, ATTR_SIZE | ATTR_MTIME | ATTR_CTIME);
	if (!error && cred->fsuid != 0)
		vnode_drop_privilege_bits(vnode, is_in_group(vnode, cred));
	mutex_unlock(&vnode->lock);
	return error;
}

static int check_seals_allocate(const struct vnode *vnode, int mode, uint64_t end)
{
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE) && vnode->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	return vnode->seals & F_SEAL_GROW && end > vnode->size && !(mode & FALLOC_FL_KEEP_SIZE) ? -EPERM : 0;
}

int vnode_allocate(struct vnode *vnode, int mode, int64_t off, int64_t len, const struct cred *cred)
{
	int error;

	if (!vnode->ops->allocate)
		return -EOPNOTSUPP;
	mutex_lock(&vnode->lock);
	error = check_seals_allocate(vnode, mode, (uint64_t)off + (uint64_t)len);
	if (!error)
		error = vnode->ops->allocate(vnode, mode, off, len);
	if (!error) {
		vnode->ctime = file_time_now();
		if (mode)
			vnode->mtime = vnode->ctime;
		if (cred->fsuid != 0)
			vnode_drop_privilege_bits(vnode, is_in_group(vnode, cred));
	}
	mutex_unlock(&vnode->lock);
	return error;
}

/* Files in memory only; for others no seal was ever there to be asked for. */
static bool may_have_seals(const struct file *file)
{
	return file->vnode && S_ISREG(file->vnode->mode) && file->vnode->ops->allocate;
}

int file_seals(const struct file *file)
{
	return may_have_seals(file) ? (int)file->vnode->seals : -EINVAL;
}

int file_seals_add(struct file *file, unsigned seals)
{
	const unsigned known = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	struct vnode *vnode = file->vnode;
	int error = 0;

	if (!may_have_seals(file) || seals & ~known)
		return -EINVAL;
	if ((file->flags & O_ACCMODE) == O_RDONLY)
		return -EPERM;
	mutex_lock(&vnode->lock);
	if (vnode->seals & F_SEAL_SEAL)
		error = -EPERM;
	else if (seals & F_SEAL_WRITE && vnode->write_mapped && !list_is_empty(&vnode->object.mappings))
		error = -EBUSY;
	else
		vnode->seals |= seals;
	mutex_unlock(&vnode->lock);
	return error;
}

int vnode_chmod(struct vnode *vnode, const struct cred *cred, uint32_t mode)
{
	struct vnode_attr attr = { .mode = mode & 07777 };

	if (vnode->fs && vnode->fs->read_only)
		return -EROFS;
	if (!vnode_is_owner(vnode, cred))
		return -EPERM;
	if (S_ISLNK(vnode->mode))
		return -EOPNOTSUPP;
	if (cred->fsuid != 0 && !cred_has_group(cred, vnode->gid))
		attr.mode &= ~(uint32_t)S_ISGID;
	return vnode_setattr(vnode, &attr, ATTR_MODE);
}

int vnode_chown(struct vnode *vnode, const struct cred *cred, uint32_t uid, uint32_t gid)
{
	struct vnode_attr attr = { .mode = vnode->mode, .uid = uid, .gid = gid };
	unsigned mask = (uid != UINT32_MAX ? ATTR_UID : 0u) | (gid != UINT32_MAX ? ATTR_GID : 0u);

	if (vnode->fs && vnode->fs->read_only)
		return -EROFS;
	if (cred->fsuid != 0) {
		if (mask && cred->fsuid != vnode->uid)
			return -EPERM;
		if (mask & ATTR_UID && uid != vnode->uid)
			return -EPERM;
		if (mask & ATTR_GID && gid != vnode->gid && !cred_has_group(cred, gid))
			return -EPERM;
	}
	if (!S_ISDIR(vnode->mode))
		attr.mode &= ~privilege_bits(vnode, is_in_group(vnode, cred));
	if (attr.mode != vnode->mode) {
		if (!vnode_is_owner(vnode, cred))
			return -EPERM;
		mask |= ATTR_MODE;
	}
	return vnode_setattr(vnode, &attr, mask);
}

/* Who may: utimensat(2), "Permissions requirements". */
static int check_utimes(const struct vnode *vnode, const struct cred *cred, bool both_now)
{
	if (vnode->fs && vnode->fs->read_only)
		return -EROFS;
	if (vnode_is_owner(vnode, cred))
		return 0;
	return both_now ? vnode_access(vnode, cred, MAY_WRITE) : -EPERM;
}

int vnode_utimes(struct vnode *vnode, const struct cred *cred, const struct file_time *times)
{
	static const struct file_time now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	struct vnode_attr attr = { 0 };
	unsigned mask = 0;
	int error;

	if (!times)
		times = now;
	if (times[0].nsec == UTIME_OMIT && times[1].nsec == UTIME_OMIT)
		return 0;
	error = check_utimes(vnode, cred, times[0].nsec == UTIME_NOW && times[1].nsec == UTIME_NOW);
	if (error)
		return error;
	attr.ctime = file_time_now();
	attr.atime = times[0].nsec == UTIME_NOW ? attr.ctime : times[0];
	attr.mtime = times[1].nsec == UTIME_NOW ? attr.ctime : times[1];
	if (times[0].nsec != UTIME_OMIT)
		mask |= ATTR_ATIME;
	if (times[1].nsec != UTIME_OMIT)
		mask |= ATTR_MTIME;
	return vnode_setattr(vnode, &attr, mask | ATTR_CTIME);
}
