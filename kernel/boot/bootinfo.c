/*
 * From a boot protocol to a memory map that the page allocator can trust. In: the table of protocols that the linker
 * collects. Out: struct bootinfo. Touches nothing else.
 */
#include "kernel/boot/bootinfo.h"

#include "kernel/arch/arch.h"
#include "kernel/core/log.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

extern const struct boot_protocol boot_protocols_start[], boot_protocols_end[];

int bootinfo_add_mem(struct bootinfo *bi, uint64_t base, uint64_t len, uint32_t type)
{
	if (!len)
		return 0;
	if (base + len < base)
		return -EINVAL;
	if (bi->nr_mem == BOOTINFO_MEM_MAX)
		return -ENOSPC;
	if (type < MEM_RAM || type > MEM_UNUSABLE)
		type = MEM_RESERVED;
	bi->mem[bi->nr_mem++] = (struct mem_range){ base, len, type };
	return 0;
}

int bootinfo_add_module(struct bootinfo *bi, uint64_t base, uint64_t len, const char *text, size_t text_len)
{
	size_t room = sizeof(bi->module_text) - bi->module_text_len;
	struct boot_module *module = &bi->modules[bi->nr_modules];
	uint64_t end;

	if (__builtin_add_overflow(base, len, &end) || end > PHYS_MAX ||
	    (base < arch_layout.image_phys + arch_layout.image_len && end > arch_layout.image_phys))
		return -EINVAL;
	/* One byte of room always remains, so that there is an empty string to point at. */
	if (bi->nr_modules == BOOTINFO_MODULE_MAX || !room)
		return -ENOSPC;
	text_len = text ? MIN(text_len, room - 1) : 0;
	if (text_len)
		memcpy(bi->module_text + bi->module_text_len, text, text_len);
	*module = (struct boot_module){ base, len, bi->module_text + bi->module_text_len };
	bi->module_text[bi->module_text_len + text_len] = '\0';
	bi->module_text_len = MIN(bi->module_text_len + text_len + 1, sizeof(bi->module_text) - 1);
	bi->nr_modules++;
	return 0;
}

/* Sorted and free of overlaps as it came, as nearly every loader's map is. */
static bool mem_is_sorted(const struct bootinfo *bi)
{
	uint64_t end = 0;

	for (unsigned i = 0; i < bi->nr_mem; i++) {
		if (bi->mem[i].base < end)
			return false;
		end = bi->mem[i].base + bi->mem[i].len;
	}
	return true;
}

/* Of two types that claim the same byte, the one with the higher rank is right. */
static unsigned type_rank(enum mem_type type)
{
	static const uint8_t rank[] = {
		[MEM_RAM] = 1, [MEM_ACPI] = 2, [MEM_NVS] = 3, [MEM_RESERVED] = 4, [MEM_UNUSABLE] = 5
	};

	return rank[type];
}

/*
 * Looks at the byte at POS: *TYPE is the type of the range that rules it, 0 when none covers it. Returns the next address
 * above POS where that may change, 0 when nothing begins or ends above it.
 */
static uint64_t mem_span(const struct bootinfo *bi, uint64_t pos, unsigned *type)
{
	uint64_t next = 0;

	*type = 0;
	for (unsigned i = 0; i < bi->nr_mem; i++) {
		const struct mem_range *m = &bi->mem[i];
		uint64_t end = m->base + m->len;

		if (m->base <= pos && pos < end && (!*type || type_rank(m->type) > type_rank(*type)))
			*type = m->type;
		if (m->base > pos && m->base - 1 < next - 1)
			next = m->base;
		if (end > pos && end - 1 < next - 1)
			next = end;
	}
	return next;
}

/* Walks the addresses from 0 up, from one border of a range to the next: at most 2n steps of n looks. */
static __attribute__((cold)) void mem_sort(struct bootinfo *bi)
{
	static struct mem_range out[BOOTINFO_MEM_MAX];
	unsigned nr = 0, type;

	for (uint64_t pos = 0, next; (next = mem_span(bi, pos, &type)); pos = next) {
		struct mem_range *last = nr ? &out[nr - 1] : NULL;

		if (!type)
			continue;
		if (last && last->type == type && last->base + last->len == pos) {
			last->len += next - pos;
		} else if (nr < BOOTINFO_MEM_MAX) {
			out[nr++] = (struct mem_range){ pos, next - pos, type };
		} else {
			log_warn("boot: memory map is too fragmented: ignoring what is above 0x%llx",
				 (unsigned long long)pos);
			break;
		}
	}
	memcpy(bi->mem, out, nr * sizeof(out[0]));
	bi->nr_mem = nr;
}

/* Cuts off what the CPU cannot address, and from RAM the first page and all that is not a whole page. */
static unsigned mem_trim(struct bootinfo *bi)
{
	uint64_t limit = MIN(arch_phys_limit(), PHYS_MAX);
	unsigned nr = 0, nr_ram = 0;

	for (unsigned i = 0; i < bi->nr_mem; i++) {
		struct mem_range m = bi->mem[i];
		uint64_t end = MIN(m.base + m.len, limit);

		if (m.type == MEM_RAM) {
			m.base = MAX(m.base, PAGE_SIZE);
			if (m.base < end)
				m.base = ALIGN_UP(m.base, PAGE_SIZE);
			end = ALIGN_DOWN(end, PAGE_SIZE);
		}
		if (m.base >= end)
			continue;
		m.len = end - m.base;
		nr_ram += m.type == MEM_RAM;
		bi->mem[nr++] = m;
	}
	bi->nr_mem = nr;
	return nr_ram;
}

int bootinfo_fill(enum boot_entry entry, uint64_t info, struct bootinfo *bi)
{
	const struct boot_protocol *protocol = boot_protocols_start;
	int err;

	while (protocol < boot_protocols_end && protocol->entry != entry)
		protocol++;
	if (protocol == boot_protocols_end) {
		log_err("boot: started by a protocol (%d) that this image was linked without", entry);
		return -ENODEV;
	}
	bi->protocol = protocol->name;
	err = protocol->fill(info, bi);
	if (err)
		return err;
	if (!mem_is_sorted(bi))
		mem_sort(bi);
	if (!mem_trim(bi)) {
		log_err("boot: %s names no usable RAM", protocol->name);
		return -EINVAL;
	}
	return 0;
}
