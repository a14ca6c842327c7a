/*
 * The inside of the name cache. Private to kernel/file: dentry.c, walk.c, mount.c, dentry_path.c, change.c.
 *
 * A dentry is found by its parent and its name's hash. The cache holds one reference to each dentry that is hashed;
 * every dentry holds its parent, so parents stay as long as their children. dentry_lock covers the table, the LRU
 * list, and the fields of all dentries but refs; a dentry whose count is above 0 is freed only under dentry_lock, so
 * whoever holds that may follow any pointer to a dentry, and take a reference of what it finds. Lock order:
 * vnode->lock (of directories), dentry_lock, fs_context.lock.
 */
#ifndef KERNEL_FILE_DENTRY_H
#define KERNEL_FILE_DENTRY_H

#include "kernel/core/lock.h"
#include "kernel/file/path.h"

#define DENTRY_NAME_INLINE 40

struct mount {
	struct list link; /* under dentry_lock */
	struct file_system *fs;
	struct dentry *at;   /* with a reference; NULL: the first one, "/" */
	struct dentry *root; /* with a reference */
	unsigned flags;
	char *source;
	struct lazy_mount *lazy; /* those not yet looked up in ROOT; taken off with ROOT's lock and dentry_lock held */
};

/* What a walk that only knows plain cases may do with a dentry. */
enum dentry_kind {
	DENTRY_SPECIAL, /* nothing: negative, a symbolic link, covered by a mount */
	DENTRY_DIR,	/* go through it, or end there */
	DENTRY_LEAF,	/* end there */
};

struct dentry {
	uint32_t refs; /* atomic; from 1 to 0 under dentry_lock only */
	uint32_t hash; /* of parent and name */
	struct dentry *hash_next;
	struct dentry *parent; /* NULL: the root of a file system */
	struct vnode *vnode; /* NULL: there is nothing of this name. Changes only while nobody but the cache holds it */
	struct mount *mounted; /* what covers it, NULL: nothing */
	struct mount *mount;   /* of a root: what it is the root of */
	uint16_t len;
	uint8_t kind; /* enum dentry_kind */
	bool hashed;
	bool deleted; /* its name was taken away while it was in use */
	bool used;    /* looked up since the LRU list was last looked through; may be set without the lock */
	struct list lru;
	const char *name; /* inline_name, or from kmalloc; no terminator */
	union {
		char inline_name[DENTRY_NAME_INLINE]; /* zeros behind the name */
		uint64_t word;			      /* all of a name of less than 8 bytes */
	};
};

extern struct spinlock dentry_lock;

/* Eight bytes at any address. (memcpy would be a call.) */
struct unaligned64 {
	uint64_t word;
} __attribute__((packed, may_alias));
static inline uint64_t unaligned_load64(const void *at)
{
	return ((const struct unaligned64 *)at)->word;
}

/*
 * The hash of a parent and a name, from 8 bytes of the name at a time; unused bytes of the last word are 0, and a
 * length that is a multiple of 8 has no last word. The parent is mixed in from the other end, where short names have
 * nothing.
 */
static inline uint64_t name_hash_begin(const struct dentry *parent)
{
	return __builtin_bswap64((uintptr_t)parent);
}

static inline uint64_t name_hash_step(uint64_t hash, uint64_t word)
{
	return (hash ^ hash >> 32 ^ word) * 0x9e3779b97f4a7c15;
}

static inline uint32_t name_hash_end(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

uint32_t name_hash(const struct dentry *parent, const char *name, size_t len);

/*
 * Under dentry_lock: the table of hashed dentries, and how far to shift a hash of 32 bits to the right for the index
 * in it.
 */
extern struct dentry **dentry_table;
extern unsigned dentry_table_shift;

/* True when A and B, of LEN bytes each, are equal. */
static inline bool name_is_equal(const char *a, const char *b, size_t len)
{
	if (unlikely(len >= 8)) {
		for (size_t i = 0; i + 8 < len; i += 8)
			if (unaligned_load64(a + i) != unaligned_load64(b + i))
				return false;
		return unaligned_load64(a + len - 8) == unaligned_load64(b + len - 8);
	}
	while (len--)
		if (a[len] != b[len])
			return false;
	return true;
}

/* The hashed dentry of NAME in PARENT, without a reference; NULL: none. dentry_lock held. */
static inline struct dentry *dentry_find_locked(const struct dentry *parent, const char *name, size_t len,
						uint32_t hash)
{
	struct dentry *dentry = dentry_table[hash >> dentry_table_shift];

	for (; dentry; dentry = dentry->hash_next)
		if (dentry->hash == hash && dentry->parent == parent && dentry->len == len &&
		    name_is_equal(dentry->name, name, len)) {
			if (!dentry->used)
				dentry->used = true;
			return dentry;
		}
	return NULL;
}

/*
 * The dentry of NAME in PARENT with a reference, made by asking the file system when it is not cached; *OUT may be
 * negative. PARENT is positive and a directory, the caller holds its vnode's lock. 0, -ENOENT (PARENT was deleted),
 * -ENOMEM, or what the file system says.
 */
int dentry_lookup(struct dentry *parent, const char *name, size_t len, struct dentry **out);
/* A dentry without a name for the root of a file system; takes over the reference to VNODE. NULL: no memory. */
struct dentry *dentry_alloc_root(struct vnode *vnode);
/*
 * A dentry outside the cache, for a file without a name in PARENT's directory (O_TMPFILE). Takes over VNODE; NULL: no
 * memory.
 */
struct dentry *dentry_alloc_unnamed(struct dentry *parent, struct vnode *vnode);
/* The same for a file of no directory: NAME is only shown. */
struct dentry *dentry_alloc_anonymous(const char *name, struct vnode *vnode);

/* DENTRY, negative, becomes VNODE's (a reference is taken). The directory's lock is held. */
void dentry_instantiate(struct dentry *dentry, struct vnode *vnode);
/*
 * What DENTRY named is gone: it becomes negative, or if others use it leaves the cache. Directory locked, caller
 * holds a reference.
 */
void dentry_delete(struct dentry *dentry);
/*
 * FROM gets the name and place of TO, which leaves the cache as dentry_delete has it (a positive TO was replaced).
 * EXCHANGE: and TO those of FROM. Both directories locked. No error: the names were made room for when the dentries
 * were.
 */
void dentry_move(struct dentry *from, struct dentry *to, bool exchange);

static inline void dentry_get_locked(struct dentry *dentry)
{
	__atomic_fetch_add(&dentry->refs, 1, __ATOMIC_RELAXED);
}

/* dentry_lock held. Its kind, after what it depends on has changed. */
void dentry_kind_set(struct dentry *dentry);
/* dentry_lock held. DENTRY's vnode, if it has one, is no longer known by it. */
void dentry_forget_vnode(struct dentry *dentry);

/*
 * DENTRY, new and not yet in the cache, in a directory whose mount has lazy ones: mounts what is to be mounted there.
 */
void mount_lazy(struct dentry *dentry);
/* Mounts all lazy ones of DIR, the root of a mounted file system. No lock held. */
void mount_lazy_all(struct dentry *dir);

/*
 * Frees up to N dentries that nobody uses, those first that were not looked up for long; returns how many. Threads
 * only.
 */
unsigned dentry_shrink(unsigned n);

#endif
