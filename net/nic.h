/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a network interface card offers the stack: one const table a driver, listed in net/nic.c.
 * Buffers are never copied on the way: see receive() and transmit(). A piece of a frame and the work on
 * it that a card does are what they are to virtio/.
 */
#ifndef NIC_H
#define NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pci/pci.h"
#include "virtio/virtio_frame.h"

/* What a card may be asked for in struct virtio_net_offload; see nic_info.offloads. */
enum {
    NIC_SEND_CHECKSUM = 1,
    NIC_SEND_TCP4 = 2,
    NIC_SEND_TCP6 = 4,
    NIC_SEND_UDP = 8,
    NIC_RECEIVE_CHECKSUM = 16, /* what it receives may come with flags */
};

/* Who uses the card. Called from the driver's poll() and close(), never from interrupt context. */
struct nic_client {
    /*
     * One buffer of a received frame, in order; `more` says that the frame goes on in the next
     * call. The client owns it until driver->release(state, buffer). buffer: points at
     * private_size bytes for the client's own use, which lie before data in one block of memory.
     * offload: of the whole frame, the same for each of its buffers; never NULL.
     */
    void (*receive)(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload);
    /* The card is done with a transmitted frame. */
    void (*transmitted)(void *context, void *cookie);
    /* The link went up or down, or it is up and its speed or duplex changed. */
    void (*link)(void *context, bool up);
    /* The network should hear from us again: a guest that was moved, say. */
    void (*announce)(void *context);
    void *context;
    uint32_t private_size; /* bytes */
    const uint8_t *mac;    /* 6 bytes to use instead of the card's address, or NULL */
};

/* One queue of a card's. All of these count from the start and wrap. */
struct nic_queue_counters {
    uint64_t packets, bytes; /* not of commands */
    uint32_t kicks;          /* that the card got */
    uint32_t kicks_suppressed;
    uint32_t kicks_saved; /* of those it got, seen to be wanted only after a register was read */
    uint32_t full;        /* times that there was no room */
    uint32_t bad_id, bad_length, bad_index; /* what the card said and cannot be */
    /*
     * Taken. Where queues share a line or a vector, one counts for each that then had work; those
     * with nothing to do are the card's alone. Where a queue has a vector to itself, all count, and
     * of those the ones with nothing to do.
     */
    uint32_t interrupts, interrupts_spurious;
};

/* What a card counts: net/stats.c names them all. */
struct nic_counters {
    struct nic_queue_counters rx, tx, ctrl;
    uint32_t interrupts, interrupts_spurious; /* taken; of those, with nothing to do */
    uint32_t interrupts_config;               /* of those taken, with news of the card itself */
    uint32_t rx_bad;                          /* frames of an impossible length */
    uint32_t rx_no_memory, rx_at_ceiling;     /* buffers that could not be had, and why */
    uint32_t recoveries;                      /* resets of a card that was in trouble */
    uint32_t tx_down, tx_lost;                /* frames refused without a link; taken back unsent */
    uint32_t rx_posted;                       /* buffers that the card has now */
    uint32_t rx_limit, rx_limit_peak;         /* how many it may have, now and at the most so far */
    uint32_t rx_initial, rx_maximum;          /* between which the limit goes */
    uint32_t rx_ups, rx_downs;                /* times that it went */
    uint32_t rx_buffers, rx_buffers_peak;     /* that exist, and ever did at once */
    uint32_t rx_buffers_max;                  /* that may exist */
    uint64_t rx_held, rx_held_peak;           /* bytes of them */
};

/* What was agreed with a card. */
struct nic_description {
    const char *transport, *ring, *interrupts;
    uint64_t offered, asked, accepted;         /* features */
    const char *(*feature_name)(unsigned bit); /* NULL: it has none */
};

/* What a card is, from open() on. */
struct nic_info {
    uint8_t mac[6];
    uint16_t mtu;      /* bytes of an IP packet, at most */
    uint16_t headroom; /* bytes before a frame with which transmit() saves work */
    uint16_t
        vectors; /* of MSI-X, which open() connected, and whose handlers call nic_wake(). 0: none,
                        * nic.c is to connect interrupt() to the card's line */
    uint32_t offloads; /* NIC_SEND_..., NIC_RECEIVE_... */
};

/* Its link, which changes: see nic_client.link(). */
enum nic_duplex { NIC_DUPLEX_UNKNOWN, NIC_DUPLEX_HALF, NIC_DUPLEX_FULL };
struct nic_link {
    bool up;
    uint32_t speed; /* Mbit/s; 0: nobody knows */
    enum nic_duplex duplex;
};

/* `state` is what open() returned. */
struct nic_driver {
    const char *name;
    bool (*matches)(const struct vpci_device *pci);
    /* Fills in `info`, which is all zeros. Returns NULL, with the reason logged, where the card cannot be
     * used. */
    void *(*open)(const struct vpci_device *pci, const struct nic_client *client,
                  struct nic_info *info);
    /* Lets the card receive, once its interrupts are connected. NULL: it does since open(). */
    void (*start)(void *state);
    void (*link)(void *state, struct nic_link *link); /* as it is now */
    /*
     * For a card that drops what it has no room for: the bytes that one TCP connection may have under
     * way to it or, `sending`, from it, whose acknowledgements come back; both together fit. NULL:
     * the card drops nothing, or seldom.
     */
    uint32_t (*window)(void *state, bool sending);
    /*
     * Queues a frame. headroom: bytes before parts[0].data that may be written. offload: one of
     * nic_info.offloads, or NULL. The memory is the card's until client->transmitted(cookie), the
     * list the caller's. Returns 0; NIC_FULL: try again after transmitted(); NIC_PARTS: too many parts, or an offload
     * without headroom: join them to one; NIC_DOWN: the link is down, or the card out of order.
     */
    int (*transmit)(void *state, struct virtqueue_part *parts, unsigned count, unsigned headroom,
                    const struct virtio_net_offload *offload, void *cookie);
    /* Whether `frames` frames of this many parts each, with headroom, would surely fit now, and
     * beside them `spare` frames of one part. */
    bool (*has_room)(void *state, unsigned frames, unsigned parts, unsigned spare);
    void (*flush)(void *state);   /* tells the card of the frames queued */
    void (*reclaim)(void *state); /* hands transmitted frames back, as poll() does, too */
    /* Takes up to budget received frames and reclaims transmitted ones. Returns frames taken. */
    unsigned (*poll)(void *state, unsigned budget);
    void (*release)(void *state, void *buffer);
    /* Whether the client has so many receive buffers that it must not keep any more: what it
     * receives now it should copy, if it is small, or drop, and release the buffers at once. */
    bool (*scarce)(void *state);
    /*
     * Which frames that are not for our own address or for all stations to receive: those for
     * these groups, or for these VLANs (VLAN tags stay in the frame). A card that cannot choose
     * receives them all. Return false where the card has not done it and may do it later, when
     * it is asked again.
     */
    bool (*set_groups)(void *state, const uint8_t (*groups)[6], unsigned count);
    bool (*set_vlan)(void *state, uint16_t vlan, bool on);
    /* Whether it receives frames for any station. Returns whether it does as told. NULL: it cannot. */
    bool (*set_promiscuous)(void *state, bool on);
    /* Resets the card and sets it up as it was, by and by; the link is down meanwhile. NULL: it cannot. */
    void (*reset)(void *state);
    /* Asks for an interrupt for the next frame received, and with tx for room to transmit. Returns
     * whether there is work already, so that no interrupt may come. */
    bool (*interrupts_on)(void *state, bool tx);
    /* The top half, from interrupt context. Returns whether the interrupt was this card's. */
    bool (*interrupt)(void *state);
    void (*counters)(void *state, struct nic_counters *counters);
    void (*describe)(void *state, struct nic_description *description);
};
enum {
    NIC_FULL = -1,
    NIC_PARTS = -2,
    NIC_DOWN = -3,
    NIC_PARTS_MAX = 47, /* parts of a frame, at most; one that does not cut frames may take fewer */
};

/* A card: who uses it, and once it is open the rest. */
struct nic {
    const struct nic_client *client;
    const struct nic_driver *driver;
    void *state;
    struct nic_info info;
    struct vpci_device pci;
};
enum { NIC_CARDS = 8 }; /* at most */

/*
 * Opens the cards on PCI that a driver knows, in the order of the scan, and connects their
 * interrupts: the first that can be opened is nics[0], and so on up to `count`. Each has its client
 * set; wake is called from interrupt context after a top half. Names on the console what it found
 * and what it leaves unused. Returns how many are open.
 */
unsigned nic_open(struct nic *const nics[], unsigned count, void (*wake)(void));

/* For drivers, from the interrupt handlers of their own: there is something to poll. */
void nic_wake(void);

extern const struct nic_driver nic_virtio;
extern const struct nic_driver nic_i82559;
extern const struct nic_driver nic_ne2000;

#endif
