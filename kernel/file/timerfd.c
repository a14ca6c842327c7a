/*
 * See timerfd.h. A timer with an interval fires once, and counts what else has passed when it is asked: nothing happens while
 * nobody reads it.
 */
#include "kernel/file/timerfd.h"

#include "kernel/core/clock.h"
#include "kernel/core/timer.h"
#include "kernel/mem/slab.h"

struct timerfd {
	struct file file;
	struct spinlock lock; /* covers the rest but waiters, source; taken in interrupts */
	struct timer timer;
	struct timerfd_setting setting; /* value: the next deadline, monotonic; 0: none */
	uint64_t ticks;			/* expirations that nobody has read */
	bool fired; /* the timer has, and is not armed again: setting.value is the deadline that passed */
	bool realtime;
	struct wait_queue waiters;
	struct poll_source source;
};

static struct timerfd *timerfd_of(struct file *file)
{
	return container_of(file, struct timerfd, file);
}

static void timerfd_fire(struct timer *timer)
{
	struct timerfd *fd = container_of(timer, struct timerfd, timer);
	unsigned long flags = spin_lock_irqsave(&fd->lock);
	bool due = fd->setting.value && !fd->fired && clock_monotonic() >= fd->setting.value;

	if (due) {
		fd->fired = true;
		WRITE_ONCE(fd->ticks, fd->ticks + 1);
		if (!fd->setting.interval)
			fd->setting.value = 0;
	}
	spin_unlock_irqrestore(&fd->lock, flags);
	if (!due)
		return;
	wait_wake(&fd->waiters, UINT32_MAX);
	poll_notify(&fd->source, EV_IN | EV_RDNORM);
}

/* Counts the intervals that have passed since the timer fired, and arms it for the next. */
static void catch_up_locked(struct timerfd *fd)
{
	uint64_t now, more;

	if (!fd->fired)
		return;
	fd->fired = false;
	if (!fd->setting.interval || !fd->setting.value)
		return;
	now = clock_monotonic();
	more = (now - fd->setting.value) / fd->setting.interval;
	WRITE_ONCE(fd->ticks, fd->ticks + more);
	fd->setting.value += (more + 1) * fd->setting.interval;
	timer_set(&fd->timer, fd->setting.value);
}

static bool ticks_take(struct timerfd *fd, uint64_t *ticks)
{
	unsigned long flags;

	if (!READ_ONCE(fd->ticks))
		return false;
	flags = spin_lock_irqsave(&fd->lock);
	if (fd->ticks)
		catch_up_locked(fd);
	*ticks = fd->ticks;
	WRITE_ONCE(fd->ticks, 0);
	spin_unlock_irqrestore(&fd->lock, flags);
	return *ticks;
}

static ssize_t timerfd_read(struct file *file, struct uio *uio, int64_t *pos)
{
	struct timerfd *fd = timerfd_of(file);
	uint64_t ticks;
	int error;

	(void)pos;
	if (uio->resid < sizeof(ticks))
		return -EINVAL;
	if (!ticks_take(fd, &ticks)) {
		if (file->flags & O_NONBLOCK)
			return -EAGAIN;
		error = wait_event_interruptible(&fd->waiters, ticks_take(fd, &ticks));
		if (error)
			return error;
	}
	return uio_copy_out(uio, &ticks, sizeof(ticks)) == sizeof(ticks) ? (ssize_t)sizeof(ticks) : -EFAULT;
}

static unsigned timerfd_poll(struct file *file)
{
	return READ_ONCE(timerfd_of(file)->ticks) ? EV_IN | EV_RDNORM : 0;
}

static void left_locked(struct timerfd *fd, struct timerfd_setting *left)
{
	uint64_t now = clock_monotonic(), next = fd->setting.value;

	*left = (struct timerfd_setting){ .interval = fd->setting.interval };
	if (!next)
		return;
	if (fd->fired && fd->setting.interval && now >= next)
		next += ((now - next) / fd->setting.interval + 1) * fd->setting.interval;
	left->value = next > now ? next - now : 1;
}

void timerfd_get(struct file *file, struct timerfd_setting *left)
{
	struct timerfd *fd = timerfd_of(file);
	unsigned long flags = spin_lock_irqsave(&fd->lock);

	left_locked(fd, left);
	spin_unlock_irqrestore(&fd->lock, flags);
}

void timerfd_set(struct file *file, uint64_t deadline, uint64_t interval, struct timerfd_setting *old)
{
	struct timerfd *fd = timerfd_of(file);
	unsigned long flags = spin_lock_irqsave(&fd->lock);

	left_locked(fd, old);
	fd->setting = (struct timerfd_setting){ interval, deadline };
	fd->fired = false;
	WRITE_ONCE(fd->ticks, 0);
	/* A fire of the old setting that runs already finds that the new one is not due. */
	if (deadline)
		timer_set(&fd->timer, deadline);
	else
		timer_cancel(&fd->timer);
	spin_unlock_irqrestore(&fd->lock, flags);
}

bool timerfd_is_realtime(const struct file *file)
{
	return container_of(file, const struct timerfd, file)->realtime;
}

static int timerfd_getattr(struct file *file, struct vnode_attr *attr)
{
	(void)file;
	return file_getattr_anonymous(attr, 0600);
}

static void timerfd_release(struct file *file)
{
	struct timerfd *fd = timerfd_of(file);

	timer_cancel_sync(&fd->timer);
	kfree(fd);
}

static const struct file_ops timerfd_ops = {
	.read = timerfd_read,
	.poll = timerfd_poll,
	.getattr = timerfd_getattr,
	.release = timerfd_release,
};

bool file_is_timerfd(const struct file *file)
{
	return file->ops == &timerfd_ops;
}

int timerfd_create(bool realtime, unsigned flags, struct file **out)
{
	struct timerfd *fd = kzalloc(sizeof(*fd));

	if (!fd)
		return -ENOMEM;
	file_init(&fd->file, &timerfd_ops, O_RDWR | (flags & O_NONBLOCK));
	spin_init(&fd->lock, "timerfd");
	timer_init(&fd->timer, timerfd_fire);
	wait_queue_init(&fd->waiters);
	poll_source_init(&fd->source);
	fd->realtime = realtime;
	fd->file.source = &fd->source;
	fd->file.name = "anon_inode:[timerfd]";
	*out = &fd->file;
	return 0;
}
