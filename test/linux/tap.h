/*
 * Test Anything Protocol (version 13) for the oracle tests: ordinary Linux programs, which test/linux/test_linux.py runs on the
 * host and in a guest, comparing verdicts by name. So a name never holds what differs between runs: addresses, times, ids.
 *
 *	int main(void)
 *	{
 *		int fd = DOES(open("file", O_RDWR | O_CREAT, 0600));
 *		FAILS(read(-1, NULL, 0), EBADF);
 *		EQUAL(write(fd, "abc", 3), 3);
 *		return tap_done();
 *	}
 *
 * A verdict's name is the expression itself, with the topic before it. Any thread may report.
 */
#ifndef TEST_LINUX_TAP_H
#define TEST_LINUX_TAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TAP_UNUSED __attribute__((unused))

static int tap_reported, tap_failed; /* atomic */
static const char *tap_topic = "";
static void (*tap_at_end)(void);

/* One line on standard output, in one write; cut at 400 bytes. */
TAP_UNUSED __attribute__((format(printf, 2, 0))) static void tap_vline(const char *lead, const char *format,
								       va_list args)
{
	char line[400];
	int len = snprintf(line, sizeof(line) - 1, "%s", lead);

	len += vsnprintf(line + len, sizeof(line) - 1 - (size_t)len, format, args);
	if (len > (int)sizeof(line) - 2)
		len = (int)sizeof(line) - 2;
	line[len++] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)len) != len)
		_exit(99);
}

/* A line that says more about the verdict before it. */
TAP_UNUSED __attribute__((format(printf, 1, 2))) static void tap_note(const char *format, ...)
{
	va_list args;
	int saved = errno;

	va_start(args, format);
	tap_vline("# ", format, args);
	va_end(args);
	errno = saved;
}

TAP_UNUSED __attribute__((format(printf, 2, 3))) static bool tap_report(bool passed, const char *format, ...)
{
	int nr = __atomic_add_fetch(&tap_reported, 1, __ATOMIC_RELAXED);
	int saved = errno;
	char lead[100];
	va_list args;

	if (!passed)
		__atomic_add_fetch(&tap_failed, 1, __ATOMIC_RELAXED);
	snprintf(lead, sizeof(lead), "%s %d - %s%s", passed ? "ok" : "not ok", nr, tap_topic, *tap_topic ? ": " : "");
	va_start(args, format);
	tap_vline(lead, format, args);
	va_end(args);
	errno = saved;
	return passed;
}

TAP_UNUSED static bool tap_equal(long long actual, long long expected, const char *name, const char *file, int line)
{
	bool same = tap_report(actual == expected, "%s", name);

	if (!same)
		tap_note("%s:%d: %lld (%#llx), not %lld (%#llx); errno %s", file, line, actual,
			 (unsigned long long)actual, expected, (unsigned long long)expected, strerror(errno));
	return same;
}

TAP_UNUSED static bool tap_fails(long result, int error, int expected, const char *name, const char *file, int line)
{
	bool passed = tap_report(result == -1 && error == expected, "%s", name);

	if (!passed && result == -1)
		tap_note("%s:%d: errno %d (%s)", file, line, error, strerror(error));
	else if (!passed)
		tap_note("%s:%d: no error: %ld", file, line, result);
	return passed;
}

/* What the next verdicts are about. */
#define TOPIC(text) (tap_topic = (text))

/* Holds. */
#define CHECK(condition)                                                                                               \
	({                                                                                                             \
		bool tap_passed_ = tap_report((condition), "%s", #condition);                                          \
		if (!tap_passed_)                                                                                      \
			tap_note("%s:%d", __FILE__, __LINE__);                                                         \
		tap_passed_;                                                                                           \
	})

/* Holds; named by a format, for loops. */
#define CHECK_AS(condition, ...)                                                                                       \
	({                                                                                                             \
		bool tap_passed_ = tap_report((condition), __VA_ARGS__);                                               \
		if (!tap_passed_)                                                                                      \
			tap_note("%s:%d: %s", __FILE__, __LINE__, #condition);                                         \
		tap_passed_;                                                                                           \
	})

/* Two integers are the same. */
#define EQUAL(actual, expected)                                                                                        \
	tap_equal((long long)(actual), (long long)(expected), #actual " is " #expected, __FILE__, __LINE__)

/* A call answers -1 with ERROR in errno. */
#define FAILS(call, error)                                                                                             \
	({                                                                                                             \
		errno = 0;                                                                                             \
		long tap_result_ = (long)(call);                                                                       \
		tap_fails(tap_result_, errno, error, #call " fails: " #error, __FILE__, __LINE__);                     \
	})

/* A call does not answer -1; gives what it answers. */
#define DOES(call)                                                                                                     \
	({                                                                                                             \
		errno = 0;                                                                                             \
		__typeof__(call) tap_result_ = (call);                                                                 \
		int tap_error_ = errno;                                                                                \
		if (!tap_report((long)tap_result_ != -1, "%s", #call))                                                 \
			tap_note("%s:%d: errno %d (%s)", __FILE__, __LINE__, tap_error_, strerror(tap_error_));        \
		tap_result_;                                                                                           \
	})

/* A check that this system cannot make; REASON says why. */
TAP_UNUSED static void tap_skip(const char *what, const char *reason)
{
	tap_report(true, "%s # SKIP %s", what, reason);
}

/* The plan, last. The result is what main returns: 0 when every check passed. */
TAP_UNUSED static int tap_done(void)
{
	char line[32];
	int len = snprintf(line, sizeof(line), "1..%d\n", tap_reported);

	if (tap_at_end)
		tap_at_end();
	if (write(STDOUT_FILENO, line, (size_t)len) != len)
		return 99;
	return tap_failed ? 1 : 0;
}

#endif
