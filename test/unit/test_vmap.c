/* Kernel areas on the real page and slab allocators, address spaces by themselves. Each test runs in a process of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/core/cpu.h"
#include "kernel/core/random.h"
#include "kernel/mem/aspace.h"
#include "kernel/mem/page.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/vmap.h"
#include "lib/errno.h"
#include "lib/util.h"
#include "test/unit/shim/memory.h"

uint64_t random_u64(void)
{
	return (uint64_t)rand() << 32 ^ (uint64_t)rand();
}

uint64_t random_below(uint64_t bound)
{
	return random_u64() % bound;
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
		memory_add(MIB(1), MIB(63));
		page_init(&memory_bootinfo);
		vmap_init();
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

static bool is_mapped(uintptr_t va)
{
	return arch_pt_lookup(&arch_kernel_aspace, va, NULL, NULL);
}

static void check_area(void *va, size_t len)
{
	uintptr_t start = (uintptr_t)va, end = start + ALIGN_UP(len, PAGE_SIZE);

	assert_non_null(va);
	assert_true(start >= arch_layout.vmap_base && end < arch_layout.vmap_base + arch_layout.vmap_len);
	assert_true(IS_ALIGNED(start, PAGE_SIZE));
	for (uintptr_t page = start; page < end; page += PAGE_SIZE) {
		unsigned prot;

		assert_true(arch_pt_lookup(&arch_kernel_aspace, page, NULL, &prot));
		assert_int_equal(prot, PT_READ | PT_WRITE);
		assert_false(vmap_is_guard(page));
	}
	assert_false(is_mapped(start - PAGE_SIZE) || is_mapped(end));
	assert_true(vmap_is_guard(start - 1) && vmap_is_guard(end) && vmap_is_guard(end + PAGE_SIZE - 1));
}

static void areas(void)
{
	static const size_t lens[] = { 1, 4096, 4097, 65536, 1 << 20, (1 << 20) + 1, 3 << 20, 10 << 20 };
	void *all[ARRAY_SIZE(lens)];
	unsigned mappings;

	kstack_free(kstack_alloc()); /* the first table pages, caches */
	mappings = memory_mappings;
	for (unsigned i = 0; i < ARRAY_SIZE(lens); i++) {
		all[i] = vmap_alloc(lens[i]);
		check_area(all[i], lens[i]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(lens); i++) {
		check_area(all[i], lens[i]);
		vmap_free(all[i]);
		assert_false(is_mapped((uintptr_t)all[i]));
	}
	assert_int_equal(memory_shootdowns, ARRAY_SIZE(lens));
	/* What is left is the page array of the sections that came to life. */
	assert_true(memory_mappings <= mappings + 4 * 32);
	vmap_free(NULL);
	assert_null(vmap_alloc(0));
	assert_null(vmap_alloc(SIZE_MAX));
	assert_null(vmap_alloc(SIZE_MAX - PAGE_SIZE));
}

/* More than there is: refused, with everything that was taken given back. */
static void exhaust(void)
{
	uint64_t free;

	assert_null(vmap_alloc(MIB(80)));
	free = pages_free();
	assert_null(vmap_alloc(MIB(80)));
	assert_int_equal(pages_free(), free);
	assert_non_null(vmap_alloc(MIB(40)));
}

static void device(void)
{
	const paddr_t pa = 0xfee00123;
	uintptr_t va = (uintptr_t)vmap_device(pa, PAGE_SIZE), other;
	unsigned prot;
	paddr_t found;

	assert_int_equal(va % PAGE_SIZE, pa % PAGE_SIZE);
	for (size_t off = 0; off < PAGE_SIZE; off += PAGE_SIZE - 1) {
		assert_true(arch_pt_lookup(&arch_kernel_aspace, va + off, &found, &prot));
		assert_int_equal(found, pa + off);
		assert_int_equal(prot, PT_READ | PT_WRITE | PT_UNCACHED);
	}
	assert_true(vmap_is_guard(ALIGN_DOWN(va, PAGE_SIZE) - 1) && vmap_is_guard(va + 2 * PAGE_SIZE));
	other = (uintptr_t)vmap_device(pa, 1);
	assert_true(other && other != va);
	vmap_device_unmap((void *)va);
	assert_false(is_mapped(va));
	vmap_device_unmap((void *)other);
	assert_null(vmap_device(pa, 0));
	assert_null(vmap_device(arch_phys_limit() - 1, 2));
	assert_null(vmap_device(UINT64_MAX, 2));
}

static void wrong_frees(void)
{
	char *area = vmap_alloc(PAGE_SIZE), *registers = vmap_device(GIB(3), PAGE_SIZE);

	expect_assert_failure(vmap_device_unmap(area));
	expect_assert_failure(vmap_free(registers));
}

static void wrong_free_inside(void)
{
	char *area = vmap_alloc(2 * PAGE_SIZE);

	expect_assert_failure(vmap_free(area + PAGE_SIZE));
}

/* A kept stack comes back mapped, without a shootdown; those beyond what is kept go away. */
static void stacks(void)
{
	static char *all[200];
	char *stack = kstack_alloc();

	check_area(stack, KSTACK_SIZE);
	kstack_free(stack);
	assert_int_equal(memory_shootdowns, 0);
	assert_ptr_equal(kstack_alloc(), stack);
	kstack_free(stack);
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		all[i] = kstack_alloc();
		check_area(all[i], KSTACK_SIZE);
		memset(all[i], (int)i, KSTACK_SIZE);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal((unsigned char)all[i][KSTACK_SIZE - 1], i);
		kstack_free(all[i]);
	}
	assert_true(memory_shootdowns > 0 && memory_shootdowns < ARRAY_SIZE(all));
}

/* Areas lie at random pages, but in as few table pages as will do, which are used again. */
static void placement(void)
{
	static void *all[400];
	uintptr_t last = 0, neighbours = 0;
	unsigned tables = 0;

	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
			all[i] = vmap_alloc(KSTACK_SIZE);
			neighbours += (uintptr_t)all[i] - last == KSTACK_SIZE + PAGE_SIZE;
			last = (uintptr_t)all[i];
		}
		vmap_free(vmap_alloc(MIB(3)));
		for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
			vmap_free(all[i]);
		if (round == 1)
			tables = memory_tables;
	}
	assert_true(memory_tables <= tables + 2);
	assert_true(neighbours < 20 * 200);
}

static void stress(void)
{
	static struct {
		char *va;
		size_t len;
	} held[100];

	for (unsigned i = 0; i < 20000; i++) {
		unsigned slot = (unsigned)rand() % ARRAY_SIZE(held);

		if (held[slot].va) {
			assert_int_equal(held[slot].va[0], (char)slot);
			assert_int_equal(held[slot].va[held[slot].len - 1], (char)slot);
			vmap_free(held[slot].va);
			held[slot].va = NULL;
			continue;
		}
		held[slot].len = (unsigned)rand() % (rand() % 50 ? 40000 : 3000000) + 1;
		held[slot].va = vmap_alloc(held[slot].len);
		if (!held[slot].va)
			continue;
		check_area(held[slot].va, held[slot].len);
		memset(held[slot].va, (int)slot, held[slot].len);
	}
	for (unsigned slot = 0; slot < ARRAY_SIZE(held); slot++)
		if (held[slot].va)
			vmap_free(held[slot].va);
	assert_int_equal(slab_report(), 0);
}

/* The N-th table page cannot be had: an area is refused with nothing lost, and the next one succeeds. */
static void tables_fail(void)
{
	unsigned refused = 0;

	kstack_free(kstack_alloc());
	page_table_reserve();
	for (unsigned fail_at = 1; fail_at < 12; fail_at++) {
		size_t objects;
		void *va;

		memory_static_tables = memory_tables + 100;
		va = vmap_alloc(MIB(6));
		vmap_free(va);
		objects = slab_report();
		memory_table_fail_at = fail_at;
		va = vmap_alloc(MIB(7));
		if (!va)
			assert_int_equal(slab_report(), objects);
		else
			vmap_free(va);
		memory_table_fail_at = fail_at % 2 + 1;
		va = vmap_device(GIB(2), MIB(4) * fail_at);
		refused += !va;
		if (va)
			vmap_device_unmap(va);
		memory_table_fail_at = 0;
		assert_int_equal(slab_report(), objects);
	}
	assert_true(refused > 5);
}

static bool by_array_overlaps(const struct region *regions, unsigned n, const struct region *region)
{
	for (unsigned i = 0; i < n; i++)
		if (regions[i].end && regions[i].start < region->end && region->start < regions[i].end)
			return true;
	return false;
}

/* Regions against an array without any order. */
static void regions(void)
{
	static struct region all[200];
	struct aspace as;

	aspace_init(&as, &arch_kernel_aspace);
	for (unsigned i = 0; i < 40000; i++) {
		unsigned slot = (unsigned)rand() % ARRAY_SIZE(all);
		struct region *region = &all[slot], *found;
		uintptr_t va = (1 + (unsigned)rand() % 3000) * PAGE_SIZE, gap;
		size_t len = (1 + (unsigned)rand() % 30) * PAGE_SIZE;

		if (region->end) {
			assert_ptr_equal(region_find(&as, region->start), region);
			assert_ptr_equal(region_find(&as, region->end - 1), region);
			region_remove(&as, region);
			region->end = 0;
		} else {
			struct region fresh = { .start = va, .end = va + len };
			bool overlaps = by_array_overlaps(all, ARRAY_SIZE(all), &fresh);

			*region = fresh;
			assert_int_equal(region_insert(&as, region), overlaps ? -EEXIST : 0);
			if (overlaps)
				region->end = 0;
		}
		found = region_find(&as, va);
		assert_int_equal(!!found, by_array_overlaps(all, ARRAY_SIZE(all),
							    &(struct region){ .start = va, .end = va + 1 }));
		gap = region_find_gap(&as, va, va + 1000 * PAGE_SIZE, len);
		for (uintptr_t at = va; at != gap && at + len <= va + 1000 * PAGE_SIZE; at += PAGE_SIZE)
			assert_true(by_array_overlaps(all, ARRAY_SIZE(all),
						      &(struct region){ .start = at, .end = at + len }));
	}
	assert_int_equal(region_insert(&as, &(struct region){ .start = 4096, .end = 4096 }), -EINVAL);
	assert_int_equal(region_insert(&as, &(struct region){ .start = 4096, .end = 8191 }), -EINVAL);
}

#define IN_CHILD(fn)                                                                                                   \
	{                                                                                                              \
#fn, run, NULL, NULL, (void *)(fn)                                                                     \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CHILD(areas),
		IN_CHILD(exhaust),
		IN_CHILD(device),
		IN_CHILD(wrong_frees),
		IN_CHILD(wrong_free_inside),
		IN_CHILD(stacks),
		IN_CHILD(placement),
		IN_CHILD(stress),
		IN_CHILD(tables_fail),
		IN_CHILD(regions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
