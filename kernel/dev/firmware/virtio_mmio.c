/*
 * Places of virtio devices: Linux's virtio_mmio.device= on the command line, which Firecracker and QEMU without ACPI append,
 * and devices LNRO0005 in the DSDT, where QEMU with ACPI names them.
 */
#include "kernel/dev/firmware/virtio_mmio.h"

#include "kernel/core/log.h"
#include "kernel/dev/firmware/aml.h"
#include "kernel/dev/firmware/dsdt.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/dev/firmware/table.h"
#include "lib/cmdline.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

#define ISA_LINES 16
#define GSI_MAX 0xffff
#define OPTION_MAX 80

/* Cuts TEXT at the first C; what follows it, NULL when there is none. */
static char *cut(char *text, char c)
{
	char *at = strchr(text, c);

	if (at)
		*at++ = '\0';
	return at;
}

int virtio_mmio_option_parse(char *text, struct firmware_virtio_mmio *out)
{
	char *base = cut(text, '@');
	char *line = base ? cut(base, ':') : NULL;
	char *id = line ? cut(line, ':') : NULL; /* names the device in Linux; nothing here */
	uint64_t gsi, unused;

	if (!line || parse_u64(text, &out->len) || parse_u64(base, &out->base) || parse_u64(line, &gsi) ||
	    (id && parse_u64(id, &unused)))
		return -EINVAL;
	if (gsi > GSI_MAX || out->base == 0 || out->len == 0 || out->len > UINT64_MAX - out->base)
		return -EINVAL;
	out->gsi = (unsigned)gsi;
	out->irq_flags = 0;
	out->is_isa = gsi < ISA_LINES;
	return 0;
}

static unsigned cmdline_find(const char *cmdline, struct firmware_virtio_mmio *out, unsigned n, unsigned max)
{
	char value[OPTION_MAX];

	while (n < max && cmdline_next(&cmdline, "virtio_mmio.device", value, sizeof(value))) {
		if (virtio_mmio_option_parse(value, &out[n]) == 0)
			n++;
		else
			log_warn("command line: virtio_mmio.device=%s...: not SIZE@BASE:IRQ", value);
	}
	return n;
}

static bool is_known(const struct firmware_virtio_mmio *places, unsigned n, uint64_t base)
{
	for (unsigned i = 0; i < n; i++)
		if (places[i].base == base)
			return true;
	return false;
}

static unsigned dsdt_find(struct firmware_virtio_mmio *out, unsigned n, unsigned max)
{
	struct aml_device devices[FIRMWARE_VIRTIO_MMIO_MAX];
	size_t len;
	const uint8_t *code = dsdt_code(&len);
	unsigned nr_devices = code ? aml_devices(code, len, "LNRO0005", devices, ARRAY_SIZE(devices)) : 0;

	for (unsigned i = 0; i < nr_devices && n < max; i++) {
		const struct aml_device *device = &devices[i];

		if (is_known(out, n, device->base))
			continue;
		out[n++] = (struct firmware_virtio_mmio){
			.base = device->base,
			.len = device->len,
			.gsi = device->gsi,
			.irq_flags = device->irq_flags,
		};
	}
	return n;
}

unsigned firmware_virtio_mmio(struct firmware_virtio_mmio *out, unsigned max)
{
	const char *cmdline = firmware_bootinfo->cmdline;
	unsigned n = cmdline_find(cmdline, out, 0, max);
	unsigned nr_kept = 0;

	/* A monitor without ACPI appends its words, and so to the program's when there is a --. */
	if (!firmware_has_acpi())
		n = cmdline_find(cmdline_program(cmdline), out, n, max);
	n = dsdt_find(out, n, max);
	for (unsigned i = 0; i < n; i++) {
		if (table_is_device(out[i].base, out[i].len))
			out[nr_kept++] = out[i];
		else
			log_warn("virtio-mmio: no device can be at %#llx", (unsigned long long)out[i].base);
	}
	return nr_kept;
}
