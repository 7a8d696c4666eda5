/* SPDX-License-Identifier: BSD-2-Clause */
/* The control queue: invalid answers, and queues that cannot answer. */
#include <string.h>

#include "fake_card.h"

#define BIT(name) virtio_bit(VIRTIO_NET_F_##name)
#define CTRL BIT(CTRL_VQ)

static void open_with(unsigned interface, uint64_t features)
{
    card_create_as(interface, features);
    assert_int_equal(card_open(), 0);
}

/* Only VIRTIO_NET_OK is success. A missing answer does not count as the previous one. */
static void strange_answers_are_no_yes(void **state)
{
    static const int answers[] = {-1, 1, 2, 0x80, 0xff};

    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        open_with(i, CTRL | BIT(CTRL_RX));
        for (unsigned n = 0; n < sizeof answers / sizeof answers[0]; n++) {
            assert_int_equal(virtio_net_set_rx_mode(&card.net, 0), 0);
            card.dev.lie_answer = answers[n];
            assert_int_equal(virtio_net_set_rx_mode(&card.net, 0), VIRTIO_ERROR_REFUSED);
            card.dev.lie_answer = 0;
        }
        card_close();
    }
}

static void queue_without_room_for_a_command_is_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS; i++) {
        card_create_as(i, CTRL | BIT(CTRL_RX));
        card.dev.queue[2].size = 2;
        assert_int_equal(card_open(), VIRTIO_ERROR_IO);
        assert_true(strstr(fake_platform.log, "no room for a command") != NULL);
        assert_int_equal(fake_platform.live, 0);
    }
}

/* If the queue breaks during a command, the driver does not wait for an answer. */
static void broken_queue_is_not_waited_for(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        uint64_t begun;

        open_with(i, CTRL | BIT(CTRL_RX));
        card.dev.ignores_commands = true;
        card.dev.queue[2].used_idx = (uint16_t)(card.dev.queue[2].used_idx + 1000);
        fake_show(&card.dev, 2);
        fake_platform.clock_step = 1000000;
        begun = fake_platform.clock_ns;
        assert_int_equal(virtio_net_set_rx_mode(&card.net, 0), VIRTIO_ERROR_IO);
        assert_true(fake_platform.clock_ns - begun < 50000000);
        fake_platform.clock_step = 0;
        card_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strange_answers_are_no_yes),
        cmocka_unit_test(queue_without_room_for_a_command_is_refused),
        cmocka_unit_test(broken_queue_is_not_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
