/*
 * Resets the machine once. Memory outlives that: a mark in it tells the second start from the first. `-- off` ends the
 * machine at the first start instead, and leaves no mark.
 */
#include "kernel/arch/arch.h"
#include "kernel/core/cpu.h"
#include "kernel/core/log.h"
#include "kernel/dev/machine.h"
#include "lib/string.h"

#define MARK_AT 0x5000008 /* in memory that neither firmware nor loader nor a kernel that has just started writes to */
#define MARK 0x746f6f6265720a21ull

static void say(const char *text)
{
	log_raw(text, strlen(text));
}

int main(int argc, char **argv)
{
	volatile uint64_t *mark = arch_physmap_add(MARK_AT, sizeof(*mark));

	cpu_wait_online();
	if (argc > 1 && strcmp(argv[1], "off") == 0) {
		say("off at once\n");
		return 0;
	}
	if (*mark == MARK) {
		*mark = 0;
		say("second start\n");
		return 3;
	}
	*mark = MARK;
	say("first start\n");
	machine_reset();
}
