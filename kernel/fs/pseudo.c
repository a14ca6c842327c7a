/* Pseudo file systems: names. See pseudo.h. */
#include "kernel/fs/pseudo.h"

#include "kernel/file/abi.h"
#include "kernel/fs/pseudo_node.h"
#include "kernel/mem/slab.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Where positions in a directory begin: "." and ".." are the caller's; constant entries, added ones, dynamic ones. */
#define POS_ADDED (1ul << 10)
#define POS_DYNAMIC (1ul << 20) /* all below 2^62, for file systems that lie over this one */

/* An entry that came later, found by its directory's number. Never removed. */
struct pseudo_added {
	struct pseudo_added *next;
	uint64_t dir;
	const struct pseudo_entry *entry;
	struct pseudo_entry made; /* a directory that was missing: entry points here */
	char name[];
};

struct pseudo_fs {
	struct file_system fs;
	uint64_t magic;
	struct mutex lock;	    /* pseudo_add: one at a time */
	struct pseudo_added *added; /* in the order in which they came; only grows, read without the lock */
};

static inline struct pseudo_fs *pseudo_fs_of(struct file_system *fs)
{
	return container_of(fs, struct pseudo_fs, fs);
}

static const struct vnode_ops dir_ops, file_ops, link_ops, magic_link_ops, device_ops;

#define ROOT_INO 1

/* Numbers are made of names, so that they are the same each time although no node is kept (FNV-1a, 64 bits). */
static uint64_t ino_of(uint64_t dir, const char *name, size_t len)
{
	uint64_t ino = 0xcbf29ce484222325 ^ dir;

	while (len--)
		ino = (ino ^ (uint8_t)*name++) * 0x100000001b3;
	return ino >> 1 | 2; /* neither 0 nor the root's */
}

uint64_t pseudo_root_ino(const char *name)
{
	return ino_of(ROOT_INO, name, strlen(name));
}

bool pseudo_number(const char *name, size_t len, uint64_t *out)
{
	uint64_t value = 0;

	if (!len || len > 10 || (name[0] == '0' && len > 1))
		return false;
	for (; len; len--, name++) {
		if (*name < '0' || *name > '9')
			return false;
		value = value * 10 + (uint64_t)(*name - '0');
	}
	*out = value;
	return value <= INT32_MAX;
}

/* ---- Nodes ------------------------------------------------------------------------------------------------------- */

static const struct vnode_ops *ops_of(const struct pseudo_entry *entry)
{
	switch (entry->mode & S_IFMT) {
	case S_IFDIR:
		return &dir_ops;
	case S_IFLNK:
		return entry->ops && entry->ops->follow ? &magic_link_ops : &link_ops;
	case S_IFREG:
		return &file_ops;
	}
	return entry->ops && entry->ops->open ? &file_ops : &device_ops;
}

/* Directories: 2, and one for each constant one in it; 1 says that they are not counted. */
static uint32_t nlink_of(const struct pseudo_entry *entry)
{
	const struct pseudo_entry *child = entry->children;
	uint32_t n = 2;

	if (!S_ISDIR(entry->mode))
		return 1;
	if (entry->ops && entry->ops->dir_lookup)
		return child ? 1 : 2;
	for (; child && child->name; child++)
		n += S_ISDIR(child->mode);
	return n;
}

static int node_create(struct file_system *fs, const struct pseudo_entry *entry, uint64_t key, uint64_t ino,
		       struct vnode **out)
{
	struct pseudo_node *node = kzalloc(sizeof(*node));
	int error = 0;

	if (!node)
		return -ENOMEM;
	vnode_init(&node->vnode, ops_of(entry), fs, entry->mode, ino);
	node->vnode.rdev = entry->rdev;
	node->vnode.nlink = nlink_of(entry);
	if (entry->content && S_ISLNK(entry->mode))
		node->vnode.size = strlen(entry->content);
	node->vnode.uncached = key || (entry->ops && entry->ops->dir_lookup);
	node->entry = entry;
	node->key = key;
	if (entry->ops && entry->ops->getattr) {
		struct vnode_attr attr = { .mode = entry->mode, .rdev = entry->rdev };

		error = entry->ops->getattr(&attr, key);
		node->vnode.mode = attr.mode;
		node->vnode.uid = attr.uid;
		node->vnode.gid = attr.gid;
		node->vnode.rdev = attr.rdev;
	}
	if (error)
		kfree(node);
	else
		*out = &node->vnode;
	return error;
}

static void node_release(struct vnode *vnode)
{
	kfree(pseudo_node_of(vnode));
}

/* Time stamps say now, as for most of Linux's such files, unless somebody has set them. */
static int node_getattr(struct vnode *vnode, struct vnode_attr *attr)
{
	struct file_time now;

	if (vnode->mtime.sec)
		return 0;
	now = file_time_now();
	attr->atime = attr->mtime = attr->ctime = now;
	return 0;
}

/* Truncating means nothing (open with O_TRUNC). Nodes that are not kept cannot keep other changes either. */
static int node_setattr(struct vnode *vnode, const struct vnode_attr *attr, unsigned mask)
{
	if (mask & ATTR_SIZE)
		return 0;
	if (vnode->uncached)
		return -EPERM;
	if (mask & ATTR_MODE)
		vnode->mode = attr->mode;
	if (mask & ATTR_UID)
		vnode->uid = attr->uid;
	if (mask & ATTR_GID)
		vnode->gid = attr->gid;
	if (mask & ATTR_ATIME)
		vnode->atime = attr->atime;
	if (mask & ATTR_MTIME)
		vnode->mtime = attr->mtime;
	if (mask & ATTR_CTIME)
		vnode->ctime = attr->ctime;
	return 0;
}

static ssize_t node_readlink(struct vnode *vnode, char *buf, size_t size)
{
	struct pseudo_node *node = pseudo_node_of(vnode);
	size_t len;

	if (!node->entry->content)
		return node->entry->ops->readlink(buf, size, node->key);
	len = MIN(strlen(node->entry->content), size);
	memcpy(buf, node->entry->content, len);
	return (ssize_t)len;
}

static int node_follow(struct vnode *vnode, struct dentry **dentry, struct file **file)
{
	struct pseudo_node *node = pseudo_node_of(vnode);

	*dentry = NULL;
	*file = NULL;
	return node->entry->ops->follow(dentry, file, node->key);
}

/* ---- Directories ------------------------------------------------------------------------------------------------- */

static bool is_named(const struct pseudo_entry *entry, const char *name, size_t len)
{
	return entry->name[0] == name[0] && strlen(entry->name) == len && !memcmp(entry->name, name, len);
}

static inline const struct pseudo_added *added_next(struct pseudo_added *const *link)
{
	return __atomic_load_n(link, __ATOMIC_ACQUIRE);
}

/* A constant entry or one that was added; NULL: none. */
static const struct pseudo_entry *entry_find(struct file_system *fs, const struct pseudo_entry *dir, uint64_t dir_ino,
					     const char *name, size_t len)
{
	const struct pseudo_entry *entry = dir->children;
	const struct pseudo_added *added;

	for (; entry && entry->name; entry++)
		if (is_named(entry, name, len))
			return entry;
	for (added = added_next(&pseudo_fs_of(fs)->added); added; added = added_next(&added->next))
		if (added->dir == dir_ino && is_named(added->entry, name, len))
			return added->entry;
	return NULL;
}

static int dir_lookup(struct vnode *dir, const char *name, size_t len, struct vnode **out)
{
	struct pseudo_node *node = pseudo_node_of(dir);
	const struct pseudo_entry *entry = entry_find(dir->fs, node->entry, dir->ino, name, len);
	uint64_t key = node->key;
	int error;

	if (!entry) {
		if (!node->entry->ops || !node->entry->ops->dir_lookup)
			return -ENOENT;
		error = node->entry->ops->dir_lookup(name, len, key, &entry, &key);
		if (error)
			return error;
	}
	return node_create(dir->fs, entry, key, ino_of(dir->ino, name, len), out);
}

/* Hands what a dynamic directory lists on, with its own numbers and positions. */
struct dynamic_sink {
	struct dir_sink sink;
	struct dir_sink *to;
	uint64_t dir;
};

static bool dynamic_entry(struct dir_sink *sink, const char *name, size_t len, uint64_t ino, unsigned type,
			  uint64_t next)
{
	struct dynamic_sink *dynamic = container_of(sink, struct dynamic_sink, sink);

	(void)ino;
	return dynamic->to->entry(dynamic->to, name, len, ino_of(dynamic->dir, name, len), type, POS_DYNAMIC + next);
}

static bool list_entry_to(struct dir_sink *sink, const struct pseudo_entry *entry, uint64_t dir, uint64_t next)
{
	size_t len = strlen(entry->name);

	return sink->entry(sink, entry->name, len, ino_of(dir, entry->name, len), S_DT(entry->mode), next);
}

/* True: all were taken. */
static bool list_constant(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	const struct pseudo_entry *child = pseudo_node_of(dir)->entry->children;
	uint64_t i;

	for (i = 0; child && child->name; i++, child++) {
		if (i < *pos)
			continue;
		if (!list_entry_to(sink, child, dir->ino, i + 1))
			return false;
		*pos = i + 1;
	}
	*pos = POS_ADDED;
	return true;
}

static bool list_added(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	const struct pseudo_added *added = added_next(&pseudo_fs_of(dir->fs)->added);
	uint64_t i;

	for (i = POS_ADDED; added; added = added_next(&added->next), i++) {
		if (i < *pos || added->dir != dir->ino)
			continue;
		if (!list_entry_to(sink, added->entry, dir->ino, i + 1))
			return false;
		*pos = i + 1;
	}
	*pos = POS_DYNAMIC;
	return true;
}

static int dir_readdir(struct vnode *dir, uint64_t *pos, struct dir_sink *sink)
{
	struct pseudo_node *node = pseudo_node_of(dir);
	struct dynamic_sink dynamic = { { dynamic_entry }, sink, dir->ino };
	uint64_t inner;
	int error;

	if (*pos < POS_ADDED && !list_constant(dir, pos, sink))
		return 0;
	if (*pos < POS_DYNAMIC && !list_added(dir, pos, sink))
		return 0;
	if (!node->entry->ops || !node->entry->ops->dir_list)
		return 0;
	inner = *pos - POS_DYNAMIC;
	error = node->entry->ops->dir_list(&inner, &dynamic.sink, node->key);
	*pos = POS_DYNAMIC + inner;
	return error;
}

/* As Linux: in /proc a name that is not there cannot be made either, and the answer is that it is not there. */
static int dir_create(struct vnode *dir, const char *name, size_t len, const struct vnode_new *what, struct vnode **out)
{
	(void)name, (void)len, (void)out;
	if (pseudo_fs_of(dir->fs)->magic == PROC_SUPER_MAGIC)
		return -ENOENT;
	return S_ISREG(what->mode) ? -EACCES : -EPERM;
}

static int dir_rename(struct vnode *from, const char *from_name, size_t from_len, struct vnode *source,
		      struct vnode *to, const char *to_name, size_t to_len, struct vnode *victim, unsigned flags)
{
	(void)from_name, (void)from_len, (void)source, (void)to, (void)to_name, (void)to_len, (void)flags;
	return !victim && pseudo_fs_of(from->fs)->magic == PROC_SUPER_MAGIC ? -ENOENT : -EPERM;
}

static const struct vnode_ops dir_ops = {
	.create = dir_create,
	.rename = dir_rename,
	.lookup = dir_lookup,
	.readdir = dir_readdir,
	.getattr = node_getattr,
	.setattr = node_setattr,
	.release = node_release,
};

static const struct vnode_ops file_ops = {
	.open = pseudo_open,
	.getattr = node_getattr,
	.setattr = node_setattr,
	.release = node_release,
};

static const struct vnode_ops device_ops = {
	.getattr = node_getattr,
	.setattr = node_setattr,
	.release = node_release,
};

static const struct vnode_ops link_ops = {
	.readlink = node_readlink,
	.getattr = node_getattr,
	.setattr = node_setattr,
	.release = node_release,
};

static const struct vnode_ops magic_link_ops = {
	.readlink = node_readlink,
	.follow = node_follow,
	.getattr = node_getattr,
	.setattr = node_setattr,
	.release = node_release,
};

/* ---- The file system --------------------------------------------------------------------------------------------- */

static void pseudo_stat(struct file_system *fs, struct fs_stat *out)
{
	out->magic = pseudo_fs_of(fs)->magic;
	out->block_size = PAGE_SIZE;
}

static void pseudo_release(struct file_system *file_system)
{
	struct pseudo_fs *fs = pseudo_fs_of(file_system);
	struct pseudo_added *added, *next;

	for (added = fs->added; added; added = next) {
		next = added->next;
		kfree(added);
	}
	kfree(fs);
}

int pseudo_create(const char *type, uint64_t magic, const struct pseudo_entry *root, struct file_system **out)
{
	struct pseudo_fs *fs = kzalloc(sizeof(*fs));
	struct vnode *vnode;
	int error;

	if (!fs)
		return -ENOMEM;
	fs->fs.type = type;
	fs->fs.dev = file_system_dev();
	fs->fs.stat = pseudo_stat;
	fs->fs.release = pseudo_release;
	fs->magic = magic;
	mutex_init(&fs->lock, "pseudo");
	error = node_create(&fs->fs, root, 0, ROOT_INO, &vnode);
	if (error) {
		kfree(fs);
		return error;
	}
	fs->fs.root = vnode;
	*out = &fs->fs;
	return 0;
}

/* At the end of the list, fs->lock held. NAME NULL: ENTRY; else a new directory of that name. */
static const struct pseudo_entry *added_append(struct pseudo_fs *fs, uint64_t dir, const struct pseudo_entry *entry,
					       const char *name, size_t len)
{
	struct pseudo_added *added = kzalloc(sizeof(*added) + len + 1), **at;

	if (!added)
		return NULL;
	if (name) {
		memcpy(added->name, name, len);
		added->made = (struct pseudo_entry){ .name = added->name, .mode = S_IFDIR | 0755 };
		entry = &added->made;
	}
	added->dir = dir;
	added->entry = entry;
	for (at = &fs->added; *at; at = &(*at)->next)
		;
	__atomic_store_n(at, added, __ATOMIC_RELEASE);
	return entry;
}

int pseudo_add(struct file_system *fs, const char *path, const struct pseudo_entry *entry)
{
	struct pseudo_fs *pseudo = pseudo_fs_of(fs);
	const struct pseudo_entry *dir = pseudo_node_of(fs->root)->entry;
	uint64_t ino = ROOT_INO;
	int error = 0;

	mutex_lock(&pseudo->lock);
	while (dir && *path) {
		const char *end = strchr(path, '/');
		size_t len = end ? (size_t)(end - path) : strlen(path);
		const struct pseudo_entry *next = entry_find(fs, dir, ino, path, len);

		dir = next ? next : added_append(pseudo, ino, NULL, path, len);
		ino = ino_of(ino, path, len);
		path += len + (end != NULL);
	}
	if (dir && entry_find(fs, dir, ino, entry->name, strlen(entry->name)))
		error = -EEXIST;
	else if (!dir || !added_append(pseudo, ino, entry, NULL, 0))
		error = -ENOMEM;
	mutex_unlock(&pseudo->lock);
	return error;
}
