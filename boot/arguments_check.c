/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/arguments_check.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "boot/arguments.h"
#include "boot/ipv4.h"

static const struct boot_ipv6 no_ipv6;

/*
 * True if another station can have this address: it is not one of ours (ip=), nor the network or
 * broadcast address of one of our networks.
 */
static bool is_another_station(uint32_t address)
{
    for (unsigned i = 0; i < BOOT_CARDS; i++) {
        struct boot_ipv4 ip = boot_arguments.ip[i];

        if (ip.address != 0 && ((address ^ ip.address) & ~ipv4_host_mask(ip.prefix)) == 0 &&
            (address == ip.address || !ipv4_is_station(address, ip.prefix))) {
            return false;
        }
    }
    return true;
}

static bool is_another_station_ipv6(const struct boot_ipv6 *address)
{
    for (unsigned i = 0; i < BOOT_CARDS; i++) {
        if (memcmp(address, &boot_arguments.ip6[i], sizeof *address) == 0) {
            return false;
        }
    }
    return true;
}

/*
 * Checks that no two cards have the same address: packets from such an address would always leave
 * by the first of them.
 */
static unsigned check_twice_given(void)
{
    unsigned bad = 0;

    for (unsigned i = 1; i < BOOT_CARDS; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (boot_arguments.ip[i].address != 0 &&
                boot_arguments.ip[i].address == boot_arguments.ip[j].address) {
                printf("vtnet: ip= of card %u is the same as of card %u: it is ignored\n", i, j);
                boot_arguments.ip[i] = (struct boot_ipv4){0};
                bad++;
            }
            if (memcmp(&boot_arguments.ip6[i], &no_ipv6, sizeof no_ipv6) != 0 &&
                memcmp(&boot_arguments.ip6[i], &boot_arguments.ip6[j], sizeof no_ipv6) == 0) {
                printf("vtnet: ip6= of card %u is the same as of card %u: it is ignored\n", i, j);
                boot_arguments.ip6[i] = no_ipv6;
                bad++;
            }
        }
    }
    return bad;
}

unsigned boot_arguments_check(void)
{
    unsigned bad = check_twice_given();

    for (unsigned i = 0; i < BOOT_CARDS; i++) {
        if (boot_arguments.gw[i].address != 0 &&
            !is_another_station(boot_arguments.gw[i].address)) {
            printf("vtnet: gw= of card %u is not the address of another station: it is ignored\n",
                   i);
            boot_arguments.gw[i] = (struct boot_ipv4){0};
            bad++;
        }
    }
    if ((boot_arguments.peer.address != 0 && !is_another_station(boot_arguments.peer.address)) ||
        (memcmp(&boot_arguments.peer6, &no_ipv6, sizeof no_ipv6) != 0 &&
         !is_another_station_ipv6(&boot_arguments.peer6))) {
        printf("vtnet: peer= is not the address of another station: it is ignored\n");
        boot_arguments.peer = (struct boot_ipv4){0};
        boot_arguments.peer6 = no_ipv6;
        bad++;
    }
    if (boot_arguments.bufinit > boot_arguments.bufmax) {
        printf("vtnet: bufinit=%u is more than bufmax=%u: bufmax is used for both\n",
               boot_arguments.bufinit, boot_arguments.bufmax);
        boot_arguments.bufinit = boot_arguments.bufmax;
        bad++;
    }
    return bad;
}

static void check_places(const char *name, const void *list, size_t size, unsigned cards)
{
    static const uint8_t none[sizeof(struct boot_ipv6)];

    for (unsigned i = cards; i < BOOT_CARDS; i++) {
        if (memcmp((const uint8_t *)list + i * size, none, size) != 0) {
            printf("vtnet: %s= is given for card %u, which does not exist\n", name, i);
        }
    }
}

void boot_arguments_check_cards(unsigned cards)
{
    check_places("ip", boot_arguments.ip, sizeof boot_arguments.ip[0], cards);
    check_places("gw", boot_arguments.gw, sizeof boot_arguments.gw[0], cards);
    check_places("ip6", boot_arguments.ip6, sizeof boot_arguments.ip6[0], cards);
    check_places("mac", boot_arguments.mac, sizeof boot_arguments.mac[0], cards);
    check_places("vlan", boot_arguments.vlan, sizeof boot_arguments.vlan[0], cards);
}
