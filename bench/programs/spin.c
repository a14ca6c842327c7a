/*
 * A fixed amount of computing, shared by as many threads as its argument says: `spin 2`. Prints a line before and one after, so
 * that what is measured is neither boot nor exit.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 80000000u
#define THREADS_MAX 64

static unsigned rounds_each;

/* An xorshift generator: each step needs the one before (Marsaglia, "Xorshift RNGs", 2003). */
static void *compute(void *arg)
{
	uint64_t x = (uintptr_t)arg + 1;

	for (unsigned i = 0; i < rounds_each; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	return (void *)(uintptr_t)x;
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
	pthread_t threads[THREADS_MAX];
	uintptr_t sum = 0;

	if (n < 1 || n > THREADS_MAX)
		return 2;
	puts("spin: begins");
	fflush(stdout);
	rounds_each = ROUNDS / n;
	for (uintptr_t i = 0; i < n; i++) {
		if (pthread_create(&threads[i], NULL, compute, (void *)i))
			return 1;
	}
	for (unsigned i = 0; i < n; i++) {
		void *result;

		pthread_join(threads[i], &result);
		sum ^= (uintptr_t)result;
	}
	printf("spin: done %lx\n", (unsigned long)sum);
	return 0;
}
