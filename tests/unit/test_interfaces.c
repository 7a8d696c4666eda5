/* SPDX-License-Identifier: BSD-2-Clause */
/* Which devices the driver accepts, and which interface it uses. */
#include "fake_card.h"
#include "pci/internal/pci_spec.h"

enum {
    ACK = VIRTIO_STATUS_ACKNOWLEDGE,
    DRV = VIRTIO_STATUS_DRIVER,
    F_OK = VIRTIO_STATUS_FEATURES_OK,
    D_OK = VIRTIO_STATUS_DRIVER_OK,
};

static void interface_is_the_one_asked_for(void **state)
{
    static const struct {
        enum fake_kind kind;
        enum virtio_pci_interface interface;
        int legacy; /* -1: refused */
    } cases[] = {
        {FAKE_LEGACY, VIRTIO_PCI_ANY, 1},          {FAKE_LEGACY, VIRTIO_PCI_LEGACY, 1},
        {FAKE_LEGACY, VIRTIO_PCI_MODERN, -1},      {FAKE_TRANSITIONAL, VIRTIO_PCI_ANY, 0},
        {FAKE_TRANSITIONAL, VIRTIO_PCI_LEGACY, 1}, {FAKE_TRANSITIONAL, VIRTIO_PCI_MODERN, 0},
        {FAKE_MODERN, VIRTIO_PCI_ANY, 0},          {FAKE_MODERN, VIRTIO_PCI_LEGACY, -1},
        {FAKE_MODERN, VIRTIO_PCI_MODERN, 0},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        card_create(cases[i].kind, 0);
        card.interface = cases[i].interface;
        if (cases[i].legacy < 0) {
            assert_int_equal(card_open(), VIRTIO_ERROR_NODEV);
            assert_int_equal(card.dev.events, 0);
            continue;
        }
        assert_int_equal(card_open(), 0);
        assert_int_equal(card.dev.status & F_OK, cases[i].legacy ? 0 : F_OK);
        card_close();
    }
}

/* §4.1.4.10: its registers are in I/O space, so BAR 0 must be. */
static void legacy_interface_is_in_io_space(void **state)
{
    (void)state;
    card_create(FAKE_LEGACY, 0);
    fake_pci_bar(card.dev.function, 0, FAKE_BAR_MEM32, 4096, 0xe0300000);
    assert_int_equal(card_open(), VIRTIO_ERROR_NODEV);
    assert_int_equal(card.dev.events, 0);
}

/* §2.2.3: if there is a legacy interface, it is used. */
static void device_without_version_1_is_a_legacy_one(void **state)
{
    (void)state;
    card_create(FAKE_TRANSITIONAL, 0);
    card.dev.offered = virtio_bit(VIRTIO_NET_F_MAC);
    assert_int_equal(card_open(), 0);
    assert_true(card.vp.dev.transport->legacy);
    assert_int_equal(card.dev.status, ACK | DRV | D_OK);
    card_close();
    card.interface = VIRTIO_PCI_MODERN; /* the modern one is requested */
    assert_int_equal(card_open(), VIRTIO_ERROR_IO);
}

static void other_devices_are_not_ours(void **state)
{
    struct vpci_device device = {.vendor = 0x1af4, .device = 0x1000, .subsystem = 1};

    (void)state;
    assert_true(virtio_pci_is_net(&device));
    device.subsystem = 2; /* a block device */
    assert_false(virtio_pci_is_net(&device));
    device.device = 0x1041;
    assert_true(virtio_pci_is_net(&device));
    device.device = 0x1042;
    assert_false(virtio_pci_is_net(&device));
    device.device = 0x1041;
    device.vendor = 0x8086;
    assert_false(virtio_pci_is_net(&device));
}

/* §4.1.2.2: the revision does not matter. */
static void any_revision_is_accepted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * CARD_INTERFACES; i++) {
        card_create_as(i / 3, 0);
        fake_pci_set(card.dev.function, PCI_REVISION_ID, 1, i % 3 == 2 ? 255 : i % 3);
        assert_int_equal(card_open(), 0);
        card_close();
    }
}

static void device_without_addresses_is_given_some(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        card_create_as(i, 0);
        fake_pci_set(card.dev.function, PCI_BAR0, 4, 1);
        fake_pci_set(card.dev.function, PCI_BAR0 + 4 * FAKE_BAR, 4, 4);
        assert_int_equal(card_open(), 0);
        assert_int_equal(fake_pci_get(card.dev.function, PCI_COMMAND, 2) & 7, 7);
        card_close();
    }
}

/* Without a window; test_window.c tests it with one. */
static void bar_above_4_gib_is_refused(void **state)
{
    (void)state;
    card_create(FAKE_MODERN, 0);
    fake_pci_set(card.dev.function, PCI_BAR0 + 4 * FAKE_BAR + 4, 4, 1);
    assert_int_equal(card_open(), VIRTIO_ERROR_NODEV);
    card_create(FAKE_TRANSITIONAL, 0); /* which also has I/O ports */
    fake_pci_set(card.dev.function, PCI_BAR0 + 4 * FAKE_BAR + 4, 4, 1);
    assert_int_equal(card_open(), 0);
    assert_int_equal(card.dev.status, ACK | DRV | D_OK);
    card_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interface_is_the_one_asked_for),
        cmocka_unit_test(legacy_interface_is_in_io_space),
        cmocka_unit_test(device_without_version_1_is_a_legacy_one),
        cmocka_unit_test(other_devices_are_not_ours),
        cmocka_unit_test(any_revision_is_accepted),
        cmocka_unit_test(device_without_addresses_is_given_some),
        cmocka_unit_test(bar_above_4_gib_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
