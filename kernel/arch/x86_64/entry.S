/*
 * Interrupt and exception entry. The CPU switches to an IST stack for every vector, because the interrupted code may be
 * the application with a red zone below its stack pointer, or have no usable stack at all. From there:
 *
 *   vectors 32.. (IST 1) and exceptions (IST 2): the frame moves at once to the running thread's kernel stack, below the
 *     stack pointer if that is where it was, at the top if not (application stack: lower half). So handlers may sleep, be
 *     preempted and nest. A stack pointer in the upper half that is not on the thread's stack, or has less than
 *     STACK_MARGIN left, is a kernel bug: the frame goes to the panic stack and trap_bad_stack reports it. But not if the
 *     interrupted code lies in the lower half: an application may have lost its stack pointer.
 *   NMI (IST 3), double fault and machine check (IST 4, the panic stack): handled where they are.
 *
 * The frame is struct trapframe. Exceptions push vector and error code; interrupts push only vector - 128, as one byte,
 * and have no error code.
 */
#include "kernel/arch/x86_64/regs.h"
#include "kernel/arch/x86_64/trap.h"

	.section .text.entry, "ax"

	.macro save_from_rsi
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	.endm

	.macro save_from_rbx
	push %rbx
	push 8(%rdx)		/* rcx */
	push (%rdx)		/* rdx */
	save_from_rsi
	.endm

	.macro restore_and_return
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	add $16, %rsp		/* vector, error */
	iretq
	.endm

	/* On an IST stack: vector, error, ip, cs, flags, sp, ss. */
	.macro trap_entry handler
	cld
	push %rax
	push %rcx
	push %rdx
	mov %rsp, %rdx
	mov 64(%rdx), %rax	/* interrupted stack pointer */
	test %rax, %rax
	js 1f
	mov %gs:trap_stack+TRAP_STACK_TOP(%rip), %rax
	jmp 2f
1:	mov %rax, %rcx
	sub %gs:trap_stack+TRAP_STACK_BOTTOM(%rip), %rcx
	sub $STACK_MARGIN, %rcx
	cmp %gs:trap_stack+TRAP_STACK_ROOM(%rip), %rcx
	ja 3f
	and $-16, %rax
2:	mov %rax, %rsp
	push 72(%rdx)
	push 64(%rdx)
	push 56(%rdx)
	push 48(%rdx)
	push 40(%rdx)
	push 32(%rdx)
	push 24(%rdx)
	push 16(%rdx)		/* rax */
	save_from_rbx
	mov %rsp, %rdi
	call \handler
	restore_and_return
3:	mov %gs:trap_stack+TRAP_STACK_TOP(%rip), %rax
	btq $63, 40(%rdx)	/* interrupted ip */
	jnc 2b
	jmp bad_stack
	.endm

	.balign 16
trap_exception:
	trap_entry trap_handle_exception

	.balign 16
trap_irq:
	push (%rsp)
	trap_entry trap_handle_irq

bad_stack:
	mov %gs:trap_stack+TRAP_STACK_PANIC(%rip), %rsp
	push 72(%rdx)
	push 64(%rdx)
	push 56(%rdx)
	push 48(%rdx)
	push 40(%rdx)
	push 32(%rdx)
	push 24(%rdx)
	push 16(%rdx)
	save_from_rbx
	mov %rsp, %rdi
	call trap_bad_stack
	ud2

	/* NMI, double fault, machine check: on their own IST stack, the frame stays there. */
	.balign 16
trap_in_place:
	cld
	push %rax
	push %rbx
	push %rcx
	push %rdx
	save_from_rsi
	mov %rsp, %rdi
	call trap_handle_in_place
	restore_and_return

	/* Entry points of the exceptions, 16 bytes each; those without an error code push 0 (Intel SDM vol. 3, 6.15). */
	.globl trap_exception_entries
	.balign 16
trap_exception_entries:
	.set vector, 0
	.rept 32
	.balign 16
	.if !((vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || \
	      (vector == 29) || (vector == 30))
	push $0
	.endif
	push $vector
	.if (vector == 2) || (vector == 8) || (vector == 18)
	jmp trap_in_place
	.else
	jmp trap_exception
	.endif
	.set vector, vector + 1
	.endr

	/* Entry points of the interrupts from VECTOR_IRQ_FIRST on, 8 bytes each. */
	.globl trap_irq_entries
	.balign 16
trap_irq_entries:
	.set vector, TRAP_IRQ_FIRST
	.rept 256 - TRAP_IRQ_FIRST
	.balign 8
	push $(vector - 128)
	jmp trap_irq
	.set vector, vector + 1
	.endr

	/*
	 * SYSCALL (Intel SDM vol. 2B): rip in rcx, flags in r11; interrupts and direction are off by SFMASK. From ring
	 * 0 it works
	 * as from ring 3, but SYSRET would go to ring 3, so the way back is a jump. The application's stack has a red zone
	 * and is not touched: everything is on the kernel stack, in the form of struct trapframe, error being the number.
	 */
	.balign 16
	.globl syscall_entry
syscall_entry:
	mov %rsp, %gs:syscall_sp(%rip)
	mov %gs:trap_stack+TRAP_STACK_TOP(%rip), %rsp
	push $SELECTOR_DATA
	push %gs:syscall_sp(%rip)
	push %r11
	push $SELECTOR_CODE
	push %rcx
	push %rax
	push $TRAP_VECTOR_SYSCALL
	push %rax
	push %rbx
	push %rcx
	push %rdx
	save_from_rsi
	mov %rsp, %rdi
	xor %ebp, %ebp
	call trap_handle_syscall
	/* Interrupts are off. Flags that a jump does not bring back, or a frame that was changed: by IRETQ. */
	cmpl $TRAP_VECTOR_SYSCALL, TRAPFRAME_VECTOR(%rsp)
	jne 1f
	testl $(FLAGS_TF | FLAGS_DF | FLAGS_NT | FLAGS_AC), TRAPFRAME_FLAGS(%rsp)
	jnz 1f
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	mov TRAPFRAME_SP-TRAPFRAME_VECTOR(%rsp), %rsp
	sti			/* takes effect after the jump: nothing comes in between */
	jmp *%rcx
1:	restore_and_return

	/* trap_return_to(frame, stack_top). Interrupts are off. */
	.globl trap_return_to
trap_return_to:
	lea -TRAPFRAME_SIZE(%rsi), %rsp
	mov %rdi, %rsi
	mov %rsp, %rdi
	mov $TRAPFRAME_SIZE / 8, %ecx
	rep movsq
	restore_and_return

	/*
	 * arch_context_switch(prev, next): the callee-saved registers on the stack, the stack pointer in the context.
	 * arch_context_init prepares a stack that "returns" into context_start.
	 */
	.section .text.context, "ax"
	.globl arch_context_switch, context_start
arch_context_switch:
	mov CONTEXT_APP(%rdi), %rax
	or CONTEXT_APP(%rsi), %rax
	jnz 2f
1:	push %rbp
	push %rbx
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, (%rdi)
	mov (%rsi), %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbx
	pop %rbp
	ret
	/* One of them is an application's. */
2:	push %rdi
	push %rsi
	sub $8, %rsp
	call app_switch
	add $8, %rsp
	pop %rsi
	pop %rdi
	jmp 1b

context_start:
	xor %ebp, %ebp
	mov %r12, %rdi
	call *%rbx
	ud2

	/* probe_read_byte(dst, src): 0 or -EFAULT through the exception table. */
	.section .text.probe, "ax"
	.globl probe_read_byte
probe_read_byte:
1:	movzbl (%rsi), %eax
	mov %al, (%rdi)
	xor %eax, %eax
	ret
2:	mov $-14, %eax
	ret
	.section .ex_table, "a"
	.balign 4
	.long 1b - ., 2b - .

	/* fpu_save_checked(area, has_xsave), fpu_restore_checked: 0 or -EFAULT through the exception table. */
	.section .text.fpu, "ax"
	.globl fpu_save_checked, fpu_restore_checked
fpu_save_checked:
	mov $-1, %eax
	mov $-1, %edx
	test %sil, %sil
	jz 2f
1:	xsave64 (%rdi)
	xor %eax, %eax
	ret
2:	fxsave64 (%rdi)
	xor %eax, %eax
	ret
fpu_restore_checked:
	mov $-1, %eax
	mov $-1, %edx
	test %sil, %sil
	jz 4f
3:	xrstor64 (%rdi)
	xor %eax, %eax
	ret
4:	fxrstor64 (%rdi)
	xor %eax, %eax
	ret
5:	mov $-14, %eax
	ret
	.section .ex_table, "a"
	.balign 4
	.long 1b - ., 5b - .
	.long 2b - ., 5b - .
	.long 3b - ., 5b - .
	.long 4b - ., 5b - .

	.section .note.GNU-stack, "", @progbits
