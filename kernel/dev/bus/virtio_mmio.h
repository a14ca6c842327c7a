/*
 * virtio over memory-mapped registers (virtio 1.2, 4.2), as a bus: a driver for virtio_mmio_bus is a transport, which gets
 * a struct device that is inside a struct virtio_mmio_device.
 */
#ifndef KERNEL_DEV_BUS_VIRTIO_MMIO_H
#define KERNEL_DEV_BUS_VIRTIO_MMIO_H

#include <stdint.h>

#include "kernel/core/irq.h"
#include "kernel/dev/bus/driver.h"
#include "kernel/dev/firmware/firmware.h"
#include "lib/list.h"
#include "lib/util.h"

/* Registers that the bus itself reads (4.2.2), 32 bits each. */
enum {
	VIRTIO_MMIO_MAGIC = 0x00,
	VIRTIO_MMIO_VERSION = 0x04,
	VIRTIO_MMIO_DEVICE_ID = 0x08,
	VIRTIO_MMIO_VENDOR_ID = 0x0c,
	VIRTIO_MMIO_CONFIG = 0x100, /* the device's own registers, to the end */
};

struct virtio_mmio_device {
	struct device device; /* id.device: the type, as in virtio 1.2, 5 */
	struct list link;     /* virtio_mmio_devices */
	struct firmware_virtio_mmio place;
	volatile uint8_t *regs; /* place.len bytes */
	unsigned version;	/* 1: the legacy interface, 2 */
};

extern struct bus virtio_mmio_bus;
/* Every place at which there is a device, in the order of the command line and the DSDT. */
extern struct list virtio_mmio_devices;

static inline struct virtio_mmio_device *virtio_mmio_device_of(struct device *device)
{
	return container_of(device, struct virtio_mmio_device, device);
}

/*
 * As irq_request_gsi. The line may be edge triggered: a handler acknowledges (InterruptACK) before it looks at the queues,
 * or it may lose what comes between.
 */
int virtio_mmio_irq_request(struct virtio_mmio_device *virtio, struct irq *irq);

#endif
