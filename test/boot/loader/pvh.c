/* PVH as Firecracker has it: no modules, and with rsdp=0 no word about ACPI. Or something worse: break=... */
#include "test/boot/loader/loader.h"

static void spoil(const struct machine *machine, struct start_info *info)
{
	struct memory_range *memory = (void *)(uintptr_t)info->memory;

	if (option_is_set(machine, "break=magic"))
		info->magic ^= 1;
	if (option_is_set(machine, "break=version"))
		info->version = 0;
	if (option_is_set(machine, "break=memory-count"))
		info->nr_memory = UINT32_MAX;
	if (option_is_set(machine, "break=memory-none"))
		info->nr_memory = 0;
	if (option_is_set(machine, "break=memory-address"))
		info->memory = 0xfffffffffffff000;
	if (option_is_set(machine, "break=memory-wrap"))
		memory[info->nr_memory++] = (struct memory_range){ .base = ~0ull << 12, .len = ~0ull, .type = 1 };
	if (option_is_set(machine, "break=memory-overlap"))
		memory[info->nr_memory++] = (struct memory_range){ .base = 0, .len = 1ull << 52, .type = 1 };
	if (option_is_set(machine, "break=module-address")) {
		info->nr_modules = 1;
		info->modules = 0xffffffffffffffff;
	}
	if (option_is_set(machine, "break=module-count")) {
		info->nr_modules = UINT32_MAX;
		info->modules = START_INFO_ADDRESS;
	}
	if (option_is_set(machine, "break=cmdline-address"))
		info->cmdline = 0xfffffffffffffff0;
	if (option_is_set(machine, "break=cmdline-endless"))
		memset((void *)CMDLINE_ADDRESS, 'x', 0x70000);
	if (option_is_set(machine, "break=rsdp-address"))
		info->rsdp = 0x7ffffffffffff000;
	if (option_is_set(machine, "break=rsdp-junk"))
		info->rsdp = CMDLINE_ADDRESS;
}

_Noreturn void boot_pvh(const struct machine *machine, uint32_t entry)
{
	struct start_info *info = (void *)START_INFO_ADDRESS;

	memset(info, 0, sizeof(*info));
	info->magic = START_INFO_MAGIC;
	info->version = 1;
	info->cmdline = CMDLINE_ADDRESS;
	info->rsdp = machine->rsdp;
	info->memory = ZERO_PAGE_ADDRESS;
	info->nr_memory = machine->nr_memory;
	memcpy((void *)ZERO_PAGE_ADDRESS, machine->memory, machine->nr_memory * sizeof(*machine->memory));
	memcpy((void *)CMDLINE_ADDRESS, machine->cmdline, strlen(machine->cmdline) + 1);
	spoil(machine, info);
	enter_pvh(entry, START_INFO_ADDRESS);
}
