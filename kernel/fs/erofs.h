/*
 * EROFS, read-only, uncompressed (Linux Documentation/filesystems/erofs.rst; the layout in Linux fs/erofs/erofs_fs.h), from
 * memory: the image's own root, or a boot module. File pages are mapped where they lie, without copying.
 */
#ifndef KERNEL_FS_EROFS_H
#define KERNEL_FS_EROFS_H

#include "kernel/file/vnode.h"

/*
 * The file system at physical address PA (page-aligned), of LEN bytes, readable at VA; the memory stays. 0; -EINVAL after a log
 * line that says what is wrong and at which offset, -ENOMEM.
 */
int erofs_create(paddr_t pa, const void *va, size_t len, struct file_system **out);

#endif
