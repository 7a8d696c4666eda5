/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses IPv6 addresses. */
#ifndef IPV6_TEXT_H
#define IPV6_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* The value of a hexadecimal digit, or -1. */
int ipv6_hex_digit(char c);

/*
 * Parses an address (RFC 4291 §2.2, without form 3, which ends with an IPv4 address) and advances
 * *text behind it. On an error returns false and leaves both undefined.
 */
bool ipv6_parse(const char **text, uint8_t address[16]);

#endif
