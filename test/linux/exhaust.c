/*
 * Takes one kind of thing until there is no more, for a guest: exhaust KIND. Prints how many there were and the error that came
 * then; where memory is what ends, the kernel ends the program. Never to be run on a host.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "test/linux/util.h"

enum { DESCRIPTORS = 1048576, MANY = 1 << 20, STACK = 16384 };
static const size_t huge = 1UL << 34;

static char block[65536];
static int first = -1;

/* ---- One more of a kind; false with errno when there is none. ---- */

static bool mapping(long n)
{
	return mmap(NULL, PAGE, n & 1 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	       MAP_FAILED;
}

static bool page_of(long n, int flags)
{
	static char *pages;

	if (!pages)
		pages = mmap(NULL, huge, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	poke(pages + (size_t)n * PAGE, 1);
	return true;
}

static bool page(long n)
{
	return page_of(n, MAP_PRIVATE);
}

static bool shared_page(long n)
{
	return page_of(n, MAP_SHARED);
}

static bool object(long n)
{
	char *memory = malloc(100);

	if (memory)
		poke(memory, (char)n);
	return memory;
}

static bool written(long n)
{
	if (!n)
		first = open("/tmp/exhaust", O_RDWR | O_CREAT, 0600);
	return write(first, block, sizeof(block)) > 0;
}

static bool folder(long n)
{
	(void)n;
	return mkdir("d", 0700) == 0 && chdir("d") == 0;
}

static bool file(long n)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "/tmp/f%ld", n);
	fd = open(name, O_WRONLY | O_CREAT, 0600);
	return fd >= 0 && close(fd) == 0;
}

static bool opened(long n)
{
	(void)n;
	return open("/dev/null", O_RDONLY) >= 0;
}

static bool duplicate(long n)
{
	(void)n;
	return dup(1) >= 0;
}

static bool full_pipe(long n)
{
	int fd[2];

	(void)n;
	return pipe2(fd, O_NONBLOCK) == 0 && write(fd[1], block, sizeof(block)) > 0;
}

static bool ticking(long n)
{
	struct itimerspec often = { { 0, MS }, { 0, MS } };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	(void)n;
	return fd >= 0 && timerfd_settime(fd, 0, &often, NULL) == 0;
}

static bool watched(long n)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = eventfd(0, 0);

	if (!n)
		first = epoll_create1(0);
	return fd >= 0 && epoll_ctl(first, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool watching(long n)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	if (!n)
		first = eventfd(0, 0);
	return fd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, first, &event) == 0;
}

static bool notified(long n)
{
	int fd = inotify_init1(0);

	(void)n;
	return fd >= 0 && inotify_add_watch(fd, "/tmp", IN_ALL_EVENTS) >= 0;
}

static bool memory_file(long n)
{
	int fd = memfd_create("exhaust", 0);

	(void)n;
	return fd >= 0 && write(fd, "x", 1) == 1;
}

static bool timer(long n)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	timer_t id;

	(void)n;
	return timer_create(CLOCK_MONOTONIC, &event, &id) == 0;
}

static bool queued(long n)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	return sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = (int)n }) == 0;
}

static void *wait_forever(void *argument)
{
	pause();
	return argument;
}

static bool thread(long n)
{
	pthread_attr_t attributes;
	pthread_t id;

	(void)n;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	errno = pthread_create(&id, &attributes, wait_forever, NULL);
	return errno == 0;
}

static const struct kind {
	const char *name;
	bool (*take)(long n);
} kinds[] = {
	{ "mapping", mapping },	    { "page", page },	      { "shared-page", shared_page },
	{ "object", object },	    { "written", written },   { "folder", folder },
	{ "file", file },	    { "opened", opened },     { "duplicate", duplicate },
	{ "full-pipe", full_pipe }, { "ticking", ticking },   { "watched", watched },
	{ "watching", watching },   { "notified", notified }, { "memory-file", memory_file },
	{ "timer", timer },	    { "queued", queued },     { "thread", thread },
};

int main(int argc, char **argv)
{
	struct rlimit descriptors = { DESCRIPTORS, DESCRIPTORS };
	const struct kind *kind = kinds;
	long n = 0;

	if (getpid() != 1 || argc < 2) {
		fputs("exhaust KIND, as process 1 of a guest and nowhere else\n", stderr);
		return 2;
	}
	while (strcmp(kind->name, argv[1]) != 0)
		if (++kind == kinds + COUNT(kinds))
			return 2;
	if (setrlimit(RLIMIT_NOFILE, &descriptors) || chdir("/tmp"))
		return 2;
	while (n < MANY && kind->take(n))
		n++;
	printf("%s: %ld, then errno %d\n", kind->name, n, errno);
	fflush(stdout);
	_exit(0);
}
