/* sigaction and its flags, masks, queues, sigwait*, kill, tgkill, faults whose handler changes the context, registers. */
#include <sys/ucontext.h>

#include "test/linux/util.h"

static volatile sig_atomic_t count, last, nested, on_alternate;
static siginfo_t last_info;
static int order[16], ordered;
static char *alternate;

static void on_count(int nr)
{
	last = nr;
	count++;
}

static void on_info(int nr, siginfo_t *info, void *context)
{
	char here;

	(void)context;
	last = nr;
	last_info = *info;
	if (ordered < 16)
		order[ordered++] = info->si_value.sival_int;
	on_alternate = alternate && &here >= alternate && &here < alternate + 65536;
	count++;
}

static void on_nested(int nr)
{
	count++;
	if (count == 1) {
		raise(nr);
		nested = count;
	}
}

static void handle(int nr, void *handler, int flags)
{
	struct sigaction action = { .sa_flags = flags };

	if (flags & SA_SIGINFO)
		action.sa_sigaction = (void (*)(int, siginfo_t *, void *))handler;
	else
		action.sa_handler = (void (*)(int))handler;
	sigaction(nr, &action, NULL);
	count = nested = 0;
}

static void test_action(void)
{
	struct sigaction old;
	char kernel_action[32] = "";

	TOPIC("sigaction");
	handle(SIGUSR1, (void *)on_count, 0);
	EQUAL(raise(SIGUSR1), 0);
	CHECK(count == 1 && last == SIGUSR1);
	EQUAL(sigaction(SIGUSR1, NULL, &old), 0);
	CHECK(old.sa_handler == on_count);
	handle(SIGUSR1, (void *)on_nested, 0);
	raise(SIGUSR1);
	CHECK(count == 2 && nested == 1);
	handle(SIGUSR1, (void *)on_nested, SA_NODEFER);
	raise(SIGUSR1);
	CHECK(count == 2 && nested == 2);
	handle(SIGUSR1, (void *)on_count, SA_RESETHAND);
	raise(SIGUSR1);
	EQUAL(sigaction(SIGUSR1, NULL, &old), 0);
	CHECK(count == 1 && old.sa_handler == SIG_DFL);
	handle(SIGUSR1, (void *)on_info, SA_SIGINFO);
	kill(getpid(), SIGUSR1);
	CHECK(last_info.si_signo == SIGUSR1 && last_info.si_code == SI_USER && last_info.si_pid == getpid());
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 1234 });
	CHECK(last_info.si_code == SI_QUEUE && last_info.si_value.sival_int == 1234);
	syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1);
	EQUAL(last_info.si_code, SI_TKILL);
	signal(SIGUSR1, SIG_IGN);
	EQUAL(raise(SIGUSR1), 0);
	FAILS(sigaction(SIGKILL, &old, NULL), EINVAL);
	FAILS(syscall(SYS_rt_sigaction, SIGSTOP, kernel_action, NULL, 8), EINVAL);
	FAILS(syscall(SYS_rt_sigaction, 65, kernel_action, NULL, 8), EINVAL);
	FAILS(syscall(SYS_rt_sigaction, 0, kernel_action, NULL, 8), EINVAL);
	FAILS(syscall(SYS_rt_sigaction, SIGUSR2, kernel_action, NULL, 4), EINVAL);
	EFAULTS(syscall(SYS_rt_sigaction, SIGUSR2, bad, NULL, 8));
	EFAULTS(syscall(SYS_rt_sigaction, SIGUSR2, NULL, bad, 8));
	/* Signals whose default is to be ignored. */
	EQUAL(raise(SIGCHLD) | raise(SIGURG) | raise(SIGWINCH) | raise(SIGCONT), 0);
}

static void test_mask(void)
{
	sigset_t set, old, pending;
	int i;

	TOPIC("mask and queue");
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	handle(SIGRTMIN, (void *)on_info, SA_SIGINFO);
	handle(SIGRTMIN + 1, (void *)on_info, SA_SIGINFO);
	handle(SIGUSR1, (void *)on_info, SA_SIGINFO);
	EQUAL(sigprocmask(SIG_BLOCK, &set, &old), 0);
	for (i = 0; i < 3; i++)
		kill(getpid(), SIGUSR1);
	for (i = 0; i < 3; i++)
		sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 20 + i });
	for (i = 0; i < 3; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 10 + i });
	EQUAL(count, 0);
	EQUAL(sigpending(&pending), 0);
	CHECK(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGRTMIN) && !sigismember(&pending, SIGUSR2));
	ordered = 0;
	EQUAL(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	EQUAL(count, 7);
	/*
	 * Each delivery builds a frame on top of the one before: what is dequeued first runs last. Nothing but the same
	 * signal is blocked meanwhile, so each kind is in its order.
	 */
	int low = 0, high = 0;
	for (i = 0; i < ordered; i++) {
		low += order[i] == 10 + low;
		high += order[i] == 20 + high;
	}
	CHECK(low == 3 && high == 3);
	FAILS(syscall(SYS_rt_sigprocmask, 77, &set, NULL, 8), EINVAL);
	FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 16), EINVAL);
	EFAULTS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, bad, NULL, 8));
	EFAULTS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, bad, 8));
	EFAULTS(syscall(SYS_rt_sigpending, bad, 8));
	sigfillset(&set);
	EQUAL(sigprocmask(SIG_BLOCK, &set, &old), 0);
	sigprocmask(SIG_BLOCK, NULL, &set);
	CHECK(!sigismember(&set, SIGKILL) && !sigismember(&set, SIGSTOP) && sigismember(&set, SIGTERM));
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void test_wait(void)
{
	sigset_t set, old, empty;
	siginfo_t info;
	struct timespec time = { 0, 10 * MS };
	int64_t began = now_ns(CLOCK_MONOTONIC);
	int nr = 0;

	TOPIC("waiting");
	sigemptyset(&empty);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, &old);
	FAILS(sigtimedwait(&set, &info, &time), EAGAIN);
	CHECK(now_ns(CLOCK_MONOTONIC) - began >= 10 * MS);
	sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_int = 5 });
	EQUAL(sigwaitinfo(&set, &info), SIGUSR2);
	CHECK(info.si_code == SI_QUEUE && info.si_value.sival_int == 5);
	kill(getpid(), SIGUSR2);
	EQUAL(sigwait(&set, &nr), 0);
	EQUAL(nr, SIGUSR2);
	INTERRUPTED(syscall(SYS_rt_sigtimedwait, &set, &info, &(struct timespec){ 100, 0 }, 8));
	time.tv_nsec = -1;
	FAILS(sigtimedwait(&set, &info, &time), EINVAL);
	EFAULTS(syscall(SYS_rt_sigtimedwait, bad, NULL, NULL, 8));
	NEVER_RESTARTED(sigsuspend(&empty));
	NEVER_RESTARTED(pause());
	handle(SIGUSR2, (void *)on_count, 0);
	kill(getpid(), SIGUSR2);
	EQUAL(count, 0);
	FAILS(sigsuspend(&empty), EINTR);
	EQUAL(count, 1);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void test_kill(void)
{
	TOPIC("kill");
	EQUAL(kill(getpid(), 0), 0);
	EQUAL(syscall(SYS_tgkill, getpid(), gettid(), 0), 0);
	EQUAL(syscall(SYS_tkill, gettid(), 0), 0);
	FAILS(kill(getpid(), 65), EINVAL);
	FAILS(kill(getpid(), -1), EINVAL);
	FAILS(kill(0x3ffffff0, 0), ESRCH);
	FAILS(syscall(SYS_tgkill, getpid(), 0x3ffffff0, 0), ESRCH);
	FAILS(syscall(SYS_tgkill, -1, gettid(), 0), EINVAL);
	FAILS(syscall(SYS_tgkill, getpid(), gettid(), 65), EINVAL);
	FAILS(sigqueue(getpid(), 65, (union sigval){ 0 }), EINVAL);
	EFAULTS(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, bad));
}

static void test_stack(void)
{
	stack_t stack = { .ss_size = 65536 }, old;

	TOPIC("sigaltstack");
	alternate = stack.ss_sp = malloc(65536);
	EQUAL(sigaltstack(&stack, NULL), 0);
	EQUAL(sigaltstack(NULL, &old), 0);
	CHECK(old.ss_sp == alternate && old.ss_size == 65536 && old.ss_flags == 0);
	handle(SIGUSR1, (void *)on_info, SA_SIGINFO | SA_ONSTACK);
	raise(SIGUSR1);
	EQUAL(on_alternate, 1);
	handle(SIGUSR1, (void *)on_info, SA_SIGINFO);
	raise(SIGUSR1);
	EQUAL(on_alternate, 0);
	stack.ss_size = 100;
	FAILS(sigaltstack(&stack, NULL), ENOMEM);
	stack.ss_flags = 77;
	FAILS(syscall(SYS_sigaltstack, &stack, NULL), EINVAL);
	stack.ss_flags = SS_DISABLE;
	EQUAL(sigaltstack(&stack, NULL), 0);
	EFAULTS(syscall(SYS_sigaltstack, bad, NULL));
	EFAULTS(syscall(SYS_sigaltstack, NULL, bad));
	free(alternate);
	alternate = NULL;
}

static void on_skip(int nr, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	last = nr;
	last_info = *info;
	count++;
	c->uc_mcontext.gregs[REG_RIP] += nr == SIGTRAP ? 0 : 2;
	c->uc_mcontext.gregs[REG_RAX] = 99;
}

static void test_faults(void)
{
	long value = 0;
	char *rip;

	TOPIC("faults");
	handle(SIGILL, (void *)on_skip, SA_SIGINFO);
	asm volatile("lea 0f(%%rip), %1\n0: ud2" : "=a"(value), "=&r"(rip)::"memory");
	CHECK(value == 99 && last == SIGILL && last_info.si_code == ILL_ILLOPN && last_info.si_addr == rip);
	handle(SIGSEGV, (void *)on_skip, SA_SIGINFO);
	value = 0x200000;
	asm volatile("mov (%%rax), %%al" : "+a"(value)::"memory");
	CHECK(value == 99 && last_info.si_code == SEGV_MAPERR && last_info.si_addr == UNMAPPED);
	handle(SIGFPE, (void *)on_skip, SA_SIGINFO);
	int zero = 0;
	asm volatile("lea 0f(%%rip), %1\n0: idivl %2" : "=a"(value), "=&b"(rip) : "c"(zero), "0"(1L) : "rdx", "memory");
	CHECK(value == 99 && last == SIGFPE && last_info.si_code == FPE_INTDIV && last_info.si_addr == rip);
	handle(SIGTRAP, (void *)on_skip, SA_SIGINFO);
	asm volatile("int3" : "=a"(value)::"memory");
	CHECK(value == 99 && last == SIGTRAP && last_info.si_code == SI_KERNEL);
}

static void on_vector(int nr)
{
	(void)nr;
	count++;
	asm volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm7, %%xmm7; pcmpeqd %%xmm15, %%xmm15; fninit; fldpi" ::
			     : "xmm0", "xmm7", "xmm15", "st");
	asm volatile("fninit");
	if (__builtin_cpu_supports("avx"))
		asm volatile("vxorps %%ymm7, %%ymm7, %%ymm7" ::: "xmm7");
}

static void test_registers(void)
{
	uint64_t in[4] = { 1, 2, 3, 4 }, out[4] = { 0 };
	double x87 = 1.5, back = 0;
	pid_t pid = getpid();
	long result = SYS_kill;

	TOPIC("registers");
	handle(SIGUSR1, (void *)on_vector, 0);
	asm volatile("fldl %3; movdqu %4, %%xmm7; syscall; movdqu %%xmm7, %1; fstpl %2"
		     : "+a"(result), "=m"(*(uint64_t(*)[2])out), "=m"(back)
		     : "m"(x87), "m"(*(uint64_t(*)[2])in), "D"((long)pid), "S"((long)SIGUSR1)
		     : "rcx", "r11", "xmm7", "memory", "st");
	CHECK(result == 0 && count == 1 && out[0] == 1 && out[1] == 2);
	CHECK(back == 1.5);
	if (__builtin_cpu_supports("avx")) {
		result = SYS_kill;
		asm volatile("vmovdqu %2, %%ymm7; syscall; vmovdqu %%ymm7, %1; vzeroupper"
			     : "+a"(result), "=m"(out)
			     : "m"(in), "D"((long)pid), "S"((long)SIGUSR1)
			     : "rcx", "r11", "xmm7", "memory");
		CHECK(count == 2 && memcmp(in, out, sizeof(in)) == 0);
	} else {
		tap_skip("count == 2 && memcmp(in, out, sizeof(in)) == 0", "no AVX");
	}
}

static void *spin_vectors(void *argument)
{
	uint64_t in[2] = { (uint64_t)(uintptr_t)argument, ~(uint64_t)(uintptr_t)argument }, out[2];
	int64_t end = now_ns(CLOCK_MONOTONIC) + 60 * MS;

	while (now_ns(CLOCK_MONOTONIC) < end) {
		asm volatile("movdqu %1, %%xmm9; mov $2000, %%ecx; 0: dec %%ecx; jnz 0b; movdqu %%xmm9, %0"
			     : "=m"(out)
			     : "m"(in)
			     : "rcx", "xmm9");
		if (memcmp(in, out, sizeof(in)) != 0)
			return argument;
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t thread[4];
	intptr_t i;
	int wrong = 0;

	TOPIC("threads");
	ticker_start(SA_RESTART, -1);
	for (i = 0; i < 4; i++)
		thread[i] = spawn(spin_vectors, (void *)(i + 1));
	for (i = 0; i < 4; i++)
		wrong += join(thread[i]) != NULL;
	ticker_stop();
	EQUAL(wrong, 0);
	CHECK(ticks > 0);
}

static void test_jump(void)
{
	sigset_t now;
	volatile int i, caught = 0;

	TOPIC("siglongjmp");
	catch_faults();
	for (i = 0; i < 100; i++)
		caught += FAULT_OF(peek(UNMAPPED)) == SIGSEGV;
	EQUAL(caught, 100);
	sigprocmask(SIG_BLOCK, NULL, &now);
	EQUAL(sigismember(&now, SIGSEGV), 0);
}

int main(void)
{
	test_action();
	test_mask();
	test_wait();
	test_kill();
	test_stack();
	test_faults();
	test_registers();
	test_threads();
	test_jump();
	return tap_done();
}
