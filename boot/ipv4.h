/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells which IPv4 addresses a station can have. For the boot command line and for DHCP. */
#ifndef BOOT_IPV4_H
#define BOOT_IPV4_H

#include <stdbool.h>
#include <stdint.h>

/* The host bits of a network with a prefix of 0 to 32 bits. */
static inline uint32_t ipv4_host_mask(unsigned prefix)
{
    return prefix >= 32 ? 0 : UINT32_MAX >> prefix;
}

/*
 * True if an address, in the processor's byte order, is not in 0.0.0.0/8, 127.0.0.0/8, 224.0.0.0/4
 * (multicast) or 240.0.0.0/4 (reserved, RFC 6890 §2.2.2).
 */
static inline bool ipv4_is_unicast(uint32_t address)
{
    return address >> 24 != 0 && address >> 24 != 127 && address >> 28 < 0xe;
}

/*
 * True if the address is also neither the network's address nor its broadcast address (RFC 1122
 * §3.2.1.3). Networks with one or two addresses have neither (RFC 3021).
 */
static inline bool ipv4_is_station(uint32_t address, unsigned prefix)
{
    uint32_t mask = ipv4_host_mask(prefix);
    uint32_t host = address & mask;

    return ipv4_is_unicast(address) && (mask <= 1 || (host != 0 && host != mask));
}

#endif
