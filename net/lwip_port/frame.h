/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks properties of a received frame that lwIP relies on. */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * True if the first buffer of a frame, `length` bytes, contains the whole ARP or IP header that its
 * Ethernet type announces. lwIP reads it without checking the length.
 */
bool frame_has_header(const void *frame, uint32_t length);

/* True if an Ethernet address can be a station's: neither multicast nor zeros. */
bool frame_is_station(const uint8_t *mac);

#endif
