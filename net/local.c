/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/local.h"

#include "lwip/ip.h"
#include "lwip/netif.h"

static bool is_local_ipv4(const struct netif *netif, const ip4_addr_t *from)
{
    return !ip4_addr_isany(netif_ip4_addr(netif)) &&
           ip4_addr_net_eq(from, netif_ip4_addr(netif), netif_ip4_netmask(netif));
}

/* Prefixes have 64 bits: net/addresses.h. */
static bool is_local_ipv6(const struct netif *netif, const ip6_addr_t *from)
{
    if (ip6_addr_islinklocal(from)) {
        return true;
    }
    for (s8_t i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
        if (ip6_addr_isvalid(netif_ip6_addr_state(netif, i)) &&
            ip6_addr_net_zoneless_eq(from, netif_ip6_addr(netif, i))) {
            return true;
        }
    }
    return false;
}

bool net_is_local(const ip_addr_t *from)
{
    const struct netif *netif = ip_current_input_netif();

    return IP_IS_V4(from) ? is_local_ipv4(netif, ip_2_ip4(from))
                          : is_local_ipv6(netif, ip_2_ip6(from));
}
