/* See eventfd.h. */
#include "kernel/file/eventfd.h"

#include "kernel/file/abi_event.h"
#include "kernel/mem/slab.h"

#define COUNT_MAX (UINT64_MAX - 1)

struct eventfd {
	struct file file;
	struct spinlock lock; /* covers count */
	uint64_t count;
	bool semaphore;
	struct wait_queue readers, writers;
	struct poll_source source;
};

static struct eventfd *eventfd_of(struct file *file)
{
	return container_of(file, struct eventfd, file);
}

/* Takes what a read gets; false: there is nothing. */
static bool count_take(struct eventfd *event, uint64_t *value)
{
	bool any;

	spin_lock(&event->lock);
	any = event->count != 0;
	*value = event->semaphore ? any : event->count;
	WRITE_ONCE(event->count, event->count - *value);
	spin_unlock(&event->lock);
	return any;
}

static bool count_add(struct eventfd *event, uint64_t value)
{
	bool fits;

	spin_lock(&event->lock);
	fits = value <= COUNT_MAX - event->count;
	if (fits)
		WRITE_ONCE(event->count, event->count + value);
	spin_unlock(&event->lock);
	return fits;
}

static ssize_t eventfd_read(struct file *file, struct uio *uio, int64_t *pos)
{
	struct eventfd *event = eventfd_of(file);
	uint64_t value;
	ssize_t n;
	int error;

	(void)pos;
	if (uio->resid < sizeof(value))
		return -EINVAL;
	if (!count_take(event, &value)) {
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		error = wait_event_interruptible(&event->readers, count_take(event, &value));
		if (error)
			return error;
	}
	if (READ_ONCE(event->count)) /* a semaphore: something is left for the next one */
		wait_wake(&event->readers, 1);
	wait_wake(&event->writers, UINT32_MAX);
	poll_notify(&event->source, EV_OUT | EV_WRNORM);
	n = uio_copy_out(uio, &value, sizeof(value));
	return n == sizeof(value) ? n : -EFAULT;
}

static ssize_t eventfd_write(struct file *file, struct uio *uio, int64_t *pos)
{
	struct eventfd *event = eventfd_of(file);
	uint64_t value;
	int error;

	(void)pos;
	if (uio->resid < sizeof(value))
		return -EINVAL;
	if (uio_copy_in(uio, &value, sizeof(value)) != sizeof(value))
		return -EFAULT;
	if (value > COUNT_MAX)
		return -EINVAL;
	if (!count_add(event, value)) {
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		error = wait_event_interruptible(&event->writers, count_add(event, value));
		if (error)
			return error;
	}
	wait_wake(&event->readers, 1);
	poll_notify(&event->source, EV_IN | EV_RDNORM);
	return sizeof(value);
}

static unsigned eventfd_poll(struct file *file)
{
	uint64_t count = READ_ONCE(eventfd_of(file)->count);

	return (count ? EV_IN | EV_RDNORM : 0u) | (count < COUNT_MAX ? EV_OUT | EV_WRNORM : 0u);
}

static int eventfd_getattr(struct file *file, struct vnode_attr *attr)
{
	(void)file;
	return file_getattr_anonymous(attr, 0600);
}

static void eventfd_release(struct file *file)
{
	kfree(eventfd_of(file));
}

static const struct file_ops eventfd_ops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.getattr = eventfd_getattr,
	.release = eventfd_release,
};

int eventfd_create(uint64_t count, unsigned flags, struct file **out)
{
	struct eventfd *event = kzalloc(sizeof(*event));

	if (!event)
		return -ENOMEM;
	file_init(&event->file, &eventfd_ops, O_RDWR | (flags & EFD_NONBLOCK));
	spin_init(&event->lock, "eventfd");
	wait_queue_init(&event->readers);
	wait_queue_init(&event->writers);
	poll_source_init(&event->source);
	event->file.source = &event->source;
	event->file.name = "anon_inode:[eventfd]";
	event->count = count;
	event->semaphore = flags & EFD_SEMAPHORE;
	*out = &event->file;
	return 0;
}
