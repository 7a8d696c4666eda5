/* SPDX-License-Identifier: BSD-2-Clause */
/* Trouble at odd times: before a device is live, between passes, again; and what was refused before. */
#include "trouble_card.h"

/* What the client does in link(). */
static void sends_in_link(void *context, bool up)
{
    (void)context;
    card.links++;
    card.link_up = up;
    assert_int_equal(send(), up ? 0 : VIRTIO_ERROR_DOWN);
    virtio_net_flush(&card.net);
}

/* The time that frames were stuck before the reset is not that of the first one after it. */
static void watchdog_begins_anew(void **state)
{
    (void)state;
    for (unsigned ring = 0; ring < CARD_RINGS; ring++) {
        start(ring, 0, 0);
        card.client.link = sends_in_link;
        assert_int_equal(send(), 0);
        for (unsigned pass = 0; card.net.recovery == VIRTIO_NET_WELL; pass++) {
            assert_true(pass < 1000);
            virtio_net_poll(&card.net, 8);
            fake_platform.clock_ns += 40 * MS;
        }
        polls(1);
        assert_int_equal(card.net.counters.recoveries, 1);
        polls(200); /* the device has not come to the frame yet */
        assert_int_equal(card.net.recovery, VIRTIO_NET_WELL);
        assert_int_equal(fake_tx_run(&card.dev), 1);
        card.client = usual;
        check_works();
        assert_int_equal(card.net.counters.recoveries, 1);
        stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watchdog_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
