/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of the control queue. */
#include <string.h>

#include "fake_card.h"

enum {
    CTRL_RX = 0,
    CTRL_MAC = 1,
    CTRL_VLAN = 2,
    CTRL_ANNOUNCE = 3,
    CTRL_MQ = 4,
    CTRL_OFFLOADS = 5
};

#define BIT(name) virtio_bit(VIRTIO_NET_F_##name)
#define CTRL BIT(CTRL_VQ)

static const uint8_t macs[70][6];

static void open_with(unsigned interface, uint64_t features)
{
    card_create_as(interface, features | BIT(MAC));
    assert_int_equal(card_open(), 0);
}

/* Checks the bytes of the last command. */
static void check_command(const void *bytes, size_t length)
{
    assert_int_equal(card.dev.command_length, length);
    assert_memory_equal(card.dev.command, bytes, length);
}

/* A number in the byte order of the tested interface. */
static void put(uint8_t *to, unsigned width, uint64_t value)
{
    fake_put(&card.dev, to, width, value);
}

static void commands_are_as_the_specification_has_them(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        static const uint8_t unicast[1][6] = {{2, 0, 0, 0, 0, 9}};
        static const uint8_t multicast[2][6] = {{1, 0, 0x5e, 0, 0, 1}, {0x33, 0x33, 0, 0, 0, 1}};
        static const uint8_t mac[6] = {2, 1, 2, 3, 4, 5};
        uint8_t bytes[64];

        open_with(i, CTRL | BIT(CTRL_RX) | BIT(CTRL_RX_EXTRA) | BIT(CTRL_VLAN) |
                         BIT(CTRL_MAC_ADDR) | BIT(CTRL_GUEST_OFFLOADS) | BIT(GUEST_CSUM) |
                         BIT(GUEST_TSO4) | BIT(MRG_RXBUF));

        assert_int_equal(i == CARD_PACKED ? fake_driver_event_flags(&card.dev, 2)
                                          : fake_avail_flags(&card.dev, 2),
                         1); /* the driver waits for the answer, so it needs no interrupt */
        assert_int_equal(virtio_net_set_rx_mode(&card.net, VIRTIO_NET_RX_PROMISC), 0);
        assert_int_equal(card.dev.rx_mode, 1);
        for (unsigned modes = 0; modes < 64; modes++) {
            assert_int_equal(virtio_net_set_rx_mode(&card.net, modes), 0);
            assert_int_equal(card.dev.rx_mode, modes);
        }
        check_command("\0\5\1", 3);

        assert_int_equal(virtio_net_set_mac_table(&card.net, unicast, 1, multicast, 2), 0);
        bytes[0] = CTRL_MAC;
        bytes[1] = 0;
        put(bytes + 2, 4, 1);
        memcpy(bytes + 6, unicast, 6);
        put(bytes + 12, 4, 2);
        memcpy(bytes + 16, multicast, 12);
        check_command(bytes, 28);

        assert_int_equal(virtio_net_set_vlan(&card.net, 0x123, true), 0);
        bytes[0] = CTRL_VLAN;
        bytes[1] = 0;
        put(bytes + 2, 2, 0x123);
        check_command(bytes, 4);
        assert_int_equal(card.dev.vlans, 1);
        assert_int_equal(virtio_net_set_vlan(&card.net, 0x123, false), 0);
        bytes[1] = 1;
        check_command(bytes, 4);
        assert_int_equal(card.dev.vlans, 0);

        assert_int_equal(virtio_net_set_mac(&card.net, mac), 0);
        check_command("\1\1\2\1\2\3\4\5", 8);
        assert_memory_equal(card.net.mac, mac, 6);
        assert_memory_equal(card.dev.mac, mac, 6);

        assert_int_equal(virtio_net_set_guest_offloads(&card.net, BIT(GUEST_CSUM)), 0);
        bytes[0] = CTRL_OFFLOADS;
        bytes[1] = 0;
        put(bytes + 2, 8, BIT(GUEST_CSUM));
        check_command(bytes, 10);
        card_close();
    }
}

/*
 * QEMU rejects the whole command if one bit is not an offload, was not negotiated, or lacks a
 * feature that it requires.
 */
static void guest_offloads_are_those_that_can_be_on(void **state)
{
    const uint64_t all = BIT(GUEST_CSUM) | BIT(GUEST_TSO4) | BIT(GUEST_TSO6) | BIT(GUEST_ECN) |
                         BIT(GUEST_USO4) | BIT(GUEST_USO6);
    const struct {
        uint64_t asked, set;
    } cases[] = {
        {UINT64_MAX, all & ~BIT(GUEST_TSO6)},
        {0, 0},
        {BIT(GUEST_TSO4), 0},
        {BIT(GUEST_CSUM) | BIT(GUEST_ECN), BIT(GUEST_CSUM)},
        {BIT(GUEST_CSUM) | BIT(GUEST_TSO4) | BIT(GUEST_ECN),
         BIT(GUEST_CSUM) | BIT(GUEST_TSO4) | BIT(GUEST_ECN)},
        {BIT(GUEST_CSUM) | BIT(GUEST_USO4) | BIT(GUEST_USO6),
         BIT(GUEST_CSUM) | BIT(GUEST_USO4) | BIT(GUEST_USO6)},
        {BIT(GUEST_CSUM) | BIT(GUEST_USO4), BIT(GUEST_CSUM)},
    };

    (void)state;
    for (unsigned i = 2; i < CARD_RINGS; i++) { /* a legacy device has no bits for USO */
        open_with(i, CTRL | BIT(CTRL_GUEST_OFFLOADS) | BIT(MRG_RXBUF) | BIT(CSUM) |
                         (all & ~BIT(GUEST_TSO6)));
        for (unsigned n = 0; n < sizeof cases / sizeof cases[0]; n++) {
            assert_int_equal(virtio_net_set_guest_offloads(&card.net, cases[n].asked), 0);
            assert_int_equal(card.dev.guest_offloads, cases[n].set);
        }
        card_close();
    }
}

/* Each command without its feature, and without a control queue. */
static void commands_without_their_feature_are_not_sent(void **state)
{
    const uint64_t all = CTRL | BIT(CTRL_RX) | BIT(CTRL_RX_EXTRA) | BIT(CTRL_VLAN) |
                         BIT(CTRL_MAC_ADDR) | BIT(CTRL_GUEST_OFFLOADS);
    static const uint8_t mac[6] = {2, 1, 2, 3, 4, 5};

    (void)state;
    for (unsigned n = 0; n < 2 * CARD_RINGS; n++) {
        unsigned before;

        open_with(n / 2, n % 2 ? CTRL : all & ~CTRL);
        before = card.dev.commands;
        assert_int_equal(virtio_net_set_rx_mode(&card.net, 0), VIRTIO_ERROR_UNSUPPORTED);
        assert_int_equal(virtio_net_set_rx_mode(&card.net, 63), VIRTIO_ERROR_UNSUPPORTED);
        assert_int_equal(virtio_net_set_mac_table(&card.net, macs, 1, macs, 1),
                         VIRTIO_ERROR_UNSUPPORTED);
        assert_int_equal(virtio_net_set_vlan(&card.net, 1, true), VIRTIO_ERROR_UNSUPPORTED);
        assert_int_equal(virtio_net_set_mac(&card.net, mac),
                         n / 2 < 2 ? 0 : VIRTIO_ERROR_UNSUPPORTED); /* a legacy device has a field
                                                                 * for the address */
        assert_int_equal(virtio_net_set_guest_offloads(&card.net, 0), VIRTIO_ERROR_UNSUPPORTED);
        assert_int_equal(card.dev.commands, before);
        card_close();
    }
    open_with(3, CTRL | BIT(CTRL_RX));
    assert_int_equal(virtio_net_set_rx_mode(&card.net, VIRTIO_NET_RX_ALLMULTI), 0);
    assert_int_equal(virtio_net_set_rx_mode(&card.net, VIRTIO_NET_RX_ALLUNI),
                     VIRTIO_ERROR_UNSUPPORTED);
    assert_int_equal(card.dev.rx_mode, VIRTIO_NET_RX_ALLMULTI);
    card_close();
}

/* The longest command needs four descriptors and must not fill the ring: see fake_ctrl_run(). */
static void table_leaves_room_in_a_ring_in_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        open_with(i, CTRL | BIT(CTRL_RX) | virtio_bit(VIRTIO_F_IN_ORDER));
        for (unsigned n = 0; n < 20; n++) {
            assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, n), 0);
            assert_int_equal(card.dev.multicasts, n);
        }
        card_close();
    }
}

static void refused_commands_are_reported(void **state)
{
    static const uint8_t mac[6] = {2, 1, 2, 3, 4, 5};

    (void)state;
    open_with(3, CTRL | BIT(CTRL_RX) | BIT(CTRL_MAC_ADDR));
    card.dev.refuses_commands = true;
    assert_int_equal(virtio_net_set_rx_mode(&card.net, 0), VIRTIO_ERROR_REFUSED);
    assert_int_equal(virtio_net_set_mac(&card.net, mac), VIRTIO_ERROR_REFUSED);
    assert_memory_not_equal(card.net.mac, mac, 6);
    card.dev.refuses_commands = false;
    assert_int_equal(virtio_net_set_mac(&card.net, mac), 0);
    card_close();
}

/*
 * A device that does not answer delays the driver by 100 ms, once. It gets no other command, and
 * the memory of that command is not touched.
 */
static void silent_device_is_left_alone(void **state)
{
    uint64_t start;

    (void)state;
    open_with(3, CTRL | BIT(CTRL_RX));
    fake_platform.clock_step = 1000000;
    card.dev.ignores_commands = true;
    start = fake_platform.clock_ns;
    assert_int_equal(virtio_net_set_rx_mode(&card.net, 1), VIRTIO_ERROR_IO);
    assert_in_range(fake_platform.clock_ns - start, 100000000, 110000000);
    assert_int_equal(fake_platform.lines, 1);
    start = fake_platform.clock_ns;
    assert_int_equal(virtio_net_set_rx_mode(&card.net, 1), VIRTIO_ERROR_IO);
    assert_in_range(fake_platform.clock_ns - start, 0, 2000000); /* checked once, without waiting */
    assert_int_equal(fake_platform.lines, 1);
    card_close();
}

/*
 * While an answer is outstanding, whichever command it is for, no other command is sent. Afterwards
 * all work again.
 */
static void late_answer_is_waited_for(void **state)
{
    const uint64_t features = CTRL | BIT(CTRL_RX) | BIT(CTRL_VLAN) | BIT(CTRL_MAC_ADDR) |
                              BIT(CTRL_GUEST_OFFLOADS) | BIT(GUEST_CSUM) | BIT(STATUS) |
                              BIT(GUEST_ANNOUNCE);
    static const uint8_t mac[] = {2, 1, 2, 3, 4, 5};

    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * 3; n++) {
        open_with(n / 3, features);
        fake_platform.clock_step = 1000000;
        for (unsigned round = 1; round <= 3; round++) {
            unsigned before = card.dev.commands;

            card.dev.ignores_commands = true;
            switch (n % 3) {
            case 0:
                assert_int_equal(virtio_net_set_vlan(&card.net, 5, true), VIRTIO_ERROR_IO);
                break;
            case 1:
                assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, macs, 64),
                                 VIRTIO_ERROR_IO);
                break;
            default:
                card.dev.link_status |= VIRTIO_NET_S_ANNOUNCE;
                fake_virtio_config_changed(&card.dev);
                assert_true(virtio_net_interrupt(&card.net));
                virtio_net_poll(&card.net, 8);
                assert_int_equal(card.announces, round);
            }
            card.dev.ignores_commands = false;
            assert_int_equal(virtio_net_set_mac(&card.net, mac), VIRTIO_ERROR_IO);
            assert_int_equal(virtio_net_set_rx_mode(&card.net, 2), VIRTIO_ERROR_IO);
            assert_int_equal(virtio_net_set_mac_table(&card.net, macs, 1, macs, 1),
                             VIRTIO_ERROR_IO);
            assert_int_equal(virtio_net_set_vlan(&card.net, 7, true), VIRTIO_ERROR_IO);
            assert_int_equal(virtio_net_set_guest_offloads(&card.net, 0), VIRTIO_ERROR_IO);
            assert_int_equal(card.dev.commands, before);
            fake_ctrl_answer(&card.dev); /* fails if the command's memory was changed */
            assert_int_equal(virtio_net_set_rx_mode(&card.net, round % 2 ? 2 : 0), 0);
            assert_int_equal(card.dev.rx_mode, round % 2 ? 2 : 0);
            assert_int_equal(virtio_net_set_mac(&card.net, mac), 0);
            assert_int_equal(card.net.ctrl.in_flight, 0);
        }
        card_close();
    }
}

/* Opening also works with a silent device. */
static void device_without_answers_can_be_opened(void **state)
{
    (void)state;
    card_create_as(3, UINT64_MAX);
    card.dev.ignores_commands = true;
    fake_platform.clock_step = 1000000;
    assert_int_equal(card_open(), 0);
    assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
    assert_int_equal(virtio_net_poll(&card.net, 8), 1);
    card_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_as_the_specification_has_them),
        cmocka_unit_test(guest_offloads_are_those_that_can_be_on),
        cmocka_unit_test(commands_without_their_feature_are_not_sent),
        cmocka_unit_test(table_leaves_room_in_a_ring_in_order),
        cmocka_unit_test(refused_commands_are_reported),
        cmocka_unit_test(silent_device_is_left_alone),
        cmocka_unit_test(late_answer_is_waited_for),
        cmocka_unit_test(device_without_answers_can_be_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
