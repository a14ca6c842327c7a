/*
 * trace=syscalls: a line for every system call, much as strace writes it. It goes straight to the consoles, and is not kept
 * in the log's ring, which it would flood. Arguments are read before the call, because the call may change what they point to,
 * and without trust: what cannot be read is printed as an address.
 */
#include "kernel/linux/syscall.h"

#include <stdarg.h>
#include <stdbool.h>

#include "kernel/arch/arch.h"
#include "kernel/core/clock.h"
#include "kernel/core/log.h"
#include "kernel/core/thread.h"
#include "kernel/file/abi.h"
#include "kernel/linux/syscall_handlers.h"
#include "lib/cmdline.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/util.h"

#define STRING_MAX 32 /* characters shown of a string or buffer */
#define LINE_MAX 384
#define ERROR_MAX 4095 /* results from -ERROR_MAX on are error numbers */

/* A line that grows at its end; what does not fit is dropped. */
struct line {
	size_t len;
	char text[LINE_MAX];
};

static bool trace_entry; /* a line before each call too; set before the first call */

static void __attribute__((format(printf, 2, 3))) line_add(struct line *line, const char *format, ...)
{
	size_t room = LINE_MAX - line->len;
	va_list args;
	int len;

	va_start(args, format);
	len = fmt_vformat(line->text + line->len, room, format, args);
	va_end(args);
	line->len += MIN((size_t)len, room - 1);
}

static void line_add_char(struct line *line, unsigned char c)
{
	static const char escaped[] = "\n\r\t\"\\", letters[] = "nrt\"\\";
	const char *at = c ? strchr(escaped, c) : NULL;

	if (at)
		line_add(line, "\\%c", letters[at - escaped]);
	else if (c < ' ' || c > '~')
		line_add(line, "\\x%02x", c);
	else
		line_add(line, "%c", c);
}

/* LEN bytes at ADDRESS, or with IS_STRING those in front of a NUL among them. */
static void line_add_text(struct line *line, unsigned long address, size_t len, bool is_string)
{
	const char *from = (const char *)address; /* the program's; may be anything */
	char text[STRING_MAX + 1];
	size_t n = 0, limit = MIN(len, sizeof(text));

	for (; n < limit; n++) {
		if (arch_probe_read(&text[n], from + n, 1)) {
			line_add(line, address ? "%#lx" : "NULL", address);
			return;
		}
		if (is_string && !text[n])
			break;
	}
	line_add(line, "\"");
	for (size_t i = 0; i < MIN(n, (size_t)STRING_MAX); i++)
		line_add_char(line, (unsigned char)text[i]);
	line_add(line, n > STRING_MAX ? "\"..." : "\"");
}

static void line_add_word(struct line *line, enum syscall_kind kind, unsigned long word)
{
	if (kind == SYSCALL_FD && (int)word == AT_FDCWD)
		line_add(line, "AT_FDCWD");
	else if (kind == SYSCALL_INT || kind == SYSCALL_FD)
		line_add(line, "%d", (int)word);
	else if (kind == SYSCALL_UNSIGNED)
		line_add(line, "%u", (unsigned)word);
	else if (kind == SYSCALL_MODE)
		line_add(line, "%#o", (unsigned)word);
	else if (kind == SYSCALL_FLAGS)
		line_add(line, "%#x", (unsigned)word);
	else if (kind == SYSCALL_LONG)
		line_add(line, "%ld", (long)word);
	else if (kind == SYSCALL_SIZE)
		line_add(line, "%lu", word);
	else
		line_add(line, word ? "%#lx" : "NULL", word);
}

static void line_add_call(struct line *line, unsigned nr, const unsigned long args[6])
{
	const char *kinds = syscall_kinds(nr) + 1;
	const char *name = syscall_name(nr);

	line_add(line, "[%u] ", thread_current()->id);
	if (*name == '?')
		line_add(line, "%u(", nr);
	else
		line_add(line, "%s(", name);
	for (unsigned i = 0; kinds[i]; i++) {
		line_add(line, i ? ", " : "");
		if (kinds[i] == SYSCALL_STRING)
			line_add_text(line, args[i], SIZE_MAX, true);
		else if (kinds[i] == SYSCALL_BUFFER)
			line_add_text(line, args[i], args[i + 1], false);
		else
			line_add_word(line, (enum syscall_kind)kinds[i], args[i]);
	}
	line_add(line, ")");
}

static void line_add_result(struct line *line, unsigned nr, long result, uint64_t ns)
{
	const char *error = result < 0 && result >= -ERROR_MAX ? errno_name((unsigned)-result) : "";

	line_add(line, " = ");
	if (*error)
		line_add(line, "-%s", error);
	else
		line_add_word(line, (enum syscall_kind) * syscall_kinds(nr), (unsigned long)result);
	line_add(line, " <%lu us>", ns / NSEC_PER_USEC);
}

/* With an end of line, also where the line is full. */
static void line_write(struct line *line)
{
	line->len = MIN(line->len, (size_t)LINE_MAX - 2);
	line->text[line->len] = '\n';
	log_raw(line->text, line->len + 1);
}

static void trace_before(struct line *line, const char *text)
{
	size_t len = line->len;

	line_add(line, "%s", text);
	line_write(line);
	line->len = len;
}

static long syscall_traced(struct trapframe *frame)
{
	const unsigned long args[6] = { frame->di, frame->si, frame->dx, frame->r10, frame->r8, frame->r9 };
	unsigned nr = (unsigned)frame->ax;
	struct line line = { .len = 0 };
	uint64_t start;
	long result;

	line_add_call(&line, nr, args);
	if (nr == NR_exit || nr == NR_exit_group)
		trace_before(&line, " = ?");
	else if (trace_entry)
		trace_before(&line, " ...");
	start = clock_monotonic();
	result = syscall_call(nr, frame);
	line_add_result(&line, nr, result, clock_monotonic() - start);
	line_write(&line);
	return result;
}

void syscall_trace_init(const char *cmdline)
{
	char value[24];

	if (!cmdline_get(cmdline, "trace", value, sizeof(value)))
		return;
	trace_entry = strcmp(value, "syscalls,entry") == 0;
	if (trace_entry || strcmp(value, "syscalls") == 0)
		syscall_hook_set(syscall_traced);
	else
		log_warn("command line: trace=%s is neither trace=syscalls nor trace=syscalls,entry", value);
}
