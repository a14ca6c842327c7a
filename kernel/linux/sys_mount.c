/* mount(2), umount(2), statfs(2). */
#include "kernel/file/abi.h"
#include "kernel/file/mount_type.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/linux/abi_file.h"
#include "kernel/linux/path_arg.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/mem/slab.h"
#include "lib/cmdline.h"
#include "lib/string.h"

#define MS_MAGIC 0xc0ed0000ul /* what programs of the 1990s put into the upper half */
#define MS_KEPT (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME)
#define MS_PROPAGATION (MS_PRIVATE | 1ul << 17 | 1ul << 19 | 1ul << 20) /* unbindable, slave, shared */
#define TEXT_MAX 256

static bool is_privileged(void)
{
	return process_current()->fs.cred.euid == 0;
}

/* "size=64m,mode=1777" as tmpfs(5) has it; others are taken for granted. */
static int tmpfs_options(char *options, uint64_t *size, uint32_t *mode)
{
	struct page_stats memory;
	uint64_t value;

	for (char *next; options && *options; options = next) {
		char *equal;

		next = strchr(options, ',');
		if (next)
			*next++ = '\0';
		equal = strchr(options, '=');
		if (!equal)
			continue;
		*equal++ = '\0';
		if (strcmp(options, "size") == 0) {
			char *percent = strchr(equal, '%');

			if (percent)
				*percent = '\0';
			if (parse_u64(equal, size))
				return -EINVAL;
			page_stats(&memory);
			if (percent)
				*size = memory.total * PAGE_SIZE / 100 * MIN(*size, 100ul);
		} else if (strcmp(options, "mode") == 0) {
			for (*mode = 0; *equal >= '0' && *equal <= '7' && *mode < 010000; equal++)
				*mode = *mode * 8 + (uint32_t)(*equal - '0');
			if (*equal || *mode > 07777)
				return -EINVAL;
		} else if (strcmp(options, "nr_blocks") == 0 && !parse_u64(equal, &value)) {
			*size = value * PAGE_SIZE;
		}
	}
	return 0;
}

static int file_system_make(const char *type, const char *source, char *options, struct file_system **out)
{
	const struct mount_type *found = mount_type_find(type);
	uint64_t size = 0;
	uint32_t mode = 01777;
	int error;

	if (found)
		return found->create(source, options, out);
	if (strcmp(type, "tmpfs") != 0 && strcmp(type, "ramfs") != 0)
		return -ENODEV;
	error = tmpfs_options(options, &size, &mode);
	return error ? error : tmpfs_create(NULL, size, mode, out);
}

/* An optional text argument; a longer one is cut. */
static int text_get(char *text, const char *user_text)
{
	ssize_t len = 0;

	text[0] = '\0';
	if (user_text)
		len = arg_read_string(text, user_text, TEXT_MAX);
	text[TEXT_MAX - 1] = '\0';
	return len < 0 && len != -ENAMETOOLONG ? (int)len : 0;
}

static int mount_new(struct dentry *at, const char *user_source, const char *user_type, const char *user_options,
		     unsigned flags)
{
	char *text = kmalloc(3 * TEXT_MAX), *source = text, *type = text + TEXT_MAX, *options = type + TEXT_MAX;
	struct file_system *fs;
	int error;

	if (!text)
		return -ENOMEM;
	error = user_type ? text_get(type, user_type) : -EINVAL;
	if (!error)
		error = text_get(source, user_source);
	if (!error)
		error = text_get(options, user_options);
	if (!error)
		error = file_system_make(type, source, options, &fs);
	if (!error) {
		error = path_mount(at, fs, *source ? source : "none", flags);
		if (error)
			vnode_put(fs->root);
	}
	kfree(text);
	return error;
}

long sys_mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)
{
	struct walk walk;
	int error;

	if ((flags & 0xffff0000ul) == MS_MAGIC)
		flags &= 0xffff;
	error = user_walk(AT_FDCWD, target, WALK_FOLLOW, &walk);
	if (error)
		return error;
	if (!is_privileged())
		error = -EPERM;
	else if (!walk.dentry)
		error = -ENOTDIR;
	else if (flags & MS_REMOUNT)
		error = path_remount(walk.dentry, flags & MS_KEPT);
	else if (flags & (MS_BIND | MS_MOVE))
		error = -EINVAL; /* no file system is seen in two places */
	else if (flags & MS_PROPAGATION)
		error = 0; /* there is one namespace: nothing to propagate to */
	else
		error = mount_new(walk.dentry, source, type, data, flags & MS_KEPT);
	walk_done(&walk);
	return error;
}

long sys_umount2(const char *target, int flags)
{
	struct walk walk;
	int error;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	error = user_walk(AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &walk);
	if (error)
		return error;
	if (!is_privileged())
		error = -EPERM;
	else if (!walk.dentry)
		error = -EINVAL;
	else if (flags & MNT_EXPIRE)
		error = flags & (MNT_FORCE | MNT_DETACH) ? -EINVAL : -EAGAIN;
	else
		error = path_unmount(walk.dentry, (unsigned)flags);
	walk_done(&walk);
	return error;
}

/* FS NULL: a pipe, a socket and the like. */
static long statfs_write(struct file_system *fs, struct linux_statfs *user_statfs)
{
	struct linux_statfs out = { .type = ANON_INODE_FS_MAGIC, .bsize = PAGE_SIZE };
	struct fs_stat stat = { 0 };

	if (fs && fs->stat) {
		fs->stat(fs, &stat);
		out.type = (int64_t)stat.magic;
		out.bsize = stat.block_size ? (int64_t)stat.block_size : (int64_t)PAGE_SIZE;
		out.blocks = stat.blocks;
		out.bfree = out.bavail = stat.blocks_free;
		out.files = stat.files;
		out.ffree = stat.files_free;
	}
	out.frsize = out.bsize;
	out.namelen = NAME_MAX;
	out.flags = ST_VALID | ST_RELATIME;
	if (fs) {
		out.fsid[0] = (int32_t)fs->dev;
		out.flags |= (fs->mount_flags & (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)) |
			     (fs->read_only ? MS_RDONLY : 0);
	}
	return copy_out(user_statfs, &out, sizeof(out));
}

long sys_statfs(const char *path, struct linux_statfs *statfs)
{
	struct vnode *vnode;
	struct walk walk;
	long error = user_walk(AT_FDCWD, path, WALK_FOLLOW, &walk);

	if (error)
		return error;
	vnode = walk_vnode(&walk);
	error = statfs_write(vnode ? vnode->fs : NULL, statfs);
	walk_done(&walk);
	return error;
}

long sys_fstatfs(unsigned fd, struct linux_statfs *statfs)
{
	struct fd_ref ref = fd_borrow(fd);
	long error;

	if (!ref.file)
		return -EBADF;
	error = statfs_write(ref.file->vnode ? ref.file->vnode->fs : NULL, statfs);
	fd_ref_put(ref);
	return error;
}
