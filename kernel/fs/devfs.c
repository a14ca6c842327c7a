/* The tree of /dev. Devices are opened by their numbers (file/chardev.h). shm and pts are there to be mounted on. */
#include "kernel/fs/devfs.h"

#include "kernel/file/abi.h"

/* dev_encode as a constant, for minor numbers below 256. */
#define DEV(major, minor) ((major) << 8 | (minor))

static const struct pseudo_entry devices[] = {
	{ .name = "console", .mode = S_IFCHR | 0600, .rdev = DEV(5, 1) },
	{ .name = "fd", .mode = S_IFLNK | 0777, .content = "/proc/self/fd" },
	{ .name = "full", .mode = S_IFCHR | 0666, .rdev = DEV(1, 7) },
	{ .name = "null", .mode = S_IFCHR | 0666, .rdev = DEV(1, 3) },
	{ .name = "pts", .mode = S_IFDIR | 0755 },
	{ .name = "random", .mode = S_IFCHR | 0666, .rdev = DEV(1, 8) },
	{ .name = "shm", .mode = S_IFDIR | S_ISVTX | 0777 },
	{ .name = "stderr", .mode = S_IFLNK | 0777, .content = "/proc/self/fd/2" },
	{ .name = "stdin", .mode = S_IFLNK | 0777, .content = "/proc/self/fd/0" },
	{ .name = "stdout", .mode = S_IFLNK | 0777, .content = "/proc/self/fd/1" },
	{ .name = "tty", .mode = S_IFCHR | 0666, .rdev = DEV(5, 0) },
	{ .name = "urandom", .mode = S_IFCHR | 0666, .rdev = DEV(1, 9) },
	{ .name = "zero", .mode = S_IFCHR | 0666, .rdev = DEV(1, 5) },
	{ 0 },
};

static const struct pseudo_entry root = { .name = "dev", .mode = S_IFDIR | 0755, .children = devices };

/* There is one, so its number is a constant: below those of file_system_dev. */
#define DEVFS_DEV DEV(0, 5)

int devfs_create(struct file_system **out)
{
	int error = pseudo_create("devtmpfs", TMPFS_MAGIC, &root, out);

	if (error)
		return error;
	(*out)->dev = DEVFS_DEV;
	(*out)->read_only = true;
	return 0;
}

void devfs_console_attr(struct vnode_attr *attr)
{
	struct file_time now = file_time_now();

	*attr = (struct vnode_attr){ .mode = S_IFCHR | 0600,
				     .nlink = 1,
				     .rdev = DEV(5, 1),
				     .ino = pseudo_root_ino("console"),
				     .dev = DEVFS_DEV,
				     .block_size = PAGE_SIZE,
				     .atime = now,
				     .mtime = now,
				     .ctime = now };
}
