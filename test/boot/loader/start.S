/*
 * Entry by PVH (Xen docs/misc/pvh.pandoc: 32-bit protected mode, paging off, flat segments, EBX = hvm_start_info), and the
 * two ways in which the loader leaves for the image.
 */
	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start

	.text
	.globl start
start:
	mov	$stack_top, %esp
	push	%ebx
	call	loader_main
	ud2

/* void enter_pvh(uint32_t entry, uint32_t start_info): as PVH has it, which is how this loader was entered itself. */
	.globl enter_pvh
enter_pvh:
	mov	4(%esp), %eax
	mov	8(%esp), %ebx
	cld
	jmp	*%eax

/*
 * void enter_linux64(uint32_t entry, uint32_t boot_params, uint32_t root, uint32_t gdtr, uint32_t cr4): long mode as
 * Firecracker's boot CPU has it: CR4.PAE (and what else CR4 says), EFER.LME|LMA, CR0.PE|PG, flat 64-bit CS 8, data
 * segments 16, TR 24, RSP = RBP = 0x8ff0, RSI = boot_params, flags 2. Everything else is zero.
 */
	.globl enter_linux64
enter_linux64:
	mov	4(%esp), %edi
	mov	8(%esp), %esi
	mov	12(%esp), %eax
	mov	16(%esp), %ebx
	lgdt	(%ebx)
	mov	%eax, %cr3
	mov	20(%esp), %eax
	and	$~0x20000, %eax		/* PCIDE comes after paging */
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx
	mov	$0x100, %eax
	xor	%edx, %edx
	wrmsr
	mov	$0x80000001, %eax
	mov	%eax, %cr0
	ljmp	$8, $long_mode

	.code64
long_mode:
	mov	20(%esp), %eax
	mov	%rax, %cr4
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	$24, %eax
	ltr	%ax
	mov	$0x8ff0, %esp
	mov	%esp, %ebp
	push	$2
	popf
	push	%rdi
	xor	%eax, %eax
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	ret

	.bss
	.balign 16
	.skip 8192
stack_top:
	.section .note.GNU-stack, "", @progbits
