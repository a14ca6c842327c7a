/* select(2), pselect(2). */
#include "kernel/linux/poll_call.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"

enum { READ_SET, WRITE_SET, EXCEPT_SET, NR_SETS };

static const unsigned set_events[NR_SETS] = {
	[READ_SET] = EV_IN | EV_RDNORM | EV_RDBAND | EV_HUP | EV_ERR,
	[WRITE_SET] = EV_OUT | EV_WRNORM | EV_WRBAND | EV_ERR,
	[EXCEPT_SET] = EV_PRI,
};

/* Three bit sets of NR_WORDS each, in one block. */
struct select_sets {
	struct linux_fd_set *user[NR_SETS];
	uint64_t *bits[NR_SETS];
	unsigned nr_words, nr_fds;
	uint64_t small[NR_SETS * 16];
};

static int sets_read(struct select_sets *sets, unsigned nfds)
{
	size_t len = (nfds + 63) / 64 * sizeof(uint64_t);
	uint64_t *block = sets->small;

	sets->nr_words = (nfds + 63) / 64;
	sets->nr_fds = nfds;
	if (NR_SETS * len > sizeof(sets->small))
		block = kmalloc(NR_SETS * len);
	if (!block)
		return -ENOMEM;
	memset(block, 0, NR_SETS * len);
	for (unsigned i = 0; i < NR_SETS; i++) {
		sets->bits[i] = block + i * sets->nr_words;
		if (sets->user[i] &&
		    (!user_range_is_valid(sets->user[i], len) || user_read(sets->bits[i], sets->user[i], len)))
			return -EFAULT;
		if (nfds % 64)
			sets->bits[i][sets->nr_words - 1] &= (1ull << nfds % 64) - 1;
	}
	return 0;
}

static void sets_free(struct select_sets *sets)
{
	if (sets->bits[0] && sets->bits[0] != sets->small)
		kfree(sets->bits[0]);
}

/* Those in word W that are in any of the sets. */
static uint64_t sets_any(const struct select_sets *sets, unsigned w)
{
	return sets->bits[READ_SET][w] | sets->bits[WRITE_SET][w] | sets->bits[EXCEPT_SET][w];
}

/* The next descriptor from FD on that is in any set; nr_fds: none. */
static unsigned sets_next(const struct select_sets *sets, unsigned fd)
{
	for (unsigned w = fd / 64; w < sets->nr_words; w++, fd = w * 64) {
		uint64_t any = sets_any(sets, w) & ~0ull << fd % 64;

		if (any)
			return w * 64 + (unsigned)__builtin_ctzll(any);
	}
	return sets->nr_fds;
}

static int select_items(const struct select_sets *sets, struct item_list *list)
{
	unsigned n = 0, i = 0;
	int error;

	for (unsigned fd = sets_next(sets, 0); fd < sets->nr_fds; fd = sets_next(sets, fd + 1))
		n++;
	error = items_alloc(list, n);
	if (error)
		return error;
	for (unsigned fd = sets_next(sets, 0); fd < sets->nr_fds; fd = sets_next(sets, fd + 1), i++) {
		for (unsigned set = 0; set < NR_SETS; set++)
			if (sets->bits[set][fd / 64] >> fd % 64 & 1)
				list->items[i].events |= set_events[set];
		list->items[i].ref = fd_borrow_open(fd);
		if (!list->items[i].ref.file) {
			items_free(list);
			return -EBADF;
		}
	}
	return 0;
}

/* Leaves in the sets what is ready; how many bits. */
static long sets_result(struct select_sets *sets, const struct item_list *list)
{
	unsigned i = 0;
	long n = 0;

	for (unsigned fd = sets_next(sets, 0); fd < sets->nr_fds; fd = sets_next(sets, fd + 1), i++) {
		for (unsigned set = 0; set < NR_SETS; set++) {
			uint64_t *word = &sets->bits[set][fd / 64], bit = 1ull << fd % 64;

			if (!(*word & bit))
				continue;
			if (list->items[i].revents & set_events[set])
				n++;
			else
				*word &= ~bit;
		}
	}
	return n;
}

static int sets_write(const struct select_sets *sets)
{
	for (unsigned i = 0; i < NR_SETS; i++)
		if (sets->user[i] && user_write(sets->user[i], sets->bits[i], sets->nr_words * sizeof(uint64_t)))
			return -EFAULT;
	return 0;
}

static long select_with(struct select_sets *sets, uint64_t deadline)
{
	struct item_list list;
	long result = select_items(sets, &list);

	if (result)
		return result;
	result = poll_items(list.items, list.n, deadline);
	if (result >= 0) {
		result = sets_result(sets, &list);
		if (sets_write(sets))
			result = -EFAULT;
	}
	items_free(&list);
	return result;
}

/* Descriptors beyond the table are not looked at: none can be open there. */
static long select_until(int nfds, struct select_sets *sets, uint64_t deadline)
{
	long result;

	if (nfds < 0)
		return -EINVAL;
	result = sets_read(sets, MIN((unsigned)nfds, process_current()->files->size));
	if (!result)
		result = select_with(sets, deadline);
	sets_free(sets);
	return result;
}

static int timeval_read(const struct linux_timeval *user, uint64_t *ns)
{
	struct linux_timeval tv;

	*ns = NO_TIMEOUT;
	if (!user)
		return 0;
	if (!user_range_is_valid(user, sizeof(tv)) || user_read(&tv, user, sizeof(tv)))
		return -EFAULT;
	/* More than a second of microseconds is taken as such (Linux; POSIX lets it). */
	if (tv.sec >= 0 && tv.usec >= 0 && tv.sec <= INT64_MAX - tv.usec / 1000000) {
		tv.sec += tv.usec / 1000000;
		tv.usec %= 1000000;
	}
	return timeval_to_ns(&tv, ns);
}

long sys_select(int nfds, struct linux_fd_set *readfds, struct linux_fd_set *writefds, struct linux_fd_set *exceptfds,
		struct linux_timeval *timeout)
{
	struct select_sets sets = { .user = { readfds, writefds, exceptfds } };
	struct linux_timeval left;
	uint64_t ns, deadline;
	long result = timeval_read(timeout, &ns);

	if (result)
		return result;
	deadline = deadline_in(ns);
	result = select_until(nfds, &sets, deadline);
	if (timeout) {
		left = timeval_of(left_until(deadline));
		if (user_write(timeout, &left, sizeof(left)) && result == -ERESTARTSYS)
			return -EINTR;
	}
	return result == -ERESTARTSYS ? -ERESTARTNOHAND : result;
}

long sys_pselect6(int nfds, struct linux_fd_set *readfds, struct linux_fd_set *writefds, struct linux_fd_set *exceptfds,
		  struct linux_timespec *timeout, const struct linux_sigset_arg *sig)
{
	struct select_sets sets = { .user = { readfds, writefds, exceptfds } };
	struct linux_sigset_arg arg = { 0 };
	uint64_t deadline;
	long result;

	if (sig && (!user_range_is_valid(sig, sizeof(arg)) || user_read(&arg, sig, sizeof(arg))))
		return -EFAULT;
	result = timeout_read(timeout, &deadline);
	if (!result)
		result = mask_begin(arg.set, arg.size);
	if (result)
		return result;
	result = mask_end(select_until(nfds, &sets, deadline), -ERESTARTNOHAND);
	timeout_write(timeout, deadline);
	return result;
}
