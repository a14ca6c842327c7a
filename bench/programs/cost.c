/*
 * What system calls cost, in instructions, told by the program itself: under QEMU's -icount shift=0,sleep=off the time-stamp
 * counter is the virtual clock in nanoseconds, which advances by one with each instruction, the kernel's and the program's
 * (QEMU 7.2 target/i386/helper.c cpu_get_tsc, softmmu/cpus.c cpus_get_elapsed_ticks), and jumps only while the CPU is idle. A
 * loop of known length proves it before anything is measured. The same binary runs in every guest.
 *
 *	cost			every operation, alone
 *	cost CROWD...		every operation in the presence of each: "alone", or a crowd with its size: files=10000
 *	cost CROWD:OP...	that operation only
 *
 * For each it prints `cost: CROWD OP INSTRUCTIONS`: the median of BATCHES batches, so that a timer's tick, which falls into
 * one of many, is not in it, while what is paid once in a while for many operations is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/programs/cost.h"

#define BATCHES 15
#define KNOWN_LENGTH 1000

static uint64_t instructions(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

long must(const char *what, long value)
{
	if (value < 0) {
		perror(what);
		exit(1);
	}
	return value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double measure(const struct op *op)
{
	double batches[BATCHES];

	if (op->setup)
		op->setup();
	op->run(op->n);
	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t begin = instructions();

		op->run(op->n);
		batches[i] = (double)(instructions() - begin) / (op->n * op->per);
	}
	if (op->teardown)
		op->teardown();
	qsort(batches, BATCHES, sizeof(batches[0]), compare);
	return batches[BATCHES / 2];
}

/* KNOWN_LENGTH instructions N times, and up to 4 more each for the loop around them. */
static void run_known(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned turns = KNOWN_LENGTH / 2;

		__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(turns)::"cc");
	}
}

static void check_counter(void)
{
	static const struct op known = { "known", 100, 1, NULL, run_known, NULL };
	double found = measure(&known);

	printf("cost: calibration %.2f\n", found);
	if (found < KNOWN_LENGTH || found > KNOWN_LENGTH + 5) {
		fprintf(stderr, "cost: the time-stamp counter does not count instructions here\n");
		exit(1);
	}
}

static void measure_in(const char *crowd, const char *only)
{
	for (unsigned i = 0; i < op_count; i++) {
		if (only && strcmp(only, ops[i].name))
			continue;
		printf("cost: %s %s %.1f\n", crowd, ops[i].name, measure(&ops[i]));
		fflush(stdout);
	}
}

static void measure_with(char *name)
{
	char *only = strchr(name, ':'), *size = strchr(name, '=');

	if (only)
		*only++ = 0;
	if (!strcmp(name, "alone")) {
		measure_in(name, only);
		return;
	}
	for (unsigned i = 0; size && i < crowd_count; i++) {
		size_t len = strlen(crowds[i].name);

		if (name + len != size || strncmp(name, crowds[i].name, len))
			continue;
		crowds[i].gather((unsigned)must("size of the crowd", strtol(size + 1, NULL, 10)));
		measure_in(name, only);
		crowds[i].disperse();
		return;
	}
	fprintf(stderr, "cost: no crowd named %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct rlimit many = { 65536, 65536 };
	char alone[] = "alone";

	must("setrlimit", setrlimit(RLIMIT_NOFILE, &many));
	must("setrlimit", setrlimit(RLIMIT_SIGPENDING, &many));
	must("setrlimit", setrlimit(RLIMIT_NPROC, &many));
	check_counter();
	if (argc == 1)
		measure_with(alone);
	for (int i = 1; i < argc; i++)
		measure_with(argv[i]);
	puts("cost: done");
	return 0;
}
