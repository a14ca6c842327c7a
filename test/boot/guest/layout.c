/*
 * Says where this boot has put things, and what its first random numbers are, for test_layout.py to compare boots. Goes
 * through every page of the image and asks for memory that is both writable and executable.
 */
#include "kernel/arch/arch.h"
#include "kernel/core/cpu.h"
#include "kernel/core/panic.h"
#include "kernel/core/random.h"
#include "kernel/mem/aspace.h"
#include "kernel/mem/vmap.h"
#include "lib/errno.h"
#include "test/boot/guest/tap.h"

static struct {
	unsigned mapped, writable, executable, both;
} seen;

static void look_at(uintptr_t va)
{
	unsigned prot;

	if (!arch_pt_lookup(&arch_kernel_aspace, va, NULL, &prot))
		return;
	seen.mapped++;
	seen.writable += !!(prot & PT_WRITE);
	seen.executable += !!(prot & PT_EXEC);
	seen.both += prot & PT_WRITE && prot & PT_EXEC;
}

static void test_image(void)
{
	for (size_t at = 0; at < arch_layout.image_len; at += PAGE_SIZE)
		look_at(arch_layout.image_virt + at);
	tap_note("%u pages: %u writable, %u executable", seen.mapped, seen.writable, seen.executable);
	TAP_CHECK(seen.mapped && seen.writable && seen.executable, "the image has code and data");
	TAP_EQUAL(seen.both, 0, "no page of the image is both");
}

/* Direct map and kernel areas, as far as they are filled by now: only data. */
static void test_data_areas(void)
{
	char *area = vmap_alloc(PAGE_SIZE), *stack = kstack_alloc();

	seen.mapped = seen.executable = 0;
	for (paddr_t pa = 0; pa < 128ul << 20; pa += PAGE_SIZE)
		look_at((uintptr_t)arch_phys_to_virt(pa));
	look_at((uintptr_t)area);
	look_at((uintptr_t)stack);
	TAP_CHECK(seen.mapped > 2, "%u pages of the direct map and of areas are mapped", seen.mapped);
	TAP_EQUAL(seen.executable, 0, "none of them is executable");
	kstack_free(stack);
	vmap_free(area);
}

static void test_lowest(void)
{
	unsigned mapped = 0;

	for (uintptr_t va = 0; va < 2ul << 20; va += PAGE_SIZE)
		mapped += arch_pt_lookup(&arch_kernel_aspace, va, NULL, NULL);
	TAP_EQUAL(mapped, 0, "nothing is mapped in the lowest 2 MiB");
}

static void test_refusal(void)
{
	uintptr_t va = arch_layout.vmap_base + arch_layout.vmap_len - (1ul << 30);

	TAP_EQUAL(arch_pt_map(&arch_kernel_aspace, va, 0x1000, PAGE_SIZE, PT_READ | PT_WRITE | PT_EXEC), -EINVAL,
		  "a mapping that is writable and executable is refused");
	TAP_EQUAL(arch_pt_protect(&arch_kernel_aspace, arch_layout.image_virt, PAGE_SIZE, PT_READ | PT_WRITE | PT_EXEC),
		  -EINVAL, "and so is making one of what is mapped");
}

static void say_places(void)
{
	char *area = vmap_alloc(PAGE_SIZE), *stack = kstack_alloc();

	tap_note("image %lx", arch_layout.image_virt);
	tap_note("direct-map %lx", arch_layout.physmap_base);
	tap_note("page-array %lx", arch_layout.memmap_base);
	tap_note("area %lx", (uintptr_t)area);
	tap_note("stack %lx", (uintptr_t)stack);
	tap_note("canary %lx", __stack_chk_guard);
	tap_note("random %lx", random_u64());
	kstack_free(stack);
	vmap_free(area);
}

int main(void)
{
	cpu_wait_online(); /* until then they need the page in low memory that they start in */
	say_places();
	test_image();
	test_data_areas();
	test_lowest();
	test_refusal();
	return tap_done();
}
