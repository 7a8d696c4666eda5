/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake device's MSI-X, and its window for register access through configuration space. */
#include <string.h>

#include "fake_virtio.h"
#include "pci/internal/pci_spec.h"
#include "pci/pci.h"

enum {
    MSIX_BAR_SIZE = 0x1000,
    MSIX_BAR_ADDRESS = 0xe0180000,
    MSIX_CONTROL = FAKE_CAP_MSIX + 2,
    MSIX_ENABLE = 0x8000,
    MSIX_FUNCTION_MASK = 0x4000,
    MSIX_MASKED = 1, /* in an entry's control word */
    MSIX_ENTRY = 16,
    WINDOW_BAR = FAKE_CAP_WINDOW + VIRTIO_PCI_CAP_BAR,
    WINDOW_OFFSET = FAKE_CAP_WINDOW + VIRTIO_PCI_CAP_OFFSET,
    WINDOW_LENGTH = FAKE_CAP_WINDOW + VIRTIO_PCI_CAP_LENGTH,
    WINDOW_DATA = FAKE_CAP_WINDOW + VIRTIO_PCI_CFG_DATA,
};

static bool has(const struct fake_virtio *dev, uint8_t at, uint8_t id)
{
    return fake_pci_get(dev->function, at, 1) == id;
}

static unsigned msix_entries(const struct fake_virtio *dev)
{
    return has(dev, FAKE_CAP_MSIX, PCI_CAP_MSIX)
               ? (fake_pci_get(dev->function, MSIX_CONTROL, 2) & 0x7ff) + 1
               : 0;
}

bool fake_msix_enabled(const struct fake_virtio *dev)
{
    return has(dev, FAKE_CAP_MSIX, PCI_CAP_MSIX) &&
           fake_pci_get(dev->function, MSIX_CONTROL, 2) & MSIX_ENABLE;
}

static uint32_t *msix_field(struct fake_virtio *dev, uint32_t offset, unsigned width)
{
    unsigned entry = (offset - FAKE_MSIX_TABLE) / MSIX_ENTRY;

    assert_true(width == 4 && offset >= FAKE_MSIX_TABLE && entry < msix_entries(dev));
    return &dev->msix[entry].field[(offset - FAKE_MSIX_TABLE) % MSIX_ENTRY / 4];
}

uint32_t fake_msix_read(struct fake_virtio *dev, uint32_t offset, unsigned width)
{
    return *msix_field(dev, offset, width);
}

/* PCI 3.0 §6.8.2: address and data may only change while the entry is masked. */
void fake_msix_write(struct fake_virtio *dev, uint32_t offset, unsigned width, uint32_t value)
{
    uint32_t *field = msix_field(dev, offset, width);
    const struct fake_msix_entry *entry = &dev->msix[(offset - FAKE_MSIX_TABLE) / MSIX_ENTRY];

    assert_true(field == &entry->field[3] || entry->field[3] & MSIX_MASKED);
    *field = value;
}

/*
 * A driver may map events only while MSI-X is enabled, and only to existing entries (§4.1.5.1.2.2).
 */
uint16_t fake_msix_map(struct fake_virtio *dev, int event, uint16_t vector)
{
    assert_true(fake_msix_enabled(dev));
    assert_true(vector < msix_entries(dev) || vector == VIRTIO_MSI_NO_VECTOR);
    assert_true(!(dev->status & VIRTIO_STATUS_DRIVER_OK) ||
                (event > 0 && dev->queue[event - 1].was_reset));
    return event == dev->refuses_vector && vector != dev->refuses_but ? VIRTIO_MSI_NO_VECTOR
                                                                      : vector;
}

void fake_interrupt(struct fake_virtio *dev, uint8_t isr, uint16_t vector)
{
    if (!fake_msix_enabled(dev)) {
        dev->isr |= isr;
        return;
    }
    assert_true(vector < msix_entries(dev)); /* otherwise the event would be lost */
    assert_false(fake_pci_get(dev->function, MSIX_CONTROL, 2) & MSIX_FUNCTION_MASK);
    assert_false(dev->msix[vector].field[3] & MSIX_MASKED);
    dev->messages[vector]++;
}

bool fake_line(const struct fake_virtio *dev)
{
    return dev->isr != 0 && dev->sees_line &&
           !(fake_pci_get(dev->function, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
}

/* §4.1.4.9.2: the access must be aligned and in a structure of another capability. */
static void check_aim(const struct fake_virtio *dev, unsigned width)
{
    uint32_t offset = fake_pci_get(dev->function, WINDOW_OFFSET, 4);

    assert_int_equal(fake_pci_get(dev->function, WINDOW_BAR, 1), FAKE_BAR);
    assert_int_equal(fake_pci_get(dev->function, WINDOW_LENGTH, 4), width);
    assert_int_equal(offset % width, 0);
    assert_true((offset >= FAKE_COMMON && offset < FAKE_COMMON + dev->common_length) ||
                (offset >= FAKE_NOTIFY && offset < FAKE_NOTIFY + FAKE_NOTIFY_LENGTH) ||
                offset == FAKE_ISR ||
                (offset >= FAKE_DEVICE && offset < FAKE_DEVICE + FAKE_DEVICE_LENGTH));
}

static void config_read(void *context, unsigned offset, unsigned width)
{
    struct fake_virtio *dev = context;

    if (offset == WINDOW_DATA && has(dev, FAKE_CAP_WINDOW, PCI_CAP_VENDOR_SPECIFIC)) {
        check_aim(dev, width);
        fake_pci_set(
            dev->function, offset, width,
            fake_virtio_read(dev, FAKE_BAR, fake_pci_get(dev->function, WINDOW_OFFSET, 4), width));
    }
}

/* §4.1.4.9.1: the offset is a multiple of the length after each write. */
static void check_aligned(const struct fake_virtio *dev)
{
    uint32_t length = fake_pci_get(dev->function, WINDOW_LENGTH, 4);

    assert_true(length == 1 || length == 2 || length == 4);
    assert_int_equal(fake_pci_get(dev->function, WINDOW_OFFSET, 4) % length, 0);
}

static void tell(struct fake_virtio *dev)
{
    if (dev->on_window != NULL) {
        dev->on_window(dev);
    }
}

static void window_write(struct fake_virtio *dev, unsigned offset, unsigned width, uint32_t value)
{
    tell(dev);
    switch (offset) {
    case WINDOW_BAR:
        assert_int_equal(width, 1);
        break;
    case WINDOW_OFFSET:
    case WINDOW_LENGTH:
        assert_int_equal(width, 4);
        break;
    default:
        assert_int_equal(offset, WINDOW_DATA);
        check_aim(dev, width);
        fake_virtio_write(dev, FAKE_BAR, fake_pci_get(dev->function, WINDOW_OFFSET, 4), width,
                          value);
    }
    fake_pci_set(dev->function, offset, width, value);
    check_aligned(dev);
    tell(dev);
}

static void config_write(void *context, unsigned offset, unsigned width, uint32_t value)
{
    struct fake_virtio *dev = context;

    if (offset == MSIX_CONTROL && has(dev, FAKE_CAP_MSIX, PCI_CAP_MSIX)) {
        uint32_t fixed = fake_pci_get(dev->function, offset, 2) & 0x7ff;

        assert_int_equal(width, 2);
        fake_pci_set(dev->function, offset, 2,
                     fixed | (value & (MSIX_ENABLE | MSIX_FUNCTION_MASK)));
    } else if (offset >= FAKE_CAP_WINDOW && offset <= WINDOW_DATA &&
               has(dev, FAKE_CAP_WINDOW, PCI_CAP_VENDOR_SPECIFIC)) {
        window_write(dev, offset, width, value);
    } else {
        fail_msg("a write of a capability, at 0x%02x", offset); /* §4.1.4.1 */
    }
}

/* Inserts a capability at the front of the list. */
static uint8_t chain(struct fake_virtio *dev, uint8_t at)
{
    uint8_t next = (uint8_t)fake_pci_get(dev->function, PCI_CAPABILITIES, 1);

    fake_pci_set(dev->function, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
    fake_pci_set(dev->function, PCI_CAPABILITIES, 1, at);
    dev->function->config_read = config_read;
    dev->function->config_write = config_write;
    return next;
}

void fake_virtio_add_msix(struct fake_virtio *dev, uint16_t entries)
{
    uint8_t next = chain(dev, FAKE_CAP_MSIX);

    assert_true(entries <= FAKE_MSIX_MAX);
    fake_pci_bar(dev->function, FAKE_MSIX_BAR, FAKE_BAR_MEM32, MSIX_BAR_SIZE, MSIX_BAR_ADDRESS);
    fake_pci_set(dev->function, FAKE_CAP_MSIX, 2, PCI_CAP_MSIX | (uint32_t)next << 8);
    /* As left by a previous driver: enabled, with the function masked. */
    fake_pci_set(dev->function, MSIX_CONTROL, 2, (entries - 1u) | MSIX_ENABLE | MSIX_FUNCTION_MASK);
    fake_pci_set(dev->function, FAKE_CAP_MSIX + 4, 4, FAKE_MSIX_TABLE | FAKE_MSIX_BAR);
    for (unsigned i = 0; i < FAKE_MSIX_MAX; i++) {
        dev->msix[i].field[3] = MSIX_MASKED;
    }
}

void fake_virtio_add_window(struct fake_virtio *dev)
{
    /* As left by a previous driver. */
    fake_virtio_capability(dev, FAKE_CAP_WINDOW, chain(dev, FAKE_CAP_WINDOW),
                           VIRTIO_PCI_CAP_PCI_CFG, FAKE_BAR, FAKE_COMMON + 4, 4);
}
