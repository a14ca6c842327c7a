/* Descriptors and buffers as system calls get them. */
#ifndef KERNEL_LINUX_FD_H
#define KERNEL_LINUX_FD_H

#include "kernel/linux/task.h"
#include "kernel/mem/user.h"

#define IOV_SMALL 8

/*
 * The file of FD for the time of this system call; fd_ref_put gives it back. A thread that sees itself alone in its
 * process stays so until it makes another.
 */
static inline struct fd_ref fd_borrow(unsigned fd)
{
	struct process *process = process_current();

	return fdtable_borrow(process->files, fd, READ_ONCE(process->nr_tasks) == 1);
}

/* The same, less files that are open as a place only (O_PATH). */
static inline struct fd_ref fd_borrow_open(unsigned fd)
{
	struct fd_ref ref = fd_borrow(fd);

	if (unlikely(ref.file && ref.file->flags & O_PATH)) {
		fd_ref_put(ref);
		ref.file = NULL;
	}
	return ref;
}

/* A copy of the application's list of buffers. */
struct iov_list {
	struct iovec *iov;
	struct iovec small[IOV_SMALL];
};

/*
 * Reads and checks COUNT buffers of the list at USER_IOV, cuts what is more than RW_COUNT_MAX bytes together, and
 * makes UIO of them. 0, -EINVAL, -EFAULT, -ENOMEM. iov_list_free after use if it succeeded.
 */
int iov_list_read(struct iov_list *list, struct uio *uio, const struct iovec *user_iov, size_t count);
void iov_list_free(struct iov_list *list);

/* Gives FILE (not if it is NULL), whose reference it takes in any case, the lowest free descriptor. FLAGS: O_CLOEXEC. */
long fd_install(struct file *file, unsigned flags);

/* The same for two: both get a descriptor, which go to USER_FDS, or neither does. 0, -EFAULT, -EMFILE, -ENOMEM. */
long fd_install_pair(struct file *files[2], unsigned flags, int *user_fds);

/* Sends the calling task the signal that goes with a failed write: SIGPIPE for -EPIPE, SIGXFSZ for -EFBIG. Returns RESULT. */
long write_check(long result);
/* For struct uio of writes. */
uint64_t file_max(void);

#endif
