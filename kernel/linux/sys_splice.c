/* sendfile(2), splice(2), tee(2), vmsplice(2), copy_file_range(2). */
#include "kernel/file/pipe.h"
#include "kernel/file/splice.h"
#include "kernel/file/vnode.h"
#include "kernel/linux/fd.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/user_copy.h"

#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

/* From where to where. */
struct route {
	struct fd_ref in, out;
	int64_t *user_in_pos, *user_out_pos;
	int64_t in_pos, out_pos; /* what they point to; used if they are not NULL */
};

static int64_t *in_pos(struct route *route)
{
	return route->user_in_pos ? &route->in_pos : NULL;
}

static int64_t *out_pos(struct route *route)
{
	return route->user_out_pos ? &route->out_pos : NULL;
}

static void route_end(struct route *route)
{
	if (route->in.file)
		fd_ref_put(route->in);
	if (route->out.file)
		fd_ref_put(route->out);
}

static int pos_read(struct file *file, const int64_t *user, int64_t *pos)
{
	if (!user)
		return 0;
	if (!file->ops->seek)
		return -ESPIPE;
	if (copy_in(pos, user, sizeof(*pos)))
		return -EFAULT;
	return *pos < 0 ? -EINVAL : 0;
}

/* Both files, open for it, and their positions. route_end in any case. */
static int route_begin(struct route *route, unsigned in_fd, int64_t *user_in_pos, unsigned out_fd,
		       int64_t *user_out_pos)
{
	int error;

	*route = (struct route){ .user_in_pos = user_in_pos, .user_out_pos = user_out_pos };
	route->in = fd_borrow_open(in_fd);
	route->out = fd_borrow_open(out_fd);
	if (!route->in.file || !route->out.file || !file_is_readable(route->in.file) ||
	    !file_is_writable(route->out.file))
		return -EBADF;
	error = pos_read(route->in.file, user_in_pos, &route->in_pos);
	return error ? error : pos_read(route->out.file, user_out_pos, &route->out_pos);
}

/* N: what was transferred. */
static long positions_write(struct route *route, long n)
{
	if (n > 0 && route->user_in_pos && user_write(route->user_in_pos, &route->in_pos, sizeof(int64_t)))
		return -EFAULT;
	if (n > 0 && route->user_out_pos && user_write(route->user_out_pos, &route->out_pos, sizeof(int64_t)))
		return -EFAULT;
	return n;
}

long sys_sendfile(unsigned out_fd, unsigned in_fd, int64_t *offset, size_t count)
{
	struct route route;
	long n = route_begin(&route, in_fd, offset, out_fd, NULL);

	count = MIN(count, (size_t)RW_COUNT_MAX);
	if (!n && (!route.in.file->ops->seek || route.out.file->flags & O_APPEND))
		n = -EINVAL;
	if (!n && pipe_of(route.out.file))
		n = splice_to_pipe(route.in.file, in_pos(&route), route.out.file, count,
				   route.out.file->flags & O_NONBLOCK);
	else if (!n)
		n = splice_copy(route.in.file, in_pos(&route), route.out.file, NULL, count);
	n = positions_write(&route, n);
	route_end(&route);
	return write_check(n);
}

static int copy_check(const struct route *route, size_t len)
{
	const struct vnode *in = route->in.file->vnode, *out = route->out.file->vnode;
	int64_t from = route->user_in_pos ? route->in_pos : route->in.file->pos;
	int64_t to = route->user_out_pos ? route->out_pos : route->out.file->pos;

	if ((in && S_ISDIR(in->mode)) || (out && S_ISDIR(out->mode)))
		return -EISDIR;
	if (!in || !out || !S_ISREG(in->mode) || !S_ISREG(out->mode))
		return -EINVAL;
	if (route->out.file->flags & O_APPEND)
		return -EBADF;
	if (len > INT64_MAX || from > INT64_MAX - (int64_t)len || to > INT64_MAX - (int64_t)len)
		return -EOVERFLOW;
	if (in == out && from < to + (int64_t)len && to < from + (int64_t)len && len)
		return -EINVAL;
	return 0;
}

long sys_copy_file_range(unsigned in_fd, int64_t *in_off, unsigned out_fd, int64_t *out_off, size_t len, unsigned flags)
{
	struct route route;
	long n = route_begin(&route, in_fd, in_off, out_fd, out_off);

	if (!n && flags)
		n = -EINVAL;
	if (!n)
		n = copy_check(&route, len);
	if (!n)
		n = splice_copy(route.in.file, in_pos(&route), route.out.file, out_pos(&route),
				MIN(len, (size_t)RW_COUNT_MAX));
	n = positions_write(&route, n);
	route_end(&route);
	return n;
}

static long splice(struct route *route, size_t len, bool nonblock)
{
	struct file *in = route->in.file, *out = route->out.file;
	struct pipe *in_pipe = pipe_of(in), *out_pipe = pipe_of(out);

	nonblock = nonblock || (in_pipe && in->flags & O_NONBLOCK) || (out_pipe && out->flags & O_NONBLOCK);
	if (in_pipe && out_pipe)
		return in_pipe == out_pipe ? -EINVAL : splice_pipes(in, out, len, false, nonblock);
	if (out_pipe)
		return splice_to_pipe(in, in_pos(route), out, len, nonblock);
	if (!in_pipe || out->flags & O_APPEND)
		return -EINVAL;
	return splice_from_pipe(in, out, out_pos(route), len, nonblock);
}

long sys_splice(unsigned in_fd, int64_t *in_off, unsigned out_fd, int64_t *out_off, size_t len, unsigned flags)
{
	struct route route;
	long n;

	if (!len)
		return 0;
	if (flags & ~(unsigned)SPLICE_FLAGS)
		return -EINVAL;
	n = route_begin(&route, in_fd, in_off, out_fd, out_off);
	if (!n)
		n = splice(&route, MIN(len, (size_t)RW_COUNT_MAX), flags & SPLICE_F_NONBLOCK);
	n = positions_write(&route, n);
	route_end(&route);
	return write_check(n);
}

long sys_tee(unsigned in_fd, unsigned out_fd, size_t len, unsigned flags)
{
	struct route route;
	long n;

	if (flags & ~(unsigned)SPLICE_FLAGS)
		return -EINVAL;
	if (!len)
		return 0;
	n = route_begin(&route, in_fd, NULL, out_fd, NULL);
	if (!n &&
	    (!pipe_of(route.in.file) || !pipe_of(route.out.file) || pipe_of(route.in.file) == pipe_of(route.out.file)))
		n = -EINVAL;
	if (!n)
		n = splice_pipes(route.in.file, route.out.file, len, true,
				 flags & SPLICE_F_NONBLOCK || route.in.file->flags & O_NONBLOCK);
	route_end(&route);
	return write_check(n);
}

/* The application's pages are copied: it may write to them afterwards. */
long sys_vmsplice(unsigned fd, const struct iovec *iov, size_t iovcnt, unsigned flags)
{
	struct fd_ref ref;
	struct iov_list list;
	struct uio uio;
	long n;

	if (flags & ~(unsigned)SPLICE_FLAGS)
		return -EINVAL;
	ref = fd_borrow_open(fd);
	if (!ref.file)
		return -EBADF;
	n = pipe_of(ref.file) ? iov_list_read(&list, &uio, iov, iovcnt) : -EBADF;
	if (!n) {
		n = file_is_writable(ref.file) ? file_write(ref.file, &uio, NULL) : file_read(ref.file, &uio, NULL);
		iov_list_free(&list);
	}
	fd_ref_put(ref);
	return write_check(n);
}
