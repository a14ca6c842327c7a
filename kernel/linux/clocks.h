/*
 * Linux's clocks, clock_gettime(2), on the kernel's two: CLOCK_MONOTONIC and its kin are clock_monotonic(),
 * CLOCK_REALTIME and its kin are clock_realtime(), and CPU clocks are what the scheduler has counted. Times are
 * nanoseconds of the clock itself.
 */
#ifndef KERNEL_LINUX_CLOCKS_H
#define KERNEL_LINUX_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>

struct process;
struct task;

enum clock_kind {
	CLOCK_KIND_NONE, /* no such clock, or none of this process */
	CLOCK_KIND_MONOTONIC,
	CLOCK_KIND_REALTIME,
	CLOCK_KIND_PROCESS, /* CPU time of the process */
	CLOCK_KIND_THREAD,  /* CPU time of one thread */
};
/* *TID: of CLOCK_KIND_THREAD. */
enum clock_kind clock_kind(int clockid, int *tid);

/* What CLOCKID shows. 0, -EINVAL. Threads only. */
int clock_read(int clockid, uint64_t *ns);

/*
 * When clock_monotonic() will show what CLOCKID, one of the two first kinds, shows at AT. Wall time that is set
 * meanwhile is not followed.
 */
uint64_t clock_deadline(enum clock_kind kind, uint64_t at);

/* CPU time of all threads, ended ones too. Any context. O(threads). */
uint64_t process_runtime(struct process *process);
/* Of the thread TID of PROCESS, 0 when there is none. Any context. */
uint64_t task_runtime(struct process *process, int tid);

/* The step of the coarse clocks. */
#define CLOCK_COARSE_NS 4000000u

#endif
