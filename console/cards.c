/* SPDX-License-Identifier: BSD-2-Clause */
/* What concerns a card: `link`, `features`, `rx`, `promisc`, `reset` */
#include <stdio.h>
#include <string.h>

#include "console/command.h"
#include "net/lwip_port/interface.h"
#include "net/net.h"
#include "pci/pci.h"

enum { WIDTH = 79 };

static unsigned card;                          /* that the command has come to */
static unsigned item;                          /* of the card */
static enum { TITLE, ACCEPTED, OFFERED } part; /* of its features */

static enum command_progress begin(char *const words[], unsigned count)
{
    (void)words, (void)count;
    card = 0;
    item = 0;
    part = TITLE;
    return net_interface_count() != 0 ? COMMAND_GOES_ON : COMMAND_DONE;
}

static enum command_progress next_card(void)
{
    item = 0;
    part = TITLE;
    return ++card < net_interface_count() ? COMMAND_GOES_ON : COMMAND_DONE;
}

static void print_link(const struct nic *nic)
{
    static const char *const duplex_names[] = {
        [NIC_DUPLEX_UNKNOWN] = "",
        [NIC_DUPLEX_HALF] = " half duplex",
        [NIC_DUPLEX_FULL] = " full duplex",
    };
    struct nic_link link;

    nic->driver->link(nic->state, &link);
    printf("card %u: " VPCI_BDF_FORMAT " %s, link %s", card, VPCI_BDF_ARGS(nic->pci.bdf),
           nic->driver->name, link.up ? "up" : "down");
    if (link.speed != 0) {
        printf(", %u Mbit/s%s", (unsigned)link.speed, duplex_names[link.duplex]);
    }
    printf("\n");
}

static void print_ipv4(const struct netif *netif)
{
    const uint8_t *mac = netif->hwaddr;
    char ip[IP4ADDR_STRLEN_MAX], mask[IP4ADDR_STRLEN_MAX], gateway[IP4ADDR_STRLEN_MAX];

    printf("  MAC %02x:%02x:%02x:%02x:%02x:%02x, MTU %u, IPv4 %s mask %s", mac[0], mac[1], mac[2],
           mac[3], mac[4], mac[5], netif->mtu, ip4addr_ntoa_r(netif_ip4_addr(netif), ip, sizeof ip),
           ip4addr_ntoa_r(netif_ip4_netmask(netif), mask, sizeof mask));
    if (!ip4_addr_isany(netif_ip4_gw(netif))) {
        printf(" gateway %s", ip4addr_ntoa_r(netif_ip4_gw(netif), gateway, sizeof gateway));
    }
    printf("\n");
}

static enum command_progress link_step(void)
{
    const struct interface *interface = net_interface(card);
    unsigned slot = item - 2;
    char ip[IP6ADDR_STRLEN_MAX];

    if (item == 0) {
        print_link(&interface->nic);
    } else if (item == 1) {
        print_ipv4(&interface->netif);
    } else if (slot == LWIP_IPV6_NUM_ADDRESSES) {
        return next_card();
    } else if (ip6_addr_isvalid(netif_ip6_addr_state(&interface->netif, slot))) {
        printf("  IPv6 %s\n", interface_text_ipv6(netif_ip6_addr(&interface->netif, slot), ip));
    }
    item++;
    return COMMAND_GOES_ON;
}

const struct command command_link = {
    .name = "link",
    .usage = "",
    .help = "the cards, their links and addresses",
    .start = begin,
    .step = link_step,
};

/* One line of the negotiated features of a card, from bit `item` on. */
static void print_features(const char *title, const struct nic_description *description,
                           uint64_t features)
{
    char line[WIDTH + 1];
    int used = snprintf(line, sizeof line, "  %s:", title);

    for (; item < 64; item++) {
        const char *known = description->feature_name(item);
        char number[4];

        snprintf(number, sizeof number, "%u", item);
        known = known != NULL ? known : number;
        if (!(features >> item & 1)) {
            continue;
        }
        if ((size_t)used + 1 + strlen(known) >= sizeof line) {
            break;
        }
        used += snprintf(line + used, sizeof line - (size_t)used, " %s", known);
    }
    printf("%s\n", line);
}

static enum command_progress features_step(void)
{
    const struct nic *nic = &net_interface(card)->nic;
    struct nic_description d;

    nic->driver->describe(nic->state, &d);
    if (part == TITLE) {
        printf("card %u: %s, %s ring, %s\n", card, d.transport, d.ring, d.interrupts);
        part = ACCEPTED;
        return d.feature_name != NULL ? COMMAND_GOES_ON : next_card();
    }
    print_features(part == ACCEPTED ? "accepted" : "only offered", &d,
                   part == ACCEPTED ? d.accepted : d.offered & ~d.accepted);
    if (item < 64) {
        return COMMAND_GOES_ON;
    }
    item = 0;
    part++;
    return part <= OFFERED ? COMMAND_GOES_ON : next_card();
}

const struct command command_features = {
    .name = "features",
    .usage = "",
    .help = "the features agreed with the cards",
    .start = begin,
    .step = features_step,
};

static enum command_progress rx_step(void)
{
    const struct nic *nic = &net_interface(card)->nic;
    struct nic_counters c;

    nic->driver->counters(nic->state, &c);
    printf("card %u: %u receive buffers posted, limit %u (%u to %u, peak %u),\n", card,
           (unsigned)c.rx_posted, (unsigned)c.rx_limit, (unsigned)c.rx_initial,
           (unsigned)c.rx_maximum, (unsigned)c.rx_limit_peak);
    printf("  raised %u times, lowered %u; %u exist in %u KiB, peak %u in %u KiB\n",
           (unsigned)c.rx_ups, (unsigned)c.rx_downs, (unsigned)c.rx_buffers,
           (unsigned)(c.rx_held >> 10), (unsigned)c.rx_buffers_peak,
           (unsigned)(c.rx_held_peak >> 10));
    return next_card();
}

const struct command command_rx = {
    .name = "rx",
    .usage = "",
    .help = "receive buffers",
    .start = begin,
    .step = rx_step,
};

/* The card that a word names, or NULL. */
static const struct nic *find_card(const char *word)
{
    unsigned number;

    if (!command_number(word, 0, NIC_CARDS - 1, &number) || number >= net_interface_count()) {
        printf("there is no card '%s'; link lists the cards\n", word);
        return NULL;
    }
    card = number;
    return &net_interface(number)->nic;
}

static enum command_progress promisc_start(char *const words[], unsigned count)
{
    const struct nic *nic;
    bool on;

    if (!command_switch(words[1], &on)) {
        return command_misused(&command_promisc);
    }
    nic = find_card(count == 3 ? words[2] : "0");
    if (nic == NULL) {
        return COMMAND_DONE;
    }
    if (nic->driver->set_promiscuous == NULL) {
        printf("card %u cannot switch between all frames and frames for this station\n", card);
    } else if (!nic->driver->set_promiscuous(nic->state, on)) {
        printf("card %u did not confirm the change: it refused, or did not answer in time\n", card);
    } else {
        printf("card %u receives %s\n", card, on ? "all frames" : "frames for this station");
    }
    return COMMAND_DONE;
}

const struct command command_promisc = {
    .name = "promisc",
    .usage = "on|off [CARD]",
    .help = "receive frames for any station",
    .least = 1,
    .most = 2,
    .start = promisc_start,
};

static enum command_progress reset_start(char *const words[], unsigned count)
{
    const struct nic *nic = find_card(count == 2 ? words[1] : "0");

    if (nic != NULL && nic->driver->reset == NULL) {
        printf("the driver of card %u cannot reset it\n", card);
    } else if (nic != NULL) {
        nic->driver->reset(nic->state);
    }
    return COMMAND_DONE;
}

const struct command command_reset = {
    .name = "reset",
    .usage = "[CARD]",
    .help = "reset a card and restore its settings",
    .most = 1,
    .start = reset_start,
};
