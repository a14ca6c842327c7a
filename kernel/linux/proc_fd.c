/* /proc/PID: fd, fdinfo, and the links cwd, root and exe. */
#include "kernel/file/abi.h"
#include "kernel/file/fdtable.h"
#include "kernel/linux/proc.h"
#include "kernel/linux/task.h"
#include "kernel/mem/slab.h"
#include "lib/errno.h"
#include "lib/fmt.h"
#include "lib/string.h"

/* ---- Paths ------------------------------------------------------------------------------------------------------- */

static ssize_t link_text(char *buf, size_t size, const char *text, size_t len)
{
	len = MIN(len, size);
	memcpy(buf, text, len);
	return (ssize_t)len;
}

/* DENTRY's path as text of a link. */
static ssize_t dentry_readlink(struct dentry *dentry, char *buf, size_t size)
{
	char *page = kmalloc(PATH_LEN_MAX), *path;
	ssize_t len = -ENAMETOOLONG;
	bool reachable;

	if (!page)
		return -ENOMEM;
	path = path_of(NULL, dentry, page, PATH_LEN_MAX, &reachable);
	if (path)
		len = link_text(buf, size, path, strlen(path));
	kfree(page);
	return len;
}

enum process_link { LINK_CWD, LINK_ROOT, LINK_EXE };

static int process_dentry(uint64_t key, enum process_link link, struct dentry **out)
{
	struct process *process = proc_process(key);
	struct dentry *dentry;

	if (!process)
		return -ENOENT;
	spin_lock(&process->fs.lock);
	dentry = link == LINK_CWD ? process->fs.cwd : link == LINK_ROOT ? process->fs.root : process->exe;
	if (dentry)
		dentry_get(dentry);
	spin_unlock(&process->fs.lock);
	*out = dentry;
	return dentry ? 0 : -ENOENT;
}

static ssize_t process_readlink(char *buf, size_t size, uint64_t key, enum process_link link)
{
	struct dentry *dentry;
	ssize_t len = process_dentry(key, link, &dentry);

	if (len)
		return len;
	len = dentry_readlink(dentry, buf, size);
	dentry_put(dentry);
	return len;
}

static ssize_t cwd_readlink(char *buf, size_t size, uint64_t key)
{
	return process_readlink(buf, size, key, LINK_CWD);
}

static int cwd_follow(struct dentry **dentry, struct file **file, uint64_t key)
{
	(void)file;
	return process_dentry(key, LINK_CWD, dentry);
}

static ssize_t root_readlink(char *buf, size_t size, uint64_t key)
{
	return process_readlink(buf, size, key, LINK_ROOT);
}

static int root_follow(struct dentry **dentry, struct file **file, uint64_t key)
{
	(void)file;
	return process_dentry(key, LINK_ROOT, dentry);
}

static ssize_t exe_readlink(char *buf, size_t size, uint64_t key)
{
	return process_readlink(buf, size, key, LINK_EXE);
}

static int exe_follow(struct dentry **dentry, struct file **file, uint64_t key)
{
	(void)file;
	return process_dentry(key, LINK_EXE, dentry);
}

const struct pseudo_ops proc_cwd_ops = { .readlink = cwd_readlink, .follow = cwd_follow };
const struct pseudo_ops proc_root_ops = { .readlink = root_readlink, .follow = root_follow };
const struct pseudo_ops proc_exe_ops = { .readlink = exe_readlink, .follow = exe_follow };

/* ---- Descriptors ------------------------------------------------------------------------------------------------- */

static int fd_file(uint64_t key, struct file **out)
{
	struct process *process = proc_process(key);

	*out = process ? fdtable_file(process->files, proc_key_id(key)) : NULL;
	return *out ? 0 : -ENOENT;
}

/* What FILE is called that has no path: "pipe:" gets its number. */
static ssize_t name_readlink(struct file *file, char *buf, size_t size)
{
	const char *name = file->name ? file->name : "anon_inode:[file]";
	struct vnode_attr attr = { 0 };
	size_t len = strlen(name);
	char text[64];

	if (len && name[len - 1] == ':') {
		if (file->ops->getattr)
			file->ops->getattr(file, &attr);
		else if (file->vnode)
			attr.ino = file->vnode->ino;
		len = (size_t)fmt_format(text, sizeof(text), "%s[%lu]", name, attr.ino);
		name = text;
	}
	return link_text(buf, size, name, len);
}

static ssize_t fd_readlink(char *buf, size_t size, uint64_t key)
{
	struct file *file;
	ssize_t len = fd_file(key, &file);

	if (len)
		return len;
	len = file->dentry ? dentry_readlink(file->dentry, buf, size) : name_readlink(file, buf, size);
	file_put(file);
	return len;
}

/* Where the link leads: the file itself, or for what was opened by the kernel the name that it stands for. */
static int fd_follow(struct dentry **dentry, struct file **file, uint64_t key)
{
	struct fs_context *context = &process_current()->fs;
	struct walk walk;
	struct file *open;
	int error = fd_file(key, &open);

	if (error)
		return error;
	if (open->dentry || open->vnode || !open->name || open->name[0] != '/') {
		*file = open;
		return 0;
	}
	error = path_walk(context, NULL, open->name, WALK_FOLLOW, &walk);
	file_put(open);
	if (error)
		return error;
	dentry_get(walk.dentry);
	*dentry = walk.dentry;
	walk_done(&walk);
	return 0;
}

/* Permissions of the link: how the file is open. */
static int fd_getattr(struct vnode_attr *attr, uint64_t key)
{
	struct file *file;
	unsigned access;
	int error = fd_file(key, &file);

	if (error)
		return error;
	access = file->flags & O_ACCMODE;
	attr->mode = S_IFLNK | (access == O_WRONLY ? 0300 : access == O_RDONLY ? 0500 : 0700);
	if (file->flags & O_PATH)
		attr->mode = S_IFLNK;
	attr->uid = proc_process(key)->fs.cred.euid;
	attr->gid = proc_process(key)->fs.cred.egid;
	file_put(file);
	return 0;
}

static int fdinfo_text(struct pseudo_text *out, uint64_t key)
{
	struct process *process = proc_process(key);
	struct vnode_attr attr = { 0 };
	struct file *file;
	unsigned flags;
	int error = fd_file(key, &file), fd_flags;

	if (error)
		return error;
	fd_flags = fdtable_flags(process->files, proc_key_id(key));
	flags = file->flags | (fd_flags > 0 && fd_flags & FD_CLOEXEC ? O_CLOEXEC : 0u);
	if (file->ops->getattr)
		file->ops->getattr(file, &attr);
	else if (file->vnode)
		attr.ino = file->vnode->ino;
	pseudo_printf(out, "pos:\t%ld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%lu\n", file->pos, flags, file->dentry ? 1 : 0,
		      attr.ino);
	file_put(file);
	return 0;
}

static const struct pseudo_ops fd_ops = { .readlink = fd_readlink, .follow = fd_follow, .getattr = fd_getattr };
static const struct pseudo_ops fdinfo_ops = { .text = fdinfo_text };
static const struct pseudo_entry fd_entry = { .name = "N", .mode = S_IFLNK | 0700, .ops = &fd_ops };
static const struct pseudo_entry fdinfo_entry = { .name = "N", .mode = S_IFREG | 0444, .ops = &fdinfo_ops };

/* ---- The directories --------------------------------------------------------------------------------------------- */

static int lookup(const char *name, size_t len, uint64_t key, uint64_t *entry_key)
{
	struct file *file;
	uint64_t fd;

	if (!pseudo_number(name, len, &fd))
		return -ENOENT;
	*entry_key = key >> 32 << 32 | fd;
	if (fd_file(*entry_key, &file))
		return -ENOENT;
	file_put(file);
	return 0;
}

static int fd_lookup(const char *name, size_t len, uint64_t key, const struct pseudo_entry **entry, uint64_t *entry_key)
{
	*entry = &fd_entry;
	return lookup(name, len, key, entry_key);
}

static int fdinfo_lookup(const char *name, size_t len, uint64_t key, const struct pseudo_entry **entry,
			 uint64_t *entry_key)
{
	*entry = &fdinfo_entry;
	return lookup(name, len, key, entry_key);
}

static int list(uint64_t *pos, struct dir_sink *sink, uint64_t key, unsigned type)
{
	struct process *process = proc_process(key);
	char name[16];
	int fd;

	if (!process)
		return -ENOENT;
	while (*pos <= INT32_MAX && (fd = fdtable_next(process->files, (unsigned)*pos)) >= 0) {
		size_t len = (size_t)fmt_format(name, sizeof(name), "%d", fd);

		if (!sink->entry(sink, name, len, 0, type, (uint64_t)fd + 1))
			break;
		*pos = (uint64_t)fd + 1;
	}
	return 0;
}

static int fd_list(uint64_t *pos, struct dir_sink *sink, uint64_t key)
{
	return list(pos, sink, key, DT_LNK);
}

static int fdinfo_list(uint64_t *pos, struct dir_sink *sink, uint64_t key)
{
	return list(pos, sink, key, DT_REG);
}

const struct pseudo_ops proc_fd_dir_ops = { .dir_lookup = fd_lookup,
					    .dir_list = fd_list,
					    .getattr = proc_owner_getattr };
const struct pseudo_ops proc_fdinfo_dir_ops = { .dir_lookup = fdinfo_lookup,
						.dir_list = fdinfo_list,
						.getattr = proc_owner_getattr };
