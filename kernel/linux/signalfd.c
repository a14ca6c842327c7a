/*
 * signalfd(2): the reading task's pending signals, blocked ones, as what a file holds. What is ready depends on who
 * asks; changes are told by the process's signals.source.
 */
#include "kernel/linux/abi.h"
#include "kernel/linux/fd.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/user_copy.h"
#include "kernel/mem/slab.h"

#define KNOWN_FLAGS (O_CLOEXEC | O_NONBLOCK)

struct signalfd {
	struct file file;
	uint64_t mask; /* of signals to take; atomic */
};

static struct signalfd *signalfd_of(struct file *file)
{
	return container_of(file, struct signalfd, file);
}

static struct linux_signalfd_siginfo encode(const struct signal_info *info)
{
	struct linux_signalfd_siginfo out = {
		.signo = (uint32_t)info->signo,
		.error = info->error,
		.code = info->code,
		.pid = (uint32_t)info->pid,
		.uid = info->uid,
		.fd = info->band_fd,
		.tid = (uint32_t)info->timer_id,
		.band = (uint32_t)info->band,
		.overrun = (uint32_t)info->overrun,
		.value_int = (int32_t)info->value,
		.value_ptr = info->value,
		.addr = info->address,
	};

	if (info->signo == SIGCHLD)
		out.status = (int32_t)info->value;
	return out;
}

/* The next signal of MASK; -EAGAIN, -ERESTARTSYS. */
static int signal_next(uint64_t mask, bool wait, struct signal_info *info)
{
	if (signal_take(mask, info))
		return 0;
	if (!wait)
		return -EAGAIN;
	return signal_wait(mask, UINT64_MAX, info) ? -ERESTARTSYS : 0;
}

static ssize_t signalfd_read(struct file *file, struct uio *uio, int64_t *pos)
{
	uint64_t mask = READ_ONCE(signalfd_of(file)->mask);
	struct linux_signalfd_siginfo out;
	struct signal_info info;
	ssize_t done = 0;
	int error;

	(void)pos;
	if (uio->resid < sizeof(out))
		return -EINVAL;
	while (uio->resid >= sizeof(out)) {
		error = signal_next(mask, !done && !(file->flags & O_NONBLOCK), &info);
		if (error)
			return done ? done : error;
		out = encode(&info);
		if (uio_copy_out(uio, &out, sizeof(out)) != sizeof(out))
			return done ? done : -EFAULT;
		done += (ssize_t)sizeof(out);
	}
	return done;
}

static unsigned signalfd_poll(struct file *file)
{
	return signal_pending_set() & READ_ONCE(signalfd_of(file)->mask) ? EV_IN | EV_RDNORM : 0;
}

static int signalfd_getattr(struct file *file, struct vnode_attr *attr)
{
	(void)file;
	return file_getattr_anonymous(attr, 0600);
}

static void signalfd_release(struct file *file)
{
	kfree(signalfd_of(file));
}

static const struct file_ops signalfd_ops = {
	.read = signalfd_read,
	.poll = signalfd_poll,
	.getattr = signalfd_getattr,
	.release = signalfd_release,
};

static long signalfd_create(uint64_t mask, unsigned flags)
{
	struct signalfd *signalfd = kzalloc(sizeof(*signalfd));

	if (!signalfd)
		return -ENOMEM;
	file_init(&signalfd->file, &signalfd_ops, O_RDWR | (flags & O_NONBLOCK));
	signalfd->file.source = &process_current()->signals.source;
	signalfd->file.name = "anon_inode:[signalfd]";
	signalfd->mask = mask;
	return fd_install(&signalfd->file, flags);
}

static long signalfd_change(int fd, uint64_t mask)
{
	struct fd_ref ref = fd_borrow_open((unsigned)fd);
	long result = fd;

	if (!ref.file)
		return -EBADF;
	if (ref.file->ops == &signalfd_ops) {
		WRITE_ONCE(signalfd_of(ref.file)->mask, mask);
		poll_notify(ref.file->source, EV_IN | EV_RDNORM);
	} else {
		result = -EINVAL;
	}
	fd_ref_put(ref);
	return result;
}

long sys_signalfd4(int fd, const uint64_t *set, size_t sigsetsize, int flags)
{
	uint64_t mask;

	if (sigsetsize != sizeof(mask))
		return -EINVAL;
	if (copy_in(&mask, set, sizeof(mask)))
		return -EFAULT;
	if (flags & ~KNOWN_FLAGS)
		return -EINVAL;
	mask &= ~SIGNALS_UNBLOCKABLE;
	return fd == -1 ? signalfd_create(mask, (unsigned)flags) : signalfd_change(fd, mask);
}

long sys_signalfd(int fd, const uint64_t *set, size_t sigsetsize)
{
	return sys_signalfd4(fd, set, sigsetsize, 0);
}
