/* Who and where a process is: ids, groups, limits, uname, sysinfo, scheduling, random bytes; calls that do not exist. */
#include <grp.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "test/linux/util.h"

static void test_ids(void)
{
	uid_t r, e, s;
	gid_t groups[8];

	TOPIC("ids");
	CHECK(getpid() > 0 && gettid() == getpid());
	CHECK(getpgid(0) == getpgrp() && getpgid(0) >= 0 && getsid(0) >= 0);
	CHECK(getppid() >= 0);
	FAILS(getpgid(0x3ffffff0), ESRCH);
	FAILS(getsid(0x3ffffff0), ESRCH);
	FAILS(setpgid(0, -1), EINVAL);
	CHECK(getuid() == 0 && geteuid() == 0 && getgid() == 0 && getegid() == 0);
	EQUAL(getresuid(&r, &e, &s), 0);
	CHECK(r == 0 && e == 0 && s == 0);
	EQUAL(syscall(SYS_setresuid, 0, 1000, 0), 0);
	CHECK(geteuid() == 1000 && getuid() == 0);
	EQUAL(syscall(SYS_setresuid, -1, 0, -1), 0);
	EQUAL(syscall(SYS_setresgid, 5, 6, 7), 0);
	EQUAL(getresgid(&r, &e, &s), 0);
	CHECK(r == 5 && e == 6 && s == 7);
	EQUAL(syscall(SYS_setgid, 0), 0);
	EQUAL(syscall(SYS_setreuid, 0, 77), 0);
	EQUAL(geteuid(), 77);
	EQUAL(syscall(SYS_setuid, 0), 0);
	EQUAL(geteuid(), 0);
	EQUAL(setfsuid(12), 0);
	EQUAL(setfsuid(0), 12);
	EQUAL(syscall(SYS_setgroups, 2, (gid_t[]){ 3, 4 }), 0);
	EQUAL(getgroups(0, NULL), 2);
	EQUAL(getgroups(8, groups), 2);
	CHECK(groups[0] == 3 && groups[1] == 4);
	FAILS(getgroups(1, groups), EINVAL);
	FAILS(syscall(SYS_setgroups, 1 << 20, groups), EINVAL);
	EQUAL(syscall(SYS_setgroups, 0, NULL), 0);
	EFAULTS(syscall(SYS_getresuid, bad, &e, &s));
	EFAULTS(syscall(SYS_setgroups, 1, bad));
	EQUAL(syscall(SYS_setresuid, 1000, 1000, 1000), 0);
	FAILS(syscall(SYS_setuid, 0), EPERM);
	FAILS(syscall(SYS_setresuid, 0, 0, 0), EPERM);
	EQUAL(syscall(SYS_setuid, 1000), 0);
}

static void test_children(void)
{
	int status;
	siginfo_t info;

	TOPIC("no children");
	FAILS(wait4(-1, &status, 0, NULL), ECHILD);
	FAILS(waitpid(1234567, &status, WNOHANG), ECHILD);
	FAILS(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	FAILS(waitid(P_ALL, 0, &info, 0), EINVAL);
	FAILS(wait4(-1, &status, 0x40, NULL), EINVAL);
}

static void test_limits(void)
{
	struct rlimit limit, soft;

	TOPIC("limits");
	EQUAL(getrlimit(RLIMIT_NOFILE, &limit), 0);
	CHECK(limit.rlim_cur >= 256 && limit.rlim_cur <= limit.rlim_max);
	EQUAL(getrlimit(RLIMIT_STACK, &limit), 0);
	CHECK(limit.rlim_cur >= 1 << 20);
	soft = limit;
	soft.rlim_cur = 4 << 20;
	EQUAL(setrlimit(RLIMIT_STACK, &soft), 0);
	EQUAL(syscall(SYS_prlimit64, 0, RLIMIT_STACK, &limit, &soft), 0);
	EQUAL(soft.rlim_cur, 4 << 20);
	soft.rlim_cur = 10;
	soft.rlim_max = 9;
	FAILS(syscall(SYS_prlimit64, 0, RLIMIT_STACK, &soft, NULL), EINVAL);
	FAILS(getrlimit(99, &limit), EINVAL);
	FAILS(syscall(SYS_prlimit64, 0x3ffffff0, RLIMIT_STACK, NULL, &limit), ESRCH);
	EFAULTS(syscall(SYS_getrlimit, RLIMIT_STACK, bad));
	EFAULTS(syscall(SYS_prlimit64, 0, RLIMIT_STACK, bad, NULL));
	EFAULTS(syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, bad));
	getrlimit(RLIMIT_FSIZE, &soft);
	soft.rlim_cur = 1 << 20; /* standard output may be a file, too */
	setrlimit(RLIMIT_FSIZE, &soft);
	signal(SIGXFSZ, SIG_IGN);
	int fd = make_file("limited", "");
	EQUAL(pwrite(fd, "0123456789", 10, (1 << 20) - 5), 5);
	FAILS(pwrite(fd, "x", 1, 1 << 20), EFBIG);
	FAILS(ftruncate(fd, (1 << 20) + 1), EFBIG);
	soft.rlim_cur = soft.rlim_max;
	setrlimit(RLIMIT_FSIZE, &soft);
	close(fd);
}

static void test_system(void)
{
	struct utsname name;
	struct sysinfo info;
	unsigned cpu = 99999, node;
	char text[1];

	TOPIC("system");
	EQUAL(uname(&name), 0);
	CHECK(strcmp(name.sysname, "Linux") == 0 && strcmp(name.machine, "x86_64") == 0);
	CHECK(atoi(name.release) >= 4 && *name.version && *name.nodename);
	EFAULTS(syscall(SYS_uname, bad));
	EQUAL(sysinfo(&info), 0);
	CHECK(info.totalram > 0 && info.freeram <= info.totalram && info.mem_unit >= 1 && info.procs >= 1);
	EFAULTS(syscall(SYS_sysinfo, bad));
	EQUAL(syscall(SYS_getcpu, &cpu, &node, NULL), 0);
	CHECK(cpu < 4096);
	EFAULTS(syscall(SYS_getcpu, bad, NULL, NULL));
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1 && sysconf(_SC_PAGESIZE) == 4096);
	FAILS(syscall(9999), ENOSYS);
	FAILS(syscall(-1L), ENOSYS);
	/* The number is what the lower half of the register holds. */
	FAILS(syscall(1L << 40 | SYS_read, -1, text, 1), EBADF);
	FAILS(syscall(600, UNMAPPED, UNMAPPED), ENOSYS);
}

static void test_sched(void)
{
	cpu_set_t set, one;
	struct sched_param parameter = { .sched_priority = 0 };
	struct timespec interval;
	int cpu;

	TOPIC("sched");
	EQUAL(sched_getaffinity(0, sizeof(set), &set), 0);
	CHECK(CPU_COUNT(&set) >= 1);
	for (cpu = 0; !CPU_ISSET(cpu, &set); cpu++)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	EQUAL(sched_setaffinity(0, sizeof(one), &one), 0);
	EQUAL(sched_getcpu() == cpu, 1);
	EQUAL(sched_getaffinity(0, sizeof(one), &one), 0);
	EQUAL(CPU_COUNT(&one), 1);
	EQUAL(sched_setaffinity(0, sizeof(set), &set), 0);
	CPU_ZERO(&one);
	FAILS(sched_setaffinity(0, sizeof(one), &one), EINVAL);
	FAILS(syscall(SYS_sched_getaffinity, 0, 3, &one), EINVAL);
	CHECK(syscall(SYS_sched_getaffinity, 0, sizeof(set), &set) >= 8);
	FAILS(syscall(SYS_sched_getaffinity, 0x3ffffff0, 128, &one), ESRCH);
	EFAULTS(syscall(SYS_sched_getaffinity, 0, 128, bad));
	EFAULTS(syscall(SYS_sched_setaffinity, 0, 128, bad));
	EQUAL(sched_yield(), 0);
	EQUAL(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER);
	EQUAL(syscall(SYS_sched_getparam, 0, &parameter), 0);
	EQUAL(parameter.sched_priority, 0);
	EQUAL(sched_get_priority_max(SCHED_FIFO), 99);
	EQUAL(sched_get_priority_min(SCHED_RR), 1);
	EQUAL(sched_get_priority_max(SCHED_OTHER), 0);
	FAILS(sched_get_priority_max(99), EINVAL);
	EQUAL(sched_rr_get_interval(0, &interval), 0);
	parameter.sched_priority = 5;
	FAILS(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &parameter), EINVAL);
	EFAULTS(syscall(SYS_sched_getparam, 0, bad));
	errno = 0;
	EQUAL(getpriority(PRIO_PROCESS, 0), 0);
	EQUAL(setpriority(PRIO_PROCESS, 0, 5), 0);
	EQUAL(getpriority(PRIO_PROCESS, 0), 5);
	EQUAL(setpriority(PRIO_PROCESS, 0, 0), 0);
	FAILS(getpriority(99, 0), EINVAL);
}

static void test_random(void)
{
	char a[32] = "", b[32] = "";

	TOPIC("getrandom");
	EQUAL(getrandom(a, 32, 0), 32);
	EQUAL(getrandom(b, 32, GRND_NONBLOCK), 32);
	CHECK(memcmp(a, b, 32) != 0);
	EQUAL(getrandom(a, 0, 0), 0);
	EQUAL(getrandom(a, 32, GRND_RANDOM), 32);
	FAILS(getrandom(a, 32, 0x100), EINVAL);
	EFAULTS(syscall(SYS_getrandom, bad, 10, 0));
}

int main(void)
{
	use_folder();
	test_children();
	test_limits();
	test_system();
	test_sched();
	test_random();
	test_ids();
	return tap_done();
}
