#include "kernel/dev/bus/virtio_mmio.h"

#include "kernel/core/log.h"
#include "kernel/mem/slab.h"
#include "kernel/mem/vmap.h"
#include "lib/errno.h"
#include "lib/fmt.h"

#define MAGIC 0x74726976 /* "virt" */

struct list virtio_mmio_devices = LIST_INIT(virtio_mmio_devices);

static uint32_t reg_read(const struct virtio_mmio_device *virtio, unsigned reg)
{
	return *(volatile uint32_t *)(virtio->regs + reg);
}

/* A place without a device behind it is normal: QEMU's microvm has a row of them, and the id says 0 (4.2.3.1.1). */
static bool is_present(struct virtio_mmio_device *virtio)
{
	if (reg_read(virtio, VIRTIO_MMIO_MAGIC) != MAGIC)
		return false;
	virtio->version = reg_read(virtio, VIRTIO_MMIO_VERSION);
	virtio->device.id.device = reg_read(virtio, VIRTIO_MMIO_DEVICE_ID);
	virtio->device.id.vendor = reg_read(virtio, VIRTIO_MMIO_VENDOR_ID);
	return (virtio->version == 1 || virtio->version == 2) && virtio->device.id.device != 0;
}

/* 0, -ENODEV when no device is there, -ENOMEM. */
static int place_scan(const struct firmware_virtio_mmio *place)
{
	struct virtio_mmio_device *virtio;
	int err = -ENODEV;

	if (place->len < VIRTIO_MMIO_CONFIG || place->base % sizeof(uint32_t) != 0 ||
	    place->base >= arch_phys_limit() || place->len > arch_phys_limit() - place->base)
		return -ENODEV;
	virtio = kzalloc(sizeof(*virtio));
	if (!virtio)
		return -ENOMEM;
	virtio->place = *place;
	virtio->device.bus = &virtio_mmio_bus;
	virtio->regs = vmap_device(place->base, place->len);
	if (virtio->regs && is_present(virtio)) {
		fmt_format(virtio->device.name, sizeof(virtio->device.name), "virtio-mmio@%llx",
			   (unsigned long long)place->base);
		list_push_back(&virtio_mmio_devices, &virtio->link);
		return 0;
	}
	if (virtio->regs)
		vmap_device_unmap((void *)(uintptr_t)virtio->regs);
	else
		err = -ENOMEM;
	kfree(virtio);
	return err;
}

static void virtio_mmio_scan(void)
{
	unsigned n;
	struct firmware_virtio_mmio *places = kmalloc(FIRMWARE_VIRTIO_MMIO_MAX * sizeof(*places));
	struct list *link;
	int err = places ? 0 : -ENOMEM;

	n = places ? firmware_virtio_mmio(places, FIRMWARE_VIRTIO_MMIO_MAX) : 0;
	for (unsigned i = 0; i < n && err != -ENOMEM; i++)
		err = place_scan(&places[i]);
	kfree(places);
	if (err == -ENOMEM)
		log_err("virtio-mmio: no memory for devices");
	list_for_each(link, &virtio_mmio_devices)
		device_bind(&list_entry(link, struct virtio_mmio_device, link)->device);
}

struct bus virtio_mmio_bus = { .name = "virtio-mmio", .scan = virtio_mmio_scan };

int virtio_mmio_irq_request(struct virtio_mmio_device *virtio, struct irq *irq)
{
	const struct firmware_virtio_mmio *place = &virtio->place;

	if (place->is_isa)
		return irq_request_isa(irq, place->gsi, place->irq_flags);
	return irq_request_gsi(irq, place->gsi, place->irq_flags);
}
