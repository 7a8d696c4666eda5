/* SPDX-License-Identifier: BSD-2-Clause */
/* The vectors of events (virtio 1.3 §4.1.5.1.2), over both interfaces. */
#include <string.h>

#include "msix_card.h"

static void check_vectors(uint16_t config, uint16_t rx, uint16_t tx)
{
    assert_int_equal(card.dev.config_vector, config);
    assert_int_equal(card.dev.queue[VIRTIO_NET_QUEUE_RX].vector, rx);
    assert_int_equal(card.dev.queue[VIRTIO_NET_QUEUE_TX].vector, tx);
}

static void each_event_has_its_vector(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        create(i, 3, 3, 0);
        assert_int_equal(card_open(), 0);
        assert_int_equal(card.vp.dev.vectors, 3);
        check_vectors(0, 1, 2);
        for (uint32_t v = 0; v < 3; v++) {
            const uint32_t expected[] = {CARD_MESSAGE_ADDRESS, 0, CARD_MESSAGE_DATA + v, 0};

            assert_memory_equal(card.dev.msix[v].field, expected, sizeof expected);
        }
        virtio_net_interrupts_on(&card.net, true);
        assert_true(fake_rx(&card.dev, "a frame", 7));
        assert_int_equal(card.dev.messages[1], 1);
        card.dev.messages[1] = 0;
        send_one();
        assert_int_equal(card.dev.messages[2], 1);
        assert_int_equal(card.dev.messages[0] + card.dev.messages[1], 0);
        assert_int_equal(card.dev.isr, 0);
        card_close();
    }
}

static void fewer_vectors_are_shared(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        create(i, 2, 3, 0); /* limited by the table */
        assert_int_equal(card_open(), 0);
        check_vectors(0, 1, 1);
        card_close();
        create(i, 8, 2, 0); /* limited by the machine */
        assert_int_equal(card_open(), 0);
        check_vectors(0, 1, 1);
        card_close();
        create(i, 1, 3, 0);
        assert_int_equal(card_open(), 0);
        check_vectors(0, 0, 0);
        card_close();
        create(i, 8, 8, 0); /* more than there are events */
        assert_int_equal(card_open(), 0);
        check_vectors(0, 1, 2);
        card_close();
    }
}

/* Offset 24 on legacy (§4.1.4.10): address and link are read correctly, also after changes. */
static void configuration_is_read_where_it_is(void **state)
{
    static const uint8_t mac[] = {0x52, 0x54, 0x00, 0xab, 0xcd, 0xef};

    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        for (uint16_t vectors = 0; vectors <= 3; vectors += 3) {
            create(i, 3, vectors, 0);
            assert_int_equal(card_open(), 0);
            assert_memory_equal(card.net.mac, mac, 6);
            assert_true(card.net.link_up);
            card.dev.link_status = 0;
            fake_virtio_config_changed(&card.dev);
            card_interrupts();
            virtio_net_poll(&card.net, 8);
            assert_false(card.net.link_up);
            card_close();
        }
    }
}

/* A legacy device whose BAR ends with the address: nothing behind it is accessed. */
static void configuration_behind_a_short_bar_is_not_read(void **state)
{
    (void)state;
    create(0, 3, 3, 0);
    fake_pci_bar(card.dev.function, 0, FAKE_BAR_IO, 32, 0xc040);
    assert_int_equal(card_open(), 0);
    assert_int_equal(fake_pci.unclaimed, 0);
    card_close();
}

static void line_is_used_where_no_vectors_are_wanted(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        create(i, 3, 0, 0); /* the fake initially has MSI-X enabled */
        assert_int_equal(card_open(), 0);
        assert_false(fake_msix_enabled(&card.dev));
        check_vectors(VIRTIO_MSI_NO_VECTOR, VIRTIO_MSI_NO_VECTOR, VIRTIO_MSI_NO_VECTOR);
        virtio_net_interrupts_on(&card.net, false);
        assert_true(fake_rx(&card.dev, "a frame", 7));
        assert_int_equal(card.dev.isr, VIRTIO_ISR_QUEUE);
        assert_int_equal(card_interrupts(), 1);
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        card_close();
    }
}

/* Whichever of the three the device refuses: the line is used, and this is logged. */
static void refused_vector_falls_back_to_the_line(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES * 3; i++) {
        create(i / 3, 3, 3, 0);
        card.dev.refuses_vector = (int)(i % 3);
        assert_int_equal(card_open(), 0);
        assert_int_equal(card.vp.dev.vectors, 0);
        assert_false(fake_msix_enabled(&card.dev));
        assert_non_null(strstr(fake_platform.log, "refuses an MSI-X vector"));
        assert_int_equal(card.net.mac[5], 0xef); /* the configuration is at offset 20 again */
        virtio_net_interrupts_on(&card.net, true);
        assert_true(fake_rx(&card.dev, "a frame", 7));
        assert_int_equal(card_interrupts(), 1);
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        card.dev.link_status = 0;
        fake_virtio_config_changed(&card.dev);
        assert_int_equal(card_interrupts(), 1);
        virtio_net_poll(&card.net, 8);
        assert_false(card.net.link_up);
        card_close();
    }
}

/* A reset removes the vectors (§4.1.5.1.2.1); the next driver sets them again. */
static void vectors_are_mapped_anew_after_a_reset(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        create(i, 3, 3, 0);
        assert_int_equal(card_open(), 0);
        assert_int_equal(virtio_net_close(&card.net), 0);
        check_vectors(VIRTIO_MSI_NO_VECTOR, VIRTIO_MSI_NO_VECTOR, VIRTIO_MSI_NO_VECTOR);
        assert_int_equal(card_open_net(), 0); /* the fake fails if an event has none */
        check_vectors(0, 1, 2);
        card_close();
    }
}

/* So does the reset of a queue, for its vector (§2.6.1.1). */
static void queue_gets_its_vector_again_after_its_reset(void **state)
{
    (void)state;
    create(3, 3, 3, virtio_bit(VIRTIO_F_RING_RESET));
    assert_int_equal(card_open(), 0);
    assert_int_equal(virtqueue_reset(&card.net.tx), 0);
    check_vectors(0, 1, VIRTIO_MSI_NO_VECTOR);
    assert_int_equal(virtqueue_restart(&card.net.tx), 0);
    check_vectors(0, 1, 2);
    send_one();
    assert_int_equal(card.dev.messages[2], 1);
    card.dev.messages[2] = 0;
    card_close();
}

static void restart(struct virtqueue *vq, int error)
{
    void *cookie;

    assert_int_equal(virtqueue_reset(vq), 0);
    while ((cookie = virtqueue_detach(vq)) != NULL) {
        card.net.rx_posted -= vq == &card.net.rx;
        virtio_platform_free(vq == &card.net.rx ? cookie : NULL);
        card.net.rx_buffers -= vq == &card.net.rx;
    }
    assert_int_equal(virtqueue_restart(vq), error);
}

/*
 * When the device is live the line has no handler: MSI-X stays enabled, and the queue uses a vector
 * that has one.
 */
static void vector_refused_to_a_live_queue_leaves_msix_on(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * 3; i++) {
        uint16_t vectors = (uint16_t)(i % 3 + 1);

        create(i / 3 == 0 ? 3 : CARD_PACKED, vectors, 3, virtio_bit(VIRTIO_F_RING_RESET));
        assert_int_equal(card_open(), 0);
        card.dev.refuses_vector = 1; /* the receive queue's */
        card.dev.refuses_but = VIRTIO_CONFIG_VECTOR;
        restart(&card.net.rx, 0);
        assert_true(fake_msix_enabled(&card.dev));
        assert_int_equal(card.vp.dev.vectors, vectors);
        assert_int_equal(card.dev.queue[VIRTIO_NET_QUEUE_RX].vector, VIRTIO_CONFIG_VECTOR);
        virtio_net_poll(&card.net, 8); /* posts buffers */
        virtio_net_interrupts_on(&card.net, true);
        assert_true(fake_rx(&card.dev, "a frame", 7));
        assert_int_equal(card_interrupts(), 1);
        assert_true(card.net.rx.interrupted);
        assert_int_equal(virtio_net_poll(&card.net, 8), 1);
        send_one();
        assert_int_equal(card_interrupts(), 1);
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.sents, 1);
        card.dev.refuses_but = -1;
        restart(&card.net.rx, VIRTIO_ERROR_IO); /* neither is accepted: an error is returned */
        assert_true(fake_msix_enabled(&card.dev));
        assert_non_null(strstr(fake_platform.log, "refuses MSI-X vector"));
        send_one();
        assert_int_equal(card_interrupts(), 1);
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.sents, 2);
        card_close();
    }
}

static void table_out_of_reach_leaves_the_line(void **state)
{
    (void)state;
    create(3, 3, 3, 0);
    fake_pci_set(card.dev.function, FAKE_CAP_MSIX + 4, 4, 0x1000 | FAKE_MSIX_BAR);
    assert_int_equal(card_open(), 0);
    assert_int_equal(card.vp.dev.vectors, 0);
    assert_false(fake_msix_enabled(&card.dev));
    card_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_has_its_vector),
        cmocka_unit_test(fewer_vectors_are_shared),
        cmocka_unit_test(configuration_is_read_where_it_is),
        cmocka_unit_test(configuration_behind_a_short_bar_is_not_read),
        cmocka_unit_test(line_is_used_where_no_vectors_are_wanted),
        cmocka_unit_test(refused_vector_falls_back_to_the_line),
        cmocka_unit_test(vectors_are_mapped_anew_after_a_reset),
        cmocka_unit_test(queue_gets_its_vector_again_after_its_reset),
        cmocka_unit_test(vector_refused_to_a_live_queue_leaves_msix_on),
        cmocka_unit_test(table_out_of_reach_leaves_the_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
