/* SPDX-License-Identifier: BSD-2-Clause */
/* Receiving: the card's buffers become pbufs without a copy, and return when lwIP is done. */
#include <string.h>

#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ethernet.h"
#include "net/lwip_port/frame.h"
#include "net/lwip_port/hooks.h"
#include "net/lwip_port/interface_internal.h"
#include "net/lwip_port/offload.h"
#include "net/lwip_port/uso_rx.h"
#include "runtime/stamp.h"

/* The private bytes of a receive buffer: the pbuf that represents it while the stack holds it. */
struct rx_pbuf {
    struct pbuf_custom custom; /* must be first: lwIP returns it as a struct pbuf */
    struct interface *interface;
};

_Static_assert(sizeof(struct rx_pbuf) <= INTERFACE_RX_PRIVATE, "rx_pbuf");

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

    rx->interface->counters.rx_lent--;
    rx->interface->nic.driver->release(rx->interface->nic.state, rx);
}

/*
 * The pbuf for a received buffer: the buffer itself or, when buffers are scarce, a copy of a small
 * one, which returns the buffer at once. NULL: the frame was dropped.
 */
static struct pbuf *wrap(struct interface *interface, struct rx_pbuf *rx, void *data,
                         uint32_t length)
{
    struct pbuf *copy = NULL;

    if (length <= UINT16_MAX && !interface->nic.driver->scarce(interface->nic.state)) {
        rx->custom.custom_free_function = rx_free;
        rx->interface = interface;
        interface->counters.rx_lent++;
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
        interface->counters.rx_copied++;
        interface->counters.rx_copied_bytes += length;
    }
    interface->nic.driver->release(interface->nic.state, rx);
    return copy;
}

/* Adds another buffer to the current frame. NULL: it could not be kept. */
static void append(struct interface *interface, struct pbuf *p)
{
    if (p == NULL) {
        interface->dropping = true;
    } else if (interface->partial == NULL) {
        interface->partial = p;
        interface->partial_last = p;
        interface->partial_length = p->len;
    } else {
        interface->partial_last->next = p;
        interface->partial_last = p;
        interface->partial_length += p->len;
    }
}

static void drop(struct interface *interface)
{
    if (interface->partial != NULL) {
        pbuf_free(interface->partial);
        interface->partial = NULL;
    }
    interface->dropping = false;
    interface->counters.rx_dropped++;
}

/*
 * True if lwIP can handle the frame: it counts its bytes in 16 bits. Joined segments may have up to
 * 64 KiB behind the Ethernet header; then that header is removed here. Such a frame must be for
 * this station only, as lwIP would no longer know that it was broadcast or multicast.
 */
static bool fits(struct interface *interface)
{
    struct pbuf *p = interface->partial;
    const struct eth_hdr *ethernet = p->payload;

    if (interface->partial_length > UINT16_MAX && interface->vlan == 0 &&
        p->len > sizeof *ethernet &&
        memcmp(ethernet->dest.addr, interface->netif.hwaddr, ETH_HWADDR_LEN) == 0 &&
        (ethernet->type == PP_HTONS(ETHTYPE_IP) || ethernet->type == PP_HTONS(ETHTYPE_IPV6))) {
        pbuf_remove_header(p, sizeof *ethernet);
        interface->partial_length -= sizeof *ethernet;
    }
    return interface->partial_length <= UINT16_MAX;
}

/* Completes a frame: sets the lengths in its pbufs as lwIP expects them. */
static struct pbuf *finish(struct interface *interface)
{
    struct pbuf *p = interface->partial;
    uint32_t length = interface->partial_length;

    for (struct pbuf *q = p; q != NULL; q = q->next) {
        q->tot_len = (u16_t)length;
        length -= q->len;
    }
    interface->partial = NULL;
    return p;
}

/*
 * lwIP acknowledges every second segment at once. Joined segments count as one for lwIP but must be
 * acknowledged at once: so it is told that one segment is waiting already.
 */
void port_tcp_received(const struct netif *netif, struct tcp_hdr *header, struct tcp_pcb *pcb)
{
    interface_window_received(netif->state, header, pcb);
    if (joined && pcb->state >= ESTABLISHED) {
        tcp_set_flags(pcb, TF_ACK_DELAY);
    }
}

enum {
    CHECKED = NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_UDP
}; /* bits of netif.chksum_flags */

static void refused(struct interface *interface, struct pbuf *p)
{
    interface->counters.rx_refused++;
    pbuf_free(p);
}

/* Handles a frame of joined datagrams. */
static void receive_datagrams(struct interface *interface, const struct virtio_net_offload *offload)
{
    struct netif *netif = &interface->netif;
    const u16_t checksums = netif->chksum_flags;
    struct uso_rx uso;

    if (!uso_rx_begin(&uso, interface->partial, interface->partial_length, offload)) {
        drop(interface);
        return;
    }
    interface->partial = NULL;
    netif->chksum_flags = checksums & ~CHECKED;
    while (uso_rx_left(&uso)) {
        struct pbuf *p = uso_rx_next(&uso);

        if (p == NULL) {
            interface->counters.rx_dropped++;
        } else if (netif->input(p, netif) != ERR_OK) {
            refused(interface, p);
        }
    }
    netif->chksum_flags = checksums;
}

void interface_receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                       const struct virtio_net_offload *offload)
{
    struct interface *interface = context;
    struct netif *netif = &interface->netif;
    const u16_t checksums = netif->chksum_flags;
    const void *first;
    unsigned type;
    bool checked;
    struct pbuf *p;
    err_t error;

    stamp(STAMP_RECEIVE);
    append(interface, wrap(interface, buffer, data, length));
    if (more) {
        return;
    }
    if (interface->dropping ||
        !frame_has_header(interface->partial->payload, interface->partial->len)) {
        drop(interface);
        return;
    }
    type = offload->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
    joined = type == VIRTIO_NET_HDR_GSO_TCPV4 || type == VIRTIO_NET_HDR_GSO_TCPV6;
    if (type == VIRTIO_NET_HDR_GSO_UDP_L4) {
        receive_datagrams(interface, offload);
        return;
    }
    first = interface->partial->payload;
    checked = offload_is_checked(first, interface->partial->len, offload);
    if (!fits(interface)) {
        drop(interface);
        return;
    }
    p = finish(interface);
    if (checked) {
        netif->chksum_flags = checksums & ~CHECKED;
    }
    /* without an Ethernet header it is passed to IP */
    error = p->payload == first ? netif->input(p, netif) : interface_input_ip(p, netif);
    netif->chksum_flags = checksums;
    if (error != ERR_OK) {
        refused(interface, p);
    }
}
