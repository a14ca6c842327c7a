/*
 * The least PVH kernel: it writes one line to COM1 and resets the machine by a triple fault. What it costs is what the
 * monitor and its firmware cost; every boot figure stands on it. 20 bytes of code.
 */
	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start

	.text
	.globl start
start:
	cld
	mov	$line, %esi
	mov	$line_end - line, %ecx
	mov	$0x3f8, %edx
	rep outsb
	ud2

	.section .rodata, "a", @progbits
line:
	.ascii "floor\n"
line_end:
	.section .note.GNU-stack, "", @progbits
