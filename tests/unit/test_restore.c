/* SPDX-License-Identifier: BSD-2-Clause */
/* What a recovery restores, counts and leaves unchanged, and what does not cause one. */
#include <string.h>

#include "trouble_card.h"
#include "virtio/internal/virtio_net_ctrl.h"

static void ask_for_reset(void)
{
    card.dev.status |= VIRTIO_STATUS_DEVICE_NEEDS_RESET;
    fake_virtio_config_changed(&card.dev);
    assert_true(card_interrupts() > 0);
}

static void recover(void)
{
    uint32_t before = card.net.counters.recoveries;

    ask_for_reset();
    polls(3);
    assert_int_equal(card.net.counters.recoveries, before + 1);
}

/* The VLANs that were added and not removed. */
static void vlans_are_those_that_were_set(void **state)
{
    static const uint16_t vlans[] = {31, VIRTIO_NET_VLAN_MAX};

    (void)state;
    for (unsigned n = 0; n < 2 * CARD_RINGS; n++) {
        uint8_t command[4] = {2, 0};

        start(n / 2, 0, 0);
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(virtio_net_set_vlan(&card.net, vlans[i], true), 0);
        }
        assert_int_equal(virtio_net_set_vlan(&card.net, vlans[n % 2], false), 0);
        recover();
        assert_int_equal(card.dev.vlans, 1);
        fake_put(&card.dev, command + 2, 2, vlans[!(n % 2)]);
        assert_int_equal(card.dev.command_length, 4);
        assert_memory_equal(card.dev.command, command, 4);
        check_works();
        stop();
    }
}

/* If the groups exceed the table they are received by ALLMULTI, also after the reset. */
static void all_groups_are_received_again(void **state)
{
    static uint8_t groups[VIRTIO_NET_TABLE_MAX + 1][6];

    (void)state;
    for (unsigned i = 0; i <= VIRTIO_NET_TABLE_MAX; i++) {
        memcpy(groups[i], (uint8_t[]){1, 0, 0x5e, 0, 1, (uint8_t)i}, 6);
    }
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        assert_int_equal(virtio_net_set_mac_table(&card.net, NULL, 0, (const uint8_t(*)[6])groups,
                                                  VIRTIO_NET_TABLE_MAX + 1),
                         0);
        assert_true(card.dev.rx_mode & VIRTIO_NET_RX_ALLMULTI);
        recover();
        assert_true(card.dev.rx_mode & VIRTIO_NET_RX_ALLMULTI);
        check_works();
        stop();
    }
}

/* Frames that the device sent before the reset are not counted as lost. */
static void frames_sent_before_the_reset_are_not_lost(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        assert_int_equal(send(), 0);
        assert_int_equal(send(), 0);
        ask_for_reset();
        polls(1);
        assert_int_not_equal(card.net.recovery, VIRTIO_NET_WELL);
        assert_true(fake_tx_take(&card.dev));
        fake_use(&card.dev, TX, card.dev.tx_chain.head, 0);
        polls(3);
        assert_int_equal(card.net.counters.recoveries, 1);
        assert_int_equal(card.sents, 2);
        assert_int_equal(card.net.counters.tx_lost, 1);
        check_works();
        stop();
    }
}

/* The queue's memory has the layout of its previous size. */
static void queue_that_has_shrunk_is_not_used(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2 * CARD_RINGS; n++) {
        struct fake_queue *q = &card.dev.queue[n % 2 ? RX : TX];

        start(n / 2, 0, 0);
        q->size /= 4;
        card.dev.offered &= ~BIT(STATUS);
        ask_for_reset();
        polls(3);
        assert_int_equal(card.net.counters.recoveries, 0);
        assert_int_equal(card.net.recovery, VIRTIO_NET_WAITS);
        q->size *= 4;
        card.dev.offered |= BIT(STATUS); /* the missing feature is negotiated again */
        fake_platform.clock_ns += 120000ull * MS;
        polls(3);
        assert_int_equal(card.net.counters.recoveries, 1);
        assert_true(card.dev.features & BIT(STATUS));
        check_works();
        stop();
    }
}

static unsigned doorbells;

static void flushes_in_link(void *context, bool up)
{
    (void)context;
    if (!up) {
        virtio_net_flush(&card.net);
        assert_int_equal(card.dev.queue[TX].doorbells, doorbells);
    }
}

/* Nothing is written to a device that requested a reset, whatever the client does. */
static void no_doorbell_is_rung_before_the_reset(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        card.client.link = flushes_in_link;
        fake_want_kick(&card.dev, TX, true);
        assert_int_equal(send(), 0);
        doorbells = card.dev.queue[TX].doorbells;
        recover();
        card.client = usual;
        check_works();
        stop();
    }
}

/* A slow reset does not interrupt when it completes. */
static void loop_does_not_sleep_during_a_reset(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        card.dev.reset_takes = 5;
        ask_for_reset();
        polls(2);
        assert_int_equal(card.net.recovery, VIRTIO_NET_RESETS);
        assert_true(virtio_net_interrupts_on(&card.net, false));
        polls(10);
        assert_int_equal(card.net.counters.recoveries, 1);
        check_works();
        stop();
    }
}

/* Frames are always in flight and always come back: the device is not checked. */
static void device_that_sends_is_not_stuck(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        card.dev.ignores_commands = true; /* a check would find it dead */
        assert_int_equal(send(), 0);
        for (unsigned pass = 0; pass < 300; pass++) {
            assert_int_equal(send(), 0);
            assert_true(fake_tx_take(&card.dev));
            fake_use(&card.dev, TX, card.dev.tx_chain.head, 0);
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 40 * MS;
        }
        assert_int_equal(card.dev.late.count, 0);
        card.dev.ignores_commands = false;
        assert_int_equal(card.net.recovery, VIRTIO_NET_WELL);
        check_works();
        assert_int_equal(card.net.counters.recoveries, 0);
        stop();
    }
}

/* A buffer for a queue that breaks in the same pass is kept. */
static void buffer_that_a_broken_queue_does_not_take_is_kept(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        card.holds = true;
        fake_platform.fail_all = true;
        assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
        polls(1);
        fake_platform.fail_all = false;
        assert_true(card.net.rx_posted < card.net.rx_limit);
        break_queue(RX);
        polls(3);
        assert_int_equal(card.net.counters.recoveries, 1);
        card.holds = false;
        card_release_all();
        check_works();
        stop(); /* no memory is left */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vlans_are_those_that_were_set),
        cmocka_unit_test(all_groups_are_received_again),
        cmocka_unit_test(frames_sent_before_the_reset_are_not_lost),
        cmocka_unit_test(queue_that_has_shrunk_is_not_used),
        cmocka_unit_test(no_doorbell_is_rung_before_the_reset),
        cmocka_unit_test(loop_does_not_sleep_during_a_reset),
        cmocka_unit_test(device_that_sends_is_not_stuck),
        cmocka_unit_test(buffer_that_a_broken_queue_does_not_take_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
