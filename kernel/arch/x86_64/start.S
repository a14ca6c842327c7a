/*
 * First instructions, for each way into the image. All of them end in early_start(entry, info) in 64-bit mode, on the
 * boot stack, with the image identity-mapped and interrupts off.
 *
 * 32-bit entries: protected mode, flat segments, paging off, EBX = the protocol's information.
 *   PVH: Xen, docs/misc/pvh.pandoc. Multiboot2: specification 2.0, section 3.3, EAX = 0x36d76289.
 * 64-bit entry: Linux Documentation/arch/x86/boot.rst, "64-bit boot protocol", RSI = struct boot_params.
 * The code does not know its address until it has asked (call/pop): a PIE holds no absolute addresses before relocation.
 */
#include "kernel/arch/x86_64/regs.h"

	.section .text.start, "ax"
	.code32

	.globl start_multiboot2
start_multiboot2:
	mov $2, %edi
	cmp $0x36d76289, %eax
	je start32
	xor %edi, %edi			/* wrong magic: no protocol will claim entry 0 */
	jmp start32

	.globl start_pvh
start_pvh:
	mov $1, %edi
start32:
	cli
	cld
	/* Neither protocol gives a stack: borrow four bytes of the information for one return address. */
	mov (%ebx), %eax
	lea 4(%ebx), %esp
	call 1f
1:	pop %ebp
	mov %eax, (%ebx)
	lea (boot_stack_top - 1b)(%ebp), %esp
	push %ebx
	push %edi

	/* Long mode and no-execute, or nothing (CPUID 0x80000001 EDX; Intel SDM vol. 2, CPUID). */
	mov $0x80000000, %eax
	cpuid
	cmp $0x80000001, %eax
	jb no_long_mode
	mov $0x80000001, %eax
	cpuid
	and $(CPUID_EXT_EDX_LM | CPUID_EXT_EDX_NX), %edx
	cmp $(CPUID_EXT_EDX_LM | CPUID_EXT_EDX_NX), %edx
	jne no_long_mode

	/* Identity map of the image with 2 MiB pages, from 0 up to its end; early.c takes it away again. */
	lea (boot_pd - 1b)(%ebp), %ecx
	lea (boot_pdpt - 1b)(%ebp), %edx
	lea (boot_root_table - 1b)(%ebp), %esi
	lea (PTE_PRESENT | PTE_WRITE)(%ecx), %eax
	mov %eax, (%edx)
	lea (PTE_PRESENT | PTE_WRITE)(%edx), %eax
	mov %eax, (%esi)
	lea (image_end - 1b)(%ebp), %edx
	mov $(PTE_PRESENT | PTE_WRITE | PTE_LARGE), %eax
2:	mov %eax, (%ecx)
	add $8, %ecx
	add $0x200000, %eax
	cmp %edx, %eax
	jb 2b

	mov $CR4_PAE, %eax
	mov %eax, %cr4
	mov %esi, %cr3
	mov $MSR_EFER, %ecx
	rdmsr
	or $(EFER_LME | EFER_NXE), %eax
	wrmsr
	pop %edi
	pop %ebx
	mov %cr0, %eax
	and $~(CR0_EM | CR0_CD | CR0_NW), %eax
	or $(CR0_PG | CR0_PE), %eax
	mov %eax, %cr0

	/* A code segment with the L bit, for the jump into 64-bit mode; arch_cpu_init loads the real table. */
	lea (boot_gdt - 1b)(%ebp), %eax
	sub $8, %esp
	movw $15, (%esp)
	mov %eax, 2(%esp)
	lgdt (%esp)
	lea (3f - 1b)(%ebp), %eax
	push $8
	push %eax
	lret

no_long_mode:
	/* No page tables, no console: the first serial port, byte by byte. */
	lea (no_long_mode_text - 1b)(%ebp), %esi
	mov $0x3f8, %dx
4:	lodsb
	test %al, %al
	jz 5f
	out %al, %dx
	jmp 4b
5:	hlt
	jmp 5b

	.code64
3:	mov %ebx, %esi
	lea boot_stack_top(%rip), %rsp
	jmp start64

	.globl start_linux64
start_linux64:
	cli
	cld
	mov $3, %edi
	lea boot_stack_top(%rip), %rsp
	mov %cr4, %rax
	test $CR4_LA57, %eax
	jnz leave_long_mode
start64:
	xor %eax, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	xor %ebp, %ebp
	call early_start
	ud2

/*
 * The loader has 5-level page tables, ours have 4, and LA57 changes only while paging is off (Intel SDM vol. 3, 2.5): back to
 * protected mode and from there on like the 32-bit entries. PCIDE has to go first (vol. 2B, MOV to control registers). What
 * RSI points to must lie below 4 GiB for this, as boot_params does everywhere; if not, its magic is found missing.
 */
leave_long_mode:
	and $~CR4_PCIDE, %eax
	mov %rax, %cr4
	mov %esi, %ebx
	lea boot_gdt(%rip), %rax
	push %rax
	sub $8, %rsp
	movw $31, 6(%rsp)
	lgdt 6(%rsp)
	lea 6f(%rip), %rax
	push $0x10
	push %rax
	lretq
	.code32
6:	mov $0x18, %eax
	mov %eax, %ds
	mov %eax, %ss
	mov %cr0, %eax
	and $~CR0_PG, %eax
	mov %eax, %cr0
	jmp start32
	.code64

/*
 * early_switch(root, slide, fn, a, b, c): calls fn(a, b, c) under the page tables at ROOT, SLIDE bytes from here, on an empty
 * boot stack. Does not return, so that no register keeps an address from before.
 */
	.globl early_switch
early_switch:
	mov %rdi, %cr3
	lea boot_stack_top(%rip), %rsp
	add %rsi, %rsp
	lea (%rdx, %rsi), %rax
	mov %rcx, %rdi
	mov %r8, %rsi
	mov %r9, %rdx
	xor %ebp, %ebp
	push $0			/* no caller: ends a backtrace */
	jmp *%rax

	.section .rodata.start, "a"
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00209b0000000000	/* code, present, ring 0, L */
	.quad 0x00cf9b000000ffff	/* code, 32-bit, flat */
	.quad 0x00cf93000000ffff	/* data, flat */
no_long_mode_text:
	.asciz "drupe: this CPU has no 64-bit mode with no-execute pages\n"

	.section .bss.boot_stack, "aw", @nobits
	.globl boot_stack_guard, boot_stack_bottom, boot_stack_top
	.balign 4096
boot_stack_guard:
	.skip 4096
boot_stack_bottom:
	.skip 16384
boot_stack_top:

	.section .bss.page_tables, "aw", @nobits
	.globl boot_root_table, boot_pdpt, boot_pd
	.balign 4096
boot_root_table:
	.skip 4096
boot_pdpt:
	.skip 4096
boot_pd:
	.skip 4096

	.section .note.GNU-stack, "", @progbits
