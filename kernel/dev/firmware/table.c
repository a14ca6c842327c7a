#include "kernel/dev/firmware/table.h"

#include "lib/util.h"

const struct bootinfo *firmware_bootinfo;

const void *table_window(paddr_t pa, size_t len)
{
	paddr_t end = pa + len, pos = pa;

	if (end < pa)
		return NULL;
	if (end > MIB(1)) {
		/* The map is sorted: neighbours that cover the range one after the other will do. */
		for (unsigned i = 0; i < firmware_bootinfo->nr_mem && pos < end; i++) {
			const struct mem_range *m = &firmware_bootinfo->mem[i];

			if (m->base <= pos && pos - m->base < m->len)
				pos = m->base + m->len;
		}
		if (pos < end)
			return NULL;
	}
	return phys_window(pa, len);
}

bool table_is_device(paddr_t pa, size_t len)
{
	paddr_t end = pa + len;

	if (!pa || end < pa || end > arch_phys_limit())
		return false;
	for (unsigned i = 0; i < firmware_bootinfo->nr_mem; i++) {
		const struct mem_range *m = &firmware_bootinfo->mem[i];

		if (m->type == MEM_RAM && m->base < end && pa < m->base + m->len)
			return false;
	}
	return true;
}

/* Eight bytes at a time, as four lanes of 16 bits that are cut back to 8 before they can spill. */
uint8_t table_sum(const void *table, size_t len)
{
	const uint64_t lanes = 0x00ff00ff00ff00ffull;
	const uint8_t *p = table;
	uint64_t sum = 0, word;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		__builtin_memcpy(&word, p, sizeof(word));
		sum = ((sum & lanes) + (word & lanes) + (word >> 8 & lanes));
	}
	sum &= lanes;
	sum += sum >> 32;
	sum += sum >> 16;
	while (len--)
		sum += *p++;
	return (uint8_t)sum;
}

const uint8_t *table_scan(const uint8_t *p, const uint8_t *end, const char *signature)
{
	for (; p < end; p += 16) {
		if (table_is(p, signature))
			return p;
	}
	return NULL;
}

paddr_t table_ebda(void)
{
	const uint8_t *word = phys_window(0x40e, 2);
	paddr_t base = word ? (paddr_t)(word[0] | word[1] << 8) << 4 : 0;

	return base >= KIB(1) && base < KIB(640) ? base : 0;
}
