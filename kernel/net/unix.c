/* See unix.h. */
#include "kernel/net/unix.h"

#include "kernel/file/vnode.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/user.h"

#define QUEUE_MAX 212992u /* bytes that wait in one direction: Linux's net.core.wmem_default */
#define CHUNK_MAX 32768u  /* of a stream, in one message */
#define IN_EVENTS (EV_IN | EV_RDNORM)
#define OUT_EVENTS (EV_OUT | EV_WRNORM)

struct message {
	struct list link;
	size_t off, len; /* left: [off, len) */
	struct unix_rights *rights;
	char data[];
};

struct unix_end {
	struct file file;
	struct unix_pair *pair;
	struct mutex read_lock; /* readers one by one: keeps the order of bytes; before pair->lock */
	struct list queue;	/* struct message.link: what this end has not read yet */
	size_t queued;
	bool no_more;			    /* nothing comes to the queue any more */
	bool is_closed;			    /* released */
	struct wait_queue readers, writers; /* writers: of the other end, which want room in this queue */
	struct poll_source source;
};

/* Goes with the second end. */
struct unix_pair {
	struct spinlock lock; /* covers queues, queued, no_more, is_closed of both ends */
	uint32_t refs;	      /* atomic */
	int type;
	struct unix_end ends[2];
};

static struct unix_end *end_of(struct file *file)
{
	return container_of(file, struct unix_end, file);
}

static struct unix_end *peer_of(struct unix_end *end)
{
	return &end->pair->ends[end == &end->pair->ends[0]];
}

struct unix_rights *unix_rights_alloc(unsigned nr)
{
	struct unix_rights *rights = kzalloc(sizeof(*rights) + nr * sizeof(struct file *));

	if (rights)
		rights->nr = nr;
	return rights;
}

void unix_rights_free(struct unix_rights *rights)
{
	if (!rights)
		return;
	for (unsigned i = 0; i < rights->nr; i++)
		if (rights->files[i])
			file_put(rights->files[i]);
	kfree(rights);
}

static void message_free(struct message *message)
{
	unix_rights_free(message->rights);
	kfree(message);
}

/* ---- Sending ---------------------------------------------------------------------------------------------------- */

static bool has_room(const struct unix_end *to)
{
	return READ_ONCE(to->no_more) || READ_ONCE(to->queued) < QUEUE_MAX;
}

/* -EPIPE, of a datagram whose socket was closed -ECONNREFUSED: nobody will read it. */
static int message_push(struct unix_end *to, struct message *message)
{
	int error = 0;

	spin_lock(&to->pair->lock);
	if (to->no_more) {
		error = to->is_closed && to->pair->type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;
	} else {
		list_push_back(&to->queue, &message->link);
		WRITE_ONCE(to->queued, to->queued + message->len);
	}
	spin_unlock(&to->pair->lock);
	if (error)
		return error;
	wait_wake(&to->readers, 1);
	poll_notify(&to->source, IN_EVENTS);
	return 0;
}

/* One message of up to LEN bytes. Bytes, or an error; *RIGHTS goes along. */
static ssize_t message_send(struct unix_end *to, struct uio *uio, size_t len, struct unix_rights **rights)
{
	struct message *message = kmalloc(sizeof(*message) + len);
	ssize_t n;
	int error;

	if (!message)
		return -ENOMEM;
	*message = (struct message){ .len = len };
	n = len ? uio_copy_in(uio, message->data, len) : 0;
	if (n < 0 || (size_t)n < len) {
		kfree(message);
		return -EFAULT;
	}
	if (rights)
		message->rights = *rights;
	error = message_push(to, message);
	if (error) {
		kfree(message);
		return error;
	}
	if (rights)
		*rights = NULL;
	return n;
}

ssize_t unix_send(struct file *file, struct uio *uio, unsigned flags, struct unix_rights **rights)
{
	struct unix_end *to = peer_of(end_of(file));
	bool stream = to->pair->type == SOCK_STREAM;
	bool nonblock = file->flags & O_NONBLOCK || flags & MSG_DONTWAIT;
	ssize_t done = 0, n;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (!stream && uio->resid > QUEUE_MAX)
		return -EMSGSIZE;
	if (stream && !uio->resid)
		return 0;
	do {
		n = 0;
		if (!has_room(to))
			n = nonblock ? -EAGAIN : wait_event_interruptible(&to->writers, has_room(to));
		if (!n)
			n = message_send(to, uio, stream ? MIN(uio->resid, (size_t)CHUNK_MAX) : uio->resid, rights);
		if (n < 0)
			return done ? done : n;
		done += n;
	} while (uio->resid);
	return done;
}

/* ---- Receiving -------------------------------------------------------------------------------------------------- */

static struct message *first(const struct unix_end *end)
{
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed had been removed */
	return list_is_empty(&end->queue) ? NULL : list_entry(end->queue.next, struct message, link);
}

/* N bytes of the first message were read; ALL: and what is left of it is lost. */
static void message_used(struct unix_end *end, struct message *message, size_t n, bool all)
{
	bool was_full, gone;

	spin_lock(&end->pair->lock);
	was_full = end->queued >= QUEUE_MAX;
	gone = all || message->off + n == message->len;
	n = gone ? message->len - message->off : n;
	message->off += n;
	WRITE_ONCE(end->queued, end->queued - n);
	if (gone)
		list_remove(&message->link);
	was_full = was_full && end->queued < QUEUE_MAX;
	spin_unlock(&end->pair->lock);
	if (gone)
		message_free(message);
	if (was_full)
		wait_wake(&end->writers, UINT32_MAX);
	if (gone)
		poll_notify(&peer_of(end)->source, OUT_EVENTS);
}

static void rights_take(struct message *message, unsigned flags, struct unix_rights **rights)
{
	if (!rights || flags & MSG_PEEK)
		return;
	*rights = message->rights;
	message->rights = NULL;
}

/* Datagrams and packets: one of them, cut to what fits. */
static ssize_t packet_recv(struct unix_end *end, struct uio *uio, unsigned flags, struct unix_rights **rights,
			   unsigned *out_flags)
{
	struct message *message = first(end);
	size_t len = message->len;
	ssize_t n = len ? uio_copy_out(uio, message->data, len) : 0;

	if (n < 0)
		return n;
	if ((size_t)n < len)
		*out_flags |= MSG_TRUNC;
	rights_take(message, flags, rights);
	if (!(flags & MSG_PEEK))
		message_used(end, message, (size_t)n, true);
	return flags & MSG_TRUNC ? (ssize_t)len : n;
}

/* What is there, up to the next message that brings files along. */
static ssize_t stream_recv(struct unix_end *end, struct uio *uio, unsigned flags, struct unix_rights **rights)
{
	struct message *message;
	ssize_t done = 0, n;
	bool had_rights = false;

	while (uio->resid && !had_rights && (message = first(end))) {
		if (done && message->rights)
			break;
		n = uio_copy_out(uio, message->data + message->off, message->len - message->off);
		if (n < 0)
			return done ? done : n;
		done += n;
		had_rights = message->rights;
		if (flags & MSG_PEEK) /* of the first message only */
			break;
		rights_take(message, flags, rights);
		message_used(end, message, (size_t)n, false);
	}
	return done;
}

static bool has_data(struct unix_end *end)
{
	return READ_ONCE(end->queue.next) != &end->queue || READ_ONCE(end->no_more);
}

static ssize_t recv_once(struct unix_end *end, struct uio *uio, unsigned flags, struct unix_rights **rights,
			 unsigned *out_flags)
{
	bool nonblock = end->file.flags & O_NONBLOCK || flags & MSG_DONTWAIT;
	ssize_t n;

	for (;;) {
		if (!has_data(end)) {
			n = nonblock ? -EAGAIN : wait_event_interruptible(&end->readers, has_data(end));
			if (n)
				return n;
		}
		mutex_lock(&end->read_lock);
		n = -EAGAIN;
		if (first(end) && end->pair->type == SOCK_STREAM)
			n = stream_recv(end, uio, flags, rights);
		else if (first(end))
			n = packet_recv(end, uio, flags, rights, out_flags);
		else if (READ_ONCE(end->no_more))
			n = 0;
		mutex_unlock(&end->read_lock);
		if (first(end))
			wait_wake(&end->readers, 1);
		if (n != -EAGAIN || nonblock)
			return n;
	}
}

ssize_t unix_recv(struct file *file, struct uio *uio, unsigned flags, struct unix_rights **rights, unsigned *out_flags)
{
	struct unix_end *end = end_of(file);
	bool stream = end->pair->type == SOCK_STREAM;
	ssize_t done = 0, n;

	*out_flags = 0;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (stream && !uio->resid)
		return 0;
	do {
		n = recv_once(end, uio, flags, rights, out_flags);
		if (n <= 0)
			return done ? done : n;
		done += n;
	} while (stream && flags & MSG_WAITALL && !(flags & MSG_PEEK) && uio->resid && !(rights && *rights));
	return done;
}

/* ---- The ends --------------------------------------------------------------------------------------------------- */

/* Nothing more comes to END: its readers find the end, writers to it a broken pipe. */
static void end_finish(struct unix_end *end)
{
	spin_lock(&end->pair->lock);
	WRITE_ONCE(end->no_more, true);
	spin_unlock(&end->pair->lock);
	wait_wake(&end->readers, UINT32_MAX);
	wait_wake(&end->writers, UINT32_MAX);
	poll_notify(&end->source, IN_EVENTS | EV_RDHUP | EV_HUP);
	poll_notify(&peer_of(end)->source, OUT_EVENTS | EV_HUP);
}

void unix_shutdown(struct file *file, int how)
{
	struct unix_end *end = end_of(file);

	if (how != SHUT_WR)
		end_finish(end);
	if (how != SHUT_RD)
		end_finish(peer_of(end));
}

static unsigned unix_poll(struct file *file)
{
	struct unix_end *end = end_of(file), *peer = peer_of(end);
	unsigned events = 0;

	if (has_data(end))
		events |= IN_EVENTS;
	if (READ_ONCE(end->no_more))
		events |= EV_RDHUP;
	if ((READ_ONCE(end->no_more) && READ_ONCE(peer->no_more)) || READ_ONCE(peer->is_closed))
		events |= EV_HUP;
	if (has_room(peer))
		events |= OUT_EVENTS;
	return events;
}

static ssize_t unix_read(struct file *file, struct uio *uio, int64_t *pos)
{
	unsigned out_flags;

	(void)pos;
	return unix_recv(file, uio, 0, NULL, &out_flags);
}

static ssize_t unix_write(struct file *file, struct uio *uio, int64_t *pos)
{
	(void)pos;
	return unix_send(file, uio, 0, NULL);
}

static long unix_ioctl(struct file *file, unsigned request, unsigned long arg)
{
	struct unix_end *end = end_of(file);
	struct message *message;
	uint32_t bytes;

	if (request != FIONREAD)
		return -ENOTTY;
	spin_lock(&end->pair->lock);
	message = first(end);
	bytes = (uint32_t)end->queued;
	if (end->pair->type != SOCK_STREAM)
		bytes = message ? (uint32_t)message->len : 0;
	spin_unlock(&end->pair->lock);
	return user_range_is_valid((void *)arg, sizeof(bytes)) ? user_write((void *)arg, &bytes, sizeof(bytes))
							       : -EFAULT;
}

static int unix_getattr(struct file *file, struct vnode_attr *attr)
{
	file_getattr_anonymous(attr, S_IFSOCK | 0777);
	attr->ino = (uintptr_t)file >> 4 & UINT32_MAX;
	return 0;
}

static void unix_release(struct file *file)
{
	struct unix_end *end = end_of(file);
	struct unix_pair *pair = end->pair;
	struct list *link;

	WRITE_ONCE(end->is_closed, true);
	end_finish(end);
	end_finish(peer_of(end));
	while ((link = list_pop_front(&end->queue)))
		message_free(list_entry(link, struct message, link));
	if (__atomic_fetch_sub(&pair->refs, 1, __ATOMIC_ACQ_REL) == 1)
		kfree(pair);
}

static const struct file_ops unix_ops = {
	.read = unix_read,
	.write = unix_write,
	.poll = unix_poll,
	.ioctl = unix_ioctl,
	.getattr = unix_getattr,
	.release = unix_release,
};

bool file_is_unix(const struct file *file)
{
	return file->ops == &unix_ops;
}

int unix_type(const struct file *file)
{
	return container_of(file, const struct unix_end, file)->pair->type;
}

int unix_pair_create(int type, unsigned flags, struct file *out[2])
{
	struct unix_pair *pair = kzalloc(sizeof(*pair));

	if (!pair)
		return -ENOMEM;
	spin_init(&pair->lock, "unix");
	pair->refs = 2;
	pair->type = type;
	for (unsigned i = 0; i < 2; i++) {
		struct unix_end *end = &pair->ends[i];

		file_init(&end->file, &unix_ops, O_RDWR | (flags & O_NONBLOCK));
		end->pair = pair;
		mutex_init(&end->read_lock, "unix_read");
		list_init(&end->queue);
		wait_queue_init(&end->readers);
		wait_queue_init(&end->writers);
		poll_source_init(&end->source);
		end->file.source = &end->source;
		end->file.name = "socket:";
		out[i] = &end->file;
	}
	return 0;
}
