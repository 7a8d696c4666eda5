/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames received by the NE2000 driver. */
#include "ne2000_card.h"

/* Frames of every length, until the ring has wrapped several times. */
static void frames_come_in_whole(void **state)
{
    (void)state;
    for (unsigned length = 60; length <= 1518; length++) {
        received_count = 0;
        assert_true(fake_dp8390_receive(frame_of(length, length), length));
        assert_int_equal(nic_ne2000.poll(card, 64), 1);
        assert_int_equal(received_count, 1);
        assert_received(0, length, length);
    }
    assert_int_equal(counters().rx_bad, 0);
    assert_int_equal(counters().rx.packets, 1459);
    assert_int_equal(counters().rx_buffers, NE2000_RX_INITIAL);
}

static void full_ring_is_emptied_within_the_budget(void **state)
{
    unsigned frames = 0;

    (void)state;
    while (fake_dp8390_receive(frame_of(frames, 100), 100)) {
        frames++;
    }
    fake_dp8390.isr &= (uint8_t)~DP8390_ISR_OVW; /* QEMU's card does not set OVW */
    assert_int_equal(frames, 0xc0 - NE2000_RING_FIRST - 2);
    assert_int_equal(nic_ne2000.poll(card, 64), 64);
    assert_true(nic_ne2000.interrupts_on(card, false));
    assert_int_equal(nic_ne2000.poll(card, 64), frames - 64);
    assert_int_equal(nic_ne2000.poll(card, 64), 0);
    assert_false(nic_ne2000.interrupts_on(card, false));
    for (unsigned i = 0; i < frames; i++) {
        assert_received(i, i, 100);
    }
}

static void overwrite_warning_is_recovered_from(void **state)
{
    unsigned frames = 0, starts;

    (void)state;
    fake_dp8390.slow = true;
    assert_int_equal(send_frame(1, 100), 0); /* in flight during the recovery */
    while (fake_dp8390_receive(frame_of(frames, 1000), 1000)) {
        frames++;
    }
    starts = fake_dp8390.starts;
    assert_int_equal(nic_ne2000.poll(card, 64), frames);
    assert_int_equal(fake_dp8390.starts, starts + 1);
    assert_int_equal(counters().rx.full, 1);
    assert_int_equal(fake_dp8390.page[0][DP8390_TCR], 0);
    assert_false(fake_dp8390.isr & DP8390_ISR_OVW);
    fake_dp8390_sent(); /* interrupted and restarted by the recovery */
    assert_true(fake_dp8390_receive(frame_of(frames, 1000), 1000));
    assert_int_equal(nic_ne2000.poll(card, 64), 1);
}

static void nonsense_resets_the_receiver(void **state)
{
    static const struct {
        unsigned byte;
        uint8_t value;
    } lies[] = {{0, 0},    {1, 0},    {1, 0xff}, {1, NE2000_RING_FIRST + 5},
                {3, 0xff}, {3, 0x06}, {2, 3}};

    (void)state;
    for (unsigned i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        uint8_t *header = &fake_dp8390.memory[fake_dp8390.curr * 256];

        received_count = 0;
        assert_true(fake_dp8390_receive(frame_of(i, 100), 100));
        header[lies[i].byte] = lies[i].value;
        (void)nic_ne2000.poll(card, 64);
        assert_int_equal(received_count, 0);
        assert_int_equal(counters().rx_bad, i + 1);
        assert_true(fake_dp8390_receive(frame_of(i, 200), 200));
        assert_int_equal(nic_ne2000.poll(card, 64), 1);
        assert_received(0, i, 200);
    }
}

static void stack_that_keeps_all_buffers_is_told(void **state)
{
    static void *kept[NE2000_RX_BUFFERS];

    (void)state;
    for (unsigned i = 0; i < NE2000_RX_BUFFERS; i++) {
        received_count = 0;
        assert_int_equal(nic_ne2000.scarce(card), i > NE2000_RX_BUFFERS - 32);
        assert_true(fake_dp8390_receive(frame_of(i, 60), 60));
        assert_int_equal(nic_ne2000.poll(card, 64), 1);
        kept[i] = received[0].buffer;
    }
    received_count = 0;
    assert_true(fake_dp8390_receive(frame_of(0, 60), 60));
    (void)nic_ne2000.poll(card, 64); /* drops the frame */
    assert_int_equal(received_count, 0);
    assert_int_equal(counters().rx_at_ceiling, 1);
    assert_int_equal(counters().rx_held, (uint64_t)NE2000_RX_BUFFERS * card->buffer_size);
    for (unsigned i = 0; i < NE2000_RX_BUFFERS; i++) {
        nic_ne2000.release(card, kept[i]);
    }
    assert_true(fake_dp8390_receive(frame_of(3, 60), 60));
    assert_int_equal(nic_ne2000.poll(card, 64), 1);
    assert_received(0, 3, 60);
}

/*
 * One connection in both directions: its segments, and acknowledgements of a page each, leave room
 * for the largest frame and BNRY's page.
 */
static void windows_fit_the_ring(void **state)
{
    (void)state;
    for (unsigned stop = 0x80; stop <= 0xc0; stop += 0x40) {
        unsigned in, out;

        card->stop = (uint8_t)stop;
        in = nic_ne2000.window(card, false) / 1460;
        out = nic_ne2000.window(card, true) / 1460;
        assert_in_range(in, 3, 100);
        assert_in_range(out, 20, 100);
        assert_in_range(in * 6 + out + 6 + 1, 0, stop - 0x4c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(frames_come_in_whole),
        TEST(full_ring_is_emptied_within_the_budget),
        TEST(overwrite_warning_is_recovered_from),
        TEST(nonsense_resets_the_receiver),
        TEST(stack_that_keeps_all_buffers_is_told),
        TEST(windows_fit_the_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
