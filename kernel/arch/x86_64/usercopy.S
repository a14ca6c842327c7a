/*
 * Memory that an application named, touched by instructions that the exception table knows (arch.h). A page that only
 * has not been
 * touched yet comes in meanwhile, and the instruction goes on. Where one faults for good, a copy of words goes on bytewise
 * from where it stopped, so that all bytes before the hole are done.
 */
	.macro mend from, to
	.pushsection .ex_table, "a"
	.balign 4
	.long \from - ., \to - .
	.popsection
	.endm

	.section .text.usercopy, "ax"
	.globl arch_copy_checked, arch_clear_checked, arch_copy_string_checked
	.globl arch_load32_checked, arch_store32_checked, arch_cmpxchg32_checked

	/* dst rdi, src rsi, len rdx; rax: how many bytes are left */
	.balign 16
arch_copy_checked:
	cmp $8, %rdx
	jb 3f
	mov %rdx, %rcx
	and $7, %edx
	shr $3, %rcx
1:	rep movsq
	/* The bytes from here on, rcx * 8 of them that words could not do. */
2:	lea (%rdx,%rcx,8), %rcx
	test %rcx, %rcx
	jz 5f
4:	rep movsb
5:	mov %rcx, %rax
	ret
3:	cmp $1, %edx
	jne 7f
6:	movzbl (%rsi), %eax
8:	mov %al, (%rdi)
	xor %eax, %eax
	ret
7:	mov %rdx, %rcx
	jmp 4b
9:	mov $1, %eax
	ret
	mend 1b, 2b
	mend 4b, 5b
	mend 6b, 9b
	mend 8b, 9b

	/* dst rdi, len rsi */
	.balign 16
arch_clear_checked:
	xor %eax, %eax
	mov %rsi, %rcx
	and $7, %esi
	shr $3, %rcx
1:	rep stosq
2:	lea (%rsi,%rcx,8), %rcx
3:	rep stosb
4:	mov %rcx, %rax
	ret
	mend 1b, 2b
	mend 3b, 4b

	/*
	 * dst rdi, src rsi, size rdx. Eight bytes at a time as long as they lie in one page and none of them is zero:
	 * (w - 0x01..)
	 * & ~w & 0x80.. is not 0 exactly when one is.
	 */
	.balign 16
arch_copy_string_checked:
	xor %ecx, %ecx
	movabs $0x0101010101010101, %r8
	movabs $0x8080808080808080, %r9
1:	lea 8(%rcx), %rax
	cmp %rdx, %rax
	ja 4f
	lea (%rsi,%rcx), %eax
	and $0xfff, %eax
	cmp $0xff8, %eax
	ja 4f
2:	mov (%rsi,%rcx), %r10
	mov %r10, %rax
	mov %r10, %r11
	sub %r8, %rax
	not %r11
	and %r11, %rax
	and %r9, %rax
	jnz 3f
	mov %r10, (%rdi,%rcx)
	add $8, %rcx
	jmp 1b
	/* The zero is in byte bsf / 8, whatever stands behind it. */
3:	bsf %rax, %rax
	shr $3, %eax
	add %rcx, %rax
	/* The bytes from here to the zero, from the word. */
7:	mov %r10b, (%rdi,%rcx)
	shr $8, %r10
	inc %rcx
	cmp %rax, %rcx
	jbe 7b
	ret
	/* A byte, up to where words can go on. */
4:	cmp %rdx, %rcx
	jae 6f
5:	movzbl (%rsi,%rcx), %eax
	mov %al, (%rdi,%rcx)
	test %al, %al
	jz 6f
	inc %rcx
	jmp 1b
6:	mov %rcx, %rax
	ret
8:	mov $-14, %rax
	ret
	mend 2b, 4b
	mend 5b, 8b

	.balign 16
arch_load32_checked:
1:	mov (%rdi), %eax
	mov %eax, (%rsi)
	xor %eax, %eax
	ret
	mend 1b, checked_fault

	.balign 16
arch_store32_checked:
1:	mov %esi, (%rdi)
	xor %eax, %eax
	ret
	mend 1b, checked_fault

	/* p rdi, expected esi, desired edx, seen rcx */
	.balign 16
arch_cmpxchg32_checked:
	mov %esi, %eax
1:	lock cmpxchg %edx, (%rdi)
	mov %eax, (%rcx)
	xor %eax, %eax
	ret
	mend 1b, checked_fault

checked_fault:
	mov $-14, %eax
	ret

	.section .note.GNU-stack, "", @progbits
