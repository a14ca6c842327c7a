/*
 * Address spaces against a model of every page: random mappings, protections, moves, advice, truncations and
 * accesses, on the real
 * page allocator and the real page tables, which nobody runs on. A TLB that keeps whatever it has seen until it is flushed
 * shows flushes that are missing; counting pages shows those that are lost; and allocations fail on purpose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define page_alloc page_alloc_always
#include "kernel/mem/page.c"
#undef page_alloc
#include "kernel/arch/x86_64/page_table.c"
#include "kernel/boot/bootinfo.h"
#include "kernel/core/random.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/user.h"
#include "kernel/mem/vm_area.h"
#include "lib/errno.h"

/* ---- What stands below ------------------------------------------------------------------------------------------ */

#define IMAGE 0x100000ul
#define RAM_SIZE MIB(96)
#define MEMMAP_LEN MIB(16)

struct arch_layout arch_layout;
uint64_t boot_root_table[512], boot_pdpt[512], boot_pd[512];
char protected_start[1], protected_end[1];
struct thread *thread_current_;
static struct thread self;
static unsigned fail_in, nr_failed; /* the allocation that fails, counted down; how many did */
static size_t nr_objects;

static bool fails(void)
{
	if (!fail_in || --fail_in)
		return false;
	nr_failed++;
	return true;
}

struct page *page_alloc(unsigned order, unsigned flags);
struct page *page_alloc(unsigned order, unsigned flags)
{
	return fails() ? NULL : page_alloc_always(order, flags);
}

static paddr_t table_page_alloc(void)
{
	return fails() ? 0 : page_table_page_alloc();
}

const struct arch_upcalls arch_upcalls = { .table_page_alloc = table_page_alloc,
					   .table_page_free = page_table_page_free };

void *kmalloc(size_t len)
{
	if (fails())
		return NULL;
	nr_objects++;
	return malloc(len);
}

void *kzalloc(size_t len)
{
	void *object = kmalloc(len);

	return object ? memset(object, 0, len) : NULL;
}

void kfree(void *object)
{
	nr_objects -= !!object;
	free(object);
}

struct slab_cache *slab_cache_create(const char *name, size_t size, size_t align)
{
	static size_t node_size;

	(void)name, (void)align;
	node_size = size;
	return (struct slab_cache *)&node_size;
}

void slab_cache_destroy(struct slab_cache *cache)
{
	(void)cache;
}

void *slab_alloc(struct slab_cache *cache)
{
	return kmalloc(*(size_t *)cache);
}

void slab_free(struct slab_cache *cache, void *object)
{
	(void)cache;
	kfree(object);
}

void mutex_init(struct mutex *mutex, const char *name)
{
	(void)name;
	mutex->owner = 0;
}

void mutex_lock(struct mutex *mutex)
{
	assert_int_equal(mutex->owner, 0);
	mutex->owner = 1;
}

void mutex_unlock(struct mutex *mutex)
{
	assert_int_equal(mutex->owner, 1);
	mutex->owner = 0;
}

void spin_init(struct spinlock *lock, const char *name)
{
	(void)name;
	*lock = (struct spinlock)SPINLOCK_INIT("");
}

void wait_prepare(struct wait_queue *queue, struct waiter *waiter)
{
	(void)queue, (void)waiter;
	abort();
}

void wait_remove(struct wait_queue *queue, struct waiter *waiter)
{
	(void)queue, (void)waiter;
}

unsigned wait_wake(struct wait_queue *queue, unsigned n)
{
	(void)queue, (void)n;
	return 0;
}

void sched_block(void)
{
	abort();
}

uint64_t random_layout_below(uint64_t bound)
{
	return ((uint64_t)rand() << 31 ^ (uint64_t)rand()) % bound;
}

/* What each of two CPUs may hold: one entry for each page of the window that was accessed. */
#define PAGES 2560ul
#define BASE (7ul << 30)
#define CPUS 2u
static pte_t tlb[CPUS][PAGES];
static unsigned nr_flushes;

void cpu_tlb_shootdown(uintptr_t va, size_t len)
{
	nr_flushes++;
	for (unsigned long i = 0; i < PAGES; i++)
		if (BASE + i * PAGE_SIZE >= va && BASE + i * PAGE_SIZE - va < len)
			tlb[0][i] = tlb[1][i] = 0;
}

void cpu_tlb_shootdown_lower(uintptr_t va, size_t len)
{
	cpu_tlb_shootdown(va, len);
}

static void *area_new(size_t len)
{
	void *area = mmap(NULL, len + HUGE_PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_true(area != MAP_FAILED);
	return (void *)ALIGN_UP((uintptr_t)area, HUGE_PAGE_SIZE);
}

/* Brings all memory to life, so that from here on only what is used is missing. */
static void memory_wake(void)
{
	struct page *all = NULL, *page;

	while ((page = page_alloc_always(PAGE_ORDER_MAX, 0))) {
		page->owner = all;
		all = page;
	}
	while (all) {
		page = all;
		all = page->owner;
		page_free(page, PAGE_ORDER_MAX);
	}
}

static void machine_init(void)
{
	static struct bootinfo bi;
	struct arch_aspace first;

	arch_layout = (struct arch_layout){ .image_virt = (uintptr_t)pool,
					    .image_phys = IMAGE,
					    .image_len = sizeof(pool),
					    .physmap_base = (uintptr_t)area_new(RAM_SIZE + MIB(8)),
					    .memmap_base = (uintptr_t)area_new(MEMMAP_LEN) };
	phys_limit = 1ul << 40;
	page_table_init();
	bi.mem[bi.nr_mem++] = (struct mem_range){ MIB(2), RAM_SIZE, MEM_RAM };
	page_init(&bi);
	memory_wake();
	cpus[0].online = true;
	thread_current_ = &self;
	/* The host's addresses are in the lower half of the kernel's root: take it, and run on others. */
	assert_int_equal(arch_aspace_create(&first), 0);
}

/* Pages that nobody has: with those that the table pool keeps. */
static uint64_t pages_free(void)
{
	struct page_stats stats;

	page_drain();
	page_stats(&stats);
	return stats.free + table_pool_nr;
}

/* ---- A file ----------------------------------------------------------------------------------------------------- */

#define FILE_PAGES 700u
#define FILE_RUN_FIRST 100u /* these lie one after the other, and are not the page allocator's */
#define FILE_RUN_END 400u

static struct file_object {
	struct vm_object object;
	int refs;
	unsigned nr_pages; /* below FILE_PAGES: truncated */
	struct page *pages[FILE_PAGES];
	paddr_t run;
} file;

static int file_page(struct vm_object *object, uint64_t off, bool write, struct vm_page *out)
{
	uint64_t i = off / PAGE_SIZE;

	(void)object, (void)write;
	if (i >= file.nr_pages)
		return -ENXIO;
	if (i >= FILE_RUN_FIRST && i < FILE_RUN_END) {
		out->pa = file.run + (i - FILE_RUN_FIRST) * PAGE_SIZE;
		out->run = MIN(FILE_RUN_END, file.nr_pages) - i;
		out->run_before = i - FILE_RUN_FIRST;
		return 0;
	}
	if (!file.pages[i]) {
		file.pages[i] = page_alloc(0, 0);
		if (!file.pages[i])
			return -ENOMEM;
		*(uint64_t *)page_to_virt(file.pages[i]) = 1000000 + i;
	}
	page_get(file.pages[i]);
	out->page = file.pages[i];
	out->pa = page_to_phys(out->page);
	return 0;
}

static void file_get(struct vm_object *object)
{
	(void)object;
	file.refs++;
}

static void file_put(struct vm_object *object)
{
	(void)object;
	file.refs--;
}

static void file_describe(struct vm_object *object, char *path, size_t size, uint64_t *dev, uint64_t *ino)
{
	(void)object;
	strncpy(path, "/file", size);
	*dev = *ino = 1;
}

static const struct vm_object_ops file_ops = {
	.page = file_page, .get = file_get, .put = file_put, .describe = file_describe
};

static uint64_t *file_word(unsigned i)
{
	if (i >= FILE_RUN_FIRST && i < FILE_RUN_END)
		return arch_phys_to_virt(file.run + (i - FILE_RUN_FIRST) * PAGE_SIZE);
	return file.pages[i] ? page_to_virt(file.pages[i]) : NULL;
}

static uint64_t file_content(unsigned i)
{
	return file_word(i) ? *file_word(i) : 1000000 + i;
}

static void file_pages_free(unsigned from)
{
	for (unsigned i = from; i < FILE_PAGES; i++) {
		if (file.pages[i])
			page_put(file.pages[i]);
		file.pages[i] = NULL;
	}
}

static void file_init(void)
{
	vm_object_init(&file.object, &file_ops);
	file.nr_pages = FILE_PAGES;
	file.run = RAM_SIZE + MIB(4);
	for (unsigned i = FILE_RUN_FIRST; i < FILE_RUN_END; i++)
		*file_word(i) = 1000000 + i;
}

/* ---- The model -------------------------------------------------------------------------------------------------- */

static struct vmspace *vm;
static struct model {
	bool mapped, is_file, shared, copied;
	unsigned prot;
	unsigned file_page;
	uint64_t content; /* anonymous, or copied */
} model[PAGES];

static uintptr_t va_of(unsigned long i)
{
	return BASE + i * PAGE_SIZE;
}

static bool model_allows(const struct model *m, enum vm_access access)
{
	return access == VM_ACCESS_READ ? m->prot : m->prot & (access == VM_ACCESS_WRITE ? PT_WRITE : PT_EXEC);
}

static int model_access(const struct model *m, enum vm_access access)
{
	if (!m->mapped)
		return -EFAULT;
	if (!model_allows(m, access))
		return -EACCES;
	return m->is_file && !m->copied && m->file_page >= file.nr_pages ? -ENXIO : 0;
}

/* What the tables say of page I; 0: nothing. */
static pte_t table_entry(unsigned long i)
{
	paddr_t pa;
	unsigned prot;

	if (!arch_pt_lookup(&vm->arch, va_of(i), &pa, &prot))
		return 0;
	return pte_make(pa, prot);
}

static bool pte_allows(pte_t pte, enum vm_access access)
{
	if (!pte_is_present(pte))
		return false;
	return access == VM_ACCESS_READ || (access == VM_ACCESS_WRITE ? pte_is_writable(pte) : pte_is_executable(pte));
}

static uint64_t *pte_word(pte_t pte)
{
	return arch_phys_to_kernel(pte_pa(pte));
}

/* As a CPU does: by its TLB, then by the tables, then by a fault. */
static int cpu_access(unsigned long i, enum vm_access access, uint64_t **word)
{
	pte_t *held = &tlb[(unsigned)rand() % CPUS][i];

	for (unsigned try = 0; try < 2; try++) {
		int err;

		if (!pte_allows(*held, access))
			*held = table_entry(i);
		if (pte_allows(*held, access)) {
			*word = pte_word(*held);
			return 0;
		}
		*held = 0;
		err = vm_fault(vm, va_of(i) + (unsigned)rand() % PAGE_SIZE, access, 0);
		if (err)
			return err;
	}
	fail_msg("page %lu: mended, and still not accessible", i);
	return 0;
}

static uint64_t model_content(const struct model *m)
{
	return m->is_file && !m->copied ? file_content(m->file_page) : m->content;
}

static void access_one(unsigned long i)
{
	struct model *m = &model[i];
	enum vm_access access = (enum vm_access)(rand() % 3);
	unsigned failed = nr_failed;
	uint64_t *word = NULL;
	int err = cpu_access(i, access, &word);

	if (err == -ENOMEM && nr_failed > failed)
		return;
	assert_int_equal(err, model_access(m, access));
	if (err)
		return;
	assert_int_equal(*word, model_content(m));
	if (access != VM_ACCESS_WRITE)
		return;
	*word = m->content = (uint64_t)rand();
	m->copied = m->is_file && !m->shared;
}

/* ---- Operations ------------------------------------------------------------------------------------------------- */

static void range_random(unsigned long *first, unsigned long *n)
{
	*first = (unsigned long)rand() % PAGES;
	*n = 1 + (unsigned long)rand() % MIN(PAGES - *first, rand() % 3 ? 20ul : PAGES);
	if (rand() % 8 == 0)
		*first = ALIGN_DOWN(*first, 512);
}

static unsigned prot_random(void)
{
	static const unsigned prots[] = { 0,
					  PT_READ,
					  PT_READ | PT_WRITE,
					  PT_READ | PT_WRITE,
					  PT_READ | PT_WRITE,
					  PT_READ | PT_EXEC,
					  PT_WRITE,
					  PT_EXEC,
					  PT_READ | PT_WRITE | PT_EXEC };

	return prots[(unsigned)rand() % ARRAY_SIZE(prots)];
}

static bool is_mapped_now(unsigned long i)
{
	return area_find(vm, va_of(i));
}

/*
 * After an operation on [FIRST, FIRST+N) that failed in the middle, where it may have removed what was there: all or
 * nothing.
 */
static void model_resync(unsigned long first, unsigned long n)
{
	for (unsigned long i = first; i < first + n; i++)
		if (model[i].mapped && !is_mapped_now(i))
			model[i].mapped = false;
}

static void op_map(void)
{
	bool is_file = rand() % 3 == 0, shared = is_file && rand() % 2;
	unsigned prot = prot_random(), from = (unsigned)rand() % FILE_PAGES;
	unsigned flags = VM_FIXED | (shared ? VM_SHARED : 0) | (rand() % 5 ? 0 : VM_POPULATE);
	unsigned long first, n;
	uintptr_t at;
	int err;

	range_random(&first, &n);
	if (rand() % 4 == 0)
		n = MIN(PAGES - first, 1024ul + n);
	at = va_of(first);
	err = vm_map(vm, &at, n * PAGE_SIZE, prot, flags, is_file ? &file.object : NULL, from * PAGE_SIZE);
	if (err) {
		assert_true(err == -ENOMEM && nr_failed);
		model_resync(first, n);
		return;
	}
	assert_int_equal(at, va_of(first));
	for (unsigned long i = first; i < first + n; i++)
		model[i] = (struct model){ true, is_file, shared, false, prot, from + (unsigned)(i - first), 0 };
	/* What was brought in for writing has been copied. */
	for (unsigned long i = first; is_file && !shared && i < first + n; i++) {
		unsigned found;

		if (arch_pt_lookup(&vm->arch, va_of(i), NULL, &found) && found & PT_PRIVATE) {
			model[i].copied = true;
			model[i].content = file_content(model[i].file_page);
		}
	}
}

static void op_unmap(void)
{
	unsigned long first, n;
	int err;

	range_random(&first, &n);
	err = vm_unmap(vm, va_of(first), n * PAGE_SIZE);
	assert_true(!err || (err == -ENOMEM && nr_failed));
	for (unsigned long i = first; !err && i < first + n; i++)
		model[i].mapped = false;
}

static void op_protect(void)
{
	unsigned prot = prot_random();
	unsigned long first, n;
	bool hole = false;
	int err;

	range_random(&first, &n);
	for (unsigned long i = first; i < first + n; i++)
		hole = hole || !model[i].mapped;
	err = vm_protect(vm, va_of(first), n * PAGE_SIZE, prot);
	if (hole)
		assert_int_equal(err, -ENOMEM);
	else
		assert_true(!err || (err == -ENOMEM && nr_failed));
	for (unsigned long i = first; !err && i < first + n; i++)
		model[i].prot = prot;
}

static void op_drop(void)
{
	unsigned long first, n;
	unsigned failed = nr_failed;
	bool hole = false;
	int err;

	range_random(&first, &n);
	for (unsigned long i = first; i < first + n; i++)
		hole = hole || !model[i].mapped;
	err = vm_advise(vm, va_of(first), n * PAGE_SIZE, VM_ADVISE_DROP, 0, 0);
	if (nr_failed > failed && err) {
		/* Some areas may have been done. */
		for (unsigned long i = first; i < first + n; i++) {
			unsigned long word_mapped = table_entry(i);

			if (!word_mapped && model[i].prot) {
				model[i].copied = false;
				model[i].content = 0;
			}
		}
		fail_in = 0;
		err = vm_advise(vm, va_of(first), n * PAGE_SIZE, VM_ADVISE_DROP, 0, 0);
	}
	assert_int_equal(err, hole ? -ENOMEM : 0);
	for (unsigned long i = first; i < first + n; i++) {
		model[i].copied = false;
		model[i].content = 0;
	}
}

/* Whether [FIRST, FIRST+N) is one mapping as mremap(2) wants it. */
static bool is_one_area(unsigned long first, unsigned long n)
{
	struct vm_area *area = area_find(vm, va_of(first));

	return area && area->region.end >= va_of(first + n);
}

static void op_move(void)
{
	static struct model moved[PAGES];
	unsigned long first, n, to, m;
	uintptr_t at;
	bool overlaps;
	int err;

	range_random(&first, &n);
	range_random(&to, &m);
	if (rand() % 2 && to + n <= PAGES)
		m = n;
	at = va_of(to);
	overlaps = first < to + m && to < first + n;
	err = vm_remap(vm, va_of(first), n * PAGE_SIZE, m * PAGE_SIZE, VM_REMAP_MAYMOVE | VM_REMAP_FIXED, &at);
	if (overlaps) {
		assert_int_equal(err, -EINVAL);
		return;
	}
	if (err) {
		assert_true(err == -EFAULT || (err == -ENOMEM && nr_failed));
		model_resync(to, m);
		model_resync(first, n);
		return;
	}
	assert_int_equal(at, va_of(to));
	memcpy(moved, &model[first], sizeof(model[0]) * MIN(n, m));
	for (unsigned long i = n; i < m; i++) {
		moved[i] = moved[n - 1];
		moved[i].file_page = moved[0].file_page + (unsigned)i;
		moved[i].copied = false;
		moved[i].content = 0;
	}
	for (unsigned long i = first; i < first + n; i++)
		model[i].mapped = false;
	memcpy(&model[to], moved, sizeof(model[0]) * m);
	assert_true(is_one_area(to, m));
}

static void op_resize(void)
{
	unsigned long first, n, m;
	uintptr_t at = 0;
	bool free = true;
	int err;

	range_random(&first, &n);
	m = 1 + (unsigned long)rand() % MIN(PAGES - first, n + 10);
	for (unsigned long i = first + n; i < first + m; i++)
		free = free && !model[i].mapped;
	err = vm_remap(vm, va_of(first), n * PAGE_SIZE, m * PAGE_SIZE, 0, &at);
	if (err) {
		assert_true(err == -EFAULT || err == -ENOMEM);
		return;
	}
	assert_int_equal(at, va_of(first));
	assert_true(free);
	for (unsigned long i = first + n; i < first + m; i++) {
		model[i] = model[first];
		model[i].file_page = model[first].file_page + (unsigned)(i - first);
		model[i].copied = false;
		model[i].content = 0;
	}
	for (unsigned long i = first + m; i < first + n; i++)
		model[i].mapped = false;
}

static void op_truncate(void)
{
	unsigned n = 1 + (unsigned)rand() % FILE_PAGES;

	file.nr_pages = n;
	vm_object_unmap(&file.object, n * PAGE_SIZE, UINT64_MAX, true);
	file_pages_free(n);
	for (unsigned i = MAX(n, FILE_RUN_FIRST); i < FILE_RUN_END; i++)
		*file_word(i) = 1000000 + i;
	for (unsigned long i = 0; i < PAGES; i++)
		if (model[i].is_file && model[i].file_page >= n)
			model[i].copied = false;
	if (rand() % 2)
		file.nr_pages = FILE_PAGES;
}

/* Anywhere: the place is free, and is gone again afterwards. */
static void op_map_anywhere(void)
{
	size_t len = (1 + (size_t)rand() % 2000) * PAGE_SIZE;
	uintptr_t at = rand() % 2 ? 0 : va_of((unsigned)rand() % PAGES);
	unsigned flags = rand() % 3 ? 0 : VM_BELOW_4G;
	uint64_t mapped = vm->nr_mapped;
	int err = vm_map(vm, &at, len, PT_READ | PT_WRITE, flags | (rand() % 3 ? 0 : VM_SHARED), NULL, 0);

	if (err) {
		assert_true(err == -ENOMEM && nr_failed);
		return;
	}
	assert_true(IS_ALIGNED(at, PAGE_SIZE) && at >= VM_START && at + len <= VM_END);
	assert_true(!(flags & VM_BELOW_4G) || at + len <= 0x80000000);
	assert_int_equal(vm->nr_mapped, mapped + len / PAGE_SIZE);
	for (unsigned long i = 0; i < PAGES; i++)
		assert_true(!model[i].mapped || va_of(i) + PAGE_SIZE <= at || va_of(i) >= at + len);
	vm_fault(vm, at + len - 1, VM_ACCESS_WRITE, 0);
	fail_in = 0;
	assert_int_equal(vm_unmap(vm, at, len), 0);
	assert_int_equal(vm->nr_mapped, mapped);
}

/* ---- Invariants ------------------------------------------------------------------------------------------------- */

static uintptr_t check_tree(struct rb_node *node)
{
	struct vm_area *area = area_of(node), *prev;
	uintptr_t left, right, from, to;

	if (!node)
		return 0;
	left = check_tree(node->left);
	right = check_tree(node->right);
	prev = area_prev(area);
	from = prev ? prev->region.end : 0;
	to = area->region.start - (area->flags & VM_GROWSDOWN ? STACK_GAP : 0);
	assert_int_equal(area->gap, to > from && to <= area->region.start ? to - from : 0);
	left = MAX(left, right);
	assert_int_equal(area->gap_max, MAX(area->gap, left));
	return area->gap_max;
}

struct totals {
	uint64_t pages, resident;
	uintptr_t last_end;
};

static int total_one(const struct vm_info *info, void *arg)
{
	struct totals *totals = arg;

	assert_true(info->start >= totals->last_end && info->end > info->start);
	totals->last_end = info->end;
	totals->pages += (info->end - info->start) / PAGE_SIZE;
	totals->resident += info->nr_resident;
	return 0;
}

/* What a TLB still allows, the tables allow as well, and it is the same page. */
static void check_tlb(pte_t held, pte_t now)
{
	if (!held)
		return;
	assert_int_equal(pte_pa(held), pte_pa(now));
	assert_true(!pte_is_writable(held) || pte_is_writable(now));
	assert_true(!pte_is_executable(held) || pte_is_executable(now));
}

static void check_all(void)
{
	struct totals totals = { 0 };
	unsigned saved = fail_in;
	uint64_t mapped = 0;

	fail_in = 0;
	check_tree(vm->as.regions.root);
	vm_for_each_counted(vm, 0, total_one, &totals);
	assert_int_equal(totals.pages, vm->nr_mapped);
	assert_int_equal(totals.resident, vm->nr_resident);
	for (unsigned long i = 0; i < PAGES; i++) {
		pte_t now = table_entry(i);

		mapped += model[i].mapped;
		assert_int_equal(is_mapped_now(i), model[i].mapped);
		assert_true(model[i].mapped || !now);
		for (unsigned cpu = 0; cpu < CPUS; cpu++)
			check_tlb(tlb[cpu][i], now);
		assert_true(!pte_is_writable(now) || model[i].prot & PT_WRITE);
	}
	assert_int_equal(mapped, vm->nr_mapped);
	fail_in = saved;
}

static void check_contents(void)
{
	fail_in = 0;
	for (unsigned long i = 0; i < PAGES; i++)
		access_one(i);
}

static void (*const ops[])(void) = { op_map,  op_map,  op_unmap,  op_protect, op_protect,     op_protect,
				     op_drop, op_move, op_resize, op_move,    op_map_anywhere };

static void steps(unsigned n, bool fail)
{
	for (unsigned step = 0; step < n; step++) {
		if (fail && rand() % 3 == 0)
			fail_in = 1 + (unsigned)rand() % 12;
		if (rand() % 200 == 0)
			op_truncate();
		else
			ops[(unsigned)rand() % ARRAY_SIZE(ops)]();
		for (unsigned i = (unsigned)rand() % 100; i > 0; i--)
			access_one((unsigned)rand() % PAGES);
		fail_in = 0;
		check_all();
		if (step % 50 == 0)
			check_contents();
	}
}

static void vmspace_new(void)
{
	fail_in = 0;
	memset(model, 0, sizeof(model));
	memset(tlb, 0, sizeof(tlb));
	assert_int_equal(vmspace_create(&vm), 0);
}

static void vmspace_end(void)
{
	fail_in = 0;
	assert_int_equal(vm_unmap(vm, VM_START, VM_END - VM_START), 0);
	assert_int_equal(vm->nr_resident | vm->nr_mapped | vm->nr_data | vm->nr_areas | vm->nr_locked, 0);
	vmspace_put(vm);
	assert_int_equal(file.refs, 0);
	assert_true(list_is_empty(&file.object.mappings));
	file_pages_free(0);
}

static void random_steps(unsigned n, bool fail)
{
	uint64_t free;

	vmspace_new();
	steps(20, false); /* whatever is made once */
	vmspace_end();
	free = pages_free();
	assert_int_equal(nr_objects, 0);
	for (unsigned round = 0; round < 4; round++) {
		vmspace_new();
		steps(n, fail);
		vmspace_end();
		assert_int_equal(nr_objects, 0);
		assert_int_equal(pages_free(), free);
	}
	assert_true(nr_flushes > 0);
}

static void test_random(void)
{
	random_steps(1500, false);
}

static void test_random_failing(void)
{
	random_steps(1500, true);
	assert_true(nr_failed > 100);
}

/* ---- Single things ---------------------------------------------------------------------------------------------- */

static void map_at(uintptr_t va, size_t len, unsigned prot, unsigned flags)
{
	assert_int_equal(vm_map(vm, &va, len, prot, flags | VM_FIXED, NULL, 0), 0);
}

#define RW (PT_READ | PT_WRITE)

static void large_once(void)
{
	paddr_t pa;

	vmspace_new();
	map_at(BASE, MIB(8), RW, 0);
	assert_int_equal(vm_fault(vm, BASE + MIB(3), VM_ACCESS_WRITE, 0), 0);
	assert_int_equal(vm->nr_resident, 512);
	assert_true(arch_pt_lookup(&vm->arch, BASE + MIB(4) - 1, &pa, NULL));
	assert_int_equal(pa % LARGE_PAGE_SIZE, LARGE_PAGE_SIZE - 1);
	/* A hole in the middle: the rest stays what it is, and every page is freed once. */
	assert_int_equal(vm_unmap(vm, BASE + MIB(3), PAGE_SIZE), 0);
	assert_int_equal(vm->nr_resident, 511);
	assert_int_equal(vm_protect(vm, BASE + MIB(2), MIB(1), 0), 0);
	assert_false(arch_pt_lookup(&vm->arch, BASE + MIB(2), NULL, NULL));
	assert_int_equal(vm->nr_resident, 511);
	assert_int_equal(vm_protect(vm, BASE + MIB(2), MIB(1), RW), 0);
	assert_true(arch_pt_lookup(&vm->arch, BASE + MIB(2), NULL, NULL));
	assert_int_equal(vm_unmap(vm, BASE, MIB(8)), 0);
	assert_int_equal(vm->nr_resident, 0);
	vmspace_end();
}

static void test_large(void)
{
	uint64_t free;

	large_once();
	free = pages_free();
	large_once();
	assert_int_equal(pages_free(), free);
}

static void test_stack(void)
{
	const uintptr_t top = BASE + MIB(64);

	vmspace_new();
	vm->limit_stack = MIB(8);
	map_at(top - PAGE_SIZE, PAGE_SIZE, RW, VM_GROWSDOWN | VM_STACK);
	assert_int_equal(vm_fault(vm, top - 1, VM_ACCESS_WRITE, 0), 0);
	assert_int_equal(vm_fault(vm, top - MIB(1), VM_ACCESS_WRITE, 0), 0);
	assert_int_equal(vm->nr_areas, 1);
	assert_int_equal(vm->nr_mapped, MIB(1) / PAGE_SIZE);
	assert_int_equal(vm_fault(vm, top - MIB(8) - 1, VM_ACCESS_WRITE, 0), -EFAULT);
	assert_int_equal(vm_fault(vm, top - MIB(8), VM_ACCESS_READ, 0), 0);
	/* Something close below: it grows up to the gap. */
	vm->limit_stack = UINT64_MAX;
	map_at(top - MIB(12), PAGE_SIZE, RW, 0);
	assert_int_equal(vm_fault(vm, top - MIB(12) + PAGE_SIZE + STACK_GAP, VM_ACCESS_WRITE, 0), 0);
	assert_int_equal(vm_fault(vm, top - MIB(12) + STACK_GAP, VM_ACCESS_WRITE, 0), -EFAULT);
	assert_int_equal(vm_fault(vm, top, VM_ACCESS_READ, 0), -EFAULT);
	/* And a mapping without an address keeps away from it. */
	vm->mmap_top = top - MIB(11);
	for (unsigned i = 0; i < 5; i++) {
		uintptr_t at = 0;

		assert_int_equal(vm_map(vm, &at, PAGE_SIZE, RW, i % 2 ? VM_SHARED : 0, NULL, 0), 0);
		assert_true(at < top - MIB(12));
	}
	vmspace_end();
}

static void test_brk(void)
{
	vmspace_new();
	vm->brk_start = vm->brk = BASE + 100;
	assert_int_equal(vm_brk(vm, 0), BASE + 100);
	assert_int_equal(vm_brk(vm, BASE + 200), BASE + 200);
	assert_int_equal(vm_brk(vm, BASE + MIB(1)), BASE + MIB(1));
	assert_int_equal(vm_brk(vm, BASE + MIB(2) + 1), BASE + MIB(2) + 1);
	assert_int_equal(vm->nr_areas, 1);
	assert_int_equal(vm_fault(vm, BASE + MIB(2) + 1, VM_ACCESS_WRITE, 0), 0);
	assert_int_equal(vm_fault(vm, BASE + MIB(2) + PAGE_SIZE, VM_ACCESS_WRITE, 0), -EFAULT);
	map_at(BASE + MIB(3), PAGE_SIZE, RW, 0);
	assert_int_equal(vm_brk(vm, BASE + MIB(3)), BASE + MIB(2) + 1);
	assert_int_equal(vm_brk(vm, BASE + MIB(3) - PAGE_SIZE), BASE + MIB(3) - PAGE_SIZE);
	assert_int_equal(vm_brk(vm, BASE + PAGE_SIZE), BASE + PAGE_SIZE);
	assert_int_equal(vm_fault(vm, BASE + MIB(2), VM_ACCESS_WRITE, 0), -EFAULT);
	vm->limit_data = MIB(1);
	assert_int_equal(vm_brk(vm, BASE + MIB(2)), BASE + PAGE_SIZE);
	assert_int_equal(vm_brk(vm, BASE + 99), BASE + PAGE_SIZE);
	assert_int_equal(vm_brk(vm, BASE + 100), BASE + 100);
	vmspace_end();
}

static void test_bad_arguments(void)
{
	uintptr_t at = 0;

	vmspace_new();
	assert_int_equal(vm_map(vm, &at, 0, RW, 0, NULL, 0), -EINVAL);
	assert_int_equal(vm_map(vm, &at, SIZE_MAX, RW, 0, NULL, 0), -ENOMEM);
	assert_int_equal(vm_map(vm, &at, VM_END, RW, VM_NORESERVE, NULL, 0), -ENOMEM);
	assert_int_equal(vm_map(vm, &at, GIB(1), RW, 0, NULL, 0), -ENOMEM);
	assert_int_equal(vm_map(vm, &at, GIB(1), RW, VM_NORESERVE, NULL, 0), 0);
	assert_int_equal(vm_map(vm, &at, PAGE_SIZE, RW, 0, &file.object, -PAGE_SIZE), -EOVERFLOW);
	at = 0;
	assert_int_equal(vm_map(vm, &at, PAGE_SIZE, RW, VM_FIXED, NULL, 0), -EPERM);
	at = 123;
	assert_int_equal(vm_map(vm, &at, PAGE_SIZE, RW, VM_FIXED, NULL, 0), -EINVAL);
	at = VM_END;
	assert_int_equal(vm_map(vm, &at, PAGE_SIZE, RW, VM_FIXED, NULL, 0), -ENOMEM);
	at = VM_END - PAGE_SIZE;
	assert_int_equal(vm_map(vm, &at, PAGE_SIZE, RW, VM_FIXED_NOREPLACE, NULL, 0), 0);
	assert_int_equal(vm_map(vm, &at, PAGE_SIZE, RW, VM_FIXED_NOREPLACE, NULL, 0), -EEXIST);
	assert_int_equal(vm_unmap(vm, 1, PAGE_SIZE), -EINVAL);
	assert_int_equal(vm_unmap(vm, 0, 0), -EINVAL);
	assert_int_equal(vm_unmap(vm, PAGE_SIZE, SIZE_MAX), -EINVAL);
	assert_int_equal(vm_protect(vm, 1, PAGE_SIZE, 0), -EINVAL);
	assert_int_equal(vm_protect(vm, 0, PAGE_SIZE, 0), -ENOMEM);
	assert_int_equal(vm_protect(vm, PAGE_SIZE, SIZE_MAX, 0), -ENOMEM);
	assert_int_equal(vm_fault(vm, UINTPTR_MAX, VM_ACCESS_READ, 0), -EFAULT);
	assert_int_equal(vm_fault(vm, 0, VM_ACCESS_READ, 0), -EFAULT);
	vm->limit_as = MIB(1);
	at = 0;
	assert_int_equal(vm_map(vm, &at, PAGE_SIZE, RW, 0, NULL, 0), -ENOMEM);
	vmspace_end();
}

/* As many mappings as there may be; places are still found, and one too many is refused. */
static void test_many(void)
{
	unsigned n = 0;
	uintptr_t at;

	vmspace_new();
	for (;; n++) {
		at = 0;
		if (vm_map(vm, &at, PAGE_SIZE, n % 2 ? RW : PT_READ, 0, NULL, 0))
			break;
	}
	assert_int_equal(n, AREAS_MAX);
	check_tree(vm->as.regions.root);
	at = ALIGN_DOWN(vm->mmap_top, PAGE_SIZE) - 1000 * PAGE_SIZE;
	assert_int_equal(vm_unmap(vm, at, 3 * PAGE_SIZE), 0);
	at = 0;
	assert_int_equal(vm_map(vm, &at, 2 * PAGE_SIZE, PT_READ | PT_EXEC, 0, NULL, 0), 0);
	assert_int_equal(at, ALIGN_DOWN(vm->mmap_top, PAGE_SIZE) - 999 * PAGE_SIZE);
	vmspace_end();
}

/* Tables that are left empty one by one go as well, when there are many. */
static void test_tables(void)
{
	vmspace_new();
	for (unsigned i = 0; i < 2000; i++) {
		map_at(BASE + i * MIB(2), PAGE_SIZE, RW, 0);
		assert_int_equal(vm_fault(vm, BASE + i * MIB(2), VM_ACCESS_WRITE, 0), 0);
		assert_int_equal(vm_unmap(vm, BASE + i * MIB(2), PAGE_SIZE), 0);
	}
	assert_true(vm->arch.nr_tables < 100);
	vmspace_end();
}

static void test_queries(void)
{
	unsigned char vec[16];
	uintptr_t at = 0;

	vmspace_new();
	map_at(BASE, 8 * PAGE_SIZE, RW, 0);
	assert_int_equal(vm_fault(vm, BASE + 3 * PAGE_SIZE, VM_ACCESS_WRITE, 0), 0);
	memset(vec, 7, sizeof(vec));
	assert_int_equal(vm_resident(vm, BASE, 8 * PAGE_SIZE, vec), 0);
	assert_memory_equal(vec, ((unsigned char[]){ 0, 0, 0, 1, 0, 0, 0, 0, 7 }), 9);
	assert_int_equal(vm_resident(vm, BASE, 9 * PAGE_SIZE, vec), -ENOMEM);
	assert_int_equal(vm_lock(vm, BASE + 1, 2 * PAGE_SIZE, true, true, UINT64_MAX), 0);
	assert_int_equal(vm->nr_locked, 3);
	assert_int_equal(vm_resident(vm, BASE, 8 * PAGE_SIZE, vec), 0);
	assert_memory_equal(vec, ((unsigned char[]){ 1, 1, 1, 1, 0, 0, 0, 0 }), 8);
	assert_int_equal(vm_sync(vm, BASE, 8 * PAGE_SIZE, true, true), -EBUSY);
	assert_int_equal(vm_advise(vm, BASE, PAGE_SIZE, VM_ADVISE_DROP, 0, 0), -EINVAL);
	assert_int_equal(vm_lock(vm, BASE, 9 * PAGE_SIZE, true, true, UINT64_MAX), -ENOMEM);
	assert_int_equal(vm_lock(vm, BASE, 8 * PAGE_SIZE, false, false, UINT64_MAX), 0);
	assert_int_equal(vm->nr_locked, 0);
	assert_int_equal(vm->nr_areas, 1);
	assert_int_equal(vm_lock(vm, BASE, 8 * PAGE_SIZE, true, true, PAGE_SIZE), -ENOMEM);
	assert_int_equal(vm_lock_all(vm, false, true, true, UINT64_MAX), 0);
	assert_int_equal(vm_map(vm, &at, 4 * PAGE_SIZE, RW, 0, NULL, 0), 0);
	assert_int_equal(vm->nr_locked, 4);
	assert_int_equal(vm_resident(vm, at, 4 * PAGE_SIZE, vec), 0);
	assert_memory_equal(vec, ((unsigned char[]){ 1, 1, 1, 1 }), 4);
	at = 0;
	assert_int_equal(vm_map(vm, &at, 4 * PAGE_SIZE, RW, VM_SHARED, NULL, 0), 0);
	assert_int_equal(vm_lock_all(vm, false, false, false, 0), 0);
	assert_int_equal(vm_advise(vm, at, PAGE_SIZE, VM_ADVISE_REMOVE, 0, 0), 0);
	assert_int_equal(vm_resident(vm, at, 4 * PAGE_SIZE, vec), 0);
	assert_memory_equal(vec, ((unsigned char[]){ 0, 1, 1, 1 }), 4);
	assert_int_equal(vm_advise(vm, BASE, PAGE_SIZE, VM_ADVISE_REMOVE, 0, 0), -EINVAL);
	vmspace_end();
}

/* mremap(2) with length 0: the same pages twice. */
static void test_duplicate(void)
{
	uintptr_t at = 0, twice = 0;
	paddr_t one, two;

	vmspace_new();
	assert_int_equal(vm_map(vm, &at, 4 * PAGE_SIZE, RW, VM_SHARED, NULL, 0), 0);
	assert_int_equal(vm_remap(vm, at + PAGE_SIZE, 0, 2 * PAGE_SIZE, VM_REMAP_MAYMOVE, &twice), 0);
	assert_int_equal(vm_fault(vm, at + PAGE_SIZE, VM_ACCESS_WRITE, 0), 0);
	assert_int_equal(vm_fault(vm, twice, VM_ACCESS_READ, 0), 0);
	assert_true(arch_pt_lookup(&vm->arch, at + PAGE_SIZE, &one, NULL));
	assert_true(arch_pt_lookup(&vm->arch, twice, &two, NULL));
	assert_int_equal(one, two);
	map_at(BASE, PAGE_SIZE, RW, 0);
	assert_int_equal(vm_remap(vm, BASE, 0, PAGE_SIZE, VM_REMAP_MAYMOVE, &twice), -EINVAL);
	vmspace_end();
}

/* A move that runs out of memory on the way leaves everything where it was. */
static void test_move_failing(void)
{
	unsigned n = 1;
	uintptr_t to;
	int err;

	vmspace_new();
	map_at(BASE, 2000 * PAGE_SIZE, RW, VM_NOHUGE);
	for (unsigned long i = 0; i < 2000; i += 3)
		assert_int_equal(vm_fault(vm, va_of(i), VM_ACCESS_WRITE, 0), 0);
	do {
		to = BASE + GIB(1) - 5 * PAGE_SIZE;
		fail_in = n++;
		err = vm_remap(vm, BASE, 2000 * PAGE_SIZE, 2000 * PAGE_SIZE, VM_REMAP_MAYMOVE | VM_REMAP_FIXED, &to);
		fail_in = 0;
		for (unsigned long i = 0; i < 2000; i++)
			assert_int_equal(arch_pt_lookup(&vm->arch, (err ? BASE : to) + i * PAGE_SIZE, NULL, NULL),
					 i % 3 == 0);
		assert_int_equal(vm->nr_areas, 1);
	} while (err == -ENOMEM);
	assert_int_equal(err, 0);
	assert_true(n > 5);
	vmspace_end();
}

/* ---- Runs ------------------------------------------------------------------------------------------------------- */

static void run(void **state)
{
	void (*fn)(void) = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failed check must not go on with the next test here */
		alarm(300);
		machine_init();
		file_init();
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define IN_CHILD(fn)                                                                                                   \
	{                                                                                                              \
#fn, run, NULL, NULL, (void *)(fn)                                                                     \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_CHILD(test_large),	       IN_CHILD(test_stack),	    IN_CHILD(test_brk),
		IN_CHILD(test_bad_arguments),  IN_CHILD(test_many),	    IN_CHILD(test_tables),
		IN_CHILD(test_queries),	       IN_CHILD(test_duplicate),    IN_CHILD(test_random),
		IN_CHILD(test_random_failing), IN_CHILD(test_move_failing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
