/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/ipv6_text.h"

#include <string.h>

int ipv6_hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Parses up to four hexadecimal digits: two bytes of an IPv6 address. */
static bool parse_digits(const char **text, uint8_t to[2])
{
    unsigned value = 0;
    unsigned digits = 0;

    for (; digits < 5 && ipv6_hex_digit(**text) >= 0; digits++) {
        value = value << 4 | (unsigned)ipv6_hex_digit(*(*text)++);
    }
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
    return digits > 0 && digits < 5;
}

bool ipv6_parse(const char **text, uint8_t address[16])
{
    uint8_t tail[16]; /* the part after "::" */
    unsigned head_length = 0, tail_length = 0;
    bool gap = strncmp(*text, "::", 2) == 0;

    *text += gap ? 2 : 0;
    while (ipv6_hex_digit(**text) >= 0) {
        uint8_t *to = gap ? tail + tail_length : address + head_length;

        if (head_length + tail_length == 16 || !parse_digits(text, to)) {
            return false;
        }
        *(gap ? &tail_length : &head_length) += 2;
        if (strncmp(*text, "::", 2) == 0) {
            if (gap) {
                return false; /* a second "::" is not allowed */
            }
            gap = true;
            *text += 2;
        } else if (**text == ':') {
            (*text)++;
            if (ipv6_hex_digit(**text) < 0) {
                return false;
            }
        } else {
            break;
        }
    }
    if (gap ? head_length + tail_length == 16 : head_length != 16) {
        return false;
    }
    memset(address + head_length, 0, 16 - head_length);
    memcpy(address + 16 - tail_length, tail, tail_length);
    return true;
}
