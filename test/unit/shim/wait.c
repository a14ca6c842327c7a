/* See wait.h. */
#include "test/unit/shim/wait.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/core/clock.h"
#include "kernel/mem/uio.h"
#include "kernel/mem/user.h"

struct thread shim_thread;
struct thread *thread_current_ = &shim_thread;
void (*shim_block)(void);
unsigned shim_blocks;
uint64_t shim_now = 1000;
uintptr_t user_end = UINTPTR_MAX;

uint64_t clock_monotonic(void)
{
	return shim_now;
}

void wait_queue_init(struct wait_queue *queue)
{
	memset(queue, 0, sizeof(*queue));
	list_init(&queue->waiters);
}

void wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	assert_int_equal(preempt_count, 0);
	assert_true(shim_irq_enabled);
	shim_thread.state = THREAD_BLOCKED;
	if (waiter->queued)
		return;
	waiter->thread = &shim_thread;
	waiter->queued = true;
	list_push_back(&queue->waiters, &waiter->link);
}

void wait_remove(struct wait_queue *queue, struct waiter *waiter)
{
	(void)queue;
	list_remove(&waiter->link);
	waiter->queued = false;
}

unsigned wait_wake_locked(struct wait_queue *queue, unsigned n)
{
	unsigned woken;
	struct list *link;

	for (woken = 0; woken < n && (link = list_pop_front(&queue->waiters)); woken++) {
		struct waiter *waiter = list_entry(link, struct waiter, link);

		waiter->queued = false;
		waiter->thread->state = THREAD_RUNNABLE;
	}
	return woken;
}

unsigned wait_wake(struct wait_queue *queue, unsigned n)
{
	return wait_wake_locked(queue, n);
}

void sched_block(void)
{
	assert_int_equal(preempt_count, 0);
	if (shim_thread.state != THREAD_BLOCKED)
		return;
	shim_blocks++;
	if (!shim_block)
		fail_msg("would block");
	shim_block();
	if (shim_thread.state == THREAD_BLOCKED && !shim_thread.work)
		fail_msg("would block for ever");
	shim_thread.state = THREAD_RUNNABLE;
}

int wait_block_until(uint64_t deadline)
{
	if (shim_now < deadline && shim_thread.state == THREAD_BLOCKED) {
		shim_blocks++;
		if (!shim_block)
			fail_msg("would block");
		shim_block();
		if (shim_thread.state == THREAD_BLOCKED && !shim_thread.work && shim_now < deadline)
			shim_now = deadline;
	}
	shim_thread.state = THREAD_RUNNABLE;
	return shim_now >= deadline ? -ETIMEDOUT : 0;
}

void mutex_init(struct mutex *mutex, const char *name)
{
	(void)name;
	memset(mutex, 0, sizeof(*mutex));
}

void mutex_lock(struct mutex *mutex)
{
	assert_int_equal(mutex->owner, 0);
	assert_int_equal(preempt_count, 0);
	mutex->owner = 1;
}

void mutex_unlock(struct mutex *mutex)
{
	assert_int_equal(mutex->owner, 1);
	mutex->owner = 0;
}

int user_read(void *dst, const void *user_src, size_t len)
{
	assert_int_equal(preempt_count, 0);
	if ((uintptr_t)user_src < 4096)
		return -EFAULT;
	memcpy(dst, user_src, len);
	return 0;
}

int user_write(void *user_dst, const void *src, size_t len)
{
	assert_int_equal(preempt_count, 0);
	if ((uintptr_t)user_dst < 4096)
		return -EFAULT;
	memcpy(user_dst, src, len);
	return 0;
}

/* One buffer, and none below 4096: those are not mapped. */
static ssize_t step(struct uio *uio, size_t len)
{
	assert_int_equal(preempt_count, 0);
	len = MIN(len, uio->resid);
	if (len && (uintptr_t)uio->iov->base < 4096)
		return -EFAULT;
	uio->done += len;
	uio->resid -= len;
	return (ssize_t)len;
}

ssize_t uio_copy_out(struct uio *uio, const void *src, size_t len)
{
	char *dst = (char *)uio->iov->base + uio->done;
	ssize_t n = step(uio, len);

	if (n > 0)
		memcpy(dst, src, (size_t)n);
	return n;
}

ssize_t uio_copy_in(struct uio *uio, void *dst, size_t len)
{
	const char *src = (char *)uio->iov->base + uio->done;
	ssize_t n = step(uio, len);

	if (n > 0)
		memcpy(dst, src, (size_t)n);
	return n;
}
