/* The name cache: dentries by parent and name, and which of them stay. See dentry.h. */
#include "kernel/file/dentry.h"

#include "kernel/core/panic.h"
#include "kernel/file/abi.h"
#include "kernel/mem/slab.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define TABLE_SMALL 256u
#define TABLE_MAX (1u << 18) /* kmalloc gives 2 MiB */
#define SHRINK_SCAN 16	     /* dentries that are looked at to free one */
#define DENTRY_SHARE 64	     /* names may take this part of all memory */

struct spinlock dentry_lock = SPINLOCK_INIT("dentry");

/* All under dentry_lock. */
static struct dentry *table_small[TABLE_SMALL];
struct dentry **dentry_table = table_small;
unsigned dentry_table_shift = 32 - 8; /* 32 - log2 of its size */
static bool table_growing;
static size_t nr_hashed, nr_limit;
static struct list lru = LIST_INIT(lru); /* the hashed ones; new ones at the end */

uint32_t name_hash(const struct dentry *parent, const char *name, size_t len)
{
	uint64_t hash = name_hash_begin(parent), word = 0;

	for (; len >= 8; len -= 8, name += 8)
		hash = name_hash_step(hash, unaligned_load64(name));
	if (len) {
		while (len--)
			word = word << 8 | (unsigned char)name[len];
		hash = name_hash_step(hash, word);
	}
	return name_hash_end(hash);
}

static inline struct dentry **bucket_of(uint32_t hash)
{
	return &dentry_table[hash >> dentry_table_shift];
}

void dentry_get(struct dentry *dentry)
{
	dentry_get_locked(dentry);
}

static void dentry_free(struct dentry *dentry)
{
	if (dentry->name != dentry->inline_name)
		kfree((char *)dentry->name);
	kfree(dentry);
}

void dentry_kind_set(struct dentry *dentry)
{
	if (!dentry->vnode || dentry->mounted || S_ISLNK(dentry->vnode->mode))
		dentry->kind = DENTRY_SPECIAL;
	else
		dentry->kind = S_ISDIR(dentry->vnode->mode) ? DENTRY_DIR : DENTRY_LEAF;
}

/* dentry_lock held, or nobody else has DENTRY. */
static void vnode_attach(struct dentry *dentry, struct vnode *vnode)
{
	dentry->vnode = vnode;
	vnode->dentry = dentry;
	dentry_kind_set(dentry);
}

void dentry_forget_vnode(struct dentry *dentry)
{
	if (dentry->vnode && dentry->vnode->dentry == dentry)
		dentry->vnode->dentry = NULL;
}

/* True when it was the last reference. dentry_lock is free; when true, DENTRY is out of the cache and all the caller's. */
static bool put_is_last(struct dentry *dentry)
{
	uint32_t refs = __atomic_load_n(&dentry->refs, __ATOMIC_RELAXED);
	bool last;

	while (refs > 1)
		if (__atomic_compare_exchange_n(&dentry->refs, &refs, refs - 1, true, __ATOMIC_RELEASE,
						__ATOMIC_RELAXED))
			return false;
	spin_lock(&dentry_lock);
	last = __atomic_fetch_sub(&dentry->refs, 1, __ATOMIC_ACQ_REL) == 1;
	DEBUG_BUG_ON(last && dentry->hashed);
	if (last)
		dentry_forget_vnode(dentry);
	spin_unlock(&dentry_lock);
	return last;
}

/* DENTRY is the caller's alone. Goes up as long as the last reference to a parent was the child's. */
static void dentry_destroy(struct dentry *dentry)
{
	for (;;) {
		struct dentry *parent = dentry->parent;

		if (dentry->vnode)
			vnode_put(dentry->vnode);
		dentry_free(dentry);
		if (!parent || !put_is_last(parent))
			return;
		dentry = parent;
	}
}

void dentry_put(struct dentry *dentry)
{
	if (put_is_last(dentry))
		dentry_destroy(dentry);
}

struct vnode *dentry_vnode(const struct dentry *dentry)
{
	return dentry->vnode;
}

/* dentry_lock held. */
static void hash_add(struct dentry *dentry)
{
	struct dentry **bucket = bucket_of(dentry->hash);

	dentry->hash_next = *bucket;
	*bucket = dentry;
	dentry->hashed = true;
}

static void hash_remove(struct dentry *dentry)
{
	struct dentry **link = bucket_of(dentry->hash);

	while (*link != dentry)
		link = &(*link)->hash_next;
	*link = dentry->hash_next;
	dentry->hashed = false;
}

/* Takes DENTRY out of the cache; the cache's reference stays with the caller. dentry_lock held. */
static void cache_remove(struct dentry *dentry)
{
	hash_remove(dentry);
	list_remove(&dentry->lru);
	nr_hashed--;
}

/* Its file is mapped: the name is kept for those who ask what is mapped. */
static bool is_mapped(const struct dentry *dentry)
{
	struct vnode *vnode = dentry->vnode;

	return vnode && vnode->refs > 1 && vnode->dentry == dentry && vnode->object.ops &&
	       !list_is_empty(&vnode->object.mappings);
}

/* Takes up to N unused dentries out of the cache, looking at SCAN; a list by hash_next. dentry_lock held. */
static struct dentry *collect_unused(unsigned n, unsigned scan)
{
	struct dentry *doomed = NULL;

	while (n && scan-- && !list_is_empty(&lru)) {
		struct dentry *dentry = list_entry(lru.next, struct dentry, lru);

		if (dentry->refs > 1 || dentry->used || is_mapped(dentry)) {
			dentry->used = false;
			list_remove(&dentry->lru);
			list_push_back(&lru, &dentry->lru);
			continue;
		}
		cache_remove(dentry);
		dentry->hash_next = doomed;
		doomed = dentry;
		n--;
	}
	return doomed;
}

static unsigned destroy_all(struct dentry *doomed)
{
	unsigned n = 0;

	for (struct dentry *next; doomed; doomed = next, n++) {
		next = doomed->hash_next;
		dentry_put(doomed);
	}
	return n;
}

unsigned dentry_shrink(unsigned n)
{
	struct dentry *doomed;

	spin_lock(&dentry_lock);
	doomed = collect_unused(n, (unsigned)MIN(2 * nr_hashed, SHRINK_SCAN * (size_t)n));
	spin_unlock(&dentry_lock);
	return destroy_all(doomed);
}

/* A table four times as large, now that chains become long. No lock held. */
static __attribute__((noinline)) void table_grow(void)
{
	unsigned old_size = 1u << (32 - dentry_table_shift), size = MIN(old_size * 4, TABLE_MAX);
	struct dentry **new = kzalloc(size * sizeof(struct dentry *)), **old;

	if (!new) {
		table_growing = false;
		return;
	}
	spin_lock(&dentry_lock);
	old = dentry_table;
	dentry_table = new;
	dentry_table_shift = 32 - (unsigned)__builtin_ctz(size);
	for (unsigned i = 0; i < old_size; i++)
		for (struct dentry *dentry = old[i], *next; dentry; dentry = next) {
			next = dentry->hash_next;
			hash_add(dentry);
		}
	table_growing = size == TABLE_MAX;
	spin_unlock(&dentry_lock);
	if (old != table_small)
		kfree(old);
}

static size_t limit_of_memory(void)
{
	struct page_stats stats;

	page_stats(&stats);
	return MAX(stats.total * PAGE_SIZE / DENTRY_SHARE / sizeof(struct dentry), (size_t)512);
}

/* DENTRY goes into the cache, which takes a reference. */
static void cache_add(struct dentry *dentry)
{
	size_t limit = nr_limit ? 0 : limit_of_memory();
	struct dentry *doomed = NULL;
	bool grow;

	spin_lock(&dentry_lock);
	if (limit)
		nr_limit = limit;
	dentry_get_locked(dentry);
	if (dentry->vnode)
		vnode_attach(dentry, dentry->vnode);
	hash_add(dentry);
	list_push_back(&lru, &dentry->lru);
	if (++nr_hashed > nr_limit)
		doomed = collect_unused(2, SHRINK_SCAN);
	grow = !table_growing && nr_hashed > 1ul << (32 - dentry_table_shift);
	table_growing |= grow;
	spin_unlock(&dentry_lock);
	destroy_all(doomed);
	if (unlikely(grow))
		table_grow();
}

/* One reference, no vnode; holds PARENT, which may be NULL. */
static struct dentry *dentry_alloc(struct dentry *parent, const char *name, size_t len)
{
	struct dentry *dentry = kmalloc(sizeof(*dentry));

	if (!dentry && dentry_shrink(64))
		dentry = kmalloc(sizeof(*dentry));
	if (!dentry)
		return NULL;
	*dentry = (struct dentry){ .refs = 1, .parent = parent, .len = (uint16_t)len, .name = dentry->inline_name };
	if (len > sizeof(dentry->inline_name)) {
		dentry->name = kmalloc(len);
		if (!dentry->name) {
			kfree(dentry);
			return NULL;
		}
	}
	memcpy((char *)dentry->name, name, len);
	dentry->hash = name_hash(parent, name, len);
	list_init(&dentry->lru);
	if (parent)
		dentry_get(parent);
	return dentry;
}

struct dentry *dentry_alloc_root(struct vnode *vnode)
{
	struct dentry *dentry = dentry_alloc(NULL, "", 0);

	if (dentry)
		vnode_attach(dentry, vnode);
	return dentry;
}

static struct dentry *alloc_deleted(struct dentry *parent, const char *name, size_t len, struct vnode *vnode)
{
	struct dentry *dentry = dentry_alloc(parent, name, len);

	if (dentry) {
		vnode_attach(dentry, vnode);
		dentry->deleted = true;
	}
	return dentry;
}

struct dentry *dentry_alloc_unnamed(struct dentry *parent, struct vnode *vnode)
{
	char name[24];

	return alloc_deleted(parent, name, (size_t)fmt_format(name, sizeof(name), "#%zu", (size_t)vnode->ino), vnode);
}

struct dentry *dentry_alloc_anonymous(const char *name, struct vnode *vnode)
{
	return alloc_deleted(NULL, name, strlen(name), vnode);
}

/* What the file system says of NAME, as a dentry of its own. */
static int lookup_uncached(struct dentry *parent, const char *name, size_t len, struct dentry **out)
{
	struct vnode *dir = parent->vnode;
	struct dentry *dentry;
	int error;

	if (!dir->ops->lookup)
		return -ENOTDIR;
	dentry = dentry_alloc(parent, name, len);
	if (!dentry)
		return -ENOMEM;
	error = dir->ops->lookup(dir, name, len, &dentry->vnode);
	if (error && error != -ENOENT) {
		dentry->vnode = NULL;
		dentry_put(dentry);
		return error;
	}
	if (error)
		dentry->vnode = NULL;
	if (unlikely(parent->mount && parent->mount->lazy))
		mount_lazy(dentry);
	if (!dir->uncached)
		cache_add(dentry);
	*out = dentry;
	return 0;
}

int dentry_lookup(struct dentry *parent, const char *name, size_t len, struct dentry **out)
{
	uint32_t hash = name_hash(parent, name, len);
	struct dentry *dentry;

	if (len > NAME_LEN_MAX)
		return -ENAMETOOLONG;
	spin_lock(&dentry_lock);
	dentry = dentry_find_locked(parent, name, len, hash);
	if (dentry)
		dentry_get_locked(dentry);
	spin_unlock(&dentry_lock);
	if (!dentry)
		return lookup_uncached(parent, name, len, out);
	*out = dentry;
	return 0;
}

void dentry_instantiate(struct dentry *dentry, struct vnode *vnode)
{
	vnode_get(vnode);
	spin_lock(&dentry_lock);
	DEBUG_BUG_ON(dentry->vnode != NULL);
	vnode_attach(dentry, vnode);
	spin_unlock(&dentry_lock);
}

/* dentry_lock held. The vnode that the caller has to put, if not NULL. */
static struct vnode *delete_locked(struct dentry *dentry)
{
	struct vnode *vnode = NULL;

	if (!dentry->hashed) {
		dentry->deleted = dentry->vnode != NULL;
	} else if (dentry->refs == 2 && !dentry->mounted) {
		dentry_forget_vnode(dentry);
		vnode = dentry->vnode;
		dentry->vnode = NULL;
		dentry->kind = DENTRY_SPECIAL;
	} else {
		cache_remove(dentry);
		dentry->deleted = true;
		__atomic_fetch_sub(&dentry->refs, 1, __ATOMIC_RELAXED); /* not the last: the caller's */
	}
	return vnode;
}

void dentry_delete(struct dentry *dentry)
{
	struct vnode *vnode;

	spin_lock(&dentry_lock);
	vnode = delete_locked(dentry);
	spin_unlock(&dentry_lock);
	if (vnode)
		vnode_put(vnode);
}

/* The other's name, and its own to the other. dentry_lock held. */
static void names_swap(struct dentry *a, struct dentry *b)
{
	char text[DENTRY_NAME_INLINE];
	const char *a_name = a->name == a->inline_name ? b->inline_name : a->name;
	const char *b_name = b->name == b->inline_name ? a->inline_name : b->name;
	uint16_t len = a->len;

	memcpy(text, a->inline_name, sizeof(text));
	memcpy(a->inline_name, b->inline_name, sizeof(text));
	memcpy(b->inline_name, text, sizeof(text));
	a->name = b_name;
	b->name = a_name;
	a->len = b->len;
	b->len = len;
}

/* FROM gets TO's name; TO keeps it, for whoever has it open, where that needs no memory. dentry_lock held. */
static void name_take(struct dentry *from, struct dentry *to)
{
	if (to->len > sizeof(to->inline_name) || from->name != from->inline_name) {
		names_swap(from, to);
		return;
	}
	memcpy(from->inline_name, to->inline_name, sizeof(from->inline_name));
	from->len = to->len;
}

void dentry_move(struct dentry *from, struct dentry *to, bool exchange)
{
	struct dentry *from_parent = from->parent, *to_parent = to->parent;
	bool from_hashed, to_hashed;

	spin_lock(&dentry_lock);
	from_hashed = from->hashed;
	to_hashed = to->hashed;
	if (from_hashed)
		hash_remove(from);
	if (to_hashed)
		hash_remove(to);
	if (exchange) {
		names_swap(from, to);
		to->parent = from_parent;
	} else {
		name_take(from, to);
		dentry_get_locked(to_parent);
	}
	from->parent = to_parent;
	from->hash = name_hash(to_parent, from->name, from->len);
	if (from_hashed)
		hash_add(from);
	if (to_hashed && exchange) {
		to->hash = name_hash(from_parent, to->name, to->len);
		hash_add(to);
	} else if (to_hashed) {
		list_remove(&to->lru);
		nr_hashed--;
		__atomic_fetch_sub(&to->refs, 1, __ATOMIC_RELAXED); /* not the last: the caller's */
	}
	to->deleted |= !exchange && to->vnode;
	spin_unlock(&dentry_lock);
	if (!exchange)
		dentry_put(from_parent);
}
