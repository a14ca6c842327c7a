#include "kernel/dev/firmware/aml.h"

#include "kernel/core/irq.h"
#include "kernel/dev/firmware/firmware.h"
#include "lib/string.h"
#include "lib/util.h"

/* Resource descriptors of the large kind: tag, length of what follows in 16 bits (ACPI 6.4, 6.4.3). */
enum {
	TAG_FIXED_MEMORY32 = 0x86, /* 6.4.3.4 */
	TAG_DWORD_SPACE = 0x87,	   /* 6.4.3.5.2 */
	TAG_INTERRUPT = 0x89,	   /* 6.4.3.6 */
	TAG_QWORD_SPACE = 0x8a,	   /* 6.4.3.5.1 */

	FIXED_MEMORY32_LEN = 9,
	INTERRUPT_LEN = 6, /* with one number */
	DWORD_SPACE_LEN = 23,
	QWORD_SPACE_LEN = 43,

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

unsigned aml_pci_windows(const uint8_t *aml, size_t len, struct firmware_window *out, unsigned max)
{
	/* EISA ids PNP0A08 and PNP0A03 as a DWordConst (ACPI 6.4, 19.3.4). */
	static const uint8_t express[] = { 0x0c, 0x41, 0xd0, 0x0a, 0x08 },
			     conventional[] = { 0x0c, 0x41, 0xd0, 0x0a, 0x03 };
	struct bytes in = { aml, len };
	size_t off = MIN(bytes_find(in, express, sizeof(express)), bytes_find(in, conventional, sizeof(conventional)));
	unsigned n;

	in = bytes_from(in, off);
	n = windows_read(in, TAG_DWORD_SPACE, DWORD_SPACE_LEN, 4, out, max);
	return n + windows_read(in, TAG_QWORD_SPACE, QWORD_SPACE_LEN, 8, out + n, max - n);
}
