/* Attributes of vnodes: read, and changed as system calls do it, with the rights of CRED checked where it is given. */
#ifndef KERNEL_FILE_ATTR_H
#define KERNEL_FILE_ATTR_H

#include "kernel/file/path.h"

/* What fstat(2) tells of FILE, whatever it is. */
int file_getattr(struct file *file, struct vnode_attr *attr);

/*
 * vnode_ops.setattr of what MASK names, under the vnode's lock; ctime is now unless MASK has it. -EROFS, -EPERM:
 * cannot be changed.
 */
int vnode_setattr(struct vnode *vnode, struct vnode_attr *attr, unsigned mask);
/*
 * A regular file's size, 0 to INT64_MAX. -EPERM: seals. The caller has checked the right to write; CRED tells whether
 * set-user-id and the like go, as at a write.
 */
int vnode_truncate(struct vnode *vnode, int64_t size, const struct cred *cred);
/*
 * vnode->lock held: set-user-id goes, and set-group-id of what the group may execute, or of any file unless IN_GROUP:
 * he who changes it is in its group.
 */
void vnode_drop_privilege_bits(struct vnode *vnode, bool in_group);
/*
 * fallocate(2) of a regular file; OFF >= 0, LEN > 0, their sum not past INT64_MAX. The caller has checked the right
 * to write.
 */
int vnode_allocate(struct vnode *vnode, int mode, int64_t off, int64_t len, const struct cred *cred);

/* F_ADD_SEALS of fcntl(2): -EPERM, -EBUSY (F_SEAL_WRITE while a shared mapping may write), -EINVAL. */
int file_seals_add(struct file *file, unsigned seals);
/* F_GET_SEALS; -EINVAL: FILE cannot have any. */
int file_seals(const struct file *file);

/* chmod(2), chown(2) (UINT32_MAX: stays). -EPERM, -EROFS. */
int vnode_chmod(struct vnode *vnode, const struct cred *cred, uint32_t mode);
int vnode_chown(struct vnode *vnode, const struct cred *cred, uint32_t uid, uint32_t gid);
/* utimensat(2): nsec UTIME_NOW, UTIME_OMIT, or below a second. TIMES NULL: both now. -EPERM, -EACCES, -EROFS. */
int vnode_utimes(struct vnode *vnode, const struct cred *cred, const struct file_time *times);

#endif
