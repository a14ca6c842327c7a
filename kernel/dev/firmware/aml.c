#include "kernel/dev/firmware/aml.h"

#include "kernel/core/irq.h"
#include "kernel/dev/firmware/firmware.h"
#include "lib/string.h"
#include "lib/util.h"

/* Resource descriptors of the large kind: tag, length of what follows in 16 bits (ACPI 6.4, 6.4.3). */
enum {
	TAG_FIXED_MEMORY32 = 0x86, /* 6.4.3.4 */
	TAG_DWORD_SPACE = 0x87,	   /* 6.4.3.5.2 */
	TAG_WORD_SPACE = 0x88,	   /* 6.4.3.5.3 */
	TAG_INTERRUPT = 0x89,	   /* 6.4.3.6 */
	TAG_QWORD_SPACE = 0x8a,	   /* 6.4.3.5.1 */

	FIXED_MEMORY32_LEN = 9,
	INTERRUPT_LEN = 6, /* with one number */
	WORD_SPACE_LEN = 13,
	DWORD_SPACE_LEN = 23,
	QWORD_SPACE_LEN = 43,

	DWORD_PREFIX = 0x0c, /* 20.2.3, 20.2.5.3 */
	QWORD_PREFIX = 0x0e,
	RETURN_OP = 0xa4,

	SPACE_BUS = 2,
	SPACE_MEMORY = 0,      /* resource type */
	INTERRUPT_EDGE = 0x02, /* flags */
	INTERRUPT_LOW = 0x04,
};

/* From a hardware id to the end of the device's resources: far more than any of these devices needs. */
#define DEVICE_LEN_MAX 512

struct bytes {
	const uint8_t *p;
	size_t len;
};

static uint64_t get_le(const uint8_t *p, unsigned n)
{
	uint64_t value = 0;

	while (n-- > 0)
		value = value << 8 | p[n];
	return value;
}

static struct bytes bytes_from(struct bytes in, size_t off)
{
	return (struct bytes){ in.p + off, in.len - off };
}

/* Offset of the first LEN bytes that equal WHAT; IN.len when there are none. */
static size_t bytes_find(struct bytes in, const void *what, size_t len)
{
	for (size_t off = 0; off + len <= in.len; off++)
		if (memcmp(in.p + off, what, len) == 0)
			return off;
	return in.len;
}

/* The first descriptor with TAG and a body of BODY_LEN; NULL when there is none. Its body is inside of IN. */
static const uint8_t *descriptor_find(struct bytes in, uint8_t tag, uint8_t body_len)
{
	const uint8_t head[] = { tag, body_len, 0 };
	size_t off = bytes_find(in, head, sizeof(head));

	if (off == in.len || in.len - off - sizeof(head) < body_len)
		return NULL;
	return in.p + off + sizeof(head);
}

/* IN begins behind the hardware id. */
static bool device_read(struct bytes in, struct aml_device *out)
{
	const uint8_t *memory, *interrupt;

	in.len = MIN(in.len, (size_t)DEVICE_LEN_MAX);
	memory = descriptor_find(in, TAG_FIXED_MEMORY32, FIXED_MEMORY32_LEN);
	interrupt = descriptor_find(in, TAG_INTERRUPT, INTERRUPT_LEN);
	if (!memory || !interrupt)
		return false;
	out->base = (uint32_t)get_le(memory + 1, 4);
	out->len = (uint32_t)get_le(memory + 5, 4);
	out->gsi = (uint32_t)get_le(interrupt + 2, 4);
	out->irq_flags =
		(interrupt[0] & INTERRUPT_EDGE ? 0 : IRQ_LEVEL) | (interrupt[0] & INTERRUPT_LOW ? IRQ_ACTIVE_LOW : 0);
	return true;
}

unsigned aml_devices(const uint8_t *aml, size_t len, const char *hid, struct aml_device *out, unsigned max)
{
	struct bytes in = { aml, len };
	size_t hid_len = strlen(hid) + 1;
	unsigned n = 0;

	while (n < max) {
		size_t off = bytes_find(in, hid, hid_len);
		struct bytes rest;

		if (off == in.len)
			break;
		in = bytes_from(in, off + hid_len);
		rest = in;
		rest.len = bytes_find(in, hid, hid_len); /* what stands behind the next one is not this one's */
		if (device_read(rest, &out[n]))
			n++;
	}
	return n;
}

/* WIDTH bytes each: granularity, lowest, highest address, translation, length, behind three bytes of type and flags. */
static bool window_read(const uint8_t *body, unsigned width, struct firmware_window *out)
{
	uint64_t lowest = get_le(body + 3 + width, width);
	uint64_t highest = get_le(body + 3 + 2 * width, width);
	uint64_t translation = get_le(body + 3 + 3 * width, width);
	uint64_t length = get_le(body + 3 + 4 * width, width);

	if (body[0] != SPACE_MEMORY || translation != 0 || lowest < MIB(1) || length == 0 ||
	    length > UINT64_MAX - lowest || highest != lowest + length - 1)
		return false;
	*out = (struct firmware_window){ .base = lowest, .len = length };
	return true;
}

static unsigned windows_read(struct bytes in, uint8_t tag, uint8_t body_len, unsigned width,
			     struct firmware_window *out, unsigned max)
{
	unsigned n = 0;

	while (n < max) {
		const uint8_t *body = descriptor_find(in, tag, body_len);

		if (!body)
			break;
		if (window_read(body, width, &out[n]))
			n++;
		in = bytes_from(in, (size_t)(body - in.p));
	}
	return n;
}

/* From the first PCI host bridge on; empty when there is none. */
static struct bytes bridge_find(const uint8_t *aml, size_t len)
{
	/* The name as a string, and as an EISA id in a DWordConst (19.3.4). */
	static const char ids[][8] = { "PNP0A08", "PNP0A03", "\x0c\x41\xd0\x0a\x08", "\x0c\x41\xd0\x0a\x03" };
	struct bytes in = { aml, len };
	size_t first = len;

	for (unsigned i = 0; i < ARRAY_SIZE(ids); i++)
		first = MIN(first, bytes_find(in, ids[i], strlen(ids[i])));
	return bytes_from(in, first);
}

unsigned aml_pci_windows(const uint8_t *aml, size_t len, struct firmware_window *out, unsigned max)
{
	struct bytes in = bridge_find(aml, len);
	unsigned n = windows_read(in, TAG_DWORD_SPACE, DWORD_SPACE_LEN, 4, out, max);

	return n + windows_read(in, TAG_QWORD_SPACE, QWORD_SPACE_LEN, 8, out + n, max - n);
}

/* An integer constant (20.2.3) at OFF of IN; false when there is none. */
static bool integer_read(struct bytes in, size_t off, uint64_t *out)
{
	unsigned width;

	if (off >= in.len || (in.p[off] != DWORD_PREFIX && in.p[off] != QWORD_PREFIX))
		return false;
	width = in.p[off] == DWORD_PREFIX ? 4 : 8;
	if (in.len - off - 1 < width)
		return false;
	*out = get_le(in.p + off + 1, width);
	return true;
}

bool aml_pci_ecam(const uint8_t *aml, size_t len, struct firmware_mcfg *out)
{
	struct bytes in = bridge_find(aml, len);
	size_t off = bytes_find(in, "_CBA", 4) + 4;
	const uint8_t *buses = descriptor_find(in, TAG_WORD_SPACE, WORD_SPACE_LEN);

	*out = (struct firmware_mcfg){ .bus_last = 255 };
	/* A name for the integer, or a method of one statement: its flags, then return of the integer. */
	if (!integer_read(in, off, &out->base) &&
	    !(off + 1 < in.len && in.p[off + 1] == RETURN_OP && integer_read(in, off + 2, &out->base)))
		return false;
	if (buses && buses[0] == SPACE_BUS && buses[6] == 0 && buses[8] == 0 && buses[5] <= buses[7]) {
		out->bus_first = buses[5];
		out->bus_last = buses[7];
	}
	return true;
}
