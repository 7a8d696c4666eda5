/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of IPv6 as text. */
#ifndef IPV6_TEXT_H
#define IPV6_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* The value of a hexadecimal digit, or -1. */
int ipv6_hex_digit(char c);

/*
 * Reads an address (RFC 4291 §2.2, without its form 3 that ends as IPv4's does) and moves *text
 * behind it. Returns false, with both in no particular state, where there is none.
 */
bool ipv6_parse(const char **text, uint8_t address[16]);

#endif
