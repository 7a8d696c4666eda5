/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses on the boot line, and which of them there cannot be. */
#ifndef ADDRESS_TEXT_H
#define ADDRESS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "boot/arguments.h"

/* Set by the functions below when they refuse an address that is well-formed, but no station's. */
extern bool address_impossible;

/* Reads digits, a number of up to `max`, and moves *text behind them. */
bool address_parse_number(const char **text, unsigned max, unsigned *to);

/* Any address of IPv4, and nothing behind it: A.B.C.D or A.B.C.D/N; without a length it is 24. */
bool address_parse_ipv4(const char *value, struct boot_ipv4 *to);

/* An address of IPv6 that one station can have; moves *value behind it. */
bool address_parse_station_ipv6(const char **value, uint8_t address[16]);

/* Items of a list, of one card each. to: struct boot_ipv4, our address; */
bool address_ipv4_item(const char *value, void *to);
/* the same, another station's, without a length; */
bool address_station_item(const char *value, void *to);
/* struct boot_ipv6, our address; */
bool address_ipv6_item(const char *value, void *to);
/* 6 bytes, our MAC address: not a group's, not all zeros. */
bool address_mac_item(const char *value, void *to);

#endif
