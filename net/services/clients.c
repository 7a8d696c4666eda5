/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/services/clients.h"

#include <string.h>

#include "lwip/ip.h"
#include "lwip/sys.h"
#include "net/config.h"
#include "net/local.h"
#include "net/services/limits.h"

/*
 * CLIENT_PORT_LEAST is above all well-known ports. The others are ports of these services, of NFS
 * and of mDNS.
 */
bool client_is_server(u16_t port)
{
    return port < CLIENT_PORT_LEAST || port == SERVICE_PORT_IPERF ||
           port == SERVICE_PORT_NETSERVER || port == 2049 || port == 5353;
}

/* True if the datagram was sent to the multicast group of join=. */
static bool is_for_our_group(void)
{
    const ip_addr_t *to = ip_current_dest_addr();

    if (!ip_addr_ismulticast(to)) {
        return false;
    }
    if (IP_IS_V4(to)) {
        return ip4_addr_eq(ip_2_ip4(to), &net_config()->group);
    }
    return ip6_addr_zoneless_eq(ip_2_ip6(to), &net_config()->group6);
}

bool client_may_be_answered_if(const struct pbuf *p, const ip_addr_t *from, u16_t port)
{
    if (client_is_server(port)) {
        return false;
    }
    return !(p->flags & CLIENT_TO_MANY) || (is_for_our_group() && net_is_local(from));
}

/* A token bucket: takes `bytes` from the allowance, or returns false. */
static bool spend(u32_t bytes)
{
    static u32_t left = ANSWER_BYTES_A_SECOND;
    static u32_t since;
    u32_t now = sys_now();
    u32_t earned = LWIP_MIN(now - since, 1000) * (ANSWER_BYTES_A_SECOND / 1000);

    since = now;
    left = LWIP_MIN(left + earned, ANSWER_BYTES_A_SECOND);
    if (left < bytes) {
        return false;
    }
    left -= bytes;
    return true;
}

bool client_may_have_more(const struct pbuf *p, const ip_addr_t *from, u16_t port, u32_t bytes)
{
    return !client_is_server(port) && !(p->flags & CLIENT_TO_MANY) &&
           (net_config()->answer_any || net_is_local(from)) && spend(bytes);
}
