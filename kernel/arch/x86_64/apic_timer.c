/*
 * The local APIC's timer (Intel SDM vol. 3, 11.5.4). Two ways to use it:
 *   deadline  the CPU compares its time-stamp counter; once that counter's frequency is known (arch_ticks_hz_set)
 *   count     the timer counts down at a frequency of its own, which a hypervisor's leaf, its name, or CPUID 0x15 tells.
 *             Else we begin with the lowest one that is built, so that it fires early, never late; each time it is armed
 *             again we see how far it has come meanwhile, and raise the estimate.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/cpuid.h"
#include "lib/muldiv.h"
#include "lib/util.h"

#define HZ_HYPERVISOR 1000000000u /* QEMU and KVM: APIC_BUS_CYCLE_NS is 1 */
#define HZ_LOWEST 19200000u	  /* the slowest crystal of SDM table 19-85 */

/* How often an interval is looked at that began and ended with an interrupt, and so only bounds the frequency. */
#define SAMPLES_MAX 64
#define SAMPLE_NS 1000000 /* an interval of this length that the timer did not outlive gives the frequency to 0.1 % */

enum timer_mode {
	TIMER_NONE,	 /* arch_apic_init has not been here */
	TIMER_UNDECIDED, /* never armed yet */
	TIMER_COUNT,
	TIMER_TUNE, /* count, and learn the frequency */
	TIMER_DEADLINE,
};

/* What every CPU's timer should be; each follows when it is armed next. */
static unsigned mode_wanted;
static PERCPU(unsigned, mode);
static PERCPU(unsigned, armed_early); /* before arch_apic_init */

static uint64_t ticks_hz;      /* of arch_ticks(), 0: not known */
static uint64_t ticks_per_ns;  /* 32 bits before, 32 after the point */
static uint64_t counts_per_ns; /* likewise */
static uint64_t count_hz;

/* The interval that runs since the last arming, in mode TIMER_TUNE. */
struct sample {
	uint64_t ticks;
	uint32_t count;
};
static PERCPU(struct sample, sample);
static unsigned nr_samples;

/* Deltas beyond this would overflow below; to fire early is allowed. */
#define DELTA_MAX (1ul << 60)

static inline uint64_t scale(uint64_t ns, uint64_t per_ns)
{
	return (uint64_t)((unsigned __int128)MIN(ns, DELTA_MAX) * per_ns >> 32);
}

static void count_hz_set(uint64_t hz)
{
	count_hz = hz;
	counts_per_ns = mul_div(hz, 1ul << 32, 1000000000);
}

static bool is_hypervisor_with_known_timer(void)
{
	struct cpuid name;

	if (!cpuid_is_hypervisor())
		return false;
	name = cpuid_leaf(CPUID_HYPERVISOR, CPUID_HYPERVISOR, 0);
	return (name.b == 0x4b4d564b && name.c == 0x564b4d56) || /* "KVMKVMKVM" */
	       (name.b == 0x54474354 && name.c == 0x43544743);	 /* "TCGTCGTCGTCG" */
}

/* The frequency at which the timer counts, 0 when nothing tells. */
static uint64_t count_hz_told(void)
{
	if (cpuid_is_hypervisor()) {
		struct cpuid timing = cpuid_leaf(CPUID_HYPERVISOR, CPUID_VM_TIMING, 0);

		if (timing.b)
			return timing.b * 1000ul;
	}
	if (is_hypervisor_with_known_timer())
		return HZ_HYPERVISOR;
	return cpuid_leaf(CPUID_BASIC, CPUID_TSC_RATIO, 0).c;
}

static void mode_choose(void)
{
	uint64_t hz;

	if (ticks_hz && (cpuid_1_ecx() & CPUID_1_ECX_TSC_DEADLINE)) {
		mode_wanted = TIMER_DEADLINE;
		return;
	}
	if (count_hz)
		return;
	hz = count_hz_told();
	count_hz_set(hz ? hz : HZ_LOWEST);
	mode_wanted = hz ? TIMER_COUNT : TIMER_TUNE;
}

void arch_ticks_hz_set(uint64_t hz)
{
	ticks_per_ns = mul_div(hz, 1ul << 32, 1000000000);
	ticks_hz = hz;
	if (mode_wanted > TIMER_UNDECIDED)
		mode_choose();
}

void apic_timer_init(void)
{
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED);
	if (!mode_wanted) {
		arch_vector_open(VECTOR_TIMER);
		mode_wanted = TIMER_UNDECIDED;
	}
	if (percpu_read(armed_early))
		arch_timer_arm(0);
}

static void mode_follow(unsigned wanted)
{
	if (wanted == TIMER_DEADLINE) {
		apic_write(APIC_LVT_TIMER, APIC_LVT_TSC_DEADLINE | VECTOR_TIMER);
		/* In xAPIC mode the store above could come after the write of the deadline: 11.5.4.1. */
		__asm__ volatile("mfence" ::: "memory");
	} else if (percpu_read(mode) == TIMER_NONE) {
		apic_write(APIC_TIMER_DIVIDE, APIC_TIMER_DIVIDE_BY_1);
		apic_write(APIC_LVT_TIMER, APIC_LVT_ONE_SHOT | VECTOR_TIMER);
	}
	percpu_write(mode, wanted);
}

static void count_arm(uint64_t delta_ns)
{
	uint64_t count = 0; /* stopped */

	if (delta_ns != UINT64_MAX)
		count = MAX(MIN(scale(delta_ns, counts_per_ns), (uint64_t)UINT32_MAX), 1ul);
	apic_write(APIC_TIMER_INITIAL, (uint32_t)count);
}

static void deadline_arm(uint64_t delta_ns)
{
	write_msr(MSR_TSC_DEADLINE, delta_ns == UINT64_MAX ? 0 : arch_ticks() + scale(delta_ns, ticks_per_ns));
}

/*
 * Looks at the interval since the last arming. A timer that still counts tells its frequency; one that has run out could
 * have been faster than what we see, since it may have run out a while ago.
 */
static void count_learn(const struct sample *last, uint64_t now)
{
	uint32_t left = apic_read(APIC_TIMER_CURRENT);
	uint64_t ticks = now - last->ticks, hz;

	if (!ticks_hz || !last->count || left > last->count || ticks < ticks_hz >> 17)
		return;
	hz = mul_div(last->count - left, ticks_hz, ticks);
	if (hz > count_hz)
		count_hz_set(hz);
	if ((left && ticks > ticks_hz / (1000000000 / SAMPLE_NS)) || ++nr_samples > SAMPLES_MAX)
		mode_wanted = TIMER_COUNT;
}

static void __attribute__((noinline, cold)) arm_slowly(uint64_t delta_ns)
{
	unsigned wanted = READ_ONCE(mode_wanted);
	struct sample *last = percpu_this(sample);

	if (!wanted) {
		percpu_write(armed_early, 1);
		return;
	}
	if (wanted == TIMER_UNDECIDED) {
		mode_choose();
		wanted = READ_ONCE(mode_wanted);
	}
	if (percpu_read(mode) != wanted)
		mode_follow(wanted);
	if (wanted == TIMER_DEADLINE) {
		deadline_arm(delta_ns);
	} else {
		uint64_t now = arch_ticks();

		if (wanted == TIMER_TUNE)
			count_learn(last, now);
		count_arm(delta_ns);
		last->ticks = now;
		last->count = apic_read(APIC_TIMER_INITIAL);
	}
}

void arch_timer_arm(uint64_t delta_ns)
{
	unsigned wanted = READ_ONCE(mode_wanted);

	if (likely(wanted == percpu_read(mode)) && wanted == TIMER_DEADLINE)
		deadline_arm(delta_ns);
	else if (likely(wanted == percpu_read(mode)) && wanted == TIMER_COUNT)
		count_arm(delta_ns);
	else
		arm_slowly(delta_ns);
}
