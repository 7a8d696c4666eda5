/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/port.h"

#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/ethernet.h"
#include "lwip/prot/ip4.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"
#include "net/lwip_port/conflict.h"
#include "netif/ethernet.h"

/* A receive buffer's private bytes: the pbuf that stands for it while the stack has it. */
struct rx_pbuf {
    struct pbuf_custom custom; /* first: lwIP hands it back as a struct pbuf */
    struct lwip_port *port;
};

enum {
    ACKNOWLEDGEMENT_MAX = 14 + 60 + 60, /* bytes: all headers at their longest */
    RESUMED_AT_ONCE = 32,
    COPIED_MAX = 256, /* bytes of a frame that is copied where receive buffers are scarce */
};

/* Time as of the pass of the loop under way: reading the clock once a pass is enough. */
static uint32_t now_ms;
static uint64_t now_ms_ns; /* the nanosecond at which now_ms began */

static void advance_clock(uint64_t now_ns)
{
    const uint64_t ms = 1000000;

    if (now_ns - now_ms_ns >= 100 * ms) {
        now_ms += (uint32_t)((now_ns - now_ms_ns) / ms);
        now_ms_ns += (now_ns - now_ms_ns) / ms * ms;
    }
    while (now_ns - now_ms_ns >= ms) {
        now_ms++;
        now_ms_ns += ms;
    }
}

uint32_t sys_now(void)
{
    return now_ms;
}

/* xorshift32; the seed is when the first number is asked for, to the nanosecond. */
uint32_t lwip_port_random(void)
{
    static uint32_t state;

    if (state == 0) {
        state = (uint32_t)arch_clock_ns() | 1;
    }
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* The stack is done with a receive buffer: back to the card. */
static void rx_free(struct pbuf *p)
{
    struct rx_pbuf *rx = (struct rx_pbuf *)p;

    rx->port->nic.driver->release(rx->port->nic.state, rx);
}

/*
 * When there is room in the ring again: lets the connections send that found none. Those that have
 * waited longest come first, for which a moment's room may be all there is: lwIP puts a connection
 * at the front of its list when a segment arrives, so they are the last ones.
 */
static void resume_connections(struct lwip_port *port)
{
    struct tcp_pcb *waiting[RESUMED_AT_ONCE];
    unsigned count = 0;

    if (!port->tx_full || !port->tx_room) {
        return;
    }
    port->tx_full = false;
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
        if (pcb->flags & TF_NAGLEMEMERR) {
            waiting[count++ % RESUMED_AT_ONCE] = pcb;
        }
    }
    for (unsigned left = count < RESUMED_AT_ONCE ? count : RESUMED_AT_ONCE; left > 0; left--) {
        tcp_output(waiting[--count % RESUMED_AT_ONCE]);
    }
}

/* The pbuf for a received buffer: the buffer itself, or where these are scarce a copy of a small
 * one, which returns the buffer at once. NULL: it was dropped. */
static struct pbuf *wrap(struct lwip_port *port, struct rx_pbuf *rx, void *data, uint32_t length)
{
    struct pbuf *copy = NULL;

    if (!port->nic.driver->scarce(port->nic.state)) {
        rx->custom.custom_free_function = rx_free;
        rx->port = port;
        /* PBUF_RAM says that structure and data are one block, so that headers can be put back in
         * front of a reply made in place. */
        return pbuf_alloced_custom(PBUF_RAW, (u16_t)length, PBUF_RAM, &rx->custom, data,
                                   (u16_t)length);
    }
    if (length <= COPIED_MAX) {
        copy = pbuf_alloc(PBUF_RAW_TX, (u16_t)length, PBUF_RAM);
    }
    if (copy != NULL) {
        memcpy(copy->payload, data, length);
        port->counters.rx_copied++;
        port->counters.rx_copied_bytes += length;
    }
    port->nic.driver->release(port->nic.state, rx);
    return copy;
}

/* nic_client.receive */
static void receive(void *context, void *buffer, void *data, uint32_t length, bool more,
                    const struct nic_offload *offload)
{
    struct lwip_port *port = context;
    struct pbuf *p;

    (void)offload;
    resume_connections(port); /* before this frame makes another connection take the room */
    p = wrap(port, buffer, data, length);
    if (p == NULL) {
        port->dropping = true;
    } else if (port->partial == NULL) {
        port->partial = p;
    } else {
        pbuf_cat(port->partial, p);
    }
    if (more) {
        return;
    }
    p = port->partial;
    port->partial = NULL;
    if (port->dropping) {
        port->dropping = false;
        port->counters.rx_dropped++;
        if (p != NULL) {
            pbuf_free(p);
        }
        return;
    }
    conflict_check(&port->netif, p->payload, p->len);
    if (port->netif.input(p, &port->netif) != ERR_OK) {
        port->counters.rx_refused++;
        pbuf_free(p);
    }
}

/* nic_client.transmitted */
static void transmitted(void *context, void *cookie)
{
    struct lwip_port *port = context;

    port->tx_room = true;
    pbuf_free(cookie);
}

/* nic_client.link */
static void link_changed(void *context, bool up)
{
    struct lwip_port *port = context;

    printf("vtnet: link %s\n", up ? "up" : "down");
    if (up) {
        netif_set_link_up(&port->netif);
    } else {
        netif_set_link_down(&port->netif);
    }
}

/* nic_client.announce */
static void announce(void *context)
{
    struct lwip_port *port = context;

    etharp_gratuitous(&port->netif);
}

/* The bytes before the pbuf's payload that belong to it, up to what the card can use. */
static unsigned headroom_of(struct lwip_port *port, struct pbuf *p)
{
    unsigned wanted = port->nic.driver->headroom(port->nic.state);

    if (pbuf_add_header(p, wanted) != 0) {
        return 0;
    }
    pbuf_remove_header(p, wanted);
    return wanted;
}

/* Queues a pbuf chain as one frame; the card keeps a reference until it is transmitted. */
static int queue_frame(struct lwip_port *port, struct pbuf *p)
{
    struct nic_part parts[NIC_PARTS_MAX];
    unsigned count = 0;
    int error;

    for (struct pbuf *q = p; q != NULL; q = q->next) {
        if (q->len == 0) {
            continue;
        }
        if (count == NIC_PARTS_MAX) {
            return NIC_PARTS;
        }
        parts[count++] = (struct nic_part){q->payload, q->len};
    }
    pbuf_ref(p);
    error =
        port->nic.driver->transmit(port->nic.state, parts, count, headroom_of(port, p), NULL, p);
    if (error != 0) {
        pbuf_free(p);
    }
    return error;
}

bool lwip_port_room(struct lwip_port *port, unsigned frames)
{
    if (port->nic.driver->room(port->nic.state) >= frames + LWIP_PORT_RESERVE) {
        return true;
    }
    port->tx_full = true;
    port->tx_room = false;
    return false;
}

/* Whether the frame is a TCP segment with data, which TCP keeps and sends again. What is too short
 * for that may be an acknowledgement, and the peer waits for it. */
static bool can_wait(const struct pbuf *p)
{
    const struct eth_hdr *ethernet = p->payload;
    const struct ip_hdr *ip = (const struct ip_hdr *)(ethernet + 1);

    return p->tot_len > ACKNOWLEDGEMENT_MAX && p->len >= sizeof *ethernet + sizeof *ip &&
           ethernet->type == PP_HTONS(ETHTYPE_IP) && IPH_PROTO(ip) == IP_PROTO_TCP;
}

/* netif.linkoutput. ERR_MEM makes TCP keep the segment, and UDP's caller try again. */
static err_t link_output(struct netif *netif, struct pbuf *p)
{
    struct lwip_port *port = netif->state;
    int error;

    if (can_wait(p) && !lwip_port_room(port, 1)) {
        return ERR_MEM;
    }
    error = queue_frame(port, p);

    if (error == NIC_PARTS) {
        struct pbuf *joined = pbuf_clone(PBUF_RAW_TX, PBUF_RAM, p);

        if (joined == NULL) {
            return ERR_MEM;
        }
        port->counters.tx_copied++;
        port->counters.tx_copied_bytes += p->tot_len;
        error = queue_frame(port, joined);
        pbuf_free(joined);
    }
    if (error == NIC_FULL) {
        port->tx_full = true;
        port->tx_room = false;
        return ERR_MEM;
    }
    return error == 0 ? ERR_OK : ERR_IF;
}

/* netif_init_fn */
static err_t init_netif(struct netif *netif)
{
    struct lwip_port *port = netif->state;
    const uint8_t *mac = port->nic.driver->mac(port->nic.state);

    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->hwaddr_len = ETH_HWADDR_LEN;
    memcpy(netif->hwaddr, mac, ETH_HWADDR_LEN);
    netif->mtu = 1500;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = etharp_output;
    netif->linkoutput = link_output;
    return ERR_OK;
}

bool lwip_port_open(struct lwip_port *port, void (*wake)(void))
{
    static struct nic_client client = {
        .receive = receive,
        .transmitted = transmitted,
        .link = link_changed,
        .announce = announce,
        .private_size = sizeof(struct rx_pbuf),
    };

    client.context = port;
    lwip_init();
    advance_clock(arch_clock_ns());
    if (!nic_open(&port->nic, &client, wake)) {
        return false;
    }
    netif_add_noaddr(&port->netif, port, init_netif, ethernet_input);
    netif_set_default(&port->netif);
    netif_set_status_callback(&port->netif, conflict_address_changed);
    netif_set_up(&port->netif);
    if (port->nic.driver->link_up(port->nic.state)) {
        netif_set_link_up(&port->netif);
    }
    return true;
}

bool lwip_port_poll(struct lwip_port *port, unsigned budget, uint64_t now_ns)
{
    uint32_t before = now_ms;
    unsigned frames = port->nic.driver->poll(port->nic.state, budget);

    advance_clock(now_ns);
    if (now_ms != before) {
        sys_check_timeouts();
    }
    resume_connections(port);
    return frames != 0;
}
