/*
 * PCI configuration space: PCI Local Bus Specification 3.0, chapter 6; PCI-to-PCI Bridge Architecture 1.2, chapter 3.
 * Offsets in bytes.
 */
#ifndef KERNEL_DEV_BUS_PCI_REG_H
#define KERNEL_DEV_BUS_PCI_REG_H

enum {
	PCI_VENDOR = 0x00,	/* 16 bits; all ones: nobody there */
	PCI_DEVICE = 0x02,	/* 16 */
	PCI_COMMAND = 0x04,	/* 16 */
	PCI_STATUS = 0x06,	/* 16 */
	PCI_REVISION = 0x08,	/* 8, and the class code in the 24 bits above */
	PCI_HEADER_TYPE = 0x0e, /* 8 */
	PCI_BAR0 = 0x10,
	PCI_BRIDGE_SECONDARY = 0x19, /* 8 */
	PCI_SUBSYSTEM_VENDOR = 0x2c, /* 16 */
	PCI_SUBSYSTEM = 0x2e,	     /* 16 */
	PCI_CAPABILITIES = 0x34,     /* 8 */
	PCI_IRQ_LINE = 0x3c,	     /* 8 */
	PCI_IRQ_PIN = 0x3d,	     /* 8; 0: none, 1 to 4: INTA to INTD */

	PCI_COMMAND_IO = 0x0001,
	PCI_COMMAND_MEMORY = 0x0002,
	PCI_COMMAND_MASTER = 0x0004,
	PCI_COMMAND_INTX_DISABLE = 0x0400,
	PCI_STATUS_CAPABILITIES = 0x0010,

	PCI_HEADER_TYPE_MASK = 0x7f,
	PCI_HEADER_DEVICE = 0,
	PCI_HEADER_BRIDGE = 1,
	PCI_HEADER_MULTIFUNCTION = 0x80,

	PCI_BAR_IO = 0x1,
	PCI_BAR_TYPE_MASK = 0x6, /* of a memory BAR */
	PCI_BAR_TYPE_64 = 0x4,
	PCI_BAR_PREFETCH = 0x8,
	PCI_BAR_FLAGS_IO = 0x3,
	PCI_BAR_FLAGS_MEMORY = 0xf,

	PCI_CAPABILITY_FIRST = 0x40, /* the list lives above the header */
	PCI_CAPABILITY_MSI = 0x05,
	PCI_CAPABILITY_VENDOR = 0x09,
	PCI_CAPABILITY_MSIX = 0x11,

	/* MSI (6.8.1): offsets in the capability. */
	PCI_MSI_CONTROL = 2, /* 16 */
	PCI_MSI_ADDRESS = 4,
	PCI_MSI_ADDRESS_HIGH = 8, /* only with PCI_MSI_CONTROL_64 */
	PCI_MSI_DATA_32 = 8,	  /* 16 */
	PCI_MSI_DATA_64 = 12,	  /* 16 */
	PCI_MSI_CONTROL_ENABLE = 0x0001,
	PCI_MSI_CONTROL_COUNT = 0x0070, /* messages enabled, as a power of two */
	PCI_MSI_CONTROL_64 = 0x0080,

	/* MSI-X (6.8.2). */
	PCI_MSIX_CONTROL = 2,		/* 16 */
	PCI_MSIX_TABLE = 4,		/* BAR in the lower 3 bits, offset */
	PCI_MSIX_CONTROL_LAST = 0x07ff, /* entries - 1 */
	PCI_MSIX_CONTROL_MASK_ALL = 0x4000,
	PCI_MSIX_CONTROL_ENABLE = 0x8000,
	PCI_MSIX_TABLE_BAR = 0x7,
	PCI_MSIX_ENTRY_LEN = 16, /* address, address high, data, control: words */
	PCI_MSIX_ENTRY_MASKED = 0x1,
};

#endif
