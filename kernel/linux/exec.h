/*
 * Starting a program: its file and its interpreter into the address space, and the stack as the psABI (x86-64, 3.4) and
 * Linux (getauxval(3)) have it.
 */
#ifndef KERNEL_LINUX_EXEC_H
#define KERNEL_LINUX_EXEC_H

#include "kernel/arch/arch.h"

#define EXEC_ARGS_MAX                                                                                                  \
	131072 /* bytes of all strings and their pointers; Linux: a quarter of the stack's limit, at least this */

/* Kernel memory; argv and envp end with NULL. */
struct exec_args {
	const char *path;
	char *const *argv;
	char *const *envp;
};

/*
 * Loads ARGS->path into the calling task's address space, which is empty, and fills FRAME with the registers that it
 * starts with. 0; -ENOENT, -EACCES, -ENOEXEC, -ELIBBAD (the interpreter), -E2BIG, -ENOMEM, ..., after a log line that says what
 * is wrong with the file if that is it. What was mapped by then stays.
 */
int exec_load(const struct exec_args *args, struct trapframe *frame);

#endif
