/* The CPUs of the machine, and how the others come up beside the boot CPU. */
#include "kernel/core/cpu.h"

#include "kernel/core/clock.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/core/sched.h"
#include "lib/errno.h"

#define ONLINE_TIMEOUT NSEC_PER_SEC

/* image.ld: the boot CPU's area; behind the data come the stacks of its exceptions. */
extern char percpu_start[], percpu_area_end[];

struct cpu cpus[CPU_MAX];
unsigned nr_cpus;
unsigned nr_cpus_online;
PERCPU(unsigned, cpu_self_nr);

static unsigned nr_started; /* with the boot CPU; final once start_done */
static bool start_done;	    /* atomic */

int cpu_register(uint32_t apic_id)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		if (cpus[i].apic_id == apic_id)
			return -EEXIST;
	if (nr_cpus == CPU_MAX)
		return -ENOSPC;
	cpus[nr_cpus].nr = nr_cpus;
	cpus[nr_cpus].apic_id = apic_id;
	nr_cpus++;
	return 0;
}

void cpu_init(void)
{
	cpu_register(arch_apic_id());
	cpus[0].online = true;
	nr_cpus_online = 1;
	nr_started = 1;
}

/* Both the starter and the last CPU to come up look: one of them sees that all are there. */
static void check_all_online(void)
{
	static bool told;

	if (__atomic_load_n(&start_done, __ATOMIC_SEQ_CST) &&
	    __atomic_load_n(&nr_cpus_online, __ATOMIC_SEQ_CST) == nr_started &&
	    !__atomic_exchange_n(&told, true, __ATOMIC_SEQ_CST))
		arch_cpu_start_done();
}

/* First C on a started CPU; interrupts disabled. */
static void cpu_main(void *arg)
{
	struct cpu *cpu = arg;

	arch_apic_init();
	__atomic_store_n(&cpu->online, true, __ATOMIC_SEQ_CST);
	panic_nmi(NULL); /* a panic may have stopped those that were online before */
	/* What was flushed before others knew of us we may still hold. */
	arch_tlb_flush(0, SIZE_MAX);
	__atomic_fetch_add(&nr_cpus_online, 1, __ATOMIC_SEQ_CST);
	check_all_online();
	sched_start_cpu();
}

/* Nothing may fail once both are there: an area is never freed. */
static int cpu_start(struct cpu *cpu)
{
	uintptr_t base = ALIGN_DOWN((uintptr_t)percpu_start, PAGE_SIZE);
	int err = arch_cpu_start_prepare(cpu->apic_id);
	char *area, *stack;

	if (err)
		return err;
	stack = thread_memory_ops.stack_alloc();
	if (!stack)
		return -ENOMEM;
	area = thread_memory_ops.area_alloc((uintptr_t)percpu_area_end - base);
	if (!area) {
		thread_memory_ops.stack_free(stack);
		return -ENOMEM;
	}
	cpu->percpu_delta = (uintptr_t)area - base;
	*percpu_at(cpu->percpu_delta, percpu_delta_self) = cpu->percpu_delta;
	*percpu_at(cpu->percpu_delta, cpu_self_nr) = cpu->nr;
	idle_prepare(cpu, stack);
	arch_cpu_start(cpu->apic_id, percpu_start + cpu->percpu_delta, stack + thread_memory_ops.stack_size, cpu_main,
		       cpu);
	return 0;
}

void cpu_start_all(void)
{
	if (nr_cpus == 1)
		return;
	arch_vector_open(VECTOR_CALL);
	arch_vector_open(VECTOR_RESCHEDULE);
	for (unsigned i = 1; i < nr_cpus; i++) {
		int err = cpu_start(&cpus[i]);

		if (err)
			log_warn("cpu: CPU %u (APIC id %u) stays down: error %d", i, cpus[i].apic_id, -err);
		else
			nr_started++;
	}
	__atomic_store_n(&start_done, true, __ATOMIC_SEQ_CST);
	check_all_online();
}

void cpu_wait_online(void)
{
	uint64_t deadline = clock_monotonic() + ONLINE_TIMEOUT;

	while (__atomic_load_n(&nr_cpus_online, __ATOMIC_ACQUIRE) < nr_started) {
		if (clock_monotonic() >= deadline)
			break;
		arch_cpu_relax();
	}
	for (unsigned i = 1; i < nr_cpus; i++)
		if (cpus[i].percpu_delta && !__atomic_load_n(&cpus[i].online, __ATOMIC_ACQUIRE))
			log_warn("cpu: CPU %u (APIC id %u) was started and has not come up", i, cpus[i].apic_id);
}
