/* The program's arguments: words, quotes, and what a monitor has appended to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/dev/firmware/firmware.h"
#include "kernel/init/args.h"

static bool has_acpi;

bool firmware_has_acpi(void)
{
	return has_acpi;
}

/* The words after argv[0], each in brackets. */
static const char *words(const char *cmdline)
{
	static char text[8192];
	struct args args;
	size_t len = 0;

	args_parse(&args, cmdline);
	assert_string_equal(args.argv[0], "main");
	assert_null(args.argv[args.argc]);
	text[0] = '\0';
	for (int i = 1; i < args.argc; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "[%s]", args.argv[i]);
	return text;
}

static void split(void **state)
{
	(void)state;
	assert_string_equal(words(""), "");
	assert_string_equal(words("loglevel=7"), "");
	assert_string_equal(words("loglevel=7 --"), "");
	assert_string_equal(words("loglevel=7 -- a  b\tc "), "[a][b][c]");
	assert_string_equal(words("-- \\\"a\\\" \"b \\\" c\" d\\\\ \\e \\"), "[\"a\"][b \" c][d\\][\\e][\\]");
	assert_string_equal(words("-- \"a b\" c\"d e\"f \"\" -- \"open "), "[a b][cd ef][][--][open ]");
}

#define DEVICE "virtio_mmio.device=512@0xfeb00e00:12"

static void devices(void **state)
{
	(void)state;
	has_acpi = false;
	assert_string_equal(words("-- a " DEVICE " b"), "[a][" DEVICE "][b]");
	assert_string_equal(words("-- a b " DEVICE "  " DEVICE " "), "[a][b]");
	assert_string_equal(words("-- " DEVICE), "");
	assert_string_equal(words("-- x" DEVICE), "[x" DEVICE "]");
	assert_string_equal(words("-- \"a " DEVICE "\""), "[a " DEVICE "]");
	has_acpi = true;
	assert_string_equal(words("-- a " DEVICE), "[a][" DEVICE "]");
}

static void many(void **state)
{
	char line[2048] = "--";
	struct args args;

	(void)state;
	has_acpi = false;
	for (unsigned i = 1; i < ARGS_MAX; i++)
		strcat(line, " a");
	for (unsigned i = 0; i < 24; i++)
		strcat(line, " " DEVICE);
	args_parse(&args, line);
	assert_int_equal(args.argc, ARGS_MAX);
	strcpy(line, "--");
	for (unsigned i = 0; i < 2 * ARGS_MAX; i++)
		strcat(line, " a");
	args_parse(&args, line);
	assert_int_equal(args.argc, ARGS_MAX);
	assert_null(args.argv[ARGS_MAX]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split),
		cmocka_unit_test(devices),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
