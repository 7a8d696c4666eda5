/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP on a card of net/nic.h: the netif, and the ownership of pbufs. */
#ifndef INTERFACE_H
#define INTERFACE_H

#include "lwip/netif.h"
#include "net/nic.h"

/* Packets between the card and the stack. Counted from the start; they wrap. */
struct interface_counters {
    uint32_t tx_copied; /* frames with too many parts, copied into one */
    uint64_t tx_copied_bytes;
    uint32_t rx_refused; /* frames that lwIP rejected */
    uint32_t rx_copied;  /* small frames, copied because receive buffers were scarce */
    uint64_t rx_copied_bytes;
    uint32_t rx_dropped; /* larger frames for the same reason, and frames that contradict the card's
                     * description */
    uint32_t rx_foreign; /* frames of a VLAN other than the netif's */
    uint32_t rx_own;     /* broadcast and multicast frames from our own Ethernet address */
    uint32_t rx_lent;    /* receive buffers that the stack holds now */
};

/* An address of ip= that another station uses. conflict.c probes for it until it is free. */
struct interface_kept_off {
    ip4_addr_t address; /* 0.0.0.0: none */
    ip4_addr_t mask, gateway;
    uint32_t wait_ms; /* until the next probe */
    bool probed;      /* the last probe was sent */
    bool in_use;      /* the last probe was answered */
};

struct gso;
struct interface_group;

struct interface {
    /* Set before interface_open(). */
    const struct nic_config *config;
    const uint8_t *mac;    /* 6 bytes to use instead of the card's, or NULL */
    uint16_t vlan;         /* 0: untagged */
    bool all_groups;       /* the card receives all multicast from the start, since telling it later
                         * takes time */
    bool exit_on_conflict; /* end the guest if another station has its new address */

    struct netif netif;
    struct nic nic;
    struct nic_client client;
    char label[12];         /* prefix of its lines on the console: "", "card 1: " */
    uint16_t priority;      /* of the frame being handled, if it has a VLAN tag */
    uint32_t address_since; /* sys_now() when the netif got its address */
    struct interface_kept_off kept_off;
    bool own_frame_told;            /* it was reported that the network returns our frames */
    struct interface_group *groups; /* groups that the card receives */
    uint32_t lent_most;             /* when the stack holds more receive buffers, each connection is
                                * limited to a share; 0: no limit */
    struct pbuf *partial;           /* the parts received so far of a frame of several buffers */
    struct pbuf *partial_last;
    uint32_t partial_length; /* bytes */
    bool dropping;           /* the rest of the frame that began with `partial` */
    uint32_t offloads;       /* NIC_SEND_..., NIC_RECEIVE_...: the work done by the card */
    struct gso *gso;         /* segments sent as one frame; NULL: not used */
    uint16_t tx_reserve;     /* places in the ring for frames that are not retransmitted */
    uint16_t tx_parts;       /* parts for which a frame that can wait finds room in an empty ring */
    bool sent;               /* frames since the last flush */
    bool tx_full;            /* a frame was refused and the stack waits for room */
    bool tx_room;            /* a transmitted frame has come back since then */
    bool link_came;          /* the link came up in the last pass: connections continue at once */
    struct interface_counters counters;
};

/*
 * Initialises lwIP and opens up to `count` cards, one per port. The ports must be zero except for
 * the fields to be set. wake: called in interrupt context when there is something to poll. The
 * netifs are up, without addresses. Returns the number of cards; if there is none, the reason is
 * printed.
 */
unsigned interface_open(struct interface interfaces[], unsigned count, void (*wake)(void));

/*
 * Starts IPv6 on the netif: it gets a link-local address and those that routers announce. Returns
 * false if its MTU is below IPv6's minimum (RFC 8200 §5).
 */
bool interface_start_ipv6(struct interface *interface);

/* Passes up to `budget` received frames to the stack. Returns their number. */
unsigned interface_poll(struct interface *interface, unsigned budget);

/* Runs the stack's expired timers; once a pass. now_ns: arch_clock_ns(). */
void lwip_port_timers(uint64_t now_ns);

/* If there is room in the transmit ring, continues connections that waited for it; once a pass. */
void interface_resume(struct interface *interface);

/*
 * Sends what was collected in the pass and notifies the card; at the end of each pass. Returns true
 * if there was anything.
 */
bool interface_flush(struct interface *interface);

/*
 * True if `frames` frames of `parts` pbufs each, which can wait, may be sent now. The last places
 * in the transmit ring, 16 unless it is very small, are reserved for frames that are not
 * retransmitted, like answers to a ping.
 */
bool interface_has_room(const struct interface *interface, unsigned frames, unsigned parts);

/* Makes the loop wake up when a transmitted frame has come back. */
void interface_wait_for_room(struct interface *interface);

/*
 * Writes an IPv6 address in the form of RFC 5952 §4.3, in lower case. text: IP6ADDR_STRLEN_MAX
 * bytes. Returns text.
 */
const char *interface_text_ipv6(const ip6_addr_t *address, char *text);

#endif
