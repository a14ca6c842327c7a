#include "kernel/dev/bus/pci.h"

#include "kernel/core/log.h"
#include "kernel/mem/slab.h"
#include "lib/fmt.h"

#define DEVICES_MAX 1024 /* a machine that claims more lies */
#define CAPABILITIES_MAX ((256 - PCI_CAPABILITY_FIRST) / 4)

struct list pci_devices = LIST_INIT(pci_devices);
static unsigned nr_devices;

/* Buses of one segment, as bits: those to look at, and those looked at, so that bridges in a circle end. */
struct bus_set {
	uint64_t bits[256 / 64];
};

static void bus_set_add(struct bus_set *set, uint8_t bus)
{
	set->bits[bus / 64] |= 1ull << bus % 64;
}

static bool bus_set_has(const struct bus_set *set, uint8_t bus)
{
	return set->bits[bus / 64] >> bus % 64 & 1;
}

static struct pci_device *device_add(struct pci_address address, uint32_t vendor_device, uint8_t header_type)
{
	struct pci_device *pci;

	if (nr_devices >= DEVICES_MAX)
		return NULL;
	pci = kzalloc(sizeof(*pci));
	if (!pci)
		return NULL;
	nr_devices++;
	pci->address = address;
	pci->header_type = header_type & PCI_HEADER_TYPE_MASK;
	pci->device.bus = &pci_bus;
	pci->device.id.vendor = vendor_device & 0xffff;
	pci->device.id.device = vendor_device >> 16;
	pci->device.id.class = pci_read32(pci, PCI_REVISION) >> 8;
	fmt_format(pci->device.name, sizeof(pci->device.name), "%04x:%02x:%02x.%u", address.segment, address.bus,
		   address.function >> 3, address.function & 7u);
	list_push_back(&pci_devices, &pci->link);
	return pci;
}

/* One function: its header type, 0 when nobody is there. */
static uint8_t function_scan(struct pci_address address, bool on_root_bus, struct bus_set *pending)
{
	uint32_t vendor_device = pci_config_read(address, PCI_VENDOR, 4);
	struct pci_device *pci;
	uint8_t header_type;

	if ((vendor_device & 0xffff) == 0xffff || (vendor_device & 0xffff) == 0)
		return 0;
	header_type = (uint8_t)pci_config_read(address, PCI_HEADER_TYPE, 1);
	pci = device_add(address, vendor_device, header_type);
	if (!pci)
		return 0;
	pci->on_root_bus = on_root_bus;
	if (pci->header_type == PCI_HEADER_BRIDGE)
		bus_set_add(pending, pci_read8(pci, PCI_BRIDGE_SECONDARY));
	return header_type;
}

static void one_bus_scan(struct pci_address address, bool is_root, struct bus_set *pending)
{
	for (unsigned slot = 0; slot < 32; slot++) {
		uint8_t header_type;

		address.function = (uint8_t)(slot << 3);
		header_type = function_scan(address, is_root, pending);
		if (!(header_type & PCI_HEADER_MULTIFUNCTION))
			continue;
		for (unsigned function = 1; function < 8; function++) {
			address.function = (uint8_t)(slot << 3 | function);
			function_scan(address, is_root, pending);
		}
	}
}

/* A bridge's secondary bus has a higher number than the bridge's own, so one pass upwards finds all that are in order. */
static void segment_scan(struct pci_address root)
{
	struct bus_set pending = { 0 };

	bus_set_add(&pending, root.bus);
	for (unsigned bus = root.bus; bus < 256; bus++) {
		struct pci_address address = { .segment = root.segment, .bus = (uint8_t)bus };

		if (bus_set_has(&pending, (uint8_t)bus))
			one_bus_scan(address, bus == root.bus, &pending);
	}
}

static void pci_scan(void)
{
	struct pci_address roots[PCI_ROOT_MAX];
	unsigned n = pci_config_init(roots, ARRAY_SIZE(roots));
	struct list *link;

	for (unsigned i = 0; i < n; i++)
		segment_scan(roots[i]);
	if (nr_devices >= DEVICES_MAX)
		log_warn("pci: more than %u devices, the rest is ignored", DEVICES_MAX);
	list_for_each(link, &pci_devices)
		device_bind(&list_entry(link, struct pci_device, link)->device);
}

struct bus pci_bus = { .name = "pci", .scan = pci_scan };

/* The list is the device's: it may point anywhere, and at itself. No list is longer than the space that it lives in. */
unsigned pci_capabilities(const struct pci_device *pci, uint8_t id, uint8_t *out, unsigned max)
{
	unsigned n = 0;
	uint8_t off;

	if (pci->header_type > PCI_HEADER_BRIDGE || !(pci_read16(pci, PCI_STATUS) & PCI_STATUS_CAPABILITIES))
		return 0;
	off = pci_read8(pci, PCI_CAPABILITIES) & 0xfc;
	for (unsigned i = 0; i < CAPABILITIES_MAX && n < max && off >= PCI_CAPABILITY_FIRST; i++) {
		uint16_t head = pci_read16(pci, off);

		if (head == 0xffff)
			break;
		if ((head & 0xff) == id)
			out[n++] = off;
		off = (head >> 8) & 0xfc;
	}
	return n;
}
