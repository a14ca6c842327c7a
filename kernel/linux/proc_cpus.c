/* CPU sets as /proc and /sys write them (Linux's %*pb and %*pbl). */
#include "kernel/core/cpu.h"
#include "kernel/linux/proc.h"
#include "lib/string.h"

void proc_cpus_online(uint64_t *mask)
{
	memset(mask, 0, CPU_MAX / 8);
	for (unsigned i = 0; i < nr_cpus; i++)
		if (READ_ONCE(cpus[i].online))
			mask[i / 64] |= 1ul << i % 64;
}

static bool is_in(const uint64_t *mask, unsigned cpu)
{
	return cpu < nr_cpus && mask[cpu / 64] >> cpu % 64 & 1;
}

/* As many 32-bit words as the machine's CPUs need, the highest first; only the first is not padded. */
void proc_cpu_mask(struct pseudo_text *out, const uint64_t *mask)
{
	unsigned words = (nr_cpus + 31) / 32, digits = (nr_cpus - 1) % 32 / 4 + 1;

	for (unsigned word = words; word-- > 0; digits = 8) {
		uint32_t bits = 0;

		for (unsigned i = 0; i < 32; i++)
			bits |= (uint32_t)is_in(mask, word * 32 + i) << i;
		pseudo_printf(out, "%0*x%s", (int)digits, bits, word ? "," : "");
	}
}

void proc_cpu_list(struct pseudo_text *out, const uint64_t *mask)
{
	const char *comma = "";

	for (unsigned i = 0; i < nr_cpus; i++) {
		unsigned end = i;

		if (!is_in(mask, i))
			continue;
		while (is_in(mask, end + 1))
			end++;
		if (end == i)
			pseudo_printf(out, "%s%u", comma, i);
		else
			pseudo_printf(out, "%s%u-%u", comma, i, end);
		comma = ",";
		i = end;
	}
}

int proc_cpus_online_text(struct pseudo_text *out, uint64_t key)
{
	uint64_t mask[CPU_MAX / 64];

	(void)key;
	proc_cpus_online(mask);
	proc_cpu_list(out, mask);
	pseudo_puts(out, "\n");
	return 0;
}
