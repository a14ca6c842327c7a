/*
 * Files in memory. A tmpfs can lie over a read-only file system: it then shows that one's tree, and keeps what is changed:
 * pages of a file at the first write to each, directories entry by entry. So a program can write anywhere in its root, and
 * what it does not write stays shared and uncopied.
 */
#ifndef KERNEL_FS_TMPFS_H
#define KERNEL_FS_TMPFS_H

#include "kernel/file/vnode.h"

/*
 * An empty one, or (LOWER not NULL) over LOWER, whose reference goes over. SIZE_MAX_BYTES: what files may take (0: half of all
 * memory). MODE of an empty one's root. 0, -ENOMEM.
 */
int tmpfs_create(struct file_system *lower, uint64_t size_max_bytes, uint32_t mode, struct file_system **out);
/* A regular file without a name, of no mounted file system: memfd_create(2), shared anonymous memory. */
int tmpfs_file_create(const char *name, struct vnode **out);

#endif
