/* What the parts of `cost` share: an operation that is measured, and a crowd in whose presence it is. */
#ifndef BENCH_PROGRAMS_COST_H
#define BENCH_PROGRAMS_COST_H

#include <stdint.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * RUN does the operation N times, between SETUP and TEARDOWN, which may be null. Each time counts as PER operations: in a round
 * trip there are two handoffs.
 */
struct op {
	const char *name;
	unsigned n, per;
	void (*setup)(void);
	void (*run)(unsigned n);
	void (*teardown)(void);
};

/* Many of one thing that the kernel has to keep: what an operation costs must not depend on how many there are. */
struct crowd {
	const char *name;
	void (*gather)(unsigned n);
	void (*disperse)(void);
};

extern const struct op ops[];
extern const unsigned op_count;
extern const struct crowd crowds[];
extern const unsigned crowd_count;

/* The descriptors of the crowd of open files: eventfds that are not ready. None: 0. */
extern const int *crowd_files;
extern unsigned crowd_file_count;

/* Ends the program with a message when a system call failed that must not: VALUE is what it returned. */
long must(const char *what, long value);

#endif
