/* Linux's ABI in our own words, held against the headers of the build machine's Linux: constants, offsets, sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/file/abi.h"
#include "test/unit/abi.h"

static const struct abi_constant *find(const struct abi_constant *list, const char *name)
{
	while (list->name && strcmp(list->name, name) != 0)
		list++;
	return list->name ? list : NULL;
}

static void test_constants(void **state)
{
	unsigned nr_checked = 0, nr_wrong = 0, nr_unknown = 0;

	(void)state;
	for (const struct abi_constant *ours = abi_ours; ours->name; ours++) {
		const struct abi_constant *linux_ = find(abi_linux, ours->name);

		if (!linux_)
			linux_ = find(abi_libc, ours->name);
		nr_unknown += !linux_;
		nr_checked += !!linux_;
		if (!linux_ || ours->value == linux_->value)
			continue;
		print_error("%s is %#lx, not %#lx\n", ours->name, (unsigned long)linux_->value,
			    (unsigned long)ours->value);
		nr_wrong++;
	}
	print_message("%u constants checked, %u that are in no header\n", nr_checked, nr_unknown);
	assert_int_equal(nr_wrong, 0);
	assert_true(nr_checked > 500);
}

static void test_layouts(void **state)
{
	const struct abi_member *ours = abi_ours_members, *theirs = abi_linux_members;
	unsigned nr_wrong = 0;

	(void)state;
	for (; ours->name; ours++, theirs++) {
		if (ours->offset == theirs->offset && ours->size == theirs->size)
			continue;
		print_error("%s: %zu bytes at %zu, %s: %zu at %zu\n", ours->name, ours->size, ours->offset,
			    theirs->name, theirs->size, theirs->offset);
		nr_wrong++;
	}
	assert_null(theirs->name);
	assert_int_equal(nr_wrong, 0);
}

/* As makedev(3) has it, as far as 32 bits go. */
static void test_dev(void **state)
{
	static const struct {
		unsigned major, minor;
		uint32_t dev;
	} rows[] = { { 1, 3, 0x103 },
		     { 136, 0, 0x8800 },
		     { 8, 255, 0x8ff },
		     { 8, 256, 0x100800 },
		     { 4095, 0xfffff, 0xffffffff } };

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(dev_encode(rows[i].major, rows[i].minor), rows[i].dev);
		assert_int_equal(dev_major(rows[i].dev), rows[i].major);
		assert_int_equal(dev_minor(rows[i].dev), rows[i].minor);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_dev),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
