/* The page allocator over memory of many shapes. Each test runs in a process of its own, on a machine fresh from reset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/mem/buddy.h"
#include "kernel/mem/page.h"
#include "lib/util.h"
#include "test/unit/shim/memory.h"

#define PAGES_MAX (1u << 16)
static struct page *pages[PAGES_MAX];

static void run(void **state)
{
	void (*fn)(void) = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failed check must not go on with the next test here */
		alarm(60);
		memory_reset();
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static struct page_stats stats(void)
{
	struct page_stats s;

	page_stats(&s);
	return s;
}

static void machine(uint64_t len)
{
	memory_add(0, 0x9f000);
	memory_add(MIB(1), MIN(len, GIB(3)) - MIB(1));
	if (len > GIB(3))
		memory_add(GIB(4), len - GIB(3));
	page_init(&memory_bootinfo);
}

/* Free lists and counters agree; every block is aligned, marked, and does not lie beside a free buddy of its size. */
static void check_buddy(struct buddy *buddy, bool joined)
{
	uint64_t free = 0;

	for (unsigned order = 0; order <= PAGE_ORDER_MAX; order++) {
		struct list *link;

		assert_int_equal(!!(buddy->orders & 1u << order), !list_is_empty(&buddy->free[order]));
		list_for_each(link, &buddy->free[order]) {
			struct page *page = list_entry(link, struct page, link);
			uint64_t nr = page_nr(page), other = nr ^ 1ul << order;

			assert_int_equal(page->state, PAGE_FREE);
			assert_int_equal(page->order, order);
			assert_true(IS_ALIGNED(nr, 1ul << order));
			assert_ptr_equal(buddy_of(page), buddy);
			if (joined && order < PAGE_ORDER_MAX && page_from_phys(other << PAGE_SHIFT))
				assert_false(page_from_nr(other)->state == PAGE_FREE &&
					     page_from_nr(other)->order == order);
			free += 1ul << order;
		}
	}
	assert_int_equal(free, buddy->nr_free);
}

static void touch(struct page *page, unsigned order)
{
	for (unsigned i = 0; i < 1u << order; i++)
		memset(page_to_virt(page + i), (int)page_nr(page + i), 16);
}

static void check_touched(struct page *page, unsigned order)
{
	for (unsigned i = 0; i < 1u << order; i++) {
		unsigned char *bytes = page_to_virt(page + i);

		assert_int_equal(bytes[0], page_nr(page + i) & 0xff);
		assert_int_equal(bytes[15], page_nr(page + i) & 0xff);
	}
}

/* Takes everything in blocks of ORDER; returns how many. */
static unsigned take_all(unsigned order)
{
	unsigned n = 0;
	struct page *page;

	while ((page = page_alloc(order, 0))) {
		assert_true(n < PAGES_MAX);
		assert_true(IS_ALIGNED(page_nr(page), 1ul << order));
		assert_ptr_equal(page_from_phys(page_to_phys(page)), page);
		touch(page, order);
		pages[n++] = page;
	}
	return n;
}

static void give_back(unsigned n, unsigned order)
{
	for (unsigned i = 0; i < n; i++) {
		check_touched(pages[i], order);
		page_free(pages[i], order);
	}
}

static void shuffle(unsigned n)
{
	for (unsigned i = n; i > 1; i--) {
		unsigned j = (unsigned)rand() % i;
		struct page *page = pages[i - 1];

		pages[i - 1] = pages[j];
		pages[j] = page;
	}
}

static void init_touches_nothing(void)
{
	machine(GIB(64));
	assert_int_equal(memory_tables, 0);
	assert_int_equal(memory_mappings, 0);
	assert_int_equal(stats().untouched, stats().total);
	assert_int_equal(stats().free, stats().total);
	assert_null(page_from_phys(MIB(16)));
}

static void large_machine_small_use(void)
{
	machine(GIB(64));
	assert_non_null(page_alloc(0, 0));
	assert_int_equal(stats().total - stats().untouched, 512);
	assert_true(memory_tables <= memory_static_tables);
	for (unsigned i = 0; i < 1000; i++)
		assert_non_null(page_alloc(PAGE_ORDER_MAX, 0));
	/* One section holds struct pages for 16; the others are handed out whole. */
	assert_true(stats().total - stats().untouched < 512 * 1080);
}

static void zeroed(void)
{
	static const char zero[PAGE_SIZE];

	machine(MIB(64));
	for (unsigned order = 0; order <= 3; order++) {
		struct page *page = page_alloc(order, 0);

		memset(page_to_virt(page), 0xff, PAGE_SIZE << order);
		page_free(page, order);
		page = page_alloc(order, PAGE_ZERO);
		for (unsigned i = 0; i < 1u << order; i++)
			assert_memory_equal(page_to_virt(page + i), zero, PAGE_SIZE);
	}
}

/* All of it, in single pages: what the bookkeeping keeps is small, and everything comes back and joins up. */
static void exhaust(uint64_t len, unsigned order, unsigned least_percent)
{
	unsigned n, again;
	uint64_t free;

	machine(len);
	n = take_all(order);
	assert_true(((uint64_t)n << order) * 100 >= stats().total * least_percent);
	assert_null(page_alloc(order, 0));
	assert_true(stats().untouched < (order < PAGE_ORDER_MAX ? 1 : 1024)); /* edges hold no 2 MiB page */
	shuffle(n);
	give_back(n, order);
	page_drain();
	check_buddy(&buddy_normal, true);
	check_buddy(&buddy_low, true);
	free = stats().free;
	again = take_all(order);
	assert_int_equal(again, n);
	give_back(n, order);
	page_drain();
	assert_int_equal(stats().free, free);
	check_buddy(&buddy_normal, true);
}

static void exhaust_2m(void)
{
	exhaust(MIB(2), 0, 90);
}

static void exhaust_64m(void)
{
	exhaust(MIB(64), 0, 97);
}

static void exhaust_odd(void)
{
	exhaust(MIB(33) + KIB(404), 0, 97);
}

static void exhaust_blocks(void)
{
	exhaust(MIB(128), 4, 96);
}

/* At least all sections but the few that hold struct pages and tables come as 2 MiB pages. */
static void exhaust_large(void)
{
	exhaust(MIB(256), PAGE_ORDER_MAX, 90);
}

/* After all single pages are back, the blocks are those that the sections began with. */
static void coalesce(void)
{
	unsigned n;

	machine(MIB(64));
	n = take_all(0);
	give_back(n, 0);
	page_drain();
	assert_true(take_all(PAGE_ORDER_MAX) >= 26);
}

/*
 * Two blocks that a loader lists as one entry each become one when they come back, and then the buddy of that one is looked
 * at: a page that is no RAM, whose struct page must not be what happened to be in memory.
 */
static void neighbours(void)
{
	unsigned n;

	memory_add(MIB(4) + KIB(32), KIB(32));
	memory_add(MIB(5), KIB(512));
	memory_add(MIB(5) + KIB(512), KIB(512));
	page_init(&memory_bootinfo);
	n = take_all(0);
	assert_int_equal(n, 260 - PAGE_TABLE_RESERVE);
	assert_int_equal(page_from_nr(MIB(4) / PAGE_SIZE)->state, PAGE_NONE);
	give_back(n, 0);
	page_drain();
	check_buddy(&buddy_normal, true);
}

static void low(void)
{
	paddr_t pa;
	unsigned n;

	machine(MIB(64));
	pa = page_alloc_low();
	assert_true(pa && pa < MIB(1));
	page_free(page_from_phys(pa), 0);
	check_buddy(&buddy_low, true);
	/* Not handed out while there is anything else. */
	for (n = 0; n < 12000; n++)
		assert_true(page_to_phys(page_alloc(0, 0)) >= MIB(1));
	while (page_alloc(0, 0))
		n++;
	assert_true(n > 16000);
	assert_int_equal(page_alloc_low(), 0);
}

static void no_low(void)
{
	memory_add(MIB(2), MIB(16));
	page_init(&memory_bootinfo);
	assert_int_equal(page_alloc_low(), 0);
	assert_non_null(page_alloc(0, 0));
}

static bool overlaps(uint64_t pa, uint64_t base, uint64_t len)
{
	return pa < base + len && base < pa + PAGE_SIZE;
}

/* Image, modules and page 0 stay out, wherever they lie; ranges with odd ends lose their broken pages only. */
static void excluded(void)
{
	struct boot_module *modules = memory_bootinfo.modules;
	unsigned n, i;

	memory_add(0, KIB(639));
	memory_add(MIB(1), MIB(20) + 123);
	memory_add(MIB(24) + 5, MIB(8));
	memory_add(MEMORY_PHYS_LIMIT - PAGE_SIZE, MIB(8));
	modules[0] = (struct boot_module){ MIB(4) + 17, KIB(70), "" };
	modules[1] = (struct boot_module){ MIB(6), MIB(2), "" };
	modules[2] = (struct boot_module){ MIB(7), MIB(2), "" };
	modules[3] = (struct boot_module){ KIB(64), 1, "" };
	modules[4] = (struct boot_module){ MIB(31), UINT64_MAX - MIB(31), "" };
	memory_bootinfo.nr_modules = 5;
	page_init(&memory_bootinfo);
	n = take_all(0);
	assert_true(n > 5600);
	for (i = 0; i < n; i++) {
		uint64_t pa = page_to_phys(pages[i]);

		assert_true(pa >= PAGE_SIZE && !overlaps(pa, MIB(1), KIB(200)));
		for (unsigned m = 0; m < 4; m++)
			assert_false(overlaps(pa, modules[m].base, modules[m].len));
		assert_true(pa < MIB(31) && !overlaps(pa, KIB(639), 1) && !overlaps(pa, MIB(21) + 123, MIB(3) - 118));
	}
	give_back(n, 0);
	page_drain();
	check_buddy(&buddy_normal, true);
	check_buddy(&buddy_low, true);
}

/* Many small ranges in one section: they come to life one by one and join where they touch. */
static void fragments(void)
{
	unsigned n;

	memory_add(MIB(4), KIB(512));
	for (unsigned i = 0; i < 60; i++)
		memory_add(MIB(8) + i * KIB(64), KIB(4) * (1 + i % 16));
	page_init(&memory_bootinfo);
	n = take_all(0);
	assert_true(n > 400);
	shuffle(n);
	give_back(n, 0);
	page_drain();
	check_buddy(&buddy_normal, true);
	assert_int_equal(take_all(0), n);
}

static void no_memory(void)
{
	page_init(&memory_bootinfo);
	assert_null(page_alloc(0, 0));
	assert_null(page_alloc(PAGE_ORDER_MAX, PAGE_ZERO));
	assert_int_equal(page_alloc_low(), 0);
	page_table_reserve();
	assert_int_equal(page_table_page_alloc(), 0);
}

static void random_stress(void)
{
	static struct {
		struct page *page;
		unsigned order;
	} held[3000];
	uint64_t free_before;

	machine(MIB(48));
	give_back(take_all(0), 0);
	page_drain();
	free_before = stats().free;
	for (unsigned i = 0; i < 200000; i++) {
		unsigned slot = (unsigned)rand() % ARRAY_SIZE(held);

		if (held[slot].page) {
			check_touched(held[slot].page, held[slot].order);
			page_free(held[slot].page, held[slot].order);
			held[slot].page = NULL;
		} else {
			held[slot].order = rand() % 4 ? 0 : (unsigned)rand() % (PAGE_ORDER_MAX + 1);
			held[slot].page = page_alloc(held[slot].order, 0);
			if (held[slot].page)
				touch(held[slot].page, held[slot].order);
		}
		if (i % 4096 == 0) {
			check_buddy(&buddy_normal, false);
			check_buddy(&buddy_low, false);
		}
	}
	for (unsigned slot = 0; slot < ARRAY_SIZE(held); slot++)
		if (held[slot].page)
			page_free(held[slot].page, held[slot].order);
	page_drain();
	assert_int_equal(stats().free, free_before);
	check_buddy(&buddy_normal, true);
}

/* The N-th table page cannot be had, and none after it: allocation ends early but cleanly, and goes on when it can. */
static void tables_fail(void)
{
	for (unsigned fail_at = 1; fail_at < 24; fail_at++) {
		pid_t pid = fork();
		int status;
		unsigned n;

		if (pid) {
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_int_equal(status, 0);
			continue;
		}
		memory_reset();
		memory_static_tables = fail_at % 4;
		machine(GIB(1) + MIB(3));
		memory_table_fail_at = fail_at;
		n = take_all(5);
		check_buddy(&buddy_normal, true);
		memory_table_fail_at = 0;
		memory_static_tables = 8;
		for (struct page *page; (page = page_alloc(5, 0)); n++) {
			touch(page, 5);
			pages[n] = page;
		}
		assert_true(n > 7500);
		shuffle(n);
		give_back(n, 5);
		check_buddy(&buddy_normal, true);
		_exit(0);
	}
}

static void table_pool(void)
{
	machine(MIB(64));
	page_table_reserve();
	for (unsigned i = 0; i < PAGE_TABLE_RESERVE; i++)
		assert_true(page_table_page_alloc() >= MIB(1));
	while (page_table_page_alloc())
		;
	page_table_reserve();
	assert_true(page_table_page_alloc() != 0);
}

/* No two free pages lie side by side, and the last ones are on the CPU's own list: they become page tables all the same. */
static void table_pool_fragmented(void)
{
	unsigned n;

	machine(MIB(64));
	n = take_all(0);
	while (page_table_page_alloc())
		;
	page_table_reserve();
	assert_int_equal(page_table_page_alloc(), 0);
	for (unsigned i = 0; i < n; i++)
		if (page_nr(pages[i]) % 64 == 1)
			page_free(pages[i], 0);
	page_drain();
	while (page_alloc(2, 0))
		;
	for (unsigned i = 0; i < 3 * PAGE_TABLE_RESERVE; i++) {
		page_table_reserve();
		assert_true(page_table_page_alloc() != 0);
	}
	while (page_alloc(0, 0))
		;
	while (page_table_page_alloc())
		;
	for (unsigned i = 0, freed = 0; freed < PAGE_TABLE_RESERVE; i++) {
		if (page_nr(pages[i]) % 64 == 2) {
			page_free(pages[i], 0);
			freed++;
		}
	}
	page_table_reserve();
	for (unsigned i = 0; i < PAGE_TABLE_RESERVE; i++)
		assert_true(page_table_page_alloc() != 0);
	assert_int_equal(page_table_page_alloc(), 0);
}

static void bad_free(void)
{
	struct page *page, *block;

	machine(MIB(64));
	page = page_alloc(0, 0);
	page_free(page, 0);
	expect_assert_failure(page_free(page, 0));
	page_drain();
	expect_assert_failure(page_free(page, 0));
	block = page_alloc(3, 0);
	expect_assert_failure(page_free(block, 2));
	page_free(block, 3);
	expect_assert_failure(page_free(block, 3));
	expect_assert_failure(page_alloc(PAGE_ORDER_MAX + 1, 0));
}

#define IN_CHILD(fn)                                                                                                   \
	{                                                                                                              \
#fn, run, NULL, NULL, (void *)(fn)                                                                     \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CHILD(init_touches_nothing),
		IN_CHILD(large_machine_small_use),
		IN_CHILD(zeroed),
		IN_CHILD(exhaust_2m),
		IN_CHILD(exhaust_64m),
		IN_CHILD(exhaust_odd),
		IN_CHILD(exhaust_blocks),
		IN_CHILD(exhaust_large),
		IN_CHILD(coalesce),
		IN_CHILD(neighbours),
		IN_CHILD(low),
		IN_CHILD(no_low),
		IN_CHILD(excluded),
		IN_CHILD(fragments),
		IN_CHILD(no_memory),
		IN_CHILD(random_stress),
		IN_CHILD(tables_fail),
		IN_CHILD(table_pool),
		IN_CHILD(table_pool_fragmented),
		IN_CHILD(bad_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
