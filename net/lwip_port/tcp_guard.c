/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a segment may say that lwIP 2.2.1 takes at its word, until one of its assertions fails. Each
 * such case is put right here, before lwIP sees the segment or before its timer runs. And a SYN that
 * opens a connection anew.
 */
#include "lwip/priv/tcp_priv.h"

#include "lwip/ip.h"
#include "lwip/udp.h"
#include "net/lwip_port/guard.h"
#include "net/lwip_port/hooks.h"
#include "net/lwip_port/random.h"
#include "net/lwip_port/tcp_memory.h"

enum {
    /* Of the peer's segments. Less would cost more in headers than it carries, and a SYN that is in
     * the queue again needs room for twelve bytes of options. */
    MSS_MIN = 64,
    /* Half of the largest window seen bounds the segments that tcp_write() makes. */
    WINDOW_MIN = 2 * MSS_MIN,
    MSS_OPTION = 4, /* bytes */
};

struct guard_counters guard_counters;

/* A segment's options, which may go on in another pbuf than that of its header. */
struct options {
    u8_t *first;
    u8_t *second;
    u16_t first_length;
    u16_t length; /* bytes in all */
};

static u8_t *option_at(const struct options *options, unsigned at)
{
    return options->second == NULL || at < options->first_length
               ? options->first + at
               : options->second + (at - options->first_length);
}

/*
 * lwIP takes the largest segment's size from any segment. tcp_write() and tcp_split_unsent_seg()
 * assert that no segment in the queue is larger than that: it must not change (RFC 9293 §3.7.1).
 */
static void guard_mss(const struct options *options, unsigned at, bool opening)
{
    unsigned mss = (unsigned)*option_at(options, at + 2) << 8 | *option_at(options, at + 3);

    if (!opening) {
        for (unsigned i = 0; i < MSS_OPTION; i++) {
            *option_at(options, at + i) = LWIP_TCP_OPT_NOP;
        }
    } else if (mss < MSS_MIN && mss != 0) { /* 0 is none to lwIP */
        *option_at(options, at + 2) = 0;
        *option_at(options, at + 3) = MSS_MIN;
    }
}

/* Walks through the options as lwIP does. Where the last byte begins an option, lwIP would read the option's length
 * from behind the header, where there may be no packet any more: the byte becomes the end of the list. */
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
 * Whether lwIP's queue of data out of order stays within the window with this segment. It is trimmed
 * to that only where it becomes the queue's last one, and the end of all data, FIN, goes from a
 * segment in the queue to one that covers it, though that may lead farther: when the hole is filled
 * the window then is less than what is taken from it.
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

/* lwIP has begun to handle a segment: it does so again from the start with this one, header in host
 * order, which it frees. Its checksum is right. */
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
    tcp_input(p, netif);
    netif->chksum_flags = checksums;
}

/*
 * Where a closed connection is remembered, a SYN beyond its sequence numbers opens it anew (RFC 9293
 * §3.10.7.8 with MAY-2, RFC 6191). lwIP answers it with an acknowledgement of the old one, and then
 * ignores the reset that this brings.
 */
static bool opens_anew(const struct tcp_pcb *pcb, const struct tcp_hdr *header)
{
    return (TCPH_FLAGS(header) & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
           TCP_SEQ_GEQ(header->seqno, pcb->rcv_nxt);
}

static void open_anew(struct tcp_pcb *pcb, struct pbuf *p, u16_t header_length)
{
    uint32_t last = pcb->snd_nxt;

    tcp_abort(pcb); /* which sends nothing then */
    random_isn_above(&last);
    pbuf_header_force(p, (s16_t)header_length);
    pbuf_ref(p); /* lwIP frees it twice */
    handle_again(p);
    random_isn_above(NULL);
}

/*
 * Keeps the buffers that a segment's data lies in from being used up: see tcp_memory.h. Returns false
 * where the segment is not to be handled any more: it is dropped, or a copy of it was handled.
 */
static bool may_keep(const struct tcp_pcb *pcb, const struct tcp_hdr *header, struct pbuf *p,
                     u16_t header_length, bool in_one_piece)
{
    const struct lwip_port *port = ip_current_input_netif()->state;
    bool ahead = TCP_SEQ_GT(header->seqno, pcb->rcv_nxt);
    bool is_short = tcp_memory_is_short(port);
    struct pbuf *copy;

    if (!ahead && !is_short) {
        return true;
    }
    if (is_short && p->tot_len > tcp_memory_share(pcb)) {
        guard_counters.segments_dropped++; /* as if it was lost: it is sent again */
        return false;
    }
    if (ahead) {
        tcp_memory_room_out_of_order(port, p);
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
        /* With a window of less tcp_write() makes segments of the peer's MSS, and when it opens it
         * asserts that those in the queue are smaller than half of it. */
        if (pcb->snd_wnd_max < WINDOW_MIN) {
            pcb->snd_wnd_max = 2 * (tcpwnd_size_t)pcb->mss;
        }
        if (!fits_window(pcb, header, p)) {
            guard_counters.segments_refused++;
            tcp_send_empty_ack(pcb); /* RFC 9293 §3.10.7.4: for one that is not acceptable */
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
 * tcp_slowtmr() asserts that a connection that waits for the peer's window has something to send, of
 * which the peer may have acknowledged the last byte meanwhile, that of a probe; and takes the lower
 * 16 bits of the window for what fits, of which it asserts that it is neither 0 nor more than a
 * segment.
 */
void guard_before_tcp_timer(void)
{
    /* All that these do is to choose the port from which on a free one is looked for. */
    tcp_init();
    udp_init();
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        if (pcb->persist_backoff == 0) {
            continue;
        }
        if (pcb->unsent == NULL || pcb->unacked != NULL) {
            pcb->persist_backoff = 0;
        } else if (pcb->snd_wnd >= pcb->mss) { /* all of a segment fits */
            pcb->persist_backoff = 0;
            tcp_output(pcb);
        }
    }
}
