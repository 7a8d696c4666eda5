/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/frame.h"

#include <string.h>

#include "lwip/prot/etharp.h"
#include "lwip/prot/ip4.h"
#include "lwip/prot/ip6.h"

struct tagged {
    struct eth_hdr ethernet;
    struct eth_vlan_hdr vlan;
} __attribute__((packed));

bool frame_has_header(const void *frame, uint32_t length)
{
    const struct tagged *tagged = frame;
    uint32_t start = SIZEOF_ETH_HDR;
    uint16_t type;

    if (length < start) {
        return false;
    }
    type = tagged->ethernet.type;
    if (type == PP_HTONS(ETHTYPE_VLAN)) {
        start = sizeof *tagged;
        if (length < start) {
            return false;
        }
        type = tagged->vlan.tpid;
    }
    switch (type) {
    case PP_HTONS(ETHTYPE_IP):
        return length >= start + IP_HLEN;
    case PP_HTONS(ETHTYPE_IPV6):
        return length >= start + IP6_HLEN;
    case PP_HTONS(ETHTYPE_ARP):
        return length >= start + SIZEOF_ETHARP_HDR;
    default:
        return true;
    }
}

bool frame_is_station(const uint8_t *mac)
{
    static const uint8_t zeros[ETH_HWADDR_LEN];

    return !(mac[0] & 1) && memcmp(mac, zeros, sizeof zeros) != 0;
}
