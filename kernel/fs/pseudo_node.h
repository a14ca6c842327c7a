/* The inside of pseudo file systems. Private to kernel/fs: pseudo.c (names), pseudo_file.c (contents). */
#ifndef KERNEL_FS_PSEUDO_NODE_H
#define KERNEL_FS_PSEUDO_NODE_H

#include "kernel/fs/pseudo.h"
#include "lib/util.h"

struct pseudo_node {
	struct vnode vnode;
	const struct pseudo_entry *entry;
	uint64_t key;
};

static inline struct pseudo_node *pseudo_node_of(struct vnode *vnode)
{
	return container_of(vnode, struct pseudo_node, vnode);
}

int pseudo_open(struct vnode *vnode, unsigned flags, struct file **out);

#endif
