/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modern interface: structures in BARs, described by vendor-specific capabilities (virtio 1.3
 * §4.1.4 Virtio Structure PCI Capabilities). All fields are little-endian.
 */
#include <string.h>

#include "pci/internal/pci_spec.h"
#include "virtio/internal/virtio_pci_transport.h"
#include "virtio/virtio_pci.h"
#include "virtio/virtio_platform.h"
#include "virtio/virtio_spec.h"
#include "virtio/virtqueue.h"

static struct virtio_pci *from_device(struct virtio_device *dev)
{
    return (struct virtio_pci *)dev;
}

static uint32_t read_field(struct virtio_pci *vp, const struct virtio_pci_structure *structure,
                           uint32_t offset, unsigned width)
{
    if (VIRTIO_CONFIG_WINDOW && structure->windowed) {
        return virtio_pci_window_read(vp, structure, offset, width);
    }
    return vpci_read(&structure->direct, offset, width);
}

static void write_field(struct virtio_pci *vp, const struct virtio_pci_structure *structure,
                        uint32_t offset, unsigned width, uint32_t value)
{
    if (VIRTIO_CONFIG_WINDOW && structure->windowed) {
        virtio_pci_window_write(vp, structure, offset, width, value);
    } else {
        vpci_write(&structure->direct, offset, width, value);
    }
}

static uint32_t read_common(struct virtio_pci *vp, uint32_t offset, unsigned width)
{
    return read_field(vp, &vp->common, offset, width);
}

static void write_common(struct virtio_pci *vp, uint32_t offset, unsigned width, uint32_t value)
{
    write_field(vp, &vp->common, offset, width, value);
}

static uint8_t get_status(struct virtio_device *dev)
{
    return (uint8_t)read_common(from_device(dev), VIRTIO_PCI_COMMON_DEVICE_STATUS, 1);
}

static void set_status(struct virtio_device *dev, uint8_t status)
{
    write_common(from_device(dev), VIRTIO_PCI_COMMON_DEVICE_STATUS, 1, status);
}

static uint64_t get_features(struct virtio_device *dev)
{
    struct virtio_pci *vp = from_device(dev);
    uint64_t features = 0;

    for (uint32_t half = 0; half < 2; half++) {
        write_common(vp, VIRTIO_PCI_COMMON_DEVICE_FEATURE_SELECT, 4, half);
        features |= (uint64_t)read_common(vp, VIRTIO_PCI_COMMON_DEVICE_FEATURE, 4) << 32 * half;
    }
    /* Features whose register is not accessible. */
    if (vp->common.size < VIRTIO_PCI_COMMON_QUEUE_NOTIF_CONFIG_DATA + sizeof(uint16_t)) {
        features &= ~virtio_bit(VIRTIO_F_NOTIF_CONFIG_DATA);
    }
    if (vp->common.size < VIRTIO_PCI_COMMON_QUEUE_RESET + sizeof(uint16_t)) {
        features &= ~virtio_bit(VIRTIO_F_RING_RESET);
    }
    return features;
}

static void set_features(struct virtio_device *dev, uint64_t features)
{
    struct virtio_pci *vp = from_device(dev);

    for (uint32_t half = 0; half < 2; half++) {
        write_common(vp, VIRTIO_PCI_COMMON_DRIVER_FEATURE_SELECT, 4, half);
        write_common(vp, VIRTIO_PCI_COMMON_DRIVER_FEATURE, 4, (uint32_t)(features >> 32 * half));
    }
}

/* A field beyond the end of the device's structure reads as zero. */
static void read_config(struct virtio_pci *vp, unsigned offset, void *to, unsigned width)
{
    uint32_t value = 0;
    uint16_t value16;

    if (offset + width <= vp->config.size) {
        value = read_field(vp, &vp->config, offset, width);
    }
    switch (width) {
    case 1:
        *(uint8_t *)to = (uint8_t)value;
        break;
    case 2:
        value16 = (uint16_t)value;
        memcpy(to, &value16, sizeof value16);
        break;
    default:
        memcpy(to, &value, sizeof value);
        break;
    }
}

static bool config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned width,
                        unsigned count)
{
    struct virtio_pci *vp = from_device(dev);
    uint32_t generation = read_common(vp, VIRTIO_PCI_COMMON_CONFIG_GENERATION, 1);

    for (unsigned i = 0; i < count; i++) {
        read_config(vp, offset + i * width, (uint8_t *)to + i * width, width);
    }
    if (read_common(vp, VIRTIO_PCI_COMMON_CONFIG_GENERATION, 1) != generation) {
        return false;
    }
    dev->config_generation = (uint8_t)generation;
    return true;
}

/* §4.1.5.1.2: the vector that the device returns is the one it has accepted. */
static bool set_vector(struct virtio_pci *vp, unsigned field, uint16_t vector)
{
    write_common(vp, field, 2, vector);
    return read_common(vp, field, 2) == vector;
}

static void config_vector(struct virtio_device *dev)
{
    struct virtio_pci *vp = from_device(dev);

    if (!set_vector(vp, VIRTIO_PCI_COMMON_CONFIG_MSIX_VECTOR, VIRTIO_CONFIG_VECTOR)) {
        virtio_pci_vector_refused(vp);
    }
}

/*
 * If a vector is refused during initialisation, MSI-X is disabled. When the device is live the line
 * has no handler; the queue then uses the configuration's vector, which the device has accepted
 * before.
 */
static int set_queue_vector(struct virtio_pci *vp, struct virtqueue *vq)
{
    vq->vector = virtio_queue_vector(&vp->dev, vq->index);
    if (set_vector(vp, VIRTIO_PCI_COMMON_QUEUE_MSIX_VECTOR, vq->vector)) {
        return 0;
    }
    if (!vp->dev.connected) {
        virtio_pci_vector_refused(vp);
        return 0;
    }
    if (!vq->overdue) {
        virtio_log("virtio: the device refuses MSI-X vector %u for queue %u after its reset",
                   vq->vector, vq->index);
    }
    vq->vector = VIRTIO_CONFIG_VECTOR;
    return set_vector(vp, VIRTIO_PCI_COMMON_QUEUE_MSIX_VECTOR, vq->vector) ? 0 : VIRTIO_ERROR_IO;
}

static uint16_t queue_size(struct virtio_device *dev, uint16_t queue)
{
    struct virtio_pci *vp = from_device(dev);

    if (queue >= read_common(vp, VIRTIO_PCI_COMMON_NUM_QUEUES, 2)) {
        return 0;
    }
    write_common(vp, VIRTIO_PCI_COMMON_QUEUE_SELECT, 2, queue);
    return (uint16_t)read_common(vp, VIRTIO_PCI_COMMON_QUEUE_SIZE, 2);
}

/* 64-bit fields are written as two halves, the low one first (§4.1.3.1). */
static void write_address(struct virtio_pci *vp, unsigned offset, const struct virtqueue *vq,
                          const void *area)
{
    uint64_t address =
        vq->area_address + (size_t)((const uint8_t *)area - (uint8_t *)vq->descriptor_area);

    write_common(vp, offset, 4, (uint32_t)address);
    write_common(vp, offset + 4, 4, (uint32_t)(address >> 32));
}

/* §4.1.5.2: with NOTIFICATION_DATA the doorbell takes 32 bits. */
static unsigned doorbell_width(const struct virtio_device *dev)
{
    return virtio_has(dev->features, VIRTIO_F_NOTIFICATION_DATA) ? 4 : 2;
}

/* §4.1.5.1.3 Virtqueue Configuration */
static int queue_enable(struct virtio_device *dev, struct virtqueue *vq)
{
    struct virtio_pci *vp = from_device(dev);
    uint64_t notify_offset;

    write_common(vp, VIRTIO_PCI_COMMON_QUEUE_SELECT, 2, vq->index);
    /* §4.1.4.4: the doorbell is at queue_notify_off * notify_off_multiplier. */
    notify_offset =
        (uint64_t)read_common(vp, VIRTIO_PCI_COMMON_QUEUE_NOTIFY_OFF, 2) * vp->notify_multiplier;
    if (notify_offset + doorbell_width(dev) > vp->notify.size ||
        ((vp->notify.offset + notify_offset) & (doorbell_width(dev) - 1)) != 0) {
        if (!vq->overdue) {
            virtio_log("virtio: the doorbell of queue %u is not where one can be", vq->index);
        }
        return VIRTIO_ERROR_IO;
    }
    vq->notify_offset = (uint32_t)notify_offset;
    vq->notify_data = virtio_has(dev->features, VIRTIO_F_NOTIF_CONFIG_DATA)
                          ? (uint16_t)read_common(vp, VIRTIO_PCI_COMMON_QUEUE_NOTIF_CONFIG_DATA, 2)
                          : vq->index;
    write_common(vp, VIRTIO_PCI_COMMON_QUEUE_SIZE, 2, vq->size);
    write_address(vp, VIRTIO_PCI_COMMON_QUEUE_DESC, vq, vq->descriptor_area);
    write_address(vp, VIRTIO_PCI_COMMON_QUEUE_DRIVER, vq, vq->driver_area);
    write_address(vp, VIRTIO_PCI_COMMON_QUEUE_DEVICE, vq, vq->device_area);
    if (dev->vectors != 0) {
        int error = set_queue_vector(vp, vq);

        if (error != 0) {
            return error;
        }
    }
    write_common(vp, VIRTIO_PCI_COMMON_QUEUE_ENABLE, 2, 1);
    return 0;
}

static void queue_reset(struct virtio_device *dev, const struct virtqueue *vq)
{
    struct virtio_pci *vp = from_device(dev);

    write_common(vp, VIRTIO_PCI_COMMON_QUEUE_SELECT, 2, vq->index);
    write_common(vp, VIRTIO_PCI_COMMON_QUEUE_RESET, 2, 1);
}

/* §4.1.4.3.2: the reset is complete when the register reads 0 again. */
static bool queue_is_reset(struct virtio_device *dev, const struct virtqueue *vq)
{
    struct virtio_pci *vp = from_device(dev);

    write_common(vp, VIRTIO_PCI_COMMON_QUEUE_SELECT, 2, vq->index);
    return read_common(vp, VIRTIO_PCI_COMMON_QUEUE_RESET, 2) == 0;
}

/* §4.1.5.2 Available Buffer Notifications */
static void notify(struct virtio_device *dev, const struct virtqueue *vq)
{
    struct virtio_pci *vp = from_device(dev);
    uint32_t value = vq->notify_data;

    if (doorbell_width(dev) == 4) {
        value |= (uint32_t)vq->avail_idx << 16;
    }
    write_field(vp, &vp->notify, vq->notify_offset, doorbell_width(dev), value);
}

static uint8_t isr_status(struct virtio_device *dev)
{
    struct virtio_pci *vp = from_device(dev);

    if (VIRTIO_CONFIG_WINDOW && vp->isr.windowed) {
        return (uint8_t)virtio_pci_window_peek(vp, &vp->isr, 0, 1);
    }
    return vpci_read8(&vp->isr.direct, 0);
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
    .config_vector = config_vector,
    .queue_size = queue_size,
    .queue_enable = queue_enable,
    .queue_reset = queue_reset,
    .queue_is_reset = queue_is_reset,
    .notify = notify,
    .isr_status = isr_status,
};

/* Requirements on the structures: §4.1.4.3.1 to §4.1.4.6 Device Requirements. */
struct wanted {
    uint8_t type;
    uint8_t align; /* alignment of the offset */
    uint8_t least; /* minimum length, bytes */
    uint8_t size;  /* minimum length of the capability */
};

/*
 * Reads a capability. Returns false unless it describes an accessible structure of the wanted kind.
 */
static bool read_capability(const struct virtio_pci *vp, uint8_t cap, const struct wanted *wanted,
                            bool windowed, struct virtio_pci_structure *structure)
{
    uint64_t room;

    if (cap + wanted->size > 256 ||
        vpci_config_read(&vp->pci, cap + VIRTIO_PCI_CAP_LEN, 1) < wanted->size ||
        vpci_config_read(&vp->pci, cap + VIRTIO_PCI_CAP_CFG_TYPE, 1) != wanted->type) {
        return false;
    }
    *structure = (struct virtio_pci_structure){
        .capability = cap,
        .bar = (uint8_t)vpci_config_read(&vp->pci, cap + VIRTIO_PCI_CAP_BAR, 1),
        .offset = vpci_config_read(&vp->pci, cap + VIRTIO_PCI_CAP_OFFSET, 4),
        .size = vpci_config_read(&vp->pci, cap + VIRTIO_PCI_CAP_LENGTH, 4),
        .windowed = windowed,
    };
    if (structure->bar >= VPCI_BARS || structure->offset % wanted->align != 0 ||
        structure->offset >= vp->pci.bar[structure->bar].size) {
        return false;
    }
    /* A length may be larger than the BAR (§4.1.4.1): the excess is not used. */
    room = vp->pci.bar[structure->bar].size - structure->offset;
    if (structure->size > room) {
        structure->size = (uint32_t)room;
    }
    if (structure->size < wanted->least) {
        return false;
    }
    return windowed || vpci_map(&vp->pci, structure->bar, structure->offset, structure->size,
                                &structure->direct);
}

/*
 * Finds a structure: the first capability that describes it and is usable, since the device lists
 * them in order of preference (§4.1.4.1).
 */
static bool find_structure(const struct virtio_pci *vp, const struct wanted *wanted, bool windowed,
                           struct virtio_pci_structure *structure)
{
    uint8_t cap;

    for (unsigned nth = 0;
         (cap = vpci_find_capability(&vp->pci, PCI_CAP_VENDOR_SPECIFIC, nth)) != 0; nth++) {
        if (read_capability(vp, cap, wanted, windowed, structure)) {
            return true;
        }
    }
    return false;
}

int virtio_pci_modern_attach(struct virtio_pci *vp, bool windowed)
{
    static const struct wanted wanted[] = {
        {VIRTIO_PCI_CAP_COMMON_CFG, 4, VIRTIO_PCI_COMMON_LENGTH, VIRTIO_PCI_CAP_SIZE},
        {VIRTIO_PCI_CAP_NOTIFY_CFG, 2, 2, VIRTIO_PCI_NOTIFY_CAP_MULTIPLIER + 4},
        {VIRTIO_PCI_CAP_ISR_CFG, 1, 1, VIRTIO_PCI_CAP_SIZE},
        {VIRTIO_PCI_CAP_DEVICE_CFG, 4, 6, VIRTIO_PCI_CAP_SIZE},
    };
    struct virtio_pci_structure *const found[] = {&vp->common, &vp->notify, &vp->isr, &vp->config};

    if (VIRTIO_CONFIG_WINDOW && windowed && !virtio_pci_window_open(vp)) {
        return VIRTIO_ERROR_NODEV;
    }
    for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (!find_structure(vp, &wanted[i], false, found[i]) &&
            !(windowed && find_structure(vp, &wanted[i], true, found[i]))) {
            return VIRTIO_ERROR_NODEV;
        }
    }
    vp->notify_multiplier =
        vpci_config_read(&vp->pci, vp->notify.capability + VIRTIO_PCI_NOTIFY_CAP_MULTIPLIER, 4);
    vp->dev.transport = &modern_transport;
    return 0;
}
