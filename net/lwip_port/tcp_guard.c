/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handles segments that lwIP 2.2.1 does not check and that make its assertions fail. Each case is
 * corrected here, before lwIP sees the segment or before its timer runs. Also handles a SYN that
 * reopens a connection.
 */
#include "lwip/priv/tcp_priv.h"

#include "lwip/ip.h"
#include "lwip/udp.h"
#include "net/lwip_port/guard.h"
#include "net/lwip_port/hooks.h"
#include "net/lwip_port/lookup.h"
#include "net/lwip_port/random.h"
#include "net/lwip_port/tcp_memory.h"

enum {
    /*
     * The least MSS of the peer. A smaller one costs more in headers than it carries, and a SYN
     * that is queued again needs room for twelve bytes of options.
     */
    MSS_MIN = 64,
    /* tcp_write() limits segments to half of the largest window seen. */
    WINDOW_MIN = 2 * MSS_MIN,
    MSS_OPTION = 4, /* bytes */
};

/* A segment's options, which may continue in another pbuf than its header's. */
struct options {
    u8_t *first;
    u8_t *second;
    u16_t first_length;
    u16_t length; /* total, bytes */
};

static u8_t *option_at(const struct options *options, unsigned at)
{
    return options->second == NULL || at < options->first_length
               ? options->first + at
               : options->second + (at - options->first_length);
}

/*
 * lwIP accepts an MSS option in any segment. tcp_write() and tcp_split_unsent_seg() assert that no
 * queued segment is larger than the MSS, so it must not change (RFC 9293 §3.7.1).
 */
static void guard_mss(const struct options *options, unsigned at, bool opening)
{
    unsigned mss = (unsigned)*option_at(options, at + 2) << 8 | *option_at(options, at + 3);

    if (!opening) {
        for (unsigned i = 0; i < MSS_OPTION; i++) {
            *option_at(options, at + i) = LWIP_TCP_OPT_NOP;
        }
    } else if (mss < MSS_MIN && mss != 0) { /* lwIP ignores 0 */
        *option_at(options, at + 2) = 0;
        *option_at(options, at + 3) = MSS_MIN;
    }
}

/*
 * Parses the options like lwIP. If an option begins in the last byte, lwIP would read its length
 * from behind the header, where the packet may have ended: so the byte is replaced by the end of
 * the list.
 */
static void guard_options(const struct options *options, bool opening)
{
    unsigned at = 0;

    while (at < options->length) {
        unsigned kind = *option_at(options, at);
        unsigned length = 1;

        if (kind == LWIP_TCP_OPT_EOL) {
            return;
        }
        if (kind != LWIP_TCP_OPT_NOP) {
            if (at + 1 == options->length) {
                *option_at(options, at) = LWIP_TCP_OPT_EOL;
                return;
            }
            length = *option_at(options, at + 1);
            if (length < 2 || at + length > options->length) {
                return;
            }
        }
        if (kind == LWIP_TCP_OPT_MSS && length == MSS_OPTION) {
            guard_mss(options, at, opening);
        }
        at += length;
    }
}

/*
 * True if lwIP's out-of-order queue remains within the window with this segment. lwIP trims a
 * segment only if it becomes the last one in the queue. It also moves a FIN from a queued segment
 * to one that covers it, which may extend farther. When the gap is closed, the window would then be
 * smaller than what is taken from it.
 */
static bool fits_window(const struct tcp_pcb *pcb, const struct tcp_hdr *header,
                        const struct pbuf *p)
{
    const struct tcp_seg *last = pcb->ooseq;
    bool fin = TCPH_FLAGS(header) & TCP_FIN;
    u32_t end = header->seqno + p->tot_len;

    if (p->tot_len == 0 && !fin) {
        return true;
    }
    if (TCP_SEQ_GT(header->seqno, pcb->rcv_nxt) &&
        TCP_SEQ_GT(end + fin, pcb->rcv_nxt + pcb->rcv_wnd)) {
        return false;
    }
    if (last == NULL) {
        return true;
    }
    while (last->next != NULL) {
        last = last->next;
    }
    return !(TCPH_FLAGS(last->tcphdr) & TCP_FIN) ||
           TCP_SEQ_LEQ(end, last->tcphdr->seqno + last->len);
}

/*
 * Makes lwIP process this segment from the start; header in host byte order. lwIP had begun with
 * it, and frees it. Its checksum is correct.
 */
static void handle_again(struct pbuf *p)
{
    struct netif *netif = ip_current_input_netif();
    const u16_t checksums = netif->chksum_flags;
    struct tcp_hdr *header = p->payload;

    header->src = lwip_htons(header->src);
    header->dest = lwip_htons(header->dest);
    header->seqno = lwip_htonl(header->seqno);
    header->ackno = lwip_htonl(header->ackno);
    header->wnd = lwip_htons(header->wnd);
    netif->chksum_flags = checksums & ~NETIF_CHECKSUM_CHECK_TCP;
    port_tcp_search(p, netif);
    netif->chksum_flags = checksums;
}

/*
 * A SYN above the sequence numbers of a connection in TIME_WAIT reopens it (RFC 9293 §3.10.7.8 with
 * MAY-2, RFC 6191). lwIP instead acknowledges the old connection, and ignores the reset that
 * follows.
 */
static bool opens_anew(const struct tcp_pcb *pcb, const struct tcp_hdr *header)
{
    return (TCPH_FLAGS(header) & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
           TCP_SEQ_GEQ(header->seqno, pcb->rcv_nxt);
}

static void open_anew(struct tcp_pcb *pcb, struct pbuf *p, u16_t header_length)
{
    uint32_t last = pcb->snd_nxt;

    tcp_abort(pcb); /* sends nothing in this state */
    random_isn_above(&last);
    pbuf_header_force(p, (s16_t)header_length);
    pbuf_ref(p); /* lwIP will free it again */
    handle_again(p);
    random_isn_above(NULL);
}

/*
 * Keeps a segment's data from using up the receive buffers: see tcp_memory.h. Returns false if the
 * segment must not be processed further: it was dropped, or a copy was processed.
 */
static bool may_keep(const struct tcp_pcb *pcb, const struct tcp_hdr *header, struct pbuf *p,
                     u16_t header_length, bool in_one_piece)
{
    const struct interface *interface = ip_current_input_netif()->state;
    bool ahead = TCP_SEQ_GT(header->seqno, pcb->rcv_nxt);
    bool is_short = tcp_memory_is_short(interface);
    struct pbuf *copy;

    if (!ahead && !is_short) {
        return true;
    }
    if (is_short && p->tot_len > tcp_memory_share(pcb, ahead)) {
        guard_counters.segments_dropped++; /* as if it had been lost: the peer sends it again */
        return false;
    }
    if (ahead) {
        tcp_memory_room_out_of_order(interface, p);
    }
    if (!tcp_memory_wastes(p)) {
        return true;
    }
    copy = in_one_piece ? tcp_memory_copy(p, header, header_length) : NULL;
    if (copy != NULL) {
        handle_again(copy);
    } else {
        guard_counters.segments_dropped++;
    }
    return false;
}

/* LWIP_HOOK_TCP_INPACKET_PCB */
err_t port_tcp_input(struct tcp_pcb *pcb, struct tcp_hdr *header, u16_t options_length,
                     u16_t first_length, u8_t *second, struct pbuf *p)
{
    u16_t header_length = (u16_t)(sizeof *header + options_length);
    enum tcp_state state = pcb->state;

    lookup_found(pcb);
    if (state == TIME_WAIT && second == NULL && opens_anew(pcb, header)) {
        open_anew(pcb, p, header_length);
        return ERR_ABRT;
    }
    guard_segment_of(state == LISTEN ? NULL : pcb);
    if (options_length != 0) {
        struct options options = {(u8_t *)(header + 1), second, first_length, options_length};

        guard_options(&options,
                      TCPH_FLAGS(header) & TCP_SYN && (state == LISTEN || state == SYN_SENT));
    }
    if (state >= SYN_RCVD && state != TIME_WAIT) {
        /*
         * With a smaller window tcp_write() makes segments of the peer's MSS. When the window
         * opens, it asserts that queued segments are smaller than half of it.
         */
        if (pcb->snd_wnd_max < WINDOW_MIN) {
            pcb->snd_wnd_max = 2 * (tcpwnd_size_t)pcb->mss;
        }
        if (!fits_window(pcb, header, p)) {
            guard_counters.segments_refused++;
            tcp_send_empty_ack(pcb); /* RFC 9293 §3.10.7.4: the answer to an unacceptable segment */
            return ERR_VAL;
        }
        if ((p->tot_len != 0 || TCPH_FLAGS(header) & TCP_FIN) &&
            !may_keep(pcb, header, p, header_length, second == NULL)) {
            return ERR_ABRT;
        }
    }
    port_tcp_received(ip_current_input_netif(), header, pcb);
    return ERR_OK;
}

/*
 * tcp_slowtmr() asserts that a connection that waits for the peer's window has something to send.
 * But the peer may have acknowledged the last byte, that of a probe. It also takes the lower 16
 * bits of the window, and asserts that they are neither 0 nor more than a segment.
 */
void guard_before_tcp_timer(void)
{
    /* These functions only choose the port at which the search for a free one starts. */
    tcp_init();
    udp_init();
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        if (pcb->persist_backoff == 0) {
            continue;
        }
        if (pcb->unsent == NULL || pcb->unacked != NULL) {
            pcb->persist_backoff = 0;
        } else if (pcb->snd_wnd >= pcb->mss) { /* the whole segment fits */
            pcb->persist_backoff = 0;
            tcp_output(pcb);
        }
    }
}
