/* SPDX-License-Identifier: BSD-2-Clause */
/* Receiving: the card's buffers become pbufs without a copy, and return when lwIP is done. */
#include <string.h>

#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ethernet.h"
#include "net/lwip_port/frame.h"
#include "net/lwip_port/hooks.h"
#include "net/lwip_port/offload.h"
#include "net/lwip_port/port_internal.h"
#include "net/lwip_port/uso_rx.h"
#include "runtime/stamp.h"

/* The private bytes of a receive buffer: the pbuf that represents it while the stack holds it. */
struct rx_pbuf {
    struct pbuf_custom custom; /* must be first: lwIP returns it as a struct pbuf */
    struct lwip_port *port;
};

_Static_assert(sizeof(struct rx_pbuf) <= PORT_RX_PRIVATE, "rx_pbuf");

enum {
    COPIED_MAX = 256, /* largest frame that is copied when receive buffers are scarce */
    COPY_LEAST = 96,  /* minimum size of the copy: lwIP reads a UDP header before it checks that
                       * there is one */
};

/* The frame being handled consists of several TCP segments that the card has joined. */
static bool joined;

/* The stack is done with a receive buffer: returns it to the card. */
static void rx_free(struct pbuf *p)
{
    struct rx_pbuf *rx = (struct rx_pbuf *)p;

    rx->port->counters.rx_lent--;
    rx->port->nic.driver->release(rx->port->nic.state, rx);
}

/*
 * The pbuf for a received buffer: the buffer itself or, when buffers are scarce, a copy of a small
 * one, which returns the buffer at once. NULL: the frame was dropped.
 */
static struct pbuf *wrap(struct lwip_port *port, struct rx_pbuf *rx, void *data, uint32_t length)
{
    struct pbuf *copy = NULL;

    if (length <= UINT16_MAX && !port->nic.driver->scarce(port->nic.state)) {
        rx->custom.custom_free_function = rx_free;
        rx->port = port;
        port->counters.rx_lent++;
        /*
         * PBUF_RAM means that structure and data are one block, so headers can be put in front of a
         * reply made in place.
         */
        return pbuf_alloced_custom(PBUF_RAW, (u16_t)length, PBUF_RAM, &rx->custom, data,
                                   (u16_t)length);
    }
    if (length <= COPIED_MAX) {
        copy =
            pbuf_alloc(PBUF_RAW_TX, (u16_t)(length < COPY_LEAST ? COPY_LEAST : length), PBUF_RAM);
    }
    if (copy != NULL) {
        pbuf_realloc(copy, (u16_t)length);
        memcpy(copy->payload, data, length);
        port->counters.rx_copied++;
        port->counters.rx_copied_bytes += length;
    }
    port->nic.driver->release(port->nic.state, rx);
    return copy;
}

/* Adds another buffer to the current frame. NULL: it could not be kept. */
static void append(struct lwip_port *port, struct pbuf *p)
{
    if (p == NULL) {
        port->dropping = true;
    } else if (port->partial == NULL) {
        port->partial = p;
        port->partial_last = p;
        port->partial_length = p->len;
    } else {
        port->partial_last->next = p;
        port->partial_last = p;
        port->partial_length += p->len;
    }
}

static void drop(struct lwip_port *port)
{
    if (port->partial != NULL) {
        pbuf_free(port->partial);
        port->partial = NULL;
    }
    port->dropping = false;
    port->counters.rx_dropped++;
}

/*
 * True if lwIP can handle the frame: it counts its bytes in 16 bits. Joined segments may have up to
 * 64 KiB behind the Ethernet header; then that header is removed here. Such a frame must be for
 * this station only, as lwIP would no longer know that it was broadcast or multicast.
 */
static bool fits(struct lwip_port *port)
{
    struct pbuf *p = port->partial;
    const struct eth_hdr *ethernet = p->payload;

    if (port->partial_length > UINT16_MAX && port->vlan == 0 && p->len > sizeof *ethernet &&
        memcmp(ethernet->dest.addr, port->netif.hwaddr, ETH_HWADDR_LEN) == 0 &&
        (ethernet->type == PP_HTONS(ETHTYPE_IP) || ethernet->type == PP_HTONS(ETHTYPE_IPV6))) {
        pbuf_remove_header(p, sizeof *ethernet);
        port->partial_length -= sizeof *ethernet;
    }
    return port->partial_length <= UINT16_MAX;
}

/* Completes a frame: sets the lengths in its pbufs as lwIP expects them. */
static struct pbuf *finish(struct lwip_port *port)
{
    struct pbuf *p = port->partial;
    uint32_t length = port->partial_length;

    for (struct pbuf *q = p; q != NULL; q = q->next) {
        q->tot_len = (u16_t)length;
        length -= q->len;
    }
    port->partial = NULL;
    return p;
}

/*
 * lwIP acknowledges every second segment at once. Joined segments count as one for lwIP but must be
 * acknowledged at once: so it is told that one segment is waiting already.
 */
void port_tcp_received(const struct netif *netif, struct tcp_hdr *header, struct tcp_pcb *pcb)
{
    port_window_received(netif->state, header, pcb);
    if (joined && pcb->state >= ESTABLISHED) {
        tcp_set_flags(pcb, TF_ACK_DELAY);
    }
}

enum {
    CHECKED = NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP
}; /* bits of netif.chksum_flags */

static void refused(struct lwip_port *port, struct pbuf *p)
{
    port->counters.rx_refused++;
    pbuf_free(p);
}

/* Handles a frame of joined datagrams. */
static void receive_datagrams(struct lwip_port *port, const struct virtio_net_offload *offload)
{
    struct netif *netif = &port->netif;
    const u16_t checksums = netif->chksum_flags;
    struct uso_rx uso;

    if (!uso_rx_begin(&uso, port->partial, port->partial_length, offload)) {
        drop(port);
        return;
    }
    port->partial = NULL;
    netif->chksum_flags = checksums & ~CHECKED;
    while (uso_rx_left(&uso)) {
        struct pbuf *p = uso_rx_next(&uso);

        if (p == NULL) {
            port->counters.rx_dropped++;
        } else if (netif->input(p, netif) != ERR_OK) {
            refused(port, p);
        }
    }
    netif->chksum_flags = checksums;
}

void port_receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                  const struct virtio_net_offload *offload)
{
    struct lwip_port *port = context;
    struct netif *netif = &port->netif;
    const u16_t checksums = netif->chksum_flags;
    const void *first;
    unsigned type;
    bool checked;
    struct pbuf *p;
    err_t error;

    stamp(STAMP_RECEIVE);
    append(port, wrap(port, buffer, data, length));
    if (more) {
        return;
    }
    if (port->dropping || !frame_has_header(port->partial->payload, port->partial->len)) {
        drop(port);
        return;
    }
    type = offload->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
    joined = type == VIRTIO_NET_HDR_GSO_TCPV4 || type == VIRTIO_NET_HDR_GSO_TCPV6;
    if (type == VIRTIO_NET_HDR_GSO_UDP_L4) {
        receive_datagrams(port, offload);
        return;
    }
    first = port->partial->payload;
    checked = offload_is_checked(first, port->partial->len, offload);
    if (!fits(port)) {
        drop(port);
        return;
    }
    p = finish(port);
    if (checked) {
        netif->chksum_flags = checksums & ~CHECKED;
    }
    /* without an Ethernet header it is passed to IP */
    error = p->payload == first ? netif->input(p, netif) : port_input_ip(p, netif);
    netif->chksum_flags = checksums;
    if (error != ERR_OK) {
        refused(port, p);
    }
}
