/* Private to kernel/dev/firmware, and to its tests. */
#ifndef KERNEL_DEV_FIRMWARE_VIRTIO_MMIO_H
#define KERNEL_DEV_FIRMWARE_VIRTIO_MMIO_H

struct firmware_virtio_mmio;

/* TEXT: SIZE[KMG]@BASE:IRQ[:ID]; it is cut into pieces. 0, or -EINVAL. */
int virtio_mmio_option_parse(char *text, struct firmware_virtio_mmio *out);

#endif
