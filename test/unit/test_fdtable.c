/* Tables of descriptors: numbers, limits, growth, what is closed when. */
#include "kernel/file/fdtable.h"

#include <stdlib.h>

#include "test/unit/file_test.h"

static unsigned nr_flushes, nr_releases;

static void note_flush(struct file *file, const void *owner)
{
	(void)file, (void)owner;
	nr_flushes++;
}

static void note_release(struct file *file)
{
	free(file);
	nr_releases++;
}

static const struct file_ops ops = { .flush = note_flush, .release = note_release };

static struct file *file_new(void)
{
	struct file *file = calloc(1, sizeof(*file));

	file_init(file, &ops, O_RDWR);
	return file;
}

static struct fdtable *table_new(unsigned limit)
{
	struct fdtable *table;

	nr_flushes = nr_releases = 0;
	assert_int_equal(fdtable_create(&table, limit), 0);
	return table;
}

static void test_lowest(void **state)
{
	struct fdtable *table = table_new(1024);
	struct file *file;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(fdtable_install(table, file_new(), 0, 0), i);
	assert_int_equal(fdtable_close(table, 1), 0);
	assert_int_equal(fdtable_close(table, 3), 0);
	assert_int_equal(fdtable_close(table, 3), -EBADF);
	assert_int_equal(fdtable_close(table, 77777), -EBADF);
	assert_int_equal(fdtable_install(table, file_new(), 2, 0), 3);
	assert_int_equal(fdtable_install(table, file_new(), 0, 0), 1);
	assert_int_equal(fdtable_install(table, file_new(), 0, 0), 5);
	assert_int_equal(fdtable_install(table, file_new(), 100, 0), 100);
	assert_int_equal(fdtable_install(table, file_new(), 0, 0), 6);
	assert_int_equal(nr_releases, 2);
	file = fdtable_file(table, 100);
	assert_non_null(file);
	assert_int_equal(file->refs, 2);
	assert_int_equal(fdtable_close(table, 100), 0);
	assert_int_equal(nr_releases, 2);
	file_put(file);
	assert_int_equal(nr_releases, 3);
	assert_null(fdtable_file(table, 100));
	assert_null(fdtable_file(table, UINT32_MAX));
	fdtable_put(table);
	assert_int_equal(nr_releases, 10);
	assert_int_equal(nr_flushes, 10);
}

static void test_limit(void **state)
{
	struct fdtable *table = table_new(3);
	struct file *file = file_new();

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(fdtable_install(table, file_new(), 0, 0), i);
	assert_int_equal(fdtable_install(table, file, 0, 0), -EMFILE);
	assert_int_equal(fdtable_install(table, file, 7, 0), -EMFILE);
	assert_int_equal(fdtable_install_at(table, file, 3, 0), -EBADF);
	fdtable_limit_set(table, 4);
	assert_int_equal(fdtable_install_at(table, file, 3, 0), 3);
	/* What is open beyond a limit that was lowered stays so. */
	fdtable_limit_set(table, 1);
	assert_ptr_equal(fdtable_file(table, 3), file);
	file_put(file);
	assert_int_equal(fdtable_close(table, 3), 0);
	fdtable_put(table);
}

/* Against a plain array, with numbers up to 20000. */
static void test_random(void **state)
{
	enum { N = 20000 };
	static struct file *model[N];
	struct fdtable *table = table_new(N);

	(void)state;
	srand(1);
	memset(model, 0, sizeof(model));
	for (int step = 0; step < 60000; step++) {
		unsigned fd = (unsigned)rand() % N, from = rand() % 4 ? 0 : fd, want;
		struct file *file;

		switch (rand() % 5) {
		case 0:
			assert_int_equal(fdtable_close(table, fd), model[fd] ? 0 : -EBADF);
			model[fd] = NULL;
			break;
		case 1:
			file = file_new();
			assert_int_equal(fdtable_install_at(table, file, fd, 0), fd);
			model[fd] = file;
			break;
		default:
			for (want = from; want < N && model[want]; want++)
				;
			file = file_new();
			if (want == N) {
				assert_int_equal(fdtable_install(table, file, from, 0), -EMFILE);
				file_put(file);
				break;
			}
			assert_int_equal(fdtable_install(table, file, from, 0), want);
			model[want] = file;
		}
	}
	for (unsigned fd = 0; fd < N; fd++)
		assert_ptr_equal(fdtable_borrow(table, fd, true).file, model[fd]);
	fdtable_put(table);
}

static void test_close_range(void **state)
{
	struct fdtable *table = table_new(1024);

	(void)state;
	for (int i = 0; i < 200; i++)
		assert_int_equal(fdtable_install(table, file_new(), 0, 0), i);
	assert_int_equal(fdtable_close_range(table, 10, 9, false), -EINVAL);
	assert_int_equal(fdtable_close_range(table, 3, 5, true), 0);
	assert_int_equal(fdtable_flags(table, 2), 0);
	assert_int_equal(fdtable_flags(table, 3), FD_CLOEXEC_FLAG);
	assert_int_equal(fdtable_flags(table, 5), FD_CLOEXEC_FLAG);
	assert_int_equal(fdtable_flags(table, 6), 0);
	assert_int_equal(fdtable_close_range(table, 0, 0, false), 0);
	assert_int_equal(nr_releases, 1);
	assert_int_equal(fdtable_close_range(table, 60, 70, false), 0);
	assert_int_equal(nr_releases, 12);
	assert_int_equal(fdtable_next(table, 60), 71);
	assert_int_equal(fdtable_close_range(table, 100, UINT32_MAX, false), 0);
	assert_int_equal(nr_releases, 112);
	assert_int_equal(fdtable_next(table, 100), -1);
	fdtable_close_marked(table);
	assert_int_equal(nr_releases, 115);
	assert_int_equal(fdtable_next(table, 3), 6);
	assert_int_equal(fdtable_flags_set(table, 3, 1), -EBADF);
	assert_int_equal(fdtable_flags(table, 3), -EBADF);
	/* A number that was marked is not when it is used again. */
	assert_int_equal(fdtable_install(table, file_new(), 3, 0), 3);
	assert_int_equal(fdtable_flags(table, 3), 0);
	fdtable_put(table);
}

static void test_borrow(void **state)
{
	struct fdtable *table = table_new(1024);
	struct fd_ref ref;

	(void)state;
	assert_int_equal(fdtable_install(table, file_new(), 0, 0), 0);
	ref = fdtable_borrow(table, 0, true);
	assert_int_equal(ref.file->refs, 1);
	fd_ref_put(ref);
	ref = fdtable_borrow(table, 0, false);
	assert_int_equal(ref.file->refs, 2);
	fd_ref_put(ref);
	/* A table that others have too is never only the caller's. */
	fdtable_get(table);
	ref = fdtable_borrow(table, 0, true);
	assert_int_equal(ref.file->refs, 2);
	fd_ref_put(ref);
	fdtable_put(table);
	assert_int_equal(nr_releases, 0);
	assert_null(fdtable_borrow(table, 64, true).file);
	assert_null(fdtable_borrow(table, UINT32_MAX, true).file);
	fdtable_put(table);
	assert_int_equal(nr_releases, 1);
}

static void test_no_memory(void **state)
{
	struct fdtable *table;
	struct file *file = file_new();

	(void)state;
	heap_fail_at = 1;
	assert_int_equal(fdtable_create(&table, 10), -ENOMEM);
	heap_fail_at = 0;
	table = table_new(100000);
	heap_fail_at = 1;
	assert_int_equal(fdtable_install_at(table, file, 64, 0), -ENOMEM);
	assert_int_equal(fdtable_install(table, file, 64, 0), -ENOMEM);
	assert_int_equal(fdtable_install(table, file, 0, 0), 0);
	heap_fail_at = 0;
	fdtable_put(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_lowest, no_leaks), cmocka_unit_test_teardown(test_limit, no_leaks),
		cmocka_unit_test_teardown(test_random, no_leaks), cmocka_unit_test_teardown(test_close_range, no_leaks),
		cmocka_unit_test_teardown(test_borrow, no_leaks), cmocka_unit_test_teardown(test_no_memory, no_leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
