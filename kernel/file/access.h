/* Rights to change names and attributes. Private to kernel/file and the system calls on paths. */
#ifndef KERNEL_FILE_ACCESS_H
#define KERNEL_FILE_ACCESS_H

#include "kernel/file/path.h"

bool cred_has_group(const struct cred *cred, uint32_t gid);
/* The owner of VNODE, or uid 0. */
bool vnode_is_owner(const struct vnode *vnode, const struct cred *cred);
/* A name may be added to DIR: 0, -ENOTDIR, -EACCES, -EROFS. */
int access_create(const struct vnode *dir, const struct cred *cred);
/* The name of VICTIM may be taken out of DIR: 0, -EACCES, -EROFS, -EPERM (sticky bit). */
int access_remove(const struct vnode *dir, const struct vnode *victim, const struct cred *cred);

#endif
