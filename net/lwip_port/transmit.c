/* SPDX-License-Identifier: BSD-2-Clause */
/* Transmitting: pbufs become frames without a copy; and what waits while the ring is full. */
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/inet_chksum.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"
#include "lwip/prot/udp.h"
#include "net/lwip_port/gso.h"
#include "net/lwip_port/interface_internal.h"
#include "net/lwip_port/neighbours.h"
#include "net/lwip_port/offload.h"
#include "runtime/stamp.h"

enum {
    ACKNOWLEDGEMENT_MAX = 14 + 60 + 60, /* bytes: all headers at their longest */
    RESUMED_AT_ONCE = 32,
};

void interface_choose_offloads(struct interface *interface)
{
    interface->offloads = interface->nic.info.offloads;
    if (interface->offloads & NIC_SEND_CHECKSUM) {
        interface->netif.chksum_flags &= ~(NETIF_CHECKSUM_GEN_TCP | NETIF_CHECKSUM_GEN_UDP);
    }
    interface->gso = gso_open(&interface->nic, interface->offloads, interface->tx_reserve);
}

/*
 * Sets "more fragments" in a fragment from ip4_frag() that is not the last. lwIP takes the last but
 * one for the last if the rest fits into the MTU, but not into the multiple of 8 bytes that a
 * fragment holds. The fragment's pbufs behind its header refer to those of the packet.
 */
static void mark_fragment(const struct netif *netif, struct pbuf *fragment)
{
    struct ip_hdr *ip = fragment->payload;
    struct pbuf *last = fragment->next;
    const struct pbuf *original;

    if ((netif->mtu - IP_HLEN) % 8 == 0 || fragment->len != IP_HLEN || last == NULL ||
        IPH_OFFSET(ip) & PP_HTONS(IP_MF)) {
        return;
    }
    while (last->next != NULL) {
        last = last->next;
    }
    if (!(last->flags & PBUF_FLAG_IS_CUSTOM)) {
        return;
    }
    original = ((const struct pbuf_custom_ref *)last)->original;
    if (original->next == NULL && (const uint8_t *)last->payload + last->len ==
                                      (const uint8_t *)original->payload + original->len) {
        return; /* it is the last one */
    }
    IPH_OFFSET_SET(ip, IPH_OFFSET(ip) | PP_HTONS(IP_MF));
    IPH_CHKSUM_SET(ip, 0);
    IPH_CHKSUM_SET(ip, inet_chksum(ip, IP_HLEN));
}

/*
 * Computes the checksum of a datagram that ip4_frag() has fragmented, in its first fragment. It
 * covers the whole datagram, to which the fragment's second pbuf refers. The card can only do this
 * for unfragmented datagrams.
 */
static void complete_checksum(const struct netif *netif, struct pbuf *fragment)
{
    const struct ip_hdr *ip = fragment->payload;
    struct pbuf *mirror = fragment->next;
    struct pbuf *whole;
    ip4_addr_t from, to;
    struct udp_hdr *udp;

    if ((IPH_OFFSET(ip) & PP_HTONS(IP_MF | IP_OFFMASK)) != PP_HTONS(IP_MF) ||
        IPH_PROTO(ip) != IP_PROTO_UDP || netif->chksum_flags & NETIF_CHECKSUM_GEN_UDP ||
        mirror == NULL || !(mirror->flags & PBUF_FLAG_IS_CUSTOM) || mirror->len < sizeof *udp) {
        return;
    }
    udp = mirror->payload;
    whole = ((struct pbuf_custom_ref *)mirror)->original;
    ip4_addr_copy(from, ip->src);
    ip4_addr_copy(to, ip->dest);
    pbuf_remove_header(whole, IP_HLEN);
    udp->chksum = 0;
    udp->chksum = inet_chksum_pseudo(whole, IP_PROTO_UDP, whole->tot_len, &from, &to);
    pbuf_add_header_force(whole, IP_HLEN);
    if (udp->chksum == 0) {
        udp->chksum = 0xffff; /* 0 means that there is no checksum */
    }
}

/*
 * The same for ip6_frag(): a header including the fragment header (RFC 8200 §4.5), then the
 * datagram.
 */
struct first_fragment {
    struct ip6_hdr ip;
    struct ip6_frag_hdr fragment;
} __attribute__((packed));

static void complete_checksum_ipv6(const struct netif *netif, struct pbuf *fragment)
{
    const struct first_fragment *first = fragment->payload;
    struct pbuf *mirror = fragment->next;
    struct pbuf *whole;
    ip6_addr_t from, to;
    struct udp_hdr *udp;

    if (mirror == NULL || fragment->len != sizeof *first ||
        IP6H_NEXTH(&first->ip) != IP6_NEXTH_FRAGMENT || first->fragment._nexth != IP6_NEXTH_UDP ||
        (first->fragment._fragment_offset & PP_HTONS(IP6_FRAG_OFFSET_MASK)) != 0 ||
        netif->chksum_flags & NETIF_CHECKSUM_GEN_UDP || !(mirror->flags & PBUF_FLAG_IS_CUSTOM) ||
        mirror->len < sizeof *udp) {
        return;
    }
    udp = mirror->payload;
    whole = ((struct pbuf_custom_ref *)mirror)->original; /* its IPv6 header has been removed */
    ip6_addr_copy_from_packed(from, first->ip.src);
    ip6_addr_copy_from_packed(to, first->ip.dest);
    udp->chksum = 0;
    udp->chksum = ip6_chksum_pseudo(whole, IP6_NEXTH_UDP, whole->tot_len, &from, &to);
    if (udp->chksum == 0) {
        udp->chksum = 0xffff;
    }
}

err_t interface_output_ipv6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to)
{
    struct neighbours_offer offer;
    err_t error;

    complete_checksum_ipv6(netif, p);
    neighbours_offer_for(&offer, to);
    error = ethip6_output(netif, p, to);
    neighbours_take_back(&offer);
    return error;
}

err_t interface_output(struct netif *netif, struct pbuf *p, const ip4_addr_t *to)
{
    mark_fragment(netif, p);
    complete_checksum(netif, p);
    return etharp_output(netif, p, to);
}

/*
 * The bytes in front of the pbuf's payload that belong to it, up to what the card can use: as
 * pbuf_add_header() would find.
 */
static unsigned headroom_of(const struct interface *interface, const struct pbuf *p)
{
    const uint8_t *first = (const uint8_t *)p + LWIP_MEM_ALIGN_SIZE(sizeof *p);
    unsigned wanted = interface->nic.info.headroom;

    return p->type_internal & PBUF_TYPE_FLAG_STRUCT_DATA_CONTIGUOUS &&
                   (const uint8_t *)p->payload >= first + wanted
               ? wanted
               : 0;
}

/*
 * Makes the card compute the checksum if lwIP left it out. Returns false if it should but cannot,
 * since the first pbuf does not contain all headers.
 */
static bool leave_checksum(const struct interface *interface, struct pbuf *p,
                           const struct offload_headers *headers,
                           struct virtio_net_offload *offload)
{
    bool known = headers->network != 0;
    bool wanted = !headers->fragment &&
                  (headers->protocol == OFFLOAD_TCP || headers->protocol == OFFLOAD_UDP);

    if (!(interface->offloads & NIC_SEND_CHECKSUM) || (known && !wanted)) {
        return true;
    }
    return offload_checksum(p->payload, p->len, headers, p->tot_len - headers->transport,
                            offload) ||
           p->next == NULL;
}

/* Queues a pbuf chain as one frame. The card holds a reference until it is transmitted. */
static int queue_frame(struct interface *interface, struct pbuf *p,
                       const struct offload_headers *headers)
{
    struct virtqueue_part parts[NIC_PARTS_MAX];
    struct virtio_net_offload offload = {0};
    unsigned count = 0;
    int error;

    if (!leave_checksum(interface, p, headers, &offload)) {
        return NIC_PARTS;
    }
    for (struct pbuf *q = p; q != NULL; q = q->next) {
        if (q->len == 0) {
            continue;
        }
        if (count == NIC_PARTS_MAX) {
            return NIC_PARTS;
        }
        parts[count++] = (struct virtqueue_part){q->payload, q->len};
    }
    pbuf_ref(p);
    error = interface->nic.driver->transmit(interface->nic.state, parts, count,
                                            headroom_of(interface, p),
                                            offload.flags != 0 ? &offload : NULL, p);
    if (error != 0) {
        pbuf_free(p);
    } else {
        interface->sent = true;
    }
    return error;
}

/*
 * True if the frame is a TCP segment with data, which TCP keeps and sends again. A shorter one may
 * be an acknowledgement for which the peer waits.
 */
static bool can_wait(const struct pbuf *p, const struct offload_headers *headers)
{
    return p->tot_len > ACKNOWLEDGEMENT_MAX && headers->protocol == OFFLOAD_TCP;
}

static void parse(const struct pbuf *p, struct offload_headers *headers)
{
    if (!offload_parse(p->payload, p->len, headers)) {
        *headers = (struct offload_headers){0};
    }
}

/* Queues a frame. If it has too many parts, queues a copy in one part. */
static int send_frame(struct interface *interface, struct pbuf *p, struct offload_headers *headers)
{
    int error = queue_frame(interface, p, headers);

    if (error == NIC_PARTS) {
        struct pbuf *joined = pbuf_clone(PBUF_RAW_TX, PBUF_RAM, p);

        if (joined == NULL) {
            return NIC_PARTS;
        }
        interface->counters.tx_copied++;
        interface->counters.tx_copied_bytes += p->tot_len;
        parse(joined, headers);
        error = queue_frame(interface, joined, headers);
        pbuf_free(joined);
    }
    return error;
}

/* Sends the current joined frame. The ring has room for it, unless the card is down. */
static void flush_joined(struct interface *interface)
{
    struct offload_headers headers;
    struct pbuf *lone = NULL;

    if (gso_parts(interface->gso) != 0) {
        lone = gso_flush(interface->gso, &headers);
        interface->sent = true;
    }
    if (lone != NULL) {
        (void)send_frame(interface, lone, &headers);
        pbuf_free(lone);
    }
}

bool interface_flush(struct interface *interface)
{
    bool sent;

    flush_joined(interface);
    interface->nic.driver->flush(interface->nic.state);
    sent = interface->sent;
    interface->sent = false;
    return sent;
}

/* Tested here, so that it costs nothing if the card does not split frames. */
static bool may_be_joined(const struct interface *interface, const struct offload_headers *headers)
{
    return headers->protocol == OFFLOAD_TCP ||
           (headers->protocol == OFFLOAD_UDP && interface->offloads & NIC_SEND_UDP);
}

/* A frame of too many parts for this card's ring. It is sent alone, as a copy in one part. */
static bool has_too_many_parts(const struct interface *interface, const struct pbuf *p)
{
    return interface->tx_parts < NIC_PARTS_MAX && pbuf_clen(p) > interface->tx_parts;
}

/* Adds a frame that can be part of a joined frame to the current one, or starts one. */
static enum gso_result add_to_joined(struct interface *interface, struct pbuf *p,
                                     const struct offload_headers *headers)
{
    enum gso_result result;

    if (interface->gso == NULL || !may_be_joined(interface, headers) ||
        has_too_many_parts(interface, p)) {
        return GSO_ALONE;
    }
    result = gso_take(interface->gso, p, headers);
    if (result == GSO_OTHER) {
        flush_joined(interface);
        result = gso_take(interface->gso, p, headers);
    }
    return result;
}

err_t interface_link_output(struct netif *netif, struct pbuf *p)
{
    struct interface *interface = netif->state;
    struct offload_headers headers;
    enum gso_result result;
    int error;

    stamp(STAMP_TRANSMIT);
    if (gso_parts(interface->gso) != 0 && !has_too_many_parts(interface, p) &&
        gso_take_next(interface->gso, p)) {
        return ERR_OK;
    }
    parse(p, &headers);
    result = add_to_joined(interface, p, &headers);
    if (result == GSO_TAKEN) {
        return ERR_OK;
    }
    flush_joined(interface); /* frames are sent in order */
    if (can_wait(p, &headers) &&
        (result == GSO_FULL || !interface_has_room(interface, 1, pbuf_clen(p)))) {
        interface_wait_for_room(interface);
        return ERR_MEM;
    }
    error = send_frame(interface, p, &headers);
    if (error == NIC_FULL) {
        interface_wait_for_room(interface);
    }
    return error == 0 ? ERR_OK : error == NIC_DOWN ? ERR_IF : ERR_MEM;
}

void interface_transmitted(void *context, void *cookie)
{
    struct interface *interface = context;

    interface->tx_room = true;
    if (!gso_release(interface->gso, cookie)) {
        pbuf_free(cookie);
    }
}

/* Retransmits at once what was lost while the link was down. lwIP's timer would take seconds. */
static void retransmit(const struct interface *interface)
{
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        if (pcb->unacked != NULL &&
            ip_route(&pcb->local_ip, &pcb->remote_ip) == &interface->netif) {
            tcp_rexmit_rto(pcb);
        }
    }
}

void interface_resume_connections(struct interface *interface)
{
    struct tcp_pcb *waiting[RESUMED_AT_ONCE];
    unsigned count = 0;

    if (interface->link_came) {
        interface->link_came = false;
        retransmit(interface);
    }
    if (!interface->tx_full || !interface->tx_room) {
        return;
    }
    interface->tx_full = false;
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        if (pcb->flags & TF_NAGLEMEMERR) {
            waiting[count++ % RESUMED_AT_ONCE] = pcb;
        }
    }
    for (unsigned left = count < RESUMED_AT_ONCE ? count : RESUMED_AT_ONCE; left > 0; left--) {
        tcp_output(waiting[--count % RESUMED_AT_ONCE]);
    }
}
