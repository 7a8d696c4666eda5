/* SPDX-License-Identifier: BSD-2-Clause */
/* The device's configuration: address, link, and changes during a read. */
#include <string.h>

#include "fake_card.h"

#define MAC virtio_bit(VIRTIO_NET_F_MAC)
#define STATUS virtio_bit(VIRTIO_NET_F_STATUS)

static void mac_address_is_the_devices(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, MAC);
        assert_int_equal(card_open(), 0);
        assert_memory_equal(card.net.mac, card.dev.mac, 6);
        card_close();
    }
}

/* Without the feature the field is invalid, and a multicast address is not a station's. */
static void mac_address_is_made_up_where_there_is_none(void **state)
{
    static const uint8_t group[6] = {0x53, 0x54, 0, 1, 2, 3}, zero[6];
    uint8_t before[6];

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        card_create_as(3, i == 1 || i == 2 ? MAC : 0);
        memcpy(card.dev.mac, i == 1 ? group : i == 2 ? zero : card.dev.mac, 6);
        memcpy(before, card.dev.mac, 6);
        fake_platform.clock_ns = 12345 + i;
        assert_int_equal(card_open(), 0);
        assert_true(memcmp(card.dev.mac, before, 6) == 0 && memcmp(card.net.mac, before, 6) != 0);
        assert_int_equal(card.net.mac[0] & 3, 2); /* locally administered, unicast */
        assert_false(card.dev.features & MAC);    /* MAC is negotiated only to use the device's
                                                   * address */
        card_close();
    }
}

/* Also where the clock has not gone on between two openings. */
static void made_up_addresses_of_two_devices_differ(void **state)
{
    static struct virtio_net second;

    (void)state;
    card_create_as(3, 0);
    assert_int_equal(card_open(), 0);
    assert_int_equal(virtio_net_close(&card.net), 0);
    assert_int_equal(virtio_net_open(&second, &card.vp.dev, &card.options, &card.client), 0);
    assert_memory_not_equal(second.mac, card.net.mac, 6);
    assert_int_equal(virtio_net_close(&second), 0);
    assert_int_equal(fake_platform.live, 0);
}

static void mac_address_can_be_chosen(void **state)
{
    static const uint8_t mine[6] = {0x02, 1, 2, 3, 4, 5};

    (void)state;
    card_create_as(3, MAC);
    card.options.mac = mine;
    assert_int_equal(card_open(), 0);
    assert_memory_equal(card.net.mac, mine, 6);
    card_close();
}

static void link_follows_the_device(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, STATUS);
        card.dev.link_status = 0x0100; /* not the link bit, in either byte order */
        assert_int_equal(card_open(), 0);
        assert_false(card.net.link_up);
        card.dev.link_status = VIRTIO_NET_S_LINK_UP;
        virtio_net_poll(&card.net, 1);
        assert_int_equal(card.links, 0); /* the client was not told */
        fake_virtio_config_changed(&card.dev);
        assert_true(virtio_net_interrupt(&card.net));
        virtio_net_poll(&card.net, 1);
        assert_true(card.links == 1 && card.link_up);
        fake_virtio_config_changed(&card.dev); /* another field changed */
        assert_true(virtio_net_interrupt(&card.net));
        virtio_net_poll(&card.net, 1);
        assert_int_equal(card.links, 1);
        card_close();
        card_create_as(i, 0); /* without the feature the link is always up */
        card.dev.link_status = 0;
        assert_int_equal(card_open(), 0);
        assert_true(card.net.link_up);
        card_close();
    }
}

static void link_goes_at_last(struct fake_virtio *dev)
{
    if (dev->queue[0].enabled && !(dev->status & VIRTIO_STATUS_DRIVER_OK)) {
        dev->link_status = 0;
    }
}

/* A device need not report changes before DRIVER_OK. */
static void link_that_goes_before_the_device_tells_is_seen(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, STATUS);
        card.dev.link_status = VIRTIO_NET_S_LINK_UP;
        card.dev.on_status_read = link_goes_at_last;
        assert_int_equal(card_open(), 0);
        assert_int_equal(card.dev.link_status, 0);
        assert_false(card.net.link_up);
        card_close();
    }
}

static unsigned torn;

/* The address changes `torn` times while it is read. */
static void change_mac_within(struct fake_virtio *dev, unsigned offset)
{
    if (offset == 2 && torn > 0) {
        torn--;
        for (unsigned i = 0; i < 6; i++) {
            dev->mac[i] = (uint8_t)(dev->mac[i] ^ 0x44);
        }
        dev->generation++;
    }
}

static void torn_configuration_is_read_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        for (unsigned changes = 1; changes < 5; changes++) {
            card_create_as(i, MAC);
            torn = changes;
            card.dev.on_config_read = change_mac_within;
            assert_int_equal(card_open(), 0);
            assert_int_equal(torn, 0);
            assert_memory_equal(card.net.mac, card.dev.mac, 6);
            card_close();
        }
    }
}

static void configuration_that_never_holds_still_is_given_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, MAC);
        torn = UINT32_MAX;
        card.dev.on_config_read = change_mac_within;
        assert_int_equal(card_open(), VIRTIO_ERROR_IO);
        assert_true(card.dev.status & VIRTIO_STATUS_FAILED);
        assert_int_equal(fake_platform.live, 0);
    }
}

static void change_within_status(struct fake_virtio *dev, unsigned offset)
{
    if (offset == VIRTIO_NET_CONFIG_STATUS && torn > 0) {
        torn--;
        dev->generation++;
        dev->link_status ^=
            VIRTIO_NET_S_ANNOUNCE; /* for the legacy device without a generation: two bytes
                                    * differ */
    }
}

static void change_within_speed(struct fake_virtio *dev, unsigned offset)
{
    if (offset == VIRTIO_NET_CONFIG_SPEED && torn > 0) {
        torn--;
        dev->generation++;
    }
}

/*
 * However often a read fails, the change is not forgotten and each pass reports work. It is logged
 * once.
 */
static void torn_change_is_looked_at_again(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2 * CARD_RINGS; n++) {
        bool at_start = n % 2;
        unsigned passes = 0;

        card_create_as(n / 2, STATUS | MAC);
        card.dev.link_status = at_start ? VIRTIO_NET_S_LINK_UP : 0;
        card.dev.on_config_read = change_within_status;
        torn = at_start ? 100 : 0;
        assert_int_equal(card_open(), 0);
        if (!at_start) {
            torn = 100;
            card.dev.link_status = VIRTIO_NET_S_LINK_UP;
            fake_virtio_config_changed(&card.dev);
            assert_true(virtio_net_interrupt(&card.net));
        }
        for (; torn > 0; passes++) {
            assert_true(passes < 100);
            assert_false(card.net.link_up);
            assert_true(virtio_net_interrupts_on(&card.net, false));
            virtio_net_poll(&card.net, 1);
        }
        virtio_net_poll(&card.net, 1);
        assert_true(passes > 2);
        assert_true(card.net.link_up && card.links == 1 && card.link_up);
        assert_int_equal(fake_platform.lines, 1);
        assert_false(virtio_net_interrupts_on(&card.net, false));
        card_close();
    }
    card_create_as(3, STATUS | virtio_bit(VIRTIO_NET_F_SPEED_DUPLEX));
    card.dev.on_config_read = change_within_speed;
    card.dev.speed = 1000;
    torn = 50;
    assert_int_equal(card_open(), 0);
    while (torn > 0) {
        assert_int_equal(card.net.speed, 0);
        virtio_net_poll(&card.net, 1);
    }
    virtio_net_poll(&card.net, 1);
    assert_int_equal(card.net.speed, 1000);
    card_close();
}

static void withdraw_features(struct fake_virtio *dev)
{
    if (dev->status == 0) { /* it has been reset */
        dev->offered &= ~(virtio_bit(VIRTIO_NET_F_CTRL_VQ) | virtio_bit(VIRTIO_NET_F_CTRL_RX) |
                          virtio_bit(VIRTIO_NET_F_GUEST_CSUM));
    }
}

static void withdraw_at_reset(struct fake_virtio *dev, unsigned offset)
{
    (void)offset;
    dev->on_status_read = withdraw_features;
}

/*
 * The device is negotiated with again because its address is invalid, and now offers less. Features
 * that require the missing ones are not negotiated either.
 */
static void less_offered_the_second_time(void **state)
{
    const uint64_t all = virtio_bit(VIRTIO_NET_F_CTRL_VQ) | virtio_bit(VIRTIO_NET_F_CTRL_RX) |
                         virtio_bit(VIRTIO_NET_F_CTRL_MAC_ADDR) |
                         virtio_bit(VIRTIO_NET_F_MRG_RXBUF) | virtio_bit(VIRTIO_NET_F_GUEST_CSUM) |
                         virtio_bit(VIRTIO_NET_F_GUEST_TSO4) | MAC;

    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, all);
        memset(card.dev.mac, 0, sizeof card.dev.mac);
        card.dev.on_config_read = withdraw_at_reset;
        assert_int_equal(card_open(), 0);
        assert_false(card.dev.offered & virtio_bit(VIRTIO_NET_F_CTRL_VQ));
        assert_int_equal(card.dev.features & all, virtio_bit(VIRTIO_NET_F_MRG_RXBUF));
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mac_address_is_the_devices),
        cmocka_unit_test(mac_address_is_made_up_where_there_is_none),
        cmocka_unit_test(made_up_addresses_of_two_devices_differ),
        cmocka_unit_test(mac_address_can_be_chosen),
        cmocka_unit_test(less_offered_the_second_time),
        cmocka_unit_test(link_follows_the_device),
        cmocka_unit_test(link_that_goes_before_the_device_tells_is_seen),
        cmocka_unit_test(torn_configuration_is_read_again),
        cmocka_unit_test(torn_change_is_looked_at_again),
        cmocka_unit_test(configuration_that_never_holds_still_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
