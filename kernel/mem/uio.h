/*
 * Where the bytes of a read go to or those of a write come from: a list of buffers, of the application or of the kernel,
 * and how far it has been worked through. Whoever makes one has checked the buffers' ranges (user_range_is_valid).
 */
#ifndef KERNEL_MEM_UIO_H
#define KERNEL_MEM_UIO_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/arch.h"
#include "lib/util.h"

/* Linux's struct iovec (readv(2)). */
struct iovec {
	void *base;
	size_t len;
};

struct uio {
	const struct iovec *iov; /* the buffer that is being worked on */
	size_t done;		 /* of it */
	size_t resid;		 /* bytes left in all buffers */
	uint64_t file_max;	 /* a regular file may not grow past it (RLIMIT_FSIZE; UINT64_MAX: none) */
};

/* One buffer; IOV is the caller's and stays as long as UIO. */
static inline void uio_init(struct uio *uio, struct iovec *iov, void *buf, size_t len)
{
	*iov = (struct iovec){ buf, len };
	*uio = (struct uio){ iov, 0, len, UINT64_MAX };
}

/*
 * Copies up to LEN bytes from SRC out to the buffers (of a read), or zeros; or from the buffers in to DST (of a write). How
 * many; less than MIN(LEN, resid) only where a buffer is not mapped, and -EFAULT when none could be copied because of that.
 * Threads only, no spinlock held: may sleep.
 */
ssize_t uio_copy_out(struct uio *uio, const void *src, size_t len);
ssize_t uio_zero_out(struct uio *uio, size_t len);
ssize_t uio_copy_in(struct uio *uio, void *dst, size_t len);

#endif
