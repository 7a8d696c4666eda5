/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits the receive buffers that TCP holds: out-of-order data, and data that the programs have not
 * read. A window limits the bytes of a connection. But a single byte can occupy a buffer, and the
 * windows of all connections exceed the memory.
 */
#include "net/lwip_port/tcp_memory.h"

#include <string.h>

#include "lwip/ip.h"
#include "net/lwip_port/guard.h"
#include "net/lwip_port/interface_internal.h"

enum {
    WORTH_KEEPING = 800,    /* data that justifies keeping a receive buffer: half of its size,
                             * bytes */
    FAIR_SHARE = 16 * 1024, /* bytes allowed per connection when buffers are scarce */
};

void tcp_memory_init(struct interface *interface)
{
    struct nic_counters counters;

    interface->nic.driver->counters(interface->nic.state, &counters);
    interface->lent_most = counters.rx_buffers_max / 4 * 3;
}

/* The number of receive buffers of a packet. */
static unsigned buffers_in(const struct pbuf *p)
{
    unsigned count = 0;

    for (; p != NULL; p = p->next) {
        count += (p->flags & PBUF_FLAG_IS_CUSTOM) != 0;
    }
    return count;
}

bool tcp_memory_wastes(const struct pbuf *p)
{
    return p->tot_len < buffers_in(p) * WORTH_KEEPING;
}

/* The number of pbufs in a connection's out-of-order queue. */
static unsigned out_of_order(const struct tcp_pcb *pcb)
{
    unsigned count = 0;

    for (const struct tcp_seg *segment = pcb->ooseq; segment != NULL; segment = segment->next) {
        count += pbuf_clen(segment->p);
    }
    return count;
}

/*
 * The connection with the largest queue drops it. A peer must be able to send such data again (RFC
 * 2018 §8).
 */
void tcp_memory_room_out_of_order(const struct interface *interface, const struct pbuf *p)
{
    const unsigned most = interface->lent_most / 3; /* a quarter of all buffers */

    for (;;) {
        struct tcp_pcb *largest = NULL;
        unsigned total = pbuf_clen(p), held = 0;

        for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
            unsigned here = out_of_order(pcb);

            total += here;
            if (here > held) {
                held = here;
                largest = pcb;
            }
        }
        if (total <= most || largest == NULL) {
            return;
        }
        guard_counters.out_of_order_dropped++;
        tcp_free_ooseq(largest);
    }
}

bool tcp_memory_was_short;

bool tcp_memory_is_short(const struct interface *interface)
{
    tcp_memory_was_short =
        interface->lent_most != 0 && interface->counters.rx_lent > interface->lent_most;
    return tcp_memory_was_short;
}

uint32_t tcp_memory_share(const struct tcp_pcb *pcb, bool ahead)
{
    uint32_t kept = TCP_WND_MAX(pcb) - pcb->rcv_wnd;

    for (const struct tcp_seg *segment = ahead ? pcb->ooseq : NULL; segment != NULL;
         segment = segment->next) {
        kept += segment->len;
    }
    return kept < FAIR_SHARE ? FAIR_SHARE - kept : 0;
}

struct pbuf *tcp_memory_copy(const struct pbuf *p, const struct tcp_hdr *header, u16_t length)
{
    struct pbuf *copy = pbuf_alloc(PBUF_RAW, (u16_t)(length + p->tot_len), PBUF_RAM);

    if (copy != NULL) {
        memcpy(copy->payload, header, length);
        pbuf_copy_partial(p, (uint8_t *)copy->payload + length, p->tot_len, 0);
    }
    return copy;
}
