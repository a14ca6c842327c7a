/*
 * What is ready in an epoll set. A scan takes the whole list, asks each file what is there now, and reports it. Level-triggered items
 * that were reported go back to the end of the list: only the next scan can tell that they are not ready any more.
 *
 * An item that is on the list, or that a scan has taken and will put back, is marked queued, so that a notify leaves it alone.
 * Whoever clears the mark asks the file after that: either it sees what has happened, or the notify sees the cleared mark.
 */
#include "kernel/file/epoll_item.h"
#include "kernel/mem/user.h"

#define IN_EVENTS (EV_IN | EV_RDNORM)

static void list_splice_front(struct list *head, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->prev = head;
	from->prev->next = head->next;
	head->next->prev = from->prev;
	head->next = from->next;
	list_init(from);
}

static void item_queue_locked(struct epoll_item *item)
{
	if (item->queued)
		return;
	item->queued = true;
	list_push_back(&item->epoll->ready, &item->ready_link);
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
	return READ_ONCE(epoll->ready.next) != &epoll->ready || READ_ONCE(epoll->scanning);
}

/* epoll->lock held. Moves the list to TAKEN. */
static void scan_begin(struct epoll *epoll, struct list *taken)
{
	unsigned long flags = spin_lock_irqsave(&epoll->ready_lock);

	list_init(taken);
	list_splice_front(taken, &epoll->ready);
	WRITE_ONCE(epoll->scanning, true);
	spin_unlock_irqrestore(&epoll->ready_lock, flags);
}

/* What was not looked at goes to the front, AGAIN to the end. Another thread that waits has its turn if there is anything. */
static void scan_end(struct epoll *epoll, struct list *taken, struct list *again)
{
	unsigned long flags = spin_lock_irqsave(&epoll->ready_lock);
	bool any;

	list_splice_front(&epoll->ready, taken);
	list_splice_front(epoll->ready.prev, again);
	WRITE_ONCE(epoll->scanning, false);
	any = !list_is_empty(&epoll->ready);
	spin_unlock_irqrestore(&epoll->ready_lock, flags);
	if (any && unlikely(!list_is_empty(&epoll->waiters.waiters)))
		wait_wake(&epoll->waiters, 1);
}

static bool is_level_triggered(const struct epoll_item *item)
{
	return !(item->events & (EPOLLET | EPOLLONESHOT));
}

static void item_unmark(struct epoll_item *item)
{
	(void)__atomic_exchange_n(&item->queued, false, __ATOMIC_SEQ_CST);
}

/*
 * What ITEM, taken by a scan, has to report now; 0: nothing, it is off the list. AGAIN takes it if it is to be looked at by the
 * next scan too.
 */
static inline unsigned item_take(struct epoll_item *item, struct list *again)
{
	unsigned events;

	list_remove(&item->ready_link);
	if (likely(is_level_triggered(item))) {
		events = item_poll(item);
		if (likely(events)) {
			list_push_back(again, &item->ready_link);
			return events;
		}
	}
	item_unmark(item);
	events = item_poll(item);
	if (events && is_level_triggered(item))
		epoll_item_check(item);
	return events;
}

static long scan(struct epoll *epoll, struct linux_epoll_event *user_events, int max)
{
	struct list taken, again = LIST_INIT(again);
	long n = 0;

	mutex_lock(&epoll->lock);
	scan_begin(epoll, &taken);
	while (n < max && !list_is_empty(&taken)) {
		struct epoll_item *item = list_entry(taken.next, struct epoll_item, ready_link);
		struct linux_epoll_event event = { item_take(item, &again), item->data };

		if (!event.events)
			continue;
		if (unlikely(user_write(&user_events[n], &event, sizeof(event)))) {
			epoll_item_check(item);
			n = n ? n : -EFAULT;
			break;
		}
		n++;
		if (unlikely(item->events & EPOLLONESHOT)) {
			WRITE_ONCE(item->disabled, true);
			epoll_item_unqueue(item);
		}
	}
	scan_end(epoll, &taken, &again);
	mutex_unlock(&epoll->lock);
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

/* Only items that are ready stay on the list, up to the first. */
unsigned epoll_poll(struct file *file)
{
	struct epoll *epoll = epoll_of(file);
	struct list taken, again = LIST_INIT(again);
	bool any = false;

	if (!may_have_events(epoll))
		return 0;
	mutex_lock(&epoll->lock);
	scan_begin(epoll, &taken);
	while (!any && !list_is_empty(&taken)) {
		struct epoll_item *item = list_entry(taken.next, struct epoll_item, ready_link);

		any = item_poll(item);
		if (!any) {
			list_remove(&item->ready_link);
			item_unmark(item);
			epoll_item_check(item);
		}
	}
	scan_end(epoll, &taken, &again);
	mutex_unlock(&epoll->lock);
	return any ? IN_EVENTS : 0;
}
