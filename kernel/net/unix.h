/*
 * Pairs of connected sockets in the machine (unix(7), socketpair(2)): bytes, datagrams or packets, with open files
 * that travel along (SCM_RIGHTS). Sockets with addresses are not here yet. A pair of which one end is queued in the
 * other, and that nobody has a descriptor of, is not found and freed.
 */
#ifndef KERNEL_NET_UNIX_H
#define KERNEL_NET_UNIX_H

#include "kernel/file/file.h"
#include "kernel/net/abi.h"

/* TYPE: SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET. FLAGS: O_NONBLOCK. 0, -ENOMEM. */
int unix_pair_create(int type, unsigned flags, struct file *out[2]);
bool file_is_unix(const struct file *file);
int unix_type(const struct file *file);

/* Open files on their way, each with a reference. */
struct unix_rights {
	unsigned nr;
	struct file *files[];
};
/* NR at most SCM_MAX_FD; all zero. NULL: no memory. Free puts the files. */
struct unix_rights *unix_rights_alloc(unsigned nr);
void unix_rights_free(struct unix_rights *rights);

/*
 * send(2), recv(2): FLAGS MSG_*. *RIGHTS: those to send, taken over when something was sent; those that came, which
 * the caller frees (RIGHTS NULL: they are dropped). *OUT_FLAGS: MSG_TRUNC, if a datagram was cut. Bytes; -EPIPE,
 * -EAGAIN, -EMSGSIZE, -EFAULT, -ENOMEM, -EOPNOTSUPP, -ERESTARTSYS.
 */
ssize_t unix_send(struct file *file, struct uio *uio, unsigned flags, struct unix_rights **rights);
ssize_t unix_recv(struct file *file, struct uio *uio, unsigned flags, struct unix_rights **rights, unsigned *out_flags);
/* shutdown(2): HOW SHUT_*. */
void unix_shutdown(struct file *file, int how);

#endif
