/*
 * From a path to a dentry. While the names are cached the whole walk is one stretch under dentry_lock, which takes no
 * reference but the one to its end; to ask a file system or read a link, the lock is left and the place held by
 * references.
 */
#include "kernel/file/abi.h"
#include "kernel/file/dentry.h"
#include "kernel/mem/slab.h"

/* The text of a symbolic link that is being walked. Each but the lowest is left for a REST with more names. */
struct walk_link {
	struct walk_link *below;
	const char *rest; /* where to go on after TEXT; NULL: TEXT's end is the end */
	char text[];
};

struct walker {
	struct fs_context *context;
	unsigned flags;
	unsigned nr_links;
	bool need_dir;		/* a slash followed a link at the end */
	const char *path;	/* what is left */
	struct walk_link *link; /* what PATH points into; NULL: the path given */
	struct dentry *at, *root;
	/* References, to be given back when dentry_lock is free. */
	struct dentry *held;	/* AT, whenever the lock is not held */
	struct dentry *pending; /* an old one */
	struct dentry *root_held;
	struct walk *walk;
};

static void put_pending(struct walker *w)
{
	if (w->pending)
		dentry_put(w->pending);
	w->pending = NULL;
}

/* Leaves dentry_lock with w->at and w->root held by references. */
static void lock_leave(struct walker *w)
{
	struct dentry *old = NULL;

	if (w->held != w->at) {
		old = w->held;
		w->held = w->at;
		dentry_get_locked(w->at);
	}
	if (!w->root_held) {
		w->root_held = w->root;
		dentry_get_locked(w->root);
	}
	spin_unlock(&dentry_lock);
	if (old)
		dentry_put(old);
	put_pending(w);
}

/*
 * ---- Scanning -----------------------------------------------------------------------------------------------------
 */

/* Eight bytes from P on. May read past the end of the string, but not into another page. */
static __attribute__((no_sanitize("address"))) uint64_t word_load(const char *p)
{
	uint64_t word = 0;

	if (likely(((uintptr_t)p & (PAGE_SIZE - 1)) <= PAGE_SIZE - 8))
		return ((const struct unaligned64 *)(const void *)p)->word;
	for (unsigned i = 0; i < 8 && p[i]; i++)
		word |= (uint64_t)(unsigned char)p[i] << 8 * i;
	return word;
}

/* The top bit of the first byte of WORD that is 0 or a slash; bits of later bytes mean nothing. */
static inline uint64_t word_end(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
	uint64_t slash = word ^ ones * '/';

	return (((word - ones) & ~word) | ((slash - ones) & ~slash)) & tops;
}

/*
 * Length of the name that P begins with, and its hash in PARENT; *LAST: what of it is behind the last multiple of 8
 * bytes.
 */
static inline size_t name_scan(const struct dentry *parent, const char *p, uint32_t *hash, uint64_t *last)
{
	uint64_t value = name_hash_begin(parent), word = word_load(p), end = word_end(word);
	size_t len = 0;

	while (unlikely(!end)) {
		value = name_hash_step(value, word);
		len += 8;
		word = word_load(p + len);
		end = word_end(word);
	}
	word &= ((end & -end) >> 7) - 1; /* the bytes before the one that has the lowest bit of END */
	if (likely(word))
		value = name_hash_step(value, word);
	*hash = name_hash_end(value);
	*last = word;
	return len + (unsigned)__builtin_ctzll(end) / 8;
}

static inline const char *skip_slashes(const char *p)
{
	while (*p == '/')
		p++;
	return p;
}

/*
 * ---- Steps. dentry_lock is held before and after.
 * -------------------------------------------------------------------
 */

static inline int may_search(const struct walker *w, const struct vnode *vnode)
{
	if (unlikely(!S_ISDIR(vnode->mode)))
		return -ENOTDIR;
	if (likely(w->context->cred.fsuid == 0) || (vnode->mode & 0111) == 0111)
		return 0;
	return vnode_access(vnode, &w->context->cred, MAY_EXEC);
}

/* Through what is mounted on AT, down to what can be seen there. */
static inline int mounts_cross(struct walker *w, struct dentry **at)
{
	while (unlikely((*at)->mounted)) {
		if (w->flags & WALK_NO_XDEV)
			return -EXDEV;
		*at = (*at)->mounted->root;
	}
	return 0;
}

static int go_up(struct walker *w)
{
	struct dentry *at = w->at;

	if (at == w->root)
		return w->flags & WALK_BENEATH ? -EXDEV : 0;
	while (!at->parent) {
		if (!at->mount || !at->mount->at)
			return 0;
		if (w->flags & WALK_NO_XDEV)
			return -EXDEV;
		at = at->mount->at;
		if (at == w->root)
			break;
	}
	if (at->parent && at != w->root)
		at = at->parent;
	w->at = at;
	return mounts_cross(w, &w->at);
}

/* The dentry of NAME, not in the cache, in w->at: with a reference. */
static __attribute__((noinline)) int ask(struct walker *w, const char *name, size_t len, struct dentry **child)
{
	struct dentry *dir = w->at;
	int error;

	if (w->flags & WALK_CACHED)
		return -EAGAIN;
	lock_leave(w);
	mutex_lock(&dir->vnode->lock);
	error = dentry_lookup(dir, name, len, child);
	mutex_unlock(&dir->vnode->lock);
	spin_lock(&dentry_lock);
	return error;
}

/* CHILD's reference, if it came with one, becomes what holds w->at. */
static void step_to(struct walker *w, struct dentry *child, struct dentry *child_held)
{
	w->at = child;
	if (!child_held)
		return;
	w->pending = w->held; /* free since ask() */
	w->held = child_held;
}

/*
 * ---- Symbolic links
 * -------------------------------------------------------------------------------------------------
 */

/* The text of VNODE, a link, in a struct walk_link. */
static int link_read(struct vnode *vnode, struct walk_link **out)
{
	size_t size = vnode->size && vnode->size < PATH_LEN_MAX ? vnode->size + 1 : PATH_LEN_MAX;
	struct walk_link *link;
	ssize_t len;

	if (!vnode->ops->readlink)
		return -EINVAL;
	for (;; size = PATH_LEN_MAX) {
		link = kmalloc(sizeof(*link) + size + 8);
		if (!link)
			return -ENOMEM;
		len = vnode->ops->readlink(vnode, link->text, size);
		if (len > 0 && (size_t)len < size)
			break;
		kfree(link);
		if (len < 0)
			return (int)len;
		if (len == 0)
			return -ENOENT;
		if (size == PATH_LEN_MAX)
			return -ENAMETOOLONG;
	}
	link->text[len] = '\0';
	*out = link;
	return 0;
}

/* Puts LINK's text in front of what is left. The lock is held. */
static int link_push(struct walker *w, struct walk_link *link, const char *rest)
{
	struct walk_link *top = w->link;

	link->rest = *rest ? rest : NULL;
	link->below = top;
	if (!link->rest && top) { /* the end of TOP's text: it goes on where that did */
		link->rest = top->rest;
		link->below = top->below;
		kfree(top);
	}
	w->link = link;
	w->path = link->text;
	if (link->text[0] != '/')
		return 0;
	if (w->flags & WALK_BENEATH)
		return -EXDEV;
	if (w->flags & WALK_NO_XDEV && w->root->vnode->fs != w->at->vnode->fs)
		return -EXDEV;
	w->at = w->root;
	return mounts_cross(w, &w->at);
}

/* A magic link. The lock is free; VNODE is held. LAST: nothing follows. */
static int link_jump(struct walker *w, struct vnode *vnode, bool last)
{
	struct dentry *dentry = NULL;
	struct file *file = NULL;
	int error;

	if (w->flags & (WALK_NO_MAGIC | WALK_BENEATH | WALK_IN_ROOT))
		return w->flags & WALK_NO_MAGIC ? -ELOOP : -EXDEV;
	error = vnode->ops->follow(vnode, &dentry, &file);
	if (error)
		return error;
	if (!dentry && file->dentry) {
		dentry = file->dentry;
		dentry_get(dentry);
	}
	if (dentry && file)
		file_put(file);
	if (!dentry) {
		w->walk->file = file;
		return last ? 0 : -ENOTDIR;
	}
	w->pending = w->held;
	w->at = w->held = dentry;
	return w->flags & WALK_NO_XDEV && dentry->vnode->fs != vnode->fs ? -EXDEV : 0;
}

/* Goes where CHILD, a symbolic link in w->at, leads; REST follows it. */
static __attribute__((noinline)) int follow(struct walker *w, struct dentry *child, struct dentry *child_held,
					    const char *rest)
{
	struct vnode *vnode = child->vnode;
	struct walk_link *link = NULL;
	int error;

	if (!child_held)
		dentry_get_locked(child);
	if (w->flags & WALK_NO_SYMLINKS || ++w->nr_links > SYMLINK_MAX)
		error = -ELOOP;
	else if (w->flags & WALK_CACHED)
		error = -EAGAIN;
	else
		error = 0;
	lock_leave(w);
	if (!error && vnode->ops->follow)
		error = link_jump(w, vnode, !*rest && (!w->link || !w->link->rest));
	else if (!error)
		error = link_read(vnode, &link);
	dentry_put(child);
	put_pending(w);
	spin_lock(&dentry_lock);
	if (error)
		return error;
	w->path = rest;
	return link ? link_push(w, link, rest) : 0;
}

/*
 * ---- The walk
 * -------------------------------------------------------------------------------------------------------
 */

/* One name, LEN bytes at w->path; NEXT is what follows it and its slashes. *DONE: the walk ends in w->at. */
static inline int step(struct walker *w, size_t len, uint32_t hash, const char *next, bool last, bool *done)
{
	struct dentry *child, *child_held = NULL;
	bool slash = w->path[len] == '/';
	int error;

	if (unlikely(w->flags & WALK_CREATE && last && slash))
		return -EISDIR;
	child = dentry_find_locked(w->at, w->path, len, hash);
	if (unlikely(!child)) {
		error = ask(w, w->path, len, &child);
		if (error)
			return error;
		child_held = child;
	}
	if (child->vnode && S_ISLNK(child->vnode->mode)) {
		if (!last || slash || w->need_dir || w->flags & WALK_FOLLOW) {
			w->need_dir |= last && slash;
			*done = false;
			error = follow(w, child, child_held, next);
			if (!error && w->walk->file)
				*done = true;
			return error;
		}
	}
	step_to(w, child, child_held);
	error = mounts_cross(w, &w->at);
	w->need_dir |= last && slash;
	*done = last;
	w->path = next;
	if (!error && unlikely(!w->at->vnode))
		error = -ENOENT;
	return error;
}

static bool is_dots(const char *name, size_t len)
{
	return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.'));
}

/* The last name of a WALK_PARENT walk, which stays to be looked up. */
static void note_last(struct walker *w, size_t len)
{
	w->walk->last = w->path;
	w->walk->last_len = len;
	w->walk->last_is_dot = is_dots(w->path, len);
	w->walk->trailing_slash = w->path[len] == '/';
}

/* dentry_lock held. Ends with w->at where the path leads. */
static int run(struct walker *w)
{
	bool done = false;
	int error = 0;

	while (!done && !error) {
		const char *next;
		uint64_t word;
		uint32_t hash;
		size_t len;
		bool last;

		w->path = skip_slashes(w->path);
		if (!*w->path) {
			struct walk_link *link = w->link;

			if (!link)
				break;
			w->path = link->rest ? link->rest : "";
			w->link = link->below;
			kfree(link);
			continue;
		}
		error = may_search(w, w->at->vnode);
		if (error)
			break;
		len = name_scan(w->at, w->path, &hash, &word);
		next = skip_slashes(w->path + len);
		last = !*next && (!w->link || !w->link->rest);
		if (last && w->flags & WALK_PARENT) {
			note_last(w, len);
			return len > NAME_LEN_MAX ? -ENAMETOOLONG : 0;
		}
		if (is_dots(w->path, len)) {
			if (len == 2)
				error = go_up(w);
			w->path = next;
			w->need_dir |= last;
		} else if (len > NAME_LEN_MAX) {
			error = -ENAMETOOLONG;
		} else {
			error = step(w, len, hash, next, last, &done);
		}
	}
	if (!error && w->flags & WALK_PARENT) {
		w->walk->last = "";
		w->walk->last_is_dot = true;
	}
	return error;
}

static int check_end(const struct walker *w)
{
	bool need_dir = w->need_dir || w->flags & WALK_DIRECTORY;

	if (!need_dir || w->flags & WALK_PARENT || (!w->walk->file && S_ISDIR(w->at->vnode->mode)))
		return 0;
	return -ENOTDIR;
}

/* Goes on from AT with PATH, whatever there is in it. dentry_lock is held, and free afterwards. */
static __attribute__((noinline)) int walk_on(struct fs_context *context, struct dentry *root, struct dentry *at,
					     const char *path, unsigned flags, struct walk *walk)
{
	struct walker w = { .context = context, .flags = flags, .path = path, .at = at, .root = root, .walk = walk };
	int error = mounts_cross(&w, &w.at);

	if (!error)
		error = run(&w);
	if (!error)
		error = check_end(&w);
	if (!error && !walk->file) {
		walk->dentry = w.at;
		if (w.held == w.at)
			w.held = NULL;
		else
			dentry_get_locked(w.at);
	}
	spin_unlock(&dentry_lock);
	put_pending(&w);
	if (w.held)
		dentry_put(w.held);
	if (w.root_held)
		dentry_put(w.root_held);
	for (struct walk_link *link = w.link, *below; link; link = below) {
		below = link->below;
		kfree(link);
	}
	if (error)
		walk_done(walk);
	return error;
}

/* dentry_find_locked for a name of less than 8 bytes, WORD; no name is the start of another that way. */
static inline struct dentry *find_short(const struct dentry *parent, uint64_t word, uint32_t hash)
{
	struct dentry *dentry = dentry_table[hash >> dentry_table_shift];

	for (; dentry; dentry = dentry->hash_next)
		if (dentry->word == word && dentry->parent == parent)
			break;
	return dentry;
}

/*
 * As far as everything is as it mostly is: names that are cached and neither "." nor "..", of directories that the
 * caller may search, no links, nothing mounted. True: *AT is the end of *PATH. False: from *AT on, *PATH is still to
 * be walked. dentry_lock is held.
 */
static inline bool walk_cached(const struct cred *cred, struct dentry **at, const char **path, unsigned flags,
			       struct walk *walk)
{
	struct dentry *dir = *at, *child;
	const char *p = *path, *next;
	uint64_t word;
	uint32_t hash;
	size_t len;

	for (;;) {
		if (unlikely(dir->kind != DENTRY_DIR || *p == '.'))
			break;
		if (unlikely(cred->fsuid != 0) && (dir->vnode->mode & 0111) != 0111)
			break;
		len = name_scan(dir, p, &hash, &word);
		next = p + len;
		if (*next != '/' && flags & WALK_PARENT) {
			if (unlikely(len > NAME_LEN_MAX))
				break;
			walk->last = p;
			walk->last_len = len;
			*at = dir;
			return true;
		}
		if (likely(len < 8))
			child = find_short(dir, word, hash);
		else
			child = dentry_find_locked(dir, p, len, hash);
		if (unlikely(!child || child->kind == DENTRY_SPECIAL))
			break;
		child->used = true;
		if (*next != '/') {
			if (unlikely(flags & WALK_DIRECTORY && child->kind != DENTRY_DIR))
				break;
			*at = child;
			return true;
		}
		next = skip_slashes(next + 1);
		if (unlikely(!*next))
			break;
		p = next;
		dir = child;
	}
	*at = dir;
	*path = p;
	return false;
}

int path_walk(struct fs_context *context, struct dentry *at, const char *path, unsigned flags, struct walk *walk)
{
	struct dentry *root;
	int error = 0;

	*walk = (struct walk){ 0 };
	spin_lock(&dentry_lock); /* keeps root and cwd, which change under it */
	if (!at)
		at = context->cwd;
	root = likely(!(flags & (WALK_BENEATH | WALK_IN_ROOT))) ? context->root : at;
	if (*path == '/') {
		if (flags & WALK_BENEATH)
			error = -EXDEV;
		at = root;
		path = skip_slashes(path);
	} else if (!*path && !(flags & WALK_EMPTY)) {
		error = -ENOENT;
	}
	if (unlikely(error)) {
		spin_unlock(&dentry_lock);
		return error;
	}
	if (unlikely(!*path || !walk_cached(&context->cred, &at, &path, flags, walk)))
		return walk_on(context, root, at, path, flags, walk);
	dentry_get_locked(at);
	spin_unlock(&dentry_lock);
	walk->dentry = at;
	return 0;
}

void walk_done(struct walk *walk)
{
	if (likely(walk->dentry))
		dentry_put(walk->dentry);
	if (unlikely(walk->file))
		file_put(walk->file);
	walk->dentry = NULL;
	walk->file = NULL;
}
