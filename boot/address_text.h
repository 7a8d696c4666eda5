/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses addresses on the boot command line and checks that a station can have them. */
#ifndef ADDRESS_TEXT_H
#define ADDRESS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* An IPv4 address with its prefix length, in the processor's byte order. address 0: not given. */
struct boot_ipv4 {
    uint32_t address;
    uint8_t prefix;
};

/* An IPv6 address in network byte order. All zeros: not given. The prefix has 64 bits. */
struct boot_ipv6 {
    uint8_t address[16];
};

/*
 * Set by the functions below when they reject an address that is well-formed, but that no station
 * can have.
 */
extern bool address_impossible;

/* Parses a decimal number of up to `max` and advances *text behind it. */
bool address_parse_number(const char **text, unsigned max, unsigned *to);

/* Parses any IPv4 address: A.B.C.D or A.B.C.D/N. The default prefix length is 24. */
bool address_parse_ipv4(const char *value, struct boot_ipv4 *to);

/* Parses the IPv6 address of a single station and advances *value behind it. */
bool address_parse_station_ipv6(const char **value, uint8_t address[16]);

/* Items of a list with one place per card. This one: our address; to: struct boot_ipv4. */
bool address_ipv4_item(const char *value, void *to);
/* Another station's address, without a prefix length; to: struct boot_ipv4. */
bool address_station_item(const char *value, void *to);
/* Our address; to: struct boot_ipv6. */
bool address_ipv6_item(const char *value, void *to);
/* Our MAC address, neither multicast nor all zeros; to: 6 bytes. */
bool address_mac_item(const char *value, void *to);

#endif
