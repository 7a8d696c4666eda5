/* SPDX-License-Identifier: BSD-2-Clause */
/* A part of a received buffer as a separate pbuf. */
#ifndef PIECE_H
#define PIECE_H

#include "lwip/pbuf.h"

/*
 * Makes a pbuf for `length` bytes of a buffer, from `offset` on. It has a reference to the buffer,
 * which is kept until the piece is freed. Returns NULL if there is no memory.
 */
struct pbuf *piece_of(struct pbuf *buffer, uint32_t offset, uint32_t length);

#endif
