/* Where virtio-mmio devices and PCI windows are: a command line, and behind its end the DSDT's code. */
#include <stdlib.h>
#include <string.h>

#include "kernel/boot/bootinfo.h"
#include "kernel/dev/firmware/aml.h"
#include "kernel/dev/firmware/dsdt.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/dev/firmware/table.h"

static struct bootinfo bootinfo;
const struct bootinfo *firmware_bootinfo = &bootinfo;
static const uint8_t *code;
static size_t code_len;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

const uint8_t *dsdt_code(size_t *len)
{
	*len = code_len;
	return code;
}

bool firmware_has_acpi(void)
{
	return code_len & 1;
}

bool table_is_device(paddr_t pa, size_t len)
{
	return pa >= 0xa0000000 && len <= 1ul << 30;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct firmware_virtio_mmio places[FIRMWARE_VIRTIO_MMIO_MAX];
	struct firmware_window windows[FIRMWARE_PCI_WINDOW_MAX];
	struct firmware_mcfg mcfg;
	size_t cmdline_len = strnlen((const char *)data, len);
	uint8_t *copy;
	unsigned n;

	if (cmdline_len >= sizeof(bootinfo.cmdline))
		return 0;
	memcpy(bootinfo.cmdline, data, cmdline_len);
	bootinfo.cmdline[cmdline_len] = '\0';
	code_len = len > cmdline_len ? len - cmdline_len - 1 : 0;
	copy = malloc(code_len); /* so that a step outside is seen */
	if (code_len)
		memcpy(copy, data + cmdline_len + 1, code_len);
	code = copy;
	n = firmware_virtio_mmio(places, FIRMWARE_VIRTIO_MMIO_MAX);
	for (unsigned i = 0; i < n; i++)
		if (places[i].len == 0 && places[i].base == 0)
			abort();
	n = aml_pci_windows(code, code_len, windows, FIRMWARE_PCI_WINDOW_MAX);
	for (unsigned i = 0; i < n; i++)
		if (windows[i].len == 0 || windows[i].len > UINT64_MAX - windows[i].base)
			abort();
	aml_pci_ecam(code, code_len, &mcfg);
	free(copy);
	return 0;
}
