/* Sockets, so far pairs of them: socketpair(2), sendmsg(2), recvmsg(2) and their kin. */
#include "kernel/linux/fd.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/user_copy.h"
#include "kernel/mem/slab.h"
#include "kernel/net/unix.h"

#define CONTROL_MAX 20480u /* Linux's net.core.optmem_max */
#define CMSG_ALIGN(len) ALIGN_UP((size_t)(len), 8)

_Static_assert(SOCK_CLOEXEC == O_CLOEXEC && SOCK_NONBLOCK == O_NONBLOCK, "socket(2)");

/* The socket of FD; its file NULL: *ERROR says why. */
static struct fd_ref socket_borrow(unsigned fd, long *error)
{
	struct fd_ref ref = fd_borrow_open(fd);

	*error = -EBADF;
	if (ref.file && !file_is_unix(ref.file)) {
		fd_ref_put(ref);
		ref.file = NULL;
		*error = -ENOTSOCK;
	}
	return ref;
}

/* Addresses are not there yet: nobody could be connected to. */
long sys_socket(int domain, int type, int protocol)
{
	(void)domain, (void)type, (void)protocol;
	return -EAFNOSUPPORT;
}

long sys_socketpair(int domain, int type, int protocol, int *user_fds)
{
	unsigned flags = (unsigned)type & ~(unsigned)SOCK_TYPE_MASK;
	struct file *files[2];
	int error;

	type &= SOCK_TYPE_MASK;
	if (flags & ~(unsigned)(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	if (domain != AF_UNIX)
		return -EAFNOSUPPORT;
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	error = unix_pair_create(type, flags, files);
	return error ? error : fd_install_pair(files, flags, user_fds);
}

/* ---- One buffer ------------------------------------------------------------------------------------------------- */

/* SIGPIPE is for streams and packets, and for those who want it. */
static long send_result(long n, unsigned flags)
{
	return flags & MSG_NOSIGNAL ? n : write_check(n);
}

long sys_sendto(unsigned fd, const void *buf, size_t len, unsigned flags, const struct linux_sockaddr *addr,
		int addrlen)
{
	struct iovec iov;
	struct uio uio;
	long n;
	struct fd_ref ref = socket_borrow(fd, &n);

	if (!ref.file)
		return n;
	n = addr && addrlen ? -EISCONN : 0;
	if (!n && !user_range_is_valid(buf, len))
		n = -EFAULT;
	if (!n) {
		uio_init(&uio, &iov, (void *)buf, MIN(len, (size_t)RW_COUNT_MAX));
		n = unix_send(ref.file, &uio, flags, NULL);
	}
	fd_ref_put(ref);
	return send_result(n, flags);
}

/* Those who come from a pair have no address. */
static int no_address(int *user_addrlen)
{
	int none = 0;

	return user_addrlen ? copy_out(user_addrlen, &none, sizeof(none)) : 0;
}

long sys_recvfrom(unsigned fd, void *buf, size_t len, unsigned flags, struct linux_sockaddr *addr, int *addrlen)
{
	unsigned out_flags;
	struct iovec iov;
	struct uio uio;
	long n;
	struct fd_ref ref = socket_borrow(fd, &n);

	if (!ref.file)
		return n;
	n = user_range_is_valid(buf, len) ? 0 : -EFAULT;
	if (!n) {
		uio_init(&uio, &iov, buf, MIN(len, (size_t)RW_COUNT_MAX));
		n = unix_recv(ref.file, &uio, flags, NULL, &out_flags);
	}
	fd_ref_put(ref);
	return n >= 0 && addr && no_address(addrlen) ? -EFAULT : n;
}

/* ---- Messages --------------------------------------------------------------------------------------------------- */

/* The files of NR descriptors at FDS. 0, -EBADF, -EINVAL, -ENOMEM. */
static int rights_make(const int *fds, size_t nr, struct unix_rights **out)
{
	struct unix_rights *rights;

	if (nr > SCM_MAX_FD || *out)
		return -EINVAL;
	rights = unix_rights_alloc((unsigned)nr);
	if (!rights)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		rights->files[i] = fdtable_file(process_current()->files, (unsigned)fds[i]);
		if (!rights->files[i]) {
			unix_rights_free(rights);
			return -EBADF;
		}
	}
	*out = rights;
	return 0;
}

static int control_parse(const char *control, size_t len, struct unix_rights **rights)
{
	size_t off = 0;

	while (len - off >= sizeof(struct linux_cmsghdr)) {
		const struct linux_cmsghdr *header = (const struct linux_cmsghdr *)(control + off);
		size_t data_len = header->len - sizeof(*header);
		int error;

		if (header->len < sizeof(*header) || header->len > len - off)
			return -EINVAL;
		if (header->level == SOL_SOCKET && header->type == SCM_RIGHTS && data_len >= sizeof(int)) {
			error = rights_make((const int *)(header + 1), data_len / sizeof(int), rights);
			if (error)
				return error;
		} else if (header->level == SOL_SOCKET && header->type != SCM_RIGHTS && header->type != 2) {
			return -EINVAL;
		}
		off += MIN(CMSG_ALIGN(header->len), len - off);
	}
	return 0;
}

static int control_read(const struct linux_msghdr *msg, struct unix_rights **rights)
{
	size_t len = msg->controllen;
	char *control;
	int error;

	if (!len || !msg->control)
		return 0;
	if (len > CONTROL_MAX)
		return -ENOBUFS;
	control = kmalloc(len);
	if (!control)
		return -ENOMEM;
	error = copy_in(control, (const void *)msg->control, len);
	if (!error)
		error = control_parse(control, len, rights);
	kfree(control);
	return error;
}

static long message_send(struct file *file, const struct linux_msghdr *user_msg, unsigned flags)
{
	struct unix_rights *rights = NULL;
	struct linux_msghdr msg;
	struct iov_list list;
	struct uio uio;
	long n;

	if (copy_in(&msg, user_msg, sizeof(msg)))
		return -EFAULT;
	if (msg.iovlen > IOV_MAX)
		return -EMSGSIZE;
	if (msg.name && msg.namelen)
		return -EISCONN;
	n = control_read(&msg, &rights);
	if (!n)
		n = iov_list_read(&list, &uio, (const struct iovec *)msg.iov, msg.iovlen);
	if (!n) {
		n = unix_send(file, &uio, flags, &rights);
		iov_list_free(&list);
	}
	unix_rights_free(rights);
	return n;
}

long sys_sendmsg(unsigned fd, const struct linux_msghdr *msg, unsigned flags)
{
	long n;
	struct fd_ref ref = socket_borrow(fd, &n);

	if (!ref.file)
		return n;
	n = message_send(ref.file, msg, flags);
	fd_ref_put(ref);
	return send_result(n, flags);
}

/* Descriptors for the files that came, as many as MSG has room for; MSG_CTRUNC when that is not all. */
static int rights_deliver(struct unix_rights *rights, unsigned flags, struct linux_msghdr *msg)
{
	struct linux_cmsghdr header = { 0, SOL_SOCKET, SCM_RIGHTS };
	size_t room = msg->control ? msg->controllen : 0;
	unsigned nr = 0;
	int *fds = (int *)(msg->control + sizeof(header));

	msg->controllen = 0;
	if (!rights)
		return 0;
	room = room > sizeof(header) ? (room - sizeof(header)) / sizeof(int) : 0;
	for (; nr < rights->nr && nr < room; nr++) {
		long fd;

		file_get(rights->files[nr]);
		fd = fd_install(rights->files[nr], flags & MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0);
		if (fd < 0)
			break;
		if (copy_out(&fds[nr], &(int){ (int)fd }, sizeof(int))) {
			fdtable_close(process_current()->files, (unsigned)fd);
			return -EFAULT;
		}
	}
	if (nr < rights->nr)
		msg->flags |= MSG_CTRUNC;
	if (!nr)
		return 0;
	header.len = sizeof(header) + nr * sizeof(int);
	msg->controllen = CMSG_ALIGN(header.len);
	return copy_out((void *)msg->control, &header, sizeof(header));
}

static long message_recv(struct file *file, struct linux_msghdr *user_msg, unsigned flags)
{
	struct unix_rights *rights = NULL;
	struct linux_msghdr msg;
	struct iov_list list;
	struct uio uio;
	unsigned out_flags;
	long n;

	if (copy_in(&msg, user_msg, sizeof(msg)))
		return -EFAULT;
	if (msg.iovlen > IOV_MAX)
		return -EMSGSIZE;
	n = iov_list_read(&list, &uio, (const struct iovec *)msg.iov, msg.iovlen);
	if (n)
		return n;
	n = unix_recv(file, &uio, flags, &rights, &out_flags);
	iov_list_free(&list);
	if (n < 0)
		return n;
	msg.namelen = 0;
	msg.flags = out_flags | (flags & MSG_CMSG_CLOEXEC);
	if (rights_deliver(rights, flags, &msg) || copy_out(user_msg, &msg, sizeof(msg)))
		n = -EFAULT;
	unix_rights_free(rights);
	return n;
}

long sys_recvmsg(unsigned fd, struct linux_msghdr *msg, unsigned flags)
{
	long n;
	struct fd_ref ref = socket_borrow(fd, &n);

	if (!ref.file)
		return n;
	n = message_recv(ref.file, msg, flags);
	fd_ref_put(ref);
	return n;
}

/* ---- The rest --------------------------------------------------------------------------------------------------- */

long sys_shutdown(unsigned fd, int how)
{
	long error;
	struct fd_ref ref = socket_borrow(fd, &error);

	if (!ref.file)
		return error;
	error = how < SHUT_RD || how > SHUT_RDWR ? -EINVAL : 0;
	if (!error)
		unix_shutdown(ref.file, how);
	fd_ref_put(ref);
	return error;
}

static int option(const struct file *file, int name)
{
	switch (name) {
	case SO_TYPE:
		return unix_type(file);
	case SO_DOMAIN:
		return AF_UNIX;
	case SO_SNDBUF:
	case SO_RCVBUF:
		return 212992;
	case SO_ERROR:
	case SO_PROTOCOL:
	case SO_ACCEPTCONN:
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static long option_write(const void *value, size_t size, void *user, int *user_len)
{
	int len;

	if (copy_in(&len, user_len, sizeof(len)))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	len = MIN(len, (int)size);
	return copy_out(user, value, (size_t)len) || copy_out(user_len, &len, sizeof(len)) ? -EFAULT : 0;
}

long sys_getsockopt(unsigned fd, int level, int optname, void *optval, int *optlen)
{
	const struct process *process = process_current();
	struct linux_ucred cred = { process->pid, process->fs.cred.euid, process->fs.cred.egid };
	long error;
	struct fd_ref ref = socket_borrow(fd, &error);
	int value;

	if (!ref.file)
		return error;
	value = level == SOL_SOCKET ? option(ref.file, optname) : -EOPNOTSUPP;
	if (level == SOL_SOCKET && optname == SO_PEERCRED)
		error = option_write(&cred, sizeof(cred), optval, optlen);
	else
		error = value < 0 ? value : option_write(&value, sizeof(value), optval, optlen);
	fd_ref_put(ref);
	return error;
}

/* Sizes and the like are taken as wishes. */
long sys_setsockopt(unsigned fd, int level, int optname, const void *optval, int optlen)
{
	long error;
	struct fd_ref ref = socket_borrow(fd, &error);
	int value;

	(void)optname;
	if (!ref.file)
		return error;
	if (level != SOL_SOCKET)
		error = -EOPNOTSUPP;
	else if (optlen < (int)sizeof(value))
		error = -EINVAL;
	else
		error = copy_in(&value, optval, sizeof(value));
	fd_ref_put(ref);
	return error;
}

static long name_write(unsigned fd, void *addr, int *addrlen)
{
	const uint16_t family = AF_UNIX;
	long error;
	struct fd_ref ref = socket_borrow(fd, &error);

	if (!ref.file)
		return error;
	fd_ref_put(ref);
	return option_write(&family, sizeof(family), addr, addrlen);
}

long sys_getsockname(unsigned fd, struct linux_sockaddr *addr, int *addrlen)
{
	return name_write(fd, addr, addrlen);
}

long sys_getpeername(unsigned fd, struct linux_sockaddr *addr, int *addrlen)
{
	return name_write(fd, addr, addrlen);
}
