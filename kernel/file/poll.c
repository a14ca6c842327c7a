/* Sources of readiness and the watches on them: see poll.h. */
#include "kernel/file/poll.h"

void poll_source_init(struct poll_source *source)
{
	spin_init(&source->lock, "poll_source");
	list_init(&source->watches);
}

void poll_watch_add(struct poll_source *source, struct poll_watch *watch)
{
	unsigned long flags = spin_lock_irqsave(&source->lock);

	watch->source = source;
	/* Exclusive ones at the end, so that all others hear of an event first. */
	if (watch->exclusive)
		list_push_back(&source->watches, &watch->link);
	else
		list_push_front(&source->watches, &watch->link);
	spin_unlock_irqrestore(&source->lock, flags);
	/* Who looks for events after this sees them, or poll_notify sees the watch. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void poll_watch_remove(struct poll_watch *watch)
{
	struct poll_source *source = watch->source;
	unsigned long flags;

	if (!source)
		return;
	flags = spin_lock_irqsave(&source->lock);
	list_remove(&watch->link);
	watch->source = NULL;
	spin_unlock_irqrestore(&source->lock, flags);
}

void poll_notify_slow(struct poll_source *source, unsigned events)
{
	unsigned long flags = spin_lock_irqsave(&source->lock);
	struct list *link, *next;

	list_for_each_safe(link, next, &source->watches) {
		struct poll_watch *watch = list_entry(link, struct poll_watch, link);

		if (events && !(events & (watch->events | EV_ERR | EV_HUP)))
			continue;
		if (watch->notify(watch, events) && watch->exclusive) {
			/* To the end: the next event is another one's. */
			list_remove(&watch->link);
			list_push_back(&source->watches, &watch->link);
			break;
		}
	}
	spin_unlock_irqrestore(&source->lock, flags);
}
