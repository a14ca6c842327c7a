/*
 * The allocators under load: on every CPU a thread that takes and gives back pages, objects, areas and stacks at random,
 * with contents that show when memory was handed out twice. Objects also go to the next CPU to be freed there.
 */
#include "kernel/core/cpu.h"
#include "kernel/core/thread.h"
#include "kernel/mem/page.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/vmap.h"
#include "lib/string.h"
#include "test/boot/guest/tap.h"

#define THREADS_MAX 8
#define HELD 64
#define ROUNDS 10000

enum kind {
	NOTHING,
	PAGES,
	OBJECT,
	AREA,
	STACK,
};

struct held {
	enum kind kind;
	unsigned order; /* PAGES */
	size_t len;
	uint64_t *memory;
};

struct worker {
	struct thread *thread;
	struct held held[HELD];
	uint64_t seed;
	void *inbox; /* atomic: an object from the thread before, to be freed by this one */
	unsigned damaged, refused;
};

static struct worker workers[THREADS_MAX];
static unsigned nr_workers;

static uint64_t next_random(struct worker *worker)
{
	worker->seed ^= worker->seed << 13;
	worker->seed ^= worker->seed >> 7;
	worker->seed ^= worker->seed << 17;
	return worker->seed;
}

/* Marks the first and the last word, of which small objects have but one. */
static uint64_t mark(const struct held *held)
{
	return (uintptr_t)held ^ held->len << 48;
}

static void take(struct worker *worker, struct held *held)
{
	uint64_t random = next_random(worker);
	enum kind kind = PAGES + random % 64 / 16;
	struct page *page;

	/* Areas cost a call to every CPU when they go, so they are few. */
	if (kind >= AREA && random >> 6 & 127)
		kind = OBJECT;
	held->kind = kind;
	switch (kind) {
	case PAGES:
		held->order = random >> 16 & 7 ? 0 : random >> 20 & 3;
		held->len = PAGE_SIZE << held->order;
		page = page_alloc(held->order, 0);
		held->memory = page ? page_to_virt(page) : NULL;
		break;
	case OBJECT:
		held->len = 8 + (random >> 16 & 0x3ff) / 8 * 8;
		held->memory = kmalloc(held->len);
		break;
	case AREA:
		held->len = PAGE_SIZE * (1 + (random >> 16 & 7));
		held->memory = vmap_alloc(held->len);
		break;
	default:
		held->len = KSTACK_SIZE;
		held->memory = kstack_alloc();
	}
	if (!held->memory) {
		worker->refused++;
		held->kind = NOTHING;
		return;
	}
	held->memory[held->len / 8 - 1] = mark(held);
	held->memory[0] = mark(held);
}

static void give(struct worker *worker, struct held *held)
{
	struct worker *next = worker + 1 < workers + nr_workers ? worker + 1 : workers;

	if (held->memory[0] != mark(held) || held->memory[held->len / 8 - 1] != mark(held))
		worker->damaged++;
	switch (held->kind) {
	case PAGES:
		page_free(page_from_virt(held->memory), held->order);
		break;
	case OBJECT:
		kfree(__atomic_exchange_n(&next->inbox, (void *)held->memory, __ATOMIC_ACQ_REL));
		break;
	case AREA:
		vmap_free(held->memory);
		break;
	default:
		kstack_free(held->memory);
	}
	held->kind = NOTHING;
}

static int work(void *arg)
{
	struct worker *worker = arg;

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct held *held = &worker->held[next_random(worker) % HELD];

		if (held->kind == NOTHING)
			take(worker, held);
		else
			give(worker, held);
		kfree(__atomic_exchange_n(&worker->inbox, NULL, __ATOMIC_ACQ_REL));
	}
	for (unsigned i = 0; i < HELD; i++)
		if (worker->held[i].kind != NOTHING)
			give(worker, &worker->held[i]);
	return 0;
}

/* One thread on each CPU, twice: the second time everything that caches keep is there, so nothing more may go. */
static bool run(void)
{
	unsigned damaged = 0, refused = 0;

	for (unsigned i = 0; i < nr_workers; i++) {
		uint64_t mask[CPU_MAX / 64] = { 1ull << i };

		workers[i].seed = 0x9e3779b97f4a7c15 + i;
		if (thread_create(&workers[i].thread, "alloc", work, &workers[i], 0))
			return false;
		thread_set_affinity(workers[i].thread, mask);
	}
	for (unsigned i = 0; i < nr_workers; i++)
		thread_join(workers[i].thread);
	for (unsigned i = 0; i < nr_workers; i++) {
		kfree(workers[i].inbox);
		workers[i].inbox = NULL;
		damaged += workers[i].damaged;
		refused += workers[i].refused;
	}
	TAP_EQUAL(damaged, 0, "contents stay as they were written");
	tap_note("%u CPUs, %u rounds each, %u requests refused", nr_workers, ROUNDS, refused);
	return true;
}

static void check_zero(void)
{
	struct page *page = page_alloc(2, PAGE_ZERO);
	uint64_t *words = page_to_virt(page), any = 0;

	for (unsigned i = 0; i < (PAGE_SIZE << 2) / 8; i++)
		any |= words[i];
	TAP_CHECK(!any, "PAGE_ZERO pages are zero");
	page_free(page, 2);
}

static void check_large(void)
{
	struct page *page = page_alloc(PAGE_ORDER_MAX, 0);

	if (!page) {
		tap_skip("a 2 MiB page", "too little memory");
		return;
	}
	TAP_CHECK(IS_ALIGNED(page_to_phys(page), LARGE_PAGE_SIZE), "a 2 MiB page is aligned");
	memset(page_to_virt(page), 0x5a, LARGE_PAGE_SIZE);
	page_free(page, PAGE_ORDER_MAX);
}

static void check_guards(void)
{
	char *area = vmap_alloc(3 * PAGE_SIZE), *stack = kstack_alloc();
	uint8_t byte;

	TAP_CHECK(vmap_is_guard((uintptr_t)area - 1) && vmap_is_guard((uintptr_t)area + 3 * PAGE_SIZE),
		  "an area stands between guard pages");
	TAP_CHECK(vmap_is_guard((uintptr_t)stack - 1) && vmap_is_guard((uintptr_t)stack + KSTACK_SIZE),
		  "a stack stands between guard pages");
	TAP_CHECK(!vmap_is_guard((uintptr_t)area) && !vmap_is_guard((uintptr_t)stack + KSTACK_SIZE - 1),
		  "areas and stacks are no guard pages");
	TAP_CHECK(arch_probe_read(&byte, area - 1, 1) && arch_probe_read(&byte, area + 3 * PAGE_SIZE, 1) &&
			  !arch_probe_read(&byte, area, 1),
		  "guard pages are not mapped, the area is");
	vmap_free(area);
	TAP_CHECK(arch_probe_read(&byte, area, 1), "a freed area is not mapped");
	kstack_free(stack);
}

int main(void)
{
	struct page_stats before, after;

	cpu_wait_online();
	nr_workers = MIN(nr_cpus_online, (unsigned)THREADS_MAX);
	check_zero();
	check_large();
	check_guards();
	if (!TAP_CHECK(run(), "threads start"))
		return tap_done();
	page_stats(&before);
	run();
	page_stats(&after);
	tap_note("%lu KiB, %lu free, %lu never touched", after.total * 4, after.free * 4, after.untouched * 4);
	TAP_CHECK(after.free + 512 > before.free, "a second run takes nothing more");
	return tap_done();
}
