/* SPDX-License-Identifier: BSD-2-Clause */
/* Receive filters told to the device: our address, groups, modes. */
#include <string.h>

#include "fake_card.h"

#define BIT(name) virtio_bit(VIRTIO_NET_F_##name)
#define CTRL BIT(CTRL_VQ)

static const uint8_t macs[70][6];

static void open_with(unsigned interface, uint64_t features)
{
    card_create_as(interface, features | BIT(MAC));
    assert_int_equal(card_open(), 0);
}

static void more_groups_than_the_table_holds_means_all_groups(void **state)
{
    (void)state;
    open_with(3, CTRL | BIT(CTRL_RX));
    assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 64), 0);
    assert_int_equal(card.dev.multicasts, 64);
    assert_int_equal(card.dev.rx_mode, 0);
    assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 65), 0);
    assert_int_equal(card.dev.multicasts, 0);
    assert_int_equal(card.dev.rx_mode, VIRTIO_NET_RX_ALLMULTI);
    assert_int_equal(virtio_net_set_mac_table(&card.net, macs, 3, macs, 61), 0);
    assert_int_equal(card.dev.multicasts, 61);
    assert_int_equal(card.dev.rx_mode, 0);
    assert_int_equal(virtio_net_set_mac_table(&card.net, macs, 3, macs, 62), 0);
    assert_int_equal(card.dev.unicasts, 3);
    assert_int_equal(card.dev.rx_mode, VIRTIO_NET_RX_ALLMULTI);
    assert_int_equal(virtio_net_set_mac_table(&card.net, macs, 65, macs, 0), VIRTIO_ERROR_TOOBIG);
    card_close();
}

/*
 * If the client sets modes, groups that do not fit are still received, and its modes remain when
 * they fit again.
 */
static void modes_and_groups_do_not_overrule_each_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        open_with(i, CTRL | BIT(CTRL_RX));
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 65), 0);
        assert_int_equal(virtio_net_set_rx_mode(&card.net, 0), 0);
        assert_int_equal(card.dev.rx_mode, VIRTIO_NET_RX_ALLMULTI);
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 66), 0);
        assert_int_equal(card.dev.rx_mode, VIRTIO_NET_RX_ALLMULTI);
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 3), 0);
        assert_int_equal(card.dev.rx_mode, 0);
        assert_int_equal(virtio_net_set_rx_mode(&card.net, VIRTIO_NET_RX_ALLMULTI), 0);
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 65), 0);
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 3), 0);
        assert_int_equal(card.dev.rx_mode, VIRTIO_NET_RX_ALLMULTI);
        card_close();
    }
}

/* A refused setting is not recorded as done: the same call later sends it. */
static void refused_groups_can_be_asked_for_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        open_with(i, CTRL | BIT(CTRL_RX));
        card.dev.refuses_commands = true;
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 65),
                         VIRTIO_ERROR_REFUSED);
        card.dev.refuses_commands = false;
        assert_int_equal(card.dev.rx_mode, 0);
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 65), 0);
        assert_int_equal(card.dev.rx_mode, VIRTIO_NET_RX_ALLMULTI);
        card.dev.refuses_rx_modes = true; /* only the table is accepted */
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 3),
                         VIRTIO_ERROR_REFUSED);
        assert_int_equal(card.dev.rx_mode, VIRTIO_NET_RX_ALLMULTI);
        card.dev.refuses_rx_modes = false;
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 3), 0);
        assert_int_equal(card.dev.rx_mode, 0);
        card.dev.refuses_rx_modes = true;
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 65),
                         VIRTIO_ERROR_REFUSED);
        card.dev.refuses_rx_modes = false;
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 65), 0);
        assert_int_equal(card.dev.rx_mode, VIRTIO_NET_RX_ALLMULTI);
        card_close();
    }
}

/* Each group is received between the commands of a change. */
static void no_group_is_missed_meanwhile(void **state)
{
    (void)state;
    open_with(3, CTRL | BIT(CTRL_RX));
    assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 64), 0);
    card.dev.all_groups_only = true; /* fails if the table shrinks without ALLMULTI */
    assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 65), 0);
    assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 64), 0);
    card_close();
}

/*
 * Whatever its address, the device receives frames for it: it is told an address other than its
 * own, and is promiscuous if it cannot be told (card_open() checks this).
 */
static void device_hears_our_address(void **state)
{
    static const uint8_t mine[6] = {2, 1, 2, 3, 4, 5}, group[6] = {0x53, 0x54, 0, 1, 2, 3}, zero[6];

    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * 4 * 4; n++) {
        unsigned whose = n % 4;
        bool command = n / 4 & 1;
        bool fixed = n / 4 & 2;
        bool told;

        card_create_as(n / 16, CTRL | BIT(CTRL_RX) | BIT(MAC) | (command ? BIT(CTRL_MAC_ADDR) : 0));
        card.dev.mac_is_fixed = fixed;
        switch (whose) {
        case 0: /* the device's address */
            break;
        case 1: /* the options' address */
            card.options.mac = mine;
            break;
        case 2: /* a random address, as the device's is invalid */
            memcpy(card.dev.mac, n / 16 % 2 ? group : zero, 6);
            break;
        default: /* a random address, as MAC is not negotiated */
            card.options.features &= ~BIT(MAC);
        }
        assert_int_equal(card_open(), 0);
        told = whose == 0 || command || (card.vp.dev.transport->legacy && !fixed);
        assert_int_equal(memcmp(card.dev.mac, card.net.mac, 6) == 0, told);
        assert_int_equal(card.dev.rx_mode, told ? 0 : VIRTIO_NET_RX_PROMISC);

        /* The client cannot undo that. */
        assert_int_equal(virtio_net_set_rx_mode(&card.net, VIRTIO_NET_RX_ALLMULTI), 0);
        assert_true(fake_hears(&card.dev, card.net.mac));
        assert_int_equal(card.dev.rx_mode,
                         VIRTIO_NET_RX_ALLMULTI | (told ? 0 : VIRTIO_NET_RX_PROMISC));
        assert_int_equal(virtio_net_set_rx_mode(&card.net, 0), 0);
        assert_true(fake_hears(&card.dev, card.net.mac));
        card_close();
    }
}

/* Changed later by command, or by the field of a legacy device without the command. */
static void address_can_be_changed(void **state)
{
    static const uint8_t mine[6] = {2, 1, 2, 3, 4, 5};

    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * 2; n++) {
        bool command = n % 2;
        uint8_t before[6];
        int expected;

        open_with(n / 2, CTRL | BIT(CTRL_RX) | BIT(MAC) | (command ? BIT(CTRL_MAC_ADDR) : 0));
        memcpy(before, card.net.mac, 6);
        expected = command || card.vp.dev.transport->legacy ? 0 : VIRTIO_ERROR_UNSUPPORTED;
        assert_int_equal(virtio_net_set_mac(&card.net, mine), expected);
        assert_memory_equal(card.net.mac, expected == 0 ? mine : before, 6);
        assert_memory_equal(card.dev.mac, card.net.mac, 6);
        card_close();
    }
    for (uint16_t vectors = 0; vectors <= 3; vectors += 3) { /* with vectors the field is
                                                              * elsewhere */
        card_create(FAKE_LEGACY, BIT(MAC));
        fake_virtio_add_msix(&card.dev, 3);
        card.vectors = vectors;
        assert_int_equal(card_open(), 0);
        assert_int_equal(virtio_net_set_mac(&card.net, mine), 0);
        assert_memory_equal(card.dev.mac, mine, 6);
        card_close();
    }
}

/* After a late answer the device may have either address, so it must be promiscuous. */
static void late_address_does_not_make_deaf(void **state)
{
    static const uint8_t mine[6] = {2, 1, 2, 3, 4, 5};

    (void)state;
    open_with(3, CTRL | BIT(CTRL_RX) | BIT(MAC) | BIT(CTRL_MAC_ADDR));
    assert_int_equal(card.dev.rx_mode, 0);
    fake_platform.clock_step = 1000000;
    card.dev.ignores_commands = true;
    assert_int_equal(virtio_net_set_mac(&card.net, mine), VIRTIO_ERROR_IO);
    card.dev.ignores_commands = false;
    fake_ctrl_answer(&card.dev);
    assert_memory_equal(card.dev.mac, mine, 6);
    assert_int_equal(virtio_net_set_rx_mode(&card.net, 0), 0);
    assert_true(fake_hears(&card.dev, card.net.mac));
    assert_int_equal(virtio_net_set_mac(&card.net, mine), 0);
    assert_memory_equal(card.net.mac, mine, 6);
    assert_int_equal(card.dev.rx_mode, 0);
    card_close();
}

static void answer_now(void)
{
    assert_in_range(fake_platform.lines, 1, 10);
    fake_ctrl_answer(&card.dev);
}

/*
 * The device answers each command just after the timeout. It gets no more commands than requested,
 * and none from within another, which would use up the stack.
 */
static void device_that_is_always_late_is_not_asked_without_end(void **state)
{
    static const uint8_t mine[6] = {2, 1, 2, 3, 4, 5};

    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        open_with(ring, CTRL | BIT(CTRL_RX) | BIT(MAC) | BIT(CTRL_MAC_ADDR));
        fake_platform.clock_step = 1000000;
        card.dev.ignores_commands = true;
        fake_platform.on_log = answer_now;
        assert_int_equal(virtio_net_set_mac(&card.net, mine), VIRTIO_ERROR_IO);
        fake_platform.lines = 0;
        assert_int_equal(virtio_net_set_rx_mode(&card.net, 0), VIRTIO_ERROR_IO);
        assert_in_range(fake_platform.lines, 0, 2);
        fake_platform.on_log = NULL;
        card.dev.ignores_commands = false;
        assert_int_equal(virtio_net_set_rx_mode(&card.net, 0), 0);
        assert_true(fake_hears(&card.dev, card.net.mac));
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_groups_than_the_table_holds_means_all_groups),
        cmocka_unit_test(modes_and_groups_do_not_overrule_each_other),
        cmocka_unit_test(refused_groups_can_be_asked_for_again),
        cmocka_unit_test(no_group_is_missed_meanwhile),
        cmocka_unit_test(device_hears_our_address),
        cmocka_unit_test(address_can_be_changed),
        cmocka_unit_test(late_address_does_not_make_deaf),
        cmocka_unit_test(device_that_is_always_late_is_not_asked_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
