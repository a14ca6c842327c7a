/* The operations that `cost` measures. Each is what an ordinary program does, through the functions of its C library. */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench/programs/cost.h"

#define MIB ((size_t)1 << 20)
#define PAGE ((size_t)4096)
#define FILE_PATH "/etc/passwd"

static void run_getppid(unsigned n)
{
	while (n--)
		getppid();
}

/* The same with what the C library spends on a function of seven arguments. */
static void run_syscall(unsigned n)
{
	while (n--)
		syscall(SYS_getppid);
}

/* ---- Reading, writing, names ---- */

static int file = -1;

static void setup_zero(void)
{
	file = (int)must("/dev/zero", open("/dev/zero", O_RDWR));
}

static void close_file(void)
{
	close(file);
}

static void run_read(unsigned n)
{
	char byte;

	while (n--)
		must("read", read(file, &byte, 1));
}

static void run_write(unsigned n)
{
	while (n--)
		must("write", write(file, "", 1));
}

static void run_open_close(unsigned n)
{
	while (n--)
		close((int)must("open", open(FILE_PATH, O_RDONLY)));
}

static void run_stat(unsigned n)
{
	struct stat status;

	while (n--)
		must("stat", stat(FILE_PATH, &status));
}

/* ---- One ready descriptor in an epoll set. The crowd of open files is in the set too, and not ready. ---- */

static int event, epoll;

static void setup_epoll(void)
{
	struct epoll_event wanted = { .events = EPOLLIN };

	epoll = (int)must("epoll_create1", epoll_create1(0));
	event = (int)must("eventfd", eventfd(1, 0));
	must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted));
	for (unsigned i = 0; i < crowd_file_count; i++)
		must("epoll_ctl", epoll_ctl(epoll, EPOLL_CTL_ADD, crowd_files[i], &wanted));
}

static void run_epoll(unsigned n)
{
	struct epoll_event got[8];

	while (n--)
		must("epoll_wait", epoll_wait(epoll, got, COUNT(got), -1) == 1 ? 0 : -1);
}

static void close_epoll(void)
{
	close(epoll);
	close(event);
}

/* ---- Two threads of one CPU ---- */

static pthread_t partner;
static int there[2], back[2];

static void *echo(void *arg)
{
	char byte;

	while (read(there[0], &byte, 1) == 1)
		must("write", write(back[1], &byte, 1));
	return arg;
}

static void setup_pipe(void)
{
	must("pipe", pipe(there));
	must("pipe", pipe(back));
	must("pthread_create", -pthread_create(&partner, NULL, echo, NULL));
}

static void run_pipe(unsigned n)
{
	char byte = 0;

	while (n--) {
		must("write", write(there[1], &byte, 1));
		must("read", read(back[0], &byte, 1));
	}
}

static void end_pipe(void)
{
	close(there[1]);
	pthread_join(partner, NULL);
	close(there[0]);
	close(back[0]);
	close(back[1]);
}

enum { MINE, PARTNERS, END };
static _Atomic unsigned turn;

static void pass_turn(unsigned to)
{
	atomic_store(&turn, to);
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* Waits while the turn is TURN_OF. */
static void wait_turn(unsigned turn_of)
{
	while (atomic_load(&turn) == turn_of)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, turn_of, NULL, NULL, 0);
}

static void *take_turns(void *arg)
{
	for (;;) {
		wait_turn(MINE);
		if (atomic_load(&turn) == END)
			return arg;
		pass_turn(MINE);
	}
}

static void setup_futex(void)
{
	atomic_store(&turn, MINE);
	must("pthread_create", -pthread_create(&partner, NULL, take_turns, NULL));
}

static void run_futex(unsigned n)
{
	while (n--) {
		pass_turn(PARTNERS);
		wait_turn(PARTNERS);
	}
}

static void end_futex(void)
{
	pass_turn(END);
	pthread_join(partner, NULL);
}

/* ---- Memory: areas too small for a large page ---- */

static volatile char *map_mib(void)
{
	void *area = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must("mmap", area == MAP_FAILED ? -1 : 0);
	return area;
}

static void touch(volatile char *area)
{
	for (size_t at = 0; at < MIB; at += PAGE)
		area[at] = 1;
}

static void run_map(unsigned n)
{
	while (n--) {
		volatile char *area = map_mib();

		touch(area);
		munmap((void *)area, MIB);
	}
}

static void run_map_only(unsigned n)
{
	while (n--)
		munmap((void *)map_mib(), MIB);
}

static volatile char *fresh;

static void setup_fault(void)
{
	fresh = map_mib();
}

/* The call that makes the pages fresh again is spread over them. */
static void run_fault(unsigned n)
{
	while (n--) {
		must("madvise", madvise((void *)fresh, MIB, MADV_DONTNEED));
		touch(fresh);
	}
}

static void end_fault(void)
{
	munmap((void *)fresh, MIB);
}

/* ---- Time ---- */

static void run_clock(unsigned n)
{
	struct timespec now;

	while (n--)
		clock_gettime(CLOCK_MONOTONIC, &now);
}

static timer_t timer;

static void setup_timer(void)
{
	struct sigevent told = { .sigev_notify = SIGEV_SIGNAL,
				 .sigev_signo = SIGURG }; /* which is ignored by default */

	must("timer_create", timer_create(CLOCK_MONOTONIC, &told, &timer));
}

static void run_timer(unsigned n)
{
	const struct itimerspec later = { .it_value.tv_sec = 150000 }, never = { 0 };

	while (n--) {
		must("timer_settime", timer_settime(timer, 0, &later, NULL));
		must("timer_settime", timer_settime(timer, 0, &never, NULL));
	}
}

static void end_timer(void)
{
	timer_delete(timer);
}

const struct op ops[] = {
	{ "getppid", 500, 1, NULL, run_getppid, NULL },
	{ "syscall_getppid", 500, 1, NULL, run_syscall, NULL },
	{ "read_zero", 500, 1, setup_zero, run_read, close_file },
	{ "write_zero", 500, 1, setup_zero, run_write, close_file },
	{ "open_close", 200, 1, NULL, run_open_close, NULL },
	{ "stat", 200, 1, NULL, run_stat, NULL },
	{ "epoll_wait", 200, 1, setup_epoll, run_epoll, close_epoll },
	{ "pipe_round_trip", 100, 1, setup_pipe, run_pipe, end_pipe },
	{ "futex_handoff", 100, 2, setup_futex, run_futex, end_futex },
	{ "map_touch_unmap_1M", 2, 1, NULL, run_map, NULL },
	{ "map_unmap_1M", 100, 1, NULL, run_map_only, NULL },
	{ "page_fault", 2, 256, setup_fault, run_fault, end_fault },
	{ "clock_gettime", 500, 1, NULL, run_clock, NULL },
	{ "timer_arm_disarm", 200, 1, setup_timer, run_timer, end_timer },
};
const unsigned op_count = COUNT(ops);
