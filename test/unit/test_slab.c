/* Slab caches and kmalloc on the real page allocator. Each test runs in a process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/core/cpu.h"
#include "kernel/core/random.h"
#include "kernel/mem/page.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/slab_cache.h"
#include "lib/util.h"
#include "test/unit/shim/memory.h"

#ifdef DRUPE_DEBUG
#define IS_DEBUG 1
const uint8_t symtab_start[1], symtab_end[1];

bool symtab_lookup(const void *table, size_t len, uint32_t offset, char *name, size_t size, uint32_t *start)
{
	(void)table, (void)len, (void)offset, (void)start;
	snprintf(name, size, "somebody");
	return true;
}
#else
#define IS_DEBUG 0
#endif

uint64_t random_u64(void)
{
	return 0x9e3779b97f4a7c15;
}

void cpu_call_all(void (*fn)(void *arg), void *arg)
{
	fn(arg);
}

static void run(void **state)
{
	void (*fn)(void) = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failed check must not go on with the next test here */
		alarm(60);
		memory_reset();
		memory_add(0, 0x9f000);
		memory_add(MIB(1), MIB(31));
		page_init(&memory_bootinfo);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static uint64_t pages_free(void)
{
	struct page_stats stats;

	page_stats(&stats);
	return stats.free;
}

/* Every length that has a class of its own, its neighbours, and whole pages: aligned, writable to the end, not shared. */
static void sizes(void)
{
	static const size_t lens[] = { 1,   15,	  16,	17,   32,   33,	  64,	65,   96,     97,
				       128, 129,  192,	193,  255,  256,  257,	511,  512,    513,
				       513, 1024, 1025, 2047, 2048, 2049, 4096, 4097, 100000, 2 << 20 };
	volatile size_t huge = SIZE_MAX; /* unknown to the compiler, which would warn */
	char *objects[ARRAY_SIZE(lens)];

	for (unsigned i = 0; i < ARRAY_SIZE(lens); i++) {
		objects[i] = kmalloc(lens[i]);
		assert_non_null(objects[i]);
		assert_true(IS_ALIGNED((uintptr_t)objects[i], 16));
		memset(objects[i], (int)i, lens[i]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(lens); i++)
		for (size_t j = 0; j < lens[i]; j++)
			assert_int_equal(objects[i][j], i);
	for (unsigned i = 0; i < ARRAY_SIZE(lens); i++)
		kfree(objects[i]);
	assert_int_equal(slab_report(), 0);
	assert_null(kmalloc(0));
	assert_null(kmalloc((2 << 20) + 1));
	assert_null(kmalloc(huge));
	kfree(NULL);
}

static void zeroed(void)
{
	for (unsigned round = 0; round < 20; round++) {
		unsigned char *object = kzalloc(100 + round);

		for (unsigned i = 0; i < 100 + round; i++)
			assert_int_equal(object[i], 0);
		memset(object, 0xff, 100 + round);
		kfree(object);
	}
}

struct held {
	unsigned char *object;
	size_t len;
};

static void check_held(struct held *held)
{
	for (size_t i = 0; i < held->len; i++)
		assert_int_equal(held->object[i], (unsigned char)(held->len + (uintptr_t)held));
}

static void stress_kmalloc(void)
{
	static struct held all[4000];

	for (unsigned i = 0; i < 300000; i++) {
		struct held *held = &all[(unsigned)rand() % ARRAY_SIZE(all)];

		if (held->object) {
			check_held(held);
			kfree(held->object);
			held->object = NULL;
			continue;
		}
		held->len = rand() % 64 ? (unsigned)rand() % 300 + 1 : (unsigned)rand() % 9000 + 1;
		held->object = kmalloc(held->len);
		assert_non_null(held->object);
		memset(held->object, (int)(held->len + (uintptr_t)held), held->len);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].object)
			kfree(all[i].object);
	assert_int_equal(slab_report(), 0);
}

/* All of memory in one cache; everything but what caches keep comes back, and the cache goes away without a trace. */
static void exhaust(void)
{
	struct slab_cache *cache = slab_cache_create("test", 200, 0);
	uint64_t free_before;
	void **last = NULL, **object;
	size_t n = 0;

	while ((object = slab_alloc(cache))) {
		*object = last;
		last = object;
		n++;
	}
	assert_int_equal(slab_report(), n + 1); /* and the cache itself */
	free_before = pages_free();
	assert_null(kmalloc(2048));
	while (last) {
		object = *last;
		slab_free(cache, last);
		last = object;
	}
	assert_true(pages_free() > free_before + n * 200 / PAGE_SIZE);
	slab_cache_destroy(cache);
	for (struct slab_cache *other = slab_caches; other; other = other->next)
		assert_string_not_equal(other->name, "test");
	cache = slab_cache_create("again", 64, 64);
	assert_true(IS_ALIGNED((uintptr_t)slab_alloc(cache), 64));
}

static void aligned(void)
{
	for (size_t align = 16; align <= PAGE_SIZE; align *= 2) {
		struct slab_cache *cache = slab_cache_create("aligned", 24, align);

		for (unsigned i = 0; i < 20; i++)
			assert_true(IS_ALIGNED((uintptr_t)slab_alloc(cache), align));
	}
	assert_non_null(slab_alloc(slab_cache_create("large", 16 << 10, 0)));
	expect_assert_failure(slab_cache_create("larger", (16 << 10) + 1, 0));
}

static void destroy_in_use(void)
{
	struct slab_cache *cache = slab_cache_create("busy", 40, 0);
	char *object = slab_alloc(cache);

	slab_cache_destroy(cache);
	memset(object, 1, 40);
	slab_free(cache, object);
}

static void too_many_caches(void)
{
	unsigned n = 0;

	while (slab_cache_create("many", 16, 0))
		n++;
	assert_int_equal(n, SLAB_CACHES_MAX - 1);
}

/* Puts objects back in their slab's own list: empties this CPU's magazine by overfilling it. */
static void fill_free_list(struct slab_cache *cache, char **objects, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		objects[i] = slab_alloc(cache);
	for (unsigned i = 0; i < n; i++)
		slab_free(cache, objects[i]);
}

/* A write to a free object, whatever its value, is found before an object is handed out by it. */
static void free_link_damaged(void)
{
	struct slab_cache *cache = slab_cache_create("hard", 48, 0);
	char *objects[40];

	fill_free_list(cache, objects, 40);
	assert_int_not_equal(*(uint64_t *)objects[20], (uintptr_t)objects[19]);
	for (unsigned i = 0; i < 40; i++)
		*(uint64_t *)objects[i] = (uintptr_t)objects[5] + 16;
	expect_assert_failure(({
		for (unsigned i = 0; i < 40; i++)
			slab_alloc(cache);
	}));
}

static void bad_frees(void)
{
	struct slab_cache *a = slab_cache_create("a", 48, 0), *b = slab_cache_create("b", 48, 0);
	char *object = slab_alloc(a), *pages = kmalloc(8192);

	expect_assert_failure(slab_free(b, object));
	slab_free(a, object);
	expect_assert_failure(slab_free(a, object));
	expect_assert_failure(kfree(pages + 16));
	kfree(pages);
	expect_assert_failure(kfree(pages));
}

static void interior_free(void)
{
	struct slab_cache *cache = slab_cache_create("inner", 48, 0);
	char *objects[40];

	for (unsigned i = 0; i < 40; i++)
		objects[i] = slab_alloc(cache);
	expect_assert_failure(({
		for (unsigned i = 0; i < 40; i++)
			slab_free(cache, objects[i] + 16);
	}));
}

/* The rest is found by debug builds only. */
static void debug_overrun(void)
{
	char *volatile object = kmalloc(50); /* volatile: its size is unknown to the sanitizer */

	if (!IS_DEBUG)
		return;
	object[50] = 1;
	expect_assert_failure(kfree(object));
	object = kmalloc(64);
	object[64] = 1;
	expect_assert_failure(kfree(object));
}

static void debug_use_after_free(void)
{
	char *object = kmalloc(100), *other = kmalloc(100);

	if (!IS_DEBUG)
		return;
	kfree(object);
	kfree(other);
	expect_assert_failure(kfree(object));
	object[20] = 1;
	expect_assert_failure(({
		for (unsigned i = 0; i < 16; i++)
			kmalloc(100);
	}));
}

/* Only what was taken since the check began, and is not given back, counts; in release builds nothing does. */
static void leaks(void)
{
	char *before = kmalloc(100), *kept[5];

	slab_leaks_begin();
	kfree(kmalloc(100));
	assert_int_equal(slab_leaks_end(), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
		kept[i] = kmalloc(16 + i * 200);
	assert_int_equal(slab_leaks_end(), IS_DEBUG ? ARRAY_SIZE(kept) : 0);
	kfree(kept[2]);
	kfree(before);
	assert_int_equal(slab_leaks_end(), IS_DEBUG ? ARRAY_SIZE(kept) - 1 : 0);
	slab_leaks_begin();
	assert_int_equal(slab_leaks_end(), 0);
}

#define IN_CHILD(fn)                                                                                                   \
	{                                                                                                              \
#fn, run, NULL, NULL, (void *)(fn)                                                                     \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CHILD(sizes),	   IN_CHILD(zeroed),
		IN_CHILD(stress_kmalloc),  IN_CHILD(exhaust),
		IN_CHILD(aligned),	   IN_CHILD(destroy_in_use),
		IN_CHILD(too_many_caches), IN_CHILD(free_link_damaged),
		IN_CHILD(bad_frees),	   IN_CHILD(interior_free),
		IN_CHILD(debug_overrun),   IN_CHILD(debug_use_after_free),
		IN_CHILD(leaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
