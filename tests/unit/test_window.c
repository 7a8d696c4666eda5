/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register access through configuration space (virtio 1.3 §4.1.4.9) when a BAR is not accessible.
 */
#include <string.h>

#include "fake_card.h"
#include "pci/internal/pci_spec.h"
#include "virtio/internal/virtio_pci_transport.h"

static const uint64_t features = (uint64_t)1 << VIRTIO_NET_F_MAC | (uint64_t)1
                                                                       << VIRTIO_NET_F_STATUS;

static void put_above_4_gib(void)
{
    fake_pci_set(card.dev.function, PCI_BAR0 + 4 * FAKE_BAR + 4, 4, 1);
}

static void take_the_address(void)
{
    fake_pci.window[false] = (struct vpci_window){0xe0000000, 0xe0000fff}; /* no room for the BAR */
    fake_pci_set(card.dev.function, PCI_BAR0 + 4 * FAKE_BAR, 4, 4);
}

static void create(void (*spoil)(void))
{
    card_create(FAKE_MODERN, features);
    fake_virtio_add_window(&card.dev);
    spoil();
    fake_pci.tracing = true;
}

/* Checks that all accesses went through configuration space. */
static void check_trace(void)
{
    assert_true(fake_pci.traced < sizeof fake_pci.trace / sizeof fake_pci.trace[0]);
    for (unsigned i = 0; i < fake_pci.traced; i++) {
        assert_int_equal(fake_pci.trace[i].space, FAKE_CONFIG);
    }
}

static void check_works(void)
{
    uint8_t *frame = card_frame(60, 12, 7);
    struct virtqueue_part part = {frame, 60};

    virtio_net_interrupts_on(&card.net, true);
    assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
    assert_int_equal(card_interrupts(), 1);
    assert_int_equal(virtio_net_poll(&card.net, 8), 1);
    assert_memory_equal(card.rx_data, "fourteen bytes", 14);
    fake_want_kick(&card.dev, VIRTIO_NET_QUEUE_TX, true);
    assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 12, NULL, frame), 0);
    virtio_net_flush(&card.net);
    assert_int_equal(card.dev.queue[VIRTIO_NET_QUEUE_TX].doorbells, 1);
    assert_int_equal(fake_tx_run(&card.dev), 1);
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.sents, 1);
    card.dev.link_status = 0;
    fake_virtio_config_changed(&card.dev);
    assert_int_equal(card_interrupts(), 1);
    virtio_net_poll(&card.net, 8);
    assert_true(card.links == 1 && !card.link_up);
    card_free_frame(frame, 12);
}

static void let_nobody_map_it(void)
{
    fake_pci.unmappable = true;
}

static void device_works_without_its_bar(void **state)
{
    static void (*const spoils[])(void) = {put_above_4_gib, take_the_address, let_nobody_map_it};
    static const char *const logged[] = {"lies above 4 GiB", "has no address", "cannot be mapped"};
    static const uint8_t mac[] = {0x52, 0x54, 0x00, 0xab, 0xcd, 0xef};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        create(spoils[i]);
        assert_int_equal(card_open(), 0);
        assert_memory_equal(card.net.mac, mac, 6);
        check_works();
        check_trace();
        assert_non_null(strstr(fake_platform.log, "00:03.0 BAR 4 "));
        assert_non_null(strstr(fake_platform.log, logged[i]));
        card_close();
    }
}

static void device_that_cannot_be_mapped_has_its_other_interface(void **state)
{
    (void)state;
    card_create(FAKE_TRANSITIONAL, features);
    let_nobody_map_it();
    assert_int_equal(card_open(), 0);
    assert_true(card.vp.dev.transport->legacy);
    check_works();
    card_close();
}

/* With MSI-X, whose table is elsewhere and in reach. */
static void vectors_work_through_the_window(void **state)
{
    (void)state;
    create(put_above_4_gib);
    fake_virtio_add_msix(&card.dev, 3);
    card.vectors = 3;
    assert_int_equal(card_open(), 0);
    assert_int_equal(card.vp.dev.vectors, 3);
    check_works();
    assert_int_equal(card.dev.isr_reads, 0);
    card_close();
}

static bool in_interrupt;
static unsigned interrupts;

/* An interrupt between any two writes to the window has no visible effect. */
static void interrupt_within(struct fake_virtio *dev)
{
    if (in_interrupt || card.net.dev == NULL || !(dev->status & VIRTIO_STATUS_DRIVER_OK)) {
        return;
    }
    in_interrupt = true;
    dev->isr |= VIRTIO_ISR_CONFIG;
    assert_true(virtio_net_interrupt(&card.net));
    assert_int_equal(dev->isr, 0);
    interrupts++;
    in_interrupt = false;
}

static void interrupt_does_not_disturb_an_access(void **state)
{
    uint8_t *frame;
    struct virtqueue_part part;

    (void)state;
    create(put_above_4_gib);
    card.dev.on_window = interrupt_within;
    interrupts = 0;
    assert_int_equal(card_open(), 0);
    frame = card_frame(60, 12, 7);
    part = (struct virtqueue_part){frame, 60};
    for (unsigned round = 1; round <= 20; round++) {
        /* Doorbells of both queues alternately, the configuration, and both kinds of status. */
        fake_want_kick(&card.dev, VIRTIO_NET_QUEUE_TX, true);
        fake_want_kick(&card.dev, VIRTIO_NET_QUEUE_RX, true);
        assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 12, NULL, frame), 0);
        virtio_net_flush(&card.net);
        assert_int_equal(card.dev.queue[VIRTIO_NET_QUEUE_TX].doorbells, round);
        assert_int_equal(fake_tx_run(&card.dev), 1);
        assert_true(fake_rx(&card.dev, "a frame", 7));
        for (unsigned up = 0; up < 2; up++) {
            card.dev.link_status ^= VIRTIO_NET_S_LINK_UP;
            card.dev.generation++;
            card.net.config_changed = true;
            virtio_net_poll(&card.net, 8);
            assert_int_equal(card.link_up, up);
        }
        assert_int_equal(card.links, 2 * round);
        assert_int_equal(card.dev.queue[VIRTIO_NET_QUEUE_RX].doorbells, round + 1);
        assert_int_equal(card.vp.dev.transport->get_status(&card.vp.dev), card.dev.status);
        card.vp.dev.transport->isr_status(&card.vp.dev);
    }
    assert_true(interrupts > 20 * 5 * 2);
    card.dev.on_window = NULL;
    card_free_frame(frame, 12);
    card_close();
}

/*
 * The legacy interface is faster than the window. The window is used only if the modern interface
 * is requested.
 */
static void transitional_device_prefers_its_ports(void **state)
{
    (void)state;
    card_create(FAKE_TRANSITIONAL, features);
    fake_virtio_add_window(&card.dev);
    put_above_4_gib();
    assert_int_equal(card_open(), 0);
    assert_true(card.vp.dev.transport->legacy);
    card_close();
    card_create(FAKE_TRANSITIONAL, features);
    fake_virtio_add_window(&card.dev);
    put_above_4_gib();
    card.interface = VIRTIO_PCI_MODERN;
    assert_int_equal(card_open(), 0);
    assert_false(card.vp.dev.transport->legacy);
    check_works();
    card_close();
}

/* Only structures that are not accessible use the window. */
static void structure_in_reach_is_accessed_directly(void **state)
{
    bool through_bar = false;

    (void)state;
    create(put_above_4_gib);
    fake_pci_bar(card.dev.function, 2, FAKE_BAR_MEM32, FAKE_BAR_SIZE, 0xe0200000);
    fake_pci_set(card.dev.function, FAKE_CAP_ISR + VIRTIO_PCI_CAP_BAR, 1, 2);
    assert_int_equal(card_open(), 0);
    check_works();
    for (unsigned i = 0; i < fake_pci.traced; i++) {
        if (fake_pci.trace[i].space != FAKE_CONFIG) {
            assert_int_equal(fake_pci.trace[i].address, 0xe0200000 + FAKE_ISR);
            through_bar = true;
        }
    }
    assert_true(through_bar);
    card_close();
}

static void check_refused(const char *why)
{
    assert_int_equal(card_open(), VIRTIO_ERROR_NODEV);
    assert_int_equal(card.dev.events, 0);
    assert_int_equal(fake_platform.lines, 1);
    if (strstr(fake_platform.log, why) == NULL) {
        fail_msg("no \"%s\" in: %s", why, fake_platform.log);
    }
}

static void device_without_window_is_refused_with_advice(void **state)
{
    (void)state;
    card_create(FAKE_MODERN, 0);
    put_above_4_gib();
    check_refused("00:03.0 has no usable legacy or modern interface: BAR 4 lies above 4 GiB; give "
                  "the device its legacy interface, or make room below");
    card_create(FAKE_MODERN, 0);
    take_the_address();
    check_refused("BAR 4 has no address; give");
    card_create(FAKE_MODERN, 0);
    fake_pci_bar(card.dev.function, FAKE_BAR, FAKE_BAR_MEM64, FAKE_BAR_SIZE,
                 UINT64_MAX - (FAKE_BAR_SIZE - 1)); /* up to the end of all addresses */
    check_refused("BAR 4 lies above 4 GiB; give");
    card_create(FAKE_TRANSITIONAL, 0);
    put_above_4_gib();
    card.interface = VIRTIO_PCI_MODERN;
    check_refused("has no usable modern interface: BAR 4 lies above");
}

static void broken_windows_are_none(void **state)
{
    (void)state;
    create(put_above_4_gib); /* extends beyond configuration space: the data register is missing */
    fake_pci_set(card.dev.function, PCI_CAPABILITIES, 1, 0xf0);
    fake_virtio_capability(&card.dev, 0xf0, FAKE_CAP_OTHER, VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 0);
    check_refused("BAR 4 lies above 4 GiB");
    create(put_above_4_gib); /* ends before the data register */
    fake_pci_set(card.dev.function, FAKE_CAP_WINDOW + VIRTIO_PCI_CAP_LEN, 1, 19);
    check_refused("BAR 4 lies above 4 GiB");
    create(put_above_4_gib); /* a structure that extends beyond its BAR stays invalid with the
                              * window */
    fake_pci_set(card.dev.function, FAKE_CAP_ISR + VIRTIO_PCI_CAP_OFFSET, 4, FAKE_BAR_SIZE);
    check_refused("BAR 4 lies above 4 GiB");
    create(put_above_4_gib); /* and so does one in a missing BAR */
    fake_pci_set(card.dev.function, FAKE_CAP_ISR + VIRTIO_PCI_CAP_BAR, 1, 2);
    check_refused("BAR 4 lies above 4 GiB");
}

/* The access width is part of the window's selection. */
static void same_place_is_read_in_any_width(void **state)
{
    static const unsigned widths[] = {4, 2, 1, 2, 4, 1};

    (void)state;
    create(put_above_4_gib);
    assert_int_equal(card_open(), 0);
    card.dev.any_width = true;
    for (unsigned i = 0; i < 6; i++) {
        uint32_t mask = (uint32_t)(((uint64_t)1 << 8 * widths[i]) - 1);

        assert_int_equal(virtio_pci_window_read(&card.vp, &card.vp.config, 0, widths[i]),
                         fake_virtio_read(&card.dev, FAKE_BAR, FAKE_DEVICE, widths[i]) & mask);
        assert_int_equal(
            fake_pci_get(card.dev.function, FAKE_CAP_WINDOW + VIRTIO_PCI_CAP_LENGTH, 4), widths[i]);
    }
    card_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_works_without_its_bar),
        cmocka_unit_test(device_that_cannot_be_mapped_has_its_other_interface),
        cmocka_unit_test(vectors_work_through_the_window),
        cmocka_unit_test(interrupt_does_not_disturb_an_access),
        cmocka_unit_test(transitional_device_prefers_its_ports),
        cmocka_unit_test(structure_in_reach_is_accessed_directly),
        cmocka_unit_test(device_without_window_is_refused_with_advice),
        cmocka_unit_test(broken_windows_are_none),
        cmocka_unit_test(same_place_is_read_in_any_width),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
