/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts by several vectors: the work that they bring, and their counts. */
#include "msix_card.h"

/*
 * For any number of vectors: frames arrive, the link goes down, and the queue's interrupts stay
 * disabled until enabled again.
 */
static void interrupts_bring_work_and_go_quiet(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES * 3; i++) {
        create(i / 3, (uint16_t)(i % 3 + 1), 3, 0);
        assert_int_equal(card_open(), 0);
        for (unsigned round = 1; round <= 5; round++) {
            assert_false(virtio_net_interrupts_on(&card.net, false));
            assert_true(fake_rx(&card.dev, "one", 3));
            assert_int_equal(card_interrupts(), 1);
            assert_true(fake_rx(&card.dev, "two", 3));
            assert_int_equal(card_interrupts(), 0);
            assert_int_equal(virtio_net_poll(&card.net, 8), 2);
            assert_int_equal(card.net.counters.interrupts, round);
        }
        send_one();
        assert_int_equal(card_interrupts(), 1);
        virtio_net_poll(&card.net, 8);
        assert_int_equal(card.sents, 1);
        assert_int_equal(card.net.counters.interrupts_spurious, 0);
        card.dev.link_status = 0;
        fake_virtio_config_changed(&card.dev);
        assert_int_equal(card_interrupts(), 1);
        virtio_net_poll(&card.net, 8);
        assert_true(card.links == 1 && !card.link_up);
        assert_int_equal(card.dev.isr_reads, 0);
        card_close();
    }
}

static void check_counts(uint32_t all, uint32_t spurious, const struct virtqueue *vq, uint32_t its,
                         uint32_t its_spurious)
{
    assert_int_equal(card.net.counters.interrupts, all);
    assert_int_equal(card.net.counters.interrupts_spurious, spurious);
    assert_int_equal(vq->counters.interrupts, its);
    assert_int_equal(vq->counters.interrupts_spurious, its_spurious);
}

/* Each counts for its vector, whatever the other queue has; without work it is spurious. */
static void interrupts_are_counted_by_queue(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        create(i, 3, 3, 0);
        assert_int_equal(card_open(), 0);
        virtio_net_interrupts_on(&card.net, false);
        assert_true(fake_rx(&card.dev, "a frame", 7));
        assert_int_equal(card_interrupts(), 1);
        virtio_net_poll(&card.net, 8);
        check_counts(1, 0, &card.net.rx, 1, 0);
        check_counts(1, 0, &card.net.tx, 0, 0);
        send_one();
        assert_int_equal(card_interrupts(), 1);
        virtio_net_interrupt_vector(&card.net, 1);
        virtio_net_poll(&card.net, 8);
        check_counts(3, 1, &card.net.rx, 2, 1);
        check_counts(3, 1, &card.net.tx, 1, 0);
        virtio_net_interrupts_on(&card.net, false);
        assert_true(fake_rx(&card.dev, "a frame", 7));
        assert_int_equal(card_interrupts(), 1);
        virtio_net_interrupt_vector(&card.net, 2);
        virtio_net_poll(&card.net, 8);
        check_counts(5, 2, &card.net.rx, 3, 1);
        check_counts(5, 2, &card.net.tx, 2, 1);
        fake_virtio_config_changed(&card.dev);
        assert_int_equal(card_interrupts(), 1);
        virtio_net_poll(&card.net, 8);
        check_counts(6, 2, &card.net.rx, 3, 1);
        check_counts(6, 2, &card.net.tx, 2, 1);
        assert_int_equal(card.net.counters.interrupts_config, 1);
        card_close();
    }
}

/* A shared interrupt counts for the queues that have work; without work only for the card. */
static void shared_interrupts_are_counted_by_work(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES * 2; i++) {
        create(i / 2, 2, i % 2 ? 2 : 0, 0);
        assert_int_equal(card_open(), 0);
        virtio_net_interrupts_on(&card.net, false);
        assert_true(fake_rx(&card.dev, "a frame", 7));
        assert_int_equal(card_interrupts(), 1);
        virtio_net_poll(&card.net, 8);
        check_counts(1, 0, &card.net.rx, 1, 0);
        check_counts(1, 0, &card.net.tx, 0, 0);
        send_one();
        assert_int_equal(card_interrupts(), 1);
        virtio_net_poll(&card.net, 8);
        check_counts(2, 0, &card.net.rx, 1, 0);
        check_counts(2, 0, &card.net.tx, 1, 0);
        send_one();
        assert_int_equal(card_interrupts(), 1);
        assert_true(fake_rx(&card.dev, "a frame", 7));
        virtio_net_poll(&card.net, 8); /* one for both */
        check_counts(3, 0, &card.net.rx, 2, 0);
        check_counts(3, 0, &card.net.tx, 2, 0);
        card.dev.isr = i % 2 ? 0 : VIRTIO_ISR_QUEUE;
        card.dev.messages[1] = i % 2;
        assert_int_equal(card_interrupts(), 1);
        virtio_net_poll(&card.net, 8);
        check_counts(4, 1, &card.net.rx, 2, 0);
        check_counts(4, 1, &card.net.tx, 2, 0);
        card_close();
    }
}

/*
 * A configuration interrupt does not disable the queues' interrupts if they have their own vectors.
 */
static void vectors_do_not_disturb_each_other(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_INTERFACES; i++) {
        create(i, 3, 3, 0);
        assert_int_equal(card_open(), 0);
        virtio_net_interrupts_on(&card.net, true);
        fake_virtio_config_changed(&card.dev);
        assert_int_equal(card_interrupts(), 1);
        assert_true(card.net.config_changed && !card.net.interrupted);
        assert_true(fake_rx(&card.dev, "a frame", 7));
        assert_int_equal(card.dev.messages[1], 1);
        assert_int_equal(card_interrupts(), 1);
        assert_true(card.net.interrupted);
        card_close();
    }
}

static void change_and_interrupt(struct fake_virtio *dev)
{
    if (dev->config_vector == VIRTIO_MSI_NO_VECTOR || card.net.dev == NULL) {
        return;
    }
    fake_virtio_config_changed(dev);
    assert_true(card_interrupts() > 0);
}

static void change_when_it_reads(struct fake_virtio *dev, unsigned offset)
{
    (void)offset;
    change_and_interrupt(dev);
    dev->generation--; /* no change since the read */
}

/*
 * The configuration's vector is mapped before there are queues. Its interrupts must not access
 * queues then, even with one vector for all, nor when the card is being closed.
 */
static void interrupt_without_queues_is_survived(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CARD_RINGS * 3; i++) {
        uint16_t vectors = (uint16_t)(i % 3 + 1);

        create(i / 3, vectors, 3, 0);
        card.dev.on_status_read = change_and_interrupt;
        card.dev.on_config_read = change_when_it_reads;
        assert_int_equal(card_open(), 0);
        card.dev.on_status_read = NULL;
        card.dev.on_config_read = NULL;
        card_interrupts();
        virtio_net_poll(&card.net, 8);
        assert_true(card.net.link_up);
        card_close();
        for (uint16_t vector = 0; vector < vectors; vector++) {
            virtio_net_interrupt_vector(&card.net, vector);
        }
    }
    for (unsigned i = 0; i < CARD_RINGS; i++) { /* by the line, to a handler installed early */
        create(i, 3, 0, 0);
        assert_int_equal(card_attach(), 0);
        card.dev.isr = VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG;
        card.net.dev = &card.vp.dev;
        assert_true(virtio_net_interrupt(&card.net));
        assert_int_equal(card.dev.isr, 0); /* otherwise the line would remain asserted */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupts_bring_work_and_go_quiet),
        cmocka_unit_test(interrupts_are_counted_by_queue),
        cmocka_unit_test(shared_interrupts_are_counted_by_work),
        cmocka_unit_test(vectors_do_not_disturb_each_other),
        cmocka_unit_test(interrupt_without_queues_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
