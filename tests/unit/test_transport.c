/* SPDX-License-Identifier: BSD-2-Clause */
/* Device initialisation over both transports: what the device sees, and in which order. */
#include <string.h>

#include "fake_card.h"

enum {
    ACK = VIRTIO_STATUS_ACKNOWLEDGE,
    DRV = VIRTIO_STATUS_DRIVER,
    F_OK = VIRTIO_STATUS_FEATURES_OK,
    D_OK = VIRTIO_STATUS_DRIVER_OK,
    FAILED = VIRTIO_STATUS_FAILED,
};

#define ALL_BITS UINT64_MAX

static void check_statuses(const uint64_t *expected, unsigned count)
{
    uint64_t got[16];

    assert_int_equal(card_events(FAKE_STATUS, got, 16), count);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(got[i], expected[i]);
    }
}

/* virtio 1.3 §3.1.1, steps 1 to 8. */
static void status_is_written_in_order(void **state)
{
    const uint64_t legacy[] = {0, ACK, ACK | DRV, ACK | DRV | D_OK};
    const uint64_t modern[] = {0, ACK, ACK | DRV, ACK | DRV | F_OK, ACK | DRV | F_OK | D_OK};

    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        card_create_as(i, 0);
        assert_int_equal(card_open(), 0);
        if (i < 2) {
            check_statuses(legacy, 4);
        } else {
            check_statuses(modern, 5);
        }
        card_close();
    }
}

/* Features before queues, queues before DRIVER_OK, no doorbell before that. */
static void everything_happens_at_its_time(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        unsigned queues = 0, features = 0, doorbells = 0;

        card_create_as(i, 0);
        assert_int_equal(card_open(), 0);
        for (unsigned e = 0; e < card.dev.events; e++) {
            const struct fake_event *event = &card.dev.event[e];

            switch (event->kind) {
            case FAKE_FEATURES:
                features++;
                assert_int_equal(queues, 0);
                break;
            case FAKE_QUEUE:
                assert_int_equal(event->value, queues++);
                break;
            case FAKE_DOORBELL:
                assert_int_equal(event->value, VIRTIO_NET_QUEUE_RX);
                assert_int_equal(card.dev.status & D_OK, D_OK);
                doorbells++;
                break;
            default:
                assert_true(!(event->value & D_OK) || queues == 2);
            }
        }
        assert_int_equal(queues, 2);
        assert_int_equal(features, i < 2 ? 1 : 2);
        assert_int_equal(doorbells, 1); /* the first receive buffers */
        card_close();
    }
}

/*
 * The interrupt handler is installed between the two calls: no interrupt comes before, and none is
 * lost after.
 */
static void device_is_live_from_the_start_on(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        uint64_t doorbell;
        unsigned events;

        card_create_as(i, virtio_bit(VIRTIO_NET_F_CTRL_VQ) | virtio_bit(VIRTIO_NET_F_CTRL_RX));
        assert_int_equal(card_attach(), 0);
        assert_int_equal(virtio_net_open(&card.net, &card.vp.dev, &card.options, &card.client), 0);
        assert_false(card.dev.status & D_OK);
        assert_int_equal(card_events(FAKE_DOORBELL, &doorbell, 1), 0);
        assert_int_equal(card.net.rx_posted, 0);
        vpci_enable_line(&card.vp.pci);
        virtio_net_start(&card.net);
        assert_true(card.dev.status & D_OK);
        assert_true(card.net.link_up);
        events = card.dev.events;
        virtio_net_start(&card.net); /* has no effect the second time */
        assert_int_equal(card.dev.events, events);
        assert_false(virtio_net_interrupts_on(&card.net, false));
        assert_true(fake_rx(&card.dev, "a frame", 7));
        assert_true(fake_line(&card.dev));
        card_close();
    }
}

/* True if a feature does not require another one (virtio 1.3 §5.1.3.1). */
static bool stands_alone(unsigned bit)
{
    static const uint8_t dependent[] = {
        VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
        VIRTIO_NET_F_GUEST_TSO4,
        VIRTIO_NET_F_GUEST_TSO6,
        VIRTIO_NET_F_GUEST_ECN,
        VIRTIO_NET_F_HOST_TSO4,
        VIRTIO_NET_F_HOST_TSO6,
        VIRTIO_NET_F_HOST_ECN,
        VIRTIO_NET_F_CTRL_RX,
        VIRTIO_NET_F_CTRL_VLAN,
        VIRTIO_NET_F_CTRL_RX_EXTRA,
        VIRTIO_NET_F_GUEST_ANNOUNCE,
        VIRTIO_NET_F_MQ,
        VIRTIO_NET_F_CTRL_MAC_ADDR,
        VIRTIO_NET_F_GUEST_USO4,
        VIRTIO_NET_F_GUEST_USO6,
        VIRTIO_NET_F_HOST_USO,
    };

    return memchr(dependent, (int)bit, sizeof dependent) == NULL;
}

static void only_offered_and_known_bits_are_acknowledged(void **state)
{
    const uint64_t known = VIRTIO_NET_FEATURES;

    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        /* ANY_LAYOUT exists on the legacy interface only (§6.3). */
        uint64_t mask = i < 2 ? UINT32_MAX : ~virtio_bit(VIRTIO_F_ANY_LAYOUT);

        card_create_as(i, ALL_BITS);
        assert_int_equal(card_open(), 0);
        assert_true(card.dev.features == (known & mask));
        assert_false(card.dev.features & virtio_bit(VIRTIO_F_BAD_FEATURE));
        card_close();

        /* Each bit separately; the fake device fails on a bit that it did not offer. */
        for (unsigned bit = 0; bit < 64; bit++) {
            uint64_t version = i < 2 ? 0 : virtio_bit(VIRTIO_F_VERSION_1);

            card_create_as(i, virtio_bit(bit));
            assert_int_equal(card_open(), 0);
            assert_true(card.dev.features ==
                        ((stands_alone(bit) ? virtio_bit(bit) & known & mask : 0) | version));
            card_close();
        }
    }
}

static void options_mask_features_but_not_version_1(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        card_create_as(i, ALL_BITS);
        card.options.features = virtio_bit(VIRTIO_NET_F_MAC) | virtio_bit(VIRTIO_NET_F_RSS);
        assert_int_equal(card_open(), 0);
        assert_true(card.dev.features ==
                    (virtio_bit(VIRTIO_NET_F_MAC) | (i < 2 ? 0 : virtio_bit(VIRTIO_F_VERSION_1))));
        card_close();
    }
}

static void refused_features_fail_the_device(void **state)
{
    const uint64_t expected[] = {0, ACK, ACK | DRV, ACK | DRV | F_OK, ACK | DRV | FAILED};

    (void)state;
    card_create(FAKE_MODERN, ALL_BITS);
    card.dev.refuses_features = true;
    assert_int_equal(card_open(), VIRTIO_ERROR_FEATURES);
    check_statuses(expected, 5);
    assert_int_equal(card_events(FAKE_QUEUE, (uint64_t[2]){0}, 2), 0);
    assert_int_equal(fake_platform.live, 0);
    assert_true(fake_platform.lines > 0);
    /* The log names accepted features, and those offered but not accepted. */
    assert_non_null(strstr(fake_platform.log, "refuses these features: csum guest_csum "));
    card_create(FAKE_MODERN, virtio_bit(VIRTIO_F_ACCESS_PLATFORM) | virtio_bit(4));
    card.dev.refuses_features = true;
    card.options.features = 0;
    assert_int_equal(card_open(), VIRTIO_ERROR_FEATURES);
    assert_non_null(strstr(fake_platform.log, "refuses these features: version_1\n"));
    assert_non_null(strstr(fake_platform.log, "was not accepted: 4 access_platform\n"));
}

static void modern_device_without_version_1_is_refused(void **state)
{
    (void)state;
    card_create(FAKE_MODERN, 0);
    card.dev.offered = virtio_bit(VIRTIO_NET_F_MAC);
    assert_int_equal(card_open(), VIRTIO_ERROR_IO);
    assert_int_equal(card.dev.status, ACK | DRV | FAILED);
    assert_int_equal(card_events(FAKE_FEATURES, (uint64_t[2]){0}, 2), 0);
}

static void reset_is_waited_for(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        card_create_as(i, 0);
        card.dev.status = ACK | DRV | D_OK; /* left by a previous driver */
        card.dev.reset_takes = 1000;
        fake_platform.clock_step = 1000;
        assert_int_equal(card_open(), 0); /* the fake fails if the status is written during the
                                           * reset */
        assert_int_equal(card.dev.reset_left, 0);
        card_close();
        assert_int_equal(card.dev.reset_left, 0); /* before memory was freed */
    }
}

static void reset_that_never_ends_is_given_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        card_create_as(i, 0);
        card.dev.status = ACK | DRV | D_OK;
        card.dev.reset_takes = UINT32_MAX;
        fake_platform.clock_step = 1000000;
        assert_int_equal(card_open(), VIRTIO_ERROR_IO);
        assert_true(fake_platform.clock_ns >= 1000000000 && fake_platform.clock_ns < 3000000000u);
        assert_int_equal(card_events(FAKE_QUEUE, (uint64_t[2]){0}, 2), 0);
        assert_int_equal(card.dev.status, 0); /* nothing is written during the reset */
        assert_int_equal(fake_platform.live, 0);
    }
}

/*
 * Opening fails in the way `how` after the device knows queues. The fake fails if memory is freed
 * that the device still owns. Returns the number of blocks kept.
 */
static unsigned open_fails(unsigned interface, unsigned how, bool resets)
{
    card_create_as(interface, virtio_bit(VIRTIO_NET_F_CTRL_VQ));
    card.dev.never_resets_queues = !resets;
    fake_platform.clock_step = 1000000;
    switch (how) {
    case 0: /* no memory for receive buffers */
        card.options.rx_memory = 1;
        break;
    case 1:
        card.dev.queue[VIRTIO_NET_QUEUE_TX].size = 0;
        break;
    case 2:
        card.dev.queue[VIRTIO_NET_QUEUE_CTRL].size = 0;
        break;
    default: /* each allocation in turn */
        fake_platform.fail_nth = how - 2;
        break;
    }
    assert_int_not_equal(card_open(), 0);
    assert_int_equal(card_events(FAKE_DOORBELL, (uint64_t[2]){0}, 2), 0);
    assert_int_equal(card.dev.status, resets ? FAILED : card.dev.status);
    return fake_platform.live;
}

static void memory_of_queues_is_kept_where_the_reset_never_ends(void **state)
{
    unsigned allocations;

    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, virtio_bit(VIRTIO_NET_F_CTRL_VQ));
        assert_int_equal(card_open(), 0);
        allocations = fake_platform.allocations - VIRTIO_NET_RX_INITIAL;
        card_close();
        for (unsigned how = 0; how < 3 + allocations; how++) {
            assert_int_equal(open_fails(i, how, true), 0);
            if (open_fails(i, how, false) == 0) {
                assert_false(card.dev.reset_takes == UINT32_MAX); /* there was no queue yet */
            }
        }
    }
}

/* The device may still write to the memory, so it is not freed. */
static void close_keeps_the_memory_of_a_device_that_does_not_reset(void **state)
{
    unsigned live;

    (void)state;
    card_create(FAKE_MODERN, 0);
    assert_int_equal(card_open(), 0);
    live = fake_platform.live;
    card.dev.reset_takes = UINT32_MAX;
    fake_platform.clock_step = 1000000;
    assert_int_equal(virtio_net_close(&card.net), VIRTIO_ERROR_IO);
    assert_int_equal(fake_platform.live, live);
    virtio_device_fail(&card.vp.dev); /* the fake fails if the status is written during the reset */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_is_written_in_order),
        cmocka_unit_test(everything_happens_at_its_time),
        cmocka_unit_test(device_is_live_from_the_start_on),
        cmocka_unit_test(only_offered_and_known_bits_are_acknowledged),
        cmocka_unit_test(options_mask_features_but_not_version_1),
        cmocka_unit_test(refused_features_fail_the_device),
        cmocka_unit_test(modern_device_without_version_1_is_refused),
        cmocka_unit_test(reset_is_waited_for),
        cmocka_unit_test(reset_that_never_ends_is_given_up),
        cmocka_unit_test(memory_of_queues_is_kept_where_the_reset_never_ends),
        cmocka_unit_test(close_keeps_the_memory_of_a_device_that_does_not_reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
