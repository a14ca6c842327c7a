#include "kernel/mem/uio.h"

#include "lib/errno.h"

/* The step for the buffer at hand: at most LEN bytes at *AT; skips buffers that are full. resid > 0. */
static size_t buffer_at(struct uio *uio, size_t len, char **at)
{
	while (uio->done == uio->iov->len) {
		uio->iov++;
		uio->done = 0;
	}
	*at = (char *)uio->iov->base + uio->done;
	return MIN(len, uio->iov->len - uio->done);
}

static inline void advance(struct uio *uio, size_t n)
{
	uio->done += n;
	uio->resid -= n;
}

ssize_t uio_copy_out(struct uio *uio, const void *src, size_t len)
{
	size_t total = 0;

	len = MIN(len, uio->resid);
	while (total < len) {
		char *at;
		size_t n = buffer_at(uio, len - total, &at);
		size_t left = arch_copy_checked(at, (const char *)src + total, n);

		advance(uio, n - left);
		total += n - left;
		if (unlikely(left))
			return total ? (ssize_t)total : -EFAULT;
	}
	return (ssize_t)total;
}

ssize_t uio_zero_out(struct uio *uio, size_t len)
{
	size_t total = 0;

	len = MIN(len, uio->resid);
	while (total < len) {
		char *at;
		size_t n = buffer_at(uio, len - total, &at);
		size_t left = arch_clear_checked(at, n);

		advance(uio, n - left);
		total += n - left;
		if (unlikely(left))
			return total ? (ssize_t)total : -EFAULT;
	}
	return (ssize_t)total;
}

ssize_t uio_copy_in(struct uio *uio, void *dst, size_t len)
{
	size_t total = 0;

	len = MIN(len, uio->resid);
	while (total < len) {
		char *at;
		size_t n = buffer_at(uio, len - total, &at);
		size_t left = arch_copy_checked((char *)dst + total, at, n);

		advance(uio, n - left);
		total += n - left;
		if (unlikely(left))
			return total ? (ssize_t)total : -EFAULT;
	}
	return (ssize_t)total;
}
