/* Open files of vnodes: regular files, directories, and O_PATH. */
#ifndef KERNEL_FILE_VNODE_FILE_H
#define KERNEL_FILE_VNODE_FILE_H

#include "kernel/file/path.h"

extern const struct file_ops vnode_file_ops, dir_file_ops, path_file_ops;

/*
 * The entries of FILE, an open directory, from its position on, "." and ".." first, until SINK has no room. 0; -ENOTDIR,
 * -ENOENT (it was removed), or what the file system says. SINK's positions are those of lseek. file->pos_lock and the directory's
 * lock are held while SINK is called.
 */
int file_readdir(struct file *file, struct dir_sink *sink);

/*
 * Changes what MASK names of VNODE, as vnode_ops.setattr, under its lock; the caller has checked the rights to. Writes ctime.
 * -EPERM where seals forbid it. A size of a regular file: 0 to INT64_MAX; its set-user-id goes when DROP_PRIVILEGES.
 */
int vnode_setattr(struct vnode *vnode, struct vnode_attr *attr, unsigned mask);
int vnode_truncate(struct vnode *vnode, int64_t size, bool drop_privileges);

#endif
