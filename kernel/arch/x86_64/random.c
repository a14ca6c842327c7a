/* The CPU's own random numbers (Intel SDM vol. 1, 7.3.17): RDSEED where it has it, else RDRAND. */
#include "kernel/arch/arch.h"
#include "kernel/arch/x86_64/cpuid.h"
#include "lib/string.h"
#include "lib/util.h"

/*
 * Both may come back empty-handed for a moment. Intel's DRNG guide, 5.2.1: ten attempts for RDRAND are enough unless the
 * unit is broken; RDSEED runs dry when CPUs compete for it, which some pauses help.
 */
#define ATTEMPTS 32

static bool rdseed(uint64_t *value)
{
	uint64_t drawn;
	bool ok;

	__asm__ volatile("rdseed %0" : "=r"(drawn), "=@ccc"(ok));
	*value = drawn;
	return ok;
}

static bool rdrand(uint64_t *value)
{
	uint64_t drawn;
	bool ok;

	__asm__ volatile("rdrand %0" : "=r"(drawn), "=@ccc"(ok));
	*value = drawn;
	return ok;
}

/* Some units, once broken, deliver all ones for ever and call it a success. */
static bool draw(bool (*unit)(uint64_t *), uint64_t *value)
{
	for (unsigned i = 0; i < ATTEMPTS; i++) {
		if (unit(value) && *value != UINT64_MAX)
			return true;
		arch_cpu_relax();
	}
	return false;
}

/* Also called before the image is relocated: no table, no absolute address. */
size_t arch_random_hw(void *buf, size_t len)
{
	bool seed = cpuid_leaf(CPUID_BASIC, 7, 0).b & CPUID_7_EBX_RDSEED;
	bool rand = cpuid_1_ecx() & CPUID_1_ECX_RDRAND;
	size_t done = 0;

	while (done < len) {
		size_t n = MIN(len - done, sizeof(uint64_t));
		uint64_t value;

		if (!(seed && draw(rdseed, &value)) && !(rand && draw(rdrand, &value)))
			break;
		memcpy((char *)buf + done, &value, n);
		done += n;
	}
	return done;
}
