/* SPDX-License-Identifier: BSD-2-Clause */
/* Initialises and resets a virtio device, and reads its configuration. */
#include "virtio/virtio.h"

#include "virtio/virtio_platform.h"
#include "virtio/virtio_spec.h"

enum { CONFIG_ATTEMPTS = 16 };

/* Only adds bits to the status field; only a reset clears them (§2.1.1). */
static void add_status(struct virtio_device *dev, uint8_t bits)
{
    dev->transport->set_status(dev, dev->transport->get_status(dev) | bits);
}

void virtio_device_reset_begin(struct virtio_device *dev)
{
    dev->resetting = true;
    dev->transport->set_status(dev, 0);
}

bool virtio_device_reset_ended(struct virtio_device *dev)
{
    if (dev->resetting && dev->transport->get_status(dev) == 0) {
        dev->resetting = false;
        dev->live = false;
    }
    return !dev->resetting;
}

int virtio_device_reset(struct virtio_device *dev)
{
    uint64_t start = virtio_platform_clock_ns();

    virtio_device_reset_begin(dev);
    while (!virtio_device_reset_ended(dev)) {
        if (virtio_platform_clock_ns() - start > VIRTIO_RESET_TIMEOUT_NS) {
            virtio_log("virtio: the device does not finish its reset (status 0x%x)",
                       dev->transport->get_status(dev));
            return VIRTIO_ERROR_IO;
        }
    }
    return 0;
}

void virtio_device_acknowledge(struct virtio_device *dev)
{
    dev->config_torn = false;
    dev->trouble = NULL;
    add_status(dev, VIRTIO_STATUS_ACKNOWLEDGE);
    add_status(dev, VIRTIO_STATUS_DRIVER);
    if (dev->vectors != 0) {
        dev->transport->config_vector(dev);
    }
    dev->offered = dev->transport->get_features(dev);
}

int virtio_device_begin(struct virtio_device *dev)
{
    int error = virtio_device_reset(dev);

    if (error == 0) {
        virtio_device_acknowledge(dev);
    }
    return error;
}

bool virtio_device_needs_reset(struct virtio_device *dev)
{
    return dev->transport->get_status(dev) & VIRTIO_STATUS_DEVICE_NEEDS_RESET;
}

/* A device does not say which feature it misses or refuses. */
static void log_refused(const struct virtio_device *dev)
{
    char names[512];

    virtio_log("virtio: the device refuses these features: %s",
               virtio_feature_names(dev->features, names, sizeof names));
    virtio_log("virtio: it may insist on one that it offers and that was not accepted: %s",
               virtio_feature_names(dev->offered & ~dev->features, names, sizeof names));
}

int virtio_device_negotiate(struct virtio_device *dev, uint64_t wanted)
{
    dev->address_offset = 0;
    wanted &= VIRTIO_CONFIG_PACKED ? UINT64_MAX : ~virtio_bit(VIRTIO_F_RING_PACKED);
    if (dev->transport->legacy) {
        dev->features = dev->offered & wanted & UINT32_MAX;
        dev->little_endian = false;
        dev->transport->set_features(dev, dev->features);
        return 0;
    }
    if (!virtio_has(dev->offered, VIRTIO_F_VERSION_1)) {
        virtio_log("virtio: a modern device that does not offer VERSION_1");
        return VIRTIO_ERROR_IO;
    }
    wanted &= ~virtio_bit(VIRTIO_F_ANY_LAYOUT); /* exists on the legacy interface only (§6.3) */
    dev->features = dev->offered & (wanted | virtio_bit(VIRTIO_F_VERSION_1));
    dev->little_endian = true;
    if (virtio_has(dev->features, VIRTIO_F_ACCESS_PLATFORM)) {
        dev->address_offset = dev->bus_offset;
    }
    dev->transport->set_features(dev, dev->features);
    add_status(dev, VIRTIO_STATUS_FEATURES_OK);
    /* The device refuses by clearing the bit (§3.1.1 step 6). */
    if (!(dev->transport->get_status(dev) & VIRTIO_STATUS_FEATURES_OK)) {
        log_refused(dev);
        return VIRTIO_ERROR_FEATURES;
    }
    return 0;
}

void virtio_device_ready(struct virtio_device *dev)
{
    dev->live = true;
    dev->connected = true;
    add_status(dev, VIRTIO_STATUS_DRIVER_OK);
}

void virtio_device_fail(struct virtio_device *dev)
{
    /*
     * During a reset the device may still show the old bits, and must not be accessed otherwise
     * (§4.1.4.3.2).
     */
    if (!dev->resetting) {
        add_status(dev, VIRTIO_STATUS_FAILED);
    }
}

int virtio_config_read(struct virtio_device *dev, unsigned offset, void *to, unsigned width,
                       unsigned count)
{
    for (unsigned attempt = 0; attempt < CONFIG_ATTEMPTS; attempt++) {
        if (dev->transport->config_read(dev, offset, to, width, count)) {
            dev->config_torn = false;
            return 0;
        }
    }
    if (!dev->config_torn) {
        virtio_log("virtio: the device configuration at %u does not hold still", offset);
    }
    dev->config_torn = true;
    return VIRTIO_ERROR_IO;
}

void virtio_device_fence(struct virtio_device *dev)
{
    virtio_mb();
    if (dev->weak_barrier) {
        (void)dev->transport->get_status(dev);
    }
}
