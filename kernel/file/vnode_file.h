/* Open files of vnodes: regular files, directories, and O_PATH. */
#ifndef KERNEL_FILE_VNODE_FILE_H
#define KERNEL_FILE_VNODE_FILE_H

#include "kernel/file/path.h"

extern const struct file_ops vnode_file_ops, dir_file_ops, path_file_ops;

/*
 * The entries of FILE, an open directory, from its position on, "." and ".." first, until SINK has no room. 0;
 * -ENOTDIR, -ENOENT (it was removed), or what the file system says. SINK's positions are those of lseek.
 * file->pos_lock and the directory's lock are held while SINK is called.
 */
int file_readdir(struct file *file, struct dir_sink *sink);

#endif
