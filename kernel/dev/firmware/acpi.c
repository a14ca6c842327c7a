/* From the root pointer to a checked table (ACPI 6.4, 5.2.5 to 5.2.8). */
#include "kernel/dev/firmware/acpi.h"

#include "kernel/core/log.h"
#include "kernel/dev/firmware/table.h"
#include "lib/util.h"

#define ROOT_ENTRIES_MAX 64u

/* The XSDT or the RSDT, once it was found and checked. */
static struct {
	enum { ROOT_UNKNOWN, ROOT_ABSENT, ROOT_FOUND } state;
	const uint8_t *entries;
	unsigned nr, entry_size; /* 8 in the XSDT, 4 in the RSDT */
	uint64_t broken;	 /* bit I: the table of entry I was named in the log */
} root;

static void log_broken(const char *signature, uint64_t pa, const char *what, unsigned offset, unsigned value)
{
	log_warn("acpi: table %.4s at 0x%llx: %s at offset %u (%u): ignored", signature, (unsigned long long)pa, what,
		 offset, value);
}

/* The rest of a table whose header, at TABLE, can be read. */
static const struct acpi_header *table_check(const struct acpi_header *table, uint64_t pa, const char *signature)
{
	uint32_t len = table->length;
	uint8_t sum;

	if (len < sizeof(*table) || len > ACPI_TABLE_MAX || !table_window(pa, len)) {
		log_broken(signature, pa, "bad length", offsetof(struct acpi_header, length), len);
		return NULL;
	}
	sum = table_sum(table, len);
	if (sum) {
		log_broken(signature, pa, "bad checksum", offsetof(struct acpi_header, checksum), sum);
		return NULL;
	}
	return table;
}

const struct acpi_header *acpi_table_at(uint64_t pa, const char *signature)
{
	const struct acpi_header *table = table_window(pa, sizeof(*table));

	if (!table) {
		log_broken(signature, pa, "outside of memory", 0, 0);
		return NULL;
	}
	if (!table_is(table->signature, signature)) {
		log_broken(signature, pa, "wrong signature", 0, (uint8_t)table->signature[0]);
		return NULL;
	}
	return table_check(table, pa, signature);
}

/* Both checksums (5.2.5.3); the signature has 8 bytes. */
static bool rsdp_is_sound(const struct acpi_rsdp *rsdp)
{
	if (!table_is(rsdp->signature, "RSD ") || !table_is(rsdp->signature + 4, "PTR ") ||
	    table_sum(rsdp, ACPI_RSDP_V1_SIZE))
		return false;
	return rsdp->revision < 2 || (rsdp->length == sizeof(*rsdp) && !table_sum(rsdp, sizeof(*rsdp)));
}

static const struct acpi_rsdp *rsdp_scan(paddr_t pa, size_t len)
{
	const uint8_t *area = pa ? table_window(pa, len + sizeof(struct acpi_rsdp)) : NULL;
	const uint8_t *p = area;

	while (p && (p = table_scan(p, area + len, "RSD "))) {
		if (rsdp_is_sound((const struct acpi_rsdp *)p))
			break;
		p += 16;
	}
	return (const struct acpi_rsdp *)p;
}

/* Where the loader says, else where a BIOS puts it (5.2.5.1). */
static const struct acpi_rsdp *rsdp_find(void)
{
	const struct acpi_rsdp *rsdp;

	if (firmware_bootinfo->rsdp) {
		rsdp = table_window(firmware_bootinfo->rsdp, sizeof(*rsdp));
		if (rsdp && rsdp_is_sound(rsdp))
			return rsdp;
		log_broken("RSDP", firmware_bootinfo->rsdp, "bad signature or checksum", 0, 0);
	}
	rsdp = rsdp_scan(table_ebda(), KIB(1));
	return rsdp ? rsdp : rsdp_scan(0xe0000, 0x20000 - sizeof(*rsdp));
}

static bool root_find(void)
{
	const struct acpi_rsdp *rsdp;
	const struct acpi_header *table;
	bool wide;

	if (root.state != ROOT_UNKNOWN)
		return root.state == ROOT_FOUND;
	if (!firmware_bootinfo) /* a panic before firmware_init */
		return false;
	root.state = ROOT_ABSENT;
	rsdp = rsdp_find();
	if (!rsdp)
		return false;
	wide = rsdp->revision >= 2 && rsdp->xsdt;
	table = wide ? acpi_table_at(rsdp->xsdt, "XSDT") : acpi_table_at(rsdp->rsdt, "RSDT");
	if (!table)
		return false;
	root.entries = (const uint8_t *)(table + 1);
	root.entry_size = wide ? 8 : 4;
	root.nr = MIN((table->length - (unsigned)sizeof(*table)) / root.entry_size, ROOT_ENTRIES_MAX);
	root.state = ROOT_FOUND;
	return true;
}

static uint64_t root_entry(unsigned i)
{
	uint64_t pa = 0;

	__builtin_memcpy(&pa, root.entries + i * root.entry_size, 4);
	if (root.entry_size == 8)
		__builtin_memcpy(&pa, root.entries + i * 8, 8);
	return pa;
}

const struct acpi_header *acpi_find(const char *signature)
{
	if (!root_find())
		return NULL;
	for (unsigned i = 0; i < root.nr; i++) {
		uint64_t pa = root_entry(i);
		const struct acpi_header *table;

		if (root.broken >> i & 1)
			continue;
		table = table_window(pa, sizeof(*table));
		if (table && !table_is(table->signature, signature))
			continue;
		if (table)
			table = table_check(table, pa, signature);
		else
			log_broken(root.entry_size == 8 ? "XSDT" : "RSDT", pa, "entry outside of memory",
				   (unsigned)sizeof(*table) + i * root.entry_size, i);
		if (table)
			return table;
		root.broken |= 1ull << i;
	}
	return NULL;
}
