/* See poll_call.h. */
#include "kernel/linux/poll_call.h"

#include "kernel/mem/slab.h"
#include "kernel/mem/vmap.h"
#include "lib/string.h"

#define KMALLOC_MAX MIB(2)

int items_alloc(struct item_list *list, unsigned n)
{
	size_t len = n * sizeof(struct poll_item);

	list->n = n;
	list->items = list->small;
	if (n > ITEMS_SMALL)
		list->items = len <= KMALLOC_MAX ? kzalloc(len) : vmap_alloc(len);
	else
		memset(list->items, 0, len);
	return list->items ? 0 : -ENOMEM;
}

void items_free(struct item_list *list)
{
	for (unsigned i = 0; i < list->n; i++)
		if (list->items[i].ref.file)
			fd_ref_put(list->items[i].ref);
	if (list->n * sizeof(struct poll_item) > KMALLOC_MAX)
		vmap_free(list->items);
	else if (list->n > ITEMS_SMALL)
		kfree(list->items);
}

uint64_t deadline_in(uint64_t ns)
{
	return ns && ns != NO_TIMEOUT ? time_add(clock_monotonic(), ns) : ns;
}

uint64_t left_until(uint64_t deadline)
{
	uint64_t now = deadline ? clock_monotonic() : 0;

	return deadline > now ? deadline - now : 0;
}

int mask_begin(const uint64_t *set, size_t size)
{
	uint64_t mask;

	if (!set)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (!user_range_is_valid(set, sizeof(mask)) || user_read(&mask, set, sizeof(mask)))
		return -EFAULT;
	signal_mask_set_until_handler(mask);
	return 0;
}

long mask_end(long result, long interrupted)
{
	if (result == -ERESTARTSYS)
		return interrupted;
	signal_mask_restore();
	return result;
}

int timeout_read(const struct linux_timespec *user, uint64_t *deadline)
{
	uint64_t ns;
	int error;

	*deadline = NO_TIMEOUT;
	if (!user)
		return 0;
	error = timespec_read(user, &ns);
	if (!error)
		*deadline = deadline_in(ns);
	return error;
}

void timeout_write(struct linux_timespec *user, uint64_t deadline)
{
	if (user)
		timespec_write(user, left_until(deadline));
}
