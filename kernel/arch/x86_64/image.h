/* Marks that image.ld puts into the image, and what the boot files of this folder share. */
#ifndef KERNEL_ARCH_X86_64_IMAGE_H
#define KERNEL_ARCH_X86_64_IMAGE_H

#include <stdint.h>

#include "kernel/arch/arch.h"

extern char image_start[], text_end[], rodata_end[], protected_start[], protected_end[], image_end[];
extern char percpu_start[], percpu_end[], percpu_area_end[];
extern char boot_stack_guard[], boot_stack_bottom[], boot_stack_top[];
extern const uint64_t relr_start[], relr_end[];
extern uint64_t arch_root_table[512], boot_pdpt[512], boot_pd[512];

/* Address of a page table: in the image for the first ones, in the direct map for all others. */
uint64_t *page_table_virt(paddr_t pa);
/* Maps the image's physical range at the same virtual addresses, executable, for the switch to the final ones. */
void page_table_identity(paddr_t image_phys, size_t len);
/* Removes the identity map of the start code; its two tables serve as ordinary ones then. */
void page_table_drop_identity(void);

void early_start(unsigned entry, uint64_t info) __attribute__((noreturn));
void early_switch(paddr_t root, uintptr_t slide, void (*fn)(unsigned, uint64_t, uintptr_t), unsigned a, uint64_t b,
		  uintptr_t c) __attribute__((noreturn));

/* Unmaps the guard pages between the trap stacks of the CPU whose per-CPU area lies DELTA after the boot CPU's. */
void trap_stacks_guard(uintptr_t delta);

#endif
