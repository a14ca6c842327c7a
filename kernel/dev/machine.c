#include "kernel/dev/machine.h"

#include <stddef.h>

#include "abi/exit.h"
#include "kernel/arch/arch.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"

extern const struct machine_power machine_power_start[], machine_power_end[];

/* The next way to try after LAST (NULL: the first one), from the highest rating down. NULL when all were tried. */
static const struct machine_power *way_next(const struct machine_power *last)
{
	const struct machine_power *best = NULL;

	for (const struct machine_power *way = machine_power_start; way < machine_power_end; way++) {
		if (last && (way->rating > last->rating || (way->rating == last->rating && way <= last)))
			continue;
		if (!best || way->rating > best->rating)
			best = way;
	}
	return best;
}

void machine_power_wait(void)
{
	uint64_t start = arch_ticks();

	/* The second limit is for a tick counter that stands still. */
	for (unsigned i = 0; i < 1u << 24 && arch_ticks() - start < 1ull << 30; i++)
		arch_cpu_relax();
}

void machine_reset(void)
{
	const struct machine_power *way = NULL;

	arch_irq_disable();
	while ((way = way_next(way))) {
		if (way->reset)
			way->reset();
	}
	arch_machine_reset();
}

void machine_exit(int status)
{
	const struct machine_power *way = NULL;

	arch_irq_disable();
	log_write(status ? LOG_WARNING : LOG_INFO, "exit status %d", status);
	while (status && (way = way_next(way))) {
		if (way->exit)
			way->exit(status > 0 && status <= EXIT_STATUS_MAX ? status : EXIT_STATUS_OTHER);
	}
	while ((way = way_next(way))) {
		if (way->power_off)
			way->power_off();
	}
	log_info("no power-off: resetting");
	machine_reset();
}

void machine_init(void)
{
	panic_exit = machine_exit;
}
