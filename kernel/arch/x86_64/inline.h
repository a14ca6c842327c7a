/* The inline part of arch.h for x86-64. Include kernel/arch/arch.h, not this. */
#ifndef KERNEL_ARCH_X86_64_INLINE_H
#define KERNEL_ARCH_X86_64_INLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLAGS_IF 0x200ul

static inline bool arch_irq_is_enabled(void)
{
	unsigned long flags;

	__asm__ volatile("pushf; pop %0" : "=r"(flags)::"memory");
	return flags & FLAGS_IF;
}

/* Disables interrupts; the result goes to arch_irq_restore. */
static inline unsigned long arch_irq_save(void)
{
	unsigned long flags;

	__asm__ volatile("pushf; pop %0; cli" : "=r"(flags)::"memory");
	return flags;
}

static inline void arch_irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void arch_irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void arch_irq_restore(unsigned long flags)
{
	if (flags & FLAGS_IF)
		arch_irq_enable();
}

static inline void arch_cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

/*
 * Adds 1 to *WORD, which nobody else writes meanwhile. Who reads the new value, with acquire, sees everything that was
 * written before it: stores are not reordered with each other (Intel SDM vol. 3, 8.2.2).
 */
static inline void arch_release_inc(uint32_t *word)
{
	__asm__ volatile("incl %0" : "+m"(*word)::"memory");
}

/* Time-stamp counter. Not ordered against other instructions. */
static inline uint64_t arch_ticks(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

/* The same, read after all that stands before it in the program (Intel SDM vol. 2B, RDTSC). */
static inline uint64_t arch_ticks_ordered(void)
{
	__asm__ volatile("lfence" ::: "memory");
	return arch_ticks();
}

/* The counter's frequency, from core/clock.c each time it knows better; the CPU's timer may then use the counter. */
void arch_ticks_hz_set(uint64_t hz);

/*
 * Per-CPU data. PERCPU(type, name) defines it, without an initialiser: every CPU's area starts as zeros. (What the boot CPU
 * did with its own before the others started, such as free lists and generator keys, must not be copied.) The section
 * .bss.percpu of the image is the boot CPU's own area, and GS.base is the distance from there to the running CPU's area, so
 * it is 0 on the boot CPU from the first instruction on. percpu_this() is stable only while preemption is disabled.
 */
#define PERCPU(type, name) __attribute__((section(".bss.percpu"), used)) type name

static inline uintptr_t percpu_delta(void);

#define percpu_at(delta, name) ((__typeof__(name) *)((uintptr_t) & (name) + (delta)))
#define percpu_this(name) percpu_at(percpu_delta(), name)

/* One instruction each, so safe with preemption enabled. NAME must be an integer or pointer of 4 or 8 bytes. */
#define percpu_read(name)                                                                                              \
	({                                                                                                             \
		__typeof__(name) value_;                                                                               \
		__asm__ volatile("mov %%gs:%1, %0" : "=r"(value_) : "m"(name));                                        \
		value_;                                                                                                \
	})
#define percpu_write(name, value) __asm__ volatile("mov %1, %%gs:%0" : "=m"(name) : "r"((__typeof__(name))(value)))
#define percpu_and(name, bits) __asm__ volatile("andl %1, %%gs:%0" : "+m"(name) : "ri"(bits))
#define percpu_inc(name) __asm__ volatile("incl %%gs:%0" : "+m"(name))
#define percpu_dec(name) __asm__ volatile("decl %%gs:%0" : "+m"(name))

extern uintptr_t percpu_delta_self;

static inline uintptr_t percpu_delta(void)
{
	return percpu_read(percpu_delta_self);
}

/*
 * A message signalled interrupt: what a device writes, and where, to raise VECTOR on the CPU with APIC_ID, edge triggered
 * (Intel SDM vol. 3, 11.11). Without interrupt remapping it reaches the APIC ids up to ARCH_MSI_APIC_ID_MAX only.
 */
#define ARCH_MSI_APIC_ID_MAX 0xfe
static inline void arch_msi_encode(uint32_t apic_id, unsigned vector, uint64_t *address, uint32_t *data)
{
	*address = 0xfee00000 | apic_id << 12;
	*data = vector;
}

static inline uint8_t arch_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint16_t arch_in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline uint32_t arch_in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline void arch_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

/* LEN bytes to one port, in order. */
static inline void arch_out8_string(uint16_t port, const void *bytes, size_t len)
{
	__asm__ volatile("rep outsb" : "+S"(bytes), "+c"(len) : "d"(port) : "memory");
}

static inline void arch_out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static inline void arch_out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

#endif
