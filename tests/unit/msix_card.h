/* SPDX-License-Identifier: BSD-2-Clause */
/* A card with MSI-X, for the tests of vectors. */
#ifndef MSIX_CARD_H
#define MSIX_CARD_H

#include "fake_card.h"

/* A card with this interface and number of entries, of which the driver may use `vectors`. */
static inline void create(unsigned which, uint16_t entries, uint16_t vectors, uint64_t offered)
{
    card_create_as(which, offered | virtio_bit(VIRTIO_NET_F_MAC) | virtio_bit(VIRTIO_NET_F_STATUS));
    fake_virtio_add_msix(&card.dev, entries);
    card.vectors = vectors;
}

static inline void send_one(void)
{
    uint8_t *frame = card_frame(60, 12, 0);
    struct virtqueue_part part = {frame, 60};

    assert_int_equal(virtio_net_transmit(&card.net, &part, 1, 12, NULL, frame), 0);
    virtio_net_flush(&card.net);
    virtio_net_interrupts_on(&card.net, true);
    assert_int_equal(fake_tx_run(&card.dev), 1);
    card_free_frame(frame, 12);
}

#endif
