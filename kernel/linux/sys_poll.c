/* poll(2), ppoll(2). */
#include "kernel/linux/poll_call.h"
#include "kernel/linux/syscall_handlers.h"

static int pollfds_read(struct item_list *list, const struct linux_pollfd *fds)
{
	for (unsigned i = 0; i < list->n; i++) {
		struct poll_item *item = &list->items[i];
		struct linux_pollfd fd;

		if (user_read(&fd, &fds[i], sizeof(fd)))
			return -EFAULT;
		if (fd.fd < 0)
			continue;
		item->events = (uint16_t)fd.events;
		item->ref = fd_borrow_open((unsigned)fd.fd);
		if (!item->ref.file)
			item->revents = EV_NVAL;
	}
	return 0;
}

static int pollfds_write(const struct item_list *list, struct linux_pollfd *fds)
{
	for (unsigned i = 0; i < list->n; i++) {
		int16_t revents = (int16_t)list->items[i].revents;

		if (user_write(&fds[i].revents, &revents, sizeof(revents)))
			return -EFAULT;
	}
	return 0;
}

/* What it returns, and what -ERESTARTSYS stands for a signal. */
static long poll_until(struct linux_pollfd *fds, unsigned nfds, uint64_t deadline)
{
	struct item_list list;
	long result;

	if (nfds > process_current()->files->limit)
		return -EINVAL;
	if (!user_range_is_valid(fds, nfds * sizeof(*fds)))
		return -EFAULT;
	result = items_alloc(&list, nfds);
	if (result)
		return result;
	result = pollfds_read(&list, fds);
	if (!result)
		result = poll_items(list.items, nfds, deadline);
	if (result >= 0 && pollfds_write(&list, fds))
		result = -EFAULT;
	items_free(&list);
	return result;
}

static long poll_restart(struct task_restart *restart);

static long poll_restartable(struct linux_pollfd *fds, unsigned nfds, uint64_t deadline)
{
	long result = poll_until(fds, nfds, deadline);

	if (result != -ERESTARTSYS)
		return result;
	task_current()->signals.restart = (struct task_restart){ poll_restart, deadline, { (uintptr_t)fds, nfds } };
	return -ERESTART_RESTARTBLOCK;
}

static long poll_restart(struct task_restart *restart)
{
	return poll_restartable((struct linux_pollfd *)restart->args[0], (unsigned)restart->args[1], restart->deadline);
}

long sys_poll(struct linux_pollfd *fds, unsigned nfds, int timeout)
{
	return poll_restartable(fds, nfds, deadline_in(timeout < 0 ? NO_TIMEOUT : (uint64_t)timeout * NSEC_PER_MSEC));
}

long sys_ppoll(struct linux_pollfd *fds, unsigned nfds, struct linux_timespec *timeout, const uint64_t *set,
	       size_t sigsetsize)
{
	uint64_t deadline;
	long result = timeout_read(timeout, &deadline);

	if (!result)
		result = mask_begin(set, sigsetsize);
	if (result)
		return result;
	result = mask_end(poll_until(fds, nfds, deadline), -ERESTARTNOHAND);
	timeout_write(timeout, deadline);
	return result;
}
