/* The alternate signal stack of a task: sigaltstack(2). The calling task's own. */
#ifndef KERNEL_LINUX_SIGSTACK_H
#define KERNEL_LINUX_SIGSTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/linux/abi_signal.h"

struct task_signals;

/* A stack pointer SP that is on it; with SS_AUTODISARM never. */
bool sigstack_is_on(const struct task_signals *own, uintptr_t sp);
void sigstack_get(const struct task_signals *own, uintptr_t sp, struct linux_stack *out);
/* 0, -EPERM (SP is on it), -EINVAL (flags), -ENOMEM (too small). */
int sigstack_set(struct task_signals *own, uintptr_t sp, const struct linux_stack *stack);
void sigstack_clear(struct task_signals *own);

#endif
