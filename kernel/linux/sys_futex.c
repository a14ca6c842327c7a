/* futex(2), futex_waitv(2), get_robust_list(2). */
#include "kernel/linux/abi_thread.h"
#include "kernel/linux/clocks.h"
#include "kernel/linux/futex.h"
#include "kernel/linux/signal.h"
#include "kernel/linux/syscall_handlers.h"
#include "kernel/linux/task.h"
#include "kernel/linux/timespec.h"
#include "kernel/mem/user.h"

/* What FUTEX_WAIT and FUTEX_WAIT_BITSET are restarted with when they had a timeout. */
enum { ARG_WORD, ARG_SHARED, ARG_VALUE, ARG_BITSET };

static long wait_timed(uint32_t *word, bool shared, uint32_t value, uint32_t bitset, uint64_t deadline);

static long wait_again(struct task_restart *restart)
{
	return wait_timed((uint32_t *)restart->args[ARG_WORD], restart->args[ARG_SHARED],
			  (uint32_t)restart->args[ARG_VALUE], (uint32_t)restart->args[ARG_BITSET], restart->deadline);
}

static long wait_timed(uint32_t *word, bool shared, uint32_t value, uint32_t bitset, uint64_t deadline)
{
	int err = futex_wait(word, shared, value, bitset, deadline);

	if (unlikely(err == -ERESTARTSYS && deadline != UINT64_MAX)) {
		task_current()->signals.restart = (struct task_restart){
			.fn = wait_again,
			.deadline = deadline,
			.args = { (uintptr_t)word, shared, value, bitset },
		};
		return -ERESTART_RESTARTBLOCK;
	}
	return err;
}

/* The monotonic deadline of TIMEOUT, NULL: UINT64_MAX. */
static int deadline_get(const struct linux_timespec *timeout, bool relative, bool realtime, uint64_t *deadline)
{
	uint64_t ns;
	int err;

	*deadline = UINT64_MAX;
	if (!timeout)
		return 0;
	err = timespec_read(timeout, &ns);
	if (err)
		return err;
	if (relative)
		*deadline = time_add(clock_monotonic(), ns);
	else
		*deadline = clock_deadline(realtime ? CLOCK_KIND_REALTIME : CLOCK_KIND_MONOTONIC, ns);
	return 0;
}

/* Those that take a timeout. */
static long wait_op(uint32_t *word, int op, uint32_t value, const struct linux_timespec *timeout, uint32_t *word2,
		    uint32_t bitset)
{
	bool shared = !(op & FUTEX_PRIVATE_FLAG);
	int cmd = op & FUTEX_CMD_MASK, err;
	uint64_t deadline;

	if ((op & FUTEX_CLOCK_REALTIME) && (cmd == FUTEX_WAIT || cmd == FUTEX_LOCK_PI))
		return -ENOSYS;
	err = deadline_get(timeout, cmd == FUTEX_WAIT, (op & FUTEX_CLOCK_REALTIME) || cmd == FUTEX_LOCK_PI, &deadline);
	if (err)
		return err;
	switch (cmd) {
	case FUTEX_WAIT:
		return wait_timed(word, shared, value, FUTEX_BITSET_MATCH_ANY, deadline);
	case FUTEX_WAIT_BITSET:
		return wait_timed(word, shared, value, bitset, deadline);
	case FUTEX_WAIT_REQUEUE_PI:
		return futex_wait_requeue_pi(word, word2, shared, value, FUTEX_BITSET_MATCH_ANY, deadline);
	default:
		return futex_lock_pi(word, shared, false, deadline);
	}
}

/* In their place others have a number. */
static int number_of(const struct linux_timespec *timeout)
{
	return (int)(uintptr_t)timeout;
}

static long other_op(uint32_t *word, int op, uint32_t value, const struct linux_timespec *timeout, uint32_t *word2,
		     uint32_t value3)
{
	bool shared = !(op & FUTEX_PRIVATE_FLAG);

	if (op & FUTEX_CLOCK_REALTIME)
		return -ENOSYS;
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAKE_BITSET:
		return futex_wake(word, shared, (int)value, value3);
	case FUTEX_REQUEUE:
		return futex_requeue(word, word2, shared, (int)value, number_of(timeout), NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(word, word2, shared, (int)value, number_of(timeout), &value3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(word, word2, shared, (int)value, number_of(timeout), value3);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(word, shared);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(word, shared, true, UINT64_MAX);
	case FUTEX_CMP_REQUEUE_PI:
		return value == 1 ? futex_requeue_pi(word, word2, shared, number_of(timeout), value3) : -EINVAL;
	default: /* FUTEX_FD is gone since Linux 2.6.26 */
		return -ENOSYS;
	}
}

static __attribute__((noinline)) long any_op(uint32_t *word, int op, uint32_t value,
					     const struct linux_timespec *timeout, uint32_t *word2, uint32_t value3)
{
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAKE:
		if (op & FUTEX_CLOCK_REALTIME)
			return -ENOSYS;
		return futex_wake(word, !(op & FUTEX_PRIVATE_FLAG), (int)value, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return wait_op(word, op, value, timeout, word2, value3);
	default:
		return other_op(word, op, value, timeout, word2, value3);
	}
}

/* What locks are made of first. */
long sys_futex(uint32_t *uaddr, int op, uint32_t val, const struct linux_timespec *timeout, uint32_t *uaddr2,
	       uint32_t val3)
{
	if (likely(op == (FUTEX_WAKE | FUTEX_PRIVATE_FLAG)))
		return futex_wake(uaddr, false, (int)val, FUTEX_BITSET_MATCH_ANY);
	if (likely(op == (FUTEX_WAIT | FUTEX_PRIVATE_FLAG) && !timeout))
		return futex_wait(uaddr, false, val, FUTEX_BITSET_MATCH_ANY, UINT64_MAX);
	return any_op(uaddr, op, val, timeout, uaddr2, val3);
}

static int waitv_check(const struct linux_futex_waitv *words, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (words[i].reserved || (words[i].flags & ~(uint32_t)FUTEX_PRIVATE_FLAG) != FUTEX_32)
			return -EINVAL;
	return 0;
}

long sys_futex_waitv(const struct linux_futex_waitv *waiters, unsigned nr, unsigned flags,
		     const struct linux_timespec *timeout, int clockid)
{
	struct linux_futex_waitv words[FUTEX_WAITV_MAX];
	uint64_t deadline;
	int err;

	if (flags || !nr || nr > FUTEX_WAITV_MAX || !waiters)
		return -EINVAL;
	if (timeout && clockid != CLOCK_MONOTONIC && clockid != CLOCK_REALTIME)
		return -EINVAL;
	err = deadline_get(timeout, false, clockid == CLOCK_REALTIME, &deadline);
	if (err)
		return err;
	if (!user_range_is_valid(waiters, nr * sizeof(words[0])) || user_read(words, waiters, nr * sizeof(words[0])))
		return -EFAULT;
	err = waitv_check(words, nr);
	return err ? err : futex_wait_many(words, nr, deadline);
}

long sys_set_robust_list(struct linux_robust_list_head *head, size_t len)
{
	struct task *task = task_current();

	if (len != sizeof(*head))
		return -EINVAL;
	task->robust_list = head;
	task->robust_list_len = len;
	return 0;
}

long sys_get_robust_list(int pid, struct linux_robust_list_head **head, size_t *len)
{
	struct process *process = process_current();
	size_t size = sizeof(**head);
	void *list = NULL;
	struct task *task;
	unsigned long flags;

	flags = spin_lock_irqsave(&process->lock);
	task = pid ? task_find(process, pid) : task_current();
	if (task)
		list = task->robust_list;
	spin_unlock_irqrestore(&process->lock, flags);
	if (!task)
		return -ESRCH;
	if (!user_range_is_valid(len, sizeof(*len)) || user_write(len, &size, sizeof(size)) ||
	    !user_range_is_valid(head, sizeof(list)) || user_write(head, &list, sizeof(list)))
		return -EFAULT;
	return 0;
}
