/* epoll and poll: triggers, order, sets in sets, files that go while they are watched; eventfds. */
#include "kernel/file/epoll.h"

#include "kernel/file/eventfd.h"
#include "kernel/file/pipe.h"
#include "kernel/file/poll_set.h"
#include "test/unit/file_test.h"

static struct file *epoll, *event, *in, *out;
static struct linux_epoll_event got[64];

static int begin(void **state)
{
	(void)state;
	return epoll_create(&epoll) || eventfd_create(0, O_NONBLOCK, &event) || pipe_create(O_NONBLOCK, &in, &out);
}

static int end(void **state)
{
	file_put(epoll);
	file_put(event);
	file_put(in);
	file_put(out);
	return no_leaks(state);
}

static int ctl(struct file *set, int op, struct file *file, uint32_t events)
{
	struct linux_epoll_event e = { events, (uintptr_t)file };

	return epoll_ctl(set, op, 7, file, &e);
}

static long ready(struct file *set)
{
	return epoll_wait(set, got, 64, 0);
}

static void signal_event(void)
{
	uint64_t one = 1;

	assert_int_equal(write_file(event, &one, 8), 8);
}

static void clear_event(void)
{
	uint64_t value;

	assert_int_equal(read_file(event, &value, 8), 8);
}

static void test_level(void **state)
{
	(void)state;
	assert_int_equal(ctl(epoll, EPOLL_CTL_ADD, event, EPOLLIN), 0);
	assert_int_equal(ctl(epoll, EPOLL_CTL_ADD, event, EPOLLIN), -EEXIST);
	assert_int_equal(ready(epoll), 0);
	signal_event();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ready(epoll), 1);
		assert_int_equal(got[0].events, EPOLLIN);
		assert_int_equal(got[0].data, (uintptr_t)event);
	}
	clear_event();
	assert_int_equal(ready(epoll), 0);
	/* A descriptor that is ready when it comes in. */
	assert_int_equal(ctl(epoll, EPOLL_CTL_ADD, out, EPOLLOUT | EPOLLIN), 0);
	assert_int_equal(ready(epoll), 1);
	assert_int_equal(ctl(epoll, EPOLL_CTL_MOD, out, EPOLLIN), 0);
	assert_int_equal(ready(epoll), 0);
	assert_int_equal(ctl(epoll, EPOLL_CTL_MOD, out, EPOLLOUT), 0);
	assert_int_equal(ready(epoll), 1);
	assert_int_equal(ctl(epoll, EPOLL_CTL_DEL, out, 0), 0);
	assert_int_equal(ctl(epoll, EPOLL_CTL_DEL, out, 0), -ENOENT);
	assert_int_equal(ctl(epoll, EPOLL_CTL_MOD, out, EPOLLOUT), -ENOENT);
	assert_int_equal(ready(epoll), 0);
}

static void test_edge(void **state)
{
	(void)state;
	assert_int_equal(ctl(epoll, EPOLL_CTL_ADD, in, EPOLLIN | EPOLLET), 0);
	assert_int_equal(write_file(out, "a", 1), 1);
	assert_int_equal(ready(epoll), 1);
	assert_int_equal(ready(epoll), 0);
	/* Every write is an edge. */
	assert_int_equal(write_file(out, "b", 1), 1);
	assert_int_equal(ready(epoll), 1);
	assert_int_equal(ready(epoll), 0);
	/* So is a change of what is asked for. */
	assert_int_equal(ctl(epoll, EPOLL_CTL_MOD, in, EPOLLIN | EPOLLET), 0);
	assert_int_equal(ready(epoll), 1);
	assert_int_equal(ready(epoll), 0);
}

static void test_oneshot(void **state)
{
	(void)state;
	assert_int_equal(ctl(epoll, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLONESHOT), 0);
	signal_event();
	assert_int_equal(ready(epoll), 1);
	signal_event();
	assert_int_equal(ready(epoll), 0);
	assert_int_equal(ctl(epoll, EPOLL_CTL_MOD, event, EPOLLIN | EPOLLONESHOT), 0);
	assert_int_equal(ready(epoll), 1);
	assert_int_equal(ready(epoll), 0);
}

static void test_exclusive(void **state)
{
	(void)state;
	assert_int_equal(ctl(epoll, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT), -EINVAL);
	assert_int_equal(ctl(epoll, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLEXCLUSIVE), 0);
	assert_int_equal(ctl(epoll, EPOLL_CTL_MOD, event, EPOLLIN), -EINVAL);
	signal_event();
	assert_int_equal(ready(epoll), 1);
}

/* More are ready than asked for: each has its turn. */
static void test_fair(void **state)
{
	struct file *events[10];
	unsigned seen[10] = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++) {
		struct linux_epoll_event e = { EPOLLIN, (uint64_t)i };

		assert_int_equal(eventfd_create(1, 0, &events[i]), 0);
		assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, (unsigned)i, events[i], &e), 0);
	}
	for (int i = 0; i < 10; i++) {
		assert_int_equal(epoll_wait(epoll, got, 3, 0), 3);
		for (int j = 0; j < 3; j++)
			seen[got[j].data]++;
	}
	for (int i = 0; i < 10; i++)
		assert_int_equal(seen[i], 3);
	for (int i = 0; i < 10; i++)
		file_put(events[i]);
	assert_int_equal(ready(epoll), 0);
}

static void test_faults(void **state)
{
	(void)state;
	assert_int_equal(ctl(epoll, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLET), 0);
	signal_event();
	assert_int_equal(epoll_wait(epoll, (void *)16, 1, 0), -EFAULT);
	assert_int_equal(ready(epoll), 1);
	assert_int_equal(ready(epoll), 0);
}

/* ---- Waiting ---------------------------------------------------------------------------------------------------- */

static void event_comes(void)
{
	signal_event();
	assert_int_equal(shim_thread.state, THREAD_RUNNABLE);
}

static void nothing_comes(void)
{
}

static void signal_comes(void)
{
	shim_thread.work = THREAD_WORK_SIGNAL;
}

static void test_waiting(void **state)
{
	(void)state;
	assert_int_equal(ctl(epoll, EPOLL_CTL_ADD, event, EPOLLIN), 0);
	shim_block = event_comes;
	assert_int_equal(epoll_wait(epoll, got, 64, UINT64_MAX), 1);
	assert_int_equal(shim_blocks, 1);
	clear_event();
	assert_int_equal(epoll_wait(epoll, got, 64, shim_now + 1000), 1);
	clear_event();
	shim_block = nothing_comes;
	assert_int_equal(epoll_wait(epoll, got, 64, shim_now + 1000), 0);
	shim_block = signal_comes;
	assert_int_equal(epoll_wait(epoll, got, 64, UINT64_MAX), -ERESTARTSYS);
	/* What is ready counts before the signal. */
	signal_event();
	assert_int_equal(epoll_wait(epoll, got, 64, UINT64_MAX), 1);
}

/* ---- Files that go, sets in sets -------------------------------------------------------------------------------- */

static void test_close(void **state)
{
	struct file *read_end, *write_end, *second;

	(void)state;
	assert_int_equal(epoll_create(&second), 0);
	assert_int_equal(pipe_create(0, &read_end, &write_end), 0);
	assert_int_equal(ctl(epoll, EPOLL_CTL_ADD, read_end, EPOLLIN), 0);
	assert_int_equal(ctl(epoll, EPOLL_CTL_ADD, write_end, EPOLLOUT), 0);
	assert_int_equal(ctl(second, EPOLL_CTL_ADD, read_end, EPOLLIN), 0);
	assert_int_equal(ready(epoll), 1);
	file_put(write_end);
	assert_int_equal(ready(second), 1);
	assert_int_equal(got[0].events, EPOLLHUP);
	assert_int_equal(ready(epoll), 1);
	file_put(read_end);
	assert_int_equal(ready(epoll), 0);
	assert_int_equal(ready(second), 0);
	/* The set goes before what it watches. */
	assert_int_equal(ctl(second, EPOLL_CTL_ADD, event, EPOLLIN), 0);
	file_put(second);
	signal_event();
}

static void test_nested(void **state)
{
	struct file *sets[7];

	(void)state;
	for (int i = 0; i < 7; i++)
		assert_int_equal(epoll_create(&sets[i]), 0);
	assert_int_equal(ctl(sets[0], EPOLL_CTL_ADD, sets[0], EPOLLIN), -EINVAL);
	for (int i = 0; i < 4; i++)
		assert_int_equal(ctl(sets[i], EPOLL_CTL_ADD, sets[i + 1], EPOLLIN), 0);
	assert_int_equal(ctl(sets[4], EPOLL_CTL_ADD, sets[5], EPOLLIN), -ELOOP);
	assert_int_equal(ctl(sets[5], EPOLL_CTL_ADD, sets[0], EPOLLIN), -ELOOP);
	assert_int_equal(ctl(sets[4], EPOLL_CTL_ADD, sets[0], EPOLLIN), -ELOOP);
	assert_int_equal(ctl(sets[1], EPOLL_CTL_ADD, sets[0], EPOLLIN), -ELOOP);
	assert_int_equal(ctl(sets[4], EPOLL_CTL_ADD, event, EPOLLIN), 0);
	assert_int_equal(ready(sets[0]), 0);
	signal_event();
	assert_int_equal(ready(sets[0]), 1);
	assert_int_equal(ready(sets[0]), 1);
	clear_event();
	assert_int_equal(ready(sets[0]), 0);
	/* One in the middle goes. */
	file_put(sets[2]);
	signal_event();
	assert_int_equal(ready(sets[0]), 0);
	assert_int_equal(ready(sets[3]), 1);
	assert_int_equal(ctl(sets[4], EPOLL_CTL_ADD, sets[0], EPOLLIN), 0);
	for (int i = 0; i < 7; i++)
		if (i != 2)
			file_put(sets[i]);
}

static void test_no_memory(void **state)
{
	struct file *file;

	(void)state;
	heap_fail_at = 1;
	assert_int_equal(ctl(epoll, EPOLL_CTL_ADD, event, EPOLLIN), -ENOMEM);
	assert_int_equal(epoll_create(&file), -ENOMEM);
	assert_int_equal(eventfd_create(0, 0, &file), -ENOMEM);
	heap_fail_at = 0;
}

/* ---- eventfd, poll ---------------------------------------------------------------------------------------------- */

static void test_eventfd(void **state)
{
	uint64_t value = UINT64_MAX;
	struct file *semaphore;

	(void)state;
	assert_int_equal(write_file(event, &value, 8), -EINVAL);
	assert_int_equal(write_file(event, &value, 7), -EINVAL);
	assert_int_equal(write_file(event, (void *)16, 8), -EFAULT);
	assert_int_equal(read_file(event, &value, 8), -EAGAIN);
	value = UINT64_MAX - 1;
	assert_int_equal(write_file(event, &value, 8), 8);
	assert_int_equal(file_poll(event), EV_IN | EV_RDNORM);
	value = 1;
	assert_int_equal(write_file(event, &value, 8), -EAGAIN);
	assert_int_equal(read_file(event, &value, 7), -EINVAL);
	assert_int_equal(read_file(event, &value, 16), 8);
	assert_int_equal(value, UINT64_MAX - 1);
	assert_int_equal(file_poll(event), EV_OUT | EV_WRNORM);
	assert_int_equal(eventfd_create(3, EFD_SEMAPHORE, &semaphore), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(read_file(semaphore, &value, 8), 8);
		assert_int_equal(value, 1);
	}
	shim_block = signal_comes;
	assert_int_equal(read_file(semaphore, &value, 8), -ERESTARTSYS);
	file_put(semaphore);
}

static void test_poll(void **state)
{
	struct poll_item items[3] = {
		{ .ref = { event, false }, .events = EV_IN },
		{ .ref = { in, false }, .events = EV_IN },
		{ .revents = 0 },
	};

	(void)state;
	assert_int_equal(poll_items(items, 3, 0), 0);
	shim_block = event_comes;
	assert_int_equal(poll_items(items, 3, UINT64_MAX), 1);
	assert_int_equal(items[0].revents, EV_IN);
	assert_int_equal(items[1].revents, 0);
	assert_int_equal(write_file(out, "x", 1), 1);
	items[2].revents = EV_NVAL;
	assert_int_equal(poll_items(items, 3, UINT64_MAX), 3);
	assert_int_equal(items[1].revents, EV_IN);
	clear_event();
	items[2].revents = 0;
	shim_block = nothing_comes;
	assert_int_equal(poll_items(items, 1, shim_now + 5), 0);
	shim_block = signal_comes;
	assert_int_equal(poll_items(items, 1, UINT64_MAX), -ERESTARTSYS);
	assert_int_equal(poll_items(items, 1, 0), -ERESTARTSYS);
	/* Nothing hangs on the sources any more. */
	assert_true(list_is_empty(&event->source->watches));
	assert_true(list_is_empty(&in->source->watches));
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(level),   TEST(edge),  TEST(oneshot), TEST(exclusive), TEST(fair),	   TEST(faults),
		TEST(waiting), TEST(close), TEST(nested),  TEST(no_memory), TEST(eventfd), TEST(poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
