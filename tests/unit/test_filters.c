/* SPDX-License-Identifier: BSD-2-Clause */
/* Which frames the device is told to receive: our address, groups, everything. */
#include <string.h>

#include "fake_card.h"

#define BIT(name) virtio_bit(VIRTIO_NET_F_##name)
#define CTRL BIT(CTRL_VQ)

static const uint8_t macs[70][6];

static void open_with(unsigned interface, uint64_t features)
{
    card_create_as(interface, features);
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

/* Whoever sets modes of his own neither loses the groups that do not fit, nor is he overruled when
 * they fit again. */
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

/* What the device refused is not remembered as done: the same once more does it. */
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
        card.dev.refuses_rx_modes = true; /* the table alone is taken */
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

/* Between the commands of one change each group is received. */
static void no_group_is_missed_meanwhile(void **state)
{
    (void)state;
    open_with(3, CTRL | BIT(CTRL_RX));
    assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 64), 0);
    card.dev.all_groups_only = true; /* fails where the table shrinks without ALLMULTI */
    assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 65), 0);
    assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 64), 0);
    card_close();
}

/* Out of the box a device takes every frame; it keeps to that where it cannot know our address. */
static void device_stops_being_promiscuous(void **state)
{
    static const uint8_t mac[6] = {2, 1, 2, 3, 4, 5};

    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        bool own = n & 1;
        bool can = n & 2;

        card_create_as(3, CTRL | BIT(CTRL_RX) | BIT(MAC) | (can ? BIT(CTRL_MAC_ADDR) : 0));
        card.options.mac = own ? mac : NULL;
        card.dev.rx_mode = 1;
        assert_int_equal(card_open(), 0);
        assert_int_equal(card.dev.rx_mode, own && !can);
        assert_memory_equal(card.net.mac, own ? mac : card.dev.mac, 6);
        assert_memory_equal(card.dev.mac, own && can ? mac : card.dev.mac, 6);
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
        cmocka_unit_test(device_stops_being_promiscuous),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
