/*
 * Time, as Linux's x86-64 ABI has it: include/uapi/linux/{time,time_types,timerfd,timex,times,utime}.h; clock_gettime(2),
 * timer_create(2), timerfd_create(2), setitimer(2), adjtimex(2), select(2).
 */
#ifndef KERNEL_LINUX_ABI_TIME_H
#define KERNEL_LINUX_ABI_TIME_H

#include <stdint.h>

struct linux_timespec {
	int64_t sec, nsec;
};

struct linux_timeval {
	int64_t sec, usec;
};

struct linux_timezone {
	int32_t minutes_west, dst;
};

struct linux_itimerspec {
	struct linux_timespec interval, value;
};

struct linux_itimerval {
	struct linux_timeval interval, value;
};

/* times(2), in ticks of USER_HZ */
struct linux_tms {
	int64_t utime, stime, child_utime, child_stime;
};
#define USER_HZ 100

/* utime(2), in seconds */
struct linux_utimbuf {
	int64_t atime, mtime;
};

/* adjtimex(2) */
struct linux_timex {
	uint32_t modes;
	int64_t offset, freq, maxerror, esterror;
	int32_t status;
	int64_t constant, precision, tolerance;
	struct linux_timeval time;
	int64_t tick, ppsfreq, jitter;
	int32_t shift;
	int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
	int32_t tai;
	int32_t reserved[11];
};
_Static_assert(sizeof(struct linux_timex) == 208, "adjtimex(2)");
#define ADJ_OFFSET 0x0001
#define ADJ_FREQUENCY 0x0002
#define ADJ_MAXERROR 0x0004
#define ADJ_ESTERROR 0x0008
#define ADJ_STATUS 0x0010
#define ADJ_TIMECONST 0x0020
#define ADJ_SETOFFSET 0x0100
#define ADJ_NANO 0x2000
#define ADJ_TICK 0x4000
#define STA_UNSYNC 0x0040
#define STA_NANO 0x2000
#define TIME_OK 0
#define TIME_ERROR 5

#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID 3
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7
#define CLOCK_REALTIME_ALARM 8
#define CLOCK_BOOTTIME_ALARM 9
#define CLOCK_TAI 11
/*
 * Negative numbers are clocks of other threads, processes and devices (include/linux/posix-timers.h): the complement of
 * the id is in bits 3 and up; bit 2 says thread; bits 0 and 1: 0 is PROF, 1 is VIRT, 2 is SCHED, 3 is a descriptor.
 */
#define CLOCK_ID_THREAD 4
#define CLOCK_ID_KIND 3
#define CLOCK_ID_SCHED 2
#define CLOCK_ID_FD 3

#define TIMER_ABSTIME 1
#define TFD_TIMER_ABSTIME 1
#define TFD_TIMER_CANCEL_ON_SET 2
#define TFD_CLOEXEC 02000000
#define TFD_NONBLOCK 04000

#define ITIMER_REAL 0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF 2

/* select(2): descriptor FD is bit FD % 64 of word FD / 64. The caller's set may be shorter, as its nfds says. */
#define FD_SETSIZE 1024
struct linux_fd_set {
	uint64_t bits[FD_SETSIZE / 64];
};
_Static_assert(sizeof(struct linux_fd_set) == 128, "select(2)");

#endif
