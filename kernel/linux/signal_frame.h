/*
 * What a handler runs on: the frame with the interrupted registers that it finds on its stack, and rt_sigreturn(2)
 * takes back. The layout is Linux's for the architecture; the file that knows it is x86_64/signal_frame.c.
 */
#ifndef KERNEL_LINUX_SIGNAL_FRAME_H
#define KERNEL_LINUX_SIGNAL_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/linux/abi_signal.h"
#include "kernel/linux/signal.h"

struct trapframe;

struct signal_setup {
	uintptr_t handler, restorer;
	uintptr_t stack_top;	  /* of an alternate stack to begin on; 0: go on below the stack pointer */
	uintptr_t stack_limit;	  /* the frame must not reach below it; 0: anywhere */
	struct linux_stack stack; /* uc_stack */
	uint64_t mask;		  /* to be restored when the handler returns */
	const struct signal_info *info;
	const struct signal_trap *trap;
};

/*
 * Writes the frame, with the FPU's state of the running thread, and makes FRAME enter the handler. -EFAULT: the stack
 * or the handler cannot be used; FRAME is unchanged then. Threads only, may sleep.
 */
int signal_frame_push(struct trapframe *frame, const struct signal_setup *setup);

/*
 * FRAME as it was at rt_sigreturn: goes back to what the frame on the stack says, FPU included; *MASK and *STACK are
 * what it says of the rest. -EFAULT, -EINVAL: no usable frame. Afterwards FRAME is no system call's any more.
 */
int signal_frame_pop(struct trapframe *frame, uint64_t *mask, struct linux_stack *stack);

/* The largest frame, from the interrupted stack pointer on: AT_MINSIGSTKSZ. */
size_t signal_frame_size(void);

/* The interrupted system call of FRAME is made again, as number NR. */
void signal_frame_restart(struct trapframe *frame, unsigned nr);

#endif
