/*
 * Page tables in ordinary memory: physical addresses from RAM on are the host's from PHYSMAP + RAM on, as the direct map has
 * them, and the first tables are page_table.c's own. Each test starts with an empty tree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "kernel/arch/x86_64/page_table.c"

#define PHYSMAP 0x200000000000ul
#define RAM 0x1000000ul
#define RAM_PAGES 64
#define IMAGE 0x100000ul
#define VA 0x7000000000ul /* 1 GiB aligned, far from the direct map */

struct arch_layout arch_layout;
uint64_t boot_root_table[512], boot_pdpt[512], boot_pd[512];
char protected_start[1], protected_end[1];

static unsigned ram_used, ram_max;
static struct arch_aspace *const as = &arch_kernel_aspace;

static paddr_t ram_page(void)
{
	return ram_used < ram_max ? RAM + PAGE_SIZE * ram_used++ : 0;
}

const struct arch_upcalls arch_upcalls = { .table_page_alloc = ram_page };

static int setup(void **state)
{
	void *ram = (void *)(PHYSMAP + RAM);

	(void)state;
	munmap(ram, RAM_PAGES * PAGE_SIZE);
	assert_ptr_equal(mmap(ram, RAM_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0),
			 ram);
	memset(pool, 0, sizeof(pool));
	pool_used = ram_used = 0;
	ram_max = RAM_PAGES;
	added = 0;
	has_huge_pages = true;
	phys_limit = 1ul << 40;
	arch_layout = (struct arch_layout){
		.image_virt = (uintptr_t)pool, .image_phys = IMAGE, .image_len = sizeof(pool), .physmap_base = PHYSMAP
	};
	page_table_init();
	return 0;
}

/* VA is mapped to PA with PROT by a page of LEVEL. */
static void check(uintptr_t va, paddr_t pa, unsigned prot, unsigned level)
{
	uint64_t *table = page_table_virt(as->root);
	unsigned found_prot, l = LEVEL_ROOT;
	paddr_t found;

	assert_true(arch_pt_lookup(as, va, &found, &found_prot));
	assert_int_equal(found, pa);
	assert_int_equal(found_prot, prot);
	for (; l && !(table[table_index(va, l)] & PTE_LARGE); l--)
		table = page_table_virt(table[table_index(va, l)] & PTE_ADDRESS);
	assert_int_equal(l, level);
	/* At level 0 this bit would choose another memory type. */
	assert_int_equal(!!(table[table_index(va, l)] & PTE_LARGE), level > 0);
}

static bool is_mapped(uintptr_t va)
{
	return arch_pt_lookup(as, va, NULL, NULL);
}

static void test_map_sizes(void **state)
{
	const uintptr_t va = VA - PAGE_SIZE, pa = HUGE_PAGE_SIZE - PAGE_SIZE;
	const size_t len = PAGE_SIZE + HUGE_PAGE_SIZE + LARGE_PAGE_SIZE + PAGE_SIZE;
	const unsigned prot = PT_READ | PT_WRITE;

	(void)state;
	assert_int_equal(arch_pt_map(as, va, pa, len, prot), 0);
	check(va, pa, prot, 0);
	check(VA + 0x12345, HUGE_PAGE_SIZE + 0x12345, prot, 2);
	check(VA + HUGE_PAGE_SIZE + 5, 2 * HUGE_PAGE_SIZE + 5, prot, 1);
	check(va + len - 1, pa + len - 1, prot, 0);
	assert_false(is_mapped(va - 1));
	assert_false(is_mapped(va + len));
	assert_false(is_mapped(va | 1ul << 47)); /* not canonical */
}

static void test_map_without_huge_pages(void **state)
{
	(void)state;
	has_huge_pages = false;
	assert_int_equal(arch_pt_map(as, VA, HUGE_PAGE_SIZE, 2 * HUGE_PAGE_SIZE, PT_READ), 0);
	check(VA, HUGE_PAGE_SIZE, PT_READ, 1);
	check(VA + 2 * HUGE_PAGE_SIZE - 1, 3 * HUGE_PAGE_SIZE - 1, PT_READ, 1);
}

static void test_map_twice(void **state)
{
	(void)state;
	assert_int_equal(arch_pt_map(as, VA + PAGE_SIZE, RAM, PAGE_SIZE, PT_READ), 0);
	assert_int_equal(arch_pt_map(as, VA, RAM, 4 * PAGE_SIZE, PT_READ), -EEXIST);
	assert_int_equal(arch_pt_map(as, VA, 0, LARGE_PAGE_SIZE, PT_READ), -EEXIST);
	check(VA + PAGE_SIZE, RAM, PT_READ, 0);
	assert_int_equal(arch_pt_map(as, VA + LARGE_PAGE_SIZE, 0, LARGE_PAGE_SIZE, PT_READ), 0);
	assert_int_equal(arch_pt_map(as, VA + LARGE_PAGE_SIZE, RAM, PAGE_SIZE, PT_READ), -EEXIST);
}

static void test_protections(void **state)
{
	const unsigned jit = PT_READ | PT_WRITE | PT_EXEC | PT_WX_ALLOWED;

	(void)state;
	assert_int_equal(arch_pt_map(as, VA, RAM, PAGE_SIZE, PT_READ | PT_WRITE | PT_EXEC), -EINVAL);
	assert_int_equal(arch_pt_map(as, VA, RAM, PAGE_SIZE, 0), -EINVAL);
	assert_int_equal(arch_pt_map(as, VA, RAM, PAGE_SIZE, PT_WRITE), -EINVAL);
	assert_int_equal(arch_pt_map(as, VA + 1, RAM, PAGE_SIZE, PT_READ), -EINVAL);
	assert_int_equal(arch_pt_map(as, VA, RAM, PAGE_SIZE, jit), 0);
	check(VA, RAM, jit, 0);
	assert_int_equal(arch_pt_protect(as, VA, PAGE_SIZE, PT_READ | PT_WRITE | PT_EXEC), -EINVAL);
	assert_int_equal(arch_pt_protect(as, VA, PAGE_SIZE, PT_READ | PT_EXEC), 0);
	check(VA, RAM, PT_READ | PT_EXEC, 0);
}

static void test_unmap_inside_huge_page(void **state)
{
	const unsigned prot = PT_READ | PT_WRITE | PT_UNCACHED;
	const uintptr_t hole = VA + 5 * LARGE_PAGE_SIZE + 7 * PAGE_SIZE;

	(void)state;
	assert_int_equal(arch_pt_map(as, VA, HUGE_PAGE_SIZE, HUGE_PAGE_SIZE, prot), 0);
	assert_int_equal(arch_pt_unmap(as, hole, PAGE_SIZE), 0);
	assert_false(is_mapped(hole));
	check(hole - 1, hole - 1 - VA + HUGE_PAGE_SIZE, prot, 0);
	check(hole + PAGE_SIZE, hole + PAGE_SIZE - VA + HUGE_PAGE_SIZE, prot, 0);
	check(VA, HUGE_PAGE_SIZE, prot, 1);
	check(VA + HUGE_PAGE_SIZE - 1, 2 * HUGE_PAGE_SIZE - 1, prot, 1);
	/* Across the hole, from the middle of one large page into another, and past the end of all. */
	assert_int_equal(arch_pt_unmap(as, VA + PAGE_SIZE, 2 * HUGE_PAGE_SIZE), 0);
	check(VA, HUGE_PAGE_SIZE, prot, 0);
	for (uintptr_t va = VA + PAGE_SIZE; va < VA + HUGE_PAGE_SIZE; va += PAGE_SIZE)
		assert_false(is_mapped(va));
}

static void test_protect_part(void **state)
{
	const unsigned prot = PT_READ | PT_WRITE;

	(void)state;
	assert_int_equal(arch_pt_map(as, VA, 0, 2 * LARGE_PAGE_SIZE, prot), 0);
	assert_int_equal(arch_pt_protect(as, VA + LARGE_PAGE_SIZE - PAGE_SIZE, 2 * PAGE_SIZE, PT_READ), 0);
	check(VA + LARGE_PAGE_SIZE - PAGE_SIZE - 1, LARGE_PAGE_SIZE - PAGE_SIZE - 1, prot, 0);
	check(VA + LARGE_PAGE_SIZE - 1, LARGE_PAGE_SIZE - 1, PT_READ, 0);
	check(VA + LARGE_PAGE_SIZE, LARGE_PAGE_SIZE, PT_READ, 0);
	check(VA + LARGE_PAGE_SIZE + PAGE_SIZE, LARGE_PAGE_SIZE + PAGE_SIZE, prot, 0);
}

/* What another CPU has split meanwhile is not split again: its changes would be lost. */
static void test_split_race(void **state)
{
	int error;
	uint64_t *entry, value;

	(void)state;
	assert_int_equal(arch_pt_map(as, VA, 0, LARGE_PAGE_SIZE, PT_READ | PT_WRITE), 0);
	entry = entry_at(as, VA, 1, &error);
	value = *entry;
	assert_int_equal(arch_pt_protect(as, VA, PAGE_SIZE, PT_READ), 0);
	assert_int_equal(large_page_split(entry, value, 1), 0);
	check(VA, 0, PT_READ, 0);
}

static void test_no_memory(void **state)
{
	(void)state;
	pool_used = POOL_TABLES;
	ram_max = 3;
	assert_int_equal(arch_pt_map(as, VA, 0, LARGE_PAGE_SIZE, PT_READ), 0);
	assert_int_equal(arch_pt_map(as, VA + LARGE_PAGE_SIZE, RAM, PAGE_SIZE, PT_READ), 0);
	assert_int_equal(arch_pt_unmap(as, VA, PAGE_SIZE), -ENOMEM);
	assert_int_equal(arch_pt_map(as, VA + 2 * LARGE_PAGE_SIZE, RAM, PAGE_SIZE, PT_READ), -ENOMEM);
	check(VA, 0, PT_READ, 1);
	assert_null(arch_physmap_add(0, PAGE_SIZE));
	assert_null(arch_physmap_add(HUGE_PAGE_SIZE, PAGE_SIZE));
	ram_max = RAM_PAGES;
	assert_non_null(arch_physmap_add(HUGE_PAGE_SIZE, PAGE_SIZE));
	check(PHYSMAP + HUGE_PAGE_SIZE, HUGE_PAGE_SIZE, PT_READ | PT_WRITE, 1);
}

static void test_physmap(void **state)
{
	const unsigned prot = PT_READ | PT_WRITE;
	const paddr_t image_end_pa = IMAGE + sizeof(pool), far = phys_limit - PAGE_SIZE;

	(void)state;
	assert_ptr_equal(arch_physmap_add(IMAGE - 10, 20 + sizeof(pool)), PHYSMAP + IMAGE - 10);
	check(PHYSMAP + IMAGE - 1, IMAGE - 1, prot, 0);
	check(PHYSMAP + image_end_pa, image_end_pa, prot, 0);
	for (paddr_t pa = IMAGE; pa < image_end_pa; pa += PAGE_SIZE)
		assert_false(is_mapped(PHYSMAP + pa));
	assert_false(is_mapped(PHYSMAP + IMAGE - 2 * PAGE_SIZE));
	assert_ptr_equal(arch_physmap_add(far + 1, PAGE_SIZE - 1), PHYSMAP + far + 1);
	check(PHYSMAP + far, far, prot, 1);
	assert_null(arch_physmap_add(far, PAGE_SIZE + 1));
	assert_null(arch_physmap_add(far, SIZE_MAX));
	assert_null(arch_physmap_add(far, -far));
}

/* What is remembered of the last call is exactly what it covered. */
static void test_physmap_again(void **state)
{
	static const struct {
		paddr_t pa;
		size_t len;
	} ranges[] = { { 0x8000, 1 },
		       { 0x8fff, 1 },
		       { 0x8fff, 2 },
		       { 0x7fff, 2 },
		       { 0x9000, 0x1000 },
		       { 0x9000, 0x1001 },
		       { 0x20000000, 0x10000000 },
		       { 0x20000000, 1 },
		       { 0x2fffffff, 2 },
		       { 0x8000, 1 } };

	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		unsigned used = pool_used + ram_used;

		for (unsigned i = 0; i < ARRAY_SIZE(ranges); i++) {
			assert_ptr_equal(arch_physmap_add(ranges[i].pa, ranges[i].len), PHYSMAP + ranges[i].pa);
			assert_true(is_mapped(PHYSMAP + ranges[i].pa));
			assert_true(is_mapped(PHYSMAP + ranges[i].pa + ranges[i].len - 1));
		}
		assert_true(!round || used == pool_used + ram_used);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_map_sizes, setup),
		cmocka_unit_test_setup(test_map_without_huge_pages, setup),
		cmocka_unit_test_setup(test_map_twice, setup),
		cmocka_unit_test_setup(test_protections, setup),
		cmocka_unit_test_setup(test_unmap_inside_huge_page, setup),
		cmocka_unit_test_setup(test_protect_part, setup),
		cmocka_unit_test_setup(test_split_race, setup),
		cmocka_unit_test_setup(test_no_memory, setup),
		cmocka_unit_test_setup(test_physmap, setup),
		cmocka_unit_test_setup(test_physmap_again, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
