/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/give.h"

#include "lwip/priv/tcp_priv.h"
#include "net/lwip_port/piece.h"

static struct tcp_seg *last_unsent(const struct tcp_pcb *pcb)
{
    struct tcp_seg *segment = pcb->unsent;

    while (segment != NULL && segment->next != NULL) {
        segment = segment->next;
    }
    return segment;
}

/*
 * The most pbufs that tcp_write() makes for `length` bytes: one that fills the last segment, and
 * one per new segment. Computes the size of a segment like tcp_write().
 */
static unsigned pbufs_at_most(const struct tcp_pcb *pcb, const struct tcp_seg *last, u16_t length)
{
    tcpwnd_size_t half = pcb->snd_wnd_max / 2;
    u16_t size = half != 0 && half < pcb->mss ? (u16_t)half : pcb->mss;

    if (length <= size && (last == NULL || last->len >= size)) {
        return 1;
    }
    return (last != NULL) + ((unsigned)length + size - 1) / size;
}

/* Makes a list of pieces of p whose offsets and lengths are set later. NULL: no memory. */
static struct pbuf *make_pieces(struct pbuf *p, unsigned count)
{
    struct pbuf *pieces = NULL;

    for (; count > 0; count--) {
        struct pbuf *piece = piece_of(p, 0, p->len);

        if (piece == NULL) {
            if (pieces != NULL) {
                pbuf_free(pieces);
            }
            return NULL;
        }
        piece->next = pieces;
        pieces = piece;
    }
    return pieces;
}

/* Replaces a pbuf that only points to the buffer by one that has a reference to it. */
static void replace(struct pbuf **link, struct pbuf *keeper)
{
    struct pbuf *pointer = *link;

    *link = keeper;
    keeper->next = pointer->next;
    pointer->next = NULL;
    pbuf_free(pointer);
}

/*
 * Does so for everything that tcp_write() made for p, in this segment and the following ones.
 * keepers: a list; returns its unused rest.
 */
static struct pbuf *replace_all(struct tcp_seg *segment, const struct pbuf *p, struct pbuf *keepers)
{
    uintptr_t data = (uintptr_t)p->payload;

    for (; segment != NULL; segment = segment->next) {
        for (struct pbuf **link = &segment->p->next; *link != NULL; link = &(*link)->next) {
            struct pbuf *keeper = keepers;

            if ((uintptr_t)(*link)->payload - data < p->len) { /* not from an earlier write */
                LWIP_ASSERT("tcp_give: more pbufs than tcp_write() makes", keeper != NULL);
                keepers = keeper->next;
                keeper->payload = (*link)->payload;
                keeper->len = (*link)->len;
                keeper->tot_len = (*link)->tot_len;
                replace(link, keeper);
            }
        }
    }
    return keepers;
}

/* Writes p's bytes as several pieces. */
static err_t give_pieces(struct tcp_pcb *pcb, struct tcp_seg *last, struct pbuf *p, unsigned count)
{
    struct pbuf *pieces = make_pieces(p, count);
    err_t error;

    if (pieces == NULL) {
        return ERR_MEM;
    }
    error = tcp_write(pcb, p->payload, p->len, 0);
    if (error == ERR_OK) {
        pieces = replace_all(last != NULL ? last : pcb->unsent, p, pieces);
        pbuf_free(p); /* the pieces keep the buffer */
    }
    if (pieces != NULL) {
        pbuf_free(pieces);
    }
    return error;
}

err_t tcp_give(struct tcp_pcb *pcb, struct pbuf *p)
{
    struct tcp_seg *last = last_unsent(pcb);
    unsigned count = pbufs_at_most(pcb, last, p->len);
    err_t error;

    if (count > 1) {
        return give_pieces(pcb, last, p, count);
    }
    error = tcp_write(pcb, p->payload, p->len, 0);
    if (error == ERR_OK) { /* one new segment: headers, and a pbuf to be replaced by p */
        replace(&(last != NULL ? last->next : pcb->unsent)->p->next, p);
    }
    return error;
}
