/* Shared by entry.S and trap.c: the per-CPU words that interrupt entry reads. */
#ifndef KERNEL_ARCH_X86_64_TRAP_H
#define KERNEL_ARCH_X86_64_TRAP_H

#define TRAP_IRQ_FIRST 0x30

/* What a handler must find free on a kernel stack; less is reported as an overflow. */
#define STACK_MARGIN 1024

/* Offsets in struct trap_stack. */
#define TRAP_STACK_BOTTOM 0
#define TRAP_STACK_TOP 8
#define TRAP_STACK_ROOM 16
#define TRAP_STACK_PANIC 24

/* struct trapframe and struct arch_context of arch.h (asserted in trap.c). */
#define TRAPFRAME_VECTOR 120
#define TRAPFRAME_FLAGS 152
#define TRAPFRAME_SP 160
#define TRAPFRAME_SIZE 176
#define TRAP_VECTOR_SYSCALL 0x100
#define CONTEXT_APP 8

#ifndef __ASSEMBLY__
#include <stdbool.h>
#include <stdint.h>

struct arch_context;
struct trapframe;

struct trap_stack {
	uint64_t bottom, top; /* the running thread's kernel stack */
	uint64_t room;	      /* top - bottom - STACK_MARGIN: how far from bottom + margin a stack pointer may be */
	uint64_t panic_top;
};

extern struct trap_stack trap_stack; /* per-CPU */

/* Sizes of the IST stacks, which follow one another in each CPU's area, a guard page below each. */
#define IST_PANIC_SIZE 8192
#define IST_NMI_SIZE 4096
#define IST_ENTRY_SIZE 4096 /* two halves: interrupts, exceptions; only the entry code runs there */

extern char trap_exception_entries[], trap_irq_entries[];
void syscall_entry(void);
void app_switch(struct arch_context *prev, struct arch_context *next);
/* XSAVE or FXSAVE to memory that may not be there, and back from memory that may hold anything: 0, -EFAULT. */
int fpu_save_checked(void *area, bool has_xsave);
int fpu_restore_checked(const void *area, bool has_xsave);
void trap_handle_syscall(struct trapframe *frame);
/* To the registers of FRAME, which is copied to STACK_TOP first. */
void trap_return_to(const struct trapframe *frame, uintptr_t stack_top) __attribute__((noreturn));
void context_start(void);
/* Its descriptor is present. */
bool vector_is_open(unsigned vector);
int probe_read_byte(void *dst, const void *src);

void trap_handle_exception(struct trapframe *frame);
void trap_handle_irq(struct trapframe *frame);
void trap_handle_in_place(struct trapframe *frame);
void trap_bad_stack(struct trapframe *frame) __attribute__((noreturn));
#endif

#endif
