/*
 * The 64-bit Linux boot protocol (Linux Documentation/x86/boot.rst, "64-bit boot protocol"; zero-page.rst for offsets) as
 * Firecracker uses it: the ELF file's own entry point, RSI = boot_params, the first 1 GiB identity-mapped by 2 MiB pages.
 */
#include "test/boot/loader/loader.h"

#define E820_MAX 128
#define CR4_PAE 0x20
#define CR4_LA57 0x1000

struct e820_entry {
	uint64_t base, len;
	uint32_t type;
} __attribute__((packed));

/* The fields of the zero page that Firecracker fills, at their offsets. */
struct boot_params {
	uint8_t pad0[0x070];
	uint64_t rsdp; /* acpi_rsdp_addr */
	uint8_t pad1[0x0c8 - 0x078];
	uint32_t ext_cmdline; /* high half of the command line's address */
	uint8_t pad2[0x1e8 - 0x0cc];
	uint8_t nr_e820;
	uint8_t pad3[0x1fe - 0x1e9];
	uint16_t boot_flag;
	uint8_t pad4[0x202 - 0x200];
	uint32_t magic;	  /* "HdrS" */
	uint16_t version; /* 0 from Firecracker */
	uint8_t pad5[0x210 - 0x208];
	uint8_t type_of_loader;
	uint8_t pad6[0x218 - 0x211];
	uint32_t ramdisk, ramdisk_len;
	uint8_t pad7[0x228 - 0x220];
	uint32_t cmdline;
	uint8_t pad8[0x230 - 0x22c];
	uint32_t kernel_alignment;
	uint8_t pad9[0x238 - 0x234];
	uint32_t cmdline_len;
	uint8_t pad10[0x250 - 0x23c];
	uint64_t setup_data;
	uint8_t pad11[0x2d0 - 0x258];
	struct e820_entry e820[E820_MAX];
	uint8_t pad12[0x1000 - 0xcd0];
} __attribute__((packed));
_Static_assert(sizeof(struct boot_params) == 0x1000, "the zero page is one page");

static void spoil(const struct machine *machine, struct boot_params *params)
{
	if (option_is_set(machine, "break=magic"))
		params->magic ^= 1;
	if (option_is_set(machine, "break=memory-count"))
		params->nr_e820 = 255;
	if (option_is_set(machine, "break=memory-none"))
		params->nr_e820 = 0;
	if (option_is_set(machine, "break=memory-wrap"))
		params->e820[params->nr_e820++] = (struct e820_entry){ .base = ~0ull << 12, .len = ~0ull, .type = 1 };
	if (option_is_set(machine, "break=memory-overlap"))
		params->e820[params->nr_e820++] = (struct e820_entry){ .base = 0, .len = 1ull << 52, .type = 1 };
	if (option_is_set(machine, "break=module-address")) {
		params->ramdisk = 0xfffff000;
		params->ramdisk_len = 0xffffffff;
	}
	if (option_is_set(machine, "break=cmdline-address"))
		params->ext_cmdline = params->cmdline = 0xfffffff0;
	if (option_is_set(machine, "break=cmdline-endless")) {
		memset((void *)CMDLINE_ADDRESS, 'x', 0x70000);
		params->cmdline_len = UINT32_MAX;
	}
	if (option_is_set(machine, "break=rsdp-address"))
		params->rsdp = 0x7ffffffffffff000;
	if (option_is_set(machine, "break=rsdp-junk"))
		params->rsdp = CMDLINE_ADDRESS;
	if (option_is_set(machine, "break=setup-data"))
		params->setup_data = 0xfffffffffffffff0;
	if (option_is_set(machine, "break=setup-data-loop")) {
		/* A struct setup_data {next, type, len} of no known type whose next is itself. */
		uint64_t node[2] = { CMDLINE_ADDRESS - 0x1000, 0x7f };

		memcpy((void *)(CMDLINE_ADDRESS - 0x1000), node, sizeof(node));
		params->setup_data = CMDLINE_ADDRESS - 0x1000;
	}
}

static void fill_boot_params(const struct machine *machine, struct boot_params *params)
{
	memset(params, 0, sizeof(*params));
	params->rsdp = machine->rsdp;
	params->boot_flag = 0xaa55;
	params->magic = 0x53726448;
	params->type_of_loader = 0xff;
	params->kernel_alignment = 0x01000000;
	params->cmdline = CMDLINE_ADDRESS;
	params->cmdline_len = (uint32_t)strlen(machine->cmdline) + 1;
	memcpy((void *)CMDLINE_ADDRESS, machine->cmdline, params->cmdline_len);
	for (unsigned i = 0; i < machine->nr_memory; i++)
		params->e820[i] = (struct e820_entry){ .base = machine->memory[i].base,
						       .len = machine->memory[i].len,
						       .type = machine->memory[i].type };
	params->nr_e820 = (uint8_t)machine->nr_memory;
}

/* Intel SDM vol. 3, 4.5: present and writable everywhere, PS and G in the 512 page-directory entries. */
static void fill_page_tables(void)
{
	uint64_t *pml4 = (void *)PML4_ADDRESS, *pdpt = (void *)PDPT_ADDRESS, *pd = (void *)PD_ADDRESS;
	uint64_t *pml5 = (void *)PML5_ADDRESS;

	memset(pml5, 0, 4096);
	memset(pml4, 0, 4096);
	memset(pdpt, 0, 4096);
	pml5[0] = PML4_ADDRESS | 3;
	pml4[0] = PDPT_ADDRESS | 3;
	pdpt[0] = PD_ADDRESS | 3;
	for (unsigned i = 0; i < 512; i++)
		pd[i] = (uint64_t)i << 21 | 0x183;
}

_Noreturn void boot_linux64(const struct machine *machine, uint32_t entry)
{
	/* Null, 64-bit code, data, available TSS of length 0xfffff at 0 (Firecracker gdt.rs, regs.rs). */
	static const uint64_t gdt[] = { 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x008f89000000ffff, 0 };
	static struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) gdtr = { sizeof(gdt) - 1, GDT_ADDRESS };
	struct boot_params *params = (void *)ZERO_PAGE_ADDRESS;
	uint32_t cr4 = (uint32_t)option_number(machine, "cr4=", CR4_PAE);

	memcpy((void *)GDT_ADDRESS, gdt, sizeof(gdt));
	fill_boot_params(machine, params);
	fill_page_tables();
	spoil(machine, params);
	enter_linux64(entry, ZERO_PAGE_ADDRESS, cr4 & CR4_LA57 ? PML5_ADDRESS : PML4_ADDRESS,
		      (uint32_t)(uintptr_t)&gdtr, cr4);
}
