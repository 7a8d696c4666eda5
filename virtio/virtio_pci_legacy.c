/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The legacy interface: registers in I/O space at BAR 0 (virtio 1.3 §4.1.4.10 Legacy Interfaces: A
 * Note on PCI Device Layout). The registers are little-endian. The device configuration after them
 * has the processor's byte order.
 */
#include "virtio/internal/virtio_pci_transport.h"
#include "virtio/virtio_pci.h"
#include "virtio/virtio_platform.h"
#include "virtio/virtio_spec.h"
#include "virtio/virtqueue.h"

static struct virtio_pci *from_device(struct virtio_device *dev)
{
    return (struct virtio_pci *)dev;
}

static uint8_t get_status(struct virtio_device *dev)
{
    return vpci_read8(&from_device(dev)->legacy, VIRTIO_PCI_LEGACY_DEVICE_STATUS);
}

static void set_status(struct virtio_device *dev, uint8_t status)
{
    vpci_write8(&from_device(dev)->legacy, VIRTIO_PCI_LEGACY_DEVICE_STATUS, status);
}

static uint64_t get_features(struct virtio_device *dev)
{
    return vpci_read32(&from_device(dev)->legacy, VIRTIO_PCI_LEGACY_DEVICE_FEATURES);
}

static void set_features(struct virtio_device *dev, uint64_t features)
{
    vpci_write32(&from_device(dev)->legacy, VIRTIO_PCI_LEGACY_DRIVER_FEATURES, (uint32_t)features);
}

/* The configuration follows the vectors, which exist while MSI-X is enabled (§4.1.4.10). */
static unsigned config_start(const struct virtio_device *dev)
{
    return dev->vectors != 0 ? VIRTIO_PCI_LEGACY_MSIX_CONFIG : VIRTIO_PCI_LEGACY_CONFIG;
}

static uint32_t config_field(struct virtio_device *dev, unsigned offset, unsigned width)
{
    const struct vpci_region *regs = &from_device(dev)->legacy;

    offset += config_start(dev);
    return offset + width <= regs->size ? vpci_read(regs, offset, width) : 0;
}

/*
 * Reads each field with its width (§4.1.3.1). The bytes are stored as the device provides them, in
 * the processor's order. There is no generation counter, so two reads must agree (§2.5.4).
 */
static bool config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned width,
                        unsigned count)
{
    uint8_t *bytes = to;
    bool agree = true;

    for (unsigned time = 0; time < 2; time++) {
        for (unsigned i = 0; i < count; i++) {
            uint32_t value = config_field(dev, offset + i * width, width);

            for (unsigned n = i * width; n < (i + 1) * width; n++) {
                agree &= time == 0 || bytes[n] == (uint8_t)value;
                bytes[n] = (uint8_t)value;
                value >>= 8;
            }
        }
    }
    return agree;
}

static void config_write(struct virtio_device *dev, unsigned offset, const uint8_t *bytes,
                         unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        vpci_write8(&from_device(dev)->legacy, config_start(dev) + offset + i, bytes[i]);
    }
}

/* §4.1.5.1.2: the vector that the device returns is the one it has accepted. */
static void set_vector(struct virtio_device *dev, unsigned reg, uint16_t vector)
{
    const struct vpci_region *regs = &from_device(dev)->legacy;

    vpci_write16(regs, reg, vector);
    if (vpci_read16(regs, reg) != vector) {
        virtio_pci_vector_refused(from_device(dev));
    }
}

static void config_vector(struct virtio_device *dev)
{
    set_vector(dev, VIRTIO_PCI_LEGACY_CONFIG_MSIX_VECTOR, VIRTIO_CONFIG_VECTOR);
}

static uint16_t queue_size(struct virtio_device *dev, uint16_t queue)
{
    const struct vpci_region *regs = &from_device(dev)->legacy;

    vpci_write16(regs, VIRTIO_PCI_LEGACY_QUEUE_SELECT, queue);
    return vpci_read16(regs, VIRTIO_PCI_LEGACY_QUEUE_SIZE);
}

static int queue_enable(struct virtio_device *dev, struct virtqueue *vq)
{
    const struct vpci_region *regs = &from_device(dev)->legacy;
    uint64_t address = vq->area_address;

    if (address / VIRTIO_PCI_LEGACY_QUEUE_ALIGN > UINT32_MAX) {
        return VIRTIO_ERROR_NOMEM; /* above the register's range */
    }
    vpci_write16(regs, VIRTIO_PCI_LEGACY_QUEUE_SELECT, vq->index);
    vpci_write32(regs, VIRTIO_PCI_LEGACY_QUEUE_ADDRESS,
                 (uint32_t)(address / VIRTIO_PCI_LEGACY_QUEUE_ALIGN));
    if (dev->vectors != 0) {
        vq->vector = virtio_queue_vector(dev, vq->index);
        set_vector(dev, VIRTIO_PCI_LEGACY_QUEUE_MSIX_VECTOR, vq->vector);
    }
    return 0;
}

static void notify(struct virtio_device *dev, const struct virtqueue *vq)
{
    vpci_write16(&from_device(dev)->legacy, VIRTIO_PCI_LEGACY_QUEUE_NOTIFY, vq->index);
}

static uint8_t isr_status(struct virtio_device *dev)
{
    return vpci_read8(&from_device(dev)->legacy, VIRTIO_PCI_LEGACY_ISR_STATUS);
}

static const struct virtio_transport legacy_transport = {
    .name = "legacy PCI",
    .legacy = true,
    .queue_align = VIRTIO_PCI_LEGACY_QUEUE_ALIGN,
    .get_status = get_status,
    .set_status = set_status,
    .get_features = get_features,
    .set_features = set_features,
    .config_read = config_read,
    .config_write = config_write,
    .config_vector = config_vector,
    .queue_size = queue_size,
    .queue_enable = queue_enable,
    .notify = notify,
    .isr_status = isr_status,
};

int virtio_pci_legacy_attach(struct virtio_pci *vp)
{
    /* Up to the end of the MAC address, the minimum of a network device. */
    const uint32_t least = VIRTIO_PCI_LEGACY_MSIX_CONFIG + 6;

    /* Only devices with a transitional id have it, of any revision (§4.1.2.2). */
    if (vp->pci.device != VIRTIO_PCI_DEVICE_NET_TRANSITIONAL || !vp->pci.bar[0].io ||
        vp->pci.bar[0].size > UINT32_MAX || vp->pci.bar[0].size < least ||
        !vpci_map(&vp->pci, 0, 0, (uint32_t)vp->pci.bar[0].size, &vp->legacy)) {
        return VIRTIO_ERROR_NODEV;
    }
    vp->dev.transport = &legacy_transport;
    return 0;
}
