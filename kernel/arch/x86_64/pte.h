/*
 * Page-table entries of the lower half (Intel SDM vol. 3, table 4-20), for whoever looks after them one by one. Supervisor
 * entries that are not global. Include kernel/arch/arch.h, not this.
 */
#ifndef KERNEL_ARCH_X86_64_PTE_H
#define KERNEL_ARCH_X86_64_PTE_H

#include "kernel/arch/x86_64/regs.h"

#define PTE_NX (1ul << 63)
#define PTE_ADDRESS 0x000ffffffffff000ul

static inline bool pte_is_present(pte_t pte)
{
	return pte & PTE_PRESENT;
}

static inline bool pte_is_writable(pte_t pte)
{
	return pte & PTE_WRITE;
}

static inline bool pte_is_executable(pte_t pte)
{
	return !(pte & PTE_NX);
}

static inline bool pte_is_owned(pte_t pte)
{
	return pte & PTE_OWNED;
}

static inline bool pte_is_private(pte_t pte)
{
	return pte & PTE_PRIVATE;
}

static inline bool pte_is_large(pte_t pte)
{
	return pte & PTE_LARGE;
}

static inline paddr_t pte_pa(pte_t pte)
{
	return pte & PTE_ADDRESS;
}

/* The bits for PROT: PT_READ is implied, write and execute may go together. */
static inline pte_t pte_bits(unsigned prot)
{
	pte_t bits = PTE_PRESENT | PTE_ACCESSED;

	if (prot & PT_WRITE)
		bits |= PTE_WRITE | PTE_DIRTY;
	if (!(prot & PT_EXEC))
		bits |= PTE_NX;
	else if (prot & PT_WRITE)
		bits |= PTE_WX;
	if (prot & PT_OWNED)
		bits |= PTE_OWNED;
	if (prot & PT_PRIVATE)
		bits |= PTE_PRIVATE;
	return bits;
}

static inline pte_t pte_make(paddr_t pa, unsigned prot)
{
	return pa | pte_bits(prot);
}

static inline pte_t pte_make_large(paddr_t pa, unsigned prot)
{
	return pa | pte_bits(prot) | PTE_LARGE;
}

/*
 * PTE with the protections PROT (PT_READ, PT_WRITE, PT_EXEC), and all else as it was. No protection: the entry keeps
 * its page, but
 * the CPU does not see it any more; it is not 0, and not present.
 */
static inline pte_t pte_protect(pte_t pte, unsigned prot)
{
	pte_t kept = pte & (PTE_ADDRESS | PTE_LARGE | PTE_OWNED | PTE_PRIVATE);

	return prot ? kept | pte_bits(prot) : kept | PTE_NX;
}

#endif
