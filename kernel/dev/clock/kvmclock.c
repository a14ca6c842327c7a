/*
 * KVM's clock (Linux Documentation/virt/kvm/x86/msr.rst): for each CPU a page in which the host says how to get from the
 * time-stamp counter to nanoseconds since the machine was made, also when it has moved to another host. A CPU registers
 * its own at its first reading.
 */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpuid.h"
#include "kernel/core/clock.h"
#include "lib/errno.h"
#include "lib/util.h"

#define KVM_FEATURES 1 /* leaf, after the signature's */
#define FEATURE_CLOCKSOURCE2 (1u << 3)
#define FEATURE_CLOCKSOURCE_STABLE (1u << 24) /* the same on all CPUs */
#define MSR_KVM_WALL_CLOCK 0x4b564d00
#define MSR_KVM_SYSTEM_TIME 0x4b564d01
#define SYSTEM_TIME_ENABLE 1

struct pvclock_time {
	uint32_t version; /* odd while the host writes; 0: never written */
	uint32_t pad0;
	uint64_t tsc;
	uint64_t ns;
	uint32_t mult; /* 32 bits after the point */
	int8_t shift;
	uint8_t flags;
	uint8_t pad[2];
} __attribute__((aligned(32))); /* so in one page */

struct pvclock_wall {
	uint32_t version;
	uint32_t sec, nsec; /* when the machine was made */
} __attribute__((aligned(16)));

static PERCPU(struct pvclock_time, pvclock_time);
static PERCPU(unsigned, registered);

static paddr_t phys_of(const void *va)
{
	paddr_t pa = 0;

	arch_pt_lookup(&arch_kernel_aspace, (uintptr_t)va, &pa, NULL);
	return pa;
}

/* Interrupts disabled. */
static uint64_t time_of(const struct pvclock_time *time)
{
	uint32_t version;
	uint64_t delta, ns;

	do {
		version = __atomic_load_n(&time->version, __ATOMIC_ACQUIRE) & ~1u;
		delta = arch_ticks_ordered() - READ_ONCE(time->tsc);
		if ((int64_t)delta < 0)
			delta = 0;
		delta = time->shift < 0 ? delta >> -time->shift : delta << time->shift;
		ns = READ_ONCE(time->ns) + (uint64_t)((unsigned __int128)delta * READ_ONCE(time->mult) >> 32);
		barrier();
	} while (version != READ_ONCE(time->version));
	return ns;
}

static uint64_t kvmclock_read(void)
{
	unsigned long flags = arch_irq_save();
	struct pvclock_time *time = percpu_this(pvclock_time);
	uint64_t ns;

	if (unlikely(!percpu_read(registered))) {
		write_msr(MSR_KVM_SYSTEM_TIME, phys_of(time) | SYSTEM_TIME_ENABLE);
		percpu_write(registered, 1);
	}
	ns = time_of(time);
	arch_irq_restore(flags);
	return ns;
}

/* Its features, 0 when this is not KVM. With Hyper-V's leaves in front, KVM's are the second set. */
static uint32_t kvm_features(void)
{
	if (!cpuid_is_hypervisor())
		return 0;
	for (uint32_t base = CPUID_HYPERVISOR; base <= CPUID_HYPERVISOR + 0x100; base += 0x100) {
		uint32_t last, b, c, d;

		cpuid(base, 0, &last, &b, &c, &d);
		if (b == 0x4b4d564b && c == 0x564b4d56 && d == 0x4d) /* "KVMKVMKVM" */
			return cpuid_leaf(base, base + KVM_FEATURES, 0).a;
	}
	return 0;
}

static int kvmclock_probe(struct clock_source *source)
{
	const struct pvclock_time *time = percpu_this(pvclock_time);
	uint32_t features = kvm_features();
	uint64_t ticks_hz;

	if (!(features & FEATURE_CLOCKSOURCE2))
		return -ENODEV;
	if (!(features & FEATURE_CLOCKSOURCE_STABLE))
		source->flags |= CLOCK_UNSYNCED;
	write_msr(MSR_KVM_SYSTEM_TIME, phys_of(time) | SYSTEM_TIME_ENABLE);
	if (!READ_ONCE(time->version) || !time->mult)
		return -ENODEV;
	percpu_write(registered, 1);
	ticks_hz = (NSEC_PER_SEC << 32) / time->mult;
	arch_ticks_hz_set(time->shift < 0 ? ticks_hz << -time->shift : ticks_hz >> time->shift);
	return 0;
}

static int kvmclock_wall(uint64_t *ns)
{
	static struct pvclock_wall wall;

	if (!(kvm_features() & FEATURE_CLOCKSOURCE2))
		return -ENODEV;
	write_msr(MSR_KVM_WALL_CLOCK, phys_of(&wall));
	if (!READ_ONCE(wall.version))
		return -ENODEV;
	*ns = READ_ONCE(wall.sec) * NSEC_PER_SEC + READ_ONCE(wall.nsec) + kvmclock_read();
	return 0;
}

CLOCK_SOURCE(kvmclock) = {
	.name = "kvmclock",
	.rating = 400,
	.flags = CLOCK_FROM_RESET,
	.bits = 64,
	.hz = NSEC_PER_SEC,
	.probe = kvmclock_probe,
	.read = kvmclock_read,
	.wall = kvmclock_wall,
};
