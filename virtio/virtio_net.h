/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio network device (virtio 1.3 §5.1): one receive, one transmit, one control queue. How a
 * system uses it:
 *
 *     virtio_net_open(net, dev, &options, &client);
 *     connect the interrupt handler, then vpci_enable_line() or its like;
 *     virtio_net_start(net);
 *     loop:
 *         virtio_net_poll(net, budget);           client.receive(), .transmitted(), .link()
 *         virtio_net_transmit(net, ...);          any number of times
 *         virtio_net_flush(net);                  notifies the device once
 *         if there is nothing to do:
 *             if virtio_net_interrupts_on(net, tx) says that work is pending, go round again;
 *             else sleep until virtio_net_interrupt(net), from the interrupt handler, says true
 *
 * Contexts. Nothing here takes a lock. One lock of the caller's for each device is enough, held over each call, or
 * one thread for all of them; a lock for receiving and another for transmitting are not, as a poll does both.
 *  - virtio_net_interrupt() and _interrupt_vector() are for interrupt handlers, and need no lock: they may run at any
 *    moment, on another processor, too, while any other function runs, from virtio_net_open() (vectors: before it)
 *    until the line or the messages are off before virtio_net_close(). A device that is used through the window
 *    (virtio_pci.window) is the exception: there they share registers with the others, so that on several processors
 *    the handler has to hold the lock. Interrupts are level-triggered, but for messages.
 *  - The client's functions are called with the lock held, from virtio_net_poll(), _reclaim() and _close(), never from
 *    interrupts. They may call everything but _open(), _start(), and what does nothing then: _poll() and _reclaim() return
 *    0, _close() ERROR_INVAL.
 *  - Open, close and what uses the control queue (set_...) wait for the device: at most a second, and 100 ms. The
 *    others never wait.
 * A frame that was sent comes back only when somebody calls _poll() or _reclaim(). Who sleeps until there is room, after
 * ERROR_FULL, asks for interrupts with tx, and is woken by the handler; what it wakes has to call one of the two.
 *
 * A device that asks for a reset, breaks the
 * rules of a queue or does not go on is reset by virtio_net_poll() and set up as it was: client.link()
 * says down and up, frames that were out come back through client.transmitted(). Errors are those of
 * virtio/virtio.h, less their VIRTIO_. ERROR_INVAL, with nothing changed, is for arguments that are none
 * of those described, and for what needs a live device before virtio_net_start() or after _close().
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

/* Who uses the device; all four are needed. Called from virtio_net_poll() and _close(), never from
 * interrupts. */
struct virtio_net_client {
    /*
     * One buffer of a received frame, in order; `more` says that the frame goes on in the next
     * call. The client owns the buffer until virtio_net_release(net, buffer). buffer: points at
     * `private_size` bytes for the client's own use, which lie before `data` in one block of
     * memory; between them and data there are at least as many bytes to write on as a header of
     * this device takes. offload: of the whole frame, the same for each of its buffers; never NULL.
     */
    void (*receive)(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct virtio_net_offload *offload);
    /* The device is done with a transmitted frame: its memory is the client's again. */
    void (*transmitted)(void *context, void *cookie);
    /* The link went up or down, or it is up and its speed or duplex changed. While it is down frames are
     * refused. */
    void (*link)(void *context, bool up);
    /* The device asks for a packet that makes us known to the network (§5.1.6.5.4 Gratuitous
     * Packet Sending); it is acknowledged when this returns. */
    void (*announce)(void *context);
    void *context;
    uint32_t private_size; /* bytes, at most VIRTIO_NET_PRIVATE_MAX */
};
enum { VIRTIO_NET_PRIVATE_MAX = 256 };

struct virtio_net_options {
    uint64_t features;  /* to accept, of those the driver knows (VIRTIO_NET_FEATURES) */
    const uint8_t *mac; /* 6 bytes to use instead of the device's, or NULL */
    /* Receive buffers posted at rest, at the least; 0: the default. Never fewer than a frame of the agreed
     * MTU takes. See VIRTIO_NET_RX_MERGED. */
    uint16_t rx_initial;
    uint16_t rx_maximum; /* receive buffers posted at the most; 0: the default */
    uint16_t
        tx_size; /* descriptors of the transmit ring, rounded up to a power of two; 0: the default */
    uint32_t rx_memory;   /* bytes of receive buffers that may ever exist; 0: the default */
    uint32_t rx_quiet_ms; /* of little traffic, before their number is halved; 0: the default */
    /* For transmitted frames to come back, before the device is looked at; 0: the default. */
    uint32_t tx_timeout_ms;
    bool weak_barrier;   /* struct virtio_device's */
    uint64_t bus_offset; /* struct virtio_device's */
    bool rx_fixed;       /* rx_maximum from the beginning to the end */
};
enum {
    VIRTIO_NET_RX_INITIAL = 32, /* a burst that no device loses, if it keeps frames or drops them */
    VIRTIO_NET_RX_MAXIMUM = 256,
    /*
     * What the longest joined frame takes. With fewer at the most, MRG_RXBUF is not accepted, nor a
     * feature that needs it. Where GUEST_TSO4, TSO6, USO4 or USO6 is accepted it is rx_initial's default.
     * Who asks for fewer there has to poll without an interrupt from time to time: a device that
     * has such a frame, and too few buffers for it, waits and does not interrupt.
     */
    VIRTIO_NET_RX_MERGED = 44,
    VIRTIO_NET_RX_MEMORY = 2 << 20,
    VIRTIO_NET_RX_QUIET_MS = 1000,
    VIRTIO_NET_TX_TIMEOUT_MS = 5000,
    VIRTIO_NET_TX_SIZE = 256, /* transmit descriptors */
};

/* The features that this driver can use. */
#define VIRTIO_NET_FEATURES                                                                        \
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

/* What happened since the device was opened; counters wrap. */
struct virtio_net_counters {
    uint64_t rx_frames;
    uint64_t rx_bytes;
    uint64_t tx_frames;
    uint64_t tx_bytes;
    uint32_t interrupts;          /* that were ours; of each queue: struct virtqueue_counters */
    uint32_t interrupts_spurious; /* of those, with nothing to do */
    uint32_t interrupts_config;   /* of those, with news in the configuration */
    uint32_t rx_bad;              /* frames dropped for a length, a number of buffers or a gso_type
                                   * that cannot be */
    uint32_t rx_no_memory;        /* refills that found no memory */
    uint32_t rx_at_ceiling;       /* refills that rx_memory did not allow */
    uint32_t rx_ups;              /* times that the limit of posted buffers was raised */
    uint32_t rx_downs;            /* and lowered */
    uint32_t tx_full;             /* transmits refused because the ring was full */
    uint32_t tx_down;             /* because the link was down */
    uint32_t recoveries;          /* resets of the device that was in trouble, and is back */
    uint32_t tx_lost; /* frames queued and given back unsent, as their queue was reset */
};

struct virtio_net_buffer;

struct virtio_net {
    struct virtio_device *dev;
    const struct virtio_net_client *client;
    struct virtqueue rx;
    struct virtqueue tx;
    uint8_t mac[6];
    uint8_t header_length; /* of struct virtio_net_hdr on this device: 10 or 12 */
    bool split_header;     /* it must be a descriptor of its own */
    bool link_up;
    bool own_mac;       /* the address is not the device's, which has to be told */
    bool mac_unknown;   /* to the device, so it must receive all frames */
    uint16_t mtu;       /* bytes of an IP packet, 1500 where the device does not say */
    uint32_t speed;     /* Mbit/s, 0: unknown */
    uint8_t duplex;     /* VIRTIO_NET_DUPLEX_..., one of the three */
    uint8_t generation; /* of the configuration that says this of the link */

    /* Receive buffers. */
    uint16_t rx_limit;                 /* posted at most, now: goes with the load */
    uint16_t rx_limit_peak;            /* the most it ever was */
    uint16_t rx_initial;               /* where it begins, and does not go below */
    uint16_t rx_maximum;               /* and above */
    uint16_t rx_posted;                /* that the device has */
    uint32_t rx_taken;                 /* used ones taken, since the last look at the limit */
    uint32_t rx_burst;                 /* the same since a poll found no more of them */
    uint16_t rx_kept_count;            /* free, for the next refill */
    uint32_t rx_buffers;               /* that exist: posted, the client's, or kept */
    uint32_t rx_peak;                  /* the most that ever existed */
    uint32_t rx_buffers_max;           /* what rx_memory allows */
    uint32_t rx_frame_max;             /* bytes of a frame that one buffer holds */
    uint32_t rx_data_offset;           /* from a buffer's start to its header */
    uint32_t rx_buffer_size;           /* bytes of a whole one */
    struct virtio_net_buffer *rx_kept; /* free, for the next refill */
    uint64_t rx_quiet_ns;              /* after how much of little traffic the limit is halved */
    uint64_t rx_quiet_since;           /* clock; 0: it is not quiet */
    uint32_t rx_since_asked;           /* buffers used since the device asked for some; saturates */

    struct virtqueue ctrl;
    uint16_t ctrl_index;                /* which queue of the device */
    struct virtio_net_command *command; /* memory for one */
    bool ctrl_late;                     /* the device owes an answer, and has the memory */
    uint64_t ctrl_late_since;           /* clock: when it was sent */
    uint8_t rx_modes;                   /* that the client wants: VIRTIO_NET_RX_... */
    bool rx_all_groups; /* ALLMULTI is on, as the MAC table does not hold them all */

    /* With headroom. A chain is not longer than the queue, in an indirect table neither (§2.7.5.3.1). */
    uint16_t tx_parts_max;
    uint32_t tx_frame_max;            /* bytes of one that the device does not cut */
    struct virtio_net_hdr *tx_header; /* all zeros, for frames without headroom */

    bool tx_renewing; /* the transmit queue is made anew, before the link is said to be up */
    uint64_t tx_renewed_since; /* clock: when that began */

    /* virtio_net_recover.c: resets a device that is in trouble, and sets it up again. */
    enum virtio_net_recovery { VIRTIO_NET_WELL, VIRTIO_NET_WAITS, VIRTIO_NET_RESETS } recovery;
    uint64_t recovery_at;       /* clock: when the reset is to begin, or began */
    uint64_t recovered_at;      /* clock: when it last was well again, if it ever was */
    uint32_t recovery_delay_ms; /* before the reset */
    uint64_t tx_timeout_ns;     /* for frames to come back */
    uint64_t tx_stuck_since;    /* clock: when STUCK_PASSES of them were seen first */
    uint32_t tx_stuck_passes;   /* in which frames were out, and none came back */
    uint32_t passes;
    uint64_t tx_watched_at; /* clock: when it was looked for frames that are overtaken */
    bool tx_watch_due;      /* the time for that has come again */
    struct virtio_net_filters *filters; /* what the control queue has set */

    bool busy;          /* within virtio_net_poll() or _close(), as their callbacks are */
    volatile bool live; /* from virtio_net_start() to _close(): the handler may touch the queues */

    /* Set by the interrupt handler, cleared by virtio_net_poll(). */
    volatile bool interrupted; /* by a queue: which one may have been meant, it knows itself */
    volatile bool config_changed;

    struct virtio_net_counters counters;
};

/*
 * Agrees with the device on features and sets up its queues, with their interrupts off. net and
 * client must live until virtio_net_close(). Nothing arrives before virtio_net_start(). 0 or an error
 * that has been logged; then the device is marked failed and nothing is kept, but for queues of a
 * device that does not finish its reset: it may still write to them.
 */
int virtio_net_open(struct virtio_net *net, struct virtio_device *dev,
                    const struct virtio_net_options *options,
                    const struct virtio_net_client *client);

/*
 * Posts receive buffers and sets DRIVER_OK. Frames and interrupts, those about the configuration
 * first, may come from here on, so the interrupt must be connected before: the handler, then the
 * line. A device may look for its way to interrupt only once, when DRIVER_OK is set: QEMU does so for
 * vhost, and a line that was off then never interrupts. Does nothing where virtio_net_open() failed, after
 * virtio_net_close(), and a second time.
 */
void virtio_net_start(struct virtio_net *net);

/*
 * Resets the device; frames in flight come back through client.transmitted(), and the device's
 * memory is freed. Buffers that the client still has must have been released before, and nobody may
 * call virtio_net_interrupt() any more. 0; ERROR_IO where the device does not finish its reset: then it
 * may still use all memory that it was given, so none is freed and no frame in flight comes back;
 * ERROR_INVAL, with nothing changed, from within one of the client's functions.
 */
int virtio_net_close(struct virtio_net *net);

/*
 * Takes up to `budget` received frames, reclaims transmitted ones, posts fresh receive buffers and
 * looks after the link. Returns the number of frames taken; none from within one of the client's
 * functions, where it does nothing.
 */
unsigned virtio_net_poll(struct virtio_net *net, unsigned budget);

/*
 * Only the transmitted frames: hands those that the device is done with to client.transmitted(). For who sends and does
 * not poll. Returns how many; 0 from within one of the client's functions.
 */
unsigned virtio_net_reclaim(struct virtio_net *net);

/*
 * Queues a frame: Ethernet header first, without checksum. parts: its pieces in order, which belong
 * to the device until client.transmitted(cookie), whatever the result of the transmission. The list is the
 * caller's: the first one is changed meanwhile, to begin with the header.
 * headroom: bytes before parts[0].data that this function may write; with as many as header_length
 * it saves a descriptor. offload: what the device is to do, of what CSUM, HOST_TSO4, HOST_TSO6,
 * HOST_ECN and HOST_USO allow; NULL: nothing. Nothing is copied. 0, ERROR_FULL (try again after
 * client.transmitted()), ERROR_TOOBIG (more parts than VIRTIO_NET_PARTS_MAX or the ring has room
 * for, or an offload without room for a header: join the parts to one with headroom), ERROR_DOWN, ERROR_BROKEN, ERROR_NOMEM (it could not be mapped:
 * try again later), or ERROR_INVAL: no part, an offload
 * that was not agreed or lies outside of the frame, a frame longer than the agreed MTU; on error nothing
 * is kept.
 */
int virtio_net_transmit(struct virtio_net *net, struct virtqueue_part *parts, unsigned count,
                        unsigned headroom, const struct virtio_net_offload *offload, void *cookie);
enum { VIRTIO_NET_PARTS_MAX = VIRTQUEUE_PARTS_MAX - 1 };

/* Whether `frames` frames of this many parts each would surely fit into the transmit ring now, with
 * headroom, and beside them `spare` frames of one part. */
bool virtio_net_has_room(const struct virtio_net *net, unsigned frames, unsigned parts,
                         unsigned spare);

/* Notifies the device of the frames queued, if there are any and it wants that. */
void virtio_net_flush(struct virtio_net *net);

/* Gives a receive buffer back: `buffer` is what client.receive() got. */
void virtio_net_release(struct virtio_net *net, void *buffer);

/*
 * Whether nearly all receive buffers that may exist are with the client. What lets it release them
 * may be a frame that is still to come, so it must not keep any more: a frame received now should
 * be copied, if it is small, or dropped, and its buffers released at once.
 */
bool virtio_net_scarce(const struct virtio_net *net);

/* Resets the device, and sets it up as it was: begins with the next virtio_net_poll(). What the device had
 * of frames to send is lost. Nothing where that is under way already. */
void virtio_net_reset(struct virtio_net *net);

/*
 * The control queue (§5.1.6.5). Each function waits for the device's answer, some microseconds;
 * to be called between virtio_net_start() and _close(). 0; ERROR_UNSUPPORTED where the feature was not
 * agreed; ERROR_REFUSED where the device says no; ERROR_IO where it does not answer within 100 ms, or
 * at once where it still owes an earlier answer: then it is not known what the device does, and the
 * same may be asked again later.
 */

/* Which frames to receive beside those for our address, the table's and the broadcast ones. */
enum {
    VIRTIO_NET_RX_PROMISC = 1,
    VIRTIO_NET_RX_ALLMULTI = 2,
    VIRTIO_NET_RX_ALLUNI = 4, /* this and those below: CTRL_RX_EXTRA */
    VIRTIO_NET_RX_NOMULTI = 8,
    VIRTIO_NET_RX_NOUNI = 16,
    VIRTIO_NET_RX_NOBCAST = 32,
};
int virtio_net_set_rx_mode(struct virtio_net *net, unsigned modes);

/* Further addresses of ours, and the groups to receive; each replaces what was set before. ERROR_TOOBIG for more than
 * VIRTIO_NET_UNICAST_MAX addresses; more groups than the table has room for are all received. */
int virtio_net_set_mac_table(struct virtio_net *net, const uint8_t (*unicast)[6],
                             unsigned unicast_count, const uint8_t (*multicast)[6],
                             unsigned multicast_count);
enum { VIRTIO_NET_UNICAST_MAX = 64 };

/* Receives frames of this VLAN (0 to 4094), or no longer. With CTRL_VLAN agreed the device begins
 * with none of them. */
int virtio_net_set_vlan(struct virtio_net *net, uint16_t vlan, bool on);

/* Changes our address; without CTRL_MAC_ADDR, that of a legacy device by its field: ERROR_REFUSED where
 * the field does not take it. */
int virtio_net_set_mac(struct virtio_net *net, const uint8_t mac[6]);

/* Which of the agreed GUEST_... offloads the device may use from now on, as feature bits; others
 * have no effect, nor has an offload without one that it needs, as TSO without CSUM. Frames that
 * are received already may still have had what is switched off. */
int virtio_net_set_guest_offloads(struct virtio_net *net, uint64_t offloads);

/*
 * Asks for an interrupt for the next received frame, and with tx, for who waits after ERROR_FULL,
 * also for when much of the transmit ring has been used. Where receive buffers are missing it asks for
 * the latter in any case, as they may be in there. Returns whether there is work already: then there may be
 * no interrupt, and the caller must poll. So it is while there is no memory for a single buffer.
 */
bool virtio_net_interrupts_on(struct virtio_net *net, bool tx);
void virtio_net_interrupts_off(struct virtio_net *net);

/*
 * The top half, from interrupt context: reads the ISR status, turns the queues' interrupts off,
 * notes that there is work. Returns true where the interrupt was this device's: then the loop must
 * poll, as the link may have changed even where no queue has news.
 */
bool virtio_net_interrupt(struct virtio_net *net);

/*
 * The same where the device has vectors (dev->vectors): the interrupt of this one came. It is
 * nobody else's. With VIRTIO_NET_VECTORS nothing shares one. *net may be all zeros still.
 */
void virtio_net_interrupt_vector(struct virtio_net *net, uint16_t vector);
enum { VIRTIO_NET_VECTORS = 3 };

#ifdef __cplusplus
}
#endif

#endif
