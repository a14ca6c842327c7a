/* See mounts.h. */
#include "kernel/linux/mounts.h"

#include "kernel/core/log.h"
#include "kernel/file/abi.h"
#include "kernel/file/memdev.h"
#include "kernel/file/path.h"
#include "kernel/fs/devfs.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/linux/cgroup.h"
#include "kernel/linux/proc.h"
#include "kernel/linux/sysfs.h"

#define NO_PROGRAMS (MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME)

static int tmp_create(struct file_system **out)
{
	return tmpfs_create(NULL, 0, S_ISVTX | 0777, out);
}

/* A tmpfs over the tree of devices: programs make sockets and links there. */
static int dev_create(struct file_system **out)
{
	struct file_system *devices;
	int error = devfs_create(&devices);

	if (error)
		return error;
	error = tmpfs_create(devices, 0, 0755, out);
	if (error) {
		vnode_put(devices->root);
		return error;
	}
	(*out)->type = devices->type;
	(*out)->dev = devices->dev; /* numbers of files are the lower ones' too */
	return 0;
}

static void dev_mounted(struct dentry *root)
{
	static struct lazy_mount shm = { .name = "shm", .source = "shm", .flags = NO_PROGRAMS, .create = tmp_create };

	path_mount_lazy(root, &shm);
}

/* The directory fs/cgroup is part of the tree, so nobody can have looked it up before. */
static void sys_mounted(struct dentry *root)
{
	struct fs_context context = { .root = root, .cwd = root };
	struct file_system *fs;
	struct walk walk;
	int error;

	spin_init(&context.lock, "fs_context");
	error = path_walk(&context, root, "fs/cgroup", WALK_DIRECTORY, &walk);
	if (!error)
		error = cgroup_create(&fs);
	if (!error) {
		error = path_mount(walk.dentry, fs, "cgroup", NO_PROGRAMS);
		if (error)
			vnode_put(fs->root);
	}
	if (error)
		log_warn("mount: /sys/fs/cgroup: error %d", -error);
	walk_done(&walk);
}

static struct lazy_mount mounts[] = {
	{ .next = &mounts[1], .name = "proc", .source = "proc", .flags = NO_PROGRAMS, .create = proc_create },
	{ .next = &mounts[2],
	  .name = "dev",
	  .source = "dev",
	  .flags = MS_NOSUID | MS_RELATIME,
	  .create = dev_create,
	  .mounted = dev_mounted },
	{ .name = "sys", .source = "sysfs", .flags = NO_PROGRAMS, .create = sysfs_create, .mounted = sys_mounted },
};

static struct lazy_mount mount_tmp = { .next = mounts,
				       .name = "tmp",
				       .source = "tmpfs",
				       .flags = MS_NOSUID | MS_NODEV | MS_RELATIME,
				       .create = tmp_create };

void linux_mounts_init(struct dentry *root, const char *cmdline)
{
	proc_cmdline_set(cmdline);
	memdev_init();
	path_mount_lazy(root, dentry_vnode(root)->fs->read_only ? &mount_tmp : mounts);
}
