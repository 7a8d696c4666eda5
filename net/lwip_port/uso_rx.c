/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/lwip_port/uso_rx.h"

#include <string.h>

#include "arch/cc.h"
#include "lwip/def.h"
#include "net/lwip_port/piece.h"

enum {
    IPV4_TOTAL_LENGTH = 2, /* offsets in headers */
    IPV4_IDENTIFICATION = 4,
    IPV4_CHECKSUM = 10,
    IPV6_PAYLOAD_LENGTH = 4,
    IPV6_HEADER = 40,
    UDP_LENGTH = 4,
    UDP_HEADER = 8,
};

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/*
 * The UDP payload bytes of a frame according to its headers, or 0 if they are inconsistent. length:
 * of the frame, which may be padded.
 */
static uint32_t payload_length(const uint8_t *frame, uint32_t length,
                               const struct offload_headers *headers)
{
    const uint8_t *ip = frame + headers->network;
    uint32_t packet = headers->ipv6 ? IPV6_HEADER + get16(ip + IPV6_PAYLOAD_LENGTH)
                                    : get16(ip + IPV4_TOTAL_LENGTH);
    uint32_t end = headers->network + packet;

    if (end > length || end < headers->transport + (uint32_t)UDP_HEADER ||
        get16(frame + headers->transport + UDP_LENGTH) != end - headers->transport) {
        return 0;
    }
    return end - headers->transport - UDP_HEADER;
}

bool uso_rx_begin(struct uso_rx *uso, struct pbuf *frame, uint32_t length,
                  const struct virtio_net_offload *offload)
{
    struct offload_headers headers;
    uint32_t payload, header_length;
    uint32_t size = offload->gso_size;

    if (!offload_is_checked(frame->payload, frame->len, offload) ||
        !offload_parse(frame->payload, frame->len, &headers) || headers.protocol != OFFLOAD_UDP ||
        frame->len < headers.transport + UDP_HEADER) {
        return false;
    }
    payload = payload_length(frame->payload, length, &headers);
    header_length = headers.transport + (uint32_t)UDP_HEADER;
    if (payload == 0 || size == 0 || payload > size * USO_RX_MAX ||
        header_length + LWIP_MIN(payload, size) > UINT16_MAX) {
        return false;
    }
    pbuf_ref(frame); /* keeps the headers until the last datagram has copied them */
    *uso = (struct uso_rx){
        .first = frame,
        .buffer = frame,
        .offset = header_length,
        .left = payload,
        .headers = headers,
        .header_length = (uint16_t)header_length,
        .segment_size = (uint16_t)size,
    };
    return true;
}

bool uso_rx_left(const struct uso_rx *uso)
{
    return uso->left != 0;
}

/* Sets the lengths, identification and IPv4's checksum of a datagram with `payload` bytes. */
static void write_headers(const struct uso_rx *uso, uint8_t *frame, uint32_t payload)
{
    const struct offload_headers *headers = &uso->headers;
    uint8_t *ip = frame + headers->network;
    uint32_t udp_length = UDP_HEADER + payload;
    uint32_t length = headers->transport - headers->network + udp_length;
    uint16_t sum;

    put16(frame + headers->transport + UDP_LENGTH, udp_length);
    if (headers->ipv6) {
        put16(ip + IPV6_PAYLOAD_LENGTH, length - IPV6_HEADER);
        return;
    }
    put16(ip + IPV4_TOTAL_LENGTH, length);
    put16(ip + IPV4_IDENTIFICATION, get16(ip + IPV4_IDENTIFICATION) + uso->count);
    put16(ip + IPV4_CHECKSUM, 0);
    sum = (uint16_t)~lwip_port_checksum(ip, headers->transport - headers->network);
    memcpy(ip + IPV4_CHECKSUM, &sum, sizeof sum);
}

/*
 * Appends the next bytes of the payload to a datagram. Returns it. If there is no memory, frees it
 * and returns NULL. p: may be NULL already; the bytes are skipped anyway.
 */
static struct pbuf *take_payload(struct uso_rx *uso, struct pbuf *p, uint32_t length)
{
    while (length > 0) {
        struct pbuf *buffer = uso->buffer;
        uint32_t part = LWIP_MIN(length, buffer->len - uso->offset);

        if (p != NULL && part > 0) {
            struct pbuf *piece = piece_of(buffer, uso->offset, part);

            if (piece != NULL) {
                pbuf_cat(p, piece);
            } else {
                pbuf_free(p);
                p = NULL;
            }
        }
        uso->offset += part;
        uso->left -= part;
        length -= part;
        if (uso->offset == buffer->len && uso->left != 0) {
            uso->buffer = buffer->next;
            uso->offset = 0;
            buffer->next = NULL;
            pbuf_free(buffer);
        }
    }
    return p;
}

/* Not inlined: its register use would slow down all other frames. */
__attribute__((noinline)) struct pbuf *uso_rx_next(struct uso_rx *uso)
{
    uint32_t length = LWIP_MIN(uso->left, uso->segment_size);
    struct pbuf *p = pbuf_alloc(PBUF_RAW_TX, uso->header_length, PBUF_RAM);

    if (p != NULL) {
        memcpy(p->payload, uso->first->payload, uso->header_length);
        write_headers(uso, p->payload, length);
    }
    p = take_payload(uso, p, length);
    uso->count++;
    if (uso->left == 0) {
        pbuf_free(uso->buffer); /* with the rest of the frame, its padding */
        pbuf_free(uso->first);
    }
    return p;
}
