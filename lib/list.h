/*
 * Circular doubly linked list, intrusive: the link is a member of the element. A list head and a link are the same
 * type; an empty list points at itself. No locking. Every operation is constant time.
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/util.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)                                                                                                \
	{                                                                                                              \
		&(name), &(name)                                                                                       \
	}

/* NOLINTBEGIN(clang-analyzer-unix.Malloc): the analyser does not see that what was freed had been removed. */
static inline void list_init(struct list *head)
{
	head->next = head->prev = head;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_insert_between_(struct list *link, struct list *prev, struct list *next)
{
	link->prev = prev;
	link->next = next;
	prev->next = link;
	next->prev = link;
}

/* LINK must not be on a list. */
static inline void list_push_front(struct list *head, struct list *link)
{
	list_insert_between_(link, head, head->next);
}

static inline void list_push_back(struct list *head, struct list *link)
{
	list_insert_between_(link, head->prev, head);
}

/* Leaves LINK pointing at itself, so that removing it again is harmless and list_is_empty(link) tells. */
static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

/* The first element, removed; NULL when the list is empty. */
static inline struct list *list_pop_front(struct list *head)
{
	struct list *link = head->next;

	if (link == head)
		return NULL;
	list_remove(link);
	return link;
}

/* NOLINTEND(clang-analyzer-unix.Malloc) */

#define list_entry(link, type, member) container_of(link, type, member)

/* POS is a struct list *; the body must not remove it. */
#define list_for_each(pos, head) for ((pos) = (head)->next; (pos) != (head); (pos) = (pos)->next)

/* The body may remove POS, and only POS. */
#define list_for_each_safe(pos, tmp, head)                                                                             \
	for ((pos) = (head)->next, (tmp) = (pos)->next; (pos) != (head); (pos) = (tmp), (tmp) = (pos)->next)

#endif
