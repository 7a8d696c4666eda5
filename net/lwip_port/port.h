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
    uint32_t rx_dropped; /* larger ones, dropped for the same reason */
};

struct lwip_port {
    struct netif netif;
    struct nic nic;
    struct pbuf *partial; /* the parts so far of a frame of several buffers */
    bool dropping;        /* the frame of which `partial` is the beginning */
    bool tx_full;         /* a frame was refused: the stack waits for room */
    bool tx_room;         /* a transmitted frame came back since */
    struct lwip_port_counters counters;
};

/*
 * Starts lwIP and opens the first card. wake: called from interrupt context when there is something
 * to poll. The netif is up, without an address. Returns whether there is a card; the reason why not
 * is on the console.
 */
bool lwip_port_open(struct lwip_port *port, void (*wake)(void));

/*
 * One pass of the bottom half: received frames, up to `budget`, go through the stack, due timers
 * run, and connections that waited for room in the transmit ring go on. now_ns: arch_clock_ns().
 * Returns whether anything was received.
 */
bool lwip_port_poll(struct lwip_port *port, unsigned budget, uint64_t now_ns);

/*
 * Whether `frames` frames may be sent now that can wait: the last LWIP_PORT_RESERVE places in the
 * transmit ring are for those that nobody would send again, like answers to a ping. If not, the loop
 * is told to wake up when there is room.
 */
bool lwip_port_room(struct lwip_port *port, unsigned frames);
enum { LWIP_PORT_RESERVE = 16 };

#endif
