/*
 * The kernel log: lines with a level, kept in a ring that a panic prints, and sent to the consoles when the level is at
 * most the console level (command line loglevel=0..7, default 4: warnings and worse). Callable anywhere, interrupts and
 * NMIs included; never sleeps. Debug lines are kept only where they are shown too. A line is cut, with "..." at its end,
 * when it is longer than LOG_LINE_MAX - 1 bytes. Levels are syslog's (RFC 5424, 6.2.1).
 */
#ifndef KERNEL_CORE_LOG_H
#define KERNEL_CORE_LOG_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_EMERG,
	LOG_ALERT,
	LOG_CRIT,
	LOG_ERR,
	LOG_WARNING,
	LOG_NOTICE,
	LOG_INFO,
	LOG_DEBUG,
};

#define LOG_LINE_MAX 240

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_vwrite(enum log_level level, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

#define log_err(...) log_write(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Which levels reach the consoles: those <= LEVEL. Shows the kept lines that have become due by it. */
void log_console_level_set(enum log_level level);

/* Nanoseconds since boot for the lines' time stamps; NULL, and then 0, until the clock is up and sets it. Any context. */
extern uint64_t (*log_clock)(void);

/*
 * A sink for text: consoles register here (dev/console.h fills it). write must work with interrupts disabled, on any
 * CPU, and must not log; calls are serialised by the log. The first sink gets the lines from before it was there.
 */
struct log_sink {
	struct log_sink *next;
	const char *name;
	void (*write)(struct log_sink *sink, const char *text, size_t len);
};
void log_sink_register(struct log_sink *sink);

/*
 * Text straight to the sinks, as the program's own output: no level, no prefix, not kept in the ring. Lost in the one case
 * that an NMI or a fault writes it in the middle of the log's own work on this CPU.
 */
void log_raw(const char *text, size_t len);

/*
 * For panic only. log_panic_begin: from here on the log is this CPU's: it takes no lock any more, and any other CPU that
 * logs stops. log_panic_dump: prints the ring's last lines (those not yet shown) to all sinks.
 */
void log_panic_begin(void);
void log_panic_dump(void);

#endif
