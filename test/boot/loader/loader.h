/*
 * A loader for tests: QEMU boots it by PVH and gives it an image as its first module; it then enters that image as another
 * monitor would. Its own command line is `[mode=linux64|pvh] [rsdp=HEX] [break=WHAT] -- COMMAND LINE OF THE IMAGE`.
 * mode: which protocol. rsdp: what the image is told of where the ACPI tables are. break: what to spoil on purpose.
 * 32-bit code without paging; everything it tells the image lies where Firecracker puts it.
 */
#ifndef TEST_BOOT_LOADER_H
#define TEST_BOOT_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Firecracker src/vmm/src/arch/x86_64/layout.rs, gdt.rs and regs.rs. */
enum {
	GDT_ADDRESS = 0x500,
	START_INFO_ADDRESS = 0x6000,
	ZERO_PAGE_ADDRESS = 0x7000, /* boot_params; for PVH the memory map */
	PML4_ADDRESS = 0x9000,
	PDPT_ADDRESS = 0xa000,
	PD_ADDRESS = 0xb000,
	PML5_ADDRESS = 0xc000,
	CMDLINE_ADDRESS = 0x20000,
};

/* As in Xen's memory map for PVH; type has the numbers of e820. */
struct memory_range {
	uint64_t base, len;
	uint32_t type, reserved;
};

#define MEMORY_MAX 64
#define TEXT_MAX 4096

/* All that the machine told the loader, copied before any of it is overwritten. */
struct machine {
	struct memory_range memory[MEMORY_MAX];
	unsigned nr_memory;
	uint64_t rsdp;
	uint64_t module, module_len;
	char options[TEXT_MAX]; /* the loader's own */
	char cmdline[TEXT_MAX]; /* the image's */
};

/* True when the loader's command line holds the word OPTION ("break=magic"). */
bool option_is_set(const struct machine *machine, const char *option);
/* The hexadecimal number after OPTION ("rsdp="); OTHERWISE when the word is not there. */
uint64_t option_number(const struct machine *machine, const char *option, uint64_t otherwise);

/* Prints TEXT on COM1. */
void say(const char *text);
/* Says why and ends QEMU with guest status 125, which no image under test uses. */
_Noreturn void fail(const char *why);

void *memcpy(void *dst, const void *src, size_t len);
void *memset(void *dst, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *text);

struct elf_image {
	uint32_t entry;	    /* e_entry: 64-bit code */
	uint32_t pvh_entry; /* XEN_ELFNOTE_PHYS32_ENTRY; 0: it has none */
};
/* Puts each segment of the ELF64 file in the module where its p_paddr says. Fails when that is no place for it. */
struct elf_image elf_load(const struct machine *machine);

_Noreturn void boot_pvh(const struct machine *machine, uint32_t entry);
_Noreturn void boot_linux64(const struct machine *machine, uint32_t entry);

_Noreturn void enter_pvh(uint32_t entry, uint32_t start_info);
_Noreturn void enter_linux64(uint32_t entry, uint32_t boot_params, uint32_t root, uint32_t gdtr, uint32_t cr4);

/* What PVH hands over: Xen xen/include/public/arch-x86/hvm/start_info.h, version 1. */
#define START_INFO_MAGIC 0x336ec578u
struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modules, cmdline, rsdp, memory;
	uint32_t nr_memory, reserved;
};
struct start_info_module {
	uint64_t base, len, cmdline, reserved;
};

#endif
