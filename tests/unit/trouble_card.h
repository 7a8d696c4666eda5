/* SPDX-License-Identifier: BSD-2-Clause */
/* A card that gets into trouble, for the tests of recoveries. */
#ifndef TROUBLE_CARD_H
#define TROUBLE_CARD_H

#include "fake_card.h"

enum { RX = VIRTIO_NET_QUEUE_RX, TX = VIRTIO_NET_QUEUE_TX };

#define MS 1000000u /* ns */
#define BIT(feature) ((uint64_t)1 << VIRTIO_NET_F_##feature)

static const uint64_t features = BIT(MAC) | BIT(STATUS) | BIT(CTRL_VQ) | BIT(CTRL_RX) |
                                 BIT(CTRL_VLAN) | BIT(CTRL_MAC_ADDR) | BIT(GUEST_CSUM) |
                                 BIT(CTRL_GUEST_OFFLOADS);
static uint8_t *frame;
static struct virtio_net_client usual;

static inline void prepare(unsigned ring, uint16_t vectors, uint64_t more)
{
    card_create_as(ring, features | more);
    card.vectors = vectors;
    if (vectors != 0) {
        fake_virtio_add_msix(&card.dev, 3);
    }
    card.dev.link_status = VIRTIO_NET_S_LINK_UP;
    fake_platform.clock_ns = 1000ull * MS;
    usual = card.client;
}

static inline void start(unsigned ring, uint16_t vectors, uint64_t more)
{
    prepare(ring, vectors, more);
    assert_int_equal(card_open(), 0);
    frame = card_frame(60, 0, 1);
}

static inline void stop(void)
{
    card.client = usual;
    card.dev.on_status_read = NULL;
    card_free_frame(frame, 0);
    card_close();
}

static inline int send(void)
{
    return virtio_net_transmit(&card.net, &(struct virtqueue_part){frame, 60}, 1, 0, NULL, frame);
}

static inline void polls(unsigned passes)
{
    for (unsigned pass = 0; pass < passes; pass++) {
        virtio_net_poll(&card.net, 8);
    }
}

/* The used index jumps, or a descriptor is used with an unknown length. */
static inline void break_queue(unsigned queue)
{
    struct virtqueue *vq = queue == RX ? &card.net.rx : &card.net.tx;

    if (fake_packed(&card.dev)) {
        fake_push_batch(&card.dev, queue, 0x7777, 14, 1, 1);
        vq->free_count--;
    } else {
        card.dev.queue[queue].used_idx = (uint16_t)(card.dev.queue[queue].used_idx + 1000);
    }
    fake_show(&card.dev, queue);
}

static inline void check_works(void)
{
    unsigned sents = card.sents;
    unsigned received = card.rx_frames;

    polls(2);
    assert_int_equal(card.net.recovery, VIRTIO_NET_WELL);
    assert_true(card.net.link_up);
    assert_int_equal(send(), 0);
    virtio_net_flush(&card.net);
    assert_true(fake_tx_run(&card.dev) >= 1);
    virtio_net_poll(&card.net, 8);
    assert_true(card.sents > sents);
    assert_true(fake_rx(&card.dev, "fourteen bytes", 14));
    virtio_net_poll(&card.net, 8);
    assert_int_equal(card.rx_frames, received + 1);
}

#endif
