/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transmitting: the processor copies a frame to one of the card's two buffers while the other
 * buffer's frame is on the wire. QEMU's card sends at once, so a frame never waits there.
 */
#include <string.h>

#include "net/legacy/ne2000.h"

/* Collects bytes into words for the data port. */
struct stream {
    const struct ne2000 *card;
    uint8_t word[4];
    unsigned held; /* bytes in `word` */
};

static void put(struct stream *s, const void *data, uint32_t length)
{
    const uint8_t *from = data;

    while (s->held != 0 && length != 0) {
        s->word[s->held++] = *from++;
        length--;
        if (s->held == sizeof s->word) {
            ne2000_dma_write(s->card, s->word, 1);
            s->held = 0;
        }
    }
    if (length == 0) {
        return;
    }
    ne2000_dma_write(s->card, from, length / 4);
    s->held = length % 4;
    memcpy(s->word, from + length - s->held, s->held);
}

/* Copies the next waiting frame to the free buffer. */
static void load(struct ne2000 *card)
{
    static const uint8_t zeros[NE2000_FRAME_MIN];
    struct ne2000_tx *tx = &card->tx;
    const struct ne2000_tx_frame *frame = &tx->frame[tx->copied % NE2000_TX_FRAMES];
    struct stream s = {.card = card};
    uint32_t length = 0;

    ne2000_dma(card, DP8390_CR_WRITE,
               (uint16_t)((NE2000_PAGE_FIRST + tx->buffer * NE2000_TX_PAGES) << 8),
               (uint16_t)((frame->length + 3) & ~3));
    for (unsigned i = 0; i < frame->parts; i++) {
        const struct virtqueue_part *part = &tx->part[tx->part_first++ % NE2000_TX_PARTS];

        put(&s, part->data, part->length);
        length += part->length;
    }
    put(&s, zeros, ((frame->length + 3u) & ~3u) - length);
    ne2000_dma_written(card);
    tx->length = frame->length;
    tx->copied++;
    tx->ready = true;
}

static void start(struct ne2000 *card)
{
    struct ne2000_tx *tx = &card->tx;

    ne2000_write(card, DP8390_TPSR, (uint8_t)(NE2000_PAGE_FIRST + tx->buffer * NE2000_TX_PAGES));
    ne2000_write(card, DP8390_TBCR0, (uint8_t)tx->length);
    ne2000_write(card, DP8390_TBCR1, (uint8_t)(tx->length >> 8));
    ne2000_write(card, DP8390_CR, DP8390_CR_STA | DP8390_CR_TXP | DP8390_CR_ABORT);
    tx->buffer ^= 1;
    tx->ready = false;
    tx->started = true;
    card->counters.tx.kicks++;
}

void ne2000_tx_pump(struct ne2000 *card)
{
    struct ne2000_tx *tx = &card->tx;

    while (ne2000_tx_waits(card)) {
        if (!tx->ready) {
            load(card);
        }
        if (card->overflowed || (tx->started && ne2000_read(card, DP8390_CR) & DP8390_CR_TXP)) {
            return;
        }
        start(card);
    }
}

bool ne2000_tx_has_room(const struct ne2000 *card, unsigned frames, unsigned parts, unsigned spare)
{
    const struct ne2000_tx *tx = &card->tx;
    unsigned used = (uint16_t)(tx->added - tx->reclaimed);
    unsigned used_parts = (uint16_t)(tx->part_end - tx->part_first);

    return frames + spare <= NE2000_TX_FRAMES - used &&
           frames * parts + spare <= NE2000_TX_PARTS - used_parts;
}

int ne2000_tx_add(struct ne2000 *card, const struct virtqueue_part *parts, unsigned count,
                  void *cookie)
{
    struct ne2000_tx *tx = &card->tx;
    uint32_t length = 0;

    if (count > NIC_PARTS_MAX) {
        return NIC_PARTS;
    }
    if (!ne2000_tx_has_room(card, 1, count, 0)) {
        card->counters.tx.full++;
        return NIC_FULL;
    }
    for (unsigned i = 0; i < count; i++) {
        length += parts[i].length;
    }
    if (length > NE2000_FRAME_MAX) {
        return NIC_DOWN; /* above card_mtu() */
    }
    for (unsigned i = 0; i < count; i++) {
        tx->part[tx->part_end++ % NE2000_TX_PARTS] = parts[i];
    }
    card->counters.tx.packets++;
    card->counters.tx.bytes += length;
    tx->frame[tx->added++ % NE2000_TX_FRAMES] = (struct ne2000_tx_frame){
        .cookie = cookie,
        .parts = (uint16_t)count,
        .length = (uint16_t)(length < NE2000_FRAME_MIN ? NE2000_FRAME_MIN : length),
    };
    ne2000_tx_pump(card);
    return 0;
}

void ne2000_tx_reclaim(struct ne2000 *card)
{
    struct ne2000_tx *tx = &card->tx;

    while (tx->reclaimed != tx->copied) {
        card->client->transmitted(card->client->context,
                                  tx->frame[tx->reclaimed++ % NE2000_TX_FRAMES].cookie);
    }
}
