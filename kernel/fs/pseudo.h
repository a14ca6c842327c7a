/*
 * File systems whose files are made by functions: /dev, /proc, /sys. A tree of constant entries, which costs nothing until
 * somebody looks a name up; what an entry says is made when it is read. Directories whose entries come and go (/proc/PID,
 * fd/) are searched and listed by functions.
 */
#ifndef KERNEL_FS_PSEUDO_H
#define KERNEL_FS_PSEUDO_H

#include "kernel/file/path.h"

/* Text that a generator writes; grows as needed. */
struct pseudo_text {
	char *buf;
	size_t len, size;
	bool failed; /* no memory: what was written since is lost, the reader gets -ENOMEM */
};
void pseudo_printf(struct pseudo_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pseudo_puts(struct pseudo_text *text, const char *string);
void pseudo_write(struct pseudo_text *text, const void *bytes, size_t len);
/* LEN bytes at the end to be filled in, NULL (failed is set then) when memory is short. */
char *pseudo_room(struct pseudo_text *text, size_t len);
void pseudo_text_free(struct pseudo_text *text);

struct pseudo_entry;

/*
 * KEY: what the nearest enclosing dynamic directory gave the entry (a process id, a descriptor), see dir_lookup; 0 where
 * there is none. Everything is called in threads, without locks, and may sleep.
 */
struct pseudo_ops {
	/* The whole contents, made by a read at offset 0, as Linux's seq_file does. 0, -ESRCH, ... */
	int (*text)(struct pseudo_text *out, uint64_t key);
	/* A write to it (BUF in kernel memory, ended by a NUL behind LEN bytes, at most a page); NULL: -EIO. */
	ssize_t (*store)(const char *buf, size_t len, uint64_t key);
	/* A symbolic link: its text, cut to SIZE; and where it leads if that is not what the text says (or NULL). */
	ssize_t (*readlink)(char *buf, size_t size, uint64_t key);
	int (*follow)(struct dentry **dentry, struct file **file, uint64_t key);
	/* Anything else that makes its own file. */
	int (*open)(struct vnode *vnode, unsigned flags, struct file **out, uint64_t key);
	/*
	 * A dynamic directory: the entry for NAME and its key (-ENOENT); and all of them, those behind *POS (0: from the first
	 * on) with NEXT above 0, ascending, below 2^60; the ino that it gives the sink is ignored. Its constant children come
	 * before these.
	 */
	int (*dir_lookup)(const char *name, size_t len, uint64_t key, const struct pseudo_entry **entry,
			  uint64_t *entry_key);
	int (*dir_list)(uint64_t *pos, struct dir_sink *sink, uint64_t key);
	/* Changes mode, uid, gid, rdev from those of the entry; when the name is looked up. May be NULL. */
	int (*getattr)(struct vnode_attr *attr, uint64_t key);
};

struct pseudo_entry {
	const char *name;	      /* NULL ends a list */
	uint32_t mode;		      /* S_IFMT | permissions; devices are opened by their number (chardev.h) */
	uint32_t rdev;		      /* dev_encode */
	const char *content;	      /* of a regular file that always says the same; the target of a symbolic link */
	const struct pseudo_ops *ops; /* NULL for plain directories, devices, and where content is set */
	const struct pseudo_entry *children; /* of a directory */
};

/* Initialisers of regular files: one that always says the string VALUE, one whose text FN makes. Users include file/abi.h. */
#define PSEUDO_FIXED(file, permissions, value)                                                                         \
	{                                                                                                              \
		.name = (file), .mode = S_IFREG | (permissions), .content = value                                      \
	}
#define PSEUDO_MADE(file, permissions, fn)                                                                             \
	{                                                                                                              \
		.name = (file), .mode = S_IFREG | (permissions), .ops = &(const struct pseudo_ops)                     \
		{                                                                                                      \
			.text = (fn)                                                                                   \
		}                                                                                                      \
	}

/*
 * A file system of TYPE ("proc") with the directory ROOT (constant; its name does not matter) and those that pseudo_add brings
 * later. MAGIC as statfs(2) has it. 0, -ENOMEM.
 */
int pseudo_create(const char *type, uint64_t magic, const struct pseudo_entry *root, struct file_system **out);
/*
 * Adds ENTRY (which stays) to the directory PATH ("" is the root, "a/b"; missing directories are made). 0, -EEXIST, -ENOMEM.
 * Threads only.
 */
int pseudo_add(struct file_system *fs, const char *path, const struct pseudo_entry *entry);

/* The inode number of NAME in a root directory. */
uint64_t pseudo_root_ino(const char *name);

/* The number that NAME is, all of it, decimal without leading zeros. False: it is none, or above INT32_MAX. */
bool pseudo_number(const char *name, size_t len, uint64_t *out);

#endif
