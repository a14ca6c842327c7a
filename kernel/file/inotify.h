/*
 * inotify(7): what changes of files and directories are told to. Its callers are the calls that change them; watches,
 * queues and system calls are inotify.c's. Without it, or while nobody watches anything, an event costs one load.
 */
#ifndef KERNEL_FILE_INOTIFY_H
#define KERNEL_FILE_INOTIFY_H

#include "kernel/file/abi_event.h"
#include "kernel/file/path.h"

extern unsigned inotify_nr_watches; /* atomic; in the whole system */

/*
 * MASK happened to VNODE (NULL: nothing left of it), which is NAME in DIR (NULL: not known, VNODE's watches only).
 * Those who watch DIR hear of it with NAME, those who watch VNODE without (not IN_CREATE, IN_DELETE, IN_MOVED_*,
 * which are DIR's alone). IN_ISDIR is added here. COOKIE binds the two halves of a rename. Threads only, no spinlock
 * held.
 */
void inotify_event(struct vnode *dir, const char *name, size_t len, struct vnode *vnode, uint32_t mask,
		   uint32_t cookie);
/* The same for DENTRY, which says what VNODE is called (NULL: it has no name). */
void inotify_dentry_event(struct dentry *dentry, struct vnode *vnode, uint32_t mask);
/* The same for VNODE by whatever name it has in the cache. */
void inotify_vnode_event(struct vnode *vnode, uint32_t mask);
/* A number that no other rename has. */
uint32_t inotify_cookie(void);

static inline bool inotify_is_active(void)
{
	return unlikely(__atomic_load_n(&inotify_nr_watches, __ATOMIC_RELAXED));
}

static inline void inotify_name(struct vnode *dir, const char *name, size_t len, struct vnode *vnode, uint32_t mask)
{
	if (inotify_is_active())
		inotify_event(dir, name, len, vnode, mask, 0);
}

static inline void inotify_dentry(struct dentry *dentry, struct vnode *vnode, uint32_t mask)
{
	if (inotify_is_active())
		inotify_dentry_event(dentry, vnode, mask);
}

static inline void inotify_vnode(struct vnode *vnode, uint32_t mask)
{
	if (inotify_is_active())
		inotify_vnode_event(vnode, mask);
}

/* inotify_init1(2): FLAGS O_NONBLOCK. 0, -ENOMEM, -EMFILE. */
int inotify_create(unsigned flags, struct file **out);
bool file_is_inotify(const struct file *file);
/* inotify_add_watch(2): the watch descriptor; -EEXIST, -EINVAL, -ENOSPC, -ENOMEM. And inotify_rm_watch(2): 0, -EINVAL. */
int inotify_watch_add(struct file *file, struct vnode *vnode, uint32_t mask);
int inotify_watch_remove(struct file *file, int wd);

#endif
