/* Clocks, sleeping, interval timers, POSIX timers, times and getrusage. */
#include <sys/resource.h>
#include <sys/times.h>

#include "test/linux/util.h"

static void test_clocks(void)
{
	static const clockid_t clocks[] = { 0, 1, 2, 3, 4, 5, 6, 7, 11 };
	struct timespec now, again, resolution;
	struct timeval micro;
	time_t second;
	size_t i;

	TOPIC("clocks");
	for (i = 0; i < COUNT(clocks); i++) {
		CHECK_AS(clock_gettime(clocks[i], &now) == 0 && clock_gettime(clocks[i], &again) == 0 &&
				 (again.tv_sec > now.tv_sec ||
				  (again.tv_sec == now.tv_sec && again.tv_nsec >= now.tv_nsec)) &&
				 now.tv_nsec >= 0 && now.tv_nsec < 1000000000,
			 "clock %d goes forward", (int)clocks[i]);
		CHECK_AS(syscall(SYS_clock_gettime, clocks[i], &now) == 0 && now.tv_sec - again.tv_sec < 5,
			 "clock %d by system call", (int)clocks[i]);
		CHECK_AS(clock_getres(clocks[i], &resolution) == 0 && resolution.tv_sec == 0 && resolution.tv_nsec > 0,
			 "clock %d has a resolution", (int)clocks[i]);
	}
	FAILS(clock_gettime(99, &now), EINVAL);
	FAILS(clock_getres(99, &now), EINVAL);
	EQUAL(clock_getres(CLOCK_MONOTONIC, NULL), 0);
	FAILS(clock_settime(CLOCK_MONOTONIC, &now), EINVAL);
	EFAULTS(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad));
	EFAULTS(syscall(SYS_clock_getres, CLOCK_MONOTONIC, bad));
	EFAULTS(syscall(SYS_gettimeofday, bad, NULL));
	EFAULTS(syscall(SYS_time, bad));
	EQUAL(gettimeofday(&micro, NULL), 0);
	second = time(NULL);
	CHECK(second >= micro.tv_sec && second <= micro.tv_sec + 5);
	CHECK(second > 1500000000);
	EQUAL(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	while (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &again) == 0 &&
	       (again.tv_sec - now.tv_sec) * 1000000000L + again.tv_nsec - now.tv_nsec < 5 * MS)
		;
	CHECK(again.tv_nsec != now.tv_nsec);
}

static void test_sleep(void)
{
	struct timespec time = { 0, 20 * MS }, left = { 0, 0 };
	int64_t began = now_ns(CLOCK_MONOTONIC);

	TOPIC("sleep");
	EQUAL(nanosleep(&time, NULL), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - began >= 20 * MS);
	EQUAL(nanosleep(&(struct timespec){ 0, 0 }, NULL), 0);
	time.tv_nsec = 1000000000;
	FAILS(nanosleep(&time, NULL), EINVAL);
	time = (struct timespec){ -1, 0 };
	FAILS(nanosleep(&time, NULL), EINVAL);
	EFAULTS(syscall(SYS_nanosleep, bad, NULL));
	time = (struct timespec){ 100, 0 };
	NEVER_RESTARTED(nanosleep(&time, &left));
	CHECK(left.tv_sec == 99 && left.tv_nsec > 0);
	INTERRUPTED(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, &left));
	CHECK(left.tv_sec == 99);
	clock_gettime(CLOCK_MONOTONIC, &time);
	began = now_ns(CLOCK_MONOTONIC);
	time.tv_nsec += 15 * MS;
	time.tv_sec += time.tv_nsec / 1000000000;
	time.tv_nsec %= 1000000000;
	EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL), 0);
	CHECK(now_ns(CLOCK_MONOTONIC) - began >= 14 * MS);
	time = (struct timespec){ 1, 0 };
	EQUAL(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &time, NULL), 0);
	time.tv_sec = 1L << 60;
	ticker_start(SA_RESTART, -1);
	EQUAL(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){ 0, 0 }, NULL), 0);
	ticker_stop();
	EQUAL(clock_nanosleep(99, 0, &time, NULL), EINVAL);
	time.tv_nsec = -5;
	EQUAL(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL), EINVAL);
}

static volatile sig_atomic_t fired;
static siginfo_t fired_info;
static volatile pid_t fired_in;
static volatile int most_overrun;

static void on_timer(int nr, siginfo_t *info, void *context)
{
	(void)nr, (void)context;
	fired_info = *info;
	fired_in = gettid();
	if (info->si_code == SI_TIMER && info->si_overrun > most_overrun)
		most_overrun = info->si_overrun;
	fired++;
}

static void test_itimer(void)
{
	struct itimerval set = { { 0, 5000 }, { 0, 5000 } }, get;
	struct sigaction action = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO };

	TOPIC("setitimer");
	sigaction(SIGALRM, &action, NULL);
	sigaction(SIGVTALRM, &action, NULL);
	sigaction(SIGPROF, &action, NULL);
	EQUAL(setitimer(ITIMER_REAL, &set, NULL), 0);
	CHECK(WAIT_FOR(fired >= 3));
	EQUAL(fired_info.si_code, SI_KERNEL);
	EQUAL(getitimer(ITIMER_REAL, &get), 0);
	CHECK(get.it_interval.tv_usec == 5000 && get.it_value.tv_sec == 0 && get.it_value.tv_usec <= 5000);
	set = (struct itimerval){ { 0, 0 }, { 0, 0 } };
	EQUAL(setitimer(ITIMER_REAL, &set, NULL), 0);
	fired = 0;
	set.it_value.tv_usec = 2000;
	EQUAL(setitimer(ITIMER_VIRTUAL, &set, NULL), 0);
	EQUAL(setitimer(ITIMER_PROF, &set, NULL), 0);
	int64_t end = now_ns(CLOCK_MONOTONIC) + 5000 * MS;
	while (fired < 2 && now_ns(CLOCK_MONOTONIC) < end)
		;
	EQUAL(fired, 2);
	EQUAL(alarm(100), 0);
	EQUAL(alarm(0), 100);
	set.it_value.tv_usec = 1000000;
	FAILS(setitimer(ITIMER_REAL, &set, NULL), EINVAL);
	FAILS(setitimer(99, &get, NULL), EINVAL);
	FAILS(getitimer(99, &get), EINVAL);
	EFAULTS(syscall(SYS_setitimer, ITIMER_REAL, bad, NULL));
	EFAULTS(syscall(SYS_getitimer, ITIMER_REAL, bad));
}

static volatile pid_t target;
static volatile int leave;

static void *timer_target(void *argument)
{
	target = gettid();
	while (!leave)
		sleep_ms(1);
	return argument;
}

static void test_posix(void)
{
	struct sigaction action = { .sa_sigaction = on_timer, .sa_flags = SA_SIGINFO };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec set = { { 0, 0 }, { 0, 5 * MS } }, get;
	timer_t timer;
	int id;

	TOPIC("timer_create");
	sigaction(SIGUSR1, &action, NULL);
	fired = 0;
	event.sigev_value.sival_int = 4321;
	EQUAL(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
	EQUAL(timer_settime(timer, 0, &set, NULL), 0);
	CHECK(WAIT_FOR(fired == 1));
	CHECK(fired_info.si_code == SI_TIMER && fired_info.si_value.sival_int == 4321);
	EQUAL(timer_gettime(timer, &get), 0);
	CHECK(get.it_value.tv_sec == 0 && get.it_value.tv_nsec == 0);
	/* Periods that pass while the signal is blocked: one signal, and a count. A slow machine may see the next one, too. */
	sigset_t block;
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	set.it_interval.tv_nsec = 2 * MS;
	fired = 0;
	EQUAL(timer_settime(timer, 0, &set, NULL), 0);
	sleep_ms(40);
	set = (struct itimerspec){ { 0, 0 }, { 50, 0 } };
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	CHECK(fired >= 1 && most_overrun >= 3 && timer_getoverrun(timer) <= most_overrun);
	EQUAL(timer_settime(timer, 0, &set, &get), 0);
	EQUAL(get.it_interval.tv_nsec, 2 * MS);
	EQUAL(timer_delete(timer), 0);
	FAILS(syscall(SYS_timer_delete, 9999), EINVAL);
	FAILS(syscall(SYS_timer_settime, 9999, 0, &set, NULL), EINVAL);
	event.sigev_notify = SIGEV_NONE;
	EQUAL(syscall(SYS_timer_create, CLOCK_REALTIME, &event, &id), 0);
	EQUAL(syscall(SYS_timer_settime, id, 0, &set, NULL), 0);
	EQUAL(syscall(SYS_timer_gettime, id, &get), 0);
	CHECK(get.it_value.tv_sec == 49 || get.it_value.tv_sec == 50);
	EFAULTS(syscall(SYS_timer_settime, id, 0, bad, NULL));
	EFAULTS(syscall(SYS_timer_gettime, id, bad));
	EQUAL(syscall(SYS_timer_delete, id), 0);
	FAILS(syscall(SYS_timer_create, 99, &event, &id), EINVAL);
	EFAULTS(syscall(SYS_timer_create, CLOCK_REALTIME, bad, &id));
	pthread_t thread = spawn(timer_target, NULL);
	WAIT_FOR(target);
	event.sigev_notify = 4; /* SIGEV_THREAD_ID */
	*(int *)((char *)&event + 16) = target;
	set.it_value = (struct timespec){ 0, 2 * MS };
	fired = 0;
	EQUAL(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), 0);
	EQUAL(syscall(SYS_timer_settime, id, 0, &set, NULL), 0);
	CHECK(WAIT_FOR(fired == 1));
	EQUAL(fired_in == target, 1);
	leave = 1;
	join(thread);
	EQUAL(syscall(SYS_timer_delete, id), 0);
}

static void test_usage(void)
{
	struct rusage usage;
	struct tms tms;

	TOPIC("usage");
	EQUAL(getrusage(RUSAGE_SELF, &usage), 0);
	CHECK(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec > 0);
	CHECK(usage.ru_maxrss > 0);
	EQUAL(getrusage(RUSAGE_THREAD, &usage), 0);
	EQUAL(getrusage(RUSAGE_CHILDREN, &usage), 0);
	FAILS(getrusage(99, &usage), EINVAL);
	EFAULTS(syscall(SYS_getrusage, RUSAGE_SELF, bad));
	CHECK(times(&tms) != -1);
	CHECK(tms.tms_cutime == 0);
	EFAULTS(syscall(SYS_times, bad));
}

int main(void)
{
	test_clocks();
	test_sleep();
	test_itimer();
	test_posix();
	test_usage();
	return tap_done();
}
