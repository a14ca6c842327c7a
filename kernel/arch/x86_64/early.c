/*
 * From the first C to the final address space. early_start runs at the load address under an identity map, before the
 * image is relocated: it decides the random layout, relocates, and jumps to the final addresses. early_high maps the image
 * there with its final protections. Nothing before it may use an absolute address, nor a stack canary.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/image.h"
#include "kernel/arch/x86_64/msr.h"
#include "kernel/arch/x86_64/regs.h"
#include "lib/chacha20.h"
#include "lib/util.h"

#define LINK_BASE 0x100000ul

extern uintptr_t __stack_chk_guard;

struct arch_layout arch_layout __attribute__((section(".bss.protected")));
uint64_t arch_boot_noise[8];

/*
 * What differs from boot to boot before any device is up: hardware random numbers where the CPU has them, the time stamp
 * counter around slow instructions, what the loader left in its information block. Without RDRAND this is weak
 * (tens of bits); doc/security.md says so. random_init mixes all of it into the generator.
 */
static void noise_collect(uint64_t info)
{
	arch_random_hw(arch_boot_noise, sizeof arch_boot_noise);
	for (unsigned i = 0; i < ARRAY_SIZE(arch_boot_noise); i++) {
		uint64_t before = arch_ticks();

		/* A port access leaves to the monitor; what it takes depends on the host. PIT channel 0, whatever it counts. */
		uint64_t count = arch_in8(0x40);

		arch_boot_noise[i] ^= before << 32 ^ count << 24 ^ (arch_ticks() - before) ^ info;
	}
}

/*
 * Bases of the kernel's areas in the upper half, in slots of one top-level table entry each (512 GiB), so that no two areas
 * share tables that change:
 *   slots   0..191  direct map: 128 slots (PHYS_MAX) from one of 63, in 1 GiB steps
 *   slots 194..211  page array: 2 slots from one of 16, in 1 GiB steps
 *   slots 216..247  image in the first half of one slot, in 2 MiB steps so that large pages fit; vmap in its second half
 * Returns the direct map's base, which takes effect once the code runs in the upper half.
 */
__attribute__((no_stack_protector)) static uintptr_t layout_choose(uintptr_t image_phys)
{
	const uintptr_t slot = 1ul << 39, upper = 0xffff800000000000ul;
	uint64_t r[8];

	chacha20_block((const uint32_t *)arch_boot_noise, 0, (const uint32_t *)&arch_boot_noise[4], (uint8_t *)r);

	uintptr_t image_slot = upper + slot * (216 + r[0] % 32);
	/*
	 * Within one GiB, so that one page directory holds it, and behind those of its entries that map the image where it
	 * is now: see page_table_boot. image.ld limits the image to a size that leaves a choice.
	 */
	uintptr_t blocks = arch_layout.image_len / LARGE_PAGE_SIZE + 2;
	uintptr_t block = blocks + (r[1] >> 32) % (HUGE_PAGE_SIZE / LARGE_PAGE_SIZE - 2 * blocks);

	arch_layout.image_virt = image_slot + r[1] % (slot / 2 / HUGE_PAGE_SIZE) * HUGE_PAGE_SIZE +
				 block * LARGE_PAGE_SIZE + image_phys % LARGE_PAGE_SIZE;
	arch_layout.slide = arch_layout.image_virt - LINK_BASE;
	arch_layout.vmap_base = image_slot + slot / 2 + r[2] % 128 * HUGE_PAGE_SIZE;
	arch_layout.vmap_len = slot / 4;
	arch_layout.memmap_base = upper + slot * (194 + r[3] % 16) + r[4] % 512 * HUGE_PAGE_SIZE;
	__stack_chk_guard = r[5] & ~0xfful; /* its zero byte stops overruns by strings */
	return upper + slot * (r[6] % 63) + r[7] % 512 * HUGE_PAGE_SIZE;
}

/* RELR (gABI, "Relative Relocations"): an even word is an address, an odd one a bitmap of the 63 words after it. */
static void relocate(uintptr_t load_offset, uintptr_t slide)
{
	uint64_t *where = NULL;

	for (const uint64_t *r = relr_start; r < relr_end; r++) {
		if (!(*r & 1)) {
			where = (uint64_t *)(*r + load_offset);
			*where++ += slide;
			continue;
		}
		uint64_t *word = where;
		for (uint64_t bits = *r >> 1; bits; bits >>= 1, word++) {
			if (bits & 1)
				*word += slide; /* NOLINT: the linker's table begins with an address, so WHERE is set */
		}
		where += 63;
	}
}

/*
 * The parts of the image with their final protections; guard pages are not mapped. The image is at most a few megabytes and
 * the tables come from the static pool: this cannot fail.
 */
static void image_map(void)
{
	static const struct {
		const char *end;
		unsigned prot;
	} parts[] = {
		{ text_end, PT_READ | PT_EXEC },
		{ rodata_end, PT_READ },
		{ ist_stacks.panic_guard, PT_READ | PT_WRITE },
		{ ist_stacks.panic, 0 },
		{ ist_stacks.nmi_guard, PT_READ | PT_WRITE },
		{ ist_stacks.nmi, 0 },
		{ ist_stacks.entry_guard, PT_READ | PT_WRITE },
		{ ist_stacks.entry, 0 },
		{ boot_stack_guard, PT_READ | PT_WRITE },
		{ boot_stack_bottom, 0 },
		{ image_end, PT_READ | PT_WRITE },
	};
	const char *start = image_start;

	for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
		if (parts[i].prot)
			arch_pt_map(&arch_kernel_aspace, (uintptr_t)start,
				    arch_layout.image_phys + (size_t)(start - image_start),
				    (size_t)(parts[i].end - start), parts[i].prot);
		start = parts[i].end;
	}
}

/*
 * From the start code's page tables to the kernel's own, with the control registers as the kernel wants them. Without PGE in
 * between, so that no translation survives that a loader had marked global (Intel SDM vol. 3, 4.10.4.1).
 */
static void address_space_enter(void)
{
	write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_NXE | EFER_SCE);
	write_cr0(CR0_KERNEL);
	write_cr4(CR4_KERNEL);
	write_cr3(arch_kernel_aspace.root);
	write_cr4(CR4_KERNEL | CR4_PGE);
}

/*
 * At the final addresses, on the boot stack, but still under the start code's page tables, in which all of the image is
 * writable and executable.
 */
static void early_high(unsigned entry, uint64_t info, uintptr_t physmap_base)
{
	arch_layout.physmap_base = physmap_base;
	arch_layout.boot_stack_bottom = (uintptr_t)boot_stack_bottom;
	arch_layout.boot_stack_top = (uintptr_t)boot_stack_top;
	page_table_init();
	image_map();
	address_space_enter();
	arch_cpu_init((void *)percpu_start);
	arch_kernel_stack_set(arch_layout.boot_stack_bottom, arch_layout.boot_stack_top);
	arch_upcalls.start(entry, info);
	__builtin_unreachable();
}

__attribute__((no_stack_protector)) void early_start(unsigned entry, uint64_t info)
{
	uintptr_t image_phys = (uintptr_t)image_start;
	uintptr_t physmap_base;

	arch_layout.image_phys = image_phys;
	arch_layout.image_len = (size_t)(image_end - image_start);
	noise_collect(info);
	physmap_base = layout_choose(image_phys);
	relocate(image_phys - LINK_BASE, arch_layout.slide);
	early_switch(page_table_boot(), arch_layout.image_virt - image_phys, early_high, entry, info, physmap_base);
}
