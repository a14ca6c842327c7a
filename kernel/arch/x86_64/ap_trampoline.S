/*
 * First instructions of the other CPUs. A start-up interrupt makes them run in real mode at the start of a page below 1 MiB
 * (Intel SDM vol. 3, 9.4.3), so ap_start.c copies what stands between ap_trampoline and ap_trampoline_end there and fills
 * in its words. From real mode it goes straight to 64-bit mode: paging and protection are switched on at once. The page is
 * mapped at its own address, read-only, which is why the descriptors come with their accessed bits set.
 */
#include "kernel/arch/x86_64/regs.h"

	.section .rodata.trampoline, "a"
	.globl ap_trampoline, ap_trampoline_words, ap_trampoline_end
	.balign 16
	.code16
ap_trampoline:
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	lgdtl gdt_pointer - ap_trampoline
	mov word_cr4 - ap_trampoline, %eax
	mov %eax, %cr4
	mov word_cr3 - ap_trampoline, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	xor %edx, %edx
	mov word_efer - ap_trampoline, %eax
	wrmsr
	mov word_cr0 - ap_trampoline, %eax
	mov %eax, %cr0
	ljmpl *(far_pointer - ap_trampoline)

	.code64
long_mode:
	mov word_entry(%rip), %rax
	jmp *%rax

	.balign 16
gdt:
	.quad 0
	.quad 0x00209b0000000000	/* 64-bit code, accessed */
ap_trampoline_words:			/* struct trampoline_words in ap_start.c */
gdt_pointer:
	.word 15
	.long 0				/* physical address of gdt */
far_pointer:
	.long 0				/* physical address of long_mode */
	.word 8
word_cr0:
	.long 0
word_cr3:
	.long 0
word_cr4:
	.long 0
word_efer:
	.long 0
word_entry:
	.quad 0
ap_trampoline_end:

	.globl ap_trampoline_gdt, ap_trampoline_long_mode
	.set ap_trampoline_gdt, gdt
	.set ap_trampoline_long_mode, long_mode

/*
 * At the final addresses, no stack yet: finds the request for this CPU by its APIC id (CPUID leaf 0xb, EDX; leaf 1 on CPUs
 * without it) in the list of struct ap_request, which lie at the tops of the stacks they are for.
 */
	.section .text.ap_entry, "ax"
	.globl ap_entry
ap_entry:
	xor %eax, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	cpuid
	cmp $0xb, %eax
	jb 1f
	mov $0xb, %eax
	xor %ecx, %ecx
	cpuid
	test %ebx, %ebx
	jnz 2f
1:	mov $1, %eax
	cpuid
	shr $24, %ebx
	mov %ebx, %edx
2:	mov ap_requests(%rip), %rdi
3:	test %rdi, %rdi
	jz 4f
	cmp %edx, 8(%rdi)
	je 5f
	mov (%rdi), %rdi
	jmp 3b
4:	hlt				/* nobody asked for this CPU */
	jmp 4b
5:	mov %rdi, %rsp
	xor %ebp, %ebp
	call ap_main
	ud2

	.section .note.GNU-stack, "", @progbits
