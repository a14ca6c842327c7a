/* eventfd, timerfd, signalfd, epoll, poll, ppoll, select, pselect. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "test/linux/util.h"

static void test_eventfd(void)
{
	uint64_t value = 5;
	int fd = DOES(eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC));

	TOPIC("eventfd");
	EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
	EQUAL(write(fd, &value, 8), 8);
	EQUAL(read(fd, &value, 8), 8);
	EQUAL(value, 8);
	FAILS(read(fd, &value, 8), EAGAIN);
	FAILS(read(fd, &value, 7), EINVAL);
	FAILS(write(fd, &value, 7), EINVAL);
	value = UINT64_MAX;
	FAILS(write(fd, &value, 8), EINVAL);
	value = UINT64_MAX - 1;
	EQUAL(write(fd, &value, 8), 8);
	value = 1;
	FAILS(write(fd, &value, 8), EAGAIN);
	EFAULTS(write(fd, bad, 8));
	close(fd);
	fd = DOES(eventfd(2, EFD_SEMAPHORE));
	EQUAL(read(fd, &value, 8), 8);
	EQUAL(value, 1);
	EQUAL(read(fd, &value, 8), 8);
	INTERRUPTED(read(fd, &value, 8));
	FAILS(eventfd(0, 0x100), EINVAL);
	close(fd);
}

static void test_timerfd(void)
{
	struct itimerspec set = { { 0, 10 * MS }, { 0, 20 * MS } }, get;
	uint64_t value = 0;
	int64_t began = now_ns(CLOCK_MONOTONIC);
	int fd = DOES(timerfd_create(CLOCK_MONOTONIC, 0));

	TOPIC("timerfd");
	EQUAL(timerfd_settime(fd, 0, &set, NULL), 0);
	EQUAL(read(fd, &value, 8), 8);
	CHECK(value >= 1 && now_ns(CLOCK_MONOTONIC) - began >= 20 * MS);
	sleep_ms(50);
	EQUAL(read(fd, &value, 8), 8);
	CHECK(value >= 3);
	EQUAL(timerfd_gettime(fd, &get), 0);
	CHECK(get.it_interval.tv_nsec == 10 * MS && get.it_value.tv_sec == 0 && get.it_value.tv_nsec <= 10 * MS);
	set = (struct itimerspec){ { 0, 0 }, { 100, 0 } };
	EQUAL(timerfd_settime(fd, 0, &set, &get), 0);
	EQUAL(get.it_interval.tv_nsec, 10 * MS);
	INTERRUPTED(read(fd, &value, 8));
	FAILS(read(fd, &value, 4), EINVAL);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	FAILS(read(fd, &value, 8), EAGAIN);
	set.it_value = (struct timespec){ 0, 1 };
	EQUAL(timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL), 0);
	sleep_ms(2);
	EQUAL(read(fd, &value, 8), 8);
	EQUAL(value, 1);
	set.it_value.tv_nsec = 1000000000;
	FAILS(timerfd_settime(fd, 0, &set, NULL), EINVAL);
	FAILS(timerfd_settime(0, 0, &get, NULL), EINVAL);
	FAILS(timerfd_create(99, 0), EINVAL);
	FAILS(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
	EFAULTS(syscall(SYS_timerfd_settime, fd, 0, bad, NULL));
	EFAULTS(syscall(SYS_timerfd_gettime, fd, bad));
	close(fd);
}

static void test_signalfd(void)
{
	struct signalfd_siginfo info[2];
	sigset_t set, old;
	int fd;

	TOPIC("signalfd");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &old);
	fd = DOES(signalfd(-1, &set, SFD_NONBLOCK));
	FAILS(read(fd, info, sizeof(info)), EAGAIN);
	kill(getpid(), SIGUSR2);
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 77 });
	EQUAL(read(fd, info, sizeof(info)), sizeof(info));
	CHECK(info[0].ssi_signo == SIGUSR1 && info[0].ssi_code == SI_QUEUE && info[0].ssi_int == 77);
	CHECK(info[1].ssi_signo == SIGUSR2 && info[1].ssi_code == SI_USER);
	CHECK(info[1].ssi_pid == (uint32_t)getpid() && info[1].ssi_uid == getuid());
	FAILS(read(fd, info, 10), EINVAL);
	struct pollfd poll_one = { fd, POLLIN, 0 };
	EQUAL(poll(&poll_one, 1, 0), 0);
	raise(SIGUSR1);
	EQUAL(poll(&poll_one, 1, 1000), 1);
	EQUAL(read(fd, info, sizeof(info)), sizeof(info[0]));
	EFAULTS(syscall(SYS_signalfd4, -1, bad, 8, 0));
	FAILS(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
	FAILS(signalfd(1, &set, 0), EINVAL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fd);
}

static void test_epoll(void)
{
	struct epoll_event event = { EPOLLIN, { .u64 = 42 } }, got[4];
	int ep = DOES(epoll_create1(EPOLL_CLOEXEC)), fd[2], ev = eventfd(0, EFD_NONBLOCK), nested;
	uint64_t value = 1;

	TOPIC("epoll");
	EQUAL(pipe(fd), 0);
	EQUAL(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &event), 0);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &event), EEXIST);
	FAILS(epoll_ctl(ep, EPOLL_CTL_MOD, fd[1], &event), ENOENT);
	FAILS(epoll_ctl(ep, EPOLL_CTL_DEL, fd[1], &event), ENOENT);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &event), EINVAL);
	FAILS(epoll_ctl(ep, 99, fd[0], &event), EINVAL);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, 999, &event), EBADF);
	FAILS(epoll_ctl(fd[0], EPOLL_CTL_ADD, fd[1], &event), EINVAL);
	int file = make_file("file", "");
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, file, &event), EPERM);
	EQUAL(epoll_wait(ep, got, 4, 0), 0);
	write(fd[1], "ab", 2);
	EQUAL(epoll_wait(ep, got, 4, 1000), 1);
	CHECK(got[0].events == EPOLLIN && got[0].data.u64 == 42);
	/* Level: again as long as there is something to read. */
	EQUAL(epoll_wait(ep, got, 4, 0), 1);
	event.events = EPOLLIN | EPOLLET;
	EQUAL(epoll_ctl(ep, EPOLL_CTL_MOD, fd[0], &event), 0);
	EQUAL(epoll_wait(ep, got, 4, 0), 1);
	EQUAL(epoll_wait(ep, got, 4, 0), 0);
	write(fd[1], "c", 1);
	EQUAL(epoll_wait(ep, got, 4, 0), 1);
	EQUAL(epoll_wait(ep, got, 4, 0), 0);
	event.events = EPOLLIN | EPOLLONESHOT;
	EQUAL(epoll_ctl(ep, EPOLL_CTL_MOD, fd[0], &event), 0);
	EQUAL(epoll_wait(ep, got, 4, 0), 1);
	write(fd[1], "d", 1);
	EQUAL(epoll_wait(ep, got, 4, 0), 0);
	EQUAL(epoll_ctl(ep, EPOLL_CTL_MOD, fd[0], &event), 0);
	EQUAL(epoll_wait(ep, got, 4, 0), 1);
	EQUAL(epoll_ctl(ep, EPOLL_CTL_DEL, fd[0], NULL), 0);

	TOPIC("epoll, more");
	event = (struct epoll_event){ EPOLLOUT, { .u64 = 7 } };
	EQUAL(epoll_ctl(ep, EPOLL_CTL_ADD, fd[1], &event), 0);
	event = (struct epoll_event){ EPOLLIN, { .u64 = 8 } };
	EQUAL(epoll_ctl(ep, EPOLL_CTL_ADD, ev, &event), 0);
	write(ev, &value, 8);
	EQUAL(epoll_wait(ep, got, 4, 0), 2);
	EQUAL(got[0].data.u64 + got[1].data.u64, 15);
	EQUAL(epoll_wait(ep, got, 1, 0), 1);
	nested = epoll_create1(0);
	event = (struct epoll_event){ EPOLLIN, { .u64 = 9 } };
	EQUAL(epoll_ctl(nested, EPOLL_CTL_ADD, ep, &event), 0);
	EQUAL(epoll_wait(nested, got, 4, 0), 1);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, nested, &event), ELOOP);
	close(fd[0]);
	EQUAL(epoll_wait(ep, got, 4, 0), 2);
	CHECK(((got[0].data.u64 == 7 ? got[0] : got[1]).events & EPOLLERR) != 0);
	close(fd[1]);
	EQUAL(epoll_wait(ep, got, 4, 0), 1);
	EQUAL(read(ev, &value, 8), 8);
	EQUAL(epoll_wait(nested, got, 4, 0), 0);
	event = (struct epoll_event){ EPOLLIN | EPOLLEXCLUSIVE, { .u64 = 10 } };
	EQUAL(epoll_ctl(nested, EPOLL_CTL_ADD, ev, &event), 0);
	FAILS(epoll_ctl(nested, EPOLL_CTL_MOD, ev, &event), EINVAL);
	NEVER_RESTARTED(epoll_wait(ep, got, 4, -1));
	FAILS(epoll_wait(ep, got, 0, 0), EINVAL);
	FAILS(epoll_wait(ev, got, 1, 0), EINVAL);
	FAILS(epoll_wait(999, got, 1, 0), EBADF);
	FAILS(epoll_create1(0x100), EINVAL);
	FAILS(syscall(SYS_epoll_create, 0), EINVAL);
	write(ev, &value, 8);
	EFAULTS(syscall(SYS_epoll_wait, ep, bad, 1, 0));
	EFAULTS(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, 0, bad));
	close(ep), close(nested), close(ev), close(file);
}

static void test_poll(void)
{
	int fd[2];
	char text[4];
	int64_t began;
	struct timespec short_time = { 0, 20 * MS };
	struct pollfd set[3];

	TOPIC("poll");
	EQUAL(pipe(fd), 0);
	set[0] = (struct pollfd){ fd[0], POLLIN, -1 };
	set[1] = (struct pollfd){ fd[1], POLLOUT, -1 };
	set[2] = (struct pollfd){ -5, POLLIN, -1 };
	EQUAL(poll(set, 3, 0), 1);
	CHECK(set[0].revents == 0 && set[1].revents == POLLOUT && set[2].revents == 0);
	set[2].fd = 999;
	EQUAL(poll(set, 3, 0), 2);
	EQUAL(set[2].revents, POLLNVAL);
	began = now_ns(CLOCK_MONOTONIC);
	EQUAL(poll(set, 1, 20), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - began >= 20 * MS);
	EQUAL(ppoll(set, 1, &short_time, NULL), 0);
	EQUAL(poll(NULL, 0, 1), 0);
	write(fd[1], "x", 1);
	EQUAL(poll(set, 1, -1), 1);
	EQUAL(set[0].revents, POLLIN);
	close(fd[1]);
	EQUAL(poll(set, 1, -1), 1);
	EQUAL(set[0].revents, POLLIN | POLLHUP);
	read(fd[0], text, 4);
	EQUAL(poll(set, 1, -1), 1);
	EQUAL(set[0].revents, POLLHUP);
	close(fd[0]);
	EQUAL(pipe(fd), 0);
	set[0].fd = fd[0];
	NEVER_RESTARTED(poll(set, 1, -1));
	NEVER_RESTARTED(ppoll(set, 1, NULL, NULL));
	EFAULTS(syscall(SYS_poll, bad, 1, 0));
	FAILS(syscall(SYS_poll, NULL, 1 << 30, 0), EINVAL);
	short_time.tv_nsec = -1;
	FAILS(syscall(SYS_ppoll, set, 1, &short_time, NULL, 8), EINVAL);
	close(fd[0]), close(fd[1]);
}

static void test_select(void)
{
	fd_set in, out;
	struct timeval time = { 0, 20000 };
	int fd[2];

	TOPIC("select");
	EQUAL(pipe(fd), 0);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fd[0], &in);
	FD_SET(fd[1], &out);
	EQUAL(select(fd[1] + 1, &in, &out, NULL, NULL), 1);
	CHECK(!FD_ISSET(fd[0], &in) && FD_ISSET(fd[1], &out));
	FD_SET(fd[0], &in);
	EQUAL(select(fd[0] + 1, &in, NULL, NULL, &time), 0);
	CHECK(!FD_ISSET(fd[0], &in));
	write(fd[1], "x", 1);
	FD_SET(fd[0], &in);
	EQUAL(pselect(fd[0] + 1, &in, NULL, NULL, NULL, NULL), 1);
	CHECK(FD_ISSET(fd[0], &in) != 0);
	FD_ZERO(&in);
	FD_SET(40, &in);
	FAILS(select(41, &in, NULL, NULL, NULL), EBADF);
	FAILS(syscall(SYS_select, -1, NULL, NULL, NULL, NULL), EINVAL);
	EFAULTS(syscall(SYS_select, 10, bad, NULL, NULL, NULL));
	EFAULTS(syscall(SYS_select, 0, NULL, NULL, NULL, bad));
	NEVER_RESTARTED(select(0, NULL, NULL, NULL, NULL));
	NEVER_RESTARTED(pselect(0, NULL, NULL, NULL, NULL, NULL));
	close(fd[0]), close(fd[1]);
}

static volatile int waiting;

static void *wake_later(void *argument)
{
	uint64_t value = 1;

	while (!waiting)
		sleep_ms(1);
	sleep_ms(5);
	return (void *)(intptr_t)(write(*(int *)argument, &value, 8) != 8);
}

static void test_threads(void)
{
	struct epoll_event event = { EPOLLIN, { .u64 = 1 } };
	int ev = eventfd(0, 0), ep = epoll_create1(0), round;
	struct pollfd one = { ev, POLLIN, 0 };
	uint64_t value;

	TOPIC("threads");
	epoll_ctl(ep, EPOLL_CTL_ADD, ev, &event);
	for (round = 0; round < 2; round++) {
		pthread_t thread = spawn(wake_later, &ev);

		waiting = 1;
		CHECK_AS((round ? poll(&one, 1, 10000) : epoll_wait(ep, &event, 1, 10000)) == 1, "woken by a write, %s",
			 round ? "poll" : "epoll_wait");
		join(thread);
		waiting = 0;
		EQUAL(read(ev, &value, 8), 8);
	}
	close(ev), close(ep);
}

int main(void)
{
	use_folder();
	test_eventfd();
	test_timerfd();
	test_signalfd();
	test_epoll();
	test_poll();
	test_select();
	test_threads();
	return tap_done();
}
