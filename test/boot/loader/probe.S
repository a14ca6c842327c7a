/*
 * The loader's own test: an image that says by which protocol it was entered and whether the registers are right. It ends
 * with guest status 5.
 */
	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start32

	.text
	.code64
	.globl start64
start64:
	cmp	$0x7000, %rsi
	jne	bad
	cmpl	$0x53726448, 0x202(%rsi) /* boot_params: "HdrS" */
	jne	bad
	mov	%cs, %eax
	cmp	$8, %eax
	jne	bad
	cmp	$0x8ff0, %rsp
	jne	bad
	mov	$8, %ecx
	lea	linux64(%rip), %rsi
	jmp	say
bad:
	mov	$4, %ecx
	lea	wrong(%rip), %rsi
say:
	mov	$0x3f8, %edx
	rep outsb
	mov	$5, %al
	out	%al, $0xf4

	.code32
start32:
	cmpl	$0x336ec578, (%ebx)
	jne	bad
	mov	$4, %ecx
	cmpl	$0, 32(%ebx) /* hvm_start_info.rsdp_paddr */
	mov	$pvh0, %esi
	je	say
	mov	$pvh, %esi
	jmp	say

	.section .rodata, "a", @progbits
linux64: .ascii "linux64\n"
wrong:	.ascii "bad\n"
pvh:	.ascii "pvh\n"
pvh0:	.ascii "pv0\n"
	.section .note.GNU-stack, "", @progbits
