/* Who may do what to a vnode (path_resolution(7), "Permissions"; capabilities(7) for what uid 0 may). See path.h. */
#include "kernel/file/access.h"

#include "kernel/file/abi.h"

bool cred_has_group(const struct cred *cred, uint32_t gid)
{
	if (cred->fsgid == gid)
		return true;
	for (unsigned i = 0; i < cred->nr_groups; i++)
		if (cred->groups[i] == gid)
			return true;
	return false;
}

static bool is_written_on_disk(uint32_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode);
}

int vnode_access(const struct vnode *vnode, const struct cred *cred, unsigned access)
{
	uint32_t mode = vnode->mode, granted = mode;

	if (access & MAY_WRITE && vnode->fs && vnode->fs->read_only && is_written_on_disk(mode))
		return -EROFS;
	if (cred->fsuid == 0) {
		if (access & MAY_EXEC && !S_ISDIR(mode) && !(mode & 0111))
			return -EACCES;
		return 0;
	}
	if (cred->fsuid == vnode->uid)
		granted >>= 6;
	else if (cred_has_group(cred, vnode->gid))
		granted >>= 3;
	return access & ~granted & 7 ? -EACCES : 0;
}

bool vnode_is_owner(const struct vnode *vnode, const struct cred *cred)
{
	return cred->fsuid == 0 || cred->fsuid == vnode->uid;
}

int access_create(const struct vnode *dir, const struct cred *cred)
{
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	return vnode_access(dir, cred, MAY_WRITE | MAY_EXEC);
}

int access_remove(const struct vnode *dir, const struct vnode *victim, const struct cred *cred)
{
	int error = vnode_access(dir, cred, MAY_WRITE | MAY_EXEC);

	if (error)
		return error;
	if (dir->mode & S_ISVTX && !vnode_is_owner(victim, cred) && cred->fsuid != dir->uid)
		return -EPERM;
	return 0;
}
