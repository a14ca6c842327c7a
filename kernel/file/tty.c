/* Terminals: open, read, write, poll. See tty.h. */
#include "kernel/file/tty.h"

#include "kernel/core/clock.h"
#include "kernel/file/abi.h"
#include "kernel/file/vnode.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"

#define CHUNK 512u

/* ---- Output ------------------------------------------------------------------------------------------------------ */

/* Longest text that one byte becomes. */
#define EXPANSION 2

void tty_output(struct tty *tty, const char *bytes, size_t len)
{
	uint32_t flags = tty->termios.oflag;
	char out[64];
	size_t n = 0;

	if (likely(!(flags & OPOST) || !(flags & (ONLCR | OCRNL)))) {
		tty->ops->write(tty, bytes, len);
		return;
	}
	for (; len; len--, bytes++) {
		char c = *bytes; /* NOLINT: of a write, uio_copy_in has filled them */

		if (c == '\n' && flags & ONLCR)
			out[n++] = '\r';
		out[n++] = c == '\r' && flags & OCRNL ? '\n' : c;
		if (n > sizeof(out) - EXPANSION) {
			tty->ops->write(tty, out, n);
			n = 0;
		}
	}
	if (n)
		tty->ops->write(tty, out, n);
}

void tty_stop(struct tty *tty, bool stopped)
{
	tty->stopped = stopped;
	if (stopped)
		return;
	wait_wake(&tty->writers, UINT32_MAX);
	poll_notify(&tty->source, EV_OUT | EV_WRNORM);
}

/* Until output may go on. */
static int wait_running(struct file *file, struct tty *tty)
{
	if (likely(!READ_ONCE(tty->stopped)))
		return 0;
	if (file->flags & O_NONBLOCK)
		return -EAGAIN;
	return wait_event_interruptible(&tty->writers, !READ_ONCE(tty->stopped));
}

static ssize_t write_chunks(struct file *file, struct tty *tty, struct uio *uio)
{
	char buf[CHUNK];
	size_t done = 0;

	while (uio->resid) {
		ssize_t n = wait_running(file, tty);

		if (!n)
			n = uio_copy_in(uio, buf, sizeof(buf));
		if (n <= 0)
			return done ? (ssize_t)done : n;
		tty_output(tty, buf, (size_t)n);
		done += (size_t)n;
		if (uio->resid && thread_is_interrupted())
			break;
	}
	return (ssize_t)done;
}

static ssize_t tty_write(struct file *file, struct uio *uio, int64_t *pos)
{
	struct tty *tty = tty_of(file);
	ssize_t done;

	(void)pos;
	if (likely(uio->resid <= CHUNK))
		return write_chunks(file, tty, uio);
	mutex_lock(&tty->output_lock);
	done = write_chunks(file, tty, uio);
	mutex_unlock(&tty->output_lock);
	return done;
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* Begins to listen. Before that no byte that was typed is kept: a program that never reads pays nothing. */
static void input_start(struct tty *tty)
{
	struct tty_ring *ring = NULL;

	mutex_lock(&tty->input_lock);
	if (!tty->ring && !tty->no_input) {
		ring = kzalloc(sizeof(*ring));
		if (ring) {
			__atomic_store_n(&tty->ring, ring, __ATOMIC_RELEASE);
			tty->no_input = tty->ops->input_start(tty) != 0;
		}
	}
	mutex_unlock(&tty->input_lock);
}

static bool is_canonical(const struct tty *tty)
{
	return tty->termios.lflag & ICANON;
}

/*
 * Takes up to LEN bytes. Canonical: not past the end of a line, and *LINE_END tells whether that is reached; the end of the
 * file is taken with what comes before it, or alone.
 */
static size_t take(struct tty *tty, char *buf, size_t len, bool *line_end)
{
	unsigned long irq = spin_lock_irqsave(&tty->lock);
	size_t n = 0;

	*line_end = false;
	while (tty->tail != tty->ready) {
		char c = tty->ring->bytes[tty->tail % TTY_RING];
		bool end = is_canonical(tty) && tty_is_end(tty->ring, tty->tail);

		if (n == len && !(end && !c))
			break;
		tty->tail++;
		if (!(end && !c))
			buf[n++] = c;
		*line_end = end;
		if (end)
			break;
	}
	spin_unlock_irqrestore(&tty->lock, irq);
	return n;
}

static uint32_t nr_ready(const struct tty *tty)
{
	return READ_ONCE(tty->ready) - READ_ONCE(tty->tail);
}

/* How many bytes there must be for read(2) to return, of LEN asked for: termios(3), "Canonical and noncanonical mode". */
static uint32_t nr_needed(const struct tty *tty, size_t len)
{
	if (is_canonical(tty) || !tty->termios.cc[VMIN])
		return 1;
	return (uint32_t)MIN((size_t)tty->termios.cc[VMIN], len);
}

/* Raw mode with a timer: for the first byte (VMIN 0), or from each byte to the next. 0, -ERESTARTSYS. */
static int wait_timed(struct tty *tty, uint32_t needed)
{
	uint64_t tenths = tty->termios.cc[VTIME];
	uint32_t seen = nr_ready(tty);
	int error = 0;

	if (!seen && tty->termios.cc[VMIN])
		error = wait_event_interruptible(&tty->readers, nr_ready(tty));
	while (!error && (seen = nr_ready(tty)) < needed) {
		uint64_t deadline = clock_monotonic() + tenths * 100 * NSEC_PER_MSEC;

		error = wait_event_interruptible_timeout(&tty->readers, nr_ready(tty) != seen, deadline);
		if (error == -ETIMEDOUT)
			return 0;
	}
	return error;
}

/* Raw mode that returns without a byte when there is none. */
static bool may_be_empty(const struct tty *tty)
{
	return !is_canonical(tty) && !tty->termios.cc[VMIN];
}

/* Until something can be read. 0 (perhaps nothing: the time is up), -EAGAIN, -ERESTARTSYS. */
static int wait_input(struct file *file, struct tty *tty, size_t len)
{
	uint32_t needed = nr_needed(tty, len);
	bool raw = !is_canonical(tty);

	if (nr_ready(tty) >= needed || (may_be_empty(tty) && !tty->termios.cc[VTIME]))
		return 0;
	if (file->flags & O_NONBLOCK)
		return nr_ready(tty) ? 0 : -EAGAIN;
	if (raw && tty->termios.cc[VTIME])
		return wait_timed(tty, needed);
	return wait_event_interruptible(&tty->readers, nr_ready(tty) >= nr_needed(tty, len));
}

static ssize_t tty_read(struct file *file, struct uio *uio, int64_t *pos)
{
	struct tty *tty = tty_of(file);
	char buf[CHUNK];
	size_t done = 0;
	bool line_end;
	int error;

	(void)pos;
	if (!uio->resid)
		return 0;
	if (unlikely(!READ_ONCE(tty->ring)))
		input_start(tty);
	if (!tty->ring)
		return -ENOMEM;
	if (tty->no_input)
		return 0;
again:
	error = wait_input(file, tty, uio->resid);
	if (error)
		return error;
	do {
		size_t len = take(tty, buf, MIN(uio->resid, sizeof(buf)), &line_end);
		ssize_t n = len ? uio_copy_out(uio, buf, len) : 0;

		if (!len && !line_end && !done && !may_be_empty(tty))
			goto again; /* another thread was faster */
		if (n < 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
		if ((size_t)n < sizeof(buf))
			break;
	} while (uio->resid && !line_end);
	return (ssize_t)done;
}

static unsigned tty_poll(struct file *file)
{
	struct tty *tty = tty_of(file);
	bool raw_min = !is_canonical(tty) && !tty->termios.cc[VTIME];
	unsigned events = tty->stopped ? 0 : EV_OUT | EV_WRNORM;

	/* The first look of whoever begins to watch is a thread's, which may sleep; later ones are any context's. */
	if (unlikely(!READ_ONCE(tty->ring)) && arch_irq_is_enabled() && !percpu_read(preempt_count))
		input_start(tty);
	if (READ_ONCE(tty->no_input) || nr_ready(tty) >= (raw_min ? MAX((uint32_t)tty->termios.cc[VMIN], 1u) : 1u))
		events |= EV_IN | EV_RDNORM;
	return events;
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

static int tty_getattr(struct file *file, struct vnode_attr *attr)
{
	if (file->vnode)
		return vnode_getattr(file->vnode, attr);
	tty_of(file)->ops->getattr(tty_of(file), attr);
	return 0;
}

static void tty_release(struct file *file)
{
	kfree(container_of(file, struct tty_file, file));
}

static const struct file_ops tty_file_ops = {
	.read = tty_read,
	.write = tty_write,
	.poll = tty_poll,
	.ioctl = tty_ioctl,
	.getattr = tty_getattr,
	.release = tty_release,
};

int tty_open(struct tty *tty, unsigned flags, struct file **out)
{
	struct tty_file *file = kzalloc(sizeof(*file));

	if (!file)
		return -ENOMEM;
	file_init(&file->file, &tty_file_ops, flags);
	file->file.source = &tty->source;
	file->file.name = tty->name;
	file->tty = tty;
	*out = &file->file;
	return 0;
}

void tty_init(struct tty *tty, const struct tty_ops *ops, const char *name)
{
	tty->ops = ops;
	tty->name = name;
	tty->termios = (struct linux_termios){
		.iflag = ICRNL | IXON,
		.oflag = OPOST,
		.cflag = B38400 | CS8 | CREAD | HUPCL,
		.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
		.cc = { [VINTR] = 3,
			[VQUIT] = 28,
			[VERASE] = 127,
			[VKILL] = 21,
			[VEOF] = 4,
			[VMIN] = 1,
			[VSTART] = 17,
			[VSTOP] = 19,
			[VSUSP] = 26,
			[VREPRINT] = 18,
			[VDISCARD] = 15,
			[VWERASE] = 23,
			[VLNEXT] = 22 },
	};
	spin_init(&tty->lock, "tty");
	wait_queue_init(&tty->readers);
	wait_queue_init(&tty->writers);
	poll_source_init(&tty->source);
	mutex_init(&tty->input_lock, "tty_input");
	mutex_init(&tty->output_lock, "tty_output");
}
