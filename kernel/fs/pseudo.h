/*
 * File systems whose files are made by functions: /dev, /proc, /sys. A tree of entries is registered at boot, by name; what
 * an entry says is made when it is opened and read. Directories whose entries come and go (/proc/PID, fd/) are enumerated
 * by a function.
 */
#ifndef KERNEL_FS_PSEUDO_H
#define KERNEL_FS_PSEUDO_H

#include "kernel/file/path.h"

/* Text that a generator writes; grows as needed. */
struct pseudo_text {
	char *buf;
	size_t len, size;
	bool failed; /* no memory */
};
void pseudo_printf(struct pseudo_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pseudo_write(struct pseudo_text *text, const void *bytes, size_t len);

struct pseudo_entry;
struct pseudo_dir_sink;

/*
 * KEY: what the nearest enclosing dynamic directory gave the entry (a process id, a descriptor), see dir_lookup.
 * Exactly one of text, follow, open, children, dir_lookup is set.
 */
struct pseudo_ops {
	/* The whole contents, made at the first read after open. 0, -ESRCH, -ENOMEM. */
	int (*text)(struct pseudo_text *out, uint64_t key);
	/* A write to it (BUF in kernel memory, at most a page); NULL: -EACCES. */
	ssize_t (*store)(const char *buf, size_t len, uint64_t key);
	/* A symbolic link: its text, length; and where it leads if that is not what the text says (NULL: as text). */
	ssize_t (*readlink)(char *buf, size_t size, uint64_t key);
	int (*follow)(struct dentry **dentry, struct file **file, uint64_t key);
	/* A device or anything else that makes its own file. */
	int (*open)(struct vnode *vnode, unsigned flags, struct file **out, uint64_t key);
	/* A dynamic directory: the entry for NAME and its key (-ENOENT); and all of them in order, from *POS on. */
	int (*dir_lookup)(const char *name, size_t len, uint64_t key, const struct pseudo_entry **entry,
			  uint64_t *entry_key);
	int (*dir_list)(uint64_t *pos, struct dir_sink *sink, uint64_t key);
	/* Owner and mode that differ from the entry's; may be NULL. */
	int (*getattr)(struct vnode_attr *attr, uint64_t key);
};

struct pseudo_entry {
	const char *name; /* NULL ends a list */
	uint32_t mode;	  /* S_IFMT | permissions */
	uint64_t rdev;
	const struct pseudo_ops *ops;	     /* NULL for a plain directory */
	const struct pseudo_entry *children; /* of a directory */
};

/*
 * A file system of TYPE ("proc") whose root has the entries of CHILDREN (constant, ended by a NULL name) and those that
 * pseudo_add brings later. MAGIC as statfs(2) has it.
 */
int pseudo_create(const char *type, uint64_t magic, const struct pseudo_entry *children, struct file_system **out);
/* Adds ENTRY (which stays) to the directory PATH ("" is the root; missing directories are made). Threads only. */
int pseudo_add(struct file_system *fs, const char *path, const struct pseudo_entry *entry);

#endif
