/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames transmitted by the NE2000 driver. */
#include "ne2000_card.h"

static void frames_go_out_whole_and_padded(void **state)
{
    (void)state;
    for (unsigned length = 14; length <= 1518; length += length < 80 ? 1 : 7) {
        unsigned wire = length < 60 ? 60 : length;

        fake_dp8390.sent_count = 0;
        assert_int_equal(send_frame(length % 128, length), 0);
        assert_int_equal(fake_dp8390.sent_count, 1);
        assert_int_equal(fake_dp8390.sent_length[0], wire);
        assert_memory_equal(fake_dp8390.sent[0], frame_of(length % 128, length), length);
        for (unsigned i = length; i < wire; i++) {
            assert_int_equal(fake_dp8390.sent[0][i], 0);
        }
        (void)nic_ne2000.poll(card, 64);
    }
    assert_int_equal(counters().tx.packets, counters().tx.kicks);
}

/*
 * Two frames are in the card's buffers, the others wait. The loop may sleep until the card is
 * ready.
 */
static void slow_card_is_given_one_after_the_other(void **state)
{
    unsigned added = 1;

    (void)state;
    fake_dp8390.slow = true;
    while (nic_ne2000.has_room(card, 1, 3, 0)) {
        assert_int_equal(send_frame(added++, 100), 0);
    }
    assert_int_equal(added - 1, NE2000_TX_FRAMES);
    assert_int_equal(send_frame(0, 100), NIC_FULL);
    (void)nic_ne2000.poll(card, 64);
    assert_int_equal(cookies[1], 1);
    assert_int_equal(cookies[2], 1);
    assert_int_equal(cookies[3], 0);
    for (unsigned i = 1; i < added; i++) {
        assert_false(nic_ne2000.interrupts_on(card, true));
        assert_false(fake_dp8390_line());
        fake_dp8390_sent();
        assert_true(fake_dp8390_line() || i + 1 == added);
        assert_true(nic_ne2000.interrupt(card) || i + 1 == added);
        (void)nic_ne2000.poll(card, 64);
        assert_int_equal(fake_dp8390.sent_count, i);
    }
    for (unsigned i = 1; i < added; i++) {
        assert_int_equal(cookies[i], 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(frames_go_out_whole_and_padded),
        TEST(slow_card_is_given_one_after_the_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
