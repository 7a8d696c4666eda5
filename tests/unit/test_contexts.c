/* SPDX-License-Identifier: BSD-2-Clause */
/* VIRTIO_DEBUG: each breach of the rules for contexts (virtio_net.h) is noticed. */
#include "fake_card.h"

static void (*in_client)(void);

static void open_card(void)
{
    card_create_as(CARD_PACKED, 0);
    assert_int_equal(card_open(), 0);
}

/* The call that broke the rule did not return, so the card cannot be closed. */
static void forget(void)
{
    fake_platform_reset();
}

static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload)
{
    (void)context, (void)data, (void)length, (void)more, (void)offload;
    in_client();
    virtio_net_release(&card.net, buffer);
}

static void poll(void)
{
    virtio_net_poll(&card.net, 8);
}

static void poll_with(void (*function)(void))
{
    card.client.receive = receive;
    in_client = function;
    assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
    poll();
}

/* As an interrupt handler, or another processor without the lock: while a descriptor is written. */
static void flush(void)
{
    virtio_net_flush(&card.net);
}

static void a_call_during_another_is_noticed(void **state)
{
    uint8_t *frame;

    (void)state;
    open_card();
    frame = card_frame(60, 12, 1);
    fake_platform.on_dma_address = flush;
    expect_assert_failure(
        virtio_net_transmit(&card.net, &(struct virtqueue_part){frame, 60}, 1, 12, NULL, frame));
    fake_platform.on_dma_address = poll;
    card.net.debug_where = 0;
    expect_assert_failure(
        virtio_net_transmit(&card.net, &(struct virtqueue_part){frame, 60}, 1, 12, NULL, frame));
    forget();
}

static void start(void)
{
    virtio_net_start(&card.net);
}

static void start_from_the_client_is_noticed(void **state)
{
    (void)state;
    open_card();
    expect_assert_failure(poll_with(start));
    forget();
}

static void open_again(void)
{
    (void)card_open_net();
}

static void open_from_the_client_is_noticed(void **state)
{
    (void)state;
    open_card();
    expect_assert_failure(poll_with(open_again));
    forget();
}

/* Another processor's call that has not ended when the client's function does. */
static void enter(void)
{
    card.net.debug_where = 1;
}

static void a_call_during_the_clients_function_is_noticed(void **state)
{
    (void)state;
    open_card();
    expect_assert_failure(poll_with(enter));
    forget();
}

static void a_second_release_is_noticed(void **state)
{
    (void)state;
    open_card();
    card.holds = true;
    assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
    poll();
    virtio_net_release(&card.net, card.held[0]);
    expect_assert_failure(virtio_net_release(&card.net, card.held[0]));
    forget();
}

static void everything_allowed(void)
{
    virtio_net_poll(&card.net, 8);
    virtio_net_reclaim(&card.net);
    virtio_net_flush(&card.net);
    (void)virtio_net_interrupts_on(&card.net, true);
    virtio_net_interrupts_off(&card.net);
    (void)virtio_net_set_rx_mode(&card.net, 0);
    virtio_net_reset(&card.net);
    (void)virtio_net_interrupt(&card.net);
    assert_int_equal(virtio_net_close(&card.net), VIRTIO_ERROR_INVAL);
}

static void what_the_client_may_call_is_allowed(void **state)
{
    (void)state;
    open_card();
    poll_with(everything_allowed);
    for (unsigned i = 0; i < 4; i++) {
        poll(); /* the reset */
    }
    assert_int_equal(card.net.counters.recoveries, 1);
    card_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_during_another_is_noticed),
        cmocka_unit_test(start_from_the_client_is_noticed),
        cmocka_unit_test(open_from_the_client_is_noticed),
        cmocka_unit_test(a_call_during_the_clients_function_is_noticed),
        cmocka_unit_test(a_second_release_is_noticed),
        cmocka_unit_test(what_the_client_may_call_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
