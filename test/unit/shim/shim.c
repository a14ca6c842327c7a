/* See shim.h. */
#include "test/unit/shim/shim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/core/cpu.h"
#include "kernel/core/lock.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"

#define WEAK __attribute__((weak))

void mock_assert(int result, const char *expression, const char *file,
		 int line) WEAK; /* cmocka's, where it is linked */
size_t strlcpy(char *restrict dst, const char *restrict src, size_t size);

WEAK bool shim_irq_enabled = true;
WEAK char shim_panic_text[512];
WEAK char shim_log_text[512];
WEAK unsigned cpu_self_nr, preempt_count, preempt_needed;
WEAK unsigned nr_cpus = 1, nr_cpus_online = 1;
WEAK uintptr_t percpu_delta_self;
WEAK struct cpu cpus[CPU_MAX];
WEAK struct arch_layout arch_layout;
WEAK struct arch_aspace arch_kernel_aspace;

WEAK uint64_t shim_ticks(void)
{
	static uint64_t ticks;

	return ++ticks;
}

WEAK uint32_t shim_in(uint16_t port, unsigned bytes)
{
	(void)port, (void)bytes;
	return UINT32_MAX;
}

WEAK void shim_out(uint16_t port, unsigned bytes, uint32_t value)
{
	(void)port, (void)bytes, (void)value;
}

WEAK void preempt_reschedule(void)
{
}

WEAK void cpu_tlb_idle_enter(void)
{
}

WEAK void cpu_tlb_idle_leave(void)
{
}

static void __attribute__((noreturn)) panicked(void)
{
	if (mock_assert)
		mock_assert(0, shim_panic_text, "panic", 0);
	fprintf(stderr, "panic: %s\n", shim_panic_text);
	abort();
}

WEAK void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(shim_panic_text, sizeof(shim_panic_text), format, args);
	va_end(args);
	panicked();
}

WEAK void panic_frame(const struct trapframe *frame, const char *format, ...)
{
	va_list args;

	(void)frame;
	va_start(args, format);
	vsnprintf(shim_panic_text, sizeof(shim_panic_text), format, args);
	va_end(args);
	panicked();
}

WEAK void log_vwrite(enum log_level level, const char *format, va_list args)
{
	(void)level;
	vsnprintf(shim_log_text, sizeof(shim_log_text), format, args);
}

WEAK void log_write(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vwrite(level, format, args);
	va_end(args);
}

WEAK void arch_cpu_halt(void)
{
	abort();
}

/* glibc 2.36 has none. */
WEAK size_t strlcpy(char *restrict dst, const char *restrict src, size_t size)
{
	size_t len = strlen(src), copy = len < size ? len : size - 1;

	if (size) {
		memcpy(dst, src, copy);
		dst[copy] = '\0';
	}
	return len;
}
