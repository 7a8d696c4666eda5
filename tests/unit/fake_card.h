/* SPDX-License-Identifier: BSD-2-Clause */
/* A fake device, the driver on it, and a client that uses it: what most tests begin with. */
#ifndef FAKE_CARD_H
#define FAKE_CARD_H

#include "fake_virtio.h"
#include "virtio/virtio_net.h"
#include "virtio/virtio_pci.h"

enum { FAKE_PRIVATE = 40, FAKE_COOKIES = 2048 };

struct fake_card {
    struct fake_virtio dev;
    enum virtio_pci_interface interface; /* which to ask for */
    uint16_t vectors;                    /* to use at the most; 0: the interrupt line */
    struct virtio_net_options options;
    struct virtio_net_client client;

    struct virtio_pci vp;
    struct virtio_net net;

    /* What the client got. */
    uint8_t rx_data[FAKE_FRAME_MAX]; /* the frame being received, or the last one */
    size_t rx_length;
    unsigned rx_parts; /* buffers of it */
    bool rx_more;      /* it goes on */
    struct virtio_net_offload rx_offload;
    unsigned rx_frames;
    unsigned announces;
    unsigned links; /* calls of client.link() */
    bool link_up;
    void *sent[FAKE_COOKIES]; /* cookies in the order of client.transmitted() */
    unsigned sents;

    /* How the client behaves. */
    bool holds;        /* keeps received buffers instead of releasing them at once */
    bool releases_all; /* what it holds, with the next frame, before that */
    bool uses_room;    /* writes on the bytes before the data, as its headroom */
    void *held[512];
    unsigned helds;
};

/* What the entries of the card's table send: the address, and the data of entry 0. */
enum { CARD_MESSAGE_DATA = 0x4130 };
#define CARD_MESSAGE_ADDRESS 0xfee0a000u

/* The program's one card: it is large. */
extern struct fake_card card;

/* Everything anew: a machine with nothing on it but this device. */
void card_create(enum fake_kind kind, uint64_t offered);

/* Finds the device by a scan and opens it for PCI: 0 or an error. */
int card_attach(void);

/* Opens the network device on it, with card.options. card_open() does both. */
int card_open_net(void);
int card_open(void);

/* The interrupts that have come in the meantime, each handled: how many. */
unsigned card_interrupts(void);

/* Closes the network device and checks that nothing is left. */
void card_close(void);

/* For card.client.receive: sends the buffer back in place, which transmitted() ends the use of. */
void card_send_back(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload);

/* Gives back all buffers that the client holds. */
void card_release_all(void);

/* A frame in memory that the device can reach, `headroom` bytes before it: the bytes count up from
 * `first`. card_free_frame() takes what this returned. */
uint8_t *card_frame(size_t length, unsigned headroom, uint8_t first);
void card_free_frame(uint8_t *frame, unsigned headroom);

/* Receive buffers that the device has; fills them all with frames of 14 bytes, and returns how many
 * frames that were. */
unsigned card_posted(void);
unsigned card_deliver_all(void);

/* The events of one kind, as far as `values` has room; returns how many. */
unsigned card_events(enum fake_event_kind kind, uint64_t *values, unsigned room);

/* The interfaces of each kind: legacy, transitional by either, modern; `which` from 0 on. */
enum { CARD_INTERFACES = 4 };

/* The same, and a modern one with a packed ring. */
enum { CARD_PACKED = CARD_INTERFACES, CARD_RINGS };
void card_create_as(unsigned which, uint64_t offered);

#endif
