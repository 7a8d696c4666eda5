/* SPDX-License-Identifier: BSD-2-Clause */
/* The network device's memory: receive buffers of device and client, opening and closing. */
#include <string.h>

#include "fake_card.h"

enum { RX = VIRTIO_NET_QUEUE_RX };

/* The client may keep any number, but the limit holds; released buffers are used again. */
static void memory_has_a_ceiling(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        uint32_t most;

        card_create_as(i, 0);
        card.options.rx_memory = 100000;
        assert_int_equal(card_open(), 0);
        most = 100000 / card.net.rx_buffer_size;
        assert_false(virtio_net_scarce(&card.net));
        card.holds = true;
        while (card_deliver_all() != 0) {
            virtio_net_poll(&card.net, 1000);
            assert_true(card.net.rx_buffers <= most);
            assert_int_equal(virtio_net_scarce(&card.net),
                             card.net.rx_buffers == most && card_posted() < most / 4);
        }
        assert_int_equal(card.net.rx_buffers, most);
        assert_int_equal(card_posted(), 0);
        assert_true(card.net.counters.rx_at_ceiling > 0);
        assert_true(virtio_net_scarce(&card.net));
        /* A released buffer is posted at once, without a poll. */
        fake_want_kick(&card.dev, RX, true);
        virtio_net_release(&card.net, card.held[--card.helds]);
        assert_int_equal(card_posted(), 1);
        card_release_all();
        card.holds = false;
        virtio_net_poll(&card.net, 8);
        assert_true(card_deliver_all() > 1);
        virtio_net_poll(&card.net, 1000);
        assert_true(card.net.rx_peak <= most);
        card_close();
    }
}

/*
 * With a ceiling of one to three buffers the last one remains in circulation, too: a client that
 * releases a buffer after a further frame would wait for that frame forever.
 */
static void last_buffer_is_scarce(void **state)
{
    (void)state;
    for (unsigned most = 1; most <= 3; most++) {
        card_create_as(3, 0);
        card.options.rx_memory = most * 1650;
        assert_int_equal(card_open(), 0);
        assert_int_equal(card.net.rx_buffers_max, most);
        card.holds = true;
        while (card_posted() > 0) {
            assert_false(virtio_net_scarce(&card.net));
            assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
            assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        }
        assert_int_equal(card.helds, most);
        assert_true(virtio_net_scarce(&card.net));
        card_close();
    }
}

static void ceiling_below_one_buffer_is_refused(void **state)
{
    (void)state;
    card_create_as(3, 0);
    card.options.rx_memory = 100;
    assert_int_equal(card_open(), VIRTIO_ERROR_NOMEM);
    assert_true(strstr(fake_platform.log, "not one receive buffer") != NULL);
    assert_int_equal(fake_platform.live, 0);
}

/* The largest value of the option exceeds any queue. */
static void maximum_beyond_any_queue_is_survived(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, 0);
        card.options.rx_maximum = UINT16_MAX;
        assert_int_equal(card_open(), 0);
        assert_int_equal(card.net.rx_maximum, i < 2 ? 128 : 256); /* of 256 descriptors */
        card_close();
    }
}

static void budget_is_kept(void **state)
{
    (void)state;
    card_create_as(3, 0);
    card.options.rx_initial = 20;
    assert_int_equal(card_open(), 0);
    assert_int_equal(card_deliver_all(), 20);
    assert_int_equal(virtio_net_poll(&card.net, 0), 0);
    assert_int_equal(virtio_net_poll(&card.net, 7), 7);
    assert_int_equal(card.rx_frames, 7);
    assert_int_equal(virtio_net_poll(&card.net, 7), 7);
    assert_int_equal(virtio_net_poll(&card.net, 7), 6);
    assert_int_equal(virtio_net_poll(&card.net, 7), 0);
    card_close();
}

/* Buffers that the client keeps are replaced, and taken back when released. */
static void client_may_keep_buffers(void **state)
{
    unsigned allocations;

    (void)state;
    card_create_as(3, 0);
    card.options.rx_initial = card.options.rx_maximum = 16;
    assert_int_equal(card_open(), 0);
    card.holds = true;
    assert_int_equal(card_deliver_all(), 16);
    assert_int_equal(virtio_net_poll(&card.net, 100), 16);
    assert_int_equal(card_posted(), 16);
    for (unsigned i = 0; i < card.helds; i++) {
        for (unsigned j = 0; j < i; j++) {
            assert_ptr_not_equal(card.held[i], card.held[j]);
        }
    }
    card_release_all();
    card.holds = false;
    allocations = fake_platform.allocations;
    assert_int_equal(card_deliver_all(), 16);
    assert_int_equal(virtio_net_poll(&card.net, 100), 16);
    assert_int_equal(fake_platform.allocations, allocations);
    card_close();
}

static void starved_receiver_recovers_with_the_next_poll(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        unsigned doorbells;

        card_create_as(i, 0);
        card.options.rx_initial = 2;
        assert_int_equal(card_open(), 0);
        fake_platform.fail_all = true;
        card.holds = true; /* the client releases nothing */
        assert_int_equal(card_deliver_all(), 2);
        assert_int_equal(virtio_net_poll(&card.net, 100), 2);
        assert_int_equal(card_posted(), 0);
        assert_true(card.net.counters.rx_no_memory > 0);
        fake_platform.fail_all = false;
        doorbells = card.dev.queue[RX].doorbells;
        fake_want_kick(&card.dev, RX, true);
        assert_int_equal(virtio_net_poll(&card.net, 100), 0);
        assert_true(card_posted() >= 2);
        assert_int_equal(card.dev.queue[RX].doorbells, doorbells + 1); /* the device is notified */
        assert_true(card_deliver_all() >= 2);
        assert_true(virtio_net_poll(&card.net, 100) >= 2);
        card_close();
    }
}

/* Each allocation in turn fails. Memory that is not needed at once may be missing. */
static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        unsigned opened = 0;

        for (unsigned nth = 1; opened < 3; nth++) {
            int error;

            assert_true(nth < 50);
            card_create_as(i, UINT64_MAX);
            card.options.rx_initial = 2;
            assert_int_equal(card_attach(), 0);
            fake_platform.fail_nth = nth;
            error = card_open_net();
            if (error != 0) {
                assert_int_equal(opened, 0);
                assert_int_equal(error, VIRTIO_ERROR_NOMEM);
                assert_true(card.dev.status & VIRTIO_STATUS_FAILED);
                assert_false(card.dev.status & VIRTIO_STATUS_DRIVER_OK);
                assert_int_equal(fake_platform.live, 0);
                assert_true(fake_platform.lines > 0);
                continue;
            }
            opened++; /* a buffer was missing: the next poll allocates it */
            virtio_net_poll(&card.net, 8);
            assert_int_equal(card_posted(), 2);
            card_close();
        }
    }
}

static void device_can_be_opened_again(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, UINT64_MAX);
        assert_int_equal(card_attach(), 0);
        for (unsigned round = 0; round < 5; round++) {
            assert_int_equal(card_open_net(), 0);
            assert_int_equal(card_deliver_all(), VIRTIO_NET_RX_MERGED);
            assert_int_equal(virtio_net_poll(&card.net, 64), VIRTIO_NET_RX_MERGED);
            card_close();
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_has_a_ceiling),
        cmocka_unit_test(last_buffer_is_scarce),
        cmocka_unit_test(ceiling_below_one_buffer_is_refused),
        cmocka_unit_test(maximum_beyond_any_queue_is_survived),
        cmocka_unit_test(budget_is_kept),
        cmocka_unit_test(client_may_keep_buffers),
        cmocka_unit_test(starved_receiver_recovers_with_the_next_poll),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(device_can_be_opened_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
