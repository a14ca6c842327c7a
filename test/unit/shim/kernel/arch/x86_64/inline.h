/*
 * The inline part of arch.h for tests on the host: one CPU, its per-CPU data are plain variables, interrupts are a flag, and
 * the tick counter and the ports are the test's (shim.h).
 */
#ifndef KERNEL_ARCH_X86_64_INLINE_H
#define KERNEL_ARCH_X86_64_INLINE_H

#include "test/unit/shim/shim.h"

#define FLAGS_IF 0x200ul

static inline bool arch_irq_is_enabled(void)
{
	return shim_irq_enabled;
}

static inline unsigned long arch_irq_save(void)
{
	unsigned long flags = shim_irq_enabled ? FLAGS_IF : 0;

	shim_irq_enabled = false;
	return flags;
}

static inline void arch_irq_enable(void)
{
	shim_irq_enabled = true;
}

static inline void arch_irq_disable(void)
{
	shim_irq_enabled = false;
}

static inline void arch_irq_restore(unsigned long flags)
{
	if (flags & FLAGS_IF)
		arch_irq_enable();
}

static inline void arch_release_inc(uint32_t *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_RELEASE);
}

static inline void arch_cpu_relax(void)
{
}

static inline uint64_t arch_ticks(void)
{
	return shim_ticks();
}

static inline uint64_t arch_ticks_ordered(void)
{
	return shim_ticks();
}

void arch_ticks_hz_set(uint64_t hz);

#define PERCPU(type, name) type name
#define percpu_at(delta, name) ((__typeof__(name) *)((uintptr_t) & (name) + (delta)))
#define percpu_this(name) percpu_at(percpu_delta(), name)
#define percpu_read(name) (name)
#define percpu_write(name, value) ((void)((name) = (value)))
#define percpu_and(name, bits) ((void)((name) &= (bits)))
#define percpu_inc(name) ((void)(name)++)
#define percpu_dec(name) ((void)(name)--)

static inline uintptr_t percpu_delta(void)
{
	return 0;
}

static inline uint8_t arch_in8(uint16_t port)
{
	return (uint8_t)shim_in(port, 1);
}

static inline uint16_t arch_in16(uint16_t port)
{
	return (uint16_t)shim_in(port, 2);
}

static inline uint32_t arch_in32(uint16_t port)
{
	return shim_in(port, 4);
}

static inline void arch_out8(uint16_t port, uint8_t value)
{
	shim_out(port, 1, value);
}

static inline void arch_out8_string(uint16_t port, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		shim_out(port, 1, ((const uint8_t *)bytes)[i]);
}

static inline void arch_out16(uint16_t port, uint16_t value)
{
	shim_out(port, 2, value);
}

static inline void arch_out32(uint16_t port, uint32_t value)
{
	shim_out(port, 4, value);
}

#endif
