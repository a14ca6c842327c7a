/*
 * Devices, the buses that find them, the drivers that serve them. A driver is one static object in the image's table:
 * linking its object enables it, and brings in the bus that it names; a bus that no driver names is not there and costs
 * nothing.
 */
#ifndef KERNEL_DEV_BUS_DRIVER_H
#define KERNEL_DEV_BUS_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;
struct driver;

struct bus {
	const char *name;
	/* Finds the devices and calls device_bind for each. Called once, by bus_scan. */
	void (*scan)(void);
	bool scanned;
};

/*
 * What a device is, and what a driver wants: a bus says what the numbers mean. PCI: vendor, device, class code (24 bits);
 * virtio: vendor, device type, 0.
 */
#define DEVICE_ANY 0xffffffffu
struct device_id {
	uint32_t vendor, device, class;
};

/* Buses embed it in their own struct, which the driver gets at with container_of. */
struct device {
	struct bus *bus;
	struct device_id id;
	char name[24];		     /* its place: "0000:00:03.0", "virtio-mmio@feb00000" */
	const struct driver *driver; /* NULL: none took it */
	void *private;		     /* the driver's */
};

struct driver {
	const char *name;
	struct bus *bus;
	const struct device_id *ids; /* DEVICE_ANY matches all; ends with an entry of vendor 0 */
	/* In a thread. 0: it serves the device now. -ENODEV: not for me, ask the next. Else it failed, and that is logged. */
	int (*probe)(struct device *device);
};

/*
 * DRIVER(foo) defines driver_foo in section .drivers, which the linker script keeps whole, between the symbols
 * drivers_start and drivers_end.
 */
#define DRIVER(name)                                                                                                   \
	const struct driver driver_##name                                                                              \
		__attribute__((section(".drivers"), used, aligned(__alignof__(struct driver))))

/* Scans every bus that a driver of this image is for. init/main.c, in a thread. */
void devices_init(void);

/* Scans BUS unless that has been done. One thread at a time. */
void bus_scan(struct bus *bus);

/* Offers DEVICE to the drivers of its bus whose ids match, until one takes it. For buses. */
void device_bind(struct device *device);

#endif
