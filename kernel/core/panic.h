/*
 * A bug in the kernel ends here: report, backtrace, every other CPU stopped, exit status EXIT_PANIC (abi/exit.h). Nothing
 * from outside the kernel (device, packet, disk, program) may reach it; see DESIGN.md, invariant 7.
 */
#ifndef KERNEL_CORE_PANIC_H
#define KERNEL_CORE_PANIC_H

#include <stdint.h>

struct trapframe;

void panic(const char *format, ...) __attribute__((noreturn, cold, format(printf, 1, 2)));
void panic_frame(const struct trapframe *frame, const char *format, ...)
	__attribute__((noreturn, cold, format(printf, 2, 3)));

/*
 * What ends the machine after the report, with EXIT_PANIC and interrupts disabled; kernel/dev/machine.c sets it. NULL, or
 * when it returns: arch_machine_reset.
 */
extern void (*panic_exit)(int status);

/* arch_upcalls.nmi: stops this CPU when another one panics, else returns. */
void panic_nmi(struct trapframe *frame);

/* What the compiler's stack protector compares and calls. The architecture gives the guard its random value. */
extern uintptr_t __stack_chk_guard;
void __stack_chk_fail(void) __attribute__((noreturn, cold));

/* Checked in every build. Use for cheap invariants whose failure would corrupt memory. */
#define BUG_ON(condition)                                                                                              \
	do {                                                                                                           \
		if (__builtin_expect(!!(condition), 0))                                                                \
			panic("%s:%d: %s", __FILE_NAME__, __LINE__, #condition);                                       \
	} while (0)

/* Checked in debug builds only (make BUILD=debug). */
#ifdef DRUPE_DEBUG
#define DEBUG_BUG_ON(condition) BUG_ON(condition)
#else
#define DEBUG_BUG_ON(condition) ((void)sizeof(condition))
#endif

#endif
