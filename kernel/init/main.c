/*
 * Boot, as one list: from the loader's information to the program's main. Nothing here waits, and nothing is set up that
 * main may never use: drivers, clocks and interrupt controllers come to life at their first use.
 */
#include "kernel/init/main.h"

#include "kernel/arch/arch.h"
#include "kernel/boot/bootinfo.h"
#include "kernel/core/clock.h"
#include "kernel/core/cpu.h"
#include "kernel/core/log.h"
#include "kernel/core/panic.h"
#include "kernel/core/random.h"
#include "kernel/core/thread.h"
#include "kernel/dev/console.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/dev/machine.h"
#include "kernel/init/args.h"
#include "kernel/mem/page.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/vmap.h"
#include "lib/cmdline.h"
#include "lib/string.h"

int main(int argc, char **argv);

static struct bootinfo bootinfo;

const struct bootinfo *boot_info(void)
{
	return &bootinfo;
}

static void log_options_apply(const char *cmdline)
{
	char value[8];
	uint64_t level;

	if (!cmdline_get(cmdline, "loglevel", value, sizeof(value)))
		return;
	if (parse_u64(value, &level) || level > LOG_DEBUG)
		log_warn("command line: loglevel=%s is not a number from 0 to %d", value, LOG_DEBUG);
	else
		log_console_level_set((enum log_level)level);
}

/* The image's own part of the command line, a string; empty where the image has none: see image.ld. */
extern const char image_cmdline_start[], image_cmdline_end[];

static void cmdline_complete(struct bootinfo *bi)
{
	size_t len;

	if (&image_cmdline_end[0] == &image_cmdline_start[0] || *cmdline_program(bi->cmdline))
		return;
	len = strlen(bi->cmdline);
	if (len < sizeof(bi->cmdline) - 1)
		bi->cmdline[len++] = ' ';
	if (strlcpy(bi->cmdline + len, image_cmdline_start, sizeof(bi->cmdline) - len) >= sizeof(bi->cmdline) - len)
		log_warn("command line: cut at %zu bytes", sizeof(bi->cmdline) - 1);
}

void kernel_start(unsigned entry, uint64_t info)
{
	int status, error = bootinfo_fill((enum boot_entry)entry, info, &bootinfo);
	struct args args;

	log_clock = clock_log;
	cmdline_complete(&bootinfo);
	console_init(bootinfo.cmdline);
	firmware_init(&bootinfo);
	machine_init();
	if (error)
		panic("boot: no usable information from the loader (entry %u, error %d)", entry, -error);
	log_options_apply(bootinfo.cmdline);
	log_debug("boot: by %s, image at %#lx, %u memory ranges, command line \"%s\"", bootinfo.protocol,
		  arch_layout.image_virt, bootinfo.nr_mem, bootinfo.cmdline);
	page_init(&bootinfo);
	random_init(bootinfo.seed, bootinfo.seed_len);
	vmap_init();
	arch_apic_init();
	cpu_init();
	sched_init(arch_layout.boot_stack_bottom, arch_layout.boot_stack_top);
	firmware_cpus_init();
	arch_protect();
	arch_irq_enable();
	cpu_start_all();
	log_debug("boot: %u CPUs", nr_cpus);
	args_parse(&args, bootinfo.cmdline);
	slab_leaks_begin();
	status = main(args.argc, args.argv);
	slab_leaks_end();
	machine_exit(status);
}
