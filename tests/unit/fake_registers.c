/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of the fake device: the legacy interface, the modern one, MSI-X's table. */
#include "fake_registers.h"

#include <string.h>

#include "pci/pci.h"

static void check_width(unsigned width, unsigned wanted, unsigned offset)
{
    if (width != wanted) {
        fail_msg("%u bytes of the register at %u, which has %u", width, offset, wanted);
    }
}

/* The configuration follows the vectors, which exist while MSI-X is enabled. */
static unsigned config_start(const struct fake_virtio *dev)
{
    return fake_msix_enabled(dev) ? VIRTIO_PCI_LEGACY_MSIX_CONFIG : VIRTIO_PCI_LEGACY_CONFIG;
}

static void put_bytes(uint8_t *to, uint32_t value, unsigned width, bool low_first)
{
    for (unsigned i = 0; i < width; i++) {
        to[i] = (uint8_t)(value >> 8 * (low_first ? i : width - 1 - i));
    }
}

/* The configuration is stored as bytes, so each access has the byte order of the interface. */
static uint32_t read_config(struct fake_virtio *dev, unsigned offset, unsigned width, bool little)
{
    static const uint8_t widths[FAKE_DEVICE_LENGTH] = {
        1, 1, 1, 1, 1, 1, [6] = 2, [8] = 2, [10] = 2, [12] = 4, [16] = 1};
    uint8_t bytes[FAKE_DEVICE_LENGTH] = {0};
    uint32_t value = 0;
    bool low_first = little || !FAKE_HOST_BIG;

    assert_true(offset + width <= sizeof bytes);
    assert_true(dev->any_width || width == widths[offset]); /* §4.1.3.1 */
    memcpy(bytes, dev->mac, 6);
    put_bytes(bytes + 6, dev->link_status, 2, low_first);
    put_bytes(bytes + 8, dev->max_pairs, 2, low_first);
    put_bytes(bytes + 10, dev->mtu, 2, low_first);
    put_bytes(bytes + 12, dev->speed, 4, low_first);
    bytes[16] = dev->duplex;
    for (unsigned i = 0; i < width; i++) {
        value |= (uint32_t)bytes[offset + i] << 8 * i;
    }
    if (dev->on_config_read != NULL) {
        dev->on_config_read(dev, offset);
    }
    return value;
}

static uint32_t read_behind_header(struct fake_virtio *dev, uint32_t offset, unsigned width)
{
    unsigned start = config_start(dev);

    assert_true(offset >= VIRTIO_PCI_LEGACY_CONFIG);
    if (offset >= start) {
        return read_config(dev, offset - start, width, false);
    }
    check_width(width, 2, offset);
    return offset == VIRTIO_PCI_LEGACY_CONFIG_MSIX_VECTOR ? dev->config_vector
                                                          : fake_selected(dev)->vector;
}

static uint32_t read_legacy(struct fake_virtio *dev, uint32_t offset, unsigned width)
{
    struct fake_queue *q = fake_selected(dev);

    switch (offset) {
    case VIRTIO_PCI_LEGACY_DEVICE_FEATURES:
        check_width(width, 4, offset);
        return (uint32_t)dev->offered;
    case VIRTIO_PCI_LEGACY_QUEUE_ADDRESS:
        return q != NULL ? (uint32_t)(q->desc / VIRTIO_PCI_LEGACY_QUEUE_ALIGN) : 0;
    case VIRTIO_PCI_LEGACY_QUEUE_SIZE:
        check_width(width, 2, offset);
        return q != NULL ? q->size : 0;
    case VIRTIO_PCI_LEGACY_DEVICE_STATUS:
        check_width(width, 1, offset);
        return fake_read_status(dev);
    case VIRTIO_PCI_LEGACY_ISR_STATUS:
        check_width(width, 1, offset);
        return fake_read_isr(dev);
    default:
        return read_behind_header(dev, offset, width);
    }
}

/* §5.1.4.2, legacy note: without the command the address may be written here. */
static void write_mac(struct fake_virtio *dev, unsigned offset, unsigned width, uint8_t value)
{
    assert_true(offset < sizeof dev->mac);
    check_width(width, 1, offset);
    assert_false(dev->features >> VIRTIO_NET_F_CTRL_MAC_ADDR & 1);
    if (!dev->mac_is_fixed) {
        dev->mac[offset] = value;
    }
}

static void write_behind_header(struct fake_virtio *dev, uint32_t offset, unsigned width,
                                uint32_t value)
{
    unsigned start = config_start(dev);

    if (offset >= start) {
        write_mac(dev, offset - start, width, (uint8_t)value);
    } else if (offset == VIRTIO_PCI_LEGACY_CONFIG_MSIX_VECTOR) {
        check_width(width, 2, offset);
        dev->config_vector = fake_msix_map(dev, 0, (uint16_t)value);
    } else if (offset == VIRTIO_PCI_LEGACY_QUEUE_MSIX_VECTOR) {
        check_width(width, 2, offset);
        fake_selected(dev)->vector = fake_msix_map(dev, dev->queue_select + 1, (uint16_t)value);
    } else {
        fail_msg("a write to the legacy register at %u", (unsigned)offset);
    }
}

static void write_legacy(struct fake_virtio *dev, uint32_t offset, unsigned width, uint32_t value)
{
    struct fake_queue *q = fake_selected(dev);

    switch (offset) {
    case VIRTIO_PCI_LEGACY_DRIVER_FEATURES:
        check_width(width, 4, offset);
        fake_write_features(dev, value);
        break;
    case VIRTIO_PCI_LEGACY_QUEUE_SELECT:
        check_width(width, 2, offset);
        dev->queue_select = (uint16_t)value;
        break;
    case VIRTIO_PCI_LEGACY_QUEUE_ADDRESS:
        check_width(width, 4, offset);
        assert_non_null(q);
        assert_false(q->enabled);
        q->driver_size = q->size;
        q->desc = (uint64_t)value * VIRTIO_PCI_LEGACY_QUEUE_ALIGN;
        q->avail = q->desc + 16u * q->size;
        q->used = (q->avail + 6 + 2u * q->size + VIRTIO_PCI_LEGACY_QUEUE_ALIGN - 1) &
                  ~(uint64_t)(VIRTIO_PCI_LEGACY_QUEUE_ALIGN - 1);
        fake_enable_queue(dev, q, true);
        break;
    case VIRTIO_PCI_LEGACY_QUEUE_NOTIFY:
        check_width(width, 2, offset);
        fake_doorbell(dev, value & 0xffff, value);
        break;
    case VIRTIO_PCI_LEGACY_DEVICE_STATUS:
        check_width(width, 1, offset);
        assert_false(value & VIRTIO_STATUS_FEATURES_OK); /* not available in this interface */
        fake_write_status(dev, (uint8_t)value);
        break;
    default:
        write_behind_header(dev, offset, width, value);
    }
}

/*
 * The width of the common structure's field at this offset. 64-bit fields are accessed as two
 * halves.
 */
static unsigned common_width(uint32_t offset)
{
    if (offset < 16 ||
        (offset >= VIRTIO_PCI_COMMON_QUEUE_DESC && offset < VIRTIO_PCI_COMMON_QUEUE_DEVICE + 8)) {
        return 4;
    }
    return offset == VIRTIO_PCI_COMMON_DEVICE_STATUS ||
                   offset == VIRTIO_PCI_COMMON_CONFIG_GENERATION
               ? 1
               : 2;
}

static uint32_t read_common(struct fake_virtio *dev, uint32_t offset)
{
    struct fake_queue *q = fake_selected(dev);

    switch (offset) {
    case VIRTIO_PCI_COMMON_DEVICE_FEATURE:
        return dev->feature_select < 2 ? (uint32_t)(dev->offered >> 32 * dev->feature_select) : 0;
    case VIRTIO_PCI_COMMON_NUM_QUEUES:
        return dev->num_queues;
    case VIRTIO_PCI_COMMON_DEVICE_STATUS:
        return fake_read_status(dev);
    case VIRTIO_PCI_COMMON_CONFIG_GENERATION:
        return dev->generation;
    case VIRTIO_PCI_COMMON_QUEUE_SIZE:
        return q == NULL ? 0 : q->driver_size != 0 ? q->driver_size : q->size;
    case VIRTIO_PCI_COMMON_CONFIG_MSIX_VECTOR:
        return dev->config_vector;
    case VIRTIO_PCI_COMMON_QUEUE_MSIX_VECTOR:
        assert_non_null(q);
        return q->vector;
    case VIRTIO_PCI_COMMON_QUEUE_NOTIFY_OFF:
        assert_non_null(q);
        return q->notify_off;
    case VIRTIO_PCI_COMMON_QUEUE_NOTIF_CONFIG_DATA:
        assert_non_null(q);
        return q->notif_data;
    case VIRTIO_PCI_COMMON_QUEUE_RESET:
        assert_non_null(q);
        return fake_read_queue_reset(q);
    default:
        fail_msg("a read of the common register at %u", (unsigned)offset);
        return 0;
    }
}

static void set_half(uint64_t *address, uint32_t offset, uint32_t value)
{
    unsigned shift = offset & 4 ? 32 : 0;

    *address = (*address & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)value << shift;
}

static void write_common_queue(struct fake_virtio *dev, uint32_t offset, uint32_t value)
{
    struct fake_queue *q = fake_selected(dev);

    assert_non_null(q);
    if (offset == VIRTIO_PCI_COMMON_QUEUE_RESET) {
        assert_int_equal(value, 1);
        fake_reset_queue(dev, q);
        return;
    }
    assert_int_equal(q->reset_left, 0);
    assert_false(q->enabled); /* §4.1.4.3.2: not after it is enabled */
    switch (offset & ~4u) {
    case VIRTIO_PCI_COMMON_QUEUE_DESC:
        set_half(&q->desc, offset, value);
        break;
    case VIRTIO_PCI_COMMON_QUEUE_DRIVER:
        set_half(&q->avail, offset, value);
        break;
    case VIRTIO_PCI_COMMON_QUEUE_DEVICE:
        set_half(&q->used, offset, value);
        break;
    case VIRTIO_PCI_COMMON_QUEUE_SIZE:
        if (offset == VIRTIO_PCI_COMMON_QUEUE_SIZE) {
            q->driver_size = (uint16_t)value;
            break;
        }
        assert_int_equal(offset, VIRTIO_PCI_COMMON_QUEUE_ENABLE);
        assert_int_equal(value, 1);
        q->driver_size = q->driver_size != 0 ? q->driver_size : q->size;
        fake_enable_queue(dev, q, false);
        break;
    case VIRTIO_PCI_COMMON_QUEUE_MSIX_VECTOR:
        q->vector = fake_msix_map(dev, dev->queue_select + 1, (uint16_t)value);
        break;
    default:
        fail_msg("a write to the common register at %u", (unsigned)offset);
    }
}

static void write_common(struct fake_virtio *dev, uint32_t offset, uint32_t value)
{
    unsigned half = dev->driver_feature_select;

    switch (offset) {
    case VIRTIO_PCI_COMMON_DEVICE_FEATURE_SELECT:
        dev->feature_select = value;
        break;
    case VIRTIO_PCI_COMMON_DRIVER_FEATURE_SELECT:
        dev->driver_feature_select = value;
        break;
    case VIRTIO_PCI_COMMON_DRIVER_FEATURE:
        assert_true(half < 2);
        fake_write_features(dev, (dev->features & (uint64_t)UINT32_MAX << 32 * (1 - half)) |
                                     (uint64_t)value << 32 * half);
        break;
    case VIRTIO_PCI_COMMON_DEVICE_STATUS:
        fake_write_status(dev, (uint8_t)value);
        break;
    case VIRTIO_PCI_COMMON_QUEUE_SELECT:
        dev->queue_select = (uint16_t)value;
        break;
    case VIRTIO_PCI_COMMON_CONFIG_MSIX_VECTOR:
        dev->config_vector = fake_msix_map(dev, 0, (uint16_t)value);
        break;
    default:
        write_common_queue(dev, offset, value);
    }
}

uint32_t fake_virtio_read(struct fake_virtio *dev, unsigned bar, uint32_t offset, unsigned width)
{
    if (bar == 0) {
        return read_legacy(dev, offset, width);
    }
    if (bar == FAKE_MSIX_BAR) {
        return fake_msix_read(dev, offset, width);
    }
    if (offset >= FAKE_COMMON && offset < FAKE_COMMON + dev->common_length) {
        check_width(width, common_width(offset - FAKE_COMMON), offset - FAKE_COMMON);
        return read_common(dev, offset - FAKE_COMMON);
    }
    if (offset == FAKE_ISR) {
        check_width(width, 1, offset);
        return fake_read_isr(dev);
    }
    if (offset < FAKE_DEVICE || offset >= FAKE_DEVICE + FAKE_DEVICE_LENGTH) {
        fail_msg("a read at 0x%x of the BAR", (unsigned)offset);
    }
    return read_config(dev, offset - FAKE_DEVICE, width, true);
}

void fake_virtio_write(struct fake_virtio *dev, unsigned bar, uint32_t offset, unsigned width,
                       uint32_t value)
{
    unsigned queue = fake_notified_queue(dev, value);

    if (bar == 0) {
        write_legacy(dev, offset, width, value);
    } else if (bar == FAKE_MSIX_BAR) {
        fake_msix_write(dev, offset, width, value);
    } else if (offset >= FAKE_COMMON && offset < FAKE_COMMON + dev->common_length) {
        check_width(width, common_width(offset - FAKE_COMMON), offset - FAKE_COMMON);
        write_common(dev, offset - FAKE_COMMON, value);
    } else if (queue < dev->num_queues && width == (fake_notifies_data(dev) ? 4 : 2) &&
               offset == fake_doorbell_offset(dev, queue)) {
        fake_doorbell(dev, queue, value);
    } else {
        fail_msg("a write of %u at 0x%x of the BAR", (unsigned)value, (unsigned)offset);
    }
}
