/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/lookup.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "lwip/ip.h"
#include "lwip/priv/tcp_priv.h"
#include "net/lwip_port/hooks.h"

enum {
    ID = 1, /* index of the place in the table among the pcb's extra arguments */
    SLOT_BITS = 13,
    SLOTS = 1 << SLOT_BITS,
    /*
     * A connection is in one of these from the slot of its hash on. Connections that are chosen to
     * be many in one place, which the keys prevent, would cost as much and no more.
     */
    PROBES = 16,
    WORDS = 6, /* one that is always there, ports, and up to four of an address */
};

static struct tcp_pcb **table; /* SLOTS, and PROBES - 1 more, so that no search wraps around */
static uint64_t keys[WORDS];
static struct tcp_pcb *first; /* the true beginning of lwIP's list, while it is another; or NULL */

void lookup_init(void)
{
    for (unsigned i = 0; i < WORDS; i++) {
        keys[i] = (uint64_t)LWIP_RAND() << 32 | LWIP_RAND();
    }
    table = calloc(SLOTS + PROBES - 1, sizeof(void *));
}

/*
 * The first slot for a peer's address and the ports. The hash is universal: whoever does not know
 * the keys finds no connections that share a slot more often than by chance (Carter and Wegman,
 * 1979).
 */
static struct tcp_pcb **slot_of(const ip_addr_t *remote, u16_t remote_port, u16_t local_port)
{
    uint64_t hash = keys[0] + keys[1] * ((uint32_t)remote_port << 16 | local_port);

    if (IP_IS_V6(remote)) {
        const u32_t *words = ip_2_ip6(remote)->addr;

        hash += keys[2] * words[0] + keys[3] * words[1] + keys[4] * words[2] + keys[5] * words[3];
    } else {
        hash += keys[2] * ip_2_ip4(remote)->addr;
    }
    return table + (hash >> (64 - SLOT_BITS));
}

static bool is_active(const struct tcp_pcb *pcb)
{
    return pcb->state > LISTEN && pcb->state != TIME_WAIT;
}

/* lwIP's condition in tcp_input(), for ports in host byte order. */
static bool is_for(const struct tcp_pcb *pcb, u16_t remote_port, u16_t local_port)
{
    return pcb->remote_port == remote_port && pcb->local_port == local_port &&
           ip_addr_eq(&pcb->remote_ip, ip_current_src_addr()) &&
           ip_addr_eq(&pcb->local_ip, ip_current_dest_addr()) &&
           (pcb->netif_idx == NETIF_NO_INDEX ||
            pcb->netif_idx == netif_get_index(ip_current_input_netif())) &&
           is_active(pcb);
}

static struct tcp_pcb *find(u16_t remote_port, u16_t local_port)
{
    struct tcp_pcb **slot = slot_of(ip_current_src_addr(), remote_port, local_port);

    for (unsigned i = 0; i < PROBES; i++) {
        if (slot[i] != NULL && is_for(slot[i], remote_port, local_port)) {
            return slot[i];
        }
    }
    return NULL;
}

/* A segment that lwIP drops reaches no hook. */
static void __attribute__((noinline)) search(struct pbuf *p, struct netif *netif)
{
    const struct tcp_hdr *header = p->payload;

    if (table != NULL && p->len >= TCP_HLEN) {
        struct tcp_pcb *pcb = find(lwip_ntohs(header->src), lwip_ntohs(header->dest));

        if (pcb != NULL) {
            first = tcp_active_pcbs;
            tcp_active_pcbs = pcb;
        }
    }
    (tcp_input)(p, netif);
    lookup_end();
}

/* Called in place of lwIP's tcp_input(). A single connection needs no search. */
void port_tcp_search(struct pbuf *p, struct netif *netif)
{
    if (tcp_active_pcbs == NULL || tcp_active_pcbs->next == NULL) {
        (tcp_input)(p, netif);
    } else {
        search(p, netif);
    }
}

void lookup_end(void)
{
    if (first != NULL) {
        tcp_active_pcbs = first;
        first = NULL;
    }
}

static void leave(u8_t id, void *slot)
{
    (void)id;
    if (slot != NULL) {
        *(struct tcp_pcb **)slot = NULL;
    }
}

static const struct tcp_ext_arg_callbacks callbacks = {.destroy = leave};

static void __attribute__((noinline)) enter(struct tcp_pcb *pcb)
{
    struct tcp_pcb **slot;

    if (table == NULL || !is_active(pcb)) {
        return;
    }
    slot = slot_of(&pcb->remote_ip, pcb->remote_port, pcb->local_port);
    for (unsigned i = 0; i < PROBES; i++) {
        if (slot[i] == NULL) {
            slot[i] = pcb;
            tcp_ext_arg_set(pcb, ID, &slot[i]);
            tcp_ext_arg_set_callbacks(pcb, ID, &callbacks);
            return;
        }
    }
}

void lookup_found(struct tcp_pcb *pcb)
{
    lookup_end();
    if (pcb->ext_args[ID].data == NULL) {
        enter(pcb);
    }
}

void lookup_forget(struct tcp_pcb *pcb)
{
    leave(ID, tcp_ext_arg_get(pcb, ID));
    tcp_ext_arg_set(pcb, ID, NULL);
}
