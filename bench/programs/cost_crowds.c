/* The crowds in whose presence `cost` measures. */
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench/programs/cost.h"

#define PAGE ((size_t)4096)
#define THREAD_STACK (16 * PAGE)
#define FAR 100000 /* seconds: no timer of the crowd ends while anything is measured */

static unsigned gathered;

static void *room_for(unsigned n, size_t size)
{
	void *room = calloc(n, size);

	gathered = n;
	must("calloc", room ? 0 : -1);
	return room;
}

/* ---- Open files ---- */

static int *files;
const int *crowd_files;
unsigned crowd_file_count;

static void open_files(unsigned n)
{
	crowd_files = files = room_for(n, sizeof(*files));
	for (unsigned i = 0; i < n; i++)
		files[i] = (int)must("eventfd", eventfd(0, 0));
	crowd_file_count = n;
}

static void close_files(void)
{
	crowd_file_count = 0;
	for (unsigned i = 0; i < gathered; i++)
		close(files[i]);
	free(files);
}

/* ---- Threads that sleep, each on a futex of its own ---- */

static struct sleeper {
	pthread_t thread;
	_Atomic int done;
} * sleepers;

static void *sleep_until_done(void *arg)
{
	struct sleeper *me = arg;

	while (!atomic_load(&me->done))
		syscall(SYS_futex, &me->done, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return arg;
}

static void start_threads(unsigned n)
{
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, THREAD_STACK);
	sleepers = room_for(n, sizeof(*sleepers));
	for (unsigned i = 0; i < n; i++)
		must("pthread_create", -pthread_create(&sleepers[i].thread, &small, sleep_until_done, &sleepers[i]));
	pthread_attr_destroy(&small);
	for (unsigned i = 0; i < 2 * n; i++)
		sched_yield(); /* by then each sleeps */
}

static void end_threads(void)
{
	for (unsigned i = 0; i < gathered; i++) {
		atomic_store(&sleepers[i].done, 1);
		syscall(SYS_futex, &sleepers[i].done, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	for (unsigned i = 0; i < gathered; i++)
		pthread_join(sleepers[i].thread, NULL);
	free(sleepers);
}

/* ---- Mappings: pages of one area, of which each second one is read-only, so that no two are the same mapping ---- */

static char *pages;

static void map_pages(unsigned n)
{
	void *area = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must("mmap", area == MAP_FAILED ? -1 : 0);
	pages = area;
	gathered = n;
	for (unsigned i = 0; i < n; i += 2)
		must("mprotect", mprotect(pages + i * PAGE, PAGE, PROT_READ));
}

static void unmap_pages(void)
{
	munmap(pages, gathered * PAGE);
}

/* ---- Timers that run ---- */

static timer_t *timers;

static void start_timers(unsigned n)
{
	struct sigevent told = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG };

	timers = room_for(n, sizeof(*timers));
	for (unsigned i = 0; i < n; i++) {
		const struct itimerspec later = { .it_value = { FAR + i * 7919 % n, 0 } };

		must("timer_create", timer_create(CLOCK_MONOTONIC, &told, &timers[i]));
		must("timer_settime", timer_settime(timers[i], 0, &later, NULL));
	}
}

static void stop_timers(void)
{
	for (unsigned i = 0; i < gathered; i++)
		timer_delete(timers[i]);
	free(timers);
}

const struct crowd crowds[] = {
	{ "files", open_files, close_files },
	{ "threads", start_threads, end_threads },
	{ "mappings", map_pages, unmap_pages },
	{ "timers", start_timers, stop_timers },
};
const unsigned crowd_count = COUNT(crowds);
