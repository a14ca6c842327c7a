/*
 * System calls: dispatch, names, tracing. syscall.tbl lists them; scripts/syscalls makes from it the table, the names, and
 * kernel/linux/syscall_handlers.h, which declares every handler and NR_NAME for every number.
 *
 * To add one: `long sys_NAME(...)` with the table's arguments in kernel/linux/sys_GROUP.c, which includes
 * kernel/linux/syscall_handlers.h; its test; `make docs`. Nothing is registered: the table refers to each handler weakly, so
 * what an image links is what it has.
 */
#ifndef KERNEL_LINUX_SYSCALL_H
#define KERNEL_LINUX_SYSCALL_H

#include <stddef.h>
#include <stdint.h>

struct trapframe;

/*
 * How every handler is called, whatever its own parameters are: on x86-64 they are the first of these six registers (psABI
 * 3.2.3), and a callee reads only the lower half of one for an int. It returns a result or a negative error number.
 */
typedef long syscall_fn(unsigned long a, unsigned long b, unsigned long c, unsigned long d, unsigned long e,
			unsigned long f);

/* By number; NULL where there is no handler in this image. */
extern syscall_fn *const syscall_table[];
extern const unsigned syscall_table_len;
/* Numbers below it go straight to the table: its length, or 0 while there is a hook. So a hook costs others nothing. */
extern unsigned syscall_limit;

/*
 * Does the system call of FRAME: number in eax, arguments in rdi rsi rdx r10 r8 r9; returns what belongs into rax. The frame
 * changes only by what the handler does to it. A number without a handler answers -ENOSYS and is named in the log the first
 * time. In the calling thread, on its kernel stack, interrupts enabled; blocks as the handler does.
 */
long syscall_dispatch(struct trapframe *frame);

/* From now on FN does what syscall_dispatch is for; NULL: no longer. Before there is a second thread that makes calls. */
void syscall_hook_set(long (*fn)(struct trapframe *frame));
/* For a hook: calls the handler of NR with the arguments of FRAME, -ENOSYS and the line in the log when there is none. */
long syscall_call(unsigned nr, const struct trapframe *frame);

/*
 * Looks for trace=syscalls in CMDLINE, and if it is there every system call makes a line on the console from now on:
 *	[THREAD] NAME(ARGUMENTS) = RESULT <TIME us>
 * trace=syscalls,entry: a line before the call as well, which shows where a thread hangs. Tracing is linked into an image by
 * the call of this function.
 */
void syscall_trace_init(const char *cmdline);

/* "?" for a number that is not in the table. */
const char *syscall_name(unsigned nr);

enum syscall_kind {
	SYSCALL_INT = 'd',	/* 32 bits, signed */
	SYSCALL_UNSIGNED = 'u', /* 32 bits */
	SYSCALL_LONG = 'l',	/* 64 bits, signed */
	SYSCALL_SIZE = 'z',	/* 64 bits */
	SYSCALL_FD = 'f',	/* a descriptor, AT_FDCWD included */
	SYSCALL_FLAGS = 'x',	/* hexadecimal */
	SYSCALL_MODE = 'o',	/* octal */
	SYSCALL_POINTER = 'p',	/* or a word of which nothing is known */
	SYSCALL_STRING = 's',	/* a NUL ends it */
	SYSCALL_BUFFER = 'b',	/* bytes that the call reads; the next argument is how many */
};

/* Kinds of the result and of each argument, one letter each. */
const char *syscall_kinds(unsigned nr);

/* "ENOENT" for ENOENT; "" for a number that is none. */
const char *errno_name(unsigned error);

#endif
