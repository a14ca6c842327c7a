/* Marks that image.ld puts into the image, and what the boot files of this folder share. */
#ifndef KERNEL_ARCH_X86_64_IMAGE_H
#define KERNEL_ARCH_X86_64_IMAGE_H

#include <stdint.h>

#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/trap.h"

extern char image_start[], text_end[], rodata_end[], protected_start[], protected_end[], image_end[];
extern char percpu_start[], percpu_end[], percpu_area_end[];
extern char boot_stack_guard[], boot_stack_bottom[], boot_stack_top[];
extern const uint64_t relr_start[], relr_end[];
extern uint64_t boot_root_table[512], boot_pdpt[512], boot_pd[512];

/* A CPU's IST stacks, per-CPU, each with its guard page below. Sizes: trap.h. */
struct ist_stacks {
	char panic_guard[PAGE_SIZE], panic[IST_PANIC_SIZE];
	char nmi_guard[PAGE_SIZE], nmi[IST_NMI_SIZE];
	char entry_guard[PAGE_SIZE], entry[IST_ENTRY_SIZE];
};
extern struct ist_stacks ist_stacks;

/* Address of a page table: in the image for the first ones, in the direct map for all others. */
uint64_t *page_table_virt(paddr_t pa);
/*
 * Before relocation: the start code's page tables, with the image at its load address and at its final one. Returns their
 * root.
 */
paddr_t page_table_boot(void);
/* At the final addresses: the kernel's own tables, still empty. */
void page_table_init(void);

void early_start(unsigned entry, uint64_t info) __attribute__((noreturn));
void early_switch(paddr_t root, uintptr_t slide, void (*fn)(unsigned, uint64_t, uintptr_t), unsigned a, uint64_t b,
		  uintptr_t c) __attribute__((noreturn));

#endif
