/*
 * The kernel log: lines with a level, kept in a ring that a panic prints, and sent to the consoles when the level is at
 * most the console level (command line loglevel=0..7, default 4: warnings and worse). Callable anywhere, interrupts and
 * NMIs included; never blocks. Levels are syslog's (RFC 5424, 6.2.1).
 */
#ifndef KERNEL_CORE_LOG_H
#define KERNEL_CORE_LOG_H

#include <stdarg.h>
#include <stddef.h>

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

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_vwrite(enum log_level level, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

#define log_err(...) log_write(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Which levels reach the consoles: those <= LEVEL. */
void log_console_level_set(enum log_level level);

/*
 * A sink for text: consoles register here (dev/console.h fills it). write must work with interrupts disabled, on any
 * CPU, and must not log; calls are serialised by the log.
 */
struct log_sink {
	struct log_sink *next;
	const char *name;
	void (*write)(struct log_sink *sink, const char *text, size_t len);
};
void log_sink_register(struct log_sink *sink);

/* Text straight to the sinks, as the program's own output: no level, no prefix, not kept in the ring. */
void log_raw(const char *text, size_t len);

/* Prints the ring's last lines (those not yet shown) to all sinks, without taking locks: for panic only. */
void log_panic_dump(void);

#endif
