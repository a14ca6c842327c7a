/*
 * The CPUs of the machine: numbered from 0 (the boot CPU) in the order in which the firmware tables name them.
 * Firmware tables call cpu_register; cpu_start_all brings the others up beside the boot CPU, without waiting.
 */
#ifndef KERNEL_CORE_CPU_H
#define KERNEL_CORE_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch/arch.h"

struct cpu {
	unsigned nr;
	uint32_t apic_id;
	uintptr_t percpu_delta; /* 0 for the boot CPU: see percpu_at */
	bool online;		/* takes threads and interrupts; set by the CPU itself, never cleared */
};

extern struct cpu cpus[CPU_MAX];
extern unsigned nr_cpus;	/* registered */
extern unsigned nr_cpus_online; /* atomic */

extern unsigned cpu_self_nr; /* per-CPU */
static inline unsigned cpu_self(void)
{
	return percpu_read(cpu_self_nr);
}

/* 0, -EEXIST (apic_id known, the boot CPU's included), -ENOSPC. Before cpu_start_all only. */
int cpu_register(uint32_t apic_id);
/* Boot CPU: registers itself. */
void cpu_init(void);
/*
 * Boot CPU, after sched_init, interrupts enabled: sends every other CPU its start and returns; they come up beside. A CPU for
 * which there is no memory stays down, with a log line.
 */
void cpu_start_all(void);
/* Waits until every started CPU is online, or 1 s has passed (then logs which are missing). For tests and shutdown. */
void cpu_wait_online(void);

/*
 * Runs fn(arg) in interrupt context on CPU (online, not the caller's own), and returns when it has run. cpu_call_others:
 * on every other online CPU, at the same time. cpu_call_all: first on this CPU, in the caller's context with preemption
 * disabled, then on the others; a thread that moves between two calls could leave a CPU out.
 *
 * The rule for these and cpu_tlb_shootdown: threads only, interrupts enabled, no spinlock held, as soon as a second CPU
 * is registered. Another CPU may be spinning with interrupts disabled for a lock that the caller holds, or may itself be
 * waiting for the caller to answer its call. Checked in debug builds. (A panic stops the others by NMI instead.)
 */
void cpu_call(unsigned cpu, void (*fn)(void *arg), void *arg);
void cpu_call_others(void (*fn)(void *arg), void *arg);
void cpu_call_all(void (*fn)(void *arg), void *arg);
/* VECTOR_CALL, between irq_enter and irq_exit. */
void cpu_call_interrupt(void);
/* Flushes [va, va+len) from every CPU's TLB. */
void cpu_tlb_shootdown(uintptr_t va, size_t len);
/*
 * The same for addresses of the lower half, when no page table is about to be freed: CPUs that are idle are not
 * disturbed, they flush
 * before they next run a thread. The idle loop calls _enter before it sleeps, the scheduler _leave before it switches
 * away from it, with
 * interrupts disabled.
 */
#define LOWER_HALF_LEN (1ul << 47)
void cpu_tlb_shootdown_lower(uintptr_t va, size_t len);
void cpu_tlb_idle_enter(void);
void cpu_tlb_idle_leave(void);

#endif
