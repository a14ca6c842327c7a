/* What most oracle tests need beside verdicts: a directory of their own, bad pointers, faults, interruptions, threads. */
#ifndef TEST_LINUX_UTIL_H
#define TEST_LINUX_UTIL_H

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "test/linux/tap.h"

#define PAGE ((size_t)4096)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MS 1000000L /* nanoseconds */

/* ---- A directory of this run, which is the current one from then on; removed by tap_done. ---- */

static char util_folder[200];

TAP_UNUSED static int util_remove(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat, (void)type, (void)walk;
	remove(path); /* what cannot be removed does not keep the rest */
	return 0;
}

TAP_UNUSED static void util_remove_folder(void)
{
	if (chdir("/") == 0)
		nftw(util_folder, util_remove, 16, FTW_DEPTH | FTW_PHYS);
}

TAP_UNUSED static void use_folder(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(util_folder, sizeof(util_folder), "%s/oracle-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(util_folder) || chdir(util_folder)) {
		printf("Bail out! no temporary directory %s: %s\n", util_folder, strerror(errno));
		exit(98);
	}
	tap_at_end = util_remove_folder;
	umask(022);
}

/* A file NAME that holds TEXT; 0644. Gives an open descriptor, at offset 0. */
TAP_UNUSED static int make_file(const char *name, const char *text)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || lseek(fd, 0, SEEK_SET) != 0)
		tap_note("make_file %s: %s", name, strerror(errno));
	return fd;
}

/* ---- Pointers that the kernel must refuse. UNMAPPED is below any program; nothing is ever mapped there. ---- */

#define UNMAPPED ((void *)0x200000)
#define KERNEL_HALF ((void *)0xffff888000100000)

/* The last LEN bytes before a page that may not be touched. */
TAP_UNUSED static char *edge(size_t len)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(pages + PAGE, PAGE, PROT_NONE);
	return pages + PAGE - len;
}

TAP_UNUSED static void *bad_pointer(int nr)
{
	static void *guarded;

	if (!guarded)
		guarded = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* The third is not canonical; the last page of the user half is never mapped. */
	void *const all[] = { UNMAPPED, KERNEL_HALF,	(void *)0x8000000000000000,
			      guarded,	(void *)-4096L, (void *)0x7ffffffff000 };

	return all[nr];
}

/* CALL, an expression that names the pointer `bad`, fails with EFAULT for each bad pointer. One verdict. */
#define EFAULTS(call)                                                                                                  \
	({                                                                                                             \
		bool tap_all_ = true;                                                                                  \
		for (int tap_nr_ = 0; tap_nr_ < 6; tap_nr_++) {                                                        \
			void *volatile bad = bad_pointer(tap_nr_);                                                     \
			errno = 0;                                                                                     \
			long tap_result_ = (long)(call);                                                               \
			int tap_error_ = errno;                                                                        \
			if (tap_result_ == -1 && tap_error_ == EFAULT)                                                 \
				continue;                                                                              \
			tap_note("%s:%d: bad pointer %p: %ld, errno %d", __FILE__, __LINE__, bad, tap_result_,         \
				 tap_error_);                                                                          \
			tap_all_ = false;                                                                              \
		}                                                                                                      \
		tap_report(tap_all_, "%s fails: EFAULT", #call);                                                       \
	})

/* ---- Faults: TOUCH raises a signal with these properties. ---- */

static sigjmp_buf util_fault_jump;
static volatile int util_fault_signal, util_fault_code;
static void *volatile util_fault_address;

TAP_UNUSED static void util_on_fault(int nr, siginfo_t *info, void *context)
{
	(void)context;
	util_fault_signal = nr;
	util_fault_code = info->si_code;
	util_fault_address = info->si_addr;
	siglongjmp(util_fault_jump, 1);
}

TAP_UNUSED static void catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = util_on_fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	sigaction(SIGFPE, &action, NULL);
	sigaction(SIGTRAP, &action, NULL);
}

/* Runs TOUCH; gives the signal that it raised, 0 when none. */
#define FAULT_OF(touch)                                                                                                \
	({                                                                                                             \
		util_fault_signal = 0;                                                                                 \
		if (!sigsetjmp(util_fault_jump, 1)) {                                                                  \
			touch;                                                                                         \
		}                                                                                                      \
		util_fault_signal;                                                                                     \
	})

/* TOUCH raises SIGNAL with CODE at ADDRESS. */
#define FAULTS(touch, signal, code, address)                                                                           \
	({                                                                                                             \
		int tap_signal_ = FAULT_OF(touch);                                                                     \
		bool tap_good_ = tap_report(tap_signal_ == (signal) && util_fault_code == (code) &&                    \
						    util_fault_address == (void *)(address),                           \
					    "%s raises " #signal " " #code " at " #address, #touch);                   \
		if (!tap_good_)                                                                                        \
			tap_note("%s:%d: signal %d code %d address %p, expected address %p", __FILE__, __LINE__,       \
				 tap_signal_, util_fault_code, util_fault_address, (void *)(address));                 \
		tap_good_;                                                                                             \
	})

/* Touches memory in a way that the compiler keeps. */
TAP_UNUSED static char peek(const void *address)
{
	return *(const volatile char *)address;
}

TAP_UNUSED static void poke(void *address, char value)
{
	*(volatile char *)address = value;
}

/* ---- Interruptions: SIGALRM every 10 ms. At the third, a byte is written to tick_fd when it is not -1. ---- */

static volatile sig_atomic_t ticks;
static volatile int tick_fd = -1;

TAP_UNUSED static void util_on_tick(int nr)
{
	int saved = errno;

	(void)nr;
	if (++ticks == 3 && tick_fd >= 0 && write(tick_fd, "tick", 1) != 1)
		_exit(97);
	errno = saved;
}

TAP_UNUSED static void ticker_start(int flags, int fd)
{
	struct sigaction action = { .sa_handler = util_on_tick, .sa_flags = flags };
	struct itimerval every = { { 0, 10000 }, { 0, 10000 } };

	ticks = 0;
	tick_fd = fd;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

TAP_UNUSED static void ticker_stop(void)
{
	struct itimerval never = { { 0, 0 }, { 0, 0 } };

	setitimer(ITIMER_REAL, &never, NULL);
}

/* CALL blocks; a signal whose handler was set without SA_RESTART ends it with EINTR. */
#define INTERRUPTED(call)                                                                                              \
	({                                                                                                             \
		ticker_start(0, -1);                                                                                   \
		errno = 0;                                                                                             \
		long tap_result_ = (long)(call);                                                                       \
		int tap_error_ = errno;                                                                                \
		ticker_stop();                                                                                         \
		tap_fails(tap_result_, tap_error_, EINTR, #call " is interrupted: EINTR", __FILE__, __LINE__);         \
	})

/* The same even with SA_RESTART. */
#define NEVER_RESTARTED(call)                                                                                          \
	({                                                                                                             \
		ticker_start(SA_RESTART, -1);                                                                          \
		errno = 0;                                                                                             \
		long tap_result_ = (long)(call);                                                                       \
		int tap_error_ = errno;                                                                                \
		ticker_stop();                                                                                         \
		tap_fails(tap_result_, tap_error_, EINTR, #call " is not restarted: EINTR", __FILE__, __LINE__);       \
	})

/* With SA_RESTART, CALL goes on over signals until the third writes a byte to FD; then it answers EXPECTED. */
#define RESTARTED(call, expected, fd)                                                                                  \
	({                                                                                                             \
		ticker_start(SA_RESTART, fd);                                                                          \
		errno = 0;                                                                                             \
		long tap_result_ = (long)(call);                                                                       \
		ticker_stop();                                                                                         \
		tap_equal(tap_result_, expected, #call " is restarted and gives " #expected, __FILE__, __LINE__);      \
	})

/* ---- Time and threads. ---- */

TAP_UNUSED static int64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

TAP_UNUSED static void sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * MS };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

TAP_UNUSED static pthread_t spawn(void *(*function)(void *), void *argument)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, function, argument);

	if (error) {
		printf("Bail out! pthread_create: %s\n", strerror(error));
		exit(98);
	}
	return thread;
}

TAP_UNUSED static void *join(pthread_t thread)
{
	void *result = NULL;

	pthread_join(thread, &result);
	return result;
}

/* A condition that another thread brings about; false when it has not within 10 s. */
#define WAIT_FOR(condition)                                                                                            \
	({                                                                                                             \
		int tap_tries_ = 10000;                                                                                \
		while (!(condition) && --tap_tries_)                                                                   \
			sleep_ms(1);                                                                                   \
		tap_tries_ > 0;                                                                                        \
	})

#endif
