/* Bits of control registers, MSRs, CPUID and page-table entries (Intel SDM vol. 3, 2.5, 4.5; vol. 4). Used by .S and .c. */
#ifndef KERNEL_ARCH_X86_64_REGS_H
#define KERNEL_ARCH_X86_64_REGS_H

#define CR0_PE 0x1
#define CR0_MP 0x2
#define CR0_EM 0x4
#define CR0_ET 0x10
#define CR0_NE 0x20
#define CR0_WP 0x10000
#define CR0_NW 0x20000000
#define CR0_CD 0x40000000
#define CR0_PG 0x80000000

#define CR4_PAE 0x20
#define CR4_MCE 0x40
#define CR4_PGE 0x80
#define CR4_OSFXSR 0x200
#define CR4_OSXMMEXCPT 0x400
#define CR4_LA57 0x1000
#define CR4_PCIDE 0x20000

/*
 * What every CPU runs with, whatever a loader left: write protection in ring 0, SSE usable, machine checks reported. Global
 * pages come last, when paging is on and under the kernel's own tables (2.5, PGE): CR4_KERNEL | CR4_PGE.
 */
#define CR0_KERNEL (CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE)
#define CR4_KERNEL (CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT)

#define CR4_OSXSAVE 0x40000

#define FLAGS_FIXED 0x2 /* always 1 */
#define FLAGS_TF 0x100
#define FLAGS_DF 0x400
#define FLAGS_NT 0x4000
#define FLAGS_AC 0x40000

#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_SFMASK 0xc0000084
#define MSR_EFER 0xc0000080
#define EFER_SCE 0x1
#define EFER_LME 0x100
#define EFER_NXE 0x800

#define CPUID_EXT_EDX_NX 0x100000
#define CPUID_EXT_EDX_LM 0x20000000

#define PTE_PRESENT 0x1
#define PTE_WRITE 0x2
#define PTE_PWT 0x8
#define PTE_PCD 0x10
#define PTE_ACCESSED 0x20
#define PTE_DIRTY 0x40
#define PTE_LARGE 0x80
#define PTE_GLOBAL 0x100
/* Ours, bits that the CPU ignores: writable and executable on purpose; PT_OWNED; PT_PRIVATE. */
#define PTE_WX 0x200
#define PTE_OWNED 0x400
#define PTE_PRIVATE 0x800

/* Segment selectors of cpu.c's descriptor table. */
#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS 0x18

#endif
