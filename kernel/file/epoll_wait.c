/*
 * What is ready in an epoll set. A scan asks each file on the list what is there now, and reports it. Level-
 * triggered items that were reported stay on the list: only the next scan can tell that they are not ready any
 * more.
 *
 * Whoever takes an item off the list asks the file after that: either it sees what has happened, or the notify sees
 * that the item is not on the list.
 */
#include "kernel/file/epoll_item.h"
#include "kernel/mem/user.h"

#define IN_EVENTS (EV_IN | EV_RDNORM)

/*
 * To the end of the list. Whoever walks it does so without ready_lock, so the item is complete before it can be found.
 */
static void item_queue_locked(struct epoll_item *item)
{
	struct list *head = &item->epoll->ready, *last = head->prev;

	if (item->queued)
		return;
	item->queued = true;
	item->ready_link = (struct list){ head, last };
	__atomic_store_n(&last->next, &item->ready_link, __ATOMIC_RELEASE);
	WRITE_ONCE(head->prev, &item->ready_link);
}

bool epoll_notify(struct poll_watch *watch, unsigned events)
{
	struct epoll_item *item = container_of(watch, struct epoll_item, watch);
	struct epoll *epoll = item->epoll;
	bool woken;

	(void)events;
	if (READ_ONCE(item->disabled))
		return false;
	spin_lock_noirq(&epoll->ready_lock);
	item_queue_locked(item);
	spin_unlock_noirq(&epoll->ready_lock);
	woken = wait_wake(&epoll->waiters, 1);
	poll_notify(&epoll->source, IN_EVENTS);
	return woken;
}

void epoll_item_check(struct epoll_item *item)
{
	struct epoll *epoll = item->epoll;
	unsigned long flags;

	if (!item_poll(item))
		return;
	flags = spin_lock_irqsave(&epoll->ready_lock);
	item_queue_locked(item);
	spin_unlock_irqrestore(&epoll->ready_lock, flags);
	wait_wake(&epoll->waiters, 1);
	poll_notify(&epoll->source, IN_EVENTS);
}

void epoll_item_unqueue(struct epoll_item *item)
{
	unsigned long flags = spin_lock_irqsave(&item->epoll->ready_lock);

	if (item->queued)
		list_remove(&item->ready_link);
	item->queued = false;
	spin_unlock_irqrestore(&item->epoll->ready_lock, flags);
}

static inline bool may_have_events(const struct epoll *epoll)
{
	return READ_ONCE(epoll->ready.next) != &epoll->ready;
}

static bool is_level_triggered(const struct epoll_item *item)
{
	return !(item->events & (EPOLLET | EPOLLONESHOT));
}

/*
 * What ITEM, which is on the list, has to report now; 0: nothing. A level-triggered one that is ready stays where
 * it is. One that is not goes, and comes again if that has just changed.
 */
static inline unsigned item_take(struct epoll_item *item)
{
	unsigned events;

	if (likely(is_level_triggered(item))) {
		events = item_poll(item);
		if (unlikely(!events)) {
			epoll_item_unqueue(item);
			epoll_item_check(item);
		}
		return events;
	}
	epoll_item_unqueue(item);
	return item_poll(item);
}

/* One that was reported and is EPOLLONESHOT has had its shot. */
static void item_disable(struct epoll_item *item)
{
	WRITE_ONCE(item->disabled, true);
	epoll_item_unqueue(item);
}

/* The list begins at NEXT from now on: those before it had their turn. */
static void list_rotate(struct epoll *epoll, struct list *next)
{
	unsigned long flags = spin_lock_irqsave(&epoll->ready_lock);

	list_remove(&epoll->ready);
	list_push_back(next, &epoll->ready);
	spin_unlock_irqrestore(&epoll->ready_lock, flags);
}

/*
 * epoll->lock held. Items are taken off the list by who holds it alone, and put at the end by anybody: so what
 * comes meanwhile stands behind what was the last at the beginning, and is left for the next scan.
 */
static long scan_locked(struct epoll *epoll, struct linux_epoll_event *user_events, int max)
{
	struct list *link = READ_ONCE(epoll->ready.next), *last = READ_ONCE(epoll->ready.prev), *next;
	long n = 0;

	for (; link != &epoll->ready; link = next) {
		struct epoll_item *item = list_entry(link, struct epoll_item, ready_link);
		struct linux_epoll_event event = { .data = item->data };

		if (n == max) {
			list_rotate(epoll, link);
			break;
		}
		next = link == last ? &epoll->ready : READ_ONCE(link->next);
		event.events = item_take(item);
		if (!event.events)
			continue;
		if (unlikely(user_write(&user_events[n], &event, sizeof(event)))) {
			epoll_item_check(item);
			return n ? n : -EFAULT;
		}
		n++;
		if (unlikely(item->events & EPOLLONESHOT))
			item_disable(item);
	}
	return n;
}

/* Another thread that waits has its turn if anything is left on the list. */
static inline long scan(struct epoll *epoll, struct linux_epoll_event *user_events, int max)
{
	long n;

	mutex_lock(&epoll->lock);
	n = scan_locked(epoll, user_events, max);
	mutex_unlock(&epoll->lock);
	if (unlikely(!list_is_empty(&epoll->waiters.waiters)) && may_have_events(epoll))
		wait_wake(&epoll->waiters, 1);
	return n;
}

long epoll_wait(struct file *file, struct linux_epoll_event *user_events, int max, uint64_t deadline)
{
	struct epoll *epoll = epoll_of(file);
	int error;
	long n;

	for (;;) {
		if (may_have_events(epoll)) {
			n = scan(epoll, user_events, max);
			if (n)
				return n;
		}
		if (deadline == 0)
			return 0;
		error = wait_event_interruptible_timeout(&epoll->waiters, may_have_events(epoll), deadline);
		if (error)
			return error == -ETIMEDOUT ? 0 : error;
	}
}

/* Is anything ready? What is not goes off the list. */
unsigned epoll_poll(struct file *file)
{
	struct epoll *epoll = epoll_of(file);
	struct list *link, *last, *next;
	bool any = false;

	if (!may_have_events(epoll))
		return 0;
	mutex_lock(&epoll->lock);
	last = READ_ONCE(epoll->ready.prev);
	for (link = READ_ONCE(epoll->ready.next); link != &epoll->ready && !any; link = next) {
		struct epoll_item *item = list_entry(link, struct epoll_item, ready_link);

		next = link == last ? &epoll->ready : READ_ONCE(link->next);
		any = item_poll(item);
		if (!any) {
			epoll_item_unqueue(item);
			epoll_item_check(item);
		}
	}
	mutex_unlock(&epoll->lock);
	return any ? IN_EVENTS : 0;
}
