/* /dev/null, zero, full, random, urandom: numbers as in Linux Documentation/admin-guide/devices.txt. */
#include "kernel/file/memdev.h"

#include "kernel/core/random.h"
#include "kernel/file/abi.h"
#include "kernel/file/chardev.h"
#include "kernel/file/file.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/user.h"

enum { MINOR_NULL = 3, MINOR_ZERO = 5, MINOR_FULL = 7, MINOR_RANDOM = 8, MINOR_URANDOM = 9 };

/* ioctl(2) of random(4): include/uapi/linux/random.h */
#define RNDGETENTCNT 0x80045200
#define RNDADDTOENTCNT 0x40045201
#define RNDADDENTROPY 0x40085203
#define RNDZAPENTCNT 0x5204
#define RNDCLEARPOOL 0x5206
#define RNDRESEEDCRNG 0x5207
#define ENTROPY_BITS 256

static void release(struct file *file)
{
	kfree(file);
}

/* The position of these is always 0. */
static int64_t seek(struct file *file, int64_t off, int whence)
{
	(void)off, (void)whence;
	file->pos = 0;
	return 0;
}

static int64_t random_seek(struct file *file, int64_t off, int whence)
{
	(void)off, (void)whence;
	return file->pos;
}

static ssize_t null_read(struct file *file, struct uio *uio, int64_t *pos)
{
	(void)file, (void)uio, (void)pos;
	return 0;
}

static ssize_t null_write(struct file *file, struct uio *uio, int64_t *pos)
{
	size_t len = uio->resid;

	(void)file, (void)pos;
	uio->resid = 0;
	return (ssize_t)len;
}

/* In pieces, so that a signal ends a long one. */
static ssize_t zero_read(struct file *file, struct uio *uio, int64_t *pos)
{
	size_t done = 0;

	(void)file, (void)pos;
	do {
		size_t len = MIN(uio->resid, 1ul << 20);
		ssize_t n = uio_zero_out(uio, len);

		if (n < 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
		if ((size_t)n < len)
			break;
	} while (uio->resid && !thread_is_interrupted());
	return (ssize_t)done;
}

/* MAP_SHARED and MAP_PRIVATE alike: anonymous memory. */
static struct vm_object *zero_mmap(struct file *file, unsigned prot, unsigned vm_flags, int *error)
{
	(void)file, (void)prot, (void)vm_flags;
	*error = 0;
	return NULL;
}

static ssize_t full_write(struct file *file, struct uio *uio, int64_t *pos)
{
	(void)file, (void)uio, (void)pos;
	return -ENOSPC;
}

static ssize_t random_read(struct file *file, struct uio *uio, int64_t *pos)
{
	uint8_t buf[256];
	ssize_t n = 0;
	size_t done = 0;

	(void)file, (void)pos;
	while (uio->resid && !(done && thread_is_interrupted())) {
		size_t len = MIN(uio->resid, sizeof(buf));

		random_bytes(buf, len);
		n = uio_copy_out(uio, buf, len);
		if (n > 0)
			done += (size_t)n;
		if (n < (ssize_t)len)
			break;
	}
	for (size_t i = 0; i < sizeof(buf); i++)
		((volatile uint8_t *)buf)[i] = 0;
	return n < 0 && !done ? n : (ssize_t)done;
}

static ssize_t random_write(struct file *file, struct uio *uio, int64_t *pos)
{
	uint8_t buf[256];
	size_t done = 0;

	(void)file, (void)pos;
	while (uio->resid) {
		ssize_t n = uio_copy_in(uio, buf, sizeof(buf));

		if (n <= 0)
			return done || !n ? (ssize_t)done : n;
		random_add(buf, (size_t)n);
		done += (size_t)n;
		if ((size_t)n < sizeof(buf))
			break;
	}
	return (ssize_t)done;
}

/* RNDADDENTROPY: struct rand_pool_info. What an application says of its data's worth is not believed. */
static long entropy_add(const int *user_info)
{
	struct iovec iov;
	struct uio uio;
	int info[2];

	if (user_read(info, user_info, sizeof(info)))
		return -EFAULT;
	if (info[0] < 0 || info[1] < 0)
		return -EINVAL;
	if (!user_range_is_valid(user_info + 2, (size_t)info[1]))
		return -EFAULT;
	uio_init(&uio, &iov, (void *)(user_info + 2), (size_t)info[1]);
	return random_write(NULL, &uio, NULL) < info[1] ? -EFAULT : 0;
}

static long random_ioctl(struct file *file, unsigned request, unsigned long arg)
{
	const int bits = ENTROPY_BITS;

	(void)file;
	switch (request) {
	case RNDGETENTCNT:
		return user_range_is_valid((void *)arg, sizeof(bits)) ? user_write((void *)arg, &bits, sizeof(bits))
								      : -EFAULT;
	case RNDADDENTROPY:
		return user_range_is_valid((void *)arg, 2 * sizeof(int)) ? entropy_add((const int *)arg) : -EFAULT;
	case RNDADDTOENTCNT:
	case RNDZAPENTCNT:
	case RNDCLEARPOOL:
	case RNDRESEEDCRNG:
		return 0;
	}
	return -EINVAL;
}

static const struct file_ops null_ops = { .read = null_read, .write = null_write, .seek = seek, .release = release };
static const struct file_ops zero_ops = {
	.read = zero_read, .write = null_write, .seek = seek, .mmap_object = zero_mmap, .release = release
};
static const struct file_ops full_ops = { .read = zero_read, .write = full_write, .seek = seek, .release = release };
static const struct file_ops random_ops = {
	.read = random_read, .write = random_write, .seek = random_seek, .ioctl = random_ioctl, .release = release
};

static const struct file_ops *ops_of(unsigned minor)
{
	switch (minor) {
	case MINOR_NULL:
		return &null_ops;
	case MINOR_ZERO:
		return &zero_ops;
	case MINOR_FULL:
		return &full_ops;
	case MINOR_RANDOM:
	case MINOR_URANDOM:
		return &random_ops;
	}
	return NULL;
}

static int memdev_open(struct vnode *vnode, unsigned flags, struct file **out)
{
	const struct file_ops *ops = ops_of(dev_minor((uint32_t)vnode->rdev));
	struct file *file;

	if (!ops)
		return -ENXIO;
	file = kzalloc(sizeof(*file));
	if (!file)
		return -ENOMEM;
	file_init(file, ops, flags);
	*out = file;
	return 0;
}

void memdev_init(void)
{
	static struct chardev memdev = { .major = 1, .nr_minors = 16, .open = memdev_open };

	chardev_register(&memdev);
}
