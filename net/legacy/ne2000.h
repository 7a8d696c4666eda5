/* SPDX-License-Identifier: BSD-2-Clause */
/* The interfaces between the files of the NE2000 driver, ne2000*.c. */
#ifndef NE2000_H
#define NE2000_H

#include "net/legacy/ne2000_spec.h"
#include "net/nic.h"

enum {
    NE2000_FRAME_MIN = 60,   /* bytes without CRC; shorter frames are padded */
    NE2000_FRAME_MAX = 1518, /* with a VLAN tag */
    NE2000_TX_PAGES = 6,     /* per transmit buffer; there are two */
    NE2000_RING_FIRST = NE2000_PAGE_FIRST + 2 * NE2000_TX_PAGES,
    NE2000_TX_FRAMES = 64,
    NE2000_TX_PARTS = 256,
    NE2000_RX_INITIAL = 16,  /* receive buffers allocated at the start */
    NE2000_RX_BUFFERS = 512, /* limit; a connection may keep 256 behind a gap */
};

/*
 * Frames being transmitted. Frames `reclaimed` to `copied` are in the card's memory; poll() will
 * return their cookies. Frames `copied` to `added` wait for one of the card's two buffers; their
 * parts are `part_first` to `part_end`. All of these indices increase and wrap.
 */
struct ne2000_tx {
    struct ne2000_tx_frame {
        void *cookie;
        uint16_t parts;
        uint16_t length; /* bytes, with padding */
    } frame[NE2000_TX_FRAMES];
    struct virtqueue_part part[NE2000_TX_PARTS];
    uint16_t reclaimed, copied, added;
    uint16_t part_first, part_end;
    uint16_t length; /* of the frame in the buffer being filled, bytes */
    uint8_t buffer;  /* 0 or 1: the buffer being filled, or the next to be filled */
    bool ready;      /* `buffer` contains a frame */
    bool started;    /* the frame in the other buffer was given to the transmitter */
};

/* A free receive buffer. In a used one the client's private bytes are here. */
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
    volatile uint8_t enabled; /* value of IMR; the top half clears both */

    uint8_t stop;    /* page after the receive ring */
    uint8_t next;    /* page of the next frame to take */
    uint8_t current; /* CURR as last read: page after the last frame */
    bool overflowed; /* ne2000_rx.c is between the two halves of its overflow recovery */
    bool resend;     /* the recovery interrupted a transmission */

    struct ne2000_buffer *free;
    unsigned free_count;
    uint32_t data_offset; /* from the start of a receive buffer to the frame, bytes */
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
 * ne2000_card.c: the controller.
 *
 * Starts a remote DMA: the data port will transfer `bytes`, a multiple of four, from `address` in
 * the card's memory on. A read wraps from the end of the receive ring to its start. direction:
 * DP8390_CR_READ or DP8390_CR_WRITE.
 */
void ne2000_dma(const struct ne2000 *card, unsigned direction, uint16_t address, uint16_t bytes);
/* Transfer 32-bit words through the data port, in memory order. */
void ne2000_dma_read(const struct ne2000 *card, void *to, uint32_t words);
void ne2000_dma_write(const struct ne2000 *card, const void *from, uint32_t words);
/* After all bytes are written: waits until they are in the card's memory. */
void ne2000_dma_written(const struct ne2000 *card);
/* Resets and probes the card, and leaves it stopped. Returns false if it is not an NE2000. */
bool ne2000_reset(struct ne2000 *card);
/*
 * Stops the controller. It sets RST when nothing is in progress; this waits at most 2 ms for that.
 */
void ne2000_stop(const struct ne2000 *card);
/* Starts the stopped controller with an empty ring and interrupts disabled. */
void ne2000_start(struct ne2000 *card);
/* Writes hash[] to MAR0 to MAR7. */
void ne2000_write_hash(const struct ne2000 *card);

/* ne2000_rx.c */
bool ne2000_rx_create(struct ne2000 *card);
unsigned ne2000_rx_poll(struct ne2000 *card, unsigned budget);
void ne2000_rx_release(struct ne2000 *card, void *buffer);
/* Fills in the counters about receive buffers. */
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
