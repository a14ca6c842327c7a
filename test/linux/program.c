/* What the loader and the start of a program owe: arguments, constructors, thread-local storage, IFUNC, dlopen, alignment. */
#include <dlfcn.h>
#include <link.h>
#include <sys/auxv.h>

#include "test/linux/util.h"

static int constructed;
static int zeros[5000];
static int filled[4] = { 1, 2, 3, 4 };
static __thread int tls_filled = 77, tls_zero;
static __thread _Alignas(64) char tls_aligned[64];
static const char *const relocated[] = { "one", "two" };

__attribute__((constructor)) static void construct(void)
{
	constructed = 41;
}

__attribute__((constructor(60000))) static void construct_late(void)
{
	constructed++;
}

#ifdef __GLIBC__
static int implementation(void)
{
	return 123;
}

__attribute__((used)) static int (*resolve(void))(void)
{
	return implementation;
}

int by_ifunc(void) __attribute__((ifunc("resolve")));
#else
int by_ifunc(void);
int by_ifunc(void)
{
	return 123;
}
#endif

static void *thread_tls(void *argument)
{
	(void)argument;
	intptr_t good = tls_filled == 77 && tls_zero == 0 && (uintptr_t)tls_aligned % 64 == 0;

	tls_filled = tls_zero = 5;
	return (void *)good;
}

/* Only a dynamic program can load libraries: the others say so. */
static void test_dlopen(void)
{
	TOPIC("dlopen");
#ifdef DYNAMIC
	double (*cosine)(double);
	void *libm = dlopen("libm.so.6", RTLD_NOW);
	CHECK(libm != NULL);
	cosine = libm ? (double (*)(double))dlsym(libm, "cos") : NULL;
	CHECK(cosine && cosine(0.0) == 1.0);
	CHECK(libm && dlsym(libm, "no_such_function") == NULL);
	CHECK(dlopen("libnone.so", RTLD_NOW) == NULL);
	EQUAL(libm ? dlclose(libm) : -1, 0);
#else
	tap_skip("libm", "the program is static");
#endif
}

int main(int argc, char **argv, char **envp)
{
	size_t i, sum = 0;
	uintptr_t random = getauxval(AT_RANDOM), stack = (uintptr_t)&argc;

	TOPIC("start");
	EQUAL(argc, 1);
	CHECK(argv[0] && strstr(argv[0], "program") && argv[1] == NULL);
	CHECK(envp == argv + 2);
	CHECK(random > stack && (uintptr_t)argv > stack - 65536);
	/* Priority 60000 comes before those without one. */
	EQUAL(constructed, 41);
	for (i = 0; i < COUNT(zeros); i++)
		sum += (size_t)zeros[i];
	EQUAL(sum, 0);
	CHECK(filled[0] == 1 && filled[3] == 4 && relocated[1][0] == 't');
	CHECK(tls_filled == 77 && tls_zero == 0 && (uintptr_t)tls_aligned % 64 == 0);
	CHECK(join(spawn(thread_tls, NULL)) == (void *)1);
	CHECK(tls_filled == 77 && tls_zero == 0);
	EQUAL(by_ifunc(), 123);
	catch_faults();
	FAULTS(poke((char *)(uintptr_t) "constant", 1), SIGSEGV, SEGV_ACCERR, util_fault_address);
	test_dlopen();
	return tap_done();
}
