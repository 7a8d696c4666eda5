/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Receiving: the ring in the card's memory, and the buffers to which the processor copies frames.
 * Frames wait in the card, so buffers are only needed for what the stack keeps. Some are allocated
 * at the start, and more, up to a fixed number, when the stack has them all. They are never freed:
 * in the steady state nothing is allocated.
 */
#include <string.h>

#include "net/legacy/ne2000.h"
#include "runtime/memory.h"

enum {
    SCARCE = 32, /* buffers that the stack may not keep */
    PAGE = 256,  /* bytes */
    DMA_BYTES = DP8390_HEADER_SIZE + (NE2000_FRAME_MAX + 3) / 4 * 4,
    RECEIVED = DP8390_ISR_PRX | DP8390_ISR_RXE | DP8390_ISR_OVW,
};

static struct ne2000_buffer *create_buffer(struct ne2000 *card)
{
    struct nic_counters *c = &card->counters;
    struct ne2000_buffer *buffer;

    if (c->rx_buffers == NE2000_RX_BUFFERS) {
        c->rx_at_ceiling++;
        return NULL;
    }
    buffer = memory_alloc(card->buffer_size, sizeof(void *));
    if (buffer == NULL) {
        c->rx_no_memory++;
        return NULL;
    }
    c->rx_buffers++;
    return buffer;
}

bool ne2000_rx_create(struct ne2000 *card)
{
    /* Aligns the IP header, which follows the 14 bytes of the Ethernet header, to four bytes. */
    card->data_offset = (card->client->private_size + 3) / 4 * 4 + 2;
    card->buffer_size = card->data_offset + (NE2000_FRAME_MAX + 3) / 4 * 4;
    while (card->free_count < NE2000_RX_INITIAL) {
        struct ne2000_buffer *buffer = create_buffer(card);

        if (buffer == NULL) {
            return card->free_count != 0;
        }
        ne2000_rx_release(card, buffer);
    }
    return true;
}

void ne2000_rx_release(struct ne2000 *card, void *buffer)
{
    struct ne2000_buffer *b = buffer;

    b->next = card->free;
    card->free = b;
    card->free_count++;
}

bool ne2000_rx_scarce(const struct ne2000 *card)
{
    return NE2000_RX_BUFFERS - card->counters.rx_buffers + card->free_count < SCARCE;
}

static struct ne2000_buffer *take_buffer(struct ne2000 *card)
{
    struct ne2000_buffer *buffer = card->free;

    if (buffer == NULL) {
        return create_buffer(card);
    }
    card->free = buffer->next;
    card->free_count--;
    return buffer;
}

void ne2000_rx_counters(const struct ne2000 *card, struct nic_counters *c)
{
    c->rx_posted = card->free_count;
    c->rx_limit = c->rx_limit_peak = c->rx_maximum = c->rx_buffers_max = NE2000_RX_BUFFERS;
    c->rx_initial = NE2000_RX_INITIAL;
    c->rx_buffers_peak = c->rx_buffers;
    c->rx_held = c->rx_held_peak = (uint64_t)c->rx_buffers * card->buffer_size;
}

/*
 * DP8390D, section 7: how to handle an overwrite warning. The controller is stopped and started in
 * loopback, frames are taken from the ring, and then loopback ends.
 */
static void begin_recovery(struct ne2000 *card)
{
    bool sending = ne2000_read(card, DP8390_CR) & DP8390_CR_TXP;

    card->counters.rx.full++;
    ne2000_stop(card);
    card->resend = sending && !(ne2000_read(card, DP8390_ISR) & (DP8390_ISR_PTX | DP8390_ISR_TXE));
    ne2000_write(card, DP8390_TCR, DP8390_TCR_LOOPBACK);
    ne2000_write(card, DP8390_CR, DP8390_CR_STA | DP8390_CR_ABORT);
    card->overflowed = true;
}

static void end_recovery(struct ne2000 *card)
{
    ne2000_write(card, DP8390_ISR, DP8390_ISR_OVW);
    ne2000_write(card, DP8390_TCR, 0);
    if (card->resend) {
        ne2000_write(card, DP8390_CR, DP8390_CR_STA | DP8390_CR_TXP | DP8390_CR_ABORT);
    }
    card->overflowed = false;
}

/*
 * Returns true if there are new frames in the ring. It acknowledges before it reads CURR, so that a
 * frame that arrives later sets PRX again.
 */
static bool look(struct ne2000 *card)
{
    uint8_t isr = ne2000_read(card, DP8390_ISR) & (uint8_t)~DP8390_ISR_RST;

    if (isr == 0) {
        return false;
    }
    ne2000_write(card, DP8390_ISR, isr & (uint8_t)~DP8390_ISR_OVW);
    if (isr & DP8390_ISR_OVW && !card->overflowed) {
        begin_recovery(card);
    }
    if (!(isr & RECEIVED)) {
        return false;
    }
    ne2000_write(card, DP8390_CR, DP8390_CR_STA | DP8390_CR_ABORT | DP8390_CR_PAGE1);
    card->current = ne2000_read(card, DP8390_CURR);
    ne2000_write(card, DP8390_CR, DP8390_CR_STA | DP8390_CR_ABORT);
    return card->current != card->next;
}

static unsigned distance(const struct ne2000 *card, uint8_t from, uint8_t to)
{
    return to >= from ? to - from : to + (card->stop - NE2000_RING_FIRST) - from;
}

/*
 * True if a header is plausible: the frame is intact, its length is valid, and it ends where the
 * length says (some cards: one page later), not beyond CURR.
 */
static bool is_sound(const struct ne2000 *card, uint8_t status, uint8_t next, uint32_t count)
{
    unsigned pages = (DP8390_HEADER_SIZE + count + PAGE - 1) / PAGE;
    unsigned taken;

    if (!(status & DP8390_RSR_PRX) || count < NE2000_FRAME_MIN + DP8390_CRC_SIZE ||
        count > NE2000_FRAME_MAX + DP8390_CRC_SIZE || next < NE2000_RING_FIRST ||
        next >= card->stop) {
        return false;
    }
    taken = distance(card, card->next, next);
    return (taken == pages || taken == pages + 1) &&
           taken <= distance(card, card->next, card->current);
}

/* Frees the pages of the frame. BNRY stays one page behind, so that it never equals CURR. */
static void advance(struct ne2000 *card, uint8_t next)
{
    card->next = next;
    ne2000_write(card, DP8390_BNRY,
                 (uint8_t)(next == NE2000_RING_FIRST ? card->stop - 1 : next - 1));
}

static bool is_ours(const struct ne2000 *card, const uint8_t *frame)
{
    return frame[0] & 1 || memcmp(frame, card->mac, sizeof card->mac) == 0;
}

/*
 * Takes the frame at card->next with one remote DMA for header and frame. The DMA is started with
 * the largest length, as the frame's is not known yet, and aborted at its end.
 */
static void take_frame(struct ne2000 *card)
{
    static const struct virtio_net_offload none;
    struct ne2000_buffer *buffer;
    uint32_t header, length;
    uint8_t *data = NULL;

    ne2000_dma(card, DP8390_CR_READ, (uint16_t)(card->next << 8), DMA_BYTES);
    header = vpci_read32(&card->io, NE2000_DATA);
    if (!is_sound(card, (uint8_t)header, (uint8_t)(header >> 8), header >> 16)) {
        card->counters.rx_bad++;
        ne2000_stop(card);
        ne2000_start(card);
        return;
    }
    length = (header >> 16) - DP8390_CRC_SIZE;
    buffer = take_buffer(card);
    if (buffer != NULL) {
        data = (uint8_t *)buffer + card->data_offset;
        ne2000_dma_read(card, data, (length + 3) / 4);
    }
    ne2000_write(card, DP8390_CR, DP8390_CR_STA | DP8390_CR_ABORT);
    advance(card, (uint8_t)(header >> 8));
    if (buffer == NULL) {
        return;
    }
    if (!is_ours(card, data)) {
        ne2000_rx_release(card, buffer);
        return;
    }
    card->counters.rx.packets++;
    card->counters.rx.bytes += length;
    card->client->receive(card->client->context, buffer, data, length, false, &none);
}

unsigned ne2000_rx_poll(struct ne2000 *card, unsigned budget)
{
    unsigned frames = 0;

    while (frames < budget && (card->next != card->current || look(card))) {
        take_frame(card);
        ne2000_tx_reclaim(card); /* frees room for the next frame's answer */
        frames++;
    }
    if (card->overflowed) {
        end_recovery(card);
    }
    return frames;
}
