/* SPDX-License-Identifier: BSD-2-Clause */
/* What lwIP takes for granted of a received frame. */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether the first buffer of a frame, `length` bytes, holds all of the header that its Ethernet type says
 * is there, of ARP or IP: lwIP reads it without a look at the length.
 */
bool frame_has_header(const void *frame, uint32_t length);

/* Whether an Ethernet address can be a station's: it is neither a group's nor zeros. */
bool frame_is_station(const uint8_t *mac);

#endif
