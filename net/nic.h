/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interface between a network card's driver and the stack: one const table per driver, listed
 * in net/nic_open.c. Buffers are never copied: see receive() and transmit(). The parts of a frame and
 * its offloads are those of virtio/.
 */
#ifndef NIC_H
#define NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pci/pci.h"
#include "virtio/virtio_frame.h"

/* Offloads that a card may support in struct virtio_net_offload; see nic_info.offloads. */
enum {
    NIC_SEND_CHECKSUM = 1,
    NIC_SEND_TCP4 = 2,
    NIC_SEND_TCP6 = 4,
    NIC_SEND_UDP = 8,
    NIC_RECEIVE_CHECKSUM = 16, /* received frames may have flags */
};

enum nic_transport { NIC_TRANSPORT_ANY, NIC_TRANSPORT_LEGACY, NIC_TRANSPORT_MODERN };
enum nic_fence { NIC_FENCE_AUTO, NIC_FENCE_ON, NIC_FENCE_OFF }; /* auto: on machines that need it */
enum nic_irq { NIC_IRQ_AUTO, NIC_IRQ_INTX, NIC_IRQ_MSIX };

/* What a program wants of its cards. Not each card heeds all. 0: the driver's default. */
struct nic_config {
    const char *features; /* "+name,-name" */
    enum nic_transport transport;
    enum nic_fence fence;
    enum nic_irq irq;
    uint16_t rx_initial, rx_maximum; /* receive buffers */
    uint32_t rx_memory;              /* limit of all receive buffers, bytes */
    uint32_t rx_quiet_ms;            /* of low traffic, before the number of buffers is halved */
    bool rx_fixed;                   /* always keep `rx_maximum` posted */
    bool bounded;                    /* a pass has a limit of frames, so none may be many in one */
};

/* The user of a card. Called from the driver's poll() and close(), never from interrupt context. */
struct nic_client {
    /*
     * Passes one buffer of a received frame, in order. more: the frame continues in the next call.
     * The client owns the buffer until driver->release(state, buffer). buffer: points to
     * private_size bytes for the client, which are before data in the same block of memory.
     * offload: of the whole frame, the same for each of its buffers; never NULL.
     */
    void (*receive)(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload);
    /* The card is done with a transmitted frame. */
    void (*transmitted)(void *context, void *cookie);
    /* The link went up or down, or it is up and its speed or duplex changed. */
    void (*link)(void *context, bool up);
    /* The network should be told of our address again, e.g. after a migration. */
    void (*announce)(void *context);
    void *context;
    uint32_t private_size; /* bytes */
    const uint8_t *mac;    /* 6 bytes to use instead of the card's address, or NULL */
    const struct nic_config *config;
};

/* Counters of a queue. They count from the start and wrap. */
struct nic_queue_counters {
    uint64_t packets, bytes; /* commands are not counted */
    uint32_t kicks;          /* notifications sent to the card */
    uint32_t kicks_suppressed;
    uint32_t kicks_saved; /* notifications sent only because a register read showed that they
                           * were wanted */
    uint32_t full;        /* how often there was no room */
    uint32_t bad_id, bad_length, bad_index; /* invalid values written by the card */
    /*
     * Interrupts taken. If queues share a line or a vector, an interrupt counts for each queue that
     * had work; one without work counts for the card only. If a queue has its own vector, all of
     * its interrupts count, including those without work.
     */
    uint32_t interrupts, interrupts_spurious;
};

/* A card's counters: net/stats.c has all their names. */
struct nic_counters {
    struct nic_queue_counters rx, tx, ctrl;
    uint32_t interrupts, interrupts_spurious; /* taken; of those, without work */
    uint32_t interrupts_config;               /* of those taken, about the card itself */
    uint32_t rx_bad;                          /* frames with an invalid length */
    uint32_t rx_no_memory, rx_at_ceiling;     /* allocations that failed: no memory, or limit
                                               * reached */
    uint32_t recoveries;                      /* resets of the card because of trouble */
    uint32_t tx_down, tx_lost;                /* frames refused without a link; returned unsent */
    uint32_t rx_posted;                       /* buffers that the card has now */
    uint32_t rx_limit, rx_limit_peak;         /* maximum that it may have: now, and highest so
                                               * far */
    uint32_t rx_initial, rx_maximum;          /* range of the limit */
    uint32_t rx_ups, rx_downs;                /* how often the limit was raised, lowered */
    uint32_t rx_buffers, rx_buffers_peak;     /* that exist: now, and most so far */
    uint32_t rx_buffers_max;                  /* limit of all buffers */
    uint64_t rx_held, rx_held_peak;           /* their size in bytes */
};

/* The result of the negotiation with a card. */
struct nic_description {
    const char *transport, *ring, *interrupts;
    uint64_t offered, asked, accepted;         /* features */
    const char *(*feature_name)(unsigned bit); /* NULL: no features */
};

/* Properties of a card, fixed by open(). */
struct nic_info {
    uint8_t mac[6];
    uint16_t mtu;      /* largest IP packet, bytes */
    uint16_t headroom; /* bytes before a frame that help transmit() */
    uint16_t vectors; /* MSI-X vectors connected by open(), whose handlers call nic_wake(). 0: none,
                  * and nic_open.c connects interrupt() to the card's line */
    uint32_t offloads; /* NIC_SEND_..., NIC_RECEIVE_... */
};

/* The state of its link: see nic_client.link(). */
enum nic_duplex { NIC_DUPLEX_UNKNOWN, NIC_DUPLEX_HALF, NIC_DUPLEX_FULL };
struct nic_link {
    bool up;
    uint32_t speed; /* Mbit/s; 0: unknown */
    enum nic_duplex duplex;
};

/* A driver. `state` is the result of open(). */
struct nic_driver {
    const char *name;
    bool (*matches)(const struct vpci_device *pci);
    /*
     * Opens a card. Fills in `info`, which is all zeros. If the card cannot be used, logs the
     * reason and returns NULL.
     */
    void *(*open)(const struct vpci_device *pci, const struct nic_client *client,
                  struct nic_info *info);
    /* Enables receiving, when the card's interrupts are connected. NULL: open() does that. */
    void (*start)(void *state);
    void (*link)(void *state, struct nic_link *link); /* the current state */
    /*
     * For a card that drops frames without room: the bytes that one TCP connection may have in
     * flight to it or, if `sending`, from it, with acknowledgements coming back. Both together fit.
     * NULL: the card drops no frames, or rarely.
     */
    uint32_t (*window)(void *state, bool sending);
    /*
     * Queues a frame. headroom: bytes before parts[0].data that may be overwritten. offload: one of
     * nic_info.offloads, or NULL. The memory belongs to the card until client->transmitted(cookie),
     * the list to the caller. Returns 0; NIC_FULL: try again after transmitted(); NIC_PARTS: too
     * many parts, or an offload without headroom: join them to one part; NIC_DOWN: the link or the
     * card is down.
     */
    int (*transmit)(void *state, struct virtqueue_part *parts, unsigned count, unsigned headroom,
                    const struct virtio_net_offload *offload, void *cookie);
    /*
     * True if there is certainly room now for `frames` frames of `parts` parts each, with headroom,
     * plus `spare` frames of one part.
     */
    bool (*has_room)(void *state, unsigned frames, unsigned parts, unsigned spare);
    void (*flush)(void *state);   /* notifies the card of queued frames */
    void (*reclaim)(void *state); /* returns transmitted frames, like poll() */
    /*
     * Takes up to `budget` received frames and returns transmitted ones. Returns the number of
     * received frames.
     */
    unsigned (*poll)(void *state, unsigned budget);
    void (*release)(void *state, void *buffer);
    /*
     * True if the client holds so many receive buffers that it must keep no more: it should copy a
     * received frame if it is small, or drop it, and release its buffers at once.
     */
    bool (*scarce)(void *state);
    /*
     * Select the frames to receive in addition to those for our address and broadcast: of these
     * groups, or of these VLANs (tags remain in the frame). A card without filters receives all.
     * Return false if the card has not done it but may do it when asked again.
     */
    bool (*set_groups)(void *state, const uint8_t (*groups)[6], unsigned count);
    bool (*set_vlan)(void *state, uint16_t vlan, bool on);
    /*
     * Enables or disables receiving all frames. Returns false if the card has not done it. NULL:
     * not supported.
     */
    bool (*set_promiscuous)(void *state, bool on);
    /*
     * Resets and restores the card in the following passes. The link is down until then. NULL: not
     * supported.
     */
    void (*reset)(void *state);
    /*
     * Enables the interrupt for the next received frame and, with tx, for room to transmit. Returns
     * true if there is work already: then there may be no interrupt.
     */
    bool (*interrupts_on)(void *state, bool tx);
    /* The top half, for interrupt context. Returns true if the interrupt was this card's. */
    bool (*interrupt)(void *state);
    void (*counters)(void *state, struct nic_counters *counters);
    void (*describe)(void *state, struct nic_description *description);
};
enum {
    NIC_FULL = -1,
    NIC_PARTS = -2,
    NIC_DOWN = -3,
    NIC_PARTS_MAX = 47, /* most parts of a frame; a card that does not segment may allow fewer */
};

/* A card: its client and, when it is open, the rest. */
struct nic {
    const struct nic_client *client;
    const struct nic_driver *driver;
    void *state;
    struct nic_info info;
    struct vpci_device pci;
};
enum { NIC_CARDS = 8 }; /* maximum number of cards */

/* Sets what nic_wake() calls, in interrupt context. */
void nic_on_wake(void (*wake)(void));

/* For the interrupt handlers of drivers: there is something to poll. */
void nic_wake(void);

extern const struct nic_driver nic_virtio;
extern const struct nic_driver nic_i82559;
extern const struct nic_driver nic_ne2000;

#endif
