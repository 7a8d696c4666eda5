/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio capabilities (virtio 1.3 §4.1.4), valid and invalid. */
#include <string.h>

#include "fake_card.h"
#include "pci/internal/pci_spec.h"

/* A transitional device with an invalid modern interface still has the legacy one. */
static void check_refused(void (*spoil)(void))
{
    card_create(FAKE_MODERN, 0);
    spoil();
    assert_int_equal(card_open(), VIRTIO_ERROR_NODEV);
    assert_int_equal(card.dev.events, 0);
    card_create(FAKE_TRANSITIONAL, 0);
    spoil();
    assert_int_equal(card_open(), 0);
    assert_false(card.dev.status & VIRTIO_STATUS_FEATURES_OK); /* uses the legacy interface */
    card_close();
}

static const uint8_t capabilities[] = {FAKE_CAP_COMMON, FAKE_CAP_NOTIFY, FAKE_CAP_ISR,
                                       FAKE_CAP_DEVICE};
static unsigned victim; /* the capability to change, and how */
static unsigned field;
static unsigned width;
static uint32_t value;

static void set_field(void)
{
    fake_pci_set(card.dev.function, capabilities[victim] + field, width, value);
}

static void check_all_refused(unsigned at, unsigned size, uint32_t with)
{
    field = at;
    width = size;
    value = with;
    for (victim = 0; victim < 4; victim++) {
        check_refused(set_field);
    }
}

static void structure_in_a_bar_that_cannot_be_is_refused(void **state)
{
    (void)state;
    for (uint32_t bar = 0; bar < 256; bar = bar < 8 ? bar + 1 : bar * 2 + 1) {
        if (bar != FAKE_BAR && bar != 0) { /* BAR 0 exists in a transitional device */
            check_all_refused(VIRTIO_PCI_CAP_BAR, 1, bar);
        }
    }
}

static void structure_beyond_its_bar_is_refused(void **state)
{
    (void)state;
    check_all_refused(VIRTIO_PCI_CAP_OFFSET, 4, FAKE_BAR_SIZE);
    check_all_refused(VIRTIO_PCI_CAP_OFFSET, 4, UINT32_MAX);
    check_all_refused(VIRTIO_PCI_CAP_LENGTH, 4, 0);
    for (victim = 0; victim < 4; victim++) { /* the part of it inside the BAR is too small */
        if (victim != 2) {
            field = VIRTIO_PCI_CAP_OFFSET;
            width = 4;
            value = FAKE_BAR_SIZE - (victim == 0   ? VIRTIO_PCI_COMMON_LENGTH - 4
                                     : victim == 1 ? 0
                                                   : 4);
            check_refused(set_field);
        }
    }
}

/* §4.1.4.3.1, §4.1.4.4.1, §4.1.4.6.1: all except the ISR status must be aligned. */
static void misaligned_structure_is_refused(void **state)
{
    static const struct {
        unsigned victim;
        uint32_t offset;
    } cases[] = {{0, FAKE_COMMON + 2}, {1, FAKE_NOTIFY + 1}, {3, FAKE_DEVICE + 2}};

    (void)state;
    field = VIRTIO_PCI_CAP_OFFSET;
    width = 4;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        victim = cases[i].victim;
        value = cases[i].offset;
        check_refused(set_field);
    }
}

static void missing_structure_is_refused(void **state)
{
    (void)state;
    check_all_refused(VIRTIO_PCI_CAP_CFG_TYPE, 1, 99); /* §4.1.4.1: unknown types are ignored */
    check_all_refused(0, 1, 5);                        /* another kind of capability */
}

/* §4.1.4: bytes behind the end of a capability are not part of it. */
static void capability_that_is_too_short_is_refused(void **state)
{
    (void)state;
    check_all_refused(VIRTIO_PCI_CAP_LEN, 1, 0);
    check_all_refused(VIRTIO_PCI_CAP_LEN, 1, 15);
    victim = 1; /* its last field is the multiplier */
    value = 19;
    check_refused(set_field);
}

static void no_list(void)
{
    fake_pci_set(card.dev.function, PCI_STATUS, 2, 0);
}

static void list_to_nowhere(void)
{
    fake_pci_set(card.dev.function, PCI_CAPABILITIES, 1, 0xe0);
}

static void list_into_the_header(void)
{
    fake_pci_set(card.dev.function, PCI_CAPABILITIES, 1, 0x10);
}

static void list_that_is_a_loop(void)
{
    fake_pci_set(card.dev.function, FAKE_CAP_NOTIFY + 1, 1, FAKE_CAP_COMMON);
}

static void list_that_ends_at_the_edge(void)
{
    fake_virtio_capability(&card.dev, FAKE_CAP_COMMON, 0xfc, 99, 0, 0, 0);
    fake_pci_set(card.dev.function, 0xfc, 4, 0x01100009); /* only a quarter of a capability */
}

static void broken_lists_are_refused(void **state)
{
    (void)state;
    check_refused(no_list);
    check_refused(list_to_nowhere);
    check_refused(list_into_the_header);
    check_refused(list_that_is_a_loop);
    check_refused(list_that_ends_at_the_edge);
}

/* §4.1.4.1: the driver uses the first usable one. */
static void first_usable_structure_is_taken(void **state)
{
    (void)state;
    card_create(FAKE_MODERN, 0);
    fake_pci_set(card.dev.function, PCI_CAPABILITIES, 1, 0x90);
    fake_virtio_capability(&card.dev, 0x90, 0xa0, VIRTIO_PCI_CAP_COMMON_CFG, 7, 0, 56);
    fake_virtio_capability(&card.dev, 0xa0, 0xb0, VIRTIO_PCI_CAP_COMMON_CFG, 2, 0, 56);
    fake_virtio_capability(&card.dev, 0xb0, FAKE_CAP_OTHER, VIRTIO_PCI_CAP_ISR_CFG, FAKE_BAR,
                           FAKE_BAR_SIZE, 1);
    /* Further valid capabilities follow, which point elsewhere. */
    fake_pci_set(card.dev.function, FAKE_CAP_DEVICE + 1, 1, 0xc0);
    fake_virtio_capability(&card.dev, 0xc0, 0xd0, VIRTIO_PCI_CAP_COMMON_CFG, FAKE_BAR, 0, 56);
    fake_virtio_capability(&card.dev, 0xd0, 0, VIRTIO_PCI_CAP_ISR_CFG, FAKE_BAR, 0, 1);
    assert_int_equal(card_open(), 0);
    card_close();
}

/* The last 16 bytes of configuration space can hold a capability too. */
static void capability_at_the_end_of_configuration_space_is_found(void **state)
{
    (void)state;
    card_create(FAKE_MODERN, 0);
    fake_pci_set(card.dev.function, FAKE_CAP_NOTIFY + 1, 1, 0xf0);
    fake_virtio_capability(&card.dev, 0xf0, FAKE_CAP_DEVICE, VIRTIO_PCI_CAP_ISR_CFG, FAKE_BAR,
                           FAKE_ISR, 1);
    assert_int_equal(card_open(), 0);
    card_close();
}

/*
 * §4.1.4: the structure may be longer than known to the driver, and than its BAR; so may the
 * capability.
 */
static void longer_structures_are_accepted(void **state)
{
    static const uint32_t lengths[] = {0x1000, FAKE_BAR_SIZE + 1, UINT32_MAX};

    (void)state;
    for (unsigned n = 0; n < sizeof lengths / sizeof lengths[0]; n++) {
        card_create(FAKE_MODERN, virtio_bit(VIRTIO_NET_F_STATUS));
        for (unsigned i = 0; i < sizeof capabilities; i++) {
            fake_pci_set(card.dev.function, capabilities[i] + VIRTIO_PCI_CAP_LENGTH, 4, lengths[n]);
            fake_pci_set(card.dev.function, capabilities[i] + VIRTIO_PCI_CAP_LEN, 1,
                         n == 0 ? 24 : 0xff);
        }
        assert_int_equal(card_open(), 0);
        assert_true(card.vp.notify.size <= FAKE_BAR_SIZE - FAKE_NOTIFY);
        assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        card_close();
    }
}

/* A field beyond the device's structure is not read; the link then counts as down. */
static void field_behind_the_structure_is_not_read(void **state)
{
    (void)state;
    card_create(FAKE_MODERN, (uint64_t)1 << VIRTIO_NET_F_STATUS);
    fake_pci_set(card.dev.function, FAKE_CAP_DEVICE + VIRTIO_PCI_CAP_LENGTH, 4, 6);
    fake_pci.tracing = true;
    assert_int_equal(card_open(), 0);
    for (unsigned i = 0; i < fake_pci.traced; i++) {
        assert_int_not_equal(fake_pci.trace[i].address,
                             fake_pci_bar_address(card.dev.function, FAKE_BAR) + FAKE_DEVICE + 6);
    }
    card_close();
}

/* The structures may also be in I/O space. */
static void modern_interface_in_an_io_bar_works(void **state)
{
    (void)state;
    card_create(FAKE_MODERN, 0);
    fake_pci.window[true] = (struct vpci_window){0x10000, 0x1ffff};
    fake_pci_bar(card.dev.function, FAKE_BAR, FAKE_BAR_IO, FAKE_BAR_SIZE, 0);
    card.dev.function->bar_upper[FAKE_BAR + 1] = false;
    card.dev.function->bar_mask[FAKE_BAR + 1] = 0;
    assert_int_equal(card_open(), 0);
    assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
    assert_int_equal(virtio_net_poll(&card.net, 8), 1);
    card_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structure_in_a_bar_that_cannot_be_is_refused),
        cmocka_unit_test(structure_beyond_its_bar_is_refused),
        cmocka_unit_test(misaligned_structure_is_refused),
        cmocka_unit_test(missing_structure_is_refused),
        cmocka_unit_test(capability_that_is_too_short_is_refused),
        cmocka_unit_test(broken_lists_are_refused),
        cmocka_unit_test(first_usable_structure_is_taken),
        cmocka_unit_test(capability_at_the_end_of_configuration_space_is_found),
        cmocka_unit_test(longer_structures_are_accepted),
        cmocka_unit_test(field_behind_the_structure_is_not_read),
        cmocka_unit_test(modern_interface_in_an_io_bar_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
