/* Advisory locks: ranges that are cut and joined, conflicts, waiting, deadlocks, and against a plain model. */
#include "kernel/file/lock.h"

#include <stdlib.h>

#include "test/unit/file_test.h"

static struct vnode vnode;
static const char a, b, c;

static int set(const void *owner, int type, int64_t start, int64_t end)
{
	struct lock_range range = { LOCK_KIND_POSIX, type, start, end, owner, 1 };

	return lock_set(&vnode, &range, false);
}

static int set_wait(enum lock_kind kind, const void *owner, int type, int64_t start, int64_t end)
{
	struct lock_range range = { kind, type, start, end, owner, 1 };

	return lock_set(&vnode, &range, true);
}

static int test_type(const void *owner, int type, int64_t start, int64_t end)
{
	struct lock_range range = { LOCK_KIND_POSIX, type, start, end, owner, 1 };

	lock_test(&vnode, &range);
	return range.type;
}

static unsigned nr_locks(void)
{
	struct list *link;
	unsigned n = 0;

	list_for_each(link, &vnode.locks)
		n++;
	return n;
}

static void test_ranges(void **state)
{
	(void)state;
	assert_int_equal(set(&a, F_WRLCK, 10, 19), 0);
	assert_int_equal(set(&b, F_WRLCK, 19, 25), -EAGAIN);
	assert_int_equal(set(&b, F_RDLCK, 0, 9), 0);
	assert_int_equal(set(&a, F_RDLCK, 5, 9), 0);
	assert_int_equal(set(&a, F_WRLCK, 5, 5), -EAGAIN);
	locks_owner_gone(&vnode, &b);
	/* A hole in the middle makes two of one, neighbours of one type are one. */
	assert_int_equal(set(&a, F_UNLCK, 12, 14), 0);
	assert_int_equal(nr_locks(), 3);
	assert_int_equal(test_type(&b, F_RDLCK, 12, 14), F_UNLCK);
	assert_int_equal(test_type(&b, F_RDLCK, 11, 14), F_WRLCK);
	assert_int_equal(test_type(&b, F_RDLCK, 14, 15), F_WRLCK);
	assert_int_equal(set(&a, F_WRLCK, 12, 14), 0);
	assert_int_equal(nr_locks(), 2);
	assert_int_equal(set(&a, F_WRLCK, 0, INT64_MAX), 0);
	assert_int_equal(nr_locks(), 1);
	assert_int_equal(test_type(&b, F_RDLCK, INT64_MAX, INT64_MAX), F_WRLCK);
	assert_int_equal(set(&a, F_UNLCK, 100, INT64_MAX), 0);
	assert_int_equal(test_type(&b, F_WRLCK, 100, INT64_MAX), F_UNLCK);
	locks_owner_gone(&vnode, &a);
	assert_int_equal(nr_locks(), 0);
}

/* Two owners, 64 bytes, an array that says who has what. */
static void test_random(void **state)
{
	static int model[2][64];
	const void *owners[2] = { &a, &b };

	(void)state;
	srand(3);
	memset(model, 0, sizeof(model));
	for (int step = 0; step < 20000; step++) {
		int who = rand() % 2, type = rand() % 3, start = rand() % 64, end = start + rand() % (64 - start);
		int value = type == F_UNLCK ? 0 : type == F_WRLCK ? 2 : 1;
		bool clash = false;

		for (int i = start; i <= end; i++)
			clash |= value && (model[!who][i] == 2 || (value == 2 && model[!who][i]));
		assert_int_equal(set(owners[who], type, start, end), clash ? -EAGAIN : 0);
		for (int i = start; !clash && i <= end; i++)
			model[who][i] = value;
		if (step % 100)
			continue;
		for (int i = 0; i < 64; i++) {
			int most = MAX(model[0][i], model[1][i]);

			assert_int_equal(test_type(&c, F_WRLCK, i, i), most == 0   ? F_UNLCK
								       : most == 1 ? F_RDLCK
										   : F_WRLCK);
		}
	}
	locks_owner_gone(&vnode, &a);
	locks_owner_gone(&vnode, &b);
}

static void a_unlocks(void)
{
	assert_int_equal(set(&a, F_UNLCK, 0, INT64_MAX), 0);
}

static void a_goes(void)
{
	locks_owner_gone(&vnode, &a);
}

static void a_waits_for_b(void)
{
	/* B, which is asleep, waits for A already. */
	shim_thread.state = THREAD_RUNNABLE;
	assert_int_equal(set_wait(LOCK_KIND_POSIX, &a, F_WRLCK, 50, 60), -EDEADLK);
	a_unlocks();
}

static void signal_comes(void)
{
	shim_thread.work = THREAD_WORK_SIGNAL;
}

static void test_waiting(void **state)
{
	(void)state;
	assert_int_equal(set(&a, F_WRLCK, 0, 9), 0);
	shim_block = a_unlocks;
	assert_int_equal(set_wait(LOCK_KIND_POSIX, &b, F_RDLCK, 5, 60), 0);
	assert_int_equal(shim_blocks, 1);
	assert_int_equal(set(&a, F_WRLCK, 0, 4), 0);
	shim_block = a_waits_for_b;
	assert_int_equal(set_wait(LOCK_KIND_POSIX, &b, F_RDLCK, 0, 60), 0);
	assert_int_equal(set(&a, F_WRLCK, 70, 80), 0);
	shim_block = signal_comes;
	assert_int_equal(set_wait(LOCK_KIND_POSIX, &b, F_RDLCK, 70, 70), -ERESTARTSYS);
	shim_thread.work = 0;
	shim_block = a_goes;
	assert_int_equal(set_wait(LOCK_KIND_OFD, &c, F_RDLCK, 70, 70), 0);
	locks_owner_gone(&vnode, &b);
	locks_owner_gone(&vnode, &c);
	assert_int_equal(nr_locks(), 0);
}

static void test_kinds(void **state)
{
	struct lock_range flock = { LOCK_KIND_FLOCK, F_WRLCK, 0, INT64_MAX, &a, 0 };

	(void)state;
	/* flock's do not see the others; OFD and POSIX ones see each other, of one owner even. */
	assert_int_equal(lock_set(&vnode, &flock, false), 0);
	assert_int_equal(set(&b, F_WRLCK, 0, 9), 0);
	assert_int_equal(set_wait(LOCK_KIND_OFD, &c, F_RDLCK, 10, 10), 0);
	flock.owner = &b;
	assert_int_equal(lock_set(&vnode, &flock, false), -EAGAIN);
	flock.type = F_RDLCK;
	flock.owner = &a;
	assert_int_equal(lock_set(&vnode, &flock, false), 0);
	flock.owner = &b;
	assert_int_equal(lock_set(&vnode, &flock, false), 0);
	flock.type = F_WRLCK;
	/* Conversion that fails gives up what was held. */
	assert_int_equal(lock_set(&vnode, &flock, false), -EAGAIN);
	flock.owner = &c;
	flock.type = F_RDLCK;
	assert_int_equal(lock_set(&vnode, &flock, false), 0);
	locks_owner_gone(&vnode, &a);
	locks_owner_gone(&vnode, &b);
	locks_owner_gone(&vnode, &c);
	assert_int_equal(nr_locks(), 0);
}

static void test_no_memory(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 2; i++) {
		heap_fail_at = i;
		assert_int_equal(set(&a, F_WRLCK, 0, 9), -ENOMEM);
	}
	heap_fail_at = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_ranges, no_leaks),    cmocka_unit_test_teardown(test_random, no_leaks),
		cmocka_unit_test_teardown(test_waiting, no_leaks),   cmocka_unit_test_teardown(test_kinds, no_leaks),
		cmocka_unit_test_teardown(test_no_memory, no_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
