/*
 * PVH: QEMU -kernel, Cloud Hypervisor, Firecracker, Xen. The loader leaves the physical address of a struct
 * hvm_start_info in EBX (Xen public headers, arch-x86/hvm/start_info.h; Xen docs/misc/pvh.pandoc).
 */
#include "kernel/boot/bootinfo.h"
#include "kernel/boot/phys.h"
#include "kernel/core/log.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

#define PVH_MAGIC 0x336ec578u /* "xEn3", bit 7 of the E set */

struct pvh_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp;
	/* Version 1 and later: */
	uint64_t memmap;
	uint32_t memmap_entries, reserved;
} __attribute__((packed));
_Static_assert(sizeof(struct pvh_start_info) == 56, "hvm_start_info of version 1");

struct pvh_module {
	uint64_t paddr, size, cmdline, reserved;
} __attribute__((packed));

struct pvh_memmap_entry {
	uint64_t addr, size;
	uint32_t type, reserved;
} __attribute__((packed));

static int read_memmap(const struct pvh_start_info *si, struct bootinfo *bi)
{
	unsigned n = MIN(si->memmap_entries, (uint32_t)BOOTINFO_MEM_MAX);
	const struct pvh_memmap_entry *entry = phys_window(si->memmap, n * sizeof(*entry));

	if (!entry) {
		log_err("pvh: memory map of %u entries at 0x%llx cannot be read", si->memmap_entries,
			(unsigned long long)si->memmap);
		return -EINVAL;
	}
	if (n < si->memmap_entries)
		log_warn("pvh: memory map has %u entries, taking %u", si->memmap_entries, n);
	for (unsigned i = 0; i < n; i++) {
		if (bootinfo_add_mem(bi, entry[i].addr, entry[i].size, entry[i].type))
			log_warn("pvh: memory map entry %u wraps: ignored", i);
	}
	return 0;
}

static void read_modules(const struct pvh_start_info *si, struct bootinfo *bi)
{
	unsigned n = MIN(si->nr_modules, (uint32_t)BOOTINFO_MODULE_MAX);
	const struct pvh_module *module = phys_window(si->modlist, n * sizeof(*module));

	if (!module) {
		log_warn("pvh: list of %u modules at 0x%llx cannot be read", si->nr_modules,
			 (unsigned long long)si->modlist);
		return;
	}
	if (n < si->nr_modules)
		log_warn("pvh: %u modules, taking %u", si->nr_modules, n);
	for (unsigned i = 0; i < n; i++) {
		char text[256] = "";

		if (module[i].cmdline && phys_read_string(text, sizeof(text), module[i].cmdline) < 0)
			log_warn("pvh: the text of module %u is cut", i);
		if (bootinfo_add_module(bi, module[i].paddr, module[i].size, text, strlen(text)))
			log_warn("pvh: module %u does not fit: ignored", i);
	}
}

static int pvh_fill(uint64_t info, struct bootinfo *bi)
{
	const struct pvh_start_info *window = phys_window(info, sizeof(*window));
	struct pvh_start_info si;

	if (!window || window->magic != PVH_MAGIC) {
		log_err("pvh: no start info at 0x%llx", (unsigned long long)info);
		return -EINVAL;
	}
	si = *window;
	if (!si.version) {
		log_err("pvh: start info of version 0 has no memory map: use a monitor that gives version 1 "
			"(QEMU 4.0, Xen 4.11)");
		return -EINVAL;
	}
	bi->rsdp = si.rsdp;
	if (si.cmdline && phys_read_string(bi->cmdline, sizeof(bi->cmdline), si.cmdline) < 0)
		log_warn("pvh: the command line is cut");
	if (si.nr_modules)
		read_modules(&si, bi);
	return read_memmap(&si, bi);
}

BOOT_PROTOCOL(pvh) = {
	.name = "pvh",
	.entry = BOOT_ENTRY_PVH,
	.fill = pvh_fill,
};
