/*
 * Test Anything Protocol (version 13) for test images: what a guest prints here, test/boot/qemu.py reads.
 *
 *	int main(void)
 *	{
 *		TAP_CHECK(1 + 1 == 2, "sums of %d numbers", 2);
 *		tap_note("took %u ns", 17);
 *		return tap_done();
 *	}
 *
 * Any thread on any CPU may report: a line leaves in one piece, and the count is atomic. Only main calls tap_done, when
 * every other thread has made its last report.
 */
#ifndef TEST_BOOT_GUEST_TAP_H
#define TEST_BOOT_GUEST_TAP_H

#include <stdarg.h>
#include <stdbool.h>

#include "kernel/core/log.h"
#include "lib/fmt.h"
#include "lib/util.h"

static unsigned tap_reported, tap_failed; /* atomic */

/* One line on the console; cut at 240 bytes. */
__attribute__((unused, format(printf, 2, 0))) static void tap_vline(const char *lead, const char *format, va_list args)
{
	char line[240];
	size_t len = (size_t)fmt_format(line, sizeof(line) - 1, "%s", lead);

	len += (size_t)fmt_vformat(line + len, sizeof(line) - 1 - len, format, args);
	len = MIN(len, sizeof(line) - 2);
	line[len++] = '\n';
	log_raw(line, len);
}

/* A line that says more about the checks around it; no verdict. */
__attribute__((unused, format(printf, 1, 2))) static void tap_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_vline("# ", format, args);
	va_end(args);
}

__attribute__((unused, format(printf, 2, 3))) static bool tap_report(bool passed, const char *format, ...)
{
	unsigned nr = __atomic_add_fetch(&tap_reported, 1, __ATOMIC_RELAXED);
	char lead[32];
	va_list args;

	if (!passed)
		__atomic_add_fetch(&tap_failed, 1, __ATOMIC_RELAXED);
	fmt_format(lead, sizeof(lead), "%s %u - ", passed ? "ok" : "not ok", nr);
	va_start(args, format);
	tap_vline(lead, format, args);
	va_end(args);
	return passed;
}

/* One verdict; true when CONDITION holds. The rest is what is tested, as for printf. */
#define TAP_CHECK(condition, ...)                                                                                      \
	({                                                                                                             \
		bool tap_passed_ = tap_report((condition), __VA_ARGS__);                                               \
		if (!tap_passed_)                                                                                      \
			tap_note("%s:%d: %s", __FILE_NAME__, __LINE__, #condition);                                    \
		tap_passed_;                                                                                           \
	})

/* As TAP_CHECK(actual == expected), and says both values when they differ. Integers of any width. */
#define TAP_EQUAL(actual, expected, ...)                                                                               \
	({                                                                                                             \
		unsigned long long tap_actual_ = (unsigned long long)(actual);                                         \
		unsigned long long tap_expected_ = (unsigned long long)(expected);                                     \
		bool tap_same_ = tap_report(tap_actual_ == tap_expected_, __VA_ARGS__);                                \
		if (!tap_same_)                                                                                        \
			tap_note("%s:%d: %s is %llu (%#llx), not %llu (%#llx)", __FILE_NAME__, __LINE__, #actual,      \
				 tap_actual_, tap_actual_, tap_expected_, tap_expected_);                              \
		tap_same_;                                                                                             \
	})

/* A check that this machine cannot make; REASON says why. */
__attribute__((unused)) static void tap_skip(const char *what, const char *reason)
{
	tap_report(true, "%s # SKIP %s", what, reason);
}

/* The plan, last. The result is what main returns: 0 when every check passed. */
__attribute__((unused)) static int tap_done(void)
{
	char line[32];
	int len = fmt_format(line, sizeof(line), "1..%u\n", tap_reported);

	log_raw(line, (size_t)len);
	return tap_failed ? 1 : 0;
}

#endif
