/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program wants its network to be. examples/net_config.h makes it of the boot arguments. */
#ifndef NET_CONFIG_H
#define NET_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "lwip/ip_addr.h"
#include "net/nic.h"

enum loop_mode {
    LOOP_HYBRID,    /* polls for an answer to what it sent, else sleeps until an interrupt */
    LOOP_INTERRUPT, /* sleeps when there is no more work */
    LOOP_POLL,      /* never sleeps */
};

/* Bits of net_config.services. */
enum net_services {
    NET_SERVICE_ECHO = 1,
    NET_SERVICE_SINK = 2,
    NET_SERVICE_SOURCE = 4,
    NET_SERVICE_STATS = 8,
    NET_SERVICE_NETPERF = 16,
    NET_SERVICE_IPERF = 32,
    NET_SERVICE_MDNS = 64,
    NET_SERVICES_ALL = 127,
};

struct net_card_config {
    uint8_t mac[6];                    /* zeros: the card's own */
    uint16_t vlan;                     /* 0: untagged */
    ip4_addr_t address, mask, gateway; /* address 0.0.0.0: from DHCP */
    ip6_addr_t address6;               /* ::, none; the prefix has 64 bits */
};

struct net_config {
    struct net_card_config card[NIC_CARDS]; /* in the order of the cards */
    void (*opened)(unsigned cards); /* called with the number of open cards, before their addresses
                                     * are set; or NULL */
    const char *name;               /* announced by mDNS, here without ".local"; NULL: "vtnet" */
    bool dhcp;                      /* use DHCP on all cards and wait for it without limit */
    bool linklocal;                 /* an address of 169.254.0.0/16 where there is none */
    bool exit_on_conflict;          /* end the guest if another station has its new address */
    bool bounded;                   /* allocate no memory after the start, and time the passes */
    bool stats;                     /* print a line of statistics every second */
    ip4_addr_t group;               /* multicast groups that the first card joins */
    ip6_addr_t group6;
    enum loop_mode mode;
    uint32_t poll_us; /* as in struct loop_config */

    /* For the services, and for programs that are clients. */
    uint32_t services; /* NET_SERVICE_... to run, of those that the program starts */
    bool answer_any;   /* answers longer than the question leave the local network, too */
    ip_addr_t peer;    /* any: none */

    struct nic_config nic;
};

/* Sets what net_config() returns: a copy. */
void net_configure(const struct net_config *config);

const struct net_config *net_config(void);

#endif
