/*
 * Random system calls with random arguments, for a guest: fuzz-syscalls SECONDS SEED. The guest must stay up. Never to be
 * run on a host: what it asks for as root harms a machine. It refuses where it is not process 1 of a guest.
 */
#include <inttypes.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "test/linux/util.h"

enum { THREADS = 2, AREA = 64 };

/* They end the program, or take away what it needs to go on. */
static const short left_out[] = {
	SYS_exit,
	SYS_exit_group,
	SYS_reboot,
	SYS_pause,
	SYS_rt_sigsuspend,
	SYS_rt_sigreturn,
	SYS_fork,
	SYS_vfork,
	SYS_clone,
	SYS_clone3,
	SYS_execve,
	SYS_execveat,
	SYS_kill,
	SYS_tkill,
	SYS_tgkill,
	SYS_munmap,
	SYS_brk,
	SYS_mremap,
	SYS_mprotect,
	SYS_arch_prctl,
	SYS_rseq,
	SYS_setitimer,
	SYS_close_range,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_alarm,
	SYS_setrlimit,
	SYS_prlimit64,
	SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo,
	SYS_sigaltstack,
	SYS_prctl,
	SYS_seccomp,
	SYS_ptrace,
	SYS_set_robust_list,
	SYS_pkey_mprotect,
	SYS_set_tid_address,
	SYS_dup2,
	SYS_dup3,
	SYS_madvise,
	SYS_process_madvise,
	SYS_mlockall,
	SYS_remap_file_pages,
	SYS_shmat,
};

static char *area, *read_only;
static volatile uint64_t calls, errors;
static int64_t end;

static uint64_t next(uint64_t *state)
{
	/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators"). */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

static long argument(uint64_t *state)
{
	static const long edges[] = { 0,	 1,	    -1,		2,	   4096,      65536,
				      INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN, 0x7ffffffff000 };
	static const char *const paths[] = {
		"/tmp/fuzz", "/proc/self/maps", "/dev/zero", "/tmp", "", "/proc/self/fd/3"
	};
	uint64_t r = next(state);

	switch (r >> 8 & 7) {
	case 0:
		return (long)(r >> 16 & 31); /* a descriptor, a flag, a number */
	case 1:
		return edges[(r >> 16) % COUNT(edges)];
	case 2:
		return (long)(area + (r >> 16) % (AREA * PAGE)); /* memory, not always aligned */
	case 3:
		return (long)(area + ((r >> 16) % AREA) * PAGE);
	case 4:
		return (long)(read_only + (r >> 16) % PAGE);
	case 5:
		return (long)bad_pointer((int)((r >> 16) % 6));
	case 6:
		return (long)paths[(r >> 16) % COUNT(paths)];
	default:
		return (long)(1UL << (r >> 16 & 63));
	}
}

static bool is_left_out(long nr, const long *a)
{
	size_t i;

	/* Memory at a place of its choice could be the program's own; too much of it ends the program rightly. */
	if (nr == SYS_mmap && ((a[3] & MAP_FIXED) || (unsigned long)a[1] > 1 << 24))
		return true;
	if (nr == SYS_fallocate && (unsigned long)a[3] > 1 << 24)
		return true;
	/* Standard output is for the summary. */
	if (nr == SYS_close && (unsigned)a[0] < 3)
		return true;
	for (i = 0; i < COUNT(left_out); i++)
		if (left_out[i] == nr)
			return true;
	return false;
}

/* Structures that the area may be taken for: words that are arguments themselves. */
static void stir(uint64_t *state)
{
	size_t i;

	for (i = 0; i < 64; i++)
		((uint64_t *)area)[next(state) % (AREA * PAGE / 8)] = (uint64_t)argument(state);
}

static void *run(void *seed)
{
	uint64_t state = (uint64_t)(uintptr_t)seed * 0x9e3779b97f4a7c15ULL | 1;

	while (now_ns(CLOCK_MONOTONIC) < end) {
		long a[6], nr = (long)(next(&state) % 470);
		int i;

		for (i = 0; i < 6; i++)
			a[i] = argument(&state);
		if (is_left_out(nr, a))
			continue;
		if (next(&state) % 16 == 0)
			stir(&state);
		if (syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]) == -1)
			__atomic_add_fetch(&errors, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void on_any(int nr)
{
	(void)nr;
}

/* Blocking calls are broken off: every thread gets a signal each 10 ms. */
static void *interrupt(void *threads)
{
	int i;

	while (now_ns(CLOCK_MONOTONIC) < end + 100 * MS) {
		for (i = 0; i < THREADS; i++)
			pthread_kill(((pthread_t *)threads)[i], SIGALRM);
		usleep(10000);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_any };
	pthread_t thread[THREADS], other;
	long seed = argc > 2 ? atol(argv[2]) : 1;
	int i, nr;

	if (getpid() != 1 || argc < 2) {
		fputs("fuzz-syscalls SECONDS SEED, as process 1 of a guest and nowhere else\n", stderr);
		return 2;
	}
	for (nr = 1; nr < 65; nr++)
		if (nr != SIGSEGV && nr != SIGBUS && nr != SIGILL && nr != SIGFPE && nr != SIGABRT)
			sigaction(nr, &action, NULL);
	area = mmap(NULL, AREA * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	read_only = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bad_pointer(0);
	/* Descriptors of every kind, from 3 on. */
	open("/tmp/fuzz", O_RDWR | O_CREAT, 0600);
	open("/tmp", O_RDONLY | O_DIRECTORY);
	open("/dev/zero", O_RDWR);
	if (pipe((int[2]){ 0 }))
		puts("# no pipe");
	eventfd(0, 0);
	epoll_create1(0);
	end = now_ns(CLOCK_MONOTONIC) + atol(argv[1]) * 1000000000L;
	for (i = 0; i < THREADS; i++)
		thread[i] = spawn(run, (void *)(seed * THREADS + i));
	other = spawn(interrupt, thread);
	join(other);
	/* A thread may wait without end where signals do not reach it; what counts is that the guest is up. */
	printf("fuzz-syscalls: seed %ld, %" PRIu64 " calls, %" PRIu64 " errors\n", seed, calls, errors);
	fflush(stdout);
	_exit(0);
}
