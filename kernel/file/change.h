/*
 * Changes of names, as system calls make them: the rights of CONTEXT are checked, and the cache and inotify told. AT
 * as path_walk has it. 0, or the errors of the man page that is named.
 */
#ifndef KERNEL_FILE_CHANGE_H
#define KERNEL_FILE_CHANGE_H

#include "kernel/file/path.h"

/* mknod(2), mkdir(2), symlink(2): MODE with S_IFMT, umask not applied; TARGET of a symbolic link. */
int path_create(struct fs_context *context, struct dentry *at, const char *path, uint32_t mode, uint64_t rdev,
		const char *target);
/* unlink(2), rmdir(2). */
int path_unlink(struct fs_context *context, struct dentry *at, const char *path, bool directory);
/* link(2): SOURCE (a file, with a dentry or without) gets the name PATH too. */
int path_link(struct fs_context *context, struct vnode *source, struct dentry *at, const char *path);
/* renameat2(2): FLAGS enum rename_flags. */
int path_rename(struct fs_context *context, struct dentry *from_at, const char *from, struct dentry *to_at,
		const char *to, unsigned flags);

/*
 * For what is about to make something in DIR: its owner, group and mode as inode(7) has them (set-group-id
 * directories), MODE with umask not applied.
 */
struct vnode_new vnode_new_in(const struct fs_context *context, const struct vnode *dir, uint32_t mode);
/*
 * Makes the file that DENTRY, negative, names; its directory DIR is locked. 0, -ENOENT (DIR was removed),
 * access_create's errors, the file system's.
 */
int dentry_create(const struct cred *cred, struct dentry *dir, struct dentry *dentry, const struct vnode_new *what);

#endif
