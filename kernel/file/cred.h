/* Who asks: user and group ids (credentials(7)), and where path names start. One per process; passed, never a global. */
#ifndef KERNEL_FILE_CRED_H
#define KERNEL_FILE_CRED_H

#include <stdint.h>

#include "kernel/core/lock.h"

#define GROUPS_MAX 64

struct cred {
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	unsigned nr_groups;
	uint32_t groups[GROUPS_MAX];
};

struct dentry;

/* Working directory, root, umask. */
struct fs_context {
	struct spinlock lock; /* covers root and cwd: taken only to copy them with a reference, or to exchange them */
	struct dentry *root, *cwd;
	uint32_t umask;
	struct cred cred;
};

#endif
