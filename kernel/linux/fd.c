/* See fd.h. */
#include "kernel/linux/fd.h"

#include "kernel/linux/abi_process.h"
#include "kernel/linux/abi_signal.h"
#include "kernel/linux/user_copy.h"
#include "kernel/mem/slab.h"

static int iov_check(struct iovec *iov, size_t count, size_t *total)
{
	size_t sum = 0;

	for (size_t i = 0; i < count; i++) {
		if (iov[i].len > INT64_MAX)
			return -EINVAL;
		if (!user_range_is_valid(iov[i].base, iov[i].len))
			return -EFAULT;
		iov[i].len = MIN(iov[i].len, RW_COUNT_MAX - sum);
		sum += iov[i].len;
	}
	*total = sum;
	return 0;
}

int iov_list_read(struct iov_list *list, struct uio *uio, const struct iovec *user_iov, size_t count)
{
	size_t len = count * sizeof(*user_iov);
	int error;

	if (count > IOV_MAX)
		return -EINVAL;
	list->iov = list->small;
	if (count > IOV_SMALL) {
		list->iov = kmalloc(len);
		if (!list->iov)
			return -ENOMEM;
	}
	*uio = (struct uio){ .iov = list->iov, .file_max = UINT64_MAX };
	error = user_range_is_valid(user_iov, len) ? user_read(list->iov, user_iov, len) : -EFAULT;
	if (!error)
		error = iov_check(list->iov, count, &uio->resid);
	if (error)
		iov_list_free(list);
	return error;
}

void iov_list_free(struct iov_list *list)
{
	if (list->iov != list->small)
		kfree(list->iov);
}

long fd_install(struct file *file, unsigned flags)
{
	long fd = fdtable_install(process_current()->files, file, 0, flags & O_CLOEXEC ? FD_CLOEXEC_FLAG : 0);

	if (fd < 0)
		file_put(file);
	return fd;
}

long fd_install_pair(struct file *files[2], unsigned flags, int *user_fds)
{
	struct fdtable *table = process_current()->files;
	int fds[2];

	fds[0] = (int)fd_install(files[0], flags);
	if (fds[0] < 0) {
		file_put(files[1]);
		return fds[0];
	}
	fds[1] = (int)fd_install(files[1], flags);
	if (fds[1] < 0) {
		fdtable_close(table, (unsigned)fds[0]);
		return fds[1];
	}
	if (!copy_out(user_fds, fds, sizeof(fds)))
		return 0;
	fdtable_close(table, (unsigned)fds[0]);
	fdtable_close(table, (unsigned)fds[1]);
	return -EFAULT;
}

uint64_t file_max(void)
{
	return process_current()->rlimits[RLIMIT_FSIZE].cur;
}

static __attribute__((noinline, cold)) long write_failed(long error)
{
	struct process *process = process_current();
	struct signal_info info = { .signo = error == -EPIPE ? SIGPIPE : SIGXFSZ,
				    .pid = process->pid,
				    .uid = process->fs.cred.uid };

	if (error == -EPIPE || file_max() != RLIM_INFINITY)
		signal_send_task(task_current(), &info);
	return error;
}

long write_check(long result)
{
	return unlikely(result == -EPIPE || result == -EFBIG) ? write_failed(result) : result;
}
