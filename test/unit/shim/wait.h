/*
 * Waiting in unit tests, which have one thread: where it would block, shim_block plays everybody else. It is called
 * with the thread on its wait queue, and has to wake it, interrupt it (shim_thread.work), or let its timeout pass
 * (shim_now). A test that sets no shim_block fails where it would block. Mutexes must be free when they are taken.
 */
#ifndef TEST_UNIT_SHIM_WAIT_H
#define TEST_UNIT_SHIM_WAIT_H

#include "kernel/core/wait.h"

extern struct thread shim_thread;
extern void (*shim_block)(void);
extern unsigned shim_blocks; /* how often it blocked */
extern uint64_t shim_now;    /* clock_monotonic() */

#endif
