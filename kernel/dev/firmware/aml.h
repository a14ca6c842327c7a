/*
 * A few facts out of AML, the byte code of the DSDT (ACPI 6.4, chapter 20), without an interpreter: what these functions look
 * for is constant data, a hardware id and the resource template (6.4) that follows it, which every firmware writes as
 * literal bytes. AML points to LEN bytes that may hold anything.
 */
#ifndef KERNEL_DEV_FIRMWARE_AML_H
#define KERNEL_DEV_FIRMWARE_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A device with one range of registers and one interrupt line. */
struct aml_device {
	uint32_t base, len;
	uint32_t gsi;
	unsigned irq_flags; /* enum irq_flags */
};

/* Devices whose _HID is the string HID, at most MAX into OUT; returns how many. */
unsigned aml_devices(const uint8_t *aml, size_t len, const char *hid, struct aml_device *out, unsigned max);

/*
 * Memory windows of the first PCI host bridge (_HID PNP0A08 or PNP0A03), at most MAX into OUT; returns how many. All lie
 * above 1 MiB.
 */
struct firmware_window;
unsigned aml_pci_windows(const uint8_t *aml, size_t len, struct firmware_window *out, unsigned max);

/*
 * Where its configuration space is in memory: _CBA (PCI Firmware Specification 3.3, 4.1.3), which machines without an MCFG
 * table have, and the bus numbers of its resources, 0 to 255 where they have none. False when there is no _CBA.
 */
struct firmware_mcfg;
bool aml_pci_ecam(const uint8_t *aml, size_t len, struct firmware_mcfg *out);

#endif
