/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of joined datagrams for the tests of uso_rx.c, in lwIP's own pbufs, on buffers that are
 * counted. The address sanitizer detects lost memory.
 */
#ifndef USO_CARD_H
#define USO_CARD_H

#include "stack.h"

#include "net/lwip_port/uso_rx.h"

/* Makes the allocation with this number fail, from 1 on; 0: none. */
static unsigned fail_at, allocations;

static inline void *allocate(size_t size)
{
    return ++allocations == fail_at ? NULL : malloc(size);
}

#define malloc allocate
#define get16 get16_of_datagrams
#include "net/lwip_port/uso_rx.c"
#undef get16
#include "net/lwip_port/piece.c"

#include "core/def.c"
#include "core/mem.c"
#include "core/pbuf.c"
#undef malloc

enum { BUFFERS = 48, FRAME_MAX = 66000, BUFFER = 1526 };

static struct buffer {
    struct pbuf_custom custom;
    bool out; /* the stack has it */
} buffers[BUFFERS];
static unsigned buffers_out;
static uint8_t frame[FRAME_MAX];
static uint32_t frame_length;
static uint16_t transport;
static bool over_ipv6;
static struct virtio_net_offload offload;

/* Functions and variables that pbuf.c needs. */
struct tcp_pcb *tcp_active_pcbs;

void tcp_free_ooseq(struct tcp_pcb *pcb)
{
    (void)pcb;
}

void *memp_malloc(memp_t type)
{
    (void)type;
    fail_msg("a pool");
    return NULL;
}

void memp_free(memp_t type, void *memory)
{
    (void)type;
    (void)memory;
    fail_msg("a pool");
}

static inline void returned(struct pbuf *p)
{
    struct buffer *buffer = (struct buffer *)p;

    assert_true(buffer->out);
    buffer->out = false;
    buffers_out--;
    memset(p->payload, 0xee, p->len); /* the card overwrites the buffer */
}

static inline int set_up(void **state)
{
    (void)state;
    fail_at = 0;
    allocations = 0;
    assert_int_equal(buffers_out, 0);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    assert_int_equal(buffers_out, 0);
    return 0;
}

/* Makes a UDP frame of `payload` bytes in segments of `size`. */
static inline void make_frame(uint32_t payload, uint16_t size, unsigned tags, bool ipv6)
{
    uint8_t *at = frame;

    memset(frame, 0, sizeof frame);
    over_ipv6 = ipv6;
    memcpy(at, "\x52\x54\0\x12\x34\x56\2\0\0\0\0\1", 12);
    at += 12;
    for (; tags > 0; tags--, at += 4) {
        put16(at, 0x8100);
        put16(at + 2, 42);
    }
    put16(at, ipv6 ? 0x86dd : 0x0800);
    at += 2;
    if (ipv6) {
        at[0] = 0x60;
        put16(at + 4, 8 + payload);
        at[6] = 17;
        memset(at + 8, 0xfe, 32);
        at += 40;
    } else {
        at[0] = 0x45;
        put16(at + 2, 28 + payload);
        put16(at + 4, 0xfffe); /* wraps within the frame */
        at[6] = 0x40;
        at[8] = 64;
        at[9] = 17;
        memcpy(at + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
        put16(at + 10, fold(sum_of(at, 20)));
        at += 20;
    }
    transport = (uint16_t)(at - frame);
    put16(at, 40000);
    put16(at + 2, 7);
    put16(at + 4, 8 + payload);
    at += 8;
    for (uint32_t i = 0; i < payload; i++) {
        at[i] = (uint8_t)(i * 7 + i / 251);
    }
    frame_length = (uint32_t)(at - frame) + payload;
    offload = (struct virtio_net_offload){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                          .gso_type = VIRTIO_NET_HDR_GSO_UDP_L4,
                                          .gso_size = size};
}

/*
 * Copies the frame into buffers as from the card: the first of `first` bytes, the others of `rest`.
 */
static inline struct pbuf *in_buffers(uint32_t first, uint32_t rest)
{
    struct pbuf *chain = NULL, *last = NULL;

    for (uint32_t at = 0, i = 0; at < frame_length; i++) {
        uint32_t length = LWIP_MIN(i == 0 ? first : rest, frame_length - at);
        uint8_t *data = malloc(length);
        struct pbuf *p;

        assert_true(i < BUFFERS);
        memcpy(data, frame + at, length);
        free(buffers[i].custom.pbuf.payload);
        buffers[i].custom.custom_free_function = returned;
        buffers[i].out = true;
        buffers_out++;
        p = pbuf_alloced_custom(PBUF_RAW, (u16_t)length, PBUF_RAM, &buffers[i].custom, data,
                                (u16_t)length);
        if (last != NULL) {
            last->next = p;
        } else {
            chain = p;
        }
        last = p;
        at += length;
    }
    return chain;
}

/* Compares the datagram with number `index` in the frame, and frees it. */
static inline void assert_datagram(struct pbuf *p, unsigned index)
{
    const uint8_t *expected = frame + transport + 8 + (size_t)index * offload.gso_size;
    uint32_t left = frame_length - (uint32_t)(expected - frame);
    uint32_t length = LWIP_MIN(left, offload.gso_size);
    static uint8_t bytes[FRAME_MAX];
    uint8_t *ip = bytes + transport - (over_ipv6 ? 40 : 20);

    assert_non_null(p);
    assert_int_equal(p->tot_len, transport + 8 + length);
    assert_int_equal(p->len, transport + 8); /* the stack expects this in one piece */
    if (p->tot_len <= UINT16_MAX - 12) {     /* room for the card's header, to send the datagram
                                              * back */
        assert_int_equal(pbuf_add_header(p, 12), 0);
        assert_int_equal(pbuf_remove_header(p, 12), 0);
    }
    assert_int_equal(pbuf_copy_partial(p, bytes, p->tot_len, 0), p->tot_len);
    assert_memory_equal(bytes + transport + 8, expected, length);
    assert_memory_equal(bytes, frame, (size_t)(ip - bytes) + 2);
    assert_memory_equal(bytes + transport, frame + transport, 4);
    assert_int_equal(sum_of(bytes + transport + 4, 2), 8 + length);
    if (over_ipv6) {
        assert_int_equal(sum_of(ip + 4, 2), 8 + length);
    } else {
        assert_int_equal(sum_of(ip + 2, 2), 28 + length);
        assert_int_equal(sum_of(ip + 4, 2), (0xfffe + index) & 0xffff);
        assert_int_equal(fold(sum_of(ip, 20)), 0);
        assert_memory_equal(ip + 12, frame + transport - 8, 8);
    }
    pbuf_free(p);
}

/* Splits the frame and compares its datagrams. Returns their number. */
static inline unsigned cut(uint32_t first, uint32_t rest)
{
    struct uso_rx uso;
    unsigned count = 0;

    assert_true(uso_rx_begin(&uso, in_buffers(first, rest), frame_length, &offload));
    while (uso_rx_left(&uso)) {
        assert_datagram(uso_rx_next(&uso), count++);
    }
    assert_int_equal(buffers_out, 0);
    return count;
}

#endif
