/*
 * Places of virtio devices: Linux's virtio_mmio.device= on the command line, as QEMU and Firecracker write it, and devices
 * LNRO0005 in the DSDT, as both write them there.
 */
#include "kernel/dev/firmware/virtio_mmio.h"

#include "kernel/core/log.h"
#include "kernel/dev/firmware/aml.h"
#include "kernel/dev/firmware/dsdt.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/dev/firmware/table.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

#define OPTION "virtio_mmio.device="
#define ISA_LINES 16
#define GSI_MAX 0xffff

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* As C17 7.22.1.4 with base 0, no sign. NULL when there is no digit or the value does not fit. */
static const char *number_parse(const char *p, uint64_t *out)
{
	unsigned radix = 10;
	const char *first;

	*out = 0;
	if (p[0] == '0' && (p[1] | 0x20) == 'x') {
		radix = 16;
		p += 2;
	} else if (p[0] == '0') {
		radix = 8;
	}
	for (first = p; digit_value(*p) < radix; p++)
		if (__builtin_mul_overflow(*out, radix, out) || __builtin_add_overflow(*out, digit_value(*p), out))
			return NULL;
	return p > first ? p : NULL;
}

static const char *size_parse(const char *p, uint64_t *out)
{
	static const char units[] = "KMG";
	const char *unit;

	p = number_parse(p, out);
	if (!p || !*p)
		return p;
	unit = strchr(units, *p & ~0x20);
	if (!unit)
		return p;
	return __builtin_mul_overflow(*out, 1ull << 10 * (unit - units + 1), out) ? NULL : p + 1;
}

int virtio_mmio_option_parse(const char *text, struct firmware_virtio_mmio *out)
{
	uint64_t gsi, id;
	const char *p = size_parse(text, &out->len);

	if (!p || *p != '@')
		return -EINVAL;
	p = number_parse(p + 1, &out->base);
	if (!p || *p != ':')
		return -EINVAL;
	p = number_parse(p + 1, &gsi);
	if (p && *p == ':')
		p = number_parse(p + 1, &id); /* names the device in Linux; nothing here */
	if (!p || (*p && *p != ' ') || gsi > GSI_MAX || out->base == 0 || out->len == 0 ||
	    out->len > UINT64_MAX - out->base)
		return -EINVAL;
	out->gsi = (unsigned)gsi;
	out->irq_flags = 0;
	out->is_isa = gsi < ISA_LINES;
	return 0;
}

static unsigned cmdline_find(const char *cmdline, struct firmware_virtio_mmio *out, unsigned max)
{
	unsigned n = 0;

	while (*cmdline && n < max) {
		if (strncmp(cmdline, OPTION, sizeof(OPTION) - 1) == 0) {
			if (virtio_mmio_option_parse(cmdline + sizeof(OPTION) - 1, &out[n]) == 0)
				n++;
			else
				log_warn("command line: %.60s: not SIZE@BASE:IRQ", cmdline);
		}
		while (*cmdline && *cmdline != ' ')
			cmdline++;
		while (*cmdline == ' ')
			cmdline++;
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
	unsigned n = dsdt_find(out, cmdline_find(firmware_bootinfo->cmdline, out, max), max);
	unsigned nr_kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (table_is_device(out[i].base, out[i].len))
			out[nr_kept++] = out[i];
		else
			log_warn("virtio-mmio: no device can be at %#llx", (unsigned long long)out[i].base);
	}
	return nr_kept;
}
