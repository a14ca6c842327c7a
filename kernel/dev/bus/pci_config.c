#include "kernel/dev/bus/pci_config.h"

#include "kernel/arch/arch.h"
#include "kernel/core/lock.h"
#include "kernel/core/log.h"
#include "kernel/dev/firmware/firmware.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/vmap.h"
#include "lib/util.h"

/* PCI Local Bus Specification 3.0, 3.2.2.3.2: configuration mechanism 1. */
#define PORT_ADDRESS 0xcf8
#define PORT_DATA 0xcfc
#define PORT_ENABLE 0x80000000u
#define PORT_CONFIG_LEN 256u

/* PCI Express Base Specification 3.0, 7.2.2: bus << 20 | device << 15 | function << 12 | offset. */
#define ECAM_BUS_SHIFT 20
#define ECAM_FUNCTION_SHIFT 12
#define ECAM_CONFIG_LEN 4096u

/* A segment in memory. A bus is mapped when it is first looked at. */
struct ecam {
	struct firmware_mcfg mcfg;
	volatile uint8_t *buses[256];
};

static struct ecam *ecams; /* nr_ecams of them; written by pci_config_init */
static unsigned nr_ecams;
static bool has_ports;
static struct spinlock port_lock = SPINLOCK_INIT("pci_config"); /* covers the pair of ports */

static bool ports_probe(void)
{
	uint32_t saved = arch_in32(PORT_ADDRESS);
	bool found;

	arch_out32(PORT_ADDRESS, PORT_ENABLE);
	found = arch_in32(PORT_ADDRESS) == PORT_ENABLE;
	arch_out32(PORT_ADDRESS, saved);
	return found;
}

unsigned pci_config_init(struct pci_address *out, unsigned max)
{
	struct firmware_mcfg mcfgs[FIRMWARE_MCFG_MAX];
	unsigned n = firmware_mcfg(mcfgs, MIN((unsigned)ARRAY_SIZE(mcfgs), max));

	ecams = n ? kzalloc(n * sizeof(*ecams)) : NULL;
	if (ecams) {
		for (unsigned i = 0; i < n; i++) {
			ecams[i].mcfg = mcfgs[i];
			out[i] = (struct pci_address){ .segment = mcfgs[i].segment, .bus = mcfgs[i].bus_first };
		}
		nr_ecams = n;
		return n;
	}
	has_ports = ports_probe();
	if (has_ports && max > 0)
		out[0] = (struct pci_address){ 0 };
	return has_ports && max > 0;
}

/* NULL when the bus is in no segment that the firmware named, or cannot be mapped. */
static volatile uint8_t *ecam_reg(struct pci_address address, unsigned off)
{
	for (unsigned i = 0; i < nr_ecams; i++) {
		struct ecam *ecam = &ecams[i];
		volatile uint8_t **bus = &ecam->buses[address.bus];

		if (ecam->mcfg.segment != address.segment || address.bus < ecam->mcfg.bus_first ||
		    address.bus > ecam->mcfg.bus_last)
			continue;
		if (!*bus)
			*bus = vmap_device(ecam->mcfg.base + ((uint64_t)address.bus << ECAM_BUS_SHIFT),
					   1ul << ECAM_BUS_SHIFT);
		return *bus ? *bus + ((unsigned)address.function << ECAM_FUNCTION_SHIFT) + off : NULL;
	}
	return NULL;
}

static uint32_t port_select(struct pci_address address, unsigned off)
{
	return PORT_ENABLE | (uint32_t)address.bus << 16 | (uint32_t)address.function << 8 | (off & 0xfc);
}

static bool is_valid(unsigned off, unsigned size, unsigned config_len)
{
	return (size == 1 || size == 2 || size == 4) && off % size == 0 && off < config_len;
}

static uint32_t all_ones(unsigned size)
{
	return size == 4 ? ~0u : (1u << 8 * size) - 1;
}

static uint32_t ecam_read(struct pci_address address, unsigned off, unsigned size)
{
	volatile uint8_t *reg = is_valid(off, size, ECAM_CONFIG_LEN) ? ecam_reg(address, off) : NULL;

	if (!reg)
		return all_ones(size);
	if (size == 1)
		return *reg;
	return size == 2 ? *(volatile uint16_t *)reg : *(volatile uint32_t *)reg;
}

static void ecam_write(struct pci_address address, unsigned off, unsigned size, uint32_t value)
{
	volatile uint8_t *reg = is_valid(off, size, ECAM_CONFIG_LEN) ? ecam_reg(address, off) : NULL;

	if (!reg)
		return;
	if (size == 1)
		*reg = (uint8_t)value;
	else if (size == 2)
		*(volatile uint16_t *)reg = (uint16_t)value;
	else
		*(volatile uint32_t *)reg = value;
}

static uint32_t port_read(struct pci_address address, unsigned off, unsigned size)
{
	uint16_t port = (uint16_t)(PORT_DATA + off % 4);
	unsigned long flags;
	uint32_t value;

	if (!has_ports || address.segment != 0 || !is_valid(off, size, PORT_CONFIG_LEN))
		return all_ones(size);
	flags = spin_lock_irqsave(&port_lock);
	arch_out32(PORT_ADDRESS, port_select(address, off));
	if (size == 1)
		value = arch_in8(port);
	else
		value = size == 2 ? arch_in16(port) : arch_in32(port);
	spin_unlock_irqrestore(&port_lock, flags);
	return value;
}

static void port_write(struct pci_address address, unsigned off, unsigned size, uint32_t value)
{
	uint16_t port = (uint16_t)(PORT_DATA + off % 4);
	unsigned long flags;

	if (!has_ports || address.segment != 0 || !is_valid(off, size, PORT_CONFIG_LEN))
		return;
	flags = spin_lock_irqsave(&port_lock);
	arch_out32(PORT_ADDRESS, port_select(address, off));
	if (size == 1)
		arch_out8(port, (uint8_t)value);
	else if (size == 2)
		arch_out16(port, (uint16_t)value);
	else
		arch_out32(port, value);
	spin_unlock_irqrestore(&port_lock, flags);
}

uint32_t pci_config_read(struct pci_address address, unsigned off, unsigned size)
{
	return nr_ecams ? ecam_read(address, off, size) : port_read(address, off, size);
}

void pci_config_write(struct pci_address address, unsigned off, unsigned size, uint32_t value)
{
	if (nr_ecams)
		ecam_write(address, off, size, value);
	else
		port_write(address, off, size, value);
}
