/*
 * What a thread leaves behind: the robust futexes that it holds (get_robust_list(2); Linux,
 * Documentation/locking/robust-futex-ABI), and the word that tells others that it has ended. All of it is the
 * application's memory, so it may be nonsense.
 */
#include "kernel/linux/abi_thread.h"
#include "kernel/linux/futex.h"
#include "kernel/linux/task.h"
#include "kernel/mem/user.h"

#define ENTRY_PI 1ul

/* PENDING: it was just being taken or released. False: not a futex. */
static bool give_up(uint32_t *word, bool pi, bool pending, int tid)
{
	uint32_t old, seen;

	if (!IS_ALIGNED((uintptr_t)word, sizeof(*word)) || !user_range_is_valid(word, sizeof(*word)) ||
	    user_load32(word, &seen))
		return false;
	do {
		old = seen;
		/* Released, but nobody was woken yet. */
		if (pending && !pi && !(old & FUTEX_TID_MASK))
			return futex_wake(word, true, 1, FUTEX_BITSET_MATCH_ANY) >= 0;
		if ((old & FUTEX_TID_MASK) != (uint32_t)tid)
			return true;
		if (pi) {
			futex_owner_died_pi(word, tid);
			return true;
		}
		if (user_cmpxchg32(word, old, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen))
			return false;
	} while (seen != old);
	if (old & FUTEX_WAITERS)
		futex_wake(word, true, 1, FUTEX_BITSET_MATCH_ANY);
	return true;
}

static bool entry_next(uint64_t entry, uint64_t *next)
{
	const void *at = (const void *)(entry & ~ENTRY_PI);

	return user_range_is_valid(at, sizeof(*next)) && !user_read(next, at, sizeof(*next));
}

static void robust_list_walk(struct task *task)
{
	uint64_t head_at = (uintptr_t)task->robust_list, entry, next;
	struct linux_robust_list_head head;

	if (user_read(&head, task->robust_list, sizeof(head)))
		return;
	entry = head.next;
	for (unsigned i = 0; i < ROBUST_LIST_LIMIT && (entry & ~ENTRY_PI) != head_at; i++) {
		/* Read before the futex is given up: its new owner may free it. */
		bool more = entry_next(entry, &next);

		if ((entry & ~ENTRY_PI) != (head.pending & ~ENTRY_PI) &&
		    !give_up((uint32_t *)((entry & ~ENTRY_PI) + (uint64_t)head.futex_offset), entry & ENTRY_PI, false,
			     task->tid))
			return;
		if (!more)
			return;
		entry = next;
	}
	if (head.pending & ~ENTRY_PI)
		give_up((uint32_t *)((head.pending & ~ENTRY_PI) + (uint64_t)head.futex_offset), head.pending & ENTRY_PI,
			true, task->tid);
}

void futex_task_exit(struct task *task)
{
	uint32_t *word = task->clear_child_tid;

	if (task->robust_list && user_range_is_valid(task->robust_list, sizeof(struct linux_robust_list_head)))
		robust_list_walk(task);
	task->robust_list = NULL;
	task->clear_child_tid = NULL;
	if (word && user_range_is_valid(word, sizeof(*word)) && !user_store32(word, 0))
		futex_wake(word, true, 1, FUTEX_BITSET_MATCH_ANY);
}
