/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake device's properties and state, behind the registers of fake_registers.c. */
#include "fake_registers.h"
#include "pci/internal/pci_spec.h"

#include <string.h>

#include "pci/pci.h"

enum { LEGACY_SIZE = 64, MODERN_ADDRESS = 0xe0100000, LEGACY_ADDRESS = 0xc040 };

bool fake_notifies_data(const struct fake_virtio *dev)
{
    return dev->features >> VIRTIO_F_NOTIFICATION_DATA & 1;
}

static void note(struct fake_virtio *dev, enum fake_event_kind kind, uint64_t value)
{
    if (dev->events < sizeof dev->event / sizeof dev->event[0]) {
        dev->event[dev->events++] = (struct fake_event){kind, value};
    }
}

bool fake_virtio_little(const struct fake_virtio *dev)
{
    return dev->features >> VIRTIO_F_VERSION_1 & 1;
}

uint64_t fake_get(const struct fake_virtio *dev, const void *field, unsigned width)
{
    const uint8_t *b = field;
    uint64_t value = 0;

    for (unsigned i = 0; i < width; i++) {
        unsigned shift = fake_virtio_little(dev) || !FAKE_HOST_BIG ? i : width - 1 - i;

        value |= (uint64_t)b[i] << 8 * shift;
    }
    return value;
}

void fake_put(const struct fake_virtio *dev, void *field, unsigned width, uint64_t value)
{
    uint8_t *b = field;

    for (unsigned i = 0; i < width; i++) {
        unsigned shift = fake_virtio_little(dev) || !FAKE_HOST_BIG ? i : width - 1 - i;

        b[i] = (uint8_t)(value >> 8 * shift);
    }
}

void fake_freed(void *context, uint64_t address, size_t size)
{
    const struct fake_virtio *dev = context;

    for (unsigned i = 0; i < FAKE_QUEUES * 3; i++) {
        uint64_t held = dev->queue[i / 3].holds[i % 3];

        if (held >= address && held < address + size) {
            fail_msg("memory of queue %u is freed while the device has it", i / 3);
        }
    }
}

static void let_go(struct fake_queue *q)
{
    memset(q->holds, 0, sizeof q->holds);
}

static void reset(struct fake_virtio *dev)
{
    dev->late.count = 0;
    if (dev->reset_left == 0) { /* otherwise the previous reset is still in progress */
        dev->status_before_reset = dev->status;
        dev->reset_left = dev->status != 0 ? dev->reset_takes : 0;
    }
    for (unsigned i = 0; dev->never_resets_queues && i < FAKE_QUEUES; i++) {
        if (dev->queue[i].enabled) {
            dev->reset_takes = dev->reset_left = UINT32_MAX;
        }
    }
    dev->status = 0;
    dev->features = 0;
    dev->isr = 0;
    dev->rx_mode = 1; /* PROMISC, like QEMU */
    dev->vlans = 0;
    dev->unicasts = 0;
    dev->multicasts = 0;
    dev->guest_offloads = 0;
    dev->config_vector = VIRTIO_MSI_NO_VECTOR; /* §4.1.5.1.2.1 */
    for (unsigned i = 0; i < FAKE_QUEUES; i++) {
        struct fake_queue before = dev->queue[i];

        dev->queue[i] = (struct fake_queue){
            .vector = VIRTIO_MSI_NO_VECTOR,
            .size = before.size,
            .notify_off = before.notify_off,
            .notif_data = before.notif_data,
            .holds = {before.holds[0], before.holds[1], before.holds[2]},
        };
        if (dev->reset_left == 0) {
            let_go(&dev->queue[i]);
        }
    }
}

uint8_t fake_read_status(struct fake_virtio *dev)
{
    if (dev->on_status_read != NULL) {
        dev->on_status_read(dev);
    }
    if (dev->reset_left != 0) {
        dev->reset_left -= dev->reset_takes != UINT32_MAX;
        return dev->status_before_reset;
    }
    for (unsigned i = 0; dev->status == 0 && i < FAKE_QUEUES; i++) {
        let_go(&dev->queue[i]);
    }
    return dev->status;
}

/* With MSI-X, an event without a vector would be lost. */
static void check_vectors(const struct fake_virtio *dev)
{
    if (fake_msix_enabled(dev)) {
        assert_int_not_equal(dev->config_vector, VIRTIO_MSI_NO_VECTOR);
        for (unsigned i = 0; i < dev->num_queues; i++) {
            assert_true(!dev->queue[i].enabled || dev->queue[i].vector != VIRTIO_MSI_NO_VECTOR);
        }
    }
}

/* §2.1.2: bits are only added. §3.1.1: in this order. */
void fake_write_status(struct fake_virtio *dev, uint8_t status)
{
    note(dev, FAKE_STATUS, status);
    if (status == 0) {
        reset(dev);
        return;
    }
    assert_int_equal(dev->reset_left, 0); /* §4.1.4.3.2: the driver must wait for the reset */
    if ((status & dev->status) != dev->status) {
        fail_msg("status 0x%02x after 0x%02x clears a bit", status, dev->status);
    }
    if (status & ~dev->status & VIRTIO_STATUS_DRIVER_OK) {
        check_vectors(dev);
        dev->sees_line = !(fake_pci_get(dev->function, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE);
    }
    if (dev->refuses_features) {
        status &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
    }
    dev->status = status;
}

void fake_write_features(struct fake_virtio *dev, uint64_t features)
{
    if (dev->status & (VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK)) {
        fail_msg("features are set too late, status 0x%02x", dev->status);
    }
    if (features & ~dev->offered) {
        fail_msg("0x%llx was not offered", (unsigned long long)(features & ~dev->offered));
    }
    dev->features = features;
    note(dev, FAKE_FEATURES, features);
}

struct fake_queue *fake_selected(struct fake_virtio *dev)
{
    return dev->queue_select < dev->num_queues ? &dev->queue[dev->queue_select] : NULL;
}

static void check_zero(uint64_t address, size_t length)
{
    const uint8_t *memory = fake_dma(address, length);

    for (size_t i = 0; i < length; i++) {
        assert_int_equal(memory[i], 0);
    }
}

/* Checks the queue's alignments (§2.7, §2.8) and that all of it is memory. */
void fake_enable_queue(struct fake_virtio *dev, struct fake_queue *q, bool legacy)
{
    uint16_t n = q->driver_size;

    if (dev->status & VIRTIO_STATUS_DRIVER_OK && !q->was_reset) {
        fail_msg("a queue is set up after DRIVER_OK");
    }
    if (!legacy && !(dev->status & VIRTIO_STATUS_FEATURES_OK)) {
        fail_msg("a queue is set up before FEATURES_OK");
    }
    if (n == 0 || n > q->size || (!fake_packed(dev) && (n & (n - 1)) != 0)) {
        fail_msg("queue %u of %u descriptors, %u are offered", dev->queue_select, n, q->size);
    }
    if (fake_packed(dev)) {
        assert_true(q->desc % 16 == 0 && q->avail % 4 == 0 && q->used % 4 == 0);
        check_zero(q->desc, 16u * n); /* §2.8.13 */
        check_zero(q->avail, 4);
        check_zero(q->used, 4);
    } else {
        assert_true(q->desc % 16 == 0 && q->avail % 2 == 0 && q->used % 4 == 0);
        memset(fake_dma(q->desc, 16u * n), 0xee, 16u * n); /* the driver must not rely on zeros */
        check_zero(q->avail, 6 + 2u * n);
        check_zero(q->used, 6 + 8u * n);
    }
    q->enabled = true;
    q->holds[0] = q->desc;
    q->holds[1] = q->avail;
    q->holds[2] = q->used;
    note(dev, FAKE_QUEUE, dev->queue_select);
}

/* §4.1.4.3: the state of a queue after a reset. */
void fake_reset_queue(struct fake_virtio *dev, struct fake_queue *q)
{
    assert_true(dev->features >> VIRTIO_F_RING_RESET & 1);
    assert_true(q->enabled);
    if (dev->queue_select == VIRTIO_NET_QUEUE_RX && dev->queue[VIRTIO_NET_QUEUE_TX].enabled &&
        fake_owned(dev, VIRTIO_NET_QUEUE_TX) != 0) {
        fail_msg("the receive queue is reset while transmitted frames are out: QEMU 7.2 asserts");
    }
    note(dev, FAKE_QUEUE_RESET, dev->queue_select);
    *q = (struct fake_queue){
        .vector = VIRTIO_MSI_NO_VECTOR,
        .size = q->size,
        .notify_off = q->notify_off,
        .notif_data = q->notif_data,
        .was_reset = true,
        .reset_left = dev->queue_reset_takes,
        .holds = {q->desc, q->avail, q->used},
    };
}

uint32_t fake_read_queue_reset(struct fake_queue *q)
{
    if (q->reset_left == 0) {
        let_go(q);
        return 0;
    }
    q->reset_left -= q->reset_left != UINT32_MAX;
    return 1;
}

/* §4.1.5.2.1: a doorbell value is the queue's index, or the value of its register. */
unsigned fake_notified_queue(const struct fake_virtio *dev, uint32_t value)
{
    unsigned queue = value & 0xffff;

    if (dev->features >> VIRTIO_F_NOTIF_CONFIG_DATA & 1) {
        queue = 0;
        while (queue < dev->num_queues && dev->queue[queue].notif_data != (value & 0xffff)) {
            queue++;
        }
    }
    return queue;
}

void fake_doorbell(struct fake_virtio *dev, unsigned queue, uint32_t value)
{
    if (!(dev->status & VIRTIO_STATUS_DRIVER_OK)) {
        fail_msg("the doorbell of queue %u before DRIVER_OK", queue);
    }
    assert_true(queue < dev->num_queues && dev->queue[queue].enabled);
    if (fake_notifies_data(dev)) {
        assert_int_equal(value >> 16, fake_next_place(dev, queue));
    }
    dev->queue[queue].doorbell = value;
    dev->queue[queue].doorbells++;
    note(dev, FAKE_DOORBELL, queue);
    if (dev->features >> VIRTIO_NET_F_CTRL_VQ & 1 && queue == fake_ctrl_queue(dev)) {
        fake_ctrl_run(dev, queue);
    }
}

uint32_t fake_doorbell_offset(const struct fake_virtio *dev, unsigned queue)
{
    return FAKE_NOTIFY + dev->queue[queue].notify_off * (uint32_t)FAKE_NOTIFY_MULTIPLIER;
}

uint8_t fake_read_isr(struct fake_virtio *dev)
{
    uint8_t isr = dev->isr;

    assert_false(fake_msix_enabled(dev)); /* §4.1.4.5.2 */
    dev->isr = 0;
    dev->isr_reads++;
    return isr;
}

void fake_virtio_config_changed(struct fake_virtio *dev)
{
    dev->generation++;
    fake_interrupt(dev, VIRTIO_ISR_CONFIG, dev->config_vector);
}

static uint32_t read_register(void *context, unsigned bar, uint32_t offset, unsigned width)
{
    return fake_virtio_read(context, bar, offset, width);
}

/* §4.1.4.1: the driver does not write to capabilities, except as in fake_extras.c. */
static void write_capability(void *context, unsigned offset, unsigned width, uint32_t value)
{
    (void)context, (void)width, (void)value;
    fail_msg("a write of a capability, at 0x%02x", offset);
}

static void write_register(void *context, unsigned bar, uint32_t offset, unsigned width,
                           uint32_t value)
{
    fake_virtio_write(context, bar, offset, width, value);
}

void fake_virtio_capability(struct fake_virtio *dev, uint8_t at, uint8_t next, uint8_t type,
                            uint8_t bar, uint32_t offset, uint32_t length)
{
    fake_pci_set(dev->function, at, 1, PCI_CAP_VENDOR_SPECIFIC);
    fake_pci_set(dev->function, at + 1u, 1, next);
    fake_pci_set(dev->function, at + 2u, 1,
                 type == VIRTIO_PCI_CAP_NOTIFY_CFG || type == VIRTIO_PCI_CAP_PCI_CFG ? 20 : 16);
    fake_pci_set(dev->function, at + 3u, 1, type);
    fake_pci_set(dev->function, at + 4u, 4, bar);
    fake_pci_set(dev->function, at + 8u, 4, offset);
    fake_pci_set(dev->function, at + 12u, 4, length);
}

static void add_modern(struct fake_virtio *dev)
{
    struct fake_function *f = dev->function;

    fake_pci_bar(f, FAKE_BAR, FAKE_BAR_MEM64, FAKE_BAR_SIZE, MODERN_ADDRESS);
    fake_pci_set(f, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES);
    fake_pci_set(f, PCI_CAPABILITIES, 1, FAKE_CAP_OTHER);
    fake_pci_set(f, FAKE_CAP_OTHER, 2, 0x01 | FAKE_CAP_COMMON << 8);
    fake_virtio_capability(dev, FAKE_CAP_COMMON, FAKE_CAP_NOTIFY, VIRTIO_PCI_CAP_COMMON_CFG,
                           FAKE_BAR, FAKE_COMMON, dev->common_length);
    fake_virtio_capability(dev, FAKE_CAP_NOTIFY, FAKE_CAP_ISR, VIRTIO_PCI_CAP_NOTIFY_CFG, FAKE_BAR,
                           FAKE_NOTIFY, FAKE_NOTIFY_LENGTH);
    fake_pci_set(f, FAKE_CAP_NOTIFY + 16u, 4, FAKE_NOTIFY_MULTIPLIER);
    fake_virtio_capability(dev, FAKE_CAP_ISR, FAKE_CAP_DEVICE, VIRTIO_PCI_CAP_ISR_CFG, FAKE_BAR,
                           FAKE_ISR, 1);
    fake_virtio_capability(dev, FAKE_CAP_DEVICE, 0, VIRTIO_PCI_CAP_DEVICE_CFG, FAKE_BAR,
                           FAKE_DEVICE, FAKE_DEVICE_LENGTH);
}

void fake_virtio_create(struct fake_virtio *dev, enum fake_kind kind, uint64_t offered)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0xab, 0xcd, 0xef};

    memset(dev, 0, sizeof *dev);
    dev->kind = kind;
    dev->offered = offered | (kind == FAKE_LEGACY ? 0 : (uint64_t)1 << VIRTIO_F_VERSION_1);
    memcpy(dev->mac, mac, 6);
    dev->link_status = VIRTIO_NET_S_LINK_UP;
    dev->num_queues = FAKE_QUEUES;
    dev->max_pairs = (FAKE_QUEUES - 1) / 2;
    dev->mtu = 1500;
    dev->speed = UINT32_MAX;
    dev->duplex = 0xff;
    dev->common_length =
        offered >> VIRTIO_F_RING_RESET & 1 || offered >> VIRTIO_F_NOTIF_CONFIG_DATA & 1
            ? 64
            : VIRTIO_PCI_COMMON_LENGTH;
    dev->lie_num_buffers = -1;
    dev->refuses_vector = -1;
    dev->refuses_but = -1;
    dev->queue[0] = (struct fake_queue){.size = 256, .notify_off = 7};
    dev->queue[1] = (struct fake_queue){.size = 256, .notify_off = 3};
    for (unsigned i = 2; i < FAKE_QUEUES; i++) {
        dev->queue[i] = (struct fake_queue){.size = 64, .notify_off = (uint16_t)(8 + i)};
    }
    for (unsigned i = 0; i < FAKE_QUEUES; i++) {
        dev->queue[i].notif_data = (uint16_t)(0xfedc - 0x111 * i);
    }
    dev->function = fake_pci_add(3 << 3, VIRTIO_PCI_VENDOR,
                                 kind == FAKE_MODERN ? VIRTIO_PCI_DEVICE_NET
                                                     : VIRTIO_PCI_DEVICE_NET_TRANSITIONAL);
    dev->function->read = read_register;
    dev->function->write = write_register;
    dev->function->config_write = write_capability;
    dev->function->context = dev;
    fake_pci_set(dev->function, PCI_CLASS, 2, VPCI_CLASS_NETWORK << 8);
    fake_pci_set(dev->function, PCI_REVISION_ID, 1, kind == FAKE_MODERN ? 1 : 0);
    fake_pci_set(dev->function, PCI_SUBSYSTEM_ID, 2, VIRTIO_ID_NET);
    fake_pci_set(dev->function, PCI_INTERRUPT_LINE, 1, 11);
    fake_pci_set(dev->function, PCI_INTERRUPT_PIN, 1, 1);
    if (kind != FAKE_MODERN) {
        fake_pci_bar(dev->function, 0, FAKE_BAR_IO, LEGACY_SIZE, LEGACY_ADDRESS);
    }
    if (kind != FAKE_LEGACY) {
        add_modern(dev);
    }
}
