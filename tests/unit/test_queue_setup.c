/* SPDX-License-Identifier: BSD-2-Clause */
/* Queue set-up over both transports: size, addresses of the rings, doorbell. */
#include "fake_card.h"

static void queue_size_is_dictated_by_a_legacy_device(void **state)
{
    static const uint16_t sizes[] = {2, 4, 64, 1024, 4096, 32768};

    (void)state;
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        card_create(FAKE_LEGACY, 0);
        card.dev.queue[0].size = card.dev.queue[1].size = sizes[i];
        assert_int_equal(card_open(), 0);
        assert_int_equal(card.net.tx.size, sizes[i]); /* the ring's layout depends on it */
        assert_true(fake_rx(&card.dev, "a frame of sixty bytes", 22));
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        card_close();
    }
}

static void queue_size_is_clamped_on_a_modern_device(void **state)
{
    (void)state;
    card_create(FAKE_MODERN, 0);
    card.dev.queue[0].size = 32;
    card.dev.queue[1].size = 1024;
    assert_int_equal(card_open(), 0);
    assert_int_equal(card.dev.queue[0].driver_size, 32);
    assert_int_equal(card.dev.queue[1].driver_size, VIRTIO_NET_TX_SIZE);
    card_close();
}

/* Without ANY_LAYOUT the header has its own descriptor. */
static void transmit_queue_without_room_for_a_frame_is_refused(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        card_create(FAKE_LEGACY, n == 0 ? 0 : virtio_bit(VIRTIO_F_ANY_LAYOUT));
        card.dev.queue[VIRTIO_NET_QUEUE_TX].size = 1;
        assert_int_equal(card_open(), n == 0 ? VIRTIO_ERROR_IO : 0);
        if (n == 0) {
            assert_int_equal(fake_platform.live, 0);
            assert_true(fake_platform.lines > 1); /* with the reason */
        } else {
            card_close();
        }
    }
}

/* bufmax may be any number, a split ring's size must be a power of two (§2.7). */
static void any_rx_maximum_makes_a_queue_of_a_power_of_two(void **state)
{
    (void)state;
    for (uint16_t maximum = 1; maximum <= 300; maximum = (uint16_t)(maximum + 13)) {
        card_create(FAKE_MODERN, 0);
        card.options.rx_maximum = maximum;
        card.options.rx_initial = maximum;
        assert_int_equal(card_open(), 0); /* the fake device fails on other sizes */
        assert_int_equal(fake_avail_idx(&card.dev, 0), maximum < 256 ? maximum : 256);
        card_close();
    }
}

static void ring_addresses_have_64_bits_on_a_modern_device(void **state)
{
    (void)state;
    card_create(FAKE_MODERN, virtio_bit(VIRTIO_F_INDIRECT_DESC));
    fake_platform.dma_base = (uint64_t)5 << 32;
    assert_int_equal(card_open(), 0);
    assert_int_equal(card.dev.queue[1].used >> 32, 5);
    assert_true(fake_rx(&card.dev, "frame", 5)); /* descriptors contain such addresses too */
    card_close();
}

/*
 * §6 VIRTIO_F_ACCESS_PLATFORM: if it is negotiated, rings, tables and buffers have bus addresses,
 * otherwise physical ones. The fake device fails on any other.
 */
static void addresses_are_of_the_bus_where_that_was_agreed(void **state)
{
    const uint64_t features = virtio_bit(VIRTIO_F_ACCESS_PLATFORM) |
                              virtio_bit(VIRTIO_NET_F_CTRL_VQ) | virtio_bit(VIRTIO_NET_F_CTRL_RX);

    (void)state;
    for (unsigned n = 0; n < 8; n++) {
        bool agreed = n & 1, indirect = n & 2, packed = n & 4;
        uint8_t *frame;
        struct virtqueue_part parts[2];

        card_create_as(packed ? CARD_PACKED : 3,
                       features | (indirect ? virtio_bit(VIRTIO_F_INDIRECT_DESC) : 0));
        if (agreed) {
            fake_platform.bus_base = (uint64_t)1 << 40;
        } else {
            card.options.features &= ~virtio_bit(VIRTIO_F_ACCESS_PLATFORM);
        }
        assert_int_equal(card_open(), 0);
        assert_int_equal(virtio_has(card.dev.features, VIRTIO_F_ACCESS_PLATFORM), agreed);
        frame = card_frame(60, 12, 1);
        parts[0] = (struct virtqueue_part){frame, 20};
        parts[1] = (struct virtqueue_part){frame + 20, 40};
        assert_int_equal(virtio_net_transmit(&card.net, parts, 2, 12, NULL, frame), 0);
        assert_int_equal(fake_tx_run(&card.dev), 1);
        assert_int_equal(card.dev.tx_chain.indirect, indirect);
        assert_true(fake_rx(&card.dev, "frame", 5));
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        card_free_frame(frame, 12);
        card_close();
    }
}

static void ring_addresses_beyond_a_legacy_register_are_refused(void **state)
{
    (void)state;
    card_create(FAKE_LEGACY, 0);
    fake_platform.dma_base = (uint64_t)1 << 43;
    assert_int_equal(card_open(), 0);
    card_close();
    card_create(FAKE_LEGACY, 0);
    fake_platform.dma_base = (uint64_t)1 << 44;
    assert_int_equal(card_open(), VIRTIO_ERROR_NOMEM);
    assert_int_equal(card_events(FAKE_QUEUE, (uint64_t[2]){0}, 2), 0);
    assert_int_equal(fake_platform.live, 0);
}

static void doorbells_ring_at_notify_off_times_multiplier(void **state)
{
    uint32_t bar;
    unsigned found = 0;

    (void)state;
    card_create(FAKE_MODERN, 0);
    card.dev.queue[0].notify_off = 2;
    card.dev.queue[1].notify_off = 0;
    fake_pci.tracing = true;
    assert_int_equal(card_open(), 0);
    bar = (uint32_t)fake_pci_bar_address(card.dev.function, FAKE_BAR);
    for (unsigned i = 0; i < fake_pci.traced; i++) {
        const struct fake_access *access = &fake_pci.trace[i];

        if (access->space == FAKE_MEMORY && access->write && access->width == 2 &&
            access->address == bar + FAKE_NOTIFY + 2 * FAKE_NOTIFY_MULTIPLIER) {
            found++;
            assert_int_equal(access->value, VIRTIO_NET_QUEUE_RX);
        }
    }
    assert_int_equal(found, 1);
    card_close();
}

static void multiplier_0_shares_one_doorbell(void **state)
{
    (void)state;
    card_create(FAKE_MODERN, 0);
    fake_pci_set(card.dev.function, FAKE_CAP_NOTIFY + 16, 4, 0);
    card.dev.queue[0].notify_off = 0;
    assert_int_equal(card_open(), 0);
    assert_int_equal(card.dev.queue[0].doorbells, 1);
    card_close();
}

static void doorbell_outside_its_structure_is_refused(void **state)
{
    (void)state;
    card_create(FAKE_MODERN, 0);
    card.dev.queue[1].notify_off = FAKE_NOTIFY_LENGTH / FAKE_NOTIFY_MULTIPLIER + 1;
    assert_int_equal(card_open(), VIRTIO_ERROR_IO);
    assert_true(card.dev.status & VIRTIO_STATUS_FAILED);
    assert_int_equal(fake_platform.live, 0);
    card_create(FAKE_MODERN, 0);
    fake_pci_set(card.dev.function, FAKE_CAP_NOTIFY + 16, 4, 0x80000000); /* 2^32 for queue 1 */
    card.dev.queue[1].notify_off = 2;
    card.dev.queue[0].notify_off = 0;
    assert_int_equal(card_open(), VIRTIO_ERROR_IO);
    assert_int_equal(fake_platform.live, 0);
    card_create(FAKE_MODERN, 0);
    fake_pci_set(card.dev.function, FAKE_CAP_NOTIFY + 16, 4, 1); /* a word at an odd address */
    assert_int_equal(card_open(), VIRTIO_ERROR_IO);
    assert_int_equal(fake_platform.live, 0);
    card_create(FAKE_MODERN,
                virtio_bit(VIRTIO_F_NOTIFICATION_DATA)); /* two words, not aligned to four
                                                                       * bytes */
    fake_pci_set(card.dev.function, FAKE_CAP_NOTIFY + VIRTIO_PCI_CAP_OFFSET, 4, FAKE_NOTIFY + 2);
    assert_int_equal(card_open(), VIRTIO_ERROR_IO);
    assert_int_equal(fake_platform.live, 0);
}

/* The registers must be in I/O space and complete. */
static void legacy_registers_must_be_there(void **state)
{
    (void)state;
    card_create(FAKE_LEGACY, 0);
    fake_pci_bar(card.dev.function, 0, FAKE_BAR_MEM32, 64, 0xe1000000);
    assert_int_equal(card_attach(), VIRTIO_ERROR_NODEV);
    card_create(FAKE_LEGACY, 0);
    fake_pci_bar(card.dev.function, 0, FAKE_BAR_IO, 16, 0xc200);
    assert_int_equal(card_attach(), VIRTIO_ERROR_NODEV);
}

/* The MTU's second byte is outside of the device's configuration: the field reads as 0, no MTU. */
static void field_half_beyond_the_structure_is_zero(void **state)
{
    (void)state;
    for (uint32_t length = 11; length <= 12; length++) {
        card_create(FAKE_MODERN, virtio_bit(VIRTIO_NET_F_MTU));
        card.dev.mtu = 2000;
        fake_pci_set(card.dev.function, FAKE_CAP_DEVICE + VIRTIO_PCI_CAP_LENGTH, 4, length);
        assert_int_equal(card_open(), length == 12 ? 0 : VIRTIO_ERROR_IO);
        if (length == 12) {
            card_close();
        }
    }
}

/* The doorbell is outside of its BAR: the queue's memory is freed. */
static void queue_that_is_refused_keeps_nothing(void **state)
{
    struct virtqueue vq;

    (void)state;
    for (unsigned packed = 0; packed < 2; packed++) {
        unsigned live;

        card_create_as(packed ? CARD_PACKED : 3, virtio_bit(VIRTIO_F_INDIRECT_DESC));
        card.dev.queue[1].notify_off = 0xffff;
        assert_int_equal(card_attach(), 0);
        assert_int_equal(virtio_device_begin(&card.vp.dev), 0);
        assert_int_equal(virtio_device_negotiate(&card.vp.dev, UINT64_MAX), 0);
        live = fake_platform.live;
        assert_int_equal(virtqueue_create(&vq, &card.vp.dev, 1, 16, 4, 16), VIRTIO_ERROR_IO);
        assert_int_equal(fake_platform.live, live);
        assert_null(vq.dev);
    }
}

/* A legacy device without ANY_LAYOUT needs a descriptor for the header. */
static void parts_of_a_frame_leave_room_for_its_header(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        card_create(FAKE_LEGACY, n == 0 ? 0 : virtio_bit(VIRTIO_F_ANY_LAYOUT));
        card.dev.queue[VIRTIO_NET_QUEUE_TX].size = 16;
        assert_int_equal(card_open(), 0);
        assert_int_equal(card.net.tx_parts_max, n == 0 ? 15 : 16);
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_size_is_dictated_by_a_legacy_device),
        cmocka_unit_test(queue_size_is_clamped_on_a_modern_device),
        cmocka_unit_test(transmit_queue_without_room_for_a_frame_is_refused),
        cmocka_unit_test(any_rx_maximum_makes_a_queue_of_a_power_of_two),
        cmocka_unit_test(ring_addresses_have_64_bits_on_a_modern_device),
        cmocka_unit_test(addresses_are_of_the_bus_where_that_was_agreed),
        cmocka_unit_test(ring_addresses_beyond_a_legacy_register_are_refused),
        cmocka_unit_test(doorbells_ring_at_notify_off_times_multiplier),
        cmocka_unit_test(multiplier_0_shares_one_doorbell),
        cmocka_unit_test(doorbell_outside_its_structure_is_refused),
        cmocka_unit_test(legacy_registers_must_be_there),
        cmocka_unit_test(field_half_beyond_the_structure_is_zero),
        cmocka_unit_test(queue_that_is_refused_keeps_nothing),
        cmocka_unit_test(parts_of_a_frame_leave_room_for_its_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
