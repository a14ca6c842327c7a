/* The ways from the application into the kernel, and out again: arch_upcalls. */
#ifndef KERNEL_LINUX_ENTRY_H
#define KERNEL_LINUX_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

struct trapframe;

/*
 * The calling thread goes to the application with the registers of FRAME, which is copied. Whoever starts applications calls
 * this, and so has the ways back in the image.
 */
void app_start(const struct trapframe *frame) __attribute__((noreturn));

/* Come with interrupts disabled and return so, when there is nothing left to do before the application goes on. */
void app_syscall(struct trapframe *frame);
void app_leave(struct trapframe *frame);
/* A page fault in the lower half: true when the page is there now. Interrupts as above. */
bool app_page_fault(struct trapframe *frame, uintptr_t address);
/* The application's own fault, interrupts enabled: the signal that Linux sends for it. */
void app_fault(struct trapframe *frame, uintptr_t address);

#endif
