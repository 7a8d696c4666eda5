/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP on a card of net/nic.h: the netif, and whose turn it is to own a pbuf. */
#ifndef LWIP_PORT_H
#define LWIP_PORT_H

#include "lwip/netif.h"
#include "net/nic.h"

/* How packets cross between the card and the stack; they count from the start and wrap. */
struct lwip_port_counters {
    uint32_t tx_copied; /* frames of too many parts, joined by a copy */
    uint64_t tx_copied_bytes;
    uint32_t rx_refused; /* frames that lwIP did not take */
    uint32_t rx_copied;  /* small frames, copied because receive buffers were scarce */
    uint64_t rx_copied_bytes;
    uint32_t
        rx_dropped; /* larger ones for the same reason, and what cannot be what the card says */
    uint32_t rx_foreign; /* frames of another VLAN than the netif's */
    uint32_t rx_own;     /* broadcast and multicast frames from our own Ethernet address */
    uint32_t rx_lent;    /* receive buffers that the stack has, at the moment */
};

/* An address of ip= that another station uses: conflict.c asks from time to time whether it is free. */
struct port_kept_off {
    ip4_addr_t address; /* 0.0.0.0: there is none */
    ip4_addr_t mask, gateway;
    uint32_t wait_ms; /* until the next probe */
    bool probed;      /* the last probe was sent */
    bool in_use;      /* and somebody has answered */
};

struct bursts;
struct port_group;

struct lwip_port {
    /* To be set before lwip_port_open(). */
    const uint8_t *mac; /* 6 bytes to use instead of the card's, or NULL */
    uint16_t vlan;      /* 0: untagged */
    bool all_groups;    /* that the card receives from the start: to tell it more would take time */
    bool exit_on_conflict; /* end the guest where another station has its new address */

    struct netif netif;
    struct nic nic;
    struct nic_client client;
    char label[12];         /* its lines on the console begin with: "", "card 1: " */
    uint16_t priority;      /* of the frame being handled, where it is in a VLAN tag */
    uint32_t address_since; /* sys_now() when the netif got its address */
    struct port_kept_off kept_off;
    bool own_frame_told;       /* that the network returns our own frames */
    struct port_group *groups; /* that the card is to receive */
    uint32_t lent_most;        /* that it may have before TCP is held to a share of them; 0: any */
    struct pbuf *partial;      /* the parts so far of a frame of several buffers */
    struct pbuf *partial_last;
    uint32_t partial_length; /* bytes */
    bool dropping;           /* the frame of which `partial` is the beginning */
    uint32_t offloads;       /* NIC_SEND_..., NIC_RECEIVE_...: what the card does */
    struct bursts *bursts;   /* of segments that are sent as one frame; NULL: none are */
    uint16_t tx_reserve;     /* places in the ring for frames that nobody would send again */
    uint16_t tx_parts;       /* with how many a frame that can wait finds room in an empty ring */
    bool tx_full;            /* a frame was refused: the stack waits for room */
    bool tx_room;            /* a transmitted frame came back since */
    bool link_came;          /* since the last pass: connections go on at once */
    struct lwip_port_counters counters;
};

/*
 * Starts lwIP and opens up to `count` cards, each for one of the ports, which are zero but for what
 * is to be set. wake: called from interrupt context when there is something to poll. The netifs are
 * up, without addresses. Returns how many cards there are; the reason for none is on the console.
 */
unsigned lwip_port_open(struct lwip_port ports[], unsigned count, void (*wake)(void));

/*
 * From here on the netif takes part in IPv6: it takes a link-local address, and those that routers
 * announce. Returns false where its MTU is less than IPv6 needs (RFC 8200 §5).
 */
bool lwip_port_start_ipv6(struct lwip_port *port);

/* Received frames, up to `budget`, go through the stack. Returns how many there were. */
unsigned lwip_port_poll(struct lwip_port *port, unsigned budget);

/* The stack's timers that are due, once a pass. now_ns: arch_clock_ns(). */
void lwip_port_timers(uint64_t now_ns);

/* Connections that waited for room in the transmit ring go on where there is some, once a pass. */
void lwip_port_resume(struct lwip_port *port);

/* Sends what the pass has gathered, and tells the card of it: at the end of each. */
void lwip_port_flush(struct lwip_port *port);

/*
 * Whether `frames` frames of `parts` pbufs each may be sent now that can wait: the last places in the
 * transmit ring, 16 where it is not very small, are for those that nobody would send again, like
 * answers to a ping. If not, the loop is told to wake up when there is room.
 */
bool lwip_port_room(struct lwip_port *port, unsigned frames, unsigned parts);

/* The text of an IPv6 address as RFC 5952 §4.3 has it, in small letters. text: IP6ADDR_STRLEN_MAX
 * bytes. Returns it. */
const char *lwip_port_text_ipv6(const ip6_addr_t *address, char *text);

#endif
