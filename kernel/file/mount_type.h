/* File systems that mount(2) can make, by name. */
#ifndef KERNEL_FILE_MOUNT_TYPE_H
#define KERNEL_FILE_MOUNT_TYPE_H

#include "kernel/file/vnode.h"

/* Constant or static; stays. */
struct mount_type {
	struct mount_type *next; /* mount_type.c's */
	const char *name;
	/* SOURCE and OPTIONS as mount(2) has them, "" where the caller had none. The caller gets the root's reference. */
	int (*create)(const char *source, const char *options, struct file_system **out);
};

void mount_type_register(struct mount_type *type);
/* NULL: there is none. */
const struct mount_type *mount_type_find(const char *name);

#endif
