/* SPDX-License-Identifier: BSD-2-Clause */
/* Statements of the specification that no other test covers: docs/conformance.md. */
#include <string.h>

#include "fake_card.h"

enum { RX = VIRTIO_NET_QUEUE_RX, TX = VIRTIO_NET_QUEUE_TX };

#define BIT(name) virtio_bit(VIRTIO_NET_F_##name)
#define CTRL BIT(CTRL_VQ)

static unsigned fields; /* of the configuration that were read, one bit per offset */

static void note_field(struct fake_virtio *dev, unsigned offset)
{
    (void)dev;
    fields |= 1u << offset;
}

/*
 * §2.5.1: an optional field is read only if its feature was negotiated. The address always exists
 * (§5.1.4); a legacy device is told it by its field, which is read back.
 */
static void fields_without_their_feature_are_not_read(void **state)
{
    const struct {
        uint64_t feature;
        unsigned fields;
    } cases[] = {
        {0, 0},
        {BIT(MAC), 0x3f},
        {BIT(STATUS), 1 << VIRTIO_NET_CONFIG_STATUS},
        {CTRL, 0},
        {CTRL | BIT(MQ), 1 << VIRTIO_NET_CONFIG_MAX_VIRTQUEUE_PAIRS},
        {BIT(MTU), 1 << VIRTIO_NET_CONFIG_MTU},
        {BIT(SPEED_DUPLEX), 1 << VIRTIO_NET_CONFIG_SPEED | 1 << VIRTIO_NET_CONFIG_DUPLEX},
    };

    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * sizeof cases / sizeof cases[0]; n++) {
        unsigned i = n / CARD_RINGS;
        bool legacy = n % CARD_RINGS < 2;
        unsigned expected = legacy && i == 6 ? 0 : cases[i].fields; /* it has no bit 63 */

        card_create_as(n % CARD_RINGS, cases[i].feature);
        card.dev.on_config_read = note_field;
        card.dev.mtu = 9000;
        fields = 0;
        assert_int_equal(card_open(), 0);
        fake_virtio_config_changed(&card.dev);
        assert_int_equal(card_interrupts(), 1);
        virtio_net_poll(&card.net, 8);
        assert_int_equal(fields, expected | (legacy ? 0x3f : 0));
        assert_int_equal(card.net.mtu, cases[i].feature == BIT(MTU) ? 9000 : 1500);
        card_close();
    }
}

static struct virtio_transport transport; /* the modern transport, except for reading the
                                           * configuration */
static const struct virtio_transport *modern;
static unsigned changes;    /* number of changes left */
static unsigned changes_at; /* after the field at this offset */

/* The link is up at 1000 Mbit/s or down at 100, and changes between two of its fields. */
static void change_link(void)
{
    bool fast = card.dev.speed != 1000;

    card.dev.generation++;
    card.dev.speed = fast ? 1000 : 100;
    card.dev.duplex = fast;
    card.dev.link_status = fast ? VIRTIO_NET_S_LINK_UP : 0;
}

static bool read_and_change(struct virtio_device *dev, unsigned offset, void *to, unsigned width,
                            unsigned count)
{
    bool whole = modern->config_read(dev, offset, to, width, count);

    if (whole && offset == changes_at && changes > 0) {
        changes--;
        change_link();
    }
    return whole;
}

static void check_link(void *context, bool up)
{
    (void)context;
    assert_int_equal(card.net.duplex, card.net.speed == 1000);
    assert_true(up == (card.net.speed == 1000) || !(card.dev.features & BIT(STATUS)));
    card.links++;
}

/* §2.5.1: several fields are from one state, or are read again. */
static void link_is_of_one_state(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 12; n++) {
        card_create_as(n % 2 ? CARD_PACKED : 3, BIT(SPEED_DUPLEX) | (n / 2 % 3 ? BIT(STATUS) : 0));
        card.dev.speed = 1000;
        card.dev.duplex = 1;
        card.client.link = check_link;
        assert_int_equal(card_attach(), 0);
        modern = card.vp.dev.transport;
        transport = *modern;
        transport.config_read = read_and_change;
        card.vp.dev.transport = &transport;
        changes_at = n / 2 % 3 == 1 ? VIRTIO_NET_CONFIG_STATUS : VIRTIO_NET_CONFIG_SPEED;
        changes = n / 6;
        assert_int_equal(card_open_net(), 0);
        for (unsigned round = 0; round < 6; round++) {
            changes = 1 + round % 3;
            change_link();
            fake_interrupt(&card.dev, VIRTIO_ISR_CONFIG, 0);
            assert_int_equal(card_interrupts(), 1);
            for (unsigned pass = 0; pass < 5; pass++) {
                virtio_net_poll(&card.net, 8);
            }
            assert_int_equal(changes, 0);
            assert_int_equal(card.net.speed, card.dev.speed);
            assert_int_equal(card.net.duplex, card.dev.duplex);
            assert_false(virtio_net_interrupts_on(&card.net, false));
        }
        assert_true(card.links > 0);
        card_close();
    }
}

static unsigned posted;

/* The status is read before each bit is added: DRIVER_OK is the last. */
static void look_before_driver_ok(struct fake_virtio *dev)
{
    const struct fake_queue *q = &dev->queue[RX];

    if (q->enabled && !(dev->status & VIRTIO_STATUS_DRIVER_OK)) {
        dev->status |= VIRTIO_STATUS_DRIVER_OK; /* the fake checks live queues only */
        posted = fake_peek(dev, RX);
        dev->status &= (uint8_t)~VIRTIO_STATUS_DRIVER_OK;
    }
}

/* §3.1.1: step 7 precedes step 8, also after a reset. */
static void queues_are_populated_before_the_device_is_live(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, CTRL | BIT(CTRL_RX) | BIT(MQ));
        card.dev.on_status_read = look_before_driver_ok;
        posted = 0;
        assert_int_equal(card_open(), 0);
        assert_int_equal(posted, VIRTIO_NET_RX_INITIAL);
        posted = 0;
        card.vp.dev.trouble = "a test";
        for (unsigned pass = 0; pass < 3; pass++) {
            virtio_net_poll(&card.net, 8);
        }
        assert_int_equal(card.net.counters.recoveries, 1);
        assert_int_equal(posted, VIRTIO_NET_RX_INITIAL);
        assert_true(card.dev.queue[RX].doorbells > 0);
        card_close();
    }
}

/*
 * §2.7.8.3: an answer that the device has not written according to its length does not count. On a
 * legacy device the length has no meaning (§5.1.6.1).
 */
static void answer_counts_where_it_was_written(void **state)
{
    static const uint32_t lies[] = {0, UINT32_MAX, 1, 12345};

    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * 4; n++) {
        bool written = lies[n % 4] != UINT32_MAX || n / 4 < 2;

        card_create_as(n / 4, CTRL | BIT(CTRL_RX) | BIT(CTRL_VLAN));
        assert_int_equal(card_open(), 0);
        card.dev.lie_answer_length = lies[n % 4]; /* all ones: the total overflows to 0 */
        assert_int_equal(virtio_net_set_vlan(&card.net, 7, true),
                         written ? 0 : VIRTIO_ERROR_REFUSED);
        card.dev.lie_answer_length = 0;
        assert_int_equal(virtio_net_set_vlan(&card.net, 8, true), 0);
        card_close();
    }
}

/*
 * §5.1.6.5.2.2: without CTRL_RX not even the address may be sent by command; a legacy device has a
 * field for it.
 */
static void address_is_not_commanded_without_ctrl_rx(void **state)
{
    static const uint8_t mac[6] = {2, 1, 2, 3, 4, 5};

    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, CTRL | BIT(CTRL_MAC_ADDR) | BIT(MAC));
        card.options.mac = mac;
        assert_int_equal(card_open(), 0);
        assert_int_equal(virtio_net_set_mac(&card.net, mac), i < 2 ? 0 : VIRTIO_ERROR_UNSUPPORTED);
        assert_int_equal(card.dev.commands, 0);
        assert_int_equal(memcmp(card.dev.mac, mac, 6) == 0, i < 2);
        card_close();
    }
}

/*
 * §5.1.6.4.2: unknown flags are ignored, and so is a checksum position without a missing checksum.
 */
static void header_of_a_frame_says_what_it_may(void **state)
{
    (void)state;
    for (unsigned n = 0; n < CARD_RINGS * 256; n++) {
        uint8_t flags = (uint8_t)(n / CARD_RINGS);
        bool partial = flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;

        card_create_as(n % CARD_RINGS, BIT(GUEST_CSUM));
        assert_int_equal(card_open(), 0);
        card.dev.rx_offload = (struct fake_offload){flags, 0, 0xffff, 0xffff, 34, 16};
        assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        assert_int_equal(card.rx_offload.flags, flags & 3);
        assert_int_equal(card.rx_offload.csum_start, partial ? 34 : 0);
        assert_int_equal(card.rx_offload.csum_offset, partial ? 16 : 0);
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_without_their_feature_are_not_read),
        cmocka_unit_test(link_is_of_one_state),
        cmocka_unit_test(queues_are_populated_before_the_device_is_live),
        cmocka_unit_test(answer_counts_where_it_was_written),
        cmocka_unit_test(address_is_not_commanded_without_ctrl_rx),
        cmocka_unit_test(header_of_a_frame_says_what_it_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
