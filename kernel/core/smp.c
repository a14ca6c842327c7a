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

/*
 * An idle CPU touches no application's memory until it has a thread to run, so it need not be woken to flush for
 * that: it is told,
 * and flushes when it goes on. Of its own CPU's word, others only change LAZY to STALE.
 */
enum { TLB_ACTIVE, TLB_LAZY, TLB_STALE };
static PERCPU(unsigned, tlb_state); /* atomic */

void cpu_tlb_idle_enter(void)
{
	if (percpu_read(tlb_state) == TLB_ACTIVE)
		percpu_write(tlb_state, TLB_LAZY);
}

void cpu_tlb_idle_leave(void)
{
	if (__atomic_exchange_n(percpu_this(tlb_state), TLB_ACTIVE, __ATOMIC_SEQ_CST) == TLB_STALE)
		arch_tlb_flush(0, LOWER_HALF_LEN);
}

static bool flushes_later(const struct cpu *cpu)
{
	unsigned state = TLB_LAZY;

	return __atomic_compare_exchange_n(percpu_at(cpu->percpu_delta, tlb_state), &state, TLB_STALE, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ||
	       state == TLB_STALE;
}

void cpu_tlb_shootdown_lower(uintptr_t va, size_t len)
{
	struct tlb_range range = { va, len };
	bool called = false;

	lock_check_cross_call("cpu_tlb_shootdown_lower");
	preempt_disable();
	arch_tlb_flush(va, len);
	for (unsigned cpu = 0; nr_cpus > 1 && cpu < nr_cpus; cpu++) {
		if (cpu == cpu_self() || !is_online(&cpus[cpu]) || flushes_later(&cpus[cpu]))
			continue;
		if (!called)
			call_begin(tlb_flush_range, &range);
		called = true;
		call_post(&cpus[cpu]);
	}
	if (called)
		call_end();
	preempt_enable();
}
