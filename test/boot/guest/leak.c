/* Takes memory and gives back some of it: what a debug build says of the rest when main is over. */
#include "kernel/core/log.h"
#include "kernel/mem/slab.h"
#include "lib/string.h"
#include "lib/util.h"

static void *kept[8];

static __attribute__((noinline)) void forgetful(void)
{
	for (volatile unsigned i = 0; i < 3; i++) /* volatile: one call, not three of them in a row */
		kept[i] = kmalloc(100);
}

static __attribute__((noinline)) void careful(void)
{
	for (unsigned i = 3; i < ARRAY_SIZE(kept); i++)
		kept[i] = kmalloc(100);
	for (unsigned i = 3; i < ARRAY_SIZE(kept); i++)
		kfree(kept[i]);
}

int main(int argc, char **argv)
{
	careful();
	if (argc > 1 && strcmp(argv[1], "forget") == 0)
		forgetful();
	careful();
	log_raw("done\n", 5);
	return 0;
}
