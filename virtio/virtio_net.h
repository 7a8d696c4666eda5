/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio network device (virtio 1.3 §5.1): one receive and one transmit queue. How a system
 * uses it:
 *
 *     virtio_net_open(net, dev, &options, &client);
 *     loop:
 *         virtio_net_poll(net, budget);           client.receive(), .transmitted(), .link()
 *         virtio_net_transmit(net, ...);          any number of times
 *         virtio_net_flush(net);                  notifies the device once
 *         if there is nothing to do:
 *             if virtio_net_interrupts_on(net) says that work is pending, go round again;
 *             else sleep until virtio_net_interrupt(net), from the interrupt handler, says wake up
 *
 * But for virtio_net_interrupt() all of it is for one context. Nothing blocks but open and close.
 */
#ifndef VIRTIO_NET_H
#define VIRTIO_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/virtqueue.h"

/* Who uses the device. Called from virtio_net_poll() and _close(), never from interrupts. */
struct virtio_net_client {
    /*
     * One buffer of a received frame, in order; `more` says that the frame goes on in the next
     * call. The client owns the buffer until virtio_net_release(net, buffer). buffer: points at
     * `private_size` bytes for the client's own use, which lie before `data` in one block of
     * memory; between them and data there are at least as many bytes to write on as a header of
     * this device takes.
     */
    void (*receive)(void *context, void *buffer, void *data, uint32_t length, bool more);
    /* The device is done with a transmitted frame: its memory is the client's again. */
    void (*transmitted)(void *context, void *cookie);
    /* The link went up or down. */
    void (*link)(void *context, bool up);
    void *context;
    uint32_t private_size; /* bytes, at most VIRTIO_NET_PRIVATE_MAX */
};
enum { VIRTIO_NET_PRIVATE_MAX = 256 };

struct virtio_net_options {
    uint64_t features;   /* to accept, of those the driver knows (VIRTIO_NET_FEATURES) */
    const uint8_t *mac;  /* 6 bytes to use instead of the device's, or NULL */
    uint16_t rx_initial; /* receive buffers to begin with; 0: the default */
    uint16_t rx_maximum; /* receive buffers at the most; 0: the default */
};
enum {
    VIRTIO_NET_RX_INITIAL = 2,
    VIRTIO_NET_RX_MAXIMUM = 256,
    VIRTIO_NET_RX_MERGED = 44, /* with fewer at the most, MRG_RXBUF is not accepted */
    VIRTIO_NET_TX_SIZE = 256,  /* transmit descriptors, where the device lets us choose */
};

/* The features that this driver can use. */
#define VIRTIO_NET_FEATURES                                                                        \
    (virtio_bit(VIRTIO_NET_F_MAC) | virtio_bit(VIRTIO_NET_F_MRG_RXBUF) |                           \
     virtio_bit(VIRTIO_NET_F_STATUS) | virtio_bit(VIRTIO_F_ANY_LAYOUT) |                           \
     virtio_bit(VIRTIO_F_INDIRECT_DESC) | virtio_bit(VIRTIO_F_EVENT_IDX) |                         \
     virtio_bit(VIRTIO_F_VERSION_1))

/* What happened since the device was opened; counters wrap. */
struct virtio_net_counters {
    uint64_t rx_frames;
    uint64_t rx_bytes;
    uint64_t tx_frames;
    uint64_t tx_bytes;
    uint32_t interrupts;          /* that were ours */
    uint32_t interrupts_spurious; /* of those, with nothing to do */
    uint32_t rx_bad;              /* frames dropped for a length or buffer count that cannot be */
    uint32_t rx_no_memory;        /* refills that found no memory */
    uint32_t tx_full;             /* transmits refused because the ring was full */
};

struct virtio_net_buffer;

struct virtio_net {
    struct virtio_device *dev;
    const struct virtio_net_client *client;
    struct virtqueue rx;
    struct virtqueue tx;
    uint8_t mac[6];
    uint8_t header_length; /* of struct virtio_net_hdr on this device: 10 or 12 */
    bool split_rx;         /* the header must be a descriptor of its own */
    bool split_tx;
    bool link_up;

    /* Receive buffers. */
    uint16_t rx_limit;                 /* posted at most, now: grows with the load */
    uint16_t rx_maximum;               /* the limit's own limit */
    uint16_t rx_posted;                /* that the device has */
    uint32_t rx_buffers;               /* that exist: posted, the client's, or kept */
    uint32_t rx_peak;                  /* the most that ever existed */
    uint32_t rx_data_offset;           /* from a buffer's start to its header */
    uint32_t rx_buffer_size;           /* bytes of a whole one */
    struct virtio_net_buffer *rx_kept; /* free, for the next refill */

    struct virtio_net_hdr *tx_header; /* all zeros, for frames without headroom */

    /* Set by the interrupt handler, cleared by the loop. */
    volatile bool interrupted;
    volatile bool config_changed;

    struct virtio_net_counters counters;
};

/*
 * Brings the device up. net and client must live until virtio_net_close(). Frames may arrive from
 * here on. 0 or an error that has been logged; then the device is marked failed and nothing is
 * kept.
 */
int virtio_net_open(struct virtio_net *net, struct virtio_device *dev,
                    const struct virtio_net_options *options,
                    const struct virtio_net_client *client);

/*
 * Resets the device; frames in flight come back through client.transmitted(), and the device's
 * memory is freed. Buffers that the client still has must have been released before.
 */
void virtio_net_close(struct virtio_net *net);

/*
 * Takes up to `budget` received frames, reclaims transmitted ones, posts fresh receive buffers and
 * looks after the link. Returns the number of frames taken.
 */
unsigned virtio_net_poll(struct virtio_net *net, unsigned budget);

/*
 * Queues a frame: Ethernet header first, without checksum. parts: its pieces in order, which belong
 * to the device until client.transmitted(cookie), whatever the result of the transmission.
 * headroom: bytes before parts[0].data that this function may write; with as many as header_length
 * it saves a descriptor. Nothing is copied. 0, ERROR_FULL (try again after client.transmitted()),
 * ERROR_TOOBIG (count > VIRTIO_NET_PARTS_MAX) or ERROR_BROKEN; on error nothing is kept.
 */
int virtio_net_transmit(struct virtio_net *net, const struct virtqueue_part *parts, unsigned count,
                        unsigned headroom, void *cookie);
enum { VIRTIO_NET_PARTS_MAX = VIRTQUEUE_PARTS_MAX - 1 };

/* How many frames of one part would surely fit into the transmit ring now. */
unsigned virtio_net_room(const struct virtio_net *net);

/* Notifies the device of the frames queued, if there are any and it wants that. */
void virtio_net_flush(struct virtio_net *net);

/* Gives a receive buffer back: `buffer` is what client.receive() got. */
void virtio_net_release(struct virtio_net *net, void *buffer);

/*
 * Asks for an interrupt for the next received frame, and with tx also for when much of the
 * transmit ring has been used up. Returns whether there is work already: then there may be no
 * interrupt, and the caller must poll.
 */
bool virtio_net_interrupts_on(struct virtio_net *net, bool tx);
void virtio_net_interrupts_off(struct virtio_net *net);

/*
 * The top half, from interrupt context: reads the ISR status, turns the queues' interrupts off,
 * notes that there is work. Returns false where the interrupt was not this device's.
 */
bool virtio_net_interrupt(struct virtio_net *net);

#endif
