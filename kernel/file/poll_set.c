/* See poll_set.h. */
#include "kernel/file/poll_set.h"

/* How many are ready. */
static unsigned items_look(struct poll_item *items, unsigned n)
{
	unsigned ready = 0;

	for (unsigned i = 0; i < n; i++) {
		struct poll_item *item = &items[i];

		if (item->ref.file)
			item->revents = file_poll(item->ref.file) & (item->events | EV_ERR | EV_HUP);
		ready += item->revents != 0;
	}
	return ready;
}

static bool item_notify(struct poll_watch *watch, unsigned events)
{
	struct poll_waiter *waiter = container_of(watch, struct poll_item, watch)->waiter;

	(void)events;
	__atomic_store_n(&waiter->notified, true, __ATOMIC_RELEASE);
	wait_wake(&waiter->queue, 1);
	return false;
}

static void items_watch(struct poll_item *items, unsigned n, struct poll_waiter *waiter)
{
	for (unsigned i = 0; i < n; i++) {
		struct poll_item *item = &items[i];

		if (!item->ref.file || !item->ref.file->source)
			continue;
		item->waiter = waiter;
		item->watch.notify = item_notify;
		item->watch.events = item->events;
		poll_watch_add(item->ref.file->source, &item->watch);
	}
}

static void items_unwatch(struct poll_item *items, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		poll_watch_remove(&items[i].watch);
}

static __attribute__((noinline)) long items_wait(struct poll_item *items, unsigned n, uint64_t deadline)
{
	struct poll_waiter waiter = { .notified = false };
	unsigned ready;
	int error = 0;

	wait_queue_init(&waiter.queue);
	items_watch(items, n, &waiter);
	while (!(ready = items_look(items, n)) && !error) {
		error = wait_event_interruptible_timeout(
			&waiter.queue, __atomic_exchange_n(&waiter.notified, false, __ATOMIC_SEQ_CST), deadline);
	}
	items_unwatch(items, n);
	return ready || error == -ETIMEDOUT ? (long)ready : error;
}

long poll_items(struct poll_item *items, unsigned n, uint64_t deadline)
{
	unsigned ready = items_look(items, n);

	if (ready)
		return ready;
	if (deadline == 0)
		return thread_is_interrupted() ? -ERESTARTSYS : 0;
	return items_wait(items, n, deadline);
}
