/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modern interface: structures in BARs that vendor-specific capabilities point to (virtio 1.3
 * §4.1.4 Virtio Structure PCI Capabilities). All fields are little-endian.
 */
#include <string.h>

#include "virtio/virtio_pci.h"
#include "virtio/virtio_platform.h"
#include "virtio/virtio_spec.h"
#include "virtio/virtqueue.h"

#define QUEUE_RESET_TIMEOUT_NS 1000000000u

static struct virtio_pci *from_device(struct virtio_device *dev)
{
    return (struct virtio_pci *)dev;
}

static uint8_t get_status(struct virtio_device *dev)
{
    return pci_read8(&from_device(dev)->common, VIRTIO_PCI_COMMON_DEVICE_STATUS);
}

static void set_status(struct virtio_device *dev, uint8_t status)
{
    pci_write8(&from_device(dev)->common, VIRTIO_PCI_COMMON_DEVICE_STATUS, status);
}

static uint64_t get_features(struct virtio_device *dev)
{
    const struct pci_region *common = &from_device(dev)->common;
    uint64_t features = 0;

    for (uint32_t half = 0; half < 2; half++) {
        pci_write32(common, VIRTIO_PCI_COMMON_DEVICE_FEATURE_SELECT, half);
        features |= (uint64_t)pci_read32(common, VIRTIO_PCI_COMMON_DEVICE_FEATURE) << 32 * half;
    }
    if (common->size < VIRTIO_PCI_COMMON_QUEUE_RESET + sizeof(uint16_t)) {
        features &= ~virtio_bit(VIRTIO_F_RING_RESET); /* its register is out of reach */
    }
    return features;
}

static void set_features(struct virtio_device *dev, uint64_t features)
{
    const struct pci_region *common = &from_device(dev)->common;

    for (uint32_t half = 0; half < 2; half++) {
        pci_write32(common, VIRTIO_PCI_COMMON_DRIVER_FEATURE_SELECT, half);
        pci_write32(common, VIRTIO_PCI_COMMON_DRIVER_FEATURE, (uint32_t)(features >> 32 * half));
    }
}

static void config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned width)
{
    const struct pci_region *config = &from_device(dev)->config;
    uint32_t value32;
    uint16_t value16;

    if (offset + width > config->size) {
        memset(to, 0, width); /* a field that this device's structure does not reach */
        return;
    }
    switch (width) {
    case 1:
        *(uint8_t *)to = pci_read8(config, offset);
        break;
    case 2:
        value16 = pci_read16(config, offset);
        memcpy(to, &value16, sizeof value16);
        break;
    default:
        value32 = pci_read32(config, offset);
        memcpy(to, &value32, sizeof value32);
        break;
    }
}

static uint8_t config_generation(struct virtio_device *dev)
{
    return pci_read8(&from_device(dev)->common, VIRTIO_PCI_COMMON_CONFIG_GENERATION);
}

static uint16_t queue_size(struct virtio_device *dev, uint16_t queue)
{
    const struct pci_region *common = &from_device(dev)->common;

    if (queue >= pci_read16(common, VIRTIO_PCI_COMMON_NUM_QUEUES)) {
        return 0;
    }
    pci_write16(common, VIRTIO_PCI_COMMON_QUEUE_SELECT, queue);
    return pci_read16(common, VIRTIO_PCI_COMMON_QUEUE_SIZE);
}

/* 64-bit fields are written as two halves, the low one first (§4.1.3.1). */
static void write_address(const struct pci_region *common, unsigned offset, const void *memory)
{
    uint64_t address = virtio_platform_dma_address(memory);

    pci_write32(common, offset, (uint32_t)address);
    pci_write32(common, offset + 4, (uint32_t)(address >> 32));
}

/* §4.1.5.2: with NOTIFICATION_DATA the doorbell takes 32 bits. */
static bool notifies_data(const struct virtio_device *dev)
{
    return virtio_has(dev->features, VIRTIO_F_NOTIFICATION_DATA);
}

/* §4.1.5.1.3 Virtqueue Configuration */
static int queue_enable(struct virtio_device *dev, struct virtqueue *vq)
{
    struct virtio_pci *vp = from_device(dev);
    uint64_t notify_offset;

    pci_write16(&vp->common, VIRTIO_PCI_COMMON_QUEUE_SELECT, vq->index);
    /* §4.1.4.4: the doorbell is at queue_notify_off * notify_off_multiplier. */
    notify_offset = (uint64_t)pci_read16(&vp->common, VIRTIO_PCI_COMMON_QUEUE_NOTIFY_OFF) *
                    vp->notify_multiplier;
    if (notify_offset + (notifies_data(dev) ? 4 : 2) > vp->notify.size) {
        virtio_platform_log("virtio: the doorbell of queue %u lies outside its BAR", vq->index);
        return VIRTIO_ERROR_IO;
    }
    vq->notify_offset = (uint32_t)notify_offset;
    pci_write16(&vp->common, VIRTIO_PCI_COMMON_QUEUE_SIZE, vq->size);
    write_address(&vp->common, VIRTIO_PCI_COMMON_QUEUE_DESC, vq->descriptor_area);
    write_address(&vp->common, VIRTIO_PCI_COMMON_QUEUE_DRIVER, vq->driver_area);
    write_address(&vp->common, VIRTIO_PCI_COMMON_QUEUE_DEVICE, vq->device_area);
    pci_write16(&vp->common, VIRTIO_PCI_COMMON_QUEUE_ENABLE, 1);
    return 0;
}

/* §4.1.4.3.2: the reset is complete when the register reads 0 again. */
static int queue_reset(struct virtio_device *dev, struct virtqueue *vq)
{
    const struct pci_region *common = &from_device(dev)->common;
    uint64_t start = virtio_platform_clock_ns();

    pci_write16(common, VIRTIO_PCI_COMMON_QUEUE_SELECT, vq->index);
    pci_write16(common, VIRTIO_PCI_COMMON_QUEUE_RESET, 1);
    while (pci_read16(common, VIRTIO_PCI_COMMON_QUEUE_RESET) != 0) {
        if (virtio_platform_clock_ns() - start > QUEUE_RESET_TIMEOUT_NS) {
            virtio_platform_log("virtio: the device does not finish the reset of queue %u",
                                vq->index);
            return VIRTIO_ERROR_IO;
        }
    }
    return 0;
}

static void notify(struct virtio_device *dev, const struct virtqueue *vq)
{
    const struct pci_region *doorbells = &from_device(dev)->notify;

    if (notifies_data(dev)) {
        pci_write32(doorbells, vq->notify_offset, vq->index | (uint32_t)vq->avail_idx << 16);
    } else {
        pci_write16(doorbells, vq->notify_offset, vq->index);
    }
}

static uint8_t isr_status(struct virtio_device *dev)
{
    return pci_read8(&from_device(dev)->isr, 0);
}

static const struct virtio_transport modern_transport = {
    .name = "modern PCI",
    .legacy = false,
    .queue_align = 64, /* the rings need 16, 2 and 4 (§2.7); a cache line keeps them apart */
    .get_status = get_status,
    .set_status = set_status,
    .get_features = get_features,
    .set_features = set_features,
    .config_read = config_read,
    .config_generation = config_generation,
    .queue_size = queue_size,
    .queue_enable = queue_enable,
    .queue_reset = queue_reset,
    .notify = notify,
    .isr_status = isr_status,
};

/*
 * Maps the structure of this type: the first capability that names it and can be used, as the
 * device lists them in the order that it prefers (§4.1.4.1). Returns the capability, or 0.
 */
static uint8_t map_structure(const struct virtio_pci *vp, uint8_t type, uint32_t least,
                             struct pci_region *region)
{
    /* Only this one has a field behind the 16 bytes that all have. */
    unsigned size = type == VIRTIO_PCI_CAP_NOTIFY_CFG ? VIRTIO_PCI_NOTIFY_CAP_MULTIPLIER + 4 : 16;
    uint8_t cap;

    for (unsigned nth = 0; (cap = pci_find_capability(&vp->pci, PCI_CAP_VENDOR_SPECIFIC, nth)) != 0;
         nth++) {
        unsigned bar;
        uint32_t offset;
        uint32_t length;

        if (cap + size > 256 ||
            pci_config_read(&vp->pci, cap + VIRTIO_PCI_CAP_CFG_TYPE, 1) != type) {
            continue;
        }
        bar = pci_config_read(&vp->pci, cap + VIRTIO_PCI_CAP_BAR, 1);
        offset = pci_config_read(&vp->pci, cap + VIRTIO_PCI_CAP_OFFSET, 4);
        length = pci_config_read(&vp->pci, cap + VIRTIO_PCI_CAP_LENGTH, 4);
        if (length >= least && pci_map(&vp->pci, bar, offset, length, region)) {
            return cap;
        }
    }
    return 0;
}

int virtio_pci_modern_attach(struct virtio_pci *vp)
{
    uint8_t notify_cap =
        map_structure(vp, VIRTIO_PCI_CAP_NOTIFY_CFG, sizeof(uint16_t), &vp->notify);

    if (notify_cap == 0 ||
        map_structure(vp, VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_COMMON_LENGTH, &vp->common) == 0 ||
        map_structure(vp, VIRTIO_PCI_CAP_ISR_CFG, 1, &vp->isr) == 0 ||
        map_structure(vp, VIRTIO_PCI_CAP_DEVICE_CFG, 6, &vp->config) == 0) {
        return VIRTIO_ERROR_NODEV;
    }
    vp->notify_multiplier =
        pci_config_read(&vp->pci, notify_cap + VIRTIO_PCI_NOTIFY_CAP_MULTIPLIER, 4);
    vp->dev.transport = &modern_transport;
    return 0;
}
