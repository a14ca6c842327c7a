/*
 * What the firmware says about the machine: ACPI tables where there are any, the MP table of older machines else, and
 * nothing at all where there is neither. Each question is answered from the tables when it is asked, so a machine pays
 * only for what its drivers want to know. All of it comes from outside: a table with a wrong length, checksum or place is
 * named once in the log and then treated as absent.
 *
 * Order: firmware_init before any other function here. The questions are for threads and boot code, one at a time.
 */
#ifndef KERNEL_DEV_FIRMWARE_FIRMWARE_H
#define KERNEL_DEV_FIRMWARE_FIRMWARE_H

#include <stdbool.h>
#include <stdint.h>

#define FIRMWARE_IOAPIC_MAX 16
#define FIRMWARE_MCFG_MAX 8

struct bootinfo;

/* Remembers BI, which must stay, and does nothing else. init/main.c, after bootinfo_fill. */
void firmware_init(const struct bootinfo *bi);

/* True when ACPI tables describe the machine. */
bool firmware_has_acpi(void);

/*
 * Registers every enabled CPU (cpu_register) but the running one, which cpu_init has registered. Without usable tables
 * the machine has one CPU. init/main.c, after cpu_init and before cpu_start_all.
 */
void firmware_cpus_init(void);

/*
 * Registers where each ISA line goes (irq_isa_override), for lines that do not go to the GSI of the same number, edge
 * triggered and active high. For the driver of the IOAPIC when it sets itself up.
 */
void firmware_isa_overrides_init(void);

struct firmware_ioapic {
	uint64_t address; /* physical, of its register page */
	uint32_t gsi_base;
	uint8_t id;
};
/*
 * Fills OUT with at most MAX of them; returns how many. 0: the machine has only the 8259 pair, or nothing; or the command
 * line says noapic, as for Linux.
 */
unsigned firmware_ioapics(struct firmware_ioapic *out, unsigned max);

/* True when there is a pair of 8259 to mask or to use (MADT flag PCAT_COMPAT); where no table says, true. */
bool firmware_has_pic(void);

/* Physical address of the HPET's register block (1 KiB), 0 when there is none. */
uint64_t firmware_hpet(void);

/* The ACPI PM timer, 3.579545 MHz (ACPI 6.4, 4.8.3.3). */
struct firmware_pm_timer {
	uint64_t address;
	bool is_port; /* I/O port, else memory */
	uint8_t bits; /* 24 or 32 */
};
/* False when there is none. */
bool firmware_pm_timer(struct firmware_pm_timer *out);

/* Memory-mapped PCI configuration space (PCI Firmware Specification 3.3, 4.1.2): bus B is at base + (B << 20). */
struct firmware_mcfg {
	uint64_t base; /* of bus 0, even when bus_first > 0 */
	uint16_t segment;
	uint8_t bus_first, bus_last;
};
/* Fills OUT with at most MAX of them; returns how many. */
unsigned firmware_mcfg(struct firmware_mcfg *out, unsigned max);

/* Addresses at which devices of the root bus may be put; no wrap, not empty. */
struct firmware_window {
	uint64_t base, len;
};
/* The memory windows of the first PCI host bridge, at most MAX, into OUT; returns how many. 0: nobody says. */
#define FIRMWARE_PCI_WINDOW_MAX 4
unsigned firmware_pci_windows(struct firmware_window *out, unsigned max);

/* A place where a virtio device may be (virtio 1.2, 4.2). */
struct firmware_virtio_mmio {
	uint64_t base, len;
	unsigned gsi;
	unsigned irq_flags; /* enum irq_flags */
	bool is_isa;	    /* gsi is an ISA line, to which overrides apply */
};
/*
 * Those that the command line names (virtio_mmio.device=), and those of the DSDT that it does not name, at most MAX, into
 * OUT; returns how many.
 */
#define FIRMWARE_VIRTIO_MMIO_MAX 64
unsigned firmware_virtio_mmio(struct firmware_virtio_mmio *out, unsigned max);

#endif
