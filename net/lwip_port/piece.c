/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/piece.h"

#include <stdlib.h>

struct piece {
    struct pbuf_custom custom; /* must be first: lwIP returns it as a struct pbuf */
    struct pbuf *buffer;
};

static void free_piece(struct pbuf *p)
{
    struct piece *piece = (struct piece *)p;

    pbuf_free(piece->buffer);
    free(piece);
}

struct pbuf *piece_of(struct pbuf *buffer, uint32_t offset, uint32_t length)
{
    struct piece *piece = malloc(sizeof *piece);

    if (piece == NULL) {
        return NULL;
    }
    piece->custom.custom_free_function = free_piece;
    piece->buffer = buffer;
    pbuf_ref(buffer);
    return pbuf_alloced_custom(PBUF_RAW, (u16_t)length, PBUF_REF, &piece->custom,
                               (uint8_t *)buffer->payload + offset, (u16_t)length);
}
