/* Time and CPU number without a system call, vdso(7): the same clock as by system call, on all CPUs and at all times. */
#include "test/linux/util.h"

#include <elf.h>
#include <sched.h>
#include <sys/auxv.h>

#define SEC 1000000000L
#define READINGS 100000

static const char *image; /* AT_SYSINFO_EHDR */
static int (*vdso_gettime)(int clockid, struct timespec *ts);
static int (*vdso_getres)(int clockid, struct timespec *ts);
static int (*vdso_gettimeofday)(struct timeval *tv, struct timezone *tz);
static long (*vdso_time)(long *seconds);
static int (*vdso_getcpu)(unsigned *cpu, unsigned *node, void *cache);

static const char *dynamic(int64_t tag)
{
	const Elf64_Phdr *segment = (const void *)(image + ((const Elf64_Ehdr *)(const void *)image)->e_phoff);
	const Elf64_Dyn *entry;

	while (segment->p_type != PT_DYNAMIC)
		segment++;
	for (entry = (const void *)(image + segment->p_vaddr); entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == tag)
			return image + entry->d_un.d_ptr;
	return NULL;
}

/* Through all symbols: their names follow them. How C libraries look, test/unit/test_vdso.c does. */
static void *lookup(const char *name)
{
	const Elf64_Sym *symbol = (const void *)dynamic(DT_SYMTAB);
	const char *strings = dynamic(DT_STRTAB);

	for (unsigned i = 0; symbol && strings && (const char *)(symbol + i) < strings; i++)
		if (symbol[i].st_shndx != SHN_UNDEF && !strcmp(strings + symbol[i].st_name, name))
			return (void *)(image + symbol[i].st_value);
	return NULL;
}

static bool find(void)
{
	image = (const char *)getauxval(AT_SYSINFO_EHDR);
	if (!CHECK(image != NULL) || !CHECK(!memcmp(image, "\177ELF", 4)))
		return false;
	CHECK((vdso_gettime = lookup("__vdso_clock_gettime")) != NULL);
	CHECK((vdso_getres = lookup("__vdso_clock_getres")) != NULL);
	CHECK((vdso_gettimeofday = lookup("__vdso_gettimeofday")) != NULL);
	CHECK((vdso_time = lookup("__vdso_time")) != NULL);
	CHECK((vdso_getcpu = lookup("__vdso_getcpu")) != NULL);
	CHECK(lookup("clock_gettime") == (void *)vdso_gettime);
	return vdso_gettime && vdso_getres && vdso_gettimeofday && vdso_time && vdso_getcpu;
}

static long ns_of(const struct timespec *ts)
{
	return ts->tv_sec * SEC + ts->tv_nsec;
}

static long by_vdso(int clockid)
{
	struct timespec ts;

	return vdso_gettime(clockid, &ts) ? -1 : ns_of(&ts);
}

static long by_syscall(int clockid)
{
	struct timespec ts;

	return syscall(SYS_clock_gettime, clockid, &ts) ? -1 : ns_of(&ts);
}

/* Readings by both ways, each not before the one before it. */
static unsigned steps_back(int clockid, unsigned n)
{
	unsigned steps = 0;
	long last = 0, now;

	for (unsigned i = 0; i < n; i++) {
		now = i & 1 ? by_vdso(clockid) : by_syscall(clockid);
		steps += now < last;
		last = now;
	}
	return steps;
}

static void test_clocks(void)
{
	static const struct {
		int id;
		const char *name;
	} clocks[] = {
		{ CLOCK_REALTIME, "CLOCK_REALTIME" },
		{ CLOCK_MONOTONIC, "CLOCK_MONOTONIC" },
		{ CLOCK_PROCESS_CPUTIME_ID, "CLOCK_PROCESS_CPUTIME_ID" },
		{ CLOCK_THREAD_CPUTIME_ID, "CLOCK_THREAD_CPUTIME_ID" },
		{ CLOCK_MONOTONIC_RAW, "CLOCK_MONOTONIC_RAW" },
		{ CLOCK_REALTIME_COARSE, "CLOCK_REALTIME_COARSE" },
		{ CLOCK_MONOTONIC_COARSE, "CLOCK_MONOTONIC_COARSE" },
		{ CLOCK_BOOTTIME, "CLOCK_BOOTTIME" },
		{ CLOCK_TAI, "CLOCK_TAI" },
	};

	TOPIC("clocks");
	for (unsigned i = 0; i < COUNT(clocks); i++) {
		struct timespec mine = { -1, -1 }, theirs = { -2, -2 };

		CHECK_AS(steps_back(clocks[i].id, 2000) == 0, "%s is the same by both ways", clocks[i].name);
		CHECK_AS(vdso_getres(clocks[i].id, NULL) == 0, "%s has a resolution", clocks[i].name);
		vdso_getres(clocks[i].id, &mine);
		syscall(SYS_clock_getres, clocks[i].id, &theirs);
		CHECK_AS(ns_of(&mine) == ns_of(&theirs), "%s has the same resolution", clocks[i].name);
	}
	EQUAL(vdso_gettime(10, &(struct timespec){ 0 }), -EINVAL);
	EQUAL(vdso_gettime(12, &(struct timespec){ 0 }), -EINVAL);
	EQUAL(vdso_gettime(1000000, &(struct timespec){ 0 }), -EINVAL);
	EQUAL(vdso_getres(1000000, NULL), -EINVAL);
}

static void test_wall(void)
{
	struct timezone zone = { 1, 1 }, kernels = { 2, 2 };
	long before, second = -1, unused;
	struct timeval tv;

	TOPIC("wall time");
	before = by_syscall(CLOCK_REALTIME) / 1000;
	EQUAL(vdso_gettimeofday(&tv, &zone), 0);
	CHECK(tv.tv_sec * 1000000 + tv.tv_usec >= before);
	CHECK(tv.tv_sec * 1000000 + tv.tv_usec <= by_syscall(CLOCK_REALTIME) / 1000);
	syscall(SYS_gettimeofday, NULL, &kernels);
	CHECK(zone.tz_minuteswest == kernels.tz_minuteswest && zone.tz_dsttime == kernels.tz_dsttime);
	EQUAL(vdso_gettimeofday(NULL, NULL), 0);
	before = by_syscall(CLOCK_REALTIME_COARSE) / SEC;
	unused = vdso_time(&second);
	CHECK(unused >= before && unused <= by_syscall(CLOCK_REALTIME) / SEC);
	CHECK(second == unused);
}

/* ---- All CPUs at once ---- */

static long latest;		      /* atomic: the latest time that any thread has seen */
static unsigned nr_back, nr_readings; /* atomic */

static void *reader(void *arg)
{
	long end = by_vdso(CLOCK_MONOTONIC) + 3500 * MS;

	(void)arg;
	for (unsigned i = 0; i < READINGS || by_vdso(CLOCK_MONOTONIC) < end; i++) {
		long before = __atomic_load_n(&latest, __ATOMIC_SEQ_CST);
		long now = i & 3 ? by_vdso(CLOCK_MONOTONIC) : by_syscall(CLOCK_MONOTONIC);

		if (now < before)
			__atomic_fetch_add(&nr_back, 1, __ATOMIC_RELAXED);
		while (before < now &&
		       !__atomic_compare_exchange_n(&latest, &before, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		__atomic_fetch_add(&nr_readings, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* For so long that a kernel which measures its clock meanwhile is through with it. */
static void test_order(void)
{
	pthread_t threads[4];

	TOPIC("order");
	for (unsigned i = 0; i < COUNT(threads); i++)
		EQUAL(pthread_create(&threads[i], NULL, reader, NULL), 0);
	for (unsigned i = 0; i < COUNT(threads); i++)
		EQUAL(pthread_join(threads[i], NULL), 0);
	CHECK(nr_readings >= READINGS);
	EQUAL(nr_back, 0);
	tap_note("%u readings", nr_readings);
}

static void test_cpu(void)
{
	unsigned cpu, node, wrong = 0;
	cpu_set_t all, one;

	TOPIC("CPU");
	DOES(sched_getaffinity(0, sizeof(all), &all));
	for (unsigned nr = 0; nr < CPU_SETSIZE; nr++) {
		if (!CPU_ISSET(nr, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(nr, &one);
		if (sched_setaffinity(0, sizeof(one), &one))
			continue;
		for (unsigned i = 0; i < 100; i++)
			wrong += vdso_getcpu(&cpu, &node, NULL) != 0 || cpu != nr;
	}
	EQUAL(wrong, 0);
	EQUAL(vdso_getcpu(NULL, NULL, NULL), 0);
	EQUAL(vdso_getcpu(&cpu, NULL, NULL), 0);
	EQUAL(vdso_getcpu(NULL, &node, NULL), 0);
	EQUAL(sched_setaffinity(0, sizeof(all), &all), 0);
}

/* ---- How it is mapped ---- */

static void maps_of(uintptr_t address, char *prot, char *name, size_t size)
{
	FILE *file = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[300];

	*name = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		char text[300] = "", mode[8];

		if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %299[^\n]", &start, &end, mode, text) >= 3 &&
		    address >= start && address < end) {
			snprintf(name, size, "%s", text);
			memcpy(prot, mode, 5);
		}
	}
	if (file)
		fclose(file);
}

static void test_mapping(void)
{
	char prot[8], name[100];
	bool copied;

	TOPIC("mapping");
	catch_faults();
	maps_of((uintptr_t)image, prot, name, sizeof(name));
	CHECK(!strcmp(name, "[vdso]"));
	CHECK(!strcmp(prot, "r-xp"));
	maps_of((uintptr_t)image - 1, prot, name, sizeof(name));
	CHECK(!strncmp(name, "[vvar", 5));
	CHECK(!strcmp(prot, "r--p"));
	FAULTS(*(volatile char *)image = 0, SIGSEGV, SEGV_ACCERR, image);
	FAILS(mprotect((void *)(image - PAGE), PAGE, PROT_READ | PROT_WRITE), EACCES);
	/* A copy of its own, as a debugger makes one. There are Linux kernels that do not let it. */
	copied = mprotect((void *)image, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
	if (copied)
		*(volatile char *)image = '\177';
	if (copied)
		CHECK_AS(by_vdso(CLOCK_MONOTONIC) > 0 && !mprotect((void *)image, PAGE, PROT_READ | PROT_EXEC),
			 "written to, it still works");
	else
		tap_skip("written to, it still works", "it cannot be made writable here");
}

int main(void)
{
	/* Before anybody has asked for the time. */
	bool found = find();
	long first = found ? by_vdso(CLOCK_MONOTONIC) : 0;

	if (!found)
		return tap_done();
	CHECK(first > 0 && by_syscall(CLOCK_MONOTONIC) >= first);
	test_clocks();
	test_wall();
	test_order();
	EQUAL(steps_back(CLOCK_MONOTONIC, READINGS), 0);
	test_cpu();
	test_mapping();
	return tap_done();
}
