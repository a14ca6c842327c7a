/* Pipes: order, atomicity, packets, who is woken when, ends that go, sizes; and named ones. */
#include "kernel/file/pipe.h"

#include <stdlib.h>

#include "kernel/file/fifo.h"
#include "kernel/file/vnode.h"
#include "test/unit/file_test.h"

static struct file *in, *out;
static char buf[200000];

static void pipe_new(unsigned flags)
{
	assert_int_equal(pipe_create(flags, &in, &out), 0);
}

static void pipe_end(void)
{
	file_put(in);
	file_put(out);
}

static unsigned wakes_of(struct wait_queue *queue)
{
	unsigned n = 0;
	struct list *link;

	list_for_each(link, &queue->waiters)
		n++;
	return n;
}

static void test_order(void **state)
{
	(void)state;
	pipe_new(O_NONBLOCK);
	assert_int_equal(read_file(in, buf, 1), -EAGAIN);
	assert_int_equal(read_file(in, buf, 0), 0);
	assert_int_equal(write_file(out, "hello", 5), 5);
	assert_int_equal(write_file(out, "world", 5), 5);
	/* Small writes share a page. */
	assert_int_equal(pipe_of(in)->head - pipe_of(in)->tail, 1);
	assert_int_equal(read_file(in, buf, 3), 3);
	assert_memory_equal(buf, "hel", 3);
	assert_int_equal(read_file(in, buf, 100), 7);
	assert_memory_equal(buf, "loworld", 7);
	assert_int_equal(read_file(out, buf, 1), -EBADF);
	assert_int_equal(write_file(in, buf, 1), -EBADF);
	pipe_end();
}

/* Random writes and reads against a counter: every byte arrives, once and in order. */
static void test_stream(void **state)
{
	uint8_t next_in = 0, next_out = 0;
	size_t there = 0;

	(void)state;
	pipe_new(O_NONBLOCK);
	srand(2);
	for (int step = 0; step < 5000; step++) {
		size_t len = (size_t)rand() % (rand() % 3 ? 5000 : 60000) + 1;
		bool writes = rand() % 2;
		ssize_t n;

		for (size_t i = 0; writes && i < len; i++)
			buf[i] = (char)(next_out + i);
		n = writes ? write_file(out, buf, len) : read_file(in, buf, len);
		if (n < 0) {
			assert_int_equal(n, -EAGAIN);
			assert_true(writes ? there > 0 : there == 0);
			continue;
		}
		assert_true(n > 0 && (size_t)n <= len);
		if (writes) {
			assert_true((size_t)n == len || len > PIPE_BUF);
			next_out = (uint8_t)(next_out + n);
			there += (size_t)n;
			continue;
		}
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal((uint8_t)buf[i], next_in++);
		assert_true((size_t)n == len || (size_t)n == there);
		there -= (size_t)n;
	}
	pipe_end();
}

static void test_full(void **state)
{
	(void)state;
	pipe_new(O_NONBLOCK);
	assert_int_equal(write_file(out, buf, 100000), 65536);
	assert_int_equal(write_file(out, buf, 1), -EAGAIN);
	assert_int_equal(file_poll(out), 0);
	assert_int_equal(file_poll(in), EV_IN | EV_RDNORM);
	assert_int_equal(read_file(in, buf, 4095), 4095);
	/* Not a whole slot is free yet. */
	assert_int_equal(write_file(out, buf, 1), -EAGAIN);
	assert_int_equal(read_file(in, buf, 1), 1);
	assert_int_equal(file_poll(out), EV_OUT | EV_WRNORM);
	assert_int_equal(write_file(out, buf, 4097), 4096);
	pipe_end();
}

static void test_ends(void **state)
{
	(void)state;
	pipe_new(0);
	assert_int_equal(write_file(out, "x", 1), 1);
	file_put(out);
	assert_int_equal(file_poll(in), EV_IN | EV_RDNORM | EV_HUP);
	assert_int_equal(read_file(in, buf, 9), 1);
	assert_int_equal(read_file(in, buf, 9), 0);
	assert_int_equal(file_poll(in), EV_HUP);
	file_put(in);
	pipe_new(0);
	file_put(in);
	assert_int_equal(write_file(out, "x", 1), -EPIPE);
	assert_int_equal(file_poll(out), EV_OUT | EV_WRNORM | EV_ERR);
	file_put(out);
}

static void test_packets(void **state)
{
	(void)state;
	pipe_new(O_DIRECT | O_NONBLOCK);
	assert_int_equal(write_file(out, "abcdef", 6), 6);
	assert_int_equal(write_file(out, "gh", 2), 2);
	assert_int_equal(read_file(in, buf, 3), 3);
	assert_int_equal(read_file(in, buf, 100), 2);
	assert_memory_equal(buf, "gh", 2);
	assert_int_equal(read_file(in, buf, 100), -EAGAIN);
	assert_int_equal(write_file(out, buf, 5000), 5000);
	assert_int_equal(read_file(in, buf, 10000), 4096);
	assert_int_equal(read_file(in, buf, 10000), 904);
	pipe_end();
}

/* ---- Blocking --------------------------------------------------------------------------------------------------- */

static void other_writes(void)
{
	assert_int_equal(wakes_of(&pipe_of(in)->readers), 1);
	assert_int_equal(write_file(out, "late", 4), 4);
	assert_int_equal(wakes_of(&pipe_of(in)->readers), 0);
}

static void other_closes_out(void)
{
	file_put(out);
}

static void other_drains(void)
{
	static char sink[65536];

	assert_true(read_file(in, sink, sizeof(sink)) > 0);
}

static void other_signals(void)
{
	shim_thread.work = THREAD_WORK_SIGNAL;
}

static void test_blocking(void **state)
{
	(void)state;
	pipe_new(0);
	shim_block = other_writes;
	assert_int_equal(read_file(in, buf, 100), 4);
	assert_int_equal(shim_blocks, 1);
	shim_block = other_drains;
	assert_int_equal(write_file(out, buf, 200000), 200000);
	assert_true(shim_blocks >= 3);
	other_drains();
	shim_block = other_signals;
	assert_int_equal(read_file(in, buf, 1), -ERESTARTSYS);
	/* A write that has begun tells how far it came. */
	shim_thread.work = 0;
	assert_int_equal(write_file(out, buf, 70000), 65536);
	shim_thread.work = 0;
	assert_int_equal(write_file(out, buf, 70000), -ERESTARTSYS);
	shim_thread.work = 0;
	other_drains();
	shim_block = other_closes_out;
	assert_int_equal(read_file(in, buf, 1), 0);
	file_put(in);
}

static void test_faults(void **state)
{
	(void)state;
	pipe_new(O_NONBLOCK);
	assert_int_equal(write_file(out, (void *)16, 5), -EFAULT);
	assert_int_equal(read_file(in, buf, 5), -EAGAIN);
	assert_int_equal(write_file(out, "abc", 3), 3);
	assert_int_equal(read_file(in, (void *)16, 5), -EFAULT);
	assert_int_equal(write_file(out, (void *)16, 5), -EFAULT);
	assert_int_equal(read_file(in, buf, 5), 3);
	pipe_end();
}

static void test_resize(void **state)
{
	(void)state;
	pipe_new(O_NONBLOCK);
	assert_int_equal(pipe_bytes(in), 65536);
	assert_int_equal(write_file(out, buf, 20000), 20000);
	assert_int_equal(pipe_resize(out, 4096), -EBUSY);
	assert_int_equal(pipe_resize(out, 20001), 32768);
	assert_int_equal(write_file(out, buf, 50000), 32768 - 20480);
	assert_int_equal(pipe_resize(in, 1u << 20), 1u << 20);
	assert_int_equal(read_file(in, buf, 200000), 20000 + 32768 - 20480);
	assert_int_equal(pipe_resize(in, 0), 4096);
	assert_int_equal(pipe_resize(in, UINT64_MAX), -EINVAL);
	assert_int_equal(write_file(out, buf, 5000), 4096);
	pipe_end();
}

static void test_no_memory(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 4; i++) {
		heap_fail_at = i;
		assert_int_equal(pipe_create(0, &in, &out), -ENOMEM);
	}
	heap_fail_at = 0;
	pipe_new(O_NONBLOCK);
	heap_fail_at = 1;
	assert_int_equal(write_file(out, buf, 10), -ENOMEM);
	heap_fail_at = 3;
	assert_int_equal(write_file(out, buf, 40000), 8192);
	heap_fail_at = 0;
	pipe_end();
}

/* ---- Named ------------------------------------------------------------------------------------------------------ */

static void vnode_gone(struct vnode *vnode)
{
	(void)vnode;
}

static struct vnode vnode;
static struct file *opened;
static int open_error;

static void fifo_file(struct file *file)
{
	vnode_get(&vnode);
	file->vnode = &vnode;
}

static void other_opens_writer(void)
{
	shim_thread.state = THREAD_RUNNABLE;
	open_error = fifo_open(&vnode, O_WRONLY, &opened);
	fifo_file(opened);
}

static void test_fifo(void **state)
{
	static const struct vnode_ops vnode_ops = { .release = vnode_gone };
	struct file *rdwr;

	(void)state;
	vnode_init(&vnode, &vnode_ops, NULL, S_IFIFO | 0600, 1);
	assert_int_equal(fifo_open(&vnode, O_WRONLY | O_NONBLOCK, &out), -ENXIO);
	assert_null(vnode.special);
	assert_int_equal(fifo_open(&vnode, O_RDONLY | O_NONBLOCK, &in), 0);
	fifo_file(in);
	/* No writer was there yet: no hang-up, but the end of the file. */
	assert_int_equal(file_poll(in), 0);
	assert_int_equal(read_file(in, buf, 1), 0);
	assert_int_equal(fifo_open(&vnode, O_WRONLY | O_NONBLOCK, &out), 0);
	fifo_file(out);
	assert_int_equal(read_file(in, buf, 1), -EAGAIN);
	assert_int_equal(write_file(out, "fifo", 4), 4);
	assert_int_equal(fifo_open(&vnode, O_RDWR, &rdwr), 0);
	fifo_file(rdwr);
	file_put(out);
	file_put(in);
	assert_int_equal(read_file(rdwr, buf, 10), 4);
	file_put(rdwr);
	assert_null(vnode.special);
	/* Both wait for each other. */
	shim_block = other_opens_writer;
	assert_int_equal(fifo_open(&vnode, O_RDONLY, &in), 0);
	assert_int_equal(open_error, 0);
	fifo_file(in);
	file_put(in);
	file_put(opened);
	shim_block = other_signals;
	assert_int_equal(fifo_open(&vnode, O_WRONLY, &out), -ERESTARTSYS);
	assert_null(vnode.special);
	assert_int_equal(vnode.refs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_order, no_leaks),     cmocka_unit_test_teardown(test_stream, no_leaks),
		cmocka_unit_test_teardown(test_full, no_leaks),	     cmocka_unit_test_teardown(test_ends, no_leaks),
		cmocka_unit_test_teardown(test_packets, no_leaks),   cmocka_unit_test_teardown(test_blocking, no_leaks),
		cmocka_unit_test_teardown(test_faults, no_leaks),    cmocka_unit_test_teardown(test_resize, no_leaks),
		cmocka_unit_test_teardown(test_no_memory, no_leaks), cmocka_unit_test_teardown(test_fifo, no_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
