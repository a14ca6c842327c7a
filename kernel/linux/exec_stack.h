/* The stack that a program starts with. Private to exec. */
#ifndef KERNEL_LINUX_EXEC_STACK_H
#define KERNEL_LINUX_EXEC_STACK_H

#include "kernel/linux/exec.h"

/* Where things are in memory, for the auxiliary vector. */
struct exec_image {
	uintptr_t phdrs, entry; /* the program's */
	unsigned nr_phdrs;
	uintptr_t base;	 /* the interpreter's, 0: none */
	uintptr_t start; /* first instruction: the interpreter's or the program's */
	uintptr_t end;	 /* of the program's data, page-aligned: the heap follows */
	bool stack_exec;
};

/* Maps the stack and writes it. *SP is what the program starts with. 0, -E2BIG, -ENOMEM, -EFAULT. */
int exec_stack_build(const struct exec_args *args, const struct exec_image *image, uintptr_t *sp);

#endif
