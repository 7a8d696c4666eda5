/* SPDX-License-Identifier: BSD-2-Clause */
/* What the network device's configuration says, and announcements: also changes while it runs. */
#include <string.h>

#include "fake_card.h"

#define BIT(name) virtio_bit(VIRTIO_NET_F_##name)
#define CTRL BIT(CTRL_VQ)

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

static void one_pair_of_many_is_used(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        open_with(i, CTRL | BIT(MQ));
        assert_int_equal(card.dev.pairs, 1);
        assert_int_equal(card.net.ctrl.index, 2 * card.dev.max_pairs);
        assert_true(card.dev.queue[6].enabled);
        assert_false(card.dev.queue[2].enabled);
        card_close();
        open_with(i, CTRL);
        assert_int_equal(card.net.ctrl.index, 2);
        card_close();
    }
}

/*
 * Twice that number is the index of the control queue, which must not coincide with another queue.
 */
static void impossible_number_of_pairs_is_not_used(void **state)
{
    static const uint16_t pairs[] = {0, 0x8000, 0x8001, 0xffff};

    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * 4; n++) {
        card_create_as(n / 4, CTRL | BIT(MQ) | BIT(CTRL_RX) | BIT(MAC));
        card.dev.max_pairs = pairs[n % 4];
        assert_int_equal(card_open(), 0);
        assert_false(card.dev.features & BIT(MQ));
        assert_int_equal(card.net.ctrl.index, 2);
        assert_non_null(strstr(fake_platform.log, "number of queue pairs"));
        assert_int_equal(virtio_net_set_rx_mode(&card.net, VIRTIO_NET_RX_ALLMULTI), 0);
        assert_true(fake_rx(&card.dev, "a frame", 7));
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        card_close();
        card_create_as(n / 4, CTRL | BIT(MQ)); /* a valid number, but the queue does not exist */
        card.dev.max_pairs = n % 2 ? VIRTIO_NET_PAIRS_MAX : FAKE_QUEUES;
        assert_int_equal(card_open(), VIRTIO_ERROR_IO);
        assert_int_equal(fake_platform.live, 0);
    }
}

static void request_another(void *context)
{
    (void)context;
    if (++card.announces == 1) {
        card.dev.link_status |= VIRTIO_NET_S_ANNOUNCE;
        fake_virtio_config_changed(&card.dev);
    }
}

/* The acknowledgement of the first request is not taken for that of the second. */
static void announcement_requested_meanwhile_is_made(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        open_with(i, CTRL | BIT(STATUS) | BIT(GUEST_ANNOUNCE));
        card.client.announce = request_another;
        card.dev.link_status |= VIRTIO_NET_S_ANNOUNCE;
        fake_virtio_config_changed(&card.dev);
        assert_true(virtio_net_interrupt(&card.net));
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.announces, 1);
        assert_true(virtio_net_interrupt(&card.net));
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.announces, 2);
        assert_int_equal(card.dev.link_status, VIRTIO_NET_S_LINK_UP);
        card_close();
    }
}

static void announcement_is_made_and_acknowledged(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        open_with(i, CTRL | BIT(STATUS) | BIT(GUEST_ANNOUNCE));
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.announces, 0);
        card.dev.link_status |= VIRTIO_NET_S_ANNOUNCE;
        fake_virtio_config_changed(&card.dev);
        assert_true(virtio_net_interrupt(&card.net));
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.announces, 1);
        check_command("\3\0", 2);
        assert_int_equal(card.dev.link_status, VIRTIO_NET_S_LINK_UP);
        assert_int_equal(card.links, 0);
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.announces, 1);
        card_close();
        /* Without the feature the bit has no meaning. */
        open_with(i, CTRL | BIT(STATUS));
        card.dev.link_status |= VIRTIO_NET_S_ANNOUNCE;
        fake_virtio_config_changed(&card.dev);
        assert_true(virtio_net_interrupt(&card.net));
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.announces, 0);
        card_close();
    }
}

static void mtu_speed_and_duplex_are_read(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        bool modern = i >= 2;

        card_create_as(i, BIT(MTU) | BIT(SPEED_DUPLEX));
        card.dev.mtu = 9000;
        card.dev.speed = 40000;
        card.dev.duplex = 1;
        assert_int_equal(card_open(), 0);
        assert_int_equal(card.net.mtu, 9000);
        /* Bit 63 does not exist on a legacy device. */
        assert_int_equal(card.net.speed, modern ? 40000 : 0);
        assert_int_equal(card.net.duplex, modern ? 1 : 0xff);
        card_close();
    }
    open_with(3, BIT(SPEED_DUPLEX)); /* all ones: unknown */
    assert_int_equal(card.net.speed, 0);
    assert_int_equal(card.net.duplex, 0xff);
    assert_int_equal(card.net.mtu, 1500);
    card_close();
    card_create_as(3, BIT(MTU));
    card.dev.mtu = 67;
    assert_int_equal(card_open(), VIRTIO_ERROR_IO);
    assert_int_equal(fake_platform.live, 0);
    assert_true(strstr(fake_platform.log, "67 bytes") != NULL);
}

static void change(uint32_t speed, uint8_t duplex, unsigned links)
{
    card.dev.speed = speed;
    card.dev.duplex = duplex;
    fake_virtio_config_changed(&card.dev);
    assert_true(virtio_net_interrupt(&card.net));
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.links, links);
}

/* Values other than these mean unknown. A change while the link stays up is detected. */
static void speed_and_duplex_follow_the_device(void **state)
{
    static const uint8_t unknown[] = {2, 3, 0x7f, 0x80, 0xfe, 0xff};

    (void)state;
    for (unsigned i = 2; i < CARD_RINGS; i++) {
        open_with(i, BIT(STATUS) | BIT(SPEED_DUPLEX));
        change(1000, 0, 1);
        assert_int_equal(card.net.speed, 1000);
        assert_int_equal(card.net.duplex, VIRTIO_NET_DUPLEX_HALF);
        change(1000, 1, 2);
        assert_int_equal(card.net.duplex, VIRTIO_NET_DUPLEX_FULL);
        for (unsigned n = 0; n < sizeof unknown; n++) {
            change(2500, unknown[n], 3);
            assert_int_equal(card.net.speed, 2500);
            assert_int_equal(card.net.duplex, VIRTIO_NET_DUPLEX_UNKNOWN);
        }
        change(INT32_MAX, 1, 4);
        assert_int_equal(card.net.speed, INT32_MAX);
        change(0x80000000, 1, 5);
        assert_int_equal(card.net.speed, 0);
        assert_true(card.link_up);
        card.dev.link_status = 0; /* nothing to report while the link is down */
        change(1000, 1, 6);
        change(100, 1, 6);
        assert_false(card.link_up);
        card_close();
    }
}

/* Without mergeable buffers one buffer must hold a whole jumbo frame. */
static void jumbo_frames_are_received(void **state)
{
    static uint8_t frame[9018];

    (void)state;
    for (unsigned n = 0; n < 2 * CARD_RINGS; n++) {
        card_create_as(n / 2, BIT(MTU) | (n % 2 ? BIT(MRG_RXBUF) : 0));
        card.dev.mtu = 9000;
        assert_int_equal(card_open(), 0);
        for (size_t i = 0; i < sizeof frame; i++) {
            frame[i] = (uint8_t)(7 * i);
        }
        while (!fake_rx(&card.dev, frame, sizeof frame)) {
            assert_int_equal(n % 2, 1);
            fake_want_kick(&card.dev, VIRTIO_NET_QUEUE_RX, true);
            virtio_net_poll(&card.net, 8); /* more are posted where the device waits for more */
        }
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_int_equal(card.rx_length, sizeof frame);
        assert_memory_equal(card.rx_data, frame, sizeof frame);
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pair_of_many_is_used),
        cmocka_unit_test(impossible_number_of_pairs_is_not_used),
        cmocka_unit_test(announcement_is_made_and_acknowledged),
        cmocka_unit_test(announcement_requested_meanwhile_is_made),
        cmocka_unit_test(mtu_speed_and_duplex_are_read),
        cmocka_unit_test(speed_and_duplex_follow_the_device),
        cmocka_unit_test(jumbo_frames_are_received),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
