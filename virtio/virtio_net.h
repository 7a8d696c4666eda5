/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio network device (virtio 1.3 §5.1): one receive, one transmit and one control queue. A
 * system uses it like this:
 *
 *     virtio_net_open(net, dev, &options, &client);
 *     connect the interrupt handler, then call vpci_enable_line() or its equivalent;
 *     virtio_net_start(net);
 *     loop:
 *         virtio_net_poll(net, budget);           client.receive(), .transmitted(), .link()
 *         virtio_net_transmit(net, ...);          any number of times
 *         virtio_net_flush(net);                  notifies the device once
 *         if there is nothing to do:
 *             if virtio_net_interrupts_on(net, tx) returns true, work is pending: poll again;
 *             else sleep until virtio_net_interrupt(net), in the interrupt handler, returns true
 *
 * Contexts. The library takes no locks. The caller holds one lock per device during each call, or
 * makes all calls in one thread. Separate locks for receiving and transmitting do not work, since a
 * poll does both.
 *
 *  - virtio_net_interrupt() and _interrupt_vector() are for interrupt handlers and need no lock.
 *    They may run at any time, also on another processor while any other function runs: from
 *    virtio_net_open() on (with vectors: even before), until the line or the messages are disabled
 *    before virtio_net_close(). Exception: with a device that is accessed through the window
 *    (virtio_pci.window) they share registers with the other functions, so on several processors
 *    the handler must hold the lock. Interrupts are level-triggered, except for messages.
 *  - The client's functions are called with the lock held, from virtio_net_poll(), _reclaim() and
 *    _close(), never from interrupts. They may call all functions except virtio_net_open() and
 *    _start(). virtio_net_poll() and _reclaim() then return 0, and _close() VIRTIO_ERROR_INVAL.
 *  - virtio_net_open() and _close() wait for the device for at most a second, functions that use
 *    the control queue (set_...) for at most 100 ms. The others never wait.
 *
 * VIRTIO_DEBUG (virtio_config.h) checks for breaches of these rules.
 *
 * A transmitted frame comes back only when somebody calls virtio_net_poll() or _reclaim(). After
 * VIRTIO_ERROR_FULL a thread may sleep until there is room: it enables interrupts with tx, and the
 * interrupt handler must wake a thread that calls one of the two.
 *
 * A device that requests a reset, breaks the rules of a queue or stops working is reset by
 * virtio_net_poll() and restored: client.link() reports down and up, and frames in flight come back
 * through client.transmitted().
 *
 * Errors are those of virtio/virtio.h. VIRTIO_ERROR_INVAL means that nothing has changed. It is
 * returned for arguments that are not allowed here, and by functions that need a live device before
 * virtio_net_start() and after virtio_net_close().
 */
#ifndef VTNET_VIRTIO_NET_H
#define VTNET_VIRTIO_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/virtio_frame.h"
#include "virtio/virtio_version.h"
#include "virtio/virtqueue.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The user of the device. All four functions are required. They are called from virtio_net_poll(),
 * _reclaim() and _close(), never from interrupts.
 */
struct virtio_net_client {
    /*
     * Passes one buffer of a received frame, in order. more: the frame continues in the next call.
     * The client owns the buffer until virtio_net_release(net, buffer). buffer: points to
     * `private_size` bytes for the client. They are before `data` in the same block of memory;
     * between them and data the client may write at least as many bytes as a header of this device
     * has. offload: of the whole frame, the same for each of its buffers; never NULL.
     */
    void (*receive)(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload);
    /* The device is done with a transmitted frame: its memory belongs to the client again. */
    void (*transmitted)(void *context, void *cookie);
    /*
     * The link went up or down, or it is up and its speed or duplex changed. While it is down,
     * frames are refused.
     */
    void (*link)(void *context, bool up);
    /*
     * The device asks for packets that announce us to the network (§5.1.6.5.4 Gratuitous Packet
     * Sending). The request has been acknowledged, so that a later one causes another call.
     */
    void (*announce)(void *context);
    void *context;         /* passed to each of them, for example to tell devices apart */
    uint32_t private_size; /* bytes, at most VIRTIO_NET_PRIVATE_MAX */
};
enum { VIRTIO_NET_PRIVATE_MAX = 256 };

struct virtio_net_options {
    uint64_t features;  /* features to accept, a subset of VIRTIO_NET_FEATURES */
    const uint8_t *mac; /* 6 bytes to use instead of the device's, or NULL */
    /*
     * Minimum of posted receive buffers; 0: the default. It is raised to what a frame of the
     * negotiated MTU needs. See VIRTIO_NET_RX_MERGED.
     */
    uint16_t rx_initial;
    uint16_t rx_maximum; /* maximum of posted receive buffers; 0: the default */
    uint16_t
        tx_size; /* descriptors of the transmit ring, rounded up to a power of two; 0: the default */
    uint32_t rx_memory;   /* limit of all receive buffers, bytes; 0: the default */
    uint32_t rx_quiet_ms; /* time of low traffic before the number of buffers is halved; 0: the
                           * default */
    /* How long transmitted frames may be in flight before the device is checked; 0: the default. */
    uint32_t tx_timeout_ms;
    bool weak_barrier;   /* struct virtio_device's */
    uint64_t bus_offset; /* struct virtio_device's */
    bool rx_fixed;       /* always keep rx_maximum buffers posted */
};
enum {
    VIRTIO_NET_RX_INITIAL = 32, /* fits a burst without loss, on devices that keep frames and on
                                 * those that drop them */
    VIRTIO_NET_RX_MAXIMUM = 256,
    /*
     * Buffers for the longest joined frame. If rx_maximum is smaller, MRG_RXBUF and the features
     * that require it are not accepted. If GUEST_TSO4, TSO6, USO4 or USO6 is accepted, this is the
     * default of rx_initial. With fewer, poll from time to time without an interrupt: a device with
     * such a frame and too few buffers waits without interrupting.
     */
    VIRTIO_NET_RX_MERGED = 44,
    VIRTIO_NET_RX_MEMORY = 2 << 20,
    VIRTIO_NET_RX_QUIET_MS = 1000,
    VIRTIO_NET_TX_TIMEOUT_MS = 5000,
    VIRTIO_NET_TX_SIZE = 256, /* transmit descriptors */
};

/* The features that this driver can use, as it is built (virtio_config.h): VIRTIO_NET_FEATURES. */
#define VIRTIO_NET_FEATURES_KNOWN                                                                  \
    (virtio_bit(VIRTIO_NET_F_CSUM) | virtio_bit(VIRTIO_NET_F_GUEST_CSUM) |                         \
     virtio_bit(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) | virtio_bit(VIRTIO_NET_F_MTU) |                 \
     virtio_bit(VIRTIO_NET_F_MAC) | virtio_bit(VIRTIO_NET_F_GUEST_TSO4) |                          \
     virtio_bit(VIRTIO_NET_F_GUEST_TSO6) | virtio_bit(VIRTIO_NET_F_GUEST_ECN) |                    \
     virtio_bit(VIRTIO_NET_F_HOST_TSO4) | virtio_bit(VIRTIO_NET_F_HOST_TSO6) |                     \
     virtio_bit(VIRTIO_NET_F_HOST_ECN) | virtio_bit(VIRTIO_NET_F_MRG_RXBUF) |                      \
     virtio_bit(VIRTIO_NET_F_STATUS) | virtio_bit(VIRTIO_NET_F_CTRL_VQ) |                          \
     virtio_bit(VIRTIO_NET_F_CTRL_RX) | virtio_bit(VIRTIO_NET_F_CTRL_VLAN) |                       \
     virtio_bit(VIRTIO_NET_F_CTRL_RX_EXTRA) | virtio_bit(VIRTIO_NET_F_GUEST_ANNOUNCE) |            \
     virtio_bit(VIRTIO_NET_F_MQ) | virtio_bit(VIRTIO_NET_F_CTRL_MAC_ADDR) |                        \
     virtio_bit(VIRTIO_NET_F_GUEST_USO4) | virtio_bit(VIRTIO_NET_F_GUEST_USO6) |                   \
     virtio_bit(VIRTIO_NET_F_HOST_USO) | virtio_bit(VIRTIO_NET_F_GUEST_HDRLEN) |                   \
     virtio_bit(VIRTIO_NET_F_SPEED_DUPLEX) | virtio_bit(VIRTIO_F_ANY_LAYOUT) |                     \
     virtio_bit(VIRTIO_F_INDIRECT_DESC) | virtio_bit(VIRTIO_F_EVENT_IDX) |                         \
     virtio_bit(VIRTIO_F_VERSION_1) | virtio_bit(VIRTIO_F_ACCESS_PLATFORM) |                       \
     virtio_bit(VIRTIO_F_RING_PACKED) | virtio_bit(VIRTIO_F_IN_ORDER) |                            \
     virtio_bit(VIRTIO_F_NOTIFICATION_DATA) | virtio_bit(VIRTIO_F_NOTIF_CONFIG_DATA) |             \
     virtio_bit(VIRTIO_F_ORDER_PLATFORM) | virtio_bit(VIRTIO_F_RING_RESET))

/* Known features that need what is not built in. */
#define VIRTIO_NET_FEATURES_LEFT_OUT                                                               \
    ((VIRTIO_CONFIG_PACKED ? 0 : virtio_bit(VIRTIO_F_RING_PACKED)) |                               \
     (VIRTIO_CONFIG_CTRL                                                                           \
          ? 0                                                                                      \
          : virtio_bit(VIRTIO_NET_F_CTRL_VQ) | virtio_bit(VIRTIO_NET_F_CTRL_RX) |                  \
                virtio_bit(VIRTIO_NET_F_CTRL_VLAN) | virtio_bit(VIRTIO_NET_F_CTRL_RX_EXTRA) |      \
                virtio_bit(VIRTIO_NET_F_GUEST_ANNOUNCE) | virtio_bit(VIRTIO_NET_F_MQ) |            \
                virtio_bit(VIRTIO_NET_F_CTRL_MAC_ADDR) |                                           \
                virtio_bit(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS)) |                                    \
     (VIRTIO_CONFIG_OFFLOADS                                                                       \
          ? 0                                                                                      \
          : virtio_bit(VIRTIO_NET_F_CSUM) | virtio_bit(VIRTIO_NET_F_GUEST_CSUM) |                  \
                virtio_bit(VIRTIO_NET_F_GUEST_TSO4) | virtio_bit(VIRTIO_NET_F_GUEST_TSO6) |        \
                virtio_bit(VIRTIO_NET_F_GUEST_ECN) | virtio_bit(VIRTIO_NET_F_HOST_TSO4) |          \
                virtio_bit(VIRTIO_NET_F_HOST_TSO6) | virtio_bit(VIRTIO_NET_F_HOST_ECN) |           \
                virtio_bit(VIRTIO_NET_F_MRG_RXBUF) | virtio_bit(VIRTIO_NET_F_GUEST_USO4) |         \
                virtio_bit(VIRTIO_NET_F_GUEST_USO6) | virtio_bit(VIRTIO_NET_F_HOST_USO) |          \
                virtio_bit(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS)))

#define VIRTIO_NET_FEATURES (VIRTIO_NET_FEATURES_KNOWN & ~VIRTIO_NET_FEATURES_LEFT_OUT)

/* Events since the device was opened. Counters wrap. */
struct virtio_net_counters {
    uint64_t rx_frames;
    uint64_t rx_bytes;
    uint64_t tx_frames;
    uint64_t tx_bytes;
    uint32_t interrupts;          /* of this device; per queue: struct virtqueue_counters */
    uint32_t interrupts_spurious; /* of those: without work */
    uint32_t interrupts_config;   /* of those: the configuration changed */
    uint32_t rx_bad;              /* frames dropped because of an invalid length, number of
                                   * buffers or gso_type */
    uint32_t rx_no_memory;        /* refills that failed for lack of memory */
    uint32_t rx_at_ceiling;       /* refills that rx_memory prevented */
    uint32_t rx_ups;              /* how often the limit of posted buffers was raised */
    uint32_t rx_downs;            /* and lowered */
    uint32_t tx_full;             /* transmissions refused because the ring was full */
    uint32_t tx_down;             /* or because the link was down */
    uint32_t recoveries;          /* completed resets of a device in trouble */
    uint32_t tx_lost; /* frames queued but returned unsent because their queue was reset */
};

struct virtio_net_buffer;

struct virtio_net {
    struct virtio_device *dev;
    const struct virtio_net_client *client;
    struct virtqueue rx;
    struct virtqueue tx;
    uint8_t mac[6];
    uint8_t header_length; /* length of struct virtio_net_hdr on this device: 10 or 12 */
    bool split_header;     /* the header needs its own descriptor */
    bool link_up;
    bool own_mac;       /* the address is not the device's, so the device must be told */
    bool mac_unknown;   /* the device does not know the address, so it must receive all frames */
    uint16_t mtu;       /* bytes of an IP packet; 1500 if the device does not say */
    uint32_t speed;     /* Mbit/s, 0: unknown */
    uint8_t duplex;     /* VIRTIO_NET_DUPLEX_..., one of the three */
    uint8_t generation; /* of the configuration from which the link state was read */

    /* Receive buffers. */
    uint16_t rx_limit;                 /* current maximum of posted buffers; depends on the load */
    uint16_t rx_limit_peak;            /* maximum of rx_limit so far */
    uint16_t rx_initial;               /* initial and minimum value of rx_limit */
    uint16_t rx_maximum;               /* maximum value of rx_limit */
    uint16_t rx_posted;                /* buffers that the device has */
    uint32_t rx_taken;                 /* used buffers taken since the limit was last checked */
    uint32_t rx_burst;                 /* used buffers taken since a poll last found no more */
    uint16_t rx_kept_count;            /* number of rx_kept */
    uint32_t rx_buffers;               /* that exist: posted, held by the client, or kept */
    uint32_t rx_peak;                  /* maximum of rx_buffers so far */
    uint32_t rx_buffers_max;           /* as rx_memory allows */
    uint32_t rx_frame_max;             /* largest part of a frame in one buffer, bytes */
    uint32_t rx_data_offset;           /* from a buffer's start to the header, bytes */
    uint32_t rx_buffer_size;           /* bytes of a whole buffer */
    struct virtio_net_buffer *rx_kept; /* free, for the next refill */
    uint64_t rx_quiet_ns;              /* time of low traffic after which the limit is halved */
    uint64_t rx_quiet_since;           /* clock: start of low traffic; 0: traffic is not low */
    uint32_t rx_since_asked;           /* buffers used since the device asked for more; saturates */

    struct virtqueue ctrl;
    uint16_t ctrl_index;                /* index of the queue in the device */
    struct virtio_net_command *command; /* memory for one command */
    bool ctrl_late;                     /* a command timed out: its memory belongs to the device */
    uint64_t ctrl_late_since;           /* clock: when that command was sent */
    uint8_t rx_modes;                   /* requested by the client: VIRTIO_NET_RX_... */
    bool rx_all_groups; /* ALLMULTI is set because the MAC table cannot hold all groups */

    /*
     * Most parts of a frame, with headroom. A chain is limited by the queue's size, also in an
     * indirect table (§2.7.5.3.1).
     */
    uint16_t tx_parts_max;
    uint32_t tx_frame_max;            /* longest frame that the device does not segment, bytes */
    struct virtio_net_hdr *tx_header; /* all zeros, for frames without headroom */

    bool tx_renewing; /* the transmit queue is being renewed before the link is reported up */
    uint64_t tx_renewed_since; /* clock: start of that */

    /* virtio_net_recover.c: recovery of a device in trouble. */
    enum virtio_net_recovery { VIRTIO_NET_WELL, VIRTIO_NET_WAITS, VIRTIO_NET_RESETS } recovery;
    uint64_t recovery_at;       /* clock: when the reset will begin, or began */
    uint64_t recovered_at;      /* clock: end of the last recovery, if any */
    uint32_t recovery_delay_ms; /* before the reset */
    uint64_t tx_timeout_ns;     /* how long frames may be in flight */
    uint64_t tx_stuck_since;    /* clock: when virtio_net_look_at_stuck() first saw them */
    uint64_t tx_looked_at;      /* clock: its last look at the device's status */
    uint32_t tx_stuck_passes;   /* passes with frames in flight of which none came back */
    uint32_t passes;
    uint64_t tx_watched_at;             /* clock: last check for overtaken frames */
    bool tx_watch_due;                  /* the next such check is due */
    struct virtio_net_filters *filters; /* settings made through the control queue */

    bool busy;          /* within virtio_net_poll(), _reclaim() or _close(), and so in callbacks */
    bool polled;        /* since the last virtio_net_interrupts_on(): there will be another look */
    bool own_vectors;   /* each queue has its own */
    volatile bool live; /* between virtio_net_start() and _close(): the handler may access the
                         * queues */

    /* Set by the interrupt handler, cleared by virtio_net_poll(). */
    volatile bool interrupted; /* by a queue; virtqueue.interrupted says which one */
    volatile bool config_changed;

    struct virtio_net_counters counters;

#if VIRTIO_DEBUG
    unsigned debug_where; /* virtio_net_debug.h */
#endif
};

/*
 * Negotiates features and sets up the queues with interrupts disabled. net and client must exist
 * until virtio_net_close(). No frames arrive before virtio_net_start(). 0 or an error, which is
 * logged. After an error the device is marked failed and all memory freed, except for queues of a
 * device that does not complete its reset, as it may still write to them.
 */
int virtio_net_open(struct virtio_net *net, struct virtio_device *dev,
                    const struct virtio_net_options *options,
                    const struct virtio_net_client *client);

/*
 * Posts receive buffers and sets DRIVER_OK. Frames and interrupts may come from now on;
 * configuration interrupts come first. So install the interrupt handler, and then enable the line,
 * before this call. A device may sample its interrupt configuration only at DRIVER_OK: with vhost,
 * QEMU never interrupts if the line was disabled then. Has no effect if virtio_net_open() failed,
 * after virtio_net_close(), or a second time.
 */
void virtio_net_start(struct virtio_net *net);

/*
 * Resets the device, returns frames in flight through client.transmitted(), and frees the device's
 * memory. Before the call, the client must have released all buffers, and virtio_net_interrupt()
 * must no longer be called. 0; VIRTIO_ERROR_IO if the device does not complete its reset: then it
 * may still access all its memory, so none is freed and no frame in flight is returned;
 * VIRTIO_ERROR_INVAL, without effect, from within a function of the client, or if *net is all zeros.
 */
int virtio_net_close(struct virtio_net *net);

/*
 * Takes up to `budget` received frames, reclaims transmitted ones, posts receive buffers and checks
 * the link. Returns the number of received frames. From within a function of the client it does
 * nothing and returns 0.
 */
unsigned virtio_net_poll(struct virtio_net *net, unsigned budget);

/*
 * Only returns transmitted frames that the device has used, through client.transmitted(). For code
 * that transmits without polling. Returns their number; 0 from within a function of the client.
 */
unsigned virtio_net_reclaim(struct virtio_net *net);

/*
 * Queues a frame, which begins with the Ethernet header and has no frame checksum. Nothing is
 * copied. parts: the frame's parts in order. Their memory belongs to the device until
 * client.transmitted(cookie), whether the frame is sent or not. The list itself belongs to the
 * caller; during the call its first entry is modified to include the header. headroom: number of
 * bytes before parts[0].data that may be overwritten; header_length bytes save a descriptor.
 * offload: what the device shall do, as permitted by CSUM, HOST_TSO4, HOST_TSO6, HOST_ECN and
 * HOST_USO; NULL: nothing.
 *
 * Returns 0 or an error; after an error nothing is queued. VIRTIO_ERROR_FULL: try again after
 * client.transmitted(). VIRTIO_ERROR_TOOBIG: more parts than VIRTIO_NET_PARTS_MAX or than fit into
 * the ring, or an offload without room for a header; join the parts to one with headroom.
 * VIRTIO_ERROR_NOMEM: the frame could not be mapped; try again later. VIRTIO_ERROR_INVAL: no parts,
 * an offload that was not negotiated or lies outside of the frame, or a frame above the negotiated
 * MTU. VIRTIO_ERROR_DOWN, VIRTIO_ERROR_BROKEN.
 */
int virtio_net_transmit(struct virtio_net *net, struct virtqueue_part *parts, unsigned count,
                        unsigned headroom, const struct virtio_net_offload *offload, void *cookie);
enum { VIRTIO_NET_PARTS_MAX = VIRTQUEUE_PARTS_MAX - 1 };

/*
 * True if the transmit ring certainly has room for `frames` frames of `parts` parts each, with
 * headroom, plus `spare` frames of one part.
 */
bool virtio_net_has_room(const struct virtio_net *net, unsigned frames, unsigned parts,
                         unsigned spare);

/*
 * Notifies the device of queued frames, if there are any and it wants that. With
 * options.weak_barrier it may take a second look to see that. Between virtio_net_poll() and
 * virtio_net_interrupts_on() that look is left to the next call of either, or of
 * virtio_net_reclaim(), which the client makes in any case.
 */
void virtio_net_flush(struct virtio_net *net);

/* Releases a receive buffer: `buffer` is the argument of client.receive(). */
void virtio_net_release(struct virtio_net *net, void *buffer);

/*
 * True if the client holds nearly all receive buffers that may exist. It may release them only
 * after a further frame, so it must keep no more: it should copy a frame received now if it is
 * small, or drop it, and release its buffers at once.
 */
bool virtio_net_scarce(const struct virtio_net *net);

/*
 * Resets and restores the device, starting with the next virtio_net_poll(). Frames that the device
 * has not sent are lost. Has no effect during a recovery.
 */
void virtio_net_reset(struct virtio_net *net);

/*
 * The control queue (§5.1.6.5). Each function waits for the device's answer, usually a few
 * microseconds. Call them between virtio_net_start() and virtio_net_close(). 0;
 * VIRTIO_ERROR_UNSUPPORTED without the feature; VIRTIO_ERROR_REFUSED if the device rejects the
 * command; VIRTIO_ERROR_IO if it does not answer within 100 ms, or at once if an earlier answer is
 * outstanding. After VIRTIO_ERROR_IO the device's state is unknown, and the call may be repeated
 * later.
 */

/* Frames to receive in addition to those for our address, the table's addresses and broadcast. */
enum {
    VIRTIO_NET_RX_PROMISC = 1,
    VIRTIO_NET_RX_ALLMULTI = 2,
    VIRTIO_NET_RX_ALLUNI = 4, /* this one and those below require CTRL_RX_EXTRA */
    VIRTIO_NET_RX_NOMULTI = 8,
    VIRTIO_NET_RX_NOUNI = 16,
    VIRTIO_NET_RX_NOBCAST = 32,
};
int virtio_net_set_rx_mode(struct virtio_net *net, unsigned modes);

/*
 * Sets further addresses of ours and the multicast groups to receive; replaces the previous lists.
 * VIRTIO_ERROR_TOOBIG for more than VIRTIO_NET_UNICAST_MAX addresses. If the groups do not fit into
 * the table, all multicast is received.
 */
int virtio_net_set_mac_table(struct virtio_net *net, const uint8_t (*unicast)[6],
                             unsigned unicast_count, const uint8_t (*multicast)[6],
                             unsigned multicast_count);
enum { VIRTIO_NET_UNICAST_MAX = 64 };

/*
 * Starts or stops receiving frames of this VLAN (0 to 4094). With CTRL_VLAN the device initially
 * receives none.
 */
int virtio_net_set_vlan(struct virtio_net *net, uint16_t vlan, bool on);

/*
 * Changes our address. Without CTRL_MAC_ADDR, a legacy device's is written to its field;
 * VIRTIO_ERROR_REFUSED if the field does not change.
 */
int virtio_net_set_mac(struct virtio_net *net, const uint8_t mac[6]);

/*
 * Selects which of the negotiated GUEST_... offloads the device may use from now on, as feature
 * bits. Other bits are ignored, and so is an offload without one that it requires, as TSO without
 * CSUM. Frames already received may still use a disabled offload.
 */
int virtio_net_set_guest_offloads(struct virtio_net *net, uint64_t offloads);

/*
 * Enables the interrupt for the next received frame. tx: also when much of the transmit ring has
 * been used, for a sender that waits after VIRTIO_ERROR_FULL. If receive buffers are missing, the
 * latter is enabled in any case, as they may be in the transmit ring. Returns true if there is work
 * already: there may be no interrupt then, so the caller must poll. This is also the case while
 * there is no memory for a single buffer.
 */
bool virtio_net_interrupts_on(struct virtio_net *net, bool tx);
void virtio_net_interrupts_off(struct virtio_net *net);

/*
 * The top half, for interrupt context: reads the ISR status, disables the queues' interrupts and
 * records that there is work. Returns true if the interrupt was this device's. Then the loop must
 * poll, even if no queue has work, since the link may have changed.
 */
bool virtio_net_interrupt(struct virtio_net *net);

/*
 * The same for a device with vectors (dev->vectors): handles the interrupt of this vector, which no
 * other device shares. With VIRTIO_NET_VECTORS vectors, queues and configuration do not share any
 * either. *net may still be all zeros.
 */
void virtio_net_interrupt_vector(struct virtio_net *net, uint16_t vector);
enum { VIRTIO_NET_VECTORS = 3 };

#ifdef __cplusplus
}
#endif

#endif
