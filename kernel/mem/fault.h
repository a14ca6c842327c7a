/* Page faults that the entry code could not mend itself. */
#ifndef KERNEL_MEM_FAULT_H
#define KERNEL_MEM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

struct trapframe;

/*
 * arch_upcalls.fault. True: mended, go on. False: nobody's, so a bug. Names a hit on the guard page of a kernel area in
 * its panic, which the entry code cannot know.
 */
bool fault_handle(struct trapframe *frame, uintptr_t address);

#endif
