/* The ways from the application into the kernel, and out again: arch_upcalls. */
#ifndef KERNEL_LINUX_ENTRY_H
#define KERNEL_LINUX_ENTRY_H

#include <stdint.h>

struct trapframe;

/* Come with interrupts disabled and return so, when there is nothing left to do before the application goes on. */
void app_syscall(struct trapframe *frame);
void app_leave(struct trapframe *frame);
/* The application's own fault, interrupts enabled: the signal that Linux sends for it. */
void app_fault(struct trapframe *frame, uintptr_t address);

#endif
