/* The vDSO as the Makefile has linked it, in pages of its own: they are mapped into the application (vdso.c). */
	.section .vdso, "a"
	.balign 4096
	.globl vdso_image_start, vdso_image_end
	.hidden vdso_image_start, vdso_image_end
vdso_image_start:
	.incbin "kernel/linux/vdso.so"
	.balign 4096
vdso_image_end:

	.section .note.GNU-stack, "", @progbits
