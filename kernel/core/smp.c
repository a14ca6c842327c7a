/*
 * Calls across CPUs. One at a time: the caller holds call_lock, posts the call to its targets, interrupts them and waits
 * until all have answered. It waits with interrupts enabled, so that it answers others meanwhile; see the rule in cpu.h.
 */
#include "kernel/core/cpu.h"
#include "kernel/core/lock.h"

struct tlb_range {
	uintptr_t va;
	size_t len;
};

static struct spinlock call_lock = SPINLOCK_INIT("cross_call"); /* covers what follows */
static void (*call_fn)(void *arg);
static void *call_arg;
static unsigned call_waiting; /* atomic; targets that have not answered */

static PERCPU(bool, call_posted); /* atomic; call_fn is for this CPU */

static void call_post(const struct cpu *cpu)
{
	__atomic_fetch_add(&call_waiting, 1, __ATOMIC_RELAXED);
	__atomic_store_n(percpu_at(cpu->percpu_delta, call_posted), true, __ATOMIC_RELEASE);
	arch_ipi_send(cpu->apic_id, VECTOR_CALL);
}

static void call_begin(void (*fn)(void *arg), void *arg)
{
	spin_lock(&call_lock);
	call_fn = fn;
	call_arg = arg;
}

static void call_end(void)
{
	while (__atomic_load_n(&call_waiting, __ATOMIC_ACQUIRE))
		arch_cpu_relax();
	spin_unlock(&call_lock);
}

static bool is_online(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->online, __ATOMIC_SEQ_CST);
}

void cpu_call(unsigned cpu, void (*fn)(void *arg), void *arg)
{
	lock_check_cross_call("cpu_call");
	call_begin(fn, arg);
	call_post(&cpus[cpu]);
	call_end();
}

static void call_others(void (*fn)(void *arg), void *arg)
{
	call_begin(fn, arg);
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		if (cpu != cpu_self() && is_online(&cpus[cpu]))
			call_post(&cpus[cpu]);
	call_end();
}

void cpu_call_others(void (*fn)(void *arg), void *arg)
{
	lock_check_cross_call("cpu_call_others");
	call_others(fn, arg);
}

void cpu_call_interrupt(void)
{
	if (!__atomic_exchange_n(percpu_this(call_posted), false, __ATOMIC_ACQUIRE))
		return;
	call_fn(call_arg);
	__atomic_fetch_sub(&call_waiting, 1, __ATOMIC_RELEASE);
}

/* Preemption stays disabled, so that "this CPU" and "the others" are all. */
static void call_all(void (*fn)(void *arg), void *arg)
{
	preempt_disable();
	fn(arg);
	if (nr_cpus > 1)
		call_others(fn, arg);
	preempt_enable();
}

void cpu_call_all(void (*fn)(void *arg), void *arg)
{
	lock_check_cross_call("cpu_call_all");
	call_all(fn, arg);
}

static void tlb_flush_range(void *arg)
{
	struct tlb_range *range = arg;

	arch_tlb_flush(range->va, range->len);
}

void cpu_tlb_shootdown(uintptr_t va, size_t len)
{
	struct tlb_range range = { va, len };

	lock_check_cross_call("cpu_tlb_shootdown");
	call_all(tlb_flush_range, &range);
}
