/*
 * A machine of several CPUs in one host thread, for unit tests of the scheduler: stands in for the inline part of arch.h,
 * the local APIC, the clock and the memory under it. Include it first, then the sources under test, once.
 *
 * Every place where real hardware could let something happen (interrupts coming back on, a spin, a look at the clock) is a
 * sim_point(): the clock goes on, another CPU may run for a while, interrupts are delivered. Which one is decided by a
 * generator with a seed, so that a run can be repeated.
 */
#ifndef TEST_UNIT_SMP_SIM_H
#define TEST_UNIT_SMP_SIM_H

#define KERNEL_ARCH_X86_64_INLINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>

/* A failed check may be on the stack of any thread, from which cmocka cannot jump back: it ends the program. */
#undef assert_true
#undef assert_false
#undef assert_int_equal
#undef assert_in_range
#define assert_true(condition) sim_check(condition, __FILE__, __LINE__, #condition)
#define assert_false(condition) sim_check(!(condition), __FILE__, __LINE__, "not " #condition)
#define assert_int_equal(a, b) sim_check((long)(a) == (long)(b), __FILE__, __LINE__, #a " == " #b)
#define assert_in_range(x, from, to) sim_check_range(x, from, to, __FILE__, __LINE__, #x)

#define FLAGS_IF 0x200ul
#define SIM_CPU_MAX 8
#define SIM_STACK_SIZE (256u << 10)

struct sim_cpu {
	ucontext_t live; /* while another CPU runs */
	uintptr_t delta;
	bool irq_on, idle;
	bool pending_reschedule;
	uint64_t timer_at; /* UINT64_MAX: not armed */
	unsigned nr_interrupts;
};

static struct sim_cpu sim_cpus[SIM_CPU_MAX];
static unsigned sim_nr_cpus, sim_self;
static uint64_t sim_clock, sim_seed;
static unsigned sim_nr_timer_interrupts, sim_nr_allocated;

static void sim_point(void);

static void sim_check(bool holds, const char *file, int line, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: CPU %u of %u, at %llu ns: %s does not hold\n", file, line, sim_self, sim_nr_cpus,
		(unsigned long long)sim_clock, what);
	abort();
}

static inline bool arch_irq_is_enabled(void)
{
	return sim_cpus[sim_self].irq_on;
}

static inline unsigned long arch_irq_save(void)
{
	unsigned long flags;

	sim_point();
	flags = sim_cpus[sim_self].irq_on ? FLAGS_IF : 0;
	sim_cpus[sim_self].irq_on = false;
	return flags;
}

static inline void arch_irq_enable(void)
{
	sim_cpus[sim_self].irq_on = true;
	sim_point();
}

static inline void arch_irq_disable(void)
{
	sim_cpus[sim_self].irq_on = false;
}

static inline void arch_irq_restore(unsigned long flags)
{
	if (flags & FLAGS_IF)
		arch_irq_enable();
}

static inline uint64_t arch_ticks(void)
{
	return sim_clock;
}

static inline void arch_release_inc(uint32_t *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_RELEASE);
}

static inline void arch_cpu_relax(void)
{
	sim_point();
}

#define PERCPU(type, name) __attribute__((section("sim_percpu"), used)) type name
extern char __start_sim_percpu[], __stop_sim_percpu[];
#define percpu_delta() (sim_cpus[sim_self].delta)
#define percpu_at(delta, name) ((__typeof__(name) *)((uintptr_t) & (name) + (delta)))
#define percpu_this(name) percpu_at(percpu_delta(), name)
#define percpu_read(name) (*percpu_this(name))
#define percpu_write(name, value) ((void)(*percpu_this(name) = (value)))
#define percpu_and(name, bits) ((void)(*percpu_this(name) &= (bits)))
#define percpu_inc(name) ((void)++*percpu_this(name))
#define percpu_dec(name) ((void)--*percpu_this(name))

#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/core/panic.h"
#include "kernel/core/sched.h"
#include "kernel/core/wait.h"

static void sim_check_range(uint64_t x, uint64_t from, uint64_t to, const char *file, int line, const char *what)
{
	if (x < from || x > to)
		fprintf(stderr, "%s: %llu, not %llu to %llu\n", what, (unsigned long long)x, (unsigned long long)from,
			(unsigned long long)to);
	sim_check(x >= from && x <= to, file, line, what);
}

void panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

struct cpu cpus[CPU_MAX];
unsigned nr_cpus, nr_cpus_online;
PERCPU(unsigned, cpu_self_nr);

static uint64_t sim_random(uint64_t bound)
{
	sim_seed = sim_seed * 6364136223846793005ull + 1442695040888963407ull;
	return (sim_seed >> 33) % bound;
}

/* ---- Interrupts and time ---------------------------------------------------------------------------------------- */

static void sim_interrupt(void (*handler)(void))
{
	struct sim_cpu *cpu = &sim_cpus[sim_self];

	cpu->irq_on = false;
	cpu->nr_interrupts++;
	irq_enter();
	handler();
	irq_exit();
	sched_preempt_irq();
	sim_cpus[sim_self].irq_on = true; /* the thread may have moved meanwhile */
}

static void sim_deliver(void)
{
	for (;;) {
		struct sim_cpu *cpu = &sim_cpus[sim_self];

		if (!cpu->irq_on)
			return;
		if (cpu->timer_at <= sim_clock) {
			cpu->timer_at = UINT64_MAX;
			sim_nr_timer_interrupts++;
			sim_interrupt(timer_interrupt);
		} else if (cpu->pending_reschedule) {
			cpu->pending_reschedule = false;
			sim_interrupt(sched_reschedule_ipi);
		} else {
			return;
		}
	}
}

/* Goes on with TO, which is THREAD's; the address sanitizer wants to know on which stack. */
static void sim_swap(ucontext_t *from, ucontext_t *to, const struct thread *thread)
{
	__sanitizer_start_switch_fiber(NULL, (void *)thread->stack_bottom, thread->stack_top - thread->stack_bottom);
	swapcontext(from, to);
	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
}

static void sim_run_cpu(unsigned cpu)
{
	unsigned self = sim_self;

	if (cpu == self)
		return;
	sim_self = cpu;
	sim_swap(&sim_cpus[self].live, &sim_cpus[cpu].live, thread_current());
}

/* Everybody sleeps: the clock jumps to the next thing that happens. */
static void sim_skip_idle(void)
{
	uint64_t next = UINT64_MAX;

	for (unsigned i = 0; i < sim_nr_cpus; i++) {
		if (!sim_cpus[i].idle || sim_cpus[i].pending_reschedule)
			return;
		next = MIN(next, sim_cpus[i].timer_at);
	}
	assert_true(next != UINT64_MAX); /* else every CPU is idle for good */
	sim_clock = MAX(sim_clock, next);
}

static void sim_point(void)
{
	if (sim_nr_cpus == 0)
		return;
	sim_clock += sim_random(400);
	if (sim_random(4) == 0)
		sim_run_cpu((unsigned)sim_random(sim_nr_cpus));
	sim_deliver();
}

void arch_cpu_idle(void)
{
	struct sim_cpu *cpu = &sim_cpus[sim_self];
	unsigned before = cpu->nr_interrupts;

	cpu->irq_on = true;
	sim_deliver();
	while (cpu->nr_interrupts == before) {
		cpu->idle = true;
		sim_skip_idle();
		sim_run_cpu((sim_self + 1) % sim_nr_cpus);
		cpu->idle = false;
		sim_deliver();
	}
}

uint64_t clock_monotonic(void)
{
	sim_point();
	return ++sim_clock;
}

void arch_timer_arm(uint64_t delta_ns)
{
	sim_cpus[sim_self].timer_at = delta_ns == UINT64_MAX ? UINT64_MAX : sim_clock + delta_ns;
}

void arch_ipi_send(uint32_t apic_id, unsigned vector)
{
	assert_int_equal(vector, VECTOR_RESCHEDULE);
	sim_cpus[apic_id].pending_reschedule = true;
}

void arch_kernel_stack_set(uintptr_t bottom, uintptr_t top)
{
	assert_true(bottom < top);
}

/* ---- Contexts and memory ---------------------------------------------------------------------------------------- */

struct sim_context {
	ucontext_t context;
	void (*entry)(void *arg);
	void *arg;
};

static void sim_context_start(unsigned high, unsigned low)
{
	struct sim_context *context = (struct sim_context *)((uintptr_t)high << 32 | low);

	__sanitizer_finish_switch_fiber(NULL, NULL, NULL);
	context->entry(context->arg);
}

static void sim_context_make(struct sim_context *context, void *stack, size_t len)
{
	uintptr_t address = (uintptr_t)context;

	getcontext(&context->context);
	context->context.uc_stack.ss_sp = stack;
	context->context.uc_stack.ss_size = len;
	makecontext(&context->context, (void (*)(void))sim_context_start, 2, (unsigned)(address >> 32),
		    (unsigned)address);
}

void arch_context_init(struct arch_context *ctx, void *stack_top, void (*entry)(void *arg), void *arg)
{
	struct sim_context *context = (struct sim_context *)stack_top - 1;

	*context = (struct sim_context){ .entry = entry, .arg = arg };
	sim_context_make(context, (char *)stack_top - SIM_STACK_SIZE, SIM_STACK_SIZE - sizeof(*context));
	ctx->sp = (uintptr_t)context;
}

void arch_context_switch(struct arch_context *prev, struct arch_context *next)
{
	assert_false(sim_cpus[sim_self].irq_on);
	assert_int_equal(percpu_read(preempt_count), 0);
	if (!prev->sp)
		prev->sp = (uintptr_t)calloc(1, sizeof(struct sim_context));
	sim_swap(&((struct sim_context *)prev->sp)->context, &((struct sim_context *)next->sp)->context,
		 container_of(next, struct thread, context));
}

static void *sim_stack_alloc(void)
{
	sim_nr_allocated++;
	return aligned_alloc(64, SIM_STACK_SIZE);
}

static void sim_free(void *ptr)
{
	sim_nr_allocated--;
	free(ptr);
}

static void *sim_alloc(size_t len)
{
	sim_nr_allocated++;
	return calloc(1, len);
}

const struct thread_memory_ops thread_memory_ops = {
	.stack_size = SIM_STACK_SIZE,
	.stack_alloc = sim_stack_alloc,
	.stack_free = sim_free,
	.thread_alloc = sim_alloc,
	.thread_free = sim_free,
	.area_alloc = sim_alloc,
};

/* ---- The machine ------------------------------------------------------------------------------------------------ */

static void sim_cpu_main(void *arg)
{
	(void)arg;
	sched_start_cpu();
}

static void sim_cpu_prepare(unsigned nr)
{
	size_t len = (size_t)(__stop_sim_percpu - __start_sim_percpu);
	struct sim_cpu *cpu = &sim_cpus[nr];
	void *stack;

	*cpu = (struct sim_cpu){ .timer_at = UINT64_MAX };
	cpus[nr] = (struct cpu){ .nr = nr, .apic_id = nr, .online = true };
	if (nr == 0) {
		memset(__start_sim_percpu, 0, len);
		return;
	}
	cpu->delta = (uintptr_t)aligned_alloc(64, ALIGN_UP(len, 64)) - (uintptr_t)__start_sim_percpu;
	memset((void *)(cpu->delta + (uintptr_t)__start_sim_percpu), 0, len);
	cpus[nr].percpu_delta = cpu->delta;
	*percpu_at(cpu->delta, cpu_self_nr) = nr;
	stack = sim_stack_alloc();
	idle_prepare(&cpus[nr], stack);
	arch_context_init(&percpu_at(cpu->delta, idle_thread)->context, (char *)stack + SIM_STACK_SIZE, sim_cpu_main,
			  NULL);
	cpu->live = ((struct sim_context *)percpu_at(cpu->delta, idle_thread)->context.sp)->context;
}

/* The test's: puts the static variables of the sources back to zero. */
static void sim_reset(void);

/* From here on the caller is the boot thread on CPU 0 of a machine with N CPUs. */
static void sim_start(unsigned n, uint64_t seed)
{
	pthread_attr_t attr;
	void *stack;
	size_t len;

	sim_nr_cpus = sim_self = 0;
	sim_reset();
	sim_seed = seed;
	sim_clock = 1;
	nr_cpus = nr_cpus_online = n;
	memset(idle_cpus, 0, sizeof(idle_cpus));
	for (unsigned i = 0; i < n; i++)
		sim_cpu_prepare(i);
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstack(&attr, &stack, &len);
	pthread_attr_destroy(&attr);
	sched_init((uintptr_t)stack, (uintptr_t)stack + len);
	sim_nr_cpus = n;
	sim_cpus[0].irq_on = true;
	sim_nr_timer_interrupts = 0;
}

#endif
