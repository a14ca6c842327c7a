/*
 * All boot protocols. Input: a byte that is the protocol (enum boot_entry), then records of physical memory, of which the
 * first is what the loader's register points to (test/unit/physmem.h). What comes out must keep bootinfo.h's promises. The
 * seeds pvh-* come from QEMU (dump-tables), the others are written after the specifications.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/boot/bootinfo.h"
#include "lib/util.h"
#include "test/unit/physmem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

extern const struct boot_protocol boot_protocol_pvh, boot_protocol_multiboot2, boot_protocol_linux64;
extern struct boot_protocol boot_protocols_start[3];

/* What the linker script does for an image. */
struct boot_protocol boot_protocols_start[3];
__asm__(".globl boot_protocols_end\n.set boot_protocols_end, boot_protocols_start + 72");
_Static_assert(sizeof(boot_protocols_start) == 72, "the symbol above");

static struct bootinfo bi;

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void check(void)
{
	unsigned nr_ram = 0;

	require(bi.nr_mem <= BOOTINFO_MEM_MAX && bi.nr_modules <= BOOTINFO_MODULE_MAX &&
		bi.seed_len <= sizeof(bi.seed));
	require(memchr(bi.cmdline, 0, sizeof(bi.cmdline)));
	for (unsigned i = 0; i < bi.nr_mem; i++) {
		const struct mem_range *m = &bi.mem[i];

		require(m->len && m->base + m->len > m->base && m->base + m->len <= PHYSMEM_LIMIT);
		require(!i || m->base >= m[-1].base + m[-1].len);
		require(m->type >= MEM_RAM && m->type <= MEM_UNUSABLE);
		if (m->type == MEM_RAM)
			require(m->base >= PAGE_SIZE && IS_ALIGNED(m->base | m->len, PAGE_SIZE));
		nr_ram += m->type == MEM_RAM;
	}
	require(nr_ram);
	for (unsigned i = 0; i < bi.nr_modules; i++) {
		const struct boot_module *m = &bi.modules[i];

		require(m->base + m->len >= m->base);
		require(m->base + m->len <= PHYSMEM_IMAGE || m->base >= PHYSMEM_IMAGE + PHYSMEM_IMAGE_LEN);
		require(m->cmdline >= bi.module_text && m->cmdline < bi.module_text + sizeof(bi.module_text));
		require(memchr(m->cmdline, 0, (size_t)(bi.module_text + sizeof(bi.module_text) - m->cmdline)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	paddr_t info;

	if (!len)
		return 0;
	boot_protocols_start[0] = boot_protocol_pvh;
	boot_protocols_start[1] = boot_protocol_multiboot2;
	boot_protocols_start[2] = boot_protocol_linux64;
	physmem_reset();
	memset(&bi, 0, sizeof(bi));
	info = physmem_load(data + 1, len - 1);
	if (!bootinfo_fill(data[0] % 4, info, &bi))
		check();
	return 0;
}
