/* PCI on a configuration space of our own: what is found, BARs, capabilities, MSI, and devices that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The file itself, so that each test can begin without devices. */
#include "kernel/dev/bus/pci.c"

#include "kernel/dev/firmware/firmware.h"
#include "kernel/mem/vmap.h"
#include "lib/errno.h"

#define NR_FUNCTIONS 40

struct fake {
	bool present;
	struct pci_address address;
	uint8_t space[256];
	uint32_t bar_settable[PCI_BARS]; /* address bits that can be written */
};

static struct fake fakes[NR_FUNCTIONS];
static unsigned nr_fakes, nr_reads, nr_roots;
static uint8_t device_memory[8192];
static uint64_t mapped_at;
static struct firmware_window windows[1];
static unsigned nr_windows;
static struct irq *msi_irq;

static struct fake *fake_at(struct pci_address address)
{
	for (unsigned i = 0; i < nr_fakes; i++)
		if (memcmp(&fakes[i].address, &address, sizeof(address)) == 0 && fakes[i].present)
			return &fakes[i];
	return NULL;
}

unsigned pci_config_init(struct pci_address *out, unsigned max)
{
	assert_true(max > 0);
	out[0] = (struct pci_address){ 0 };
	return nr_roots;
}

uint32_t pci_config_read(struct pci_address address, unsigned off, unsigned size)
{
	struct fake *fake = fake_at(address);
	uint32_t value = ~0u;

	nr_reads++;
	assert_true(off % size == 0);
	if (fake && off < sizeof(fake->space))
		memcpy(&value, fake->space + off, size);
	return size == 4 ? value : value & ((1u << 8 * size) - 1);
}

void pci_config_write(struct pci_address address, unsigned off, unsigned size, uint32_t value)
{
	struct fake *fake = fake_at(address);

	assert_true(off % size == 0);
	if (!fake || off >= sizeof(fake->space))
		return;
	if (off >= PCI_BAR0 && off < PCI_BAR0 + 4 * PCI_BARS) {
		uint32_t settable = fake->bar_settable[(off - PCI_BAR0) / 4], old;

		memcpy(&old, fake->space + off, 4);
		value = (value & settable) | (old & ~settable);
	}
	memcpy(fake->space + off, &value, size);
}

void *kzalloc(size_t len)
{
	return calloc(1, len);
}

void *vmap_device(paddr_t pa, size_t len)
{
	mapped_at = pa;
	return len <= sizeof(device_memory) ? device_memory : NULL;
}

uint64_t arch_phys_limit(void)
{
	return 1ull << 40;
}

unsigned firmware_pci_windows(struct firmware_window *out, unsigned max)
{
	assert_true(max >= nr_windows);
	memcpy(out, windows, nr_windows * sizeof(*out));
	return nr_windows;
}

int irq_request_msi(struct irq *irq, struct msi_message *message)
{
	msi_irq = irq;
	*message = (struct msi_message){ .address = 0x1fee03000, .data = 0x31 };
	return 0;
}

void irq_free(struct irq *irq)
{
	assert_ptr_equal(irq, msi_irq);
	msi_irq = NULL;
}

int irq_request_isa(struct irq *irq, unsigned isa, unsigned flags)
{
	(void)irq;
	return isa == 11 && flags == (IRQ_LEVEL | IRQ_ACTIVE_LOW) ? 0 : -ENODEV;
}

void device_bind(struct device *device)
{
	(void)device;
}

static void put(struct fake *fake, unsigned off, unsigned size, uint32_t value)
{
	memcpy(fake->space + off, &value, size);
}

static uint32_t get(const struct fake *fake, unsigned off, unsigned size)
{
	uint32_t value = 0;

	memcpy(&value, fake->space + off, size);
	return value;
}

static struct fake *fake_add(uint8_t bus, uint8_t function, uint16_t vendor, uint16_t device)
{
	struct fake *fake = &fakes[nr_fakes++];

	assert_true(nr_fakes <= NR_FUNCTIONS);
	*fake = (struct fake){ .present = true, .address = { .bus = bus, .function = function } };
	put(fake, PCI_VENDOR, 2, vendor);
	put(fake, PCI_DEVICE, 2, device);
	return fake;
}

static struct fake *bridge_add(uint8_t bus, uint8_t function, uint8_t secondary)
{
	struct fake *fake = fake_add(bus, function, 0x8086, 0x1234);

	put(fake, PCI_HEADER_TYPE, 1, PCI_HEADER_BRIDGE);
	put(fake, PCI_BRIDGE_SECONDARY, 1, secondary);
	return fake;
}

static int reset(void **state)
{
	(void)state;
	while (!list_is_empty(&pci_devices))
		free(list_entry(list_pop_front(&pci_devices), struct pci_device, link));
	nr_devices = nr_fakes = nr_reads = nr_windows = 0;
	nr_roots = 1;
	memset(device_memory, 0, sizeof(device_memory));
	return 0;
}

static struct pci_device *only_device(void)
{
	pci_scan();
	assert_int_equal(nr_devices, 1);
	return list_entry(pci_devices.next, struct pci_device, link);
}

static void test_nothing(void **state)
{
	(void)state;
	nr_roots = 0;
	pci_scan();
	assert_int_equal(nr_devices, 0);
	assert_int_equal(nr_reads, 0);
	nr_roots = 1;
	pci_scan();
	assert_int_equal(nr_devices, 0);
	assert_int_equal(nr_reads, 32);
}

static void test_identity(void **state)
{
	struct fake *fake = fake_add(0, 3 << 3, 0x1af4, 0x1041);
	struct pci_device *pci;

	(void)state;
	put(fake, PCI_REVISION, 4, 0x02000001);
	pci = only_device();
	assert_int_equal(pci->device.id.vendor, 0x1af4);
	assert_int_equal(pci->device.id.device, 0x1041);
	assert_int_equal(pci->device.id.class, 0x020000);
	assert_string_equal(pci->device.name, "0000:00:03.0");
	assert_true(pci->on_root_bus);
}

static void test_functions(void **state)
{
	(void)state;
	fake_add(0, 0, 1, 1);
	fake_add(0, 1, 1, 2); /* not looked at: function 0 has one function only */
	put(fake_add(0, 1 << 3, 1, 3), PCI_HEADER_TYPE, 1, PCI_HEADER_MULTIFUNCTION);
	fake_add(0, 1 << 3 | 7, 1, 4);
	pci_scan();
	assert_int_equal(nr_devices, 3);
}

static void test_bridges(void **state)
{
	struct list *link;

	(void)state;
	bridge_add(0, 1 << 3, 5);
	bridge_add(5, 0, 6);
	fake_add(6, 2 << 3, 1, 1);
	pci_scan();
	assert_int_equal(nr_devices, 3);
	link = pci_devices.prev;
	assert_string_equal(list_entry(link, struct pci_device, link)->device.name, "0000:06:02.0");
	assert_false(list_entry(link, struct pci_device, link)->on_root_bus);
}

/* To itself, back to the root, to each other, to a bus that was never numbered. */
static void test_bridges_in_circles(void **state)
{
	(void)state;
	bridge_add(0, 1 << 3, 0);
	bridge_add(0, 2 << 3, 7);
	bridge_add(7, 0, 7);
	bridge_add(7, 1 << 3, 8);
	bridge_add(8, 0, 7);
	bridge_add(8, 1 << 3, 255);
	pci_scan();
	assert_int_equal(nr_devices, 6);
}

static void test_bars(void **state)
{
	struct fake *fake = fake_add(0, 0, 1, 1);
	struct pci_device *pci;

	(void)state;
	put(fake, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	put(fake, PCI_BAR0, 4, 0xc001);
	fake->bar_settable[0] = 0xffffffe0;
	put(fake, PCI_BAR0 + 4, 4, 0xfebf1000);
	fake->bar_settable[1] = 0xfffff000;
	put(fake, PCI_BAR0 + 8, 4, 0xfe00000c);
	put(fake, PCI_BAR0 + 12, 4, 0x8);
	fake->bar_settable[2] = 0xffffc000;
	fake->bar_settable[3] = 0xffffffff;
	put(fake, PCI_BAR0 + 20, 4, PCI_BAR_TYPE_64); /* the other half would be the next register's */
	fake->bar_settable[5] = 0xfffff000;
	pci = only_device();
	pci_bars_init(pci);
	assert_true(pci->bars[0].is_io);
	assert_int_equal(pci->bars[0].base, 0xc000);
	assert_int_equal(pci->bars[0].len, 32);
	assert_int_equal(pci->bars[1].base, 0xfebf1000);
	assert_int_equal(pci->bars[1].len, 4096);
	assert_true(pci->bars[2].is_64 && pci->bars[2].is_prefetchable);
	assert_int_equal(pci->bars[2].base, 0x8fe000000);
	assert_int_equal(pci->bars[2].len, 16384);
	assert_int_equal(pci->bars[3].len, 0);
	assert_int_equal(pci->bars[4].len, 0);
	assert_int_equal(pci->bars[5].len, 0);
	assert_int_equal(get(fake, PCI_BAR0, 4), 0xc001);
	assert_int_equal(get(fake, PCI_BAR0 + 8, 4), 0xfe00000c);
	assert_int_equal(get(fake, PCI_BAR0 + 12, 4), 0x8);
	assert_int_equal(get(fake, PCI_COMMAND, 2), PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
}

static void test_bar_map(void **state)
{
	struct fake *fake = fake_add(0, 0, 1, 1);
	struct pci_device *pci;

	(void)state;
	put(fake, PCI_BAR0, 4, 0xfe001000);
	fake->bar_settable[0] = 0xfffff000;
	put(fake, PCI_BAR0 + 4, 4, 0xc001);
	fake->bar_settable[1] = 0xffffffe0;
	put(fake, PCI_BAR0 + 8, 4, 0x4);
	put(fake, PCI_BAR0 + 12, 4, 0x100); /* at the end of what the CPU can address */
	fake->bar_settable[2] = 0xfffff000;
	fake->bar_settable[3] = 0xffffffff;
	pci = only_device();
	assert_null(pci_bar_map(pci, 0, 0, 16));
	assert_int_equal(pci_enable(pci), 0);
	assert_non_null(pci_bar_map(pci, 0, 0xff0, 16));
	assert_int_equal(mapped_at, 0xfe001ff0);
	assert_null(pci_bar_map(pci, 0, 0xff1, 16));
	assert_null(pci_bar_map(pci, 0, 0x1000, 1));
	assert_null(pci_bar_map(pci, 0, UINT64_MAX, 16));
	assert_null(pci_bar_map(pci, 0, 16, SIZE_MAX));
	assert_null(pci_bar_map(pci, 1, 0, 4));
	assert_null(pci_bar_map(pci, 2, 0, 4));
	assert_null(pci_bar_map(pci, 4, 0, 4));
	assert_null(pci_bar_map(pci, 6, 0, 4));
	assert_int_equal(get(fake, PCI_COMMAND, 2), PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void test_bar_assign(void **state)
{
	struct fake *first = fake_add(0, 0, 1, 1), *second = fake_add(0, 1 << 3, 1, 2);
	struct pci_device *pci;

	(void)state;
	first->bar_settable[0] = 0xffff0000;
	put(second, PCI_BAR0, 4, 0xc0000000);
	second->bar_settable[0] = 0xfffff000;
	put(first, PCI_BAR0 + 4, 4, PCI_BAR_TYPE_64);
	first->bar_settable[1] = 0xfffff000;
	first->bar_settable[2] = 0xffffffff;
	pci_scan();
	pci = list_entry(pci_devices.next, struct pci_device, link);
	assert_int_equal(pci_enable(pci), -ENOSPC);
	windows[0] = (struct firmware_window){ .base = 0xc0000000, .len = 0x20000 };
	nr_windows = 1;
	assert_int_equal(pci_enable(pci), 0);
	assert_int_equal(get(first, PCI_BAR0, 4), 0xc0010000);
	assert_int_equal(get(first, PCI_BAR0 + 4, 4), 0xc0001000 | PCI_BAR_TYPE_64);
	assert_int_equal(get(first, PCI_BAR0 + 8, 4), 0);
}

static void test_bar_assign_full(void **state)
{
	struct fake *fake = fake_add(0, 0, 1, 1);

	(void)state;
	fake->bar_settable[0] = 0xfff00000;
	windows[0] = (struct firmware_window){ .base = 0xffffffffffff0000, .len = 0xffff };
	nr_windows = 1;
	assert_int_equal(pci_enable(only_device()), -ENOSPC);
	windows[0] = (struct firmware_window){ .base = 0xc0001000, .len = 0x100000 };
	assert_int_equal(pci_enable(list_entry(pci_devices.next, struct pci_device, link)), -ENOSPC);
}

static void test_capabilities(void **state)
{
	struct fake *fake = fake_add(0, 0, 1, 1);
	struct pci_device *pci;
	uint8_t out[4];

	(void)state;
	put(fake, PCI_CAPABILITIES, 1, 0x50);
	put(fake, 0x50, 2, 0x6009);
	put(fake, 0x60, 2, 0x7011);
	put(fake, 0x70, 2, 0x0009);
	pci = only_device();
	assert_int_equal(pci_capabilities(pci, PCI_CAPABILITY_VENDOR, out, 4), 0); /* status says: no list */
	put(fake, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
	assert_int_equal(pci_capabilities(pci, PCI_CAPABILITY_VENDOR, out, 4), 2);
	assert_int_equal(out[0], 0x50);
	assert_int_equal(out[1], 0x70);
	assert_int_equal(pci_capabilities(pci, PCI_CAPABILITY_VENDOR, out, 1), 1);
	assert_int_equal(pci_capabilities(pci, PCI_CAPABILITY_MSI, out, 4), 0);
}

static void test_capabilities_hostile(void **state)
{
	struct fake *fake = fake_add(0, 0, 1, 1);
	struct pci_device *pci;
	uint8_t out[200];

	(void)state;
	put(fake, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
	put(fake, PCI_CAPABILITIES, 1, 0x50);
	put(fake, 0x50, 2, 0x5009); /* to itself */
	pci = only_device();
	assert_true(pci_capabilities(pci, PCI_CAPABILITY_VENDOR, out, sizeof(out)) <= 48);
	assert_int_equal(pci_capabilities(pci, PCI_CAPABILITY_MSI, out, sizeof(out)), 0);
	put(fake, 0x50, 2, 0x6001);
	put(fake, 0x60, 2, 0x5001); /* a circle of two */
	assert_int_equal(pci_capabilities(pci, PCI_CAPABILITY_VENDOR, out, sizeof(out)), 0);
	put(fake, 0x60, 2, 0x1001); /* into the header */
	assert_int_equal(pci_capabilities(pci, 0x01, out, sizeof(out)), 2);
	put(fake, 0x60, 2, 0xffff); /* to the end, where all bits are ones */
	assert_int_equal(pci_capabilities(pci, 0xff, out, sizeof(out)), 0);
}

static void test_msi(void **state)
{
	struct fake *fake = fake_add(0, 0, 1, 1);
	struct pci_device *pci;
	struct irq irq;

	(void)state;
	pci = only_device();
	assert_int_equal(pci_msi_request(pci, &irq), -ENODEV);
	put(fake, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
	put(fake, PCI_CAPABILITIES, 1, 0x40);
	put(fake, 0x40, 2, PCI_CAPABILITY_MSI);
	put(fake, 0x42, 2, PCI_MSI_CONTROL_64 | 0x0070 | 0x0006);
	assert_int_equal(pci_msi_request(pci, &irq), 0);
	assert_int_equal(get(fake, 0x42, 2), PCI_MSI_CONTROL_64 | 0x0006 | PCI_MSI_CONTROL_ENABLE);
	assert_int_equal(get(fake, 0x44, 4), 0xfee03000);
	assert_int_equal(get(fake, 0x48, 4), 1);
	assert_int_equal(get(fake, 0x4c, 2), 0x31);
	pci_msi_free(pci, &irq);
	assert_null(msi_irq);
	assert_false(get(fake, 0x42, 2) & PCI_MSI_CONTROL_ENABLE);
	put(fake, 0x42, 2, 0);
	assert_int_equal(pci_msi_request(pci, &irq), 0);
	assert_int_equal(get(fake, 0x48, 2), 0x31);
}

static void test_msix(void **state)
{
	struct fake *fake = fake_add(0, 0, 1, 1);
	uint32_t *table = (uint32_t *)(device_memory);
	struct pci_device *pci;
	struct irq irq;

	(void)state;
	put(fake, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
	put(fake, PCI_CAPABILITIES, 1, 0x40);
	put(fake, 0x40, 2, PCI_CAPABILITY_MSIX);
	put(fake, 0x42, 2, 7);
	put(fake, 0x44, 4, 0x800 | 1);
	put(fake, PCI_BAR0 + 4, 4, 0xfe000000);
	fake->bar_settable[1] = 0xfffff000;
	pci = only_device();
	assert_int_equal(pci_msix_request(pci, 0, &irq), -EINVAL);
	assert_int_equal(pci_enable(pci), 0);
	assert_int_equal(pci_msix_init(pci), 8);
	assert_int_equal(pci_msix_init(pci), 8);
	assert_int_equal(mapped_at, 0xfe000800);
	assert_int_equal(get(fake, 0x42, 2), 7 | PCI_MSIX_CONTROL_ENABLE);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(table[4 * i + 3], PCI_MSIX_ENTRY_MASKED);
	assert_int_equal(pci_msix_request(pci, 8, &irq), -EINVAL);
	assert_int_equal(pci_msix_request(pci, 7, &irq), 0);
	assert_int_equal(table[28], 0xfee03000);
	assert_int_equal(table[29], 1);
	assert_int_equal(table[30], 0x31);
	assert_int_equal(table[31], 0);
	pci_msix_free(pci, 7, &irq);
	assert_int_equal(table[31], PCI_MSIX_ENTRY_MASKED);
	assert_null(msi_irq);
}

/* A table that ends after its BAR, in no BAR at all, in an I/O BAR; a capability at the very end of the space. */
static void test_msix_hostile(void **state)
{
	struct fake *fake = fake_add(0, 0, 1, 1);
	struct pci_device *pci;

	(void)state;
	put(fake, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
	put(fake, PCI_CAPABILITIES, 1, 0x40);
	put(fake, 0x40, 2, PCI_CAPABILITY_MSIX);
	put(fake, 0x42, 2, 0x7ff);
	put(fake, PCI_BAR0, 4, 0xfe000000);
	fake->bar_settable[0] = 0xfffff000;
	put(fake, PCI_BAR0 + 4, 4, 0xc001);
	fake->bar_settable[1] = 0xffffff00;
	pci = only_device();
	assert_int_equal(pci_enable(pci), 0);
	assert_int_equal(pci_msix_init(pci), -EINVAL);
	put(fake, 0x42, 2, 0);
	for (uint32_t bar = 1; bar < 8; bar++) {
		put(fake, 0x44, 4, bar);
		assert_int_equal(pci_msix_init(pci), -EINVAL);
	}
	put(fake, 0x44, 4, 0xfffffff8);
	assert_int_equal(pci_msix_init(pci), -EINVAL);
	put(fake, PCI_CAPABILITIES, 1, 0xfc);
	put(fake, 0xfc, 2, PCI_CAPABILITY_MSIX);
	put(fake, 0xfe, 2, 0);
	assert_int_equal(pci_msix_init(pci), -EINVAL);
}

static void test_line(void **state)
{
	struct fake *fake = fake_add(0, 0, 1, 1);
	struct pci_device *pci = only_device();
	struct irq irq;

	(void)state;
	put(fake, PCI_IRQ_LINE, 1, 11);
	assert_int_equal(pci_line_request(pci, &irq), -ENODEV);
	put(fake, PCI_IRQ_PIN, 1, 1);
	assert_int_equal(pci_line_request(pci, &irq), 0);
	put(fake, PCI_IRQ_LINE, 1, 0);
	assert_int_equal(pci_line_request(pci, &irq), -ENODEV);
	put(fake, PCI_IRQ_LINE, 1, 255);
	assert_int_equal(pci_line_request(pci, &irq), -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing, reset),
		cmocka_unit_test_setup(test_identity, reset),
		cmocka_unit_test_setup(test_functions, reset),
		cmocka_unit_test_setup(test_bridges, reset),
		cmocka_unit_test_setup(test_bridges_in_circles, reset),
		cmocka_unit_test_setup(test_bars, reset),
		cmocka_unit_test_setup(test_bar_map, reset),
		cmocka_unit_test_setup(test_bar_assign, reset),
		cmocka_unit_test_setup(test_bar_assign_full, reset),
		cmocka_unit_test_setup(test_capabilities, reset),
		cmocka_unit_test_setup(test_capabilities_hostile, reset),
		cmocka_unit_test_setup(test_msi, reset),
		cmocka_unit_test_setup(test_msix, reset),
		cmocka_unit_test_setup(test_msix_hostile, reset),
		cmocka_unit_test_setup(test_line, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
