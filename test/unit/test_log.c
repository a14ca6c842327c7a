/* The log: what is kept, what is shown and when, cutting, wrapping, and lines that arrive in the middle of another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The file itself, so that each test can begin with an empty log. */
#include "kernel/core/log.c"

static char shown[100000];
static size_t shown_len;
static const char *nested; /* logged by the sink, as an NMI in the middle of the log's work would */

static void capture(struct log_sink *sink, const char *text, size_t len)
{
	const char *line = nested;

	(void)sink;
	assert_true(!shim_irq_enabled || panic_holder);
	assert_true(shown_len + len < sizeof(shown));
	memcpy(shown + shown_len, text, len);
	shown_len += len;
	shown[shown_len] = '\0';
	nested = NULL;
	if (line)
		log_write(LOG_ERR, "%s", line);
}

static struct log_sink sink = { .name = "test", .write = capture };

static uint64_t fixed_clock(void)
{
	return 12345678900000ull;
}

static int reset(void **state)
{
	(void)state;
	head = tail = 0;
	memset(ring, 0xee, sizeof(ring));
	sinks = NULL;
	console_level = LOG_WARNING;
	log_clock = NULL;
	log_holder = panic_holder = 0;
	shown_len = 0;
	shown[0] = '\0';
	return 0;
}

static void test_levels(void **state)
{
	(void)state;
	log_sink_register(&sink);
	log_warn("warning %d", 1);
	log_info("information");
	log_debug("detail");
	assert_string_equal(shown, "[    0.000000] warning 1\n");
	assert_true(shim_irq_enabled);
	shown_len = 0;
	log_console_level_set(LOG_DEBUG);
	assert_string_equal(shown, "[    0.000000] information\n"); /* kept; the detail was not */
	shown_len = 0;
	log_debug("detail 2\n");
	assert_string_equal(shown, "[    0.000000] detail 2\n");
}

static void test_early_lines(void **state)
{
	(void)state;
	log_clock = fixed_clock;
	log_err("before any console");
	log_info("not for consoles");
	log_sink_register(&sink);
	assert_string_equal(shown, "[12345.678900] before any console\n");
	log_raw("raw", 3);
	assert_string_equal(shown, "[12345.678900] before any console\nraw");
}

static void test_cut(void **state)
{
	char longest[LOG_LINE_MAX + 50], *text = shown + strlen("[    0.000000] ");

	(void)state;
	log_sink_register(&sink);
	memset(longest, 'x', sizeof(longest));
	longest[LOG_LINE_MAX - 1] = '\0';
	log_err("%s", longest); /* just fits */
	assert_memory_equal(text, longest, LOG_LINE_MAX - 1);
	assert_string_equal(text + LOG_LINE_MAX - 1, "\n");
	shown_len = 0;
	longest[LOG_LINE_MAX - 1] = 'x';
	longest[LOG_LINE_MAX] = '\0';
	log_err("%s", longest);
	assert_string_equal(text + LOG_LINE_MAX - 5, "x...\n");
	shown_len = 0;
	log_err("%s", "");
	assert_string_equal(text, "\n");
}

/* Many more lines than fit: the newest stay, in order, each in one piece. */
static void test_wrap(void **state)
{
	char filling[300], *line;
	int first = -1, number, n = 0;

	(void)state;
	memset(filling, '.', sizeof(filling));
	for (int i = 0; i < 5000; i++) {
		log_info("%d %.*s", i, i * 7 % 260, filling);
		assert_true(head - tail <= RING_SIZE && head >= tail);
	}
	log_panic_begin();
	log_sink_register(&sink);
	assert_string_equal(shown, "");
	log_panic_dump();
	for (line = strtok(shown, "\n"); line; line = strtok(NULL, "\n"), n++) {
		assert_int_equal(sscanf(line, "[    0.000000] %d ", &number), 1);
		if (first < 0)
			first = number;
		assert_int_equal(number, first + n);
	}
	assert_int_equal(first + n, 5000);
	assert_true(n > 50);
	shown_len = 0;
	shown[0] = '\0';
	log_panic_dump();
	assert_string_equal(shown, "");
}

static void test_nested(void **state)
{
	(void)state;
	log_sink_register(&sink);
	nested = "from inside";
	log_err("first");
	assert_string_equal(shown, "[    0.000000] first\n");
	shown_len = 0;
	log_err("second");
	assert_string_equal(shown, "[    0.000000] from inside\n[    0.000000] second\n");
}

/* A panic in the middle of the log's work, with the lock held by another CPU. */
static void test_panic_takes_over(void **state)
{
	(void)state;
	log_sink_register(&sink);
	log_info("kept");
	log_holder = 7;
	log_panic_begin();
	log_write(LOG_EMERG, "panic: test");
	log_panic_dump();
	assert_string_equal(shown, "[    0.000000] panic: test\n[    0.000000] kept\n");
}

static void test_damaged_ring(void **state)
{
	(void)state;
	log_info("one");
	log_info("two");
	record_at(tail)->size = 0;
	log_panic_begin();
	log_sink_register(&sink);
	log_panic_dump();
	assert_string_equal(shown, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_levels, reset),	  cmocka_unit_test_setup(test_early_lines, reset),
		cmocka_unit_test_setup(test_cut, reset),	  cmocka_unit_test_setup(test_wrap, reset),
		cmocka_unit_test_setup(test_nested, reset),	  cmocka_unit_test_setup(test_panic_takes_over, reset),
		cmocka_unit_test_setup(test_damaged_ring, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
