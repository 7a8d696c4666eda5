/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the NE2000, ne2000*.c. */
#ifndef NE2000_H
#define NE2000_H

#include "net/legacy/ne2000_spec.h"
#include "net/nic.h"

enum {
    NE2000_FRAME_MIN = 60,   /* bytes without CRC: shorter ones are padded */
    NE2000_FRAME_MAX = 1518, /* with a VLAN tag */
    NE2000_TX_PAGES = 6,     /* of each of the two transmit buffers */
    NE2000_RING_FIRST = NE2000_PAGE_FIRST + 2 * NE2000_TX_PAGES,
    NE2000_TX_FRAMES = 64,
    NE2000_TX_PARTS = 256,
    NE2000_RX_INITIAL = 16,  /* receive buffers at the start */
    NE2000_RX_BUFFERS = 512, /* that may exist: a connection may keep 256 behind a gap */
};

/*
 * Frames on their way out. Those from `reclaimed` to `copied` lie in the card, and their cookies
 * wait for poll(); those from `copied` to `added` wait for one of the card's two buffers, with their
 * parts from `part_first` to `part_end`. All of these count on and wrap.
 */
struct ne2000_tx {
    struct ne2000_tx_frame {
        void *cookie;
        uint16_t parts;
        uint16_t length; /* bytes, padded */
    } frame[NE2000_TX_FRAMES];
    struct virtqueue_part part[NE2000_TX_PARTS];
    uint16_t reclaimed, copied, added;
    uint16_t part_first, part_end;
    uint16_t length; /* bytes of the frame in the buffer that is filled */
    uint8_t buffer;  /* 0 or 1: which that is, or will be */
    bool ready;      /* it holds a frame */
    bool started;    /* the other one's was given to the transmitter */
};

/* A receive buffer while it is free: in what are the client's private bytes at other times. */
struct ne2000_buffer {
    struct ne2000_buffer *next;
};

struct ne2000 {
    const struct nic_client *client;
    struct vpci_region io;
    uint8_t mac[6];
    uint8_t prom_mac[6];
    uint8_t hash[8]; /* MAR0 to MAR7 */
    bool full_duplex;
    volatile uint8_t enabled; /* what IMR is; the top half clears both */

    uint8_t stop;    /* page behind the receive ring */
    uint8_t next;    /* page of the next frame to take */
    uint8_t current; /* CURR, when it was last looked at: page behind the last frame */
    bool overflowed; /* it is between the two halves of ne2000_rx.c's recovery */
    bool resend;     /* which broke off a transmission */

    struct ne2000_buffer *free;
    unsigned free_count;
    uint32_t data_offset; /* bytes from a receive buffer's start to the frame */
    uint32_t buffer_size;

    struct ne2000_tx tx;
    struct nic_counters counters;
};

static inline uint8_t ne2000_read(const struct ne2000 *card, unsigned offset)
{
    return vpci_read8(&card->io, offset);
}

static inline void ne2000_write(const struct ne2000 *card, unsigned offset, uint8_t value)
{
    vpci_write8(&card->io, offset, value);
}

/*
 * ne2000_card.c: the card as such.
 *
 * Remote DMA: `bytes` of the card's memory, a multiple of four, from `address` on will go through
 * the data port; a read wraps from the receive ring's end to its beginning. direction:
 * DP8390_CR_READ or DP8390_CR_WRITE.
 */
void ne2000_dma(const struct ne2000 *card, unsigned direction, uint16_t address, uint16_t bytes);
/* Words of four bytes through the data port, in the order that they have in memory. */
void ne2000_dma_read(const struct ne2000 *card, void *to, uint32_t words);
void ne2000_dma_write(const struct ne2000 *card, const void *from, uint32_t words);
/* All bytes were written: waits until they are in the card's memory. */
void ne2000_dma_written(const struct ne2000 *card);
/* Resets the card, and finds out what it is; it stays silent. Returns whether it is one. */
bool ne2000_reset(struct ne2000 *card);
/* Stops the controller, as far as it goes in 2 ms: it sets RST when nothing is under way. */
void ne2000_stop(const struct ne2000 *card);
/* Starts the stopped controller with an empty ring, interrupts off. */
void ne2000_start(struct ne2000 *card);
/* MAR0 to MAR7 from hash[]. */
void ne2000_write_hash(const struct ne2000 *card);

/* ne2000_rx.c */
bool ne2000_rx_create(struct ne2000 *card);
unsigned ne2000_rx_poll(struct ne2000 *card, unsigned budget);
void ne2000_rx_release(struct ne2000 *card, void *buffer);
/* rx_counters: those about buffers. */
void ne2000_rx_counters(const struct ne2000 *card, struct nic_counters *counters);
bool ne2000_rx_scarce(const struct ne2000 *card);

/* ne2000_tx.c */
int ne2000_tx_add(struct ne2000 *card, const struct virtqueue_part *parts, unsigned count,
                  void *cookie);
bool ne2000_tx_has_room(const struct ne2000 *card, unsigned frames, unsigned parts, unsigned spare);
/* Gives the card what it takes of the frames that wait for it. */
void ne2000_tx_pump(struct ne2000 *card);
void ne2000_tx_reclaim(struct ne2000 *card);
static inline bool ne2000_tx_waits(const struct ne2000 *card)
{
    return card->tx.ready || card->tx.copied != card->tx.added;
}

#endif
