/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/address_text.h"

#include <stdint.h>
#include <string.h>

#include "boot/ipv4.h"
#include "boot/ipv6_text.h"

bool address_parse_number(const char **text, unsigned max, unsigned *to)
{
    uint64_t value = 0;
    const char *start = *text;

    while (**text >= '0' && **text <= '9' && value <= max) {
        value = value * 10 + (unsigned)(*(*text)++ - '0');
    }
    *to = (unsigned)value;
    return *text != start && value <= max;
}

bool address_impossible;

static bool possible(bool is_possible)
{
    address_impossible |= !is_possible;
    return is_possible;
}

/* A.B.C.D or A.B.C.D/N; the default prefix length is 24. */
bool address_parse_ipv4(const char *value, struct boot_ipv4 *to)
{
    struct boot_ipv4 result = {.prefix = 24};

    for (unsigned i = 0; i < 4; i++) {
        unsigned octet;

        if ((i > 0 && *value++ != '.') || !address_parse_number(&value, 255, &octet)) {
            return false;
        }
        result.address = result.address << 8 | octet;
    }
    if (*value == '/') {
        unsigned prefix;

        value++;
        if (!address_parse_number(&value, 32, &prefix)) {
            return false;
        }
        result.prefix = (uint8_t)prefix;
    }
    *to = result;
    return *value == '\0';
}

/* Our address; to: struct boot_ipv4. */
bool address_ipv4_item(const char *value, void *to)
{
    struct boot_ipv4 address;

    if (!address_parse_ipv4(value, &address) ||
        !possible(ipv4_is_station(address.address, address.prefix))) {
        return false;
    }
    *(struct boot_ipv4 *)to = address;
    return true;
}

/* Another station's address, of which the prefix length is not known; to: struct boot_ipv4. */
bool address_station_item(const char *value, void *to)
{
    struct boot_ipv4 address;

    if (value[strcspn(value, "/")] != '\0' || !address_parse_ipv4(value, &address) ||
        !possible(ipv4_is_unicast(address.address))) {
        return false;
    }
    *(struct boot_ipv4 *)to = address;
    return true;
}

/* The address of a single station: not multicast, and not in ::/64 (unspecified, loopback). */
bool address_parse_station_ipv6(const char **value, uint8_t address[16])
{
    static const uint8_t none[8];

    return ipv6_parse(value, address) &&
           possible(address[0] != 0xff && memcmp(address, none, sizeof none) != 0);
}

/* Our address, ADDR or ADDR/64. Not link-local: each card has such an address anyway. */
bool address_ipv6_item(const char *value, void *to)
{
    uint8_t address[16];

    if (!address_parse_station_ipv6(&value, address) ||
        (*value != '\0' && strcmp(value, "/64") != 0) ||
        (address[0] == 0xfe && (address[1] & 0xc0) == 0x80)) {
        return false;
    }
    memcpy(to, address, sizeof address);
    return true;
}

/* The address of a single station: neither multicast nor all zeros. */
bool address_mac_item(const char *value, void *to)
{
    uint8_t mac[6];
    uint8_t any = 0;

    for (unsigned i = 0; i < 6; i++) {
        int high, low;

        if (i > 0 && *value++ != ':') {
            return false;
        }
        high = ipv6_hex_digit(value[0]);
        low = high < 0 ? -1 : ipv6_hex_digit(value[1]);
        if (low < 0) {
            return false;
        }
        mac[i] = (uint8_t)(high << 4 | low);
        any |= mac[i];
        value += 2;
    }
    if (*value != '\0' || !possible((mac[0] & 1) == 0 && any != 0)) {
        return false;
    }
    memcpy(to, mac, sizeof mac);
    return true;
}
