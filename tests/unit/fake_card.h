/* SPDX-License-Identifier: BSD-2-Clause */
/* A fake device, the driver on it, and a client: the start of most tests. */
#ifndef FAKE_CARD_H
#define FAKE_CARD_H

#include "fake_virtio.h"
#include "virtio/virtio_net.h"
#include "virtio/virtio_pci.h"

enum { FAKE_PRIVATE = 40, FAKE_COOKIES = 2048 };

struct fake_card {
    struct fake_virtio dev;
    enum virtio_pci_interface interface; /* which one to request */
    uint16_t vectors;                    /* the most to use; 0: the interrupt line */
    struct virtio_net_options options;
    struct virtio_net_client client;

    struct virtio_pci vp;
    struct virtio_net net;

    /* What the client received. */
    uint8_t rx_data[FAKE_FRAME_MAX]; /* the current frame, or the last one */
    size_t rx_length;
    unsigned rx_parts; /* its number of buffers */
    bool rx_more;      /* it is incomplete */
    struct virtio_net_offload rx_offload;
    unsigned rx_frames;
    unsigned announces;
    unsigned links; /* calls of client.link() */
    bool link_up;
    void *sent[FAKE_COOKIES]; /* cookies in the order of client.transmitted() */
    unsigned sents;

    /* The client's behaviour. */
    bool holds;        /* keeps received buffers instead of releasing them */
    bool releases_all; /* releases held buffers with the next frame */
    bool uses_room;    /* writes to the bytes before the data, its headroom */
    void *held[512];
    unsigned helds;
};

/* The messages in the card's table: the address, and the data of entry 0. */
enum { CARD_MESSAGE_DATA = 0x4130 };
#define CARD_MESSAGE_ADDRESS 0xfee0a000u

/* The program's only card; it is too large for the stack. */
extern struct fake_card card;

/* Creates a new machine with only this device. */
void card_create(enum fake_kind kind, uint64_t offered);

/* Finds the device by a scan and opens it on PCI. 0 or an error. */
int card_attach(void);

/* Opens the network device with card.options. card_open() does both. */
int card_open_net(void);
int card_open(void);

/* Handles pending interrupts. Returns their number. */
unsigned card_interrupts(void);

/* Closes the network device and checks that no memory is left. */
void card_close(void);

/* For card.client.receive: sends the buffer back in place; transmitted() releases it. */
void card_send_back(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload);

/* Releases all buffers that the client holds. */
void card_release_all(void);

/*
 * A frame in memory that the device can access, with `headroom` bytes before it. Its bytes ascend
 * from `first`. Free the result with card_free_frame().
 */
uint8_t *card_frame(size_t length, unsigned headroom, uint8_t first);
void card_free_frame(uint8_t *frame, unsigned headroom);

/*
 * The number of receive buffers that the device has. deliver_all: fills them all with frames of 14
 * bytes and returns their number.
 */
unsigned card_posted(void);
unsigned card_deliver_all(void);

/* Stores the events of a kind in `values`, as far as there is room. Returns their number. */
unsigned card_events(enum fake_event_kind kind, uint64_t *values, unsigned room);

/*
 * The interfaces of each kind of device: legacy, transitional by either, modern; `which` from 0 on.
 */
enum { CARD_INTERFACES = 4 };

/* The same, plus a modern one with a packed ring. */
enum { CARD_PACKED = CARD_INTERFACES, CARD_RINGS };
void card_create_as(unsigned which, uint64_t offered);

#endif
